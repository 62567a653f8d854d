# shellcheck shell=bash
# FRR's bfdd and BIRD as BFD peers of svrd (RFC 5880, RFC 5881). To be sourced
# by tests/net/pathways behind network.sh.
# shellcheck disable=SC2154

# Sockets and their settings are where names are short.
frr=$NET_STATE/frr bird=$NET_STATE/bird

# ---- FRR ----

# bfdd learns of the interfaces from zebra. Both insist on a user of their own.
frr_start() {
    mkdir -p "$frr"
    cat >"$frr/bfdd.conf" <<'END'
bfd
 peer 192.0.2.2 local-address 192.0.2.1 interface eth0
  receive-interval 300
  transmit-interval 300
  detect-multiplier 3
 exit
exit
END
    : >"$frr/zebra.conf"
    chown -R frr:frr "$frr"
    frr_daemon zebra
    frr_daemon bfdd --bfdctl "$frr/bfdd.sock"
}

# frr_daemon NAME OPTION...
frr_daemon() {
    net_spawn "frr-$1" frr "/usr/lib/frr/$1" -u frr -g frr -P 0 \
        --vty_socket "$frr" -z "$frr/zserv.api" -i "$frr/$1.pid" \
        -f "$frr/$1.conf" --log stdout "${@:2}"
    net_wait 5 test -S "$frr/$1.vty" || net_fail "$1 does not start"
}

frr() {
    net_exec frr vtysh --vty_socket "$frr" "$@"
}

# frr_peer COMMAND: about the peer's settings.
frr_peer() {
    frr -c 'configure terminal' -c bfd \
        -c 'peer 192.0.2.2 local-address 192.0.2.1 interface eth0' -c "$1"
}

# frr_is EXPRESSION: jq's, about the peer.
frr_is() {
    frr -c 'show bfd peers json' | jq -e ".[0] | $1" >/dev/null
}

# ---- BIRD ----

# bird_write INTERVAL
bird_write() {
    cat >"$bird/bird.conf" <<END
router id 192.0.2.5;
protocol device { }
protocol bfd {
    interface "eth0" { min rx interval $1; min tx interval $1; multiplier 3; };
    neighbor 192.0.2.6 dev "eth0" local 192.0.2.5;
}
END
}

bird_start() {
    mkdir -p "$bird"
    bird_write '300 ms'
    net_spawn bird bird bird -f -c "$bird/bird.conf" -s "$bird/bird.ctl"
    net_wait 5 test -S "$bird/bird.ctl" || net_fail "bird does not start"
}

bird_do() {
    birdc -s "$bird/bird.ctl" "$@"
}

# bird_set INTERVAL: in a BIRD that runs.
bird_set() {
    bird_write "$1"
    bird_do configure >/dev/null
}

# bird_session: state, interval and detection time, as BIRD prints them.
bird_session() {
    bird_do show bfd sessions | awk '$1 == "192.0.2.6" { print $3, $5, $6 }'
}

# bird_is STATE [INTERVAL TIMEOUT]
bird_is() {
    [[ " $(bird_session) " == " $* "* ]]
}

# ---- what both must do ----

frr_up() {
    frr_is '.status == "up"' && path_up left
}

bird_up() {
    bird_is Up && path_up right
}

others_up() {
    frr_up && bird_up
}

# others_down: left and right are.
others_down() {
    path_down left && path_down right
}

peers() {
    routers_start left right
    within "left and FRR, right and BIRD: all say up" 2000 others_up
    peers_die
    routers_die
    peers_renegotiate
    frr_shuts_down
    bird_falls_silent
    routers_shut_down
}

# because REASON: both routers give it.
because() {
    check "left says why: $1" path_is left ".reason == \"$1\""
    check "right says why: $1" path_is right ".reason == \"$1\""
}

peers_die() {
    net_kill frr-bfdd bird
    within "FRR and BIRD are killed: left and right notice" 900 others_down
    because detection-time-expired
    frr_daemon bfdd --bfdctl "$frr/bfdd.sock"
    bird_start
    within "they are started again: all say up" 2000 others_up
}

others_miss_us() {
    frr_is '.status == "down"
        and .diagnostic == "control detection time expired"' && bird_is Down
}

routers_die() {
    net_kill left right
    within "left and right are killed: FRR and BIRD notice" 900 others_miss_us
    routers_start left right
    within "they are started again: all say up" 2000 others_up
}

# packets NAME: of BFD that have come to it.
packets_come() {
    net_exec "$1" nft -j list counter ip watch bfd |
        jq '.nftables[] | select(.counter).counter.packets'
}

watch_packets() {
    net_exec "$1" nft -f - <<'END'
table ip watch {
    counter bfd { }
    chain input {
        type filter hook input priority 0
        udp dport 3784 counter name bfd
    }
}
END
}

# How many packets come to FRR and to BIRD in three seconds.
count_packets() {
    local frr bird
    frr=$(packets_come frr)
    bird=$(packets_come bird)
    sleep 3
    echo $(($(packets_come frr) - frr)) $(($(packets_come bird) - bird))
}

# slower FEW MANY: pairs; each of the first is less than half of the second's.
slower() {
    # shellcheck disable=SC2086
    set -- $1 $2
    (($1 > 0 && $2 > 0 && 2 * $1 < $3 && 2 * $2 < $4))
}

# Packets come further apart than what used to be the detection time.
peers_renegotiate() {
    local many few again
    watch_packets frr
    watch_packets bird
    many=$(count_packets)
    frr_peer 'transmit-interval 1200'
    frr_peer 'receive-interval 1200'
    bird_set '1200 ms'
    within "FRR and BIRD ask for 1200 ms instead of 300: BIRD has it" 2000 \
        bird_is Up 1.200 3.600
    sleep 1
    few=$(count_packets)
    check "after a while all say up" others_up
    check "left and right follow: $few packets in that time, not $many" \
        slower "$few" "$many"
    frr_peer 'transmit-interval 300'
    frr_peer 'receive-interval 300'
    bird_set '300 ms'
    within "FRR and BIRD ask for 300 ms again: BIRD has it" 2000 \
        bird_is Up 0.300 0.900
    sleep 1
    again=$(count_packets)
    check "left and right follow: $again packets in the same time" \
        slower "$few" "$again"
    check "left and right have not flapped" others_unflapped
}

others_unflapped() {
    path_is left '.flaps == 0' && path_is right '.flaps == 0'
}

frr_shuts_down() {
    frr_peer shutdown
    within "FRR's administrator takes it down: left follows" 300 \
        path_down left
    check "left says why: its neighbour told it" \
        path_is left '.reason == "neighbour-signalled-down"'
    frr_peer 'no shutdown'
    within "and up again: both say so" 2000 frr_up
    check "left counts no flap for it" path_is left '.flaps == 0'
}

admin() {
    net_ctl left pathway wan0-frr "$1"
    net_ctl right pathway wan0-bird "$1"
}

others_told() {
    frr_is '.status == "down"
        and ."remote-diagnostic" == "administratively down"' && bird_is Down
}

routers_shut_down() {
    admin down
    within "left's and right's administrator takes them down: FRR and BIRD see" \
        300 others_told
    admin up
    within "and up again: all say so" 2000 others_up
}

# BIRD cannot say that its administrator wants it so.
bird_falls_silent() {
    bird_do disable bfd1 >/dev/null
    within "BIRD's administrator disables it: right notices" 900 \
        path_down right
    bird_do enable bfd1 >/dev/null
    within "and enables it: both say up" 2000 bird_up
}
