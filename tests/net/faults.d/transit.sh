# shellcheck shell=bash
# Through three routers without a fault (S4.3, S18 to S20): what is not TCP or UDP
# with a small packet. To be sourced by tests/net/faults.
# shellcheck disable=SC2034,SC2154

row_add transit "ICMP, its errors, fragments and GRE through three routers"

row_transit() {
    local more
    server_mtu=1300
    network_up
    routers_start
    check "ping: all packets come back" pings staff "$server4"
    check "traceroute: hub and dc answer, then the server" traces_three
    show <"$run/traceroute"
    check "ping of 4000 bytes: fragments there and back" ping_sized -s 4000
    refuse "ping of 1472 bytes, not to be fragmented" ping_sized -s 1472 -M "do"
    more=$((8 + $(sealed_bytes)))
    check "branch has said why: with $more bytes more it does not fit the pathway" \
        grep "From 10[.]1[.]0[.]1 .*mtu = $((1500 - more))" "$run/ping"
    check "ping of 1272 bytes, not to be fragmented" ping_sized -s 1272 -M "do"
    refuse "ping of 1300 bytes, not to be fragmented" ping_sized -s 1300 -M "do"
    check "dc has said why, across two pathways: its link takes 1300" \
        grep 'From 10\.2\.0\.1 .*mtu = 1300' "$run/ping"
    protocol_passes 47
    protocol_passes 253
    check "dc knows that both pathways between branch and hub are up" \
        net_wait 10 is_told dc west up side up
    net_ctl branch pathway west down
    check "and that one of them is taken down" \
        net_wait 10 is_told dc west down side up
    net_ctl branch pathway west up
    check "and up again" net_wait 10 is_told dc west up side up
    routers_end
}

# is_told ROUTER [PATHWAY STATE]...: by svrctl topology, of branch and hub.
is_told() {
    local table
    table=$(net_ctl "$1" topology) || return 1
    shift
    while (($# > 0)); do
        grep -Eq "^branch +hub +$1 +$2( |\$)" <<<"$table" || return 1
        shift 2
    done
}

# traces_three: every router on the way, then the server.
traces_three() {
    net_exec staff traceroute -n -q 1 -w 2 -m 6 "$server4" |
        tee "$run/traceroute"
    awk -v server="$server4" '
        $1 == 1 && $2 == "10.1.0.1" { n++ }
        $1 == 2 && ($2 == "100.64.1.2" || $2 == "100.64.2.2" ||
            $2 == "100.64.3.1") { n++ }
        $1 == 3 && ($2 == "10.2.0.1" || $2 == "100.64.3.2") { n++ }
        $1 == 4 && $2 == server { n++ }
        END { exit n != 4 }' "$run/traceroute"
}

ping_sized() {
    net_exec staff ping -n -c 3 -i 0.2 -W 2 "$@" "$server4" |
        tee "$run/ping"
    grep -q ' 0% packet loss' "$run/ping"
}

# protocol_passes NUMBER: a packet of it arrives as it was sent, and is answered.
protocol_passes() {
    # shellcheck disable=SC2016
    local answer='socket(my $s, PF_INET, SOCK_RAW, $ARGV[0]) or die;
        print "ready\n"; my $from = recv($s, my $packet, 2000, 0) or die;
        my $text = substr($packet, 20);
        $text =~ s/question/answer/; send($s, $text, 0, $from)'
    # shellcheck disable=SC2016
    local ask='socket(my $s, PF_INET, SOCK_RAW, $ARGV[0]) or die;
        connect($s, sockaddr_in(0, inet_aton($ARGV[1]))) or die;
        send($s, "question " . "x" x 800, 0); alarm 5;
        recv($s, my $packet, 2000, 0);
        exit(substr($packet, 20) ne "answer " . "x" x 800)'
    net_spawn "protocol-$1" server perl -MSocket -e "\$| = 1; $answer" "$1"
    net_wait 5 grep -qs ready "$NET_LOGS/protocol-$1.log"
    check "IP protocol $1: 800 bytes are answered" \
        net_exec staff perl -MSocket -e "$ask" "$1" "$server4"
}
