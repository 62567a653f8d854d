# shellcheck shell=bash
# The sessions that must live: tests/net/load. To be sourced by tests/net/faults.
# shellcheck disable=SC2034,SC2154

load_next=1    # number of the next load's first session; one more asks in the end
load_port=7000 # of its server
declare -A load_hosts=([7003]=server) # whose client is not staff

# The usual load: TCP both ways, to the server, and from it; UDP that is answered,
# UDP that only the server sends, UDP that only the client sends.
if [[ -n $long ]]; then
    sessions=(--tcp=1000 --udp=600 --down=200 --up=200 --rate=4096 --interval=500)
    sessions_total=2000
else
    sessions=(--tcp=24 --udp=16 --down=8 --up=8)
    sessions_total=56
fi

# load_start NAME SECONDS OPTION...: so many sessions, until all of them run.
load_start() {
    local name=$1 count=0 option host=${load_hosts[$load_port]:-staff} to=$server4
    [[ $host == staff ]] || to=$staff4
    for option in "${@:3}"; do
        case $option in
        --tcp=* | --udp=* | --down=* | --up=*)
            count=$((count + ${option#*=}))
            ;;
        esac
    done
    net_spawn "$name" "$host" "$NET_BUILD/tests/load" --first "$load_next" \
        --seconds "$2" "${@:3}" "$to:$load_port"
    load_next=$((load_next + count + 1))
    check "$name: $count sessions run" net_wait 60 load_runs "$name"
}

few=(--tcp=6 --udp=4 --down=2 --up=2)
few_total=14

# load_start_few NAME SECONDS PORT [OPTION...]: some sessions beside those of a row.
load_start_few() {
    local load_port=$3
    load_start "$1" "$2" "${few[@]}" "${@:4}"
}

load_runs() {
    grep -qx running "$NET_LOGS/$1.log"
}

# load_wait NAME: waits for its end, and shows what became of the sessions.
load_wait() {
    net_wait 120 net_gone "$1" || net_fail "load $1 does not end" || true
    tail -n 1 "$NET_LOGS/$1.log" >"$run/$1.json"
    load_text "$1" | show
    grep '^hung' "$NET_LOGS/$1.log" | show || true
}

load_end() {
    load_wait "$1"
    load_is_whole "$1"
}

load_text() {
    jq -r '"TCP: \(.tcp.completed) of \(.tcp.sessions) complete, "
        + "\(.tcp.reset) reset, \(.tcp.hung) hung; "
        + "stalled for \(.tcp.stall_median) to \(.tcp.stall_max) ms",
        "UDP: \(.udp.alive) of \(.udp.sessions) go on; "
        + "\(.udp.expected - .udp.received) of \(.udp.expected) lost; "
        + "silent for \(.udp.silence_median) to \(.udp.silence_max) ms",
        "UDP to the server alone: "
        + "\(.server.up_alive) of \(.server.up) go on"' "$run/$1.json"
}

# load_is NAME EXPRESSION
load_is() {
    jq -c . "$run/$1.json"
    jq -e "$2" "$run/$1.json"
}

# What no fault may do.
load_is_whole() {
    check "$1: no byte wrong, no packet in a foreign session, none hangs" \
        load_is "$1" '.tcp.hung == 0 and .tcp.alive == 0 and .tcp.corrupt == 0
            and .udp.misdelivered == 0 and .udp.corrupt == 0
            and .server.misdelivered == 0 and .server.corrupt == 0'
}

# load_lives NAME PERCENT: so many of its sessions go on, or have completed.
load_lives() {
    check "$1: at least $2 % of the sessions live" load_is "$1" \
        "(.tcp.completed + .udp.alive + .server.up_alive)
        >= (.tcp.sessions + .udp.sessions + .server.up) * $2 / 100"
}
