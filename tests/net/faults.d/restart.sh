# shellcheck shell=bash
# A router is killed, and started again (S8.3 to S8.5). To be sourced by
# tests/net/faults.
# shellcheck disable=SC2154

row_add restart-branch "the ingress is killed under load, and started again"
row_add restart-hub "the transit router is killed, and started again"
row_add restart-dc "the egress is killed, and started again"

row_restart_branch() { restart branch; }
row_restart_hub() { restart hub; }
row_restart_dc() { restart dc; }

restart() {
    network_up
    routers_start
    restart_after "$1" 0
    restart_after "$1" 1
    restart_after "$1" 10
    routers_end
}

# restart_after ROUTER SECONDS: 99 in 100 live where it takes a second at most.
# Where it takes longer hosts may have given up, but none hangs.
restart_after() {
    local router=$1 pause=$2 name=killed-for-$2-s
    load_start "$name" $((pause + 8)) "${sessions[@]}" --hung=$((pause + 10))
    sleep 1
    net_kill "$router"
    sleep "$pause"
    net_router_start "$router" "$authority"
    load_end "$name"
    ((pause > 1)) || load_lives "$name" 99
    within "all pathways are up again" 1000 all_up
}
