# shellcheck shell=bash
# Links under a policy that chooses the ways of sessions (S16.2): they leave those
# that are beyond its limits, or gone (S17). To be sourced by tests/net/faults.
# shellcheck disable=SC2034,SC2154

row_add limits "a link is beyond the limits of a policy: sessions take the other"
row_add partition "all links of a router are cut, and mended one by one"
if [[ -n $long ]]; then
    row_add degrade "a link gets worse under the limits of a policy: sessions leave"
    row_add failover "a link is cut once: how long sessions wait"
fi

# all_on ROUTER SERVICE PATHWAY: its sessions, and there are some.
all_on() {
    net_ctl "$1" --json sessions |
        jq -e --arg service "$2" --arg pathway "$3" '[.data[]
            | select(.service == $service) | [.waypoints[].pathway]]
            | (map(join(" ")) | group_by(.) | map([length, .[0]])),
              (length > 0 and all(.[]; index($pathway)))' |
        tee /dev/stderr | tail -n 1 | grep -qx true
}

# explains PATHWAY EXPRESSION: what branch says of a way that a session could take.
explains() {
    net_ctl branch --json explain staff "$server4" 7002 tcp |
        jq -e --arg pathway "$1" ".data.ways[]
            | select(.pathway == \$pathway) | $2"
}

# chooses ROUTER TENANT ADDRESS PORT PATHWAY: a new session would go by it.
chooses() {
    net_ctl "$1" --json explain "$2" "$3" "$4" tcp |
        jq -e --arg pathway "$5" '.data | .ways[.choice].pathway == $pathway'
}

row_limits() {
    local load
    chosen+=', max-latency: 100ms, max-jitter: 1s, max-loss: 20%'
    bfd=$patient_bfd
    network_up
    wire west delay=150
    routers_start
    within "west is measured, and too slow" 1000 \
        explains west '.reason == "latency"'
    within "side is measured" 1000 explains side '.rank == "good"'
    net_ctl branch explain staff "$server4" 7002 tcp | show
    check "a new session would take the other link" \
        chooses branch staff "$server4" 7002 side
    load_start_few limits 3 7002
    load_start_few back 3 7003
    load_start_few by-file 3 7000
    check "sessions under the policy go by side" all_on branch chosen side
    check "and those that come from dc" all_on hub back side
    check "others by west" all_on branch load west
    for load in limits back by-file; do
        load_end "$load"
        load_lives "$load" 100
    done
    routers_end
}

# longer LOAD OTHER: the sessions of one stood still for longer than the other's.
longer() {
    jq -s -e 'map(.udp.silence_max) | .[0] > .[1]' "$run/$1.json" "$run/$2.json"
}

row_partition() {
    local load seconds=10
    [[ -n $long ]] && seconds=20
    link_add skip branch dc
    network_up
    routers_start
    within "branch has heard of the way by hub" 1000 \
        chooses branch staff "$server4" 7002 west
    within "and dc" 1000 chooses dc servers "$staff4" 7003 east
    load_port=7002
    load_start partition "$seconds" "${sessions[@]}"
    load_start_few back "$seconds" 7003
    load_start_few still "$seconds" 7001 --hung=20
    check "sessions under the policy go by west" all_on branch chosen west
    check "and those that dc opens" all_on hub back west
    link_cut west
    link_cut side
    within "branch and hub are parted: sessions go by skip" 800 \
        all_on branch chosen skip
    within "and those that dc opens" 800 all_on dc back skip
    link_cut skip
    within "branch is cut off" 400 path_is branch skip '.state == "Down"'
    sleep 1
    link_mend side
    within "side is mended: sessions go by it" 1000 all_on branch chosen side
    within "and those that dc opens" 1000 all_on hub back side
    sleep 1
    link_mend west
    link_mend skip
    within "all pathways are up again" 1000 all_up
    within "sessions go by west again" 2000 all_on branch chosen west
    for load in partition back still; do
        load_end "$load"
        load_lives "$load" 100
    done
    load_stalls partition 6000
    load_stalls back 6000
    check "still: sessions without a policy waited longer, for their link" \
        longer still partition
    routers_end
}

# A cable of 2 s holds few sessions, and TCP over it stalls by itself.
row_degrade() {
    local load
    chosen+=', max-latency: 250ms, max-jitter: 1s, max-loss: 5%'
    bfd='{ interval: 1s, required: 1s, multiplier: 3, hold-down: 0s }'
    network_up
    routers_start
    events_start
    load_port=7002
    load_start degrade 170 --tcp=24 --udp=16 --down=8 --up=8 --hung=30
    load_start_few back 170 7003 --hung=30
    load_start_few by-file 170 7000 --hung=30
    sleep 15
    check "sessions go by west" all_on branch chosen west
    check "and those that dc opens" all_on hub back west
    wire west near:loss=20
    within "west loses 20 % of what branch sends: sessions leave it" 15000 \
        all_on branch chosen side
    within "and those that dc opens" 15000 all_on hub back side
    check "those without a policy stay" all_on branch load west
    wire west near:loss=0
    within "west is mended for a minute and a half: they come back" 95000 \
        all_on branch chosen west
    within "and those that dc opens" 95000 all_on hub back west
    wire west delay=2000
    within "west takes 2 s from now on: sessions leave it" 18000 \
        all_on branch chosen side
    within "and those that dc opens" 18000 all_on hub back side
    wire west delay=0
    for load in degrade back by-file; do
        load_end "$load"
        load_lives "$load" 100
    done
    check "two moves for limits, and one back" test \
        "$(moves_of chosen path-limits) $(moves_of chosen pathway-up)" = "112 56"
    check "no pathway has gone down" no_flaps
    routers_end
}

row_failover() {
    network_up
    routers_start
    within "branch has heard of the way by hub" 1000 \
        chooses branch staff "$server4" 7002 west
    load_port=7002
    load_start failover 8 --tcp=1000 --udp=1000 --rate=4096 --interval=500
    check "sessions go by west" all_on branch chosen west
    link_cut west
    load_end failover
    load_lives failover 100
    note "what is lost was sent within $(jq .udp.lost_span "$run/failover.json") ms;" \
        "detection and 100 ms are 400"
    note "the load itself was late by" \
        "$(jq -r '"\(.udp.late_median) ms, \(.udp.late_max) ms"' \
            "$run/failover.json") (median of sessions, most)"
    check "that is less than ten times as long" load_is failover \
        '.udp.lost_span < 4000'
    routers_end
}
