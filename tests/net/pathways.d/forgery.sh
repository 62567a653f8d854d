# shellcheck shell=bash
# BFD packets of those who have no key (S14.3). To be sourced by
# tests/net/pathways behind network.sh.
# shellcheck disable=SC2154

bfd_capture=$run/bfd.pcap # five packets of a router

# capture_bfd NAME DEVICE FILTER: of those that leave by the device.
capture_bfd() {
    net_exec "$1" timeout 5 tcpdump -Z root -nn --immediate-mode -U -Q out \
        -c 5 -i "$2" -w "$bfd_capture" "$3"
}

# resend NAME OPTION... DEVICE
resend() {
    net_exec "$1" "$NET_BUILD/tests/resend" "${@:2}" "$bfd_capture"
}

# What must stay as it is: all that does not change by itself.
unmoved() {
    path dc '{state, reason, flaps, mtu, nat} | tostring'
}

# stays WAS
stays() {
    local now
    now=$(unmoved)
    echo "was $1"
    echo "is  $now"
    [[ $now == "$1" ]]
}

# without_effect TEXT COUNTER OPTION...: dc is sent what was captured.
without_effect() {
    local text=$1 counter=$2 was before sent after
    shift 2
    was=$(unmoved)
    before=$(counter dc "$counter")
    sent=$(resend mid "$@" to-dc)
    sleep 0.3
    after=$(counter dc "$counter")
    check "$text: $sent packets change nothing" stays "$was"
    check "router dc has counted them: $counter rose from $before to $after" \
        test $((after - before)) -ge "$sent"
}

# cpu_of LABEL: what the process has used, in milliseconds.
cpu_of() {
    local pid stat
    pid=$(net_pid "$1")
    stat=$(<"/proc/$pid/stat")
    # shellcheck disable=SC2086
    set -- ${stat##*)}
    echo $(((${12} + ${13}) * 1000 / $(getconf CLK_TCK)))
}

# What dc sends to the address of one who replays.
watch_stranger() {
    net_exec mid nft -f - <<'END'
table ip stranger {
    counter heard { }
    chain input {
        type filter hook prerouting priority raw
        ip daddr 203.0.113.66 counter name heard drop
    }
}
END
}

heard_stranger() {
    net_exec mid nft -j list counter ip stranger heard |
        jq '.nftables[] | select(.counter).counter.packets'
}

forgeries() {
    local before
    routers_start branch dc
    within "the pathway comes up" 1000 both_up
    check "five BFD packets of branch are captured" \
        capture_bfd mid to-dc 'udp port 1280 and src host 100.64.0.1'
    check "dc has found the MTU, which is looked for at first" \
        net_wait 10 path_is dc ".mtu == 1500"
    without_effect "replayed" bfd_received --times 20
    watch_stranger
    without_effect "replayed from another address" bfd_received --times 20 \
        --from 203.0.113.66
    check "nothing was sent to that address" test "$(heard_stranger)" -eq 0
    before=$(cpu_of dc)
    without_effect "changed to end the session" 'dropped["wrong-tag"]' \
        --admin-down --times 1000
    note "they cost svrd of dc $(($(cpu_of dc) - before)) ms of a core"
    check "the pathway is up at both ends" both_up
    check "it has not flapped" no_flaps
    routers_stop forgery branch dc
}

# Where there is no key, the same packets end the session.
forgery_control() {
    check "five BFD packets of FRR are captured" \
        capture_bfd frr eth0 'udp port 3784'
    check "changed to end the session, they are sent to left" \
        resend frr --admin-down eth0
    within "without a key, that ends it" 300 \
        path_is left '.reason == "neighbour-signalled-down"'
}
