# shellcheck shell=bash
# Pathways fail, and sessions move (S17). To be sourced by tests/net/faults.
# shellcheck disable=SC2034,SC2154

row_add link-down "a link goes down: sessions with failover move, others wait"
row_add flap "a link goes down and up once a second"
row_add one-way "one direction of a link is lost"
row_add copies "packets travel by two links that both lose some"

# link_cut LINK, link_mend LINK
link_cut() { wire "$1" loss=100; }
link_mend() { wire "$1" loss=0; }

# load_stalls NAME LESS: no session stood still for so many milliseconds.
load_stalls() {
    check "$1: no session stands still for $2 ms" load_is "$1" \
        "[.tcp.stall_max, .udp.silence_max, .server.silence_max] | max < $2"
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
    local i times=10
    [[ -n $long ]] && times=60
    resiliency=revertible-failover
    bfd='{ interval: 100ms, required: 100ms, hold-down: 3s }'
    network_up
    routers_start
    load_start flap $((times + 6)) "${sessions[@]}"
    load_start_few flap-chosen $((times + 6)) 7002
    events_start
    for ((i = 0; i < times; i++)); do
        link_cut west
        sleep 0.5
        link_mend west
        sleep 0.5
    done
    load_end flap
    load_lives flap 100
    load_end flap-chosen
    load_lives flap-chosen 100
    flap_moves load "$sessions_total" "$times"
    flap_moves chosen "$few_total" "$times"
    routers_end
}

# flap_moves SERVICE SESSIONS SECONDS: once in a hold-down of 3 s at most.
flap_moves() {
    local moves
    moves=$(moves_of "$1")
    note "$moves moves of $2 sessions in $3 s"
    check "$1: no session has moved more than once in a hold-down of 3 s" \
        test "$moves" -le $(($2 * 2 * ($3 / 3 + 1)))
    check "$1: they have moved" test "$moves" -ge "$2"
}

# events_start: what branch tells of from now on; moves_of counts it.
events_start() {
    net_spawn events branch "$NET_BUILD/router/svrctl" \
        --socket "$NET_STATE/branch.sock" events
}

# moves_of SERVICE [CAUSE]
moves_of() {
    jq -s --arg service "$1" --arg cause "${2:-}" '[.[] | .data
        | select(.event == "session-moved" and .session.service == $service
            and ($cause == "" or .cause == $cause))] | length' \
        "$NET_LOGS/events.log"
}

row_one_way() {
    local load
    resiliency=failover
    network_up
    routers_start
    load_start one-way 12 "${sessions[@]}"
    load_start_few one-way-chosen 12 7002
    load_start_few one-way-back 12 7003
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
    for load in one-way one-way-chosen one-way-back; do
        load_end "$load"
        load_lives "$load" 100
        load_stalls "$load" 8000
    done
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
