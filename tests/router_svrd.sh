# shellcheck shell=bash
# What tests of a running svrd have in common. To be sourced. SVRD and SVRCTL
# name the programs; $folder, $socket and $user, whom svrd becomes, are theirs,
# $pid is the svrd that runs, if any.
# shellcheck disable=SC2034

if [[ $(id -u) != 0 ]]; then
    echo "skip: needs root"
    exit 77
fi
folder=$(mktemp -d /tmp/svr-test-XXXXXX)
pid=
trap '[[ -z $pid ]] || kill -9 "$pid"; rm -rf "$folder"' EXIT
chmod 755 "$folder"
# Whom svrd becomes has to remove the socket.
user=nobody
! getent passwd svr >/dev/null || user=svr
mkdir "$folder/run"
chown "$user" "$folder/run"
socket=$folder/run/r1.sock
export LC_ALL=C
failed=0

# check TEXT COMMAND...
check() {
    local status=0
    "${@:2}" >"$folder/check" 2>&1 || status=$?
    if [[ $status == 0 ]]; then
        echo "ok   $1"
    else
        failed=1
        echo "FAIL $1"
        sed 's/^/     /' "$folder/check" "$folder/log"
    fi
}

ctl() { "$SVRCTL" --socket "$socket" "$@"; }

# Waits until svrd answers; fails if it ends instead.
answers() {
    for _ in {1..100}; do
        ctl status >/dev/null 2>&1 && return 0
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}
