#!/bin/bash
# Where svrd's secrets are not: in what it and svrctl say, in its log, and in
# memory that a core file would have. SVRD, SVRCTL and SEARCH name the programs.
# Needs root; svrd has a network namespace of its own.
# shellcheck disable=SC2317 # functions are called by check
set -uo pipefail

# shellcheck source-path=SCRIPTDIR
. "${0%/*}/router_svrd.sh"
file=$folder/authority.yaml
keys=$folder/keys
listener=
trap '[[ -z $listener ]] || kill "$listener"; [[ -z $pid ]] || kill -9 "$pid"
    rm -rf "$folder"' EXIT

# Markers: a key in a file, and two identities.
mkdir "$keys"
openssl rand -hex 32 >"$keys/test.key"
chmod 600 "$keys/test.key"
identity_r1=$("$SVRCTL" --keys "$keys" keygen r1)
mv "$keys/r1.identity" "$keys/other.identity"
identity_r2=$("$SVRCTL" --keys "$keys" keygen r2)
identity_r1=$("$SVRCTL" --keys "$keys" keygen r1)
secrets=("$keys/test.key" "$keys/r1.identity" "$keys/other.identity")

# authority MTU: r1 has a pathway of each kind.
authority() {
    cat <<END
authority: test
routers:
  r1:
    $identity_r1
    interfaces:
      wan0: { kind: tap, device: svrt-tap, mtu: $1,
              address: [10.9.0.1/24, 10.9.0.2/24] }
    pathways:
      static: { interface: wan0, peer: r2, remote: 10.9.0.9, local: 10.9.0.1,
                security: static }
      exchanged: { interface: wan0, peer: r2, remote: 10.9.0.9,
                   local: 10.9.0.2, security: exchanged }
  r2:
    $identity_r2
    interfaces:
      wan0: { kind: tap, device: none, address: 10.9.0.9/24 }
    pathways:
      static: { interface: wan0, peer: r1, remote: 10.9.0.1, security: static }
      exchanged: { interface: wan0, peer: r1, remote: 10.9.0.2,
                   security: exchanged }
security-policies:
  static: { key: test.key, cipher: chacha20-poly1305 }
  exchanged: { key: exchanged, cipher: chacha20-poly1305 }
limits: { sessions: 1000 }
END
}

start() {
    # shellcheck disable=SC2016
    unshare --net bash -c '
        ip tuntap add dev svrt-tap mode tap vnet_hdr user "$1"
        ip link set svrt-tap up
        exec "${@:2}"' - "$user" "$SVRD" --router r1 --keys "$keys" \
        --state "$folder/state" --socket "$socket" --log debug "$file" \
        >"$folder/log" 2>&1 &
    pid=$!
    answers
}

# Everything that can be asked; what is answered is kept.
ask_all() {
    local command
    for command in status sessions paths keys counters "diff $folder/new.yaml" \
        "reload $folder/new.yaml" reload "pathway static down" rekey "rekey r2"; do
        # shellcheck disable=SC2086
        ctl $command
        # shellcheck disable=SC2086
        ctl --json $command
    done
    ctl --prometheus counters
    "$SVRCTL" --keys "$keys" keygen r1
    "$SVRCTL" --keys "$keys" --public keygen r1
    "$SVRCTL" --keys "$keys" --json --public keygen r1
}

# is_said SECRET FILE: as bytes, or as digits of either case.
is_said() {
    # shellcheck disable=SC2016
    perl -e 'local $/; open(F, "<", $ARGV[0]) or die; $said = <F>;
        open(F, "<", $ARGV[1]) or die; ($secret) = <F> =~ /(\w+)/;
        exit(index(lc($said), lc($secret)) < 0 &&
            index($said, pack("H*", $secret)) < 0)' "$2" "$1"
}
is_silent() {
    local secret
    for secret in "${secrets[@]}"; do
        ! is_said "$secret" "$1" || return 1
    done
}
is_found() {
    cp "$folder/said" "$folder/planted"
    "$@" >>"$folder/planted"
    is_said "${secrets[0]}" "$folder/planted"
}
plant_digits() { tr a-f A-F <"${secrets[0]}"; }
plant_bytes() { perl -ne 'print pack("H*", /(\w+)/)' "${secrets[0]}"; }

# memory SECRET: "open N guarded M"
memory() { "$SEARCH" "$pid" "$1"; }
is_guarded() {
    memory "$1"
    [[ $(memory "$1") =~ ^open\ 0\ guarded\ [1-9] ]]
}
is_nowhere() { [[ $(memory "$1") == "open 0 guarded 0" ]]; }
# A copy of the secret in ordinary memory of another process is found there.
finds_open() {
    local status=0 pid
    bash -c 'copy=$(tr a-f A-F <"$1"); : "$copy"; read -r' - "${secrets[0]}" \
        < <(sleep 60) &
    pid=$!
    sleep 0.2
    [[ $(memory "${secrets[0]}") =~ ^open\ [1-9] ]] || status=1
    kill "$pid"
    wait "$pid"
    return "$status"
}
no_core() {
    grep -qE '^Max core file size +0 +0' "/proc/$pid/limits" &&
        [[ $(stat -c %U "/proc/$pid/mem") == root ]]
}

authority 1500 >"$file"
authority 1400 >"$folder/new.yaml"

check "it starts as $user" start
check "it leaves no core file, and its memory is root's" no_core
ctl events >"$folder/events" 2>&1 &
listener=$!
ask_all >"$folder/said" 2>&1
kill "$listener" && wait "$listener"
listener=
check "everything was asked" grep -q svr.status/1 "$folder/said"
check "what svrctl prints has no secret" is_silent "$folder/said"
check "the log has none" is_silent "$folder/log"
check "events have none" is_silent "$folder/events"
check "one would be found, as digits" is_found plant_digits
check "and as bytes" is_found plant_bytes
check "the key is in memory that is kept out of core files" \
    is_guarded "$keys/test.key"
check "and so is the identity" is_guarded "$keys/r1.identity"
check "what svrd has not read is not in its memory" \
    is_nowhere "$keys/other.identity"
check "elsewhere it would be found" finds_open
kill -TERM "$pid" && wait "$pid"
pid=
exit "$failed"
