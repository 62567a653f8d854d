#!/bin/bash
# svrd and svrctl as commands: options, exit codes, and what they say when
# something is missing. SVRD and SVRCTL name the programs. Uses a network
# namespace of its own where it runs as root; the rest needs no privileges.
# shellcheck disable=SC2317 # functions are called by expect
set -uo pipefail

folder=$(mktemp -d /tmp/svr-options-XXXXXX)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
export LC_ALL=C
failed=0

# run COMMAND...: leaves its output in out and err, and its exit code in code.
run() {
    code=0
    "$@" >"$folder/out" 2>"$folder/err" || code=$?
    out=$(<"$folder/out")
    err=$(<"$folder/err")
}

# expect TEXT CODE [CONDITION...]
expect() {
    local text=$1 wanted=$2
    shift 2
    if [[ $code == "$wanted" ]] && { [[ $# == 0 ]] || "$@"; }; then
        echo "ok   $text"
        return
    fi
    failed=1
    echo "FAIL $text: exit code $code, expected $wanted"
    sed 's/^/     out: /' "$folder/out"
    sed 's/^/     err: /' "$folder/err"
}

# Conditions of expect.
err_has() { [[ $err == *"$1"* ]]; }
out_has() { [[ $out == *"$1"* ]]; }
one_line_with() { [[ $(wc -l <"$folder/err") == 1 && $err == *"$1"* ]]; }
out_is() { [[ $out == "$1" && -z $err ]]; }

# authority KIND: a file with a router whose one interface is of that kind.
authority() {
    cat >"$folder/$1.yaml" <<END
authority: test
routers:
  r1:
    interfaces:
      lan0: { kind: $1, device: svrt-$1, address: [10.9.0.1/24] }
END
    chmod 644 "$folder/$1.yaml"
}
for kind in tap tun pcap; do
    authority $kind
done
svrd=("$SVRD" --router r1 --socket "$folder/r1.sock" --state "$folder/state")

# ---- svrd's command line ----

run "$SVRD" --help
expect "svrd --help" 0 out_has "usage: svrd"
run "$SVRD" --version
expect "svrd --version" 0 out_has "svrd "
run "$SVRD"
expect "svrd without a file" 2 err_has "usage: svrd"
run "$SVRD" a b
expect "svrd with two files" 2 err_has "usage: svrd"
run "$SVRD" --bogus "$folder/tap.yaml"
expect "svrd with an unknown option" 2 err_has "usage: svrd"
run "$SVRD" --router
expect "svrd with an option without its value" 2 err_has "usage: svrd"
run "$SVRD" --log loud "$folder/tap.yaml"
expect "svrd with an unknown level" 2 err_has "error, warn, info and debug"

# ---- svrd --check ----

run "$SVRD" --check "$folder/tap.yaml"
expect "svrd --check" 0 out_is \
    "$folder/tap.yaml: ok (authority test, all routers)"
run "$SVRD" --check --router r1 "$folder/tap.yaml"
expect "svrd --check for one router" 0 out_is \
    "$folder/tap.yaml: ok (authority test, router r1)"
run "$SVRD" --check --router r2 "$folder/tap.yaml"
expect "svrd --check for a router that is not there" 1 err_has r2
run "$SVRD" --check "$folder/none.yaml"
expect "svrd --check without the file" 1 err_has "$folder/none.yaml"
sed 's/address:/adress:/' "$folder/tap.yaml" >"$folder/bad.yaml"
run "$SVRD" --check "$folder/bad.yaml"
expect "svrd --check of a wrong file" 1 err_has "$folder/bad.yaml:5:"
run "$SVRD" --router r1 "$folder/bad.yaml"
expect "svrd with a wrong file" 1 err_has "$folder/bad.yaml:5:"
run "$SVRD" "$folder/tap.yaml"
expect "svrd on a host that is not in the file" 1 err_has "$(uname -n)"

# ---- devices that are missing ----

run "${svrd[@]}" "$folder/tap.yaml"
expect "a TAP that is missing" 1 one_line_with \
    "ip tuntap add dev svrt-tap mode tap vnet_hdr"
run "${svrd[@]}" "$folder/tun.yaml"
expect "a TUN that is missing" 1 one_line_with \
    "ip tuntap add dev svrt-tun mode tun vnet_hdr"
run "${svrd[@]}" "$folder/pcap.yaml"
expect "a pcap device that is missing" 1 one_line_with \
    "there is no device svrt-pcap"
run "${svrd[@]}" --user no-such-user "$folder/tap.yaml"
expect "a user that is missing" 1 one_line_with "no user no-such-user"

# ---- svrctl ----

run "$SVRCTL" --help
expect "svrctl --help" 0 out_has "usage: svrctl"
run "$SVRCTL" --version
expect "svrctl --version" 0 out_has "svrctl "
run "$SVRCTL"
expect "svrctl without a command" 2 err_has "usage: svrctl"
run "$SVRCTL" dance
expect "svrctl with an unknown command" 2 err_has "status, sessions"
run "$SVRCTL" status sessions
expect "svrctl with two commands" 2 err_has "usage: svrctl"
run "$SVRCTL" --bogus status
expect "svrctl with an unknown option" 2 err_has "usage: svrctl"
run "$SVRCTL" --router a --socket b status
expect "svrctl with router and socket" 2 err_has "not both"
run "$SVRCTL" --socket "$folder/r1.sock" status
expect "svrctl without a router" 3 one_line_with "no router is running"
run "$SVRCTL" --router no-such-router-runs status
expect "svrctl with a name that does not run" 3 one_line_with \
    "no router is running"

# ---- svrctl keygen ----

# RFC 8032, section 7.1, test 1
seed=9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60
public=d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a
keygen=("$SVRCTL" --keys "$folder" keygen)
identity=$folder/r1.identity
prints_one_identity() {
    [[ $out =~ ^identity:\ [0-9a-f]{64}$ && -z $err && $out != *$(<"$identity")* ]]
}
is_private() { [[ $(stat -c '%a %s' "$identity") == "600 65" ]]; }
is_still() { [[ $(<"$identity") == "$before" && -z $out ]]; }

run "${keygen[@]}"
expect "keygen without a name" 2 err_has "expected keygen NAME"
run "${keygen[@]}" ../r1
expect "keygen for a name that is no file's" 1 one_line_with "named after it"
run "$SVRCTL" --keys "$folder/none" keygen r1
expect "keygen without its folder" 1 one_line_with "No such file"
run "$SVRCTL" --keys "$folder" --public keygen r1
expect "keygen --public of what is not there" 1 one_line_with "No such file"
run "$SVRCTL" --public status
expect "--public with another command" 2 err_has "for keygen"
run "$SVRCTL" --keys "$folder" status
expect "--keys with another command" 2 err_has "for keygen"

run "${keygen[@]}" r1
expect "keygen prints the public half alone" 0 prints_one_identity
expect "what it has written is the owner's" 0 is_private
before=$(<"$identity") first=$out
run "$SVRCTL" --keys "$folder" --public keygen r1
expect "keygen --public prints it again" 0 out_is "$first"
run "${keygen[@]}" r1
expect "keygen never writes over an identity" 1 one_line_with "--public"
expect "which is as it was" 1 is_still
rm "$identity"
ln -s "$folder/elsewhere" "$identity"
run "${keygen[@]}" r1
expect "nor through a link" 1 test ! -e "$folder/elsewhere"
rm "$identity"
run "${keygen[@]}" r1
expect "another one differs" 0 test "$out" != "$first"
echo "$seed" >"$identity"
run "$SVRCTL" --keys "$folder" --public keygen r1
expect "keygen --public of a known identity" 0 out_is "identity: $public"
run "$SVRCTL" --keys "$folder" --public --json keygen r1
expect "the same as JSON" 0 out_has "\"identity\": \"$public\""
for line in "${seed}0" "${seed%?}" "${seed%?}g" ""; do
    echo "$line" >"$identity"
    run "$SVRCTL" --keys "$folder" --public keygen r1
    expect "keygen --public of \"$line\"" 1 one_line_with "64 hexadecimal"
done

# ---- without privileges ----

if [[ $(id -u) != 0 ]]; then
    echo "skip what needs root"
    exit "$failed"
fi

# in_namespace FILE COMMAND [WRAPPER...]: svrd behind the wrapper, after COMMAND,
# in a network namespace that ends with it.
in_namespace() {
    # shellcheck disable=SC2016
    run unshare --net bash -c 'eval "$1" || exit 9; exec "${@:2}"' - "$2" \
        "${@:3}" "${svrd[@]}" "$1"
}
make_tap="ip tuntap add dev svrt-tap mode tap vnet_hdr"
make_veth="ip link add svrt-pcap type veth peer name svrt-peer"
make_plain="$make_veth
    ethtool -K svrt-pcap tso off gso off gro off tx off >/dev/null"
powerless=(setpriv --inh-caps=-all --bounding-set=-all)
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

in_namespace "$folder/tap.yaml" "$make_tap user 12345" "${powerless[@]}"
expect "another user's TAP without capabilities" 1 one_line_with "needs CAP_NET_ADMIN"
in_namespace "$folder/pcap.yaml" "$make_plain" "${powerless[@]}"
expect "a pcap device without capabilities" 1 one_line_with "needs CAP_NET_RAW"
if "${nobody[@]}" test -x "$SVRD"; then
    in_namespace "$folder/tap.yaml" "$make_tap" "${nobody[@]}"
    expect "a TAP as another user" 1 one_line_with "start svrd as root"
    in_namespace "$folder/pcap.yaml" "$make_plain" "${nobody[@]}"
    expect "a pcap device as another user" 1 one_line_with "needs CAP_NET_RAW"
else
    echo "skip svrd as another user, who cannot reach $SVRD"
fi

# ---- devices that do not fit ----

in_namespace "$folder/pcap.yaml" "$make_veth"
expect "a pcap device with offloads" 1 one_line_with \
    "run: ethtool -K svrt-pcap tso off gso off tx off"
in_namespace "$folder/pcap.yaml" "$make_veth
    ip addr add 192.0.2.1/24 dev svrt-pcap"
expect "a pcap device with an address" 1 one_line_with \
    "run: ip addr flush dev svrt-pcap"
in_namespace "$folder/pcap.yaml" "ip tuntap add dev svrt-pcap mode tun"
expect "a pcap device without Ethernet" 1 one_line_with "not an Ethernet device"
in_namespace "$folder/tap.yaml" "ip tuntap add dev svrt-tap mode tun"
expect "a TUN that should be a TAP" 1 one_line_with "is not a tap device"
in_namespace "$folder/tap.yaml" \
    "ip link add svrt-tap type veth peer name svrt-peer"
expect "a veth that should be a TAP" 1 one_line_with "svrt-tap"

exit "$failed"
