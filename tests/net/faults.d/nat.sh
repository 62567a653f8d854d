# shellcheck shell=bash
# A NAT between two routers, which forgets (S6.8 b, S14.4). To be sourced by
# tests/net/faults.
# shellcheck disable=SC2034,SC2154

row_add nat-ingress "a NAT before the ingress takes new ports, and a new address"
row_add nat-transit "the same before the transit router"

row_nat_ingress() { nat_row west hub; }
row_nat_transit() { nat_row east dc; }

# nat_up LINK: what is near hides behind an address of the link.
nat_up() {
    local n=${link_net[$1]}
    net_ip "$1" addr add "100.64.$n.254/24" dev near
    net_ip "$1" addr add "198.18.$n.254/24" dev far
    net_sysctl "$1" ipv4/ip_forward=1
    nat_ports "$1" 20000-29999
}

# nat_ports LINK RANGE: from now on; nothing comes in that nobody asked for.
nat_ports() {
    net_exec "$1" nft -f - <<END
table ip nat
delete table ip nat
table ip nat {
    chain postrouting {
        type nat hook postrouting priority srcnat
        oifname far meta l4proto { tcp, udp } masquerade to :$2
    }
    chain forward {
        type filter hook forward priority filter
        iifname far ct state { new, invalid } drop
    }
    chain input {
        type filter hook input priority filter
        iifname far ct state { new, invalid } drop
    }
}
END
    net_exec "$1" conntrack -F 2>/dev/null
}

# nat_moves LINK NUMBER: the last number of the address it hides others behind.
nat_moves() {
    net_ip "$1" addr flush dev far
    net_ip "$1" addr add "198.18.${link_net[$1]}.$2/24" dev far
    net_exec "$1" conntrack -F 2>/dev/null
}

# nat_row LINK PEER: the router before which the NAT stands.
nat_row() {
    local link=$1 peer=$2 n=${link_net[$1]}
    link_nat[$link]=yes
    network_up
    routers_start
    within "$peer sees the NAT" 1000 path_is "$peer" "$link" '.nat.peer != null'
    stranger_listens "$link"
    load_start nat 18 "${sessions[@]}"
    check "a stranger has seen packets of sessions" \
        net_wait 10 net_gone stranger
    sleep 2
    nat_ports "$link" 30000-39999
    within "$peer sees the peer at a new port" 500 \
        path_is "$peer" "$link" '.nat.peer.port >= 30000'
    sleep 3
    nat_moves "$link" 253
    within "$peer sees the peer at a new address" 500 \
        path_is "$peer" "$link" ".nat.peer.addr == \"198.18.$n.253\""
    stranger_speaks "$link" "$peer"
    load_end nat
    load_lives nat 100
    check "nobody has sent anything to the stranger" \
        test "$(stranger_heard "$link")" -eq 0
    load_start after-nat 3 --tcp=12 --udp=8
    load_end after-nat
    load_lives after-nat 100
    routers_end
}

# ---- somebody who has seen packets, and sends them from elsewhere ----

# stranger_listens LINK: the first packets of sessions, with metadata and without.
stranger_listens() {
    net_spawn stranger "$1" timeout 30 tcpdump -Z root -nn --immediate-mode -U \
        -Q out -c 100 -i far -w "$run/stranger.pcap" 'udp and not port 1280'
    net_wait 5 grep -qs listening "$NET_LOGS/stranger.log"
}

# stranger_speaks LINK PEER
stranger_speaks() {
    net_exec "$1" nft -f - <<END
table ip stranger {
    counter heard { }
    chain input {
        type filter hook prerouting priority raw
        ip daddr 198.18.${link_net[$1]}.66 counter name heard drop
    }
}
END
    net_ip "$1" neigh replace "198.18.${link_net[$1]}.66" lladdr \
        02:00:00:00:00:66 dev far
    check "a stranger sends them from another address" net_exec "$1" \
        "$NET_BUILD/tests/resend" --from "198.18.${link_net[$1]}.66" \
        --times 5 far "$run/stranger.pcap"
}

stranger_heard() {
    net_exec "$1" nft -j list counter ip stranger heard |
        jq '.nftables[] | select(.counter).counter.packets'
}
