# The call and the download over the run, for examples/demo, which sets run,
# start and out.
set terminal pngcairo size 1200,700 font "sans-serif,11"
set output out

# An event is a line through both graphs, and a label above the first, on one of
# three rows.
stats run."/marks.dat" using 1 nooutput
events = STATS_records
stats run."/call.dat" using ($2 - start) nooutput
set xrange [0:ceil(STATS_max)]
mark(i) = real(system(sprintf("sed -n '%ds/ .*//p' %s/marks.dat", i, run)))
event(i) = system(sprintf("sed -n '%ds/.* \"\\(.*\\)\"/\\1/p' %s/marks.dat", i, run))
do for [i = 1:events] {
    set arrow i from mark(i), graph 0 to mark(i), graph 1 nohead lc "grey50" dt 2
}

set multiplot
set lmargin 9
set rmargin 2
set key outside bottom center horizontal samplen 1
set grid ytics lt 1 lc "grey90"
set border 3
set tics nomirror out
set style fill solid noborder

# The call: a dot for each packet, those that were lost on top.
set size 1, 0.6
set origin 0, 0.4
set tmargin 4.5
do for [i = 1:events] {
    set label i event(i) at mark(i), graph 1 offset 0.3, 0.6 + 1.1 * ((i - 1) % 3) \
        font ",10"
}
set ylabel "call: latency in ms"
set yrange [0:150]
plot run."/call.dat" using (stringcolumn(1) eq "forward" ? $2 - start : 1/0):3 \
        with points pt 7 ps 0.15 lc "#1f77b4" title "call to the server", \
    "" using (stringcolumn(1) eq "reverse" ? $2 - start : 1/0):3 \
        with points pt 7 ps 0.15 lc "#2ca02c" title "call from the server", \
    "" using (stringcolumn(3) eq "-" ? $2 - start : 1/0):(140) \
        with points pt 2 ps 0.6 lc "#d62728" title "lost"

# The download: what each WAN carries.
unset label
set size 1, 0.4
set origin 0, 0
set tmargin 1
set bmargin 5
set xlabel "seconds"
set ylabel "download: Mbit/s"
set yrange [0:*]
set boxwidth 0.5 absolute
plot run."/rates.dat" using 1:($2 + $3) with boxes lc "#ff7f0e" title "LTE", \
    "" using 1:2 with boxes lc "#9467bd" title "fibre"
unset multiplot
