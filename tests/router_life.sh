#!/bin/bash
# The life of a svrd: start, what it gives up, its control socket, its boot
# counter, a clean stop, and what a crash leaves behind. SVRD and SVRCTL name
# the programs. Needs root; each svrd has a network namespace of its own.
# shellcheck disable=SC2317 # functions are called by check
set -uo pipefail

# shellcheck source-path=SCRIPTDIR
. "${0%/*}/router_svrd.sh"

cat >"$folder/authority.yaml" <<'END'
authority: test
routers:
  r1:
    interfaces:
      lan0: { kind: tap, device: svrt-tap, address: [10.9.0.1/24, "fd00:9::1/64"] }
END

# launch ARGUMENT...: svrd in the background.
launch() {
    # shellcheck disable=SC2016
    unshare --net --mount bash -c '
        mount -t tmpfs tmpfs /run
        ip tuntap add dev svrt-tap mode tap vnet_hdr
        ip link set svrt-tap up
        exec "$@"' - "$SVRD" --router r1 --state "$folder/state" "$@" \
        "$folder/authority.yaml" >"$folder/log" 2>&1 &
    pid=$!
}

# start ARGUMENT...: the same, and waits until it answers.
start() {
    launch --socket "$socket" "$@"
    answers
}

# ends CODE: waits for the svrd that launch has started.
ends() {
    local code=0
    wait "$pid" || code=$?
    pid=
    [[ $code == "$1" ]] || {
        echo "exit code $code, expected $1"
        return 1
    }
}

# stop SIGNAL CODE
stop() {
    kill "-$1" "$pid" && ends "$2"
}

says() { ctl "${@:2}" | grep -q -- "$1"; }
proc_has() { grep -q "$1" "/proc/$pid/$2"; }
no_socket() { [[ ! -e $socket ]]; }
runs_as() { proc_has "^Uid:[[:space:]]*$(id -u "$1")[[:space:]]" status; }
one_line_with() {
    [[ $(wc -l <"$folder/log") == 1 ]] && grep -qF -- "$1" "$folder/log"
}

# ---- start ----

check "it starts" start
check "it runs as $user" runs_as "$user"
for set in CapInh CapPrm CapEff CapAmb; do
    check "it has no capability in $set" proc_has "^$set:.0000000000000000$" status
done
check "it cannot get new privileges" proc_has "^NoNewPrivs:.1$" status
check "it leaves no core" proc_has "^Max core file size *0 *0 " limits
check "the socket is its own" [ "$(stat -c '%U %a' "$socket")" = "$user 600" ]

# ---- control ----

check "status" says "router     r1 of authority test" status
check "status names the interface" says "svrt-tap .*10.9.0.1/24, fd00:9::1/64" status
check "status, JSON" says '"schema": "svr.status/1"' --json status
check "sessions" says "^UUID" sessions
check "sessions, JSON" says '"schema": "svr.sessions/1", "data": \[' --json sessions
check "counters" says " received$" counters
check "counters, JSON" says '"no-neighbour": 0' --json counters
check "the first start" says "start 1$" status

first=$pid
launch --socket "$socket"
check "a second one is refused" ends 1
check "and says so in one line" one_line_with "already running"
pid=$first
check "which leaves the first alone" ctl status

# ---- stop, and what is left ----

check "SIGTERM ends it well" stop TERM 0
check "the socket is gone" no_socket
check "svrctl knows" bash -c "$SVRCTL --socket $socket status; [ \$? = 3 ]"
check "it starts again" start
check "the boot counter has gone on" says "start 2$" status
check "SIGINT ends it well" stop INT 0
check "it starts once more" start
check "it crashes" stop KILL 137
check "the socket was left" test -S "$socket"
check "it replaces a dead socket" start
check "it stops" stop TERM 0

# ---- choices ----

check "it stays root if told to" start --user root
check "and has its capabilities" proc_has "^CapEff:.*[1-9a-f]" status
check "it stops" stop TERM 0
check "the socket is gone" no_socket

# By default it makes /run/svr, in a folder /run of its own here.
inside() { nsenter --target "$pid" --mount "$@"; }
launch
found() {
    for _ in {1..100}; do
        inside "$SVRCTL" status >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    return 1
}
check "svrctl finds the only router" found
check "and by its name" inside "$SVRCTL" --router r1 status
check "the folder is its own" \
    [ "$(inside stat -c %U /run/svr /run/svr/r1.sock | uniq)" = "$user" ]
check "it stops" stop TERM 0

# ---- what is wrong ----

echo rubbish >"$folder/state/r1.boot"
launch --socket "$socket"
check "a broken boot counter ends it" ends 1
check "and it says so in one line" one_line_with "not a boot counter"
check "the socket is gone" no_socket
rm "$folder/state/r1.boot"
launch --socket "$socket" --state /proc/none
check "a folder that cannot be ends it" ends 1
check "and it says so in one line" one_line_with "/proc/none"
launch --socket "$folder/authority.yaml"
check "a file in place of the socket ends it" ends 1
check "and it says so in one line" one_line_with "not a socket"
check "the file is still there" grep -q authority "$folder/authority.yaml"

exit "$failed"
