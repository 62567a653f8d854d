# shellcheck shell=bash
# Two routers with a NAT between them (S14.4). To be sourced by
# tests/net/pathways behind network.sh.
# shellcheck disable=SC2154

# nat_up PORTS: mid hides branch behind its own address and these ports, and lets
# nothing in that nobody asked for.
nat_up() {
    net_exec mid nft -f - <<END
table ip nat
delete table ip nat
table ip nat {
    chain postrouting {
        type nat hook postrouting priority srcnat
        oifname to-dc meta l4proto { tcp, udp } masquerade to :$1
    }
    chain forward {
        type filter hook forward priority filter
        iifname to-dc ct state { new, invalid } drop
    }
    chain input {
        type filter hook input priority filter
        iifname to-dc ct state { new, invalid } drop
    }
}
END
}

nat_down() {
    net_exec mid nft delete table ip nat
}

# nat_forget: whatever comes next gets a new port.
nat_forget() {
    net_exec mid conntrack -F 2>/dev/null
}

# nat_moves NUMBER...: the last numbers of mid's addresses toward dc. It hides
# others behind the first, and forgets those whom it hid behind another.
nat_moves() {
    local number
    net_ip mid addr flush dev to-dc
    for number; do
        net_ip mid addr add "198.51.100.$number/24" dev to-dc
    done
}

# nat_port: of branch's BFD, outside.
nat_port() {
    net_exec mid conntrack -L -p udp --orig-port-dst 1280 2>/dev/null |
        sed -n 's/.*dport=\([0-9]*\) .*/\1/p' | head -n 1
}

pathway_through_nat() {
    local before
    nat_up 20000-29999
    routers_start branch dc
    within "the pathway through the NAT comes up at both ends" 1000 both_up
    within "branch learns that a NAT stands before it" 1000 \
        path_is branch '.nat.own != null'
    within "dc learns that a NAT stands before its peer" 1000 \
        path_is dc '.nat.peer != null'
    before=$(nat_port)
    note "outside, branch is 198.51.100.254:$before"
    check "curl: 1 MB over the pathway, SHA-256 equal" download staff \
        "$server4" medium
    transfers_start
    nat_up 30000-39999
    nat_forget
    within "after a rebinding dc sees branch at a new port" 500 nat_rebound
    check "the pathway is up at both ends, by the NAT's new port $(nat_port)" \
        both_up
    check "a TCP session in which the client speaks goes on: 1 MB" upload_ends
    listener_noted
    nat_moves 253 254
    within "after the NAT's address has changed dc sees branch at the new one" \
        500 path_is dc '.nat.peer.addr == "198.51.100.253"'
    check "the pathway is up at both ends" both_up
    check "it has not flapped" no_flaps
    check "curl: 1 MB in a new session, SHA-256 equal" download staff \
        "$server4" medium
    net_ctl dc paths | show
    routers_stop nat branch dc
    nat_down
    nat_moves 254
}

# Nothing opens the NAT anew for a client that only listens.
listener_noted() {
    local what="stands still"
    if download_ends 5 >/dev/null; then what="goes on"; fi
    net_stop download || true
    note "a TCP session in which only the server speaks $what"
}

nat_rebound() {
    local port
    port=$(nat_port)
    [[ -n $port ]] && ((port >= 30000)) &&
        path_is dc ".nat.peer.port == $port"
}
