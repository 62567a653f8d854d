# shellcheck shell=bash
# What the machine does to a router. To be sourced by tests/net/faults.
# shellcheck disable=SC2034,SC2154

row_add stop "each router stands still for ten seconds"
row_add clock "the wall clock of a router jumps by an hour, and back"
row_add disk "the disk with the boot counter is full, or read-only"
row_add descriptors "a router has no descriptor left"

# Retransmissions are a second apart, so a session may have no byte acknowledged
# between two routers' stops: it hangs if it has made none of them good.
row_stop() {
    local router before
    network_up
    routers_start
    load_start stop 40 "${sessions[@]}" --hung=45
    for router in "${NET_ROUTERS[@]}"; do
        before=$(counter "$router" bfd_sent)
        net_signal "$router" STOP
        sleep 10
        net_signal "$router" CONT
        no_burst "$router" "$before"
        within "$router goes on: all pathways are up again" 1000 all_up
    done
    load_end stop
    load_lives stop 99
    routers_end
}

# no_burst ROUTER BEFORE: what was not sent meanwhile is not sent now, a hundred BFD
# packets for each pathway. Some thirty a second are usual, with the link test's.
no_burst() {
    local start count most
    start=$(clock)
    sleep 0.5
    count=$(($(counter "$1" bfd_sent) - $2))
    most=$((60 * $(net_ctl "$1" --json paths | jq '.data | length') *
        ($(clock) - start + 500) / 1000))
    check "$1 sends no burst: $count BFD packets, at most $most" \
        test "$count" -le "$most"
}

# ---- the clock ----

# clock_jumps SECONDS: the wall clock of router hub, away from the true time. Its
# monotonic clock goes on.
clock_jumps() {
    echo "$1" >"$NET_STATE/clock"
    sleep 2
}

# clock_load FIRST BY...: hub starts with the first of them.
clock_load() {
    local by
    clock_jumps "$1"
    NET_UNDER=(env "LD_PRELOAD=$(faketime_library)"
        "FAKETIME_TIMESTAMP_FILE=$NET_STATE/clock" FAKETIME_NO_CACHE=1
        DONT_FAKE_MONOTONIC=1)
    net_router_start hub "$authority"
    NET_UNDER=()
    net_router_start branch "$authority"
    net_router_start dc "$authority"
    within "all pathways come up" 1000 all_up
    load_start clock $((2 * $# + 1)) "${sessions[@]}"
    for by in "${@:2}"; do
        clock_jumps "$by"
    done
    load_end clock
    load_lives clock 100
    check "no pathway has gone down" no_flaps
    check "no tag was wrong" no_wrong_tags
    routers_end
}

no_wrong_tags() {
    local router
    for router in "${NET_ROUTERS[@]}"; do
        test "$(dropped "$router" wrong-tag)" -eq 0 || return 1
    done
}

# Routers learn the clock by which a peer signs, whatever its wall clock says.
row_clock() {
    network_up
    clock_load +0 +3600 -3600 +0
    clock_load -86400 +0
}

faketime_library() {
    dpkg -L libfaketime | grep '/libfaketime\.so\.1$'
}

# ---- the disk ----

# cpu_of ROUTER: what it has used, in milliseconds.
cpu_of() {
    local stat
    stat=$(<"/proc/$(net_pid "$1")/stat")
    # shellcheck disable=SC2086
    set -- ${stat##*)}
    echo $(((${12} + ${13}) * 1000 / $(getconf CLK_TCK)))
}

disk_up() {
    mkdir -p "$run/disk"
    mount -t tmpfs -o size=32k disk "$run/disk"
    ln -s "$run/disk" "$NET_STATE/hub.state"
}

disk_down() {
    ! mountpoint -q "$run/disk" || umount "$run/disk"
}

disk_fill() {
    head -c 1M /dev/zero >"$run/disk/filler" || true
} 2>/dev/null

disk_is() {
    mount -o "remount,$1" "$run/disk"
}

# hub_refuses TEXT: it ends at once, and says why.
hub_refuses() {
    local before
    before=$(<"$run/disk/hub.boot")
    net_spawn hub hub "$NET_BUILD/router/svrd" --router hub --keys "$NET_KEYS" \
        --socket "$NET_STATE/hub.sock" --state "$NET_STATE/hub.state" \
        "$authority"
    check "svrd does not start" net_wait 5 net_gone hub
    check "it says why: $1" grep "$1" "$NET_LOGS/hub.log"
    check "the boot counter is as it was" \
        test "$(<"$run/disk/hub.boot")" == "$before"
}

row_disk() {
    local before
    network_up
    disk_up
    routers_start
    load_start disk 5 "${sessions[@]}"
    disk_fill
    disk_is ro
    load_end disk
    load_lives disk 100
    check "svrd of hub ends cleanly on SIGTERM" net_router_stop hub
    hub_refuses "Read-only file system"
    disk_is rw
    hub_refuses "No space left on device"
    rm "$run/disk/filler"
    before=$(<"$run/disk/hub.boot")
    net_router_start hub "$authority"
    check "with room it starts, and has counted" \
        test "$(<"$run/disk/hub.boot")" -gt "$before"
    within "all pathways are up again" 1000 all_up
    routers_end
    disk_down
}

# ---- descriptors ----

row_descriptors() {
    local before last
    network_up
    net_router_start hub "$authority"
    last=$(hub_last_descriptor)
    net_router_stop hub
    NET_UNDER=(prlimit "--nofile=$((last + 3))")
    net_router_start hub "$authority"
    NET_UNDER=()
    net_router_start branch "$authority"
    net_router_start dc "$authority"
    within "all pathways come up" 1000 all_up
    load_start descriptors 8 "${sessions[@]}"
    before=$(cpu_of hub)
    callers_start
    refuse "hub has no descriptor left to answer svrctl with" hub_answers
    note "hub has used $(($(cpu_of hub) - before)) ms of a core meanwhile"
    check "it does not spin" test $(($(cpu_of hub) - before)) -lt 1500
    net_stop callers || true
    load_end descriptors
    load_lives descriptors 100
    within "svrctl gets an answer when there are some again" 500 hub_answers
    routers_end
}

hub_last_descriptor() {
    find "/proc/$(net_pid hub)/fd" -type l -printf '%f\n' | sort -n | tail -n 1
}

hub_answers() {
    timeout 2 "$NET_BUILD/router/svrctl" --socket "$NET_STATE/hub.sock" status
}

# Thirty who call svrd and say nothing.
callers_start() {
    # shellcheck disable=SC2016
    net_spawn callers hub perl -MIO::Socket::UNIX -e \
        '$| = 1; @s = map { IO::Socket::UNIX->new(Peer => $ARGV[0]) } 1 .. 30;
        print "connected\n"; sleep 30' "$NET_STATE/hub.sock"
    net_wait 5 grep -q connected "$NET_LOGS/callers.log"
}
