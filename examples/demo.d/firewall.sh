# shellcheck shell=bash
# A firewall on the WAN that drops TCP with data in its SYN, as some do. To be
# sourced by examples/demo behind traffic.sh.
# shellcheck disable=SC2154

# A SYN without data has at most 100 bytes, with all of IPv6's and TCP's headers.
firewall_up() {
    net_exec wan nft -f - <<'END'
table bridge firewall {
    counter seen { }
    counter dropped { }
    chain forward {
        type filter hook forward priority 0
        meta l4proto tcp counter name seen
        tcp flags & syn == syn meta length > 100 counter name dropped drop
    }
}
END
}

# firewall_count seen|dropped: packets since the firewall was last asked.
firewall_count() {
    net_exec wan nft -j reset counter bridge firewall "$1" |
        jq '.nftables[] | select(.counter).counter.packets'
}

firewall_refuses() {
    refuse "curl: no page over IPv4" fetch staff -o /dev/null \
        --connect-timeout 3 "http://$server4/small/1"
    refuse "curl: no page over IPv6" fetch staff -o /dev/null \
        --connect-timeout 3 "http://[$server6]/small/1"
    check "the firewall has dropped SYNs with metadata" \
        test "$(firewall_count dropped)" -gt 0
    check "ping, which is UDP on the WAN, passes" pings staff "$server4"
}

firewall_reset() {
    firewall_count seen >/dev/null
    firewall_count dropped >/dev/null
}

firewall_passes() {
    check "no TCP has come to the firewall" test "$(firewall_count seen)" -eq 0
    check "and it has dropped nothing" test "$(firewall_count dropped)" -eq 0
}
