#!/bin/bash
# Another configuration for a svrd that runs: what svrctl says, what is refused,
# interfaces that come and go, events, and the counters for Prometheus. SVRD and
# SVRCTL name the programs. Needs root; svrd has a network namespace of its own.
# shellcheck disable=SC2317 # functions are called by check
set -uo pipefail

# shellcheck source-path=SCRIPTDIR
. "${0%/*}/router_svrd.sh"
file=$folder/authority.yaml
listener=
trap '[[ -z $listener ]] || kill "$listener"; [[ -z $pid ]] || kill -9 "$pid"
    rm -rf "$folder"' EXIT

# authority TENANTS [INTERFACE...]: lan0 and these interfaces, a service for
# the first of the tenants.
authority() {
    cat <<END
authority: test
routers:
  r1:
    interfaces:
      lan0: { kind: tap, device: svrt-tap, address: 10.9.0.1/24, tenant: ${1%%,*} }
$(printf '      %s\n' "${@:2}")
tenants: [${1//,/, }]
services:
  web:
    prefixes: [10.9.1.0/24]
    access: [{ allow: ${1%%,*} }]
    routes: [{ router: r1, interface: lan0 }]
END
}

# start ARGUMENT...: svrd in the background, until it answers.
start() {
    # shellcheck disable=SC2016
    unshare --net bash -c '
        for i in tap spare; do
            ip tuntap add dev "svrt-$i" mode tap vnet_hdr user "$1"
            ip link set "svrt-$i" up
        done
        exec "${@:2}"' - "$user" "$SVRD" --router r1 --state "$folder/state" \
        --socket "$socket" "$@" "$file" >"$folder/log" 2>&1 &
    pid=$!
    answers
}

stop() {
    kill -TERM "$pid" && wait "$pid"
    local status=$?
    pid=
    return "$status"
}

# says TEXT ARGUMENT...
says() {
    ctl "${@:2}" >"$folder/out" 2>&1 || return 1
    cat "$folder/out"
    grep -qF -- "$1" "$folder/out"
}
# refuses TEXT ARGUMENT...: with exit code 1
refuses() {
    local status=0
    ctl "${@:2}" >"$folder/out" 2>&1 || status=$?
    cat "$folder/out"
    [[ $status == 1 ]] && grep -qF -- "$1" "$folder/out"
}
# The key is gone: what runs goes on.
refuses_key() {
    mv "$secret/test.key" "$secret/away"
    local status=0
    refuses "test.key" reload || status=1
    mv "$secret/away" "$secret/test.key"
    return "$status"
}
logged() {
    for _ in {1..50}; do
        grep -qF -- "$1" "$folder/log" && return 0
        sleep 0.1
    done
    return 1
}
hash_of() { openssl dgst -sha256 -hmac '' "$1" | sed 's/.* //'; }
runs() { says "\"hash\": \"$(hash_of "$1")\"" --json status; }
query() { ctl --json "${@:2}" | jq -e "$1"; }

authority staff >"$file"
authority staff,guest 'lan1: { kind: tap, device: svrt-spare, address: 10.8.0.1/24 }' \
    >"$folder/more.yaml"
sed 's/prefixes:/prefix:/' "$file" >"$folder/bad.yaml"
authority other >"$folder/other.yaml"

# ---- what would change ----

check "it starts" start --user root
check "status has the file" says "$file" status
check "and its hash" runs "$file"
check "diff of the same" says "no part differs" diff "$file"
check "diff of another" says "added   interface  lan1" diff "$folder/more.yaml"
check "diff, JSON" query '.schema == "svr.diff/1" and
    (.data.changes | map(.change + " " + .part + " " + .name) | sort) ==
        ["added interface lan1", "added tenant guest"]' diff "$folder/more.yaml"
check "what differs is named" query '.data.changes == [
    {part: "interface", name: "lan0", change: "changed", what: ["tenant"]},
    {part: "tenant", name: "staff", change: "removed"},
    {part: "tenant", name: "other", change: "added"},
    {part: "service", name: "web", change: "changed", what: ["access"]}]' \
    diff "$folder/other.yaml"
check "diff changes nothing" runs "$file"
check "a wrong file" refuses "$folder/bad.yaml:" diff "$folder/bad.yaml"
check "a file that is not there" refuses "No such file" diff "$folder/none.yaml"

# ---- events ----

ctl events >"$folder/events" 2>/dev/null &
listener=$!
heard() {
    for _ in {1..50}; do
        jq -es "any(.[]; $1)" "$folder/events" && return 0
        sleep 0.1
    done
    return 1
}
check "a listener is told so" heard '.schema == "svr.events/1" and
    .data.event == "listening"'

# ---- another configuration ----

check "a wrong file is refused" refuses \
    'found the key "prefix"' reload "$folder/bad.yaml"
check "which the log has" logged "the configuration in $folder/bad.yaml is refused"
check "what runs goes on" runs "$file"
check "an interface comes" says "$folder/more.yaml" reload "$folder/more.yaml"
check "and runs" runs "$folder/more.yaml"
check "status has it" says "lan1       tap   svrt-spare" status
check "the counters, too" query '.data.ports | has("lan1")' counters
check "events tell of it" heard '.data.event == "configuration" and
    (.data.changes | length) == 2'
check "reload alone reads that file again" says "no part differs" reload
check "an interface goes" says "removed  interface  lan1" reload "$file"
check "status has it no more" query '.data.interfaces | map(.name) == ["lan0"]' status
check "and comes again" ctl reload "$folder/more.yaml"
check "and goes" ctl reload "$file"

sed 's/svrt-tap/svrt-spare/' "$file" >"$folder/device.yaml"
check "a device cannot change" refuses \
    "interface lan0: it keeps its kind, device and mac" reload "$folder/device.yaml"
sed 's/lan0/lan7/' "$file" >"$folder/name.yaml"
check "nor go to another interface" refuses \
    "svrt-tap belongs to interface lan0" reload "$folder/name.yaml"
sed 's/svrt-spare/svrt-none/' "$folder/more.yaml" >"$folder/none.yaml"
check "a device that is missing" refuses \
    "ip tuntap add dev svrt-none mode tap vnet_hdr" reload "$folder/none.yaml"
{
    cat "$file"
    echo "limits: { sessions: 77 }"
} >"$folder/limit.yaml"
check "the table keeps its size" refuses "found sessions: 77" reload "$folder/limit.yaml"
check "after all that the first runs" runs "$file"

# ---- SIGHUP ----

authority staff,more >"$file"
kill -HUP "$pid"
check "SIGHUP" logged "configuration $file ($(hash_of "$file" | cut -c 1-8)) runs, changes: 1"
check "and it runs" runs "$file"
cp "$folder/bad.yaml" "$file"
kill -HUP "$pid"
check "SIGHUP with a wrong file" logged "the configuration in $file is refused"
check "svrd is alive" ctl status
authority staff >"$file"
check "and takes a right one" ctl reload

# Ten at once: one after the other, or refused in so many words.
many() {
    local i
    local -a all=()
    for i in {1..10}; do
        ctl reload "$folder/more.yaml" >"$folder/many.$i" 2>&1 &
        all+=($!)
    done
    wait "${all[@]}"
    for i in {1..10}; do
        grep -qE 'runs$|being read' "$folder/many.$i" || return 1
    done
    runs "$folder/more.yaml"
}
check "many at once" many

# ---- Prometheus ----

check "counters for Prometheus" says 'svr_packets_dropped_total{reason="wrong-tag"} 0' \
    counters --prometheus
check "of each interface" says 'svr_port_received_frames_total{interface="lan1"}' \
    counters --prometheus

usage() {
    local status=0
    "$SVRCTL" "$@" >"$folder/out" 2>&1 || status=$?
    [[ $status == 2 ]]
}
check "--prometheus is for counters" usage --prometheus status
check "diff wants a file" usage diff
check "reload wants one file" usage reload a b

# ---- without privileges ----

check "it stops" stop
ends_with() {
    local status=0
    wait "$listener" || status=$?
    listener=
    [[ $status == "$1" ]]
}
check "and with it who listens" ends_with 1
check "it starts as $user" start
check "it reads another file" ctl reload "$folder/other.yaml"
check "and the first" ctl reload "$file"
if ! setpriv --reuid="$user" --clear-groups test -w /dev/net/tun; then
    check "it opens no device" refuses "start it again" reload "$folder/more.yaml"
fi
check "it stops" stop

# ---- files that only root may read ----

secret=$folder/secret
mkdir -m 700 "$secret"
umask 077
openssl rand -hex 32 >"$secret/test.key"
sed 's/^    interfaces:/    pathways:\
      wan: { interface: lan0, peer: r2, remote: 10.9.0.2, security: test }\
&/' "$folder/authority.yaml" >"$secret/authority.yaml"
cat >>"$secret/authority.yaml" <<END
security-policies: { test: { key: test.key } }
END
sed -i '/^tenants:/i\  r2:\
    pathways:\
      wan: { interface: lan0, peer: r1, remote: 10.9.0.1, security: test }\
    interfaces:\
      lan0: { kind: tap, device: svrt-tap, address: 10.9.0.2/24 }' \
    "$secret/authority.yaml"
sed 's/tenants: .staff/&, more/' "$secret/authority.yaml" >"$secret/more.yaml"
cp "$secret/authority.yaml" "$folder/outside.yaml"
ln -s ../outside.yaml "$secret/link.yaml"
ln -s more.yaml "$secret/other.yaml"
umask 022
file=$secret/authority.yaml
helper() { pgrep -P "$pid" -x svrd-opener; }
helper_has() { grep -q "$1" "/proc/$(helper)/status"; }
helper_gone() {
    for _ in {1..50}; do
        [[ -e /proc/$opener ]] || return 0
        sleep 0.1
    done
    return 1
}

check "it starts as $user with files of root" start
check "beside it there is root" helper_has "^Uid:[[:space:]]*0[[:space:]]"
for set in CapInh CapPrm CapEff CapAmb; do
    check "without capabilities in $set" helper_has "^$set:.0000000000000000$"
done
check "it reads its file again" ctl reload
check "and another one" ctl reload "$secret/more.yaml"
check "which is told by its hash" runs "$secret/more.yaml"
check "and a link beside it" ctl reload "$secret/other.yaml"
check "which keeps its name" says "$secret/other.yaml" status
check "but no link to elsewhere" refuses "cannot be read" reload "$secret/link.yaml"
check "nor a file elsewhere" refuses "Permission denied" reload "$folder/outside.yaml"
check "a key is read, too" refuses_key
openssl rand -hex 32 >"$secret/test.key"
check "and a new one" says "changed  security policy  test" reload
opener=$(helper)
kill -9 "$pid"
wait "$pid" 2>/dev/null
pid=
check "it ends with svrd" helper_gone
check "it starts again" start
opener=$(helper)
check "it stops" stop
check "and with it the other" helper_gone

# ---- identities ----

# identity_for ROUTER: a new one, in place of the one that is there.
identity_for() {
    rm -f "$secret/$1.identity"
    "$SVRCTL" --keys "$secret" keygen "$1"
}
# exchanging IDENTITY-R1 IDENTITY-R2: the file, with these.
exchanging() {
    sed -e "s/^  r1:/&\n    $1/" -e "s/^  r2:/&\n    $2/" \
        -e 's/key: test.key/key: exchanged/' "$secret/static.yaml"
}

cp "$file" "$secret/static.yaml"
r1=$(identity_for r1) r2=$(identity_for r2)
check "it starts with a key" start
check "there are no keys to be exchanged" query '.data == []' keys
exchanging "$r1" "$r2" >"$file"
check "diff says what becomes of it" query '(.data.changes |
    map(.part + " " + .name + " " + (.what | join(" "))) | sort) ==
        ["router r1 identity", "router r2 identity", "security policy test key"]' \
    diff "$file"
check "it takes it" ctl reload
check "and says who it is" query ".data | .identity == \"${r1#identity: }\" and
    .securities[0].key == \"exchanged\"" --json status
check "it has no keys yet" query '.data |
    map([.peer, .state, .generation, .age_s]) == [["r2", "keying", 0, null]]' keys
check "it asks for some" ctl rekey
check "of one peer, too" ctl rekey r2
check "but of no other" refuses "no keys are exchanged with a peer" rekey r3
exchanging "$r1" "$(identity_for r2)" >"$file"
check "a peer may be another" says "changed  router  r2    identity" reload
exchanging "$r1" "$r2" >"$file"
identity_for r1 >"$folder/changed"
check "a private half that does not fit" refuses "expected that of ${r1#*: }" reload
exchanging "$(<"$folder/changed")" "$r2" >"$file"
check "nor may the router itself be another" refuses "until svrd is started again" \
    reload
check "diff says so, too" refuses "until svrd is started again" diff "$file"
check "it goes on as it was" query ".data.identity == \"${r1#identity: }\"" \
    --json status
cp "$secret/static.yaml" "$file"
check "it takes a file without" ctl reload
check "and then there are no keys" query '.data == []' keys
check "it stops" stop
exit "$failed"
