# shellcheck shell=bash
# What a bad cable does to packets. To be sourced by tests/net/faults.
# shellcheck disable=SC2034,SC2154

row_add loss "1 % and 10 % of the packets are lost"
row_add heavy-loss "30 % and 50 % of the packets are lost"
row_add duplicate "every packet arrives twice"
row_add reorder "a quarter of all packets are overtaken"
row_add corrupt "1 % of all packets are damaged"
row_add delay "300 ± 100 ms on the way, then 2 s"
row_add mtu "the MTU falls, and nobody says so"

# all_wires SETTING...: of each link.
all_wires() {
    local link
    for link in "${links[@]}"; do
        wire "$link" "$@"
    done
}

# cable_load NAME SECONDS OPTION...: some sessions of each kind; what comes with
# them is one session each.
cable_load() {
    local name=$1 events=$NET_LOGS/$1-events.log before made
    before=$(counter dc sessions_created)
    net_spawn "$name-events" server "$NET_BUILD/router/svrctl" \
        --socket "$NET_STATE/dc.sock" events
    net_wait 5 grep -q '"listening"' "$events"
    load_start "$1" "$2" "${sessions[@]}" "${@:3}"
    load_end "$name"
    load_lives "$name" 100
    net_stop "$name-events" || true
    made=$(($(counter dc sessions_created) - before - $(sessions_again "$events")))
    check "$name: dc has made $made sessions: one each, one for the question" \
        test "$made" -eq $((sessions_total + 1))
}

# sessions_again EVENTS: how many were made that had been closed by both ends.
# Whose last packets are all lost until the far router has forgotten it, after
# 10 s (S9), comes to life there once more to end for its host as well.
sessions_again() {
    jq -s 'map(.data | select(.event == "session-started").session.uuid)
        | length - (unique | length)' "$1"
}

# So many lost packets in a row are no reason to give up a pathway.
patient_bfd='{ interval: 100ms, required: 100ms, multiplier: 20, hold-down: 0s }'

row_loss() { loss_row 1 10; }
row_heavy_loss() { loss_row 30 50; }

# loss_row PERCENT...
loss_row() {
    local percent
    bfd=$patient_bfd
    network_up
    routers_start
    for percent; do
        wire west "loss=$percent"
        cable_load "loss-$percent" 6 --rate=$((20000 / percent)) --hung=60 --interval=50
    done
    note "the cable has lost $(wire_count west lost) packets"
    wire west loss=0
    routers_end
}

wires_count() {
    local link sum=0
    for link in "${links[@]}"; do
        sum=$((sum + $(wire_count "$link" "$1")))
    done
    echo "$sum"
}

row_duplicate() {
    network_up
    routers_start
    wire west duplicate=100
    cable_load duplicate 8
    note "the cable has doubled $(wire_count west duplicated) packets"
    wire west duplicate=0
    routers_end
}

row_reorder() {
    network_up
    routers_start
    all_wires reorder=25
    cable_load reorder 8
    note "the cables have held back $(wires_count reordered) packets"
    all_wires reorder=0
    routers_end
}

row_corrupt() {
    local before
    sign=per-packet
    network_up
    routers_start
    before=$(dropped dc wrong-tag)
    all_wires corrupt=1
    cable_load signed 8
    check "the cables have damaged packets: $(wires_count corrupted)" \
        test "$(wires_count corrupted)" -gt 20
    check "dc has refused some by their tags: $(dropped dc wrong-tag)" \
        test "$(dropped dc wrong-tag)" -gt "$before"
    all_wires corrupt=0
    routers_end
    corrupt_control
}

# Without tags on all packets the same damage is seen by the same check.
corrupt_control() {
    [[ -z $cipher ]] || return 0 # a seal refuses them as well
    sign=metadata-only
    authority_write "$authority"
    routers_start
    all_wires corrupt=5
    load_start unsigned 8 --udp=40
    load_wait unsigned
    check "where packets are not signed, damaged bytes are delivered" \
        load_is unsigned '.udp.corrupt + .server.corrupt > 0'
    all_wires corrupt=0
    routers_end
}

row_delay() {
    bfd='{ interval: 1s, required: 1s, multiplier: 3, hold-down: 0s }'
    network_up
    routers_start
    wire west delay=300 jitter=100
    load_start delay 26 "${sessions[@]}"
    sleep 6
    wire west delay=2000 jitter=0
    sleep 10
    wire west delay=300 jitter=100
    load_end delay
    load_lives delay 100
    check "no pathway has gone down" no_flaps
    wire west delay=0 jitter=0
    routers_end
}

no_flaps() {
    local router
    for router in "${NET_ROUTERS[@]}"; do
        net_ctl "$router" paths
        net_ctl "$router" --json paths | jq -e 'all(.data[]; .flaps == 0)' ||
            return
    done
}

row_mtu() {
    network_up
    routers_start
    within "branch finds an MTU of 1500" 1500 \
        path_is branch west '.mtu == 1500'
    load_start mtu 20 --tcp=12 --rate=100000 --udp=16 --size=1400 --down=8 --up=8
    load_start_few mtu-chosen 20 7002 --rate=100000 --size=1400
    sleep 2
    wire west mtu=1300
    within "branch notices" 4000 path_is branch west '.mtu <= 1300'
    within "hub notices" 4000 path_is hub west '.mtu <= 1300'
    load_end mtu
    load_lives mtu 100
    load_end mtu-chosen
    load_lives mtu-chosen 100
    check "the cable has lost what was longer: $(wire_count west too_big)" \
        test "$(wire_count west too_big)" -gt 0
    check "no pathway has gone down" no_flaps
    load_start after-mtu 5 --tcp=12 --rate=100000 --udp=16 --size=1400
    load_end after-mtu
    load_lives after-mtu 100
    routers_end
}
