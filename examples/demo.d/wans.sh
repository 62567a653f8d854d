# shellcheck shell=bash
# Two WANs between the routers, of which one fails under a call and a download.
# To be sourced by examples/demo behind traffic.sh.
# shellcheck disable=SC2154

call_port=5004

# wans_up: both WANs are cables that can be told to be bad, in the namespace of
# the one WAN: no kernel module is needed for that.
wans_up() {
    net_up svr
    wans_second branch br-wan1
    wans_second dc dc-wan1
    net_ip wan link set branch nomaster
    net_ip wan link set dc nomaster
    net_offloads off wan
    wan_start fibre branch dc delay=10
    wan_start lte branch2 dc2 delay=30
}

# wans_second ROUTER DEVICE
wans_second() {
    net_veth wan "${1}2" "$1" "$2-eth"
    net_port "$1" "$2"
    net_offload_set wan off "${1}2"
    net_offload_set "$1" off "$2-eth"
}

# wan_start WAN DEVICE DEVICE SETTING
wan_start() {
    net_spawn "$1" wan "$out/tests/wire" --fifo "$NET_STATE/$1.fifo" "${@:2}"
    net_wait 5 test -p "$NET_STATE/$1.fifo"
}

# wan_becomes WAN TEXT SETTING...: from now on, and marked so in the plot.
wan_becomes() {
    mark "$1 $2"
    printf '%s\n' "${@:3}" >"$NET_STATE/$1.fifo"
    note "$1 $2"
}

# mark TEXT: for the plot, at this moment.
mark() {
    marked=$EPOCHREALTIME
    printf '%s %s\n' "$marked" "$1" >>"$run/marks"
}

# ---- the call and the download ----

# rates_sample: what has come from router dc, by fibre and by LTE.
rates_sample() {
    # shellcheck disable=SC2016
    net_spawn rates wan bash -c 'cd /sys/class/net
        while read -r a <dc/statistics/rx_bytes &&
            read -r b <dc2/statistics/rx_bytes; do
            echo "$EPOCHREALTIME $a $b"
            sleep 0.5
        done'
}

# traffic_start RATE: of the download. Its receiver buffers little, so that it
# shows what the WANs do.
traffic_start() {
    : >"$run/marks"
    net_sysctl staff 'ipv4/tcp_rmem=4096 131072 262144'
    net_spawn web server busybox httpd -f -p "$server4:80" -h "$run/www"
    net_wait 5 net_listening server 80
    check "a page comes" fetch staff -o /dev/null "http://$server4/small/1"
    net_spawn callee server "$out/examples/call" "$call_port"
    net_spawn events branch "$out/router/svrctl" \
        --socket "$NET_STATE/branch.sock" events
    net_wait 5 grep -qs listening "$NET_LOGS/events.log"
    rates_sample
    net_spawn caller staff "$out/examples/call" "$server4" "$call_port"
    rm -f "$run/got/file"
    net_spawn download staff curl -sS --fail --max-time 300 \
        --limit-rate "$1" -o "$run/got/file" "http://$server4/large"
}

traffic_stop() {
    net_wait 60 net_gone download || note "the download does not end"
    net_signal caller TERM || true
    net_signal callee TERM || true
    net_wait 5 net_gone caller || true
    net_wait 5 net_gone callee || true
    net_stop rates || true
    net_stop events || true
    call_table >"$run/call.dat"
}

# call_table: of each datagram of the call its direction, when it was sent, and
# how many milliseconds it took, or "-" if it never came.
call_table() {
    awk 'FNR == 1 { file++ }
        $1 == "sent" { sent[file, $2] = $3; next }
        { took[3 - file, $2] = ($4 - $3) * 1e3 }
        END {
            for (key in sent) {
                split(key, part, SUBSEP)
                printf "%s %.3f %s\n", part[1] == 1 ? "forward" : "reverse",
                    sent[key], key in took ? took[key] : "-"
            }
        }' "$NET_LOGS/caller.log" "$NET_LOGS/callee.log" | sort -k 1,1 -k 2n
}

# moved CAUSE...: whether both sessions have, for one of these.
moved() {
    (($(jq -s '[.[].data | select(.event == "session-moved"
        and (.cause | IN($ARGS.positional[]))) | .session.service]
        | unique | length' "$NET_LOGS/events.log" --args "$@") == 2))
}

# calls_go PATHWAY: a new one would.
calls_go() {
    net_ctl branch --json explain staff.corp "$server4" "$call_port" udp |
        tee "$run/explain.json"
    jq -e ".data | .ways[.choice].pathway == \"$1\"" "$run/explain.json"
}

# explained PATHWAY REASON: why a new one would not take it.
explained() {
    jq . "$run/explain.json"
    jq -e ".data.ways[] | select(.pathway == \"$1\") | .reason == \"$2\"" \
        "$run/explain.json"
}

# ---- what was lost ----

# call_lost [FROM TO]...: whether datagrams were lost only from one of these
# times to its other, or were on their way then: half a second, for a machine that
# is busy.
call_lost() {
    awk -v times="$*" '
        BEGIN { n = split(times, at, " ") }
        $3 == "-" {
            for (i = 1; i < n; i += 2)
                if ($2 >= at[i] - 0.5 && $2 <= at[i + 1]) { within++; next }
            outside++
        }
        END {
            printf "%d sent, %d lost in these times, %d at others\n",
                NR, within, outside
            exit !(NR > 0 && !outside)
        }' "$run/call.dat"
}

# call_silence TIME: from the second before on, the longest time for which nothing
# that one end sent came to the other, in seconds.
call_silence() {
    awk -v from="$1" '
        $3 == "-" || $2 < from - 1 { next }
        $1 == last && $2 - at > most { most = $2 - at }
        { last = $1; at = $2 }
        END { printf "%.2f\n", most }' "$run/call.dat"
}

# later TIME SECONDS
later() {
    awk -v t="$1" -v s="$2" 'BEGIN { printf "%.6f\n", t + s }'
}

# ---- what happens ----

# Averages go over a minute, so that all this takes two.
fibre_degrades() {
    sleep 12
    wan_becomes fibre "is slow, loses 4 %" delay=110 loss=4
    bad_times+=("$marked")
    check "both sessions leave it for a limit of their policy" \
        net_wait 60 moved path-limits
    mark "both sessions leave"
    bad_times+=("$(later "$marked" 1)")
    check "a new call would take LTE" calls_go lte
    check "svrctl explain says why: the fibre's latency is too long" \
        explained fibre latency
    net_ctl branch explain staff.corp "$server4" "$call_port" udp | show
    sleep 5
    wan_becomes fibre "is good again" delay=10 loss=0
    check "when it has been good for 30 s, both come back" \
        net_wait 150 moved pathway-up
    mark "both come back"
    sleep 5
}

draw_network() {
    net_ctl branch topology --svg >"$out/topology.svg" &&
        grep -q '>down<' "$out/topology.svg"
}

# A cut is noticed after half a second (BFD) by one router, which asks the other;
# all may take ten times as long as it should on a busy machine.
fibre_cut() {
    wan_becomes fibre "is cut" loss=100
    bad_times+=("$marked" "$(later "$marked" 6)")
    check "both sessions move to LTE" net_wait 10 moved pathway-down asked
    check "svrctl topology draws the network at this moment" draw_network
    sleep "$1"
    wan_becomes fibre "is mended" loss=0
    sleep "$1"
}

# use_two_wans
use_two_wans() {
    local cut
    bad_times=()
    if [[ -n $short ]]; then
        traffic_start 3M
        check "a call and a download begin; they go by fibre" calls_go fibre
        fibre_cut 1
    else
        traffic_start 700K
        check "a call and a download begin; they go by fibre" calls_go fibre
        fibre_degrades
        fibre_cut 5
    fi
    cut=${bad_times[-2]}
    traffic_stop
    check "the download is whole: SHA-256 equal" \
        same_sha256 "$run/got/file" "$run/www/large"
    check "the call lost nothing but while the fibre was bad, and at the cut" \
        call_lost "${bad_times[@]}"
    show <"$run/check.out"
    note "at the cut, the call was silent for $(call_silence "$cut") s"
    check "the plot of call and download is written" plot_call "$out/call.png"
}

# ---- the plot ----

# plot_call FILE
plot_call() {
    local start
    start=$(awk '!t || $2 < t { t = $2 } END { print t }' "$run/call.dat")
    awk -v start="$start" '{ t = $1; sub(/^[^ ]* /, "")
        printf "%.2f \"%s\"\n", t - start, $0 }' "$run/marks" >"$run/marks.dat"
    awk -v start="$start" '
        NR > 1 {
            s = ($1 - t) * 1e6 / 8
            print $1 - start, ($2 - a) / s, ($3 - b) / s
        }
        { t = $1; a = $2; b = $3 }' "$NET_LOGS/rates.log" >"$run/rates.dat"
    gnuplot -e "run = '$run'; start = $start; out = '$1'" \
        examples/demo.d/call.gnuplot && test -s "$1"
}
