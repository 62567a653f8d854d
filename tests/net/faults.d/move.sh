# shellcheck shell=bash
# Pathways fail, and sessions move (S17). To be sourced by tests/net/faults.
# shellcheck disable=SC2034,SC2154

row_add link-down "a link goes down: sessions with failover move, others wait"
row_add flap "a link goes down and up once a second"
row_add one-way "one direction of a link is lost"
row_add limits "a link is beyond the limits of a policy: sessions leave it"
[[ -z $long ]] || row_add failover "a link is cut once: how long sessions wait"
row_add copies "packets travel by two links that both lose some"

# link_cut LINK, link_mend LINK
link_cut() { wire "$1" loss=100; }
link_mend() { wire "$1" loss=0; }

# load_stalls NAME LESS: no session stood still for so many milliseconds.
load_stalls() {
    check "$1: no session stands still for $2 ms" load_is "$1" \
        "[.tcp.stall_max, .udp.silence_max, .server.silence_max] | max < $2"
}

# sessions_on ROUTER PATHWAY: how many of the service "load".
sessions_on() {
    net_ctl "$1" --json sessions | jq "[.data[] | select(.service == \"load\")
        | select(.pathways | index(\"$2\"))] | length"
}

row_link_down() {
    resiliency=failover
    network_up
    routers_start
    load_port=7001
    load_start still 14 --tcp=6 --udp=4 --down=2 --up=2 --hung=20
    load_port=7000
    load_start moved 14 "${sessions[@]}"
    sleep 1
    link_cut west
    sleep 6
    link_mend west
    within "all pathways are up again" 1000 all_up
    # Both at once: there is nowhere to go.
    link_cut west
    link_cut side
    sleep 1
    link_mend side
    sleep 1
    link_mend west
    load_end moved
    load_lives moved 100
    load_stalls moved 4000
    load_end still
    load_lives still 100
    check "still: its sessions waited for the link" load_is still \
        '[.tcp.stall_max, .udp.silence_max] | max > 5500'
    within "all pathways are up again" 1000 all_up
    routers_end
}

row_flap() {
    local i times=10 moves
    [[ -n $long ]] && times=60
    resiliency=revertible-failover
    bfd='{ interval: 100ms, required: 100ms, hold-down: 3s }'
    network_up
    routers_start
    load_start flap $((times + 6)) "${sessions[@]}"
    net_spawn events branch "$NET_BUILD/router/svrctl" \
        --socket "$NET_STATE/branch.sock" events
    for ((i = 0; i < times; i++)); do
        link_cut west
        sleep 0.5
        link_mend west
        sleep 0.5
    done
    load_end flap
    load_lives flap 100
    moves=$(grep -c session-moved "$NET_LOGS/events.log" || true)
    note "$moves moves of $sessions_total sessions in $times s"
    check "no session has moved more than once in a hold-down of 3 s" \
        test "$moves" -le $((sessions_total * 2 * (times / 3 + 1)))
    check "they have moved" test "$moves" -ge "$sessions_total"
    routers_end
}

row_one_way() {
    resiliency=failover
    network_up
    routers_start
    load_start one-way 12 "${sessions[@]}"
    wire west near:loss=100
    # Down until hub says so once more, then Init (RFC 5880, 6.8.6).
    within "branch sees that nothing of its own arrives" 600 path_is branch \
        west '.state != "Up" and .reason == "neighbour-signalled-down"'
    within "hub hears nothing" 600 path_is hub west '.state == "Down"'
    sleep 2
    wire west near:loss=0
    within "all pathways are up again" 1000 all_up
    wire side far:loss=100
    sleep 2
    wire side far:loss=0
    load_end one-way
    load_lives one-way 100
    load_stalls one-way 8000
    routers_end
}

# moves_for CAUSE: how many branch has told of.
moves_for() {
    jq -s "[.[] | .data | select(.event == \"session-moved\"
        and .cause == \"$1\")] | length" "$NET_LOGS/events.log"
}

moves_are() {
    (($(moves_for "$1") >= $2))
}

# What a policy can be told by is known some ten seconds after the pathways have
# come up. Until then sessions take the vector of the best priority.
row_limits() {
    local seconds=18
    [[ -n $long ]] && seconds=90
    resiliency=failover
    policy=', vectors: [{ name: west, priority: 1 }, { name: side, priority: 2 },'
    policy+=' { name: east, priority: 0 }], max-latency: 100ms, max-loss: 2%'
    bfd=$patient_bfd
    network_up
    wire west delay=150
    routers_start
    net_spawn events branch "$NET_BUILD/router/svrctl" \
        --socket "$NET_STATE/branch.sock" events
    load_start limits "$seconds" "${sessions[@]}"
    within "west is measured, and the sessions have left it" 10000 \
        moves_are path-limits "$sessions_total"
    net_ctl branch explain staff "$server4" 7000 tcp | show
    check "a new session takes the other link" explains side
    check "and why is told" explains_reason west latency
    if [[ -n $long ]]; then
        wire west delay=0
        sleep 60
        wire side loss=20
        within "side loses too much, and they leave that one" 30000 \
            moves_are path-limits $((2 * sessions_total))
        wire side loss=0
    fi
    load_end limits
    load_lives limits 100
    check "nobody has moved for another reason" moves_only path-limits
    routers_end
}

# explains PATHWAY: it would be the choice.
explains() {
    net_ctl branch --json explain staff "$server4" 7000 tcp |
        jq -e ".data | .ways[.choice].pathway == \"$1\""
}

# explains_reason PATHWAY REASON
explains_reason() {
    net_ctl branch --json explain staff "$server4" 7000 tcp |
        jq -e ".data.ways[] | select(.pathway == \"$1\") | .reason == \"$2\""
}

moves_only() {
    jq -s -e "[.[] | .data | select(.event == \"session-moved\")
        | .cause == \"$1\"] | all" "$NET_LOGS/events.log"
}

# For the figure alone, on a machine that has nothing else to do.
row_failover() {
    resiliency=failover
    policy=', best-path: latency'
    network_up
    routers_start
    load_start failover 8 --tcp=1000 --udp=1000 --rate=4096 --interval=500
    link_cut west
    load_end failover
    load_lives failover 100
    routers_end
}

row_copies() {
    resiliency=packet-duplication
    bfd=$patient_bfd
    network_up
    routers_start
    load_start whole 8 "${sessions[@]}"
    # For less than the detection time, so that both pathways stay up.
    link_cut west
    sleep 1
    link_mend west
    sleep 1
    link_cut side
    sleep 1
    link_mend side
    load_end whole
    load_lives whole 100
    check "whichever link is cut, $(load_lost whole) are lost; none comes twice" \
        load_is whole '.udp.duplicated == 0 and .server.duplicated == 0 and
            .udp.expected - .udp.received < .udp.expected / 20'
    wire west loss=30
    wire side loss=30
    load_start both 6 --udp=40
    load_port=7001
    load_start single 6 --udp=40
    load_end both
    load_end single
    note "30 % of the packets of either link are lost"
    check "copies of packets get through, single packets do not" test \
        $((3 * $(load_lost both))) -lt $((2 * $(load_lost single)))
    routers_end
}

load_lost() {
    jq '.udp | .expected - .received' "$run/$1.json"
}
