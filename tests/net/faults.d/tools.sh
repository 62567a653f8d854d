# shellcheck shell=bash
# That the load notices what the cable does, and that the cable does what it is
# told: both without a router. To be sourced by tests/net/faults.
# shellcheck disable=SC2034,SC2154

row_add tools "cable and load alone: each fault is found, and told from others"

row_tools() {
    net_begin svr
    tools_host staff near 10.2.0.1
    tools_host server far "$server4"
    wire_up west
    server_up 7000
    tools_load good
    load_is_whole good
    check "a good cable: all arrives, once" load_is good \
        '.udp.received == .udp.expected and .udp.duplicated == 0'
    tools_load lossy far:loss=20
    check "20 % loss one way: so many answers are missing" load_is lossy \
        '(.udp.expected - .udp.received) / .udp.expected | . > 0.1 and . < 0.3'
    tools_load doubled far:duplicate=100
    check "every answer twice" load_is doubled \
        '.udp.duplicated >= .udp.received * 0.9'
    tools_load damaged corrupt=20
    check "damage that no checksum sees" load_is damaged '.udp.corrupt > 0'
    tools_load late delay=600
    check "delay" load_is late '.tcp.stall_max >= 1100'
    tools_load small mtu=1000
    check "a small MTU: datagrams of 1200 bytes do not arrive" \
        load_is small '.udp.received == 0'
    tools_hung
    tools_foreign
}

# tools_host NAME DEVICE ADDRESS
tools_host() {
    net_veth "$1" eth0 west "$2"
    net_ip "$1" addr add "$3/24" dev eth0
    net_offload_set "$1" off eth0
    net_offload_set west off "$2"
}

# tools_load NAME SETTING...: of the cable, for this load only.
tools_load() {
    (($# == 1)) || wire west "${@:2}"
    net_spawn "$1" staff "$NET_BUILD/tests/load" --first "$load_next" \
        --seconds 2 --tcp=6 --udp=20 --interval=50 --size=1200 --hung=3 \
        "$server4:7000"
    load_next=$((load_next + 27))
    load_wait "$1"
    wire west delay=0 loss=0 duplicate=0 corrupt=0 mtu=0
}

tools_hung() {
    load_start hung 3 --tcp=6 --udp=4 --hung=3
    wire west loss=100
    net_wait 20 all_hang hung 6
    wire west loss=0 # for the question in the end
    load_wait hung
    check "a cut cable: TCP hangs, UDP does not go on" \
        load_is hung '.tcp.hung == 6 and .udp.alive == 0'
}

# all_hang NAME COUNT: so many sessions have been told to.
all_hang() {
    (($(grep -c '^hung' "$NET_LOGS/$1.log") == $2))
}

# A session that is taken for another one: its packets come from elsewhere.
tools_foreign() {
    load_start foreign 3 --udp=4
    net_exec staff nft -f - <<'END'
table ip other {
    chain postrouting {
        type nat hook postrouting priority srcnat
        meta l4proto udp masquerade to :2000-2999
    }
}
END
    net_exec staff conntrack -F 2>/dev/null
    load_wait foreign
    check "packets in a foreign session" \
        load_is foreign '.server.misdelivered > 0'
}
