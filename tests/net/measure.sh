# shellcheck shell=bash
# How long something takes. To be sourced behind topology.sh and
# examples/demo.d/report.sh by scripts that set $run.
# shellcheck disable=SC2154

# The time in milliseconds, from any beginning that is the same in one run.
clock() {
    local up
    read -r up _ </proc/uptime
    echo "${up/./}0"
}

# within TEXT EXPECTED COMMAND...: holds if the command succeeds within ten times
# the time, in milliseconds, that is expected; prints what it took.
within() {
    local text=$1 expected=$2 start status=1
    shift 2
    start=$(clock)
    until ((status == 0 || $(clock) - start > 10 * expected)); do
        if "$@" >"$run/check.out" 2>&1; then
            status=0
        else
            sleep 0.02
        fi
    done
    verdict "$status" "$text"
    note "after $(($(clock) - start)) ms, expected about $expected"
    ((status == 0)) || paths_show
}

# What to look at where something failed.
paths_show() {
    local router
    show <"$run/check.out"
    for router in "${NET_ROUTERS[@]}"; do
        net_gone "$router" ||
            net_ctl "$router" --json paths 2>&1 | jq -c '.data[]' 2>&1 | show
    done
}
