#!/bin/bash
# Programs that are not ours read what ours write: tshark finds every packet of
# routers and examples in order at the standard layers, and svrdump shows what
# is in them. SVRDUMP, NODE_CAPTURE, ENCODE_METADATA and FORGE name programs.
# What needs a network of its own is left out where it does not run as root.
# shellcheck disable=SC2317 # functions are called by expect
set -uo pipefail

source_root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
folder=$(mktemp -d /tmp/svrdump-XXXXXX)
namespace=svrz-dump-$$
trap 'ip netns del "$namespace" 2>/dev/null; rm -rf "$folder"' EXIT
export LC_ALL=C TZ=UTC
failed=0

# expect TEXT COMMAND...: its output is shown if it fails.
expect() {
    if "${@:2}" >"$folder/expect.log" 2>&1; then
        echo "ok   $1"
        return
    fi
    failed=1
    echo "FAIL $1"
    head -n 20 "$folder/expect.log" | sed 's/^/     | /'
}

fails() { ! "$@"; }

if ! command -v tshark >/dev/null; then
    echo "tshark is missing: tests/install-packages test"
    exit 77
fi

# read_packets FILE: number, protocol and what tshark has to complain of: states
# of checksums (0 is wrong), severities from a warning on, what is malformed.
read_packets() {
    tshark -n -r "$1" -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE \
        -o tcp.check_checksum:TRUE -o tcp.analyze_sequence_numbers:FALSE \
        -T fields -E separator=';' -E aggregator=' ' \
        -e frame.number -e _ws.col.Protocol \
        -e ip.checksum.status -e udp.checksum.status -e tcp.checksum.status \
        -e icmp.checksum.status -e icmpv6.checksum.status \
        -e _ws.expert.severity -e _ws.malformed -e _ws.expert 2>/dev/null
}

# clean FILE PROTOCOL...: tshark finds nothing wrong, and those protocols alone.
# Of ICMP only its own layers count: the L4 checksum of a packet that is quoted
# stays as it was, and so does its TTL.
clean() {
    read_packets "$1" >"$folder/packets"
    awk -F ';' -v wanted="${*:2}" '
        BEGIN { n = split(wanted, list, " "); warning = 6291456
            for (i = 1; i <= n; i++) missing[list[i]] = 1 }
        { bad = 0 }
        !index(" " wanted " ", " " $2 " ") { bad = 1 }
        { delete missing[$2] }
        $2 ~ /^ICMP/ { $4 = $5 = $8 = "" }
        { for (i = 3; i <= 7; i++) if ($i ~ /(^| )0( |$)/) bad = 1 }
        { m = split($8, level, " ")
          for (i = 1; i <= m; i++) if (level[i] + 0 >= warning) bad = 1 }
        $9 != "" { bad = 1 }
        bad { print "packet " $0; count++ }
        END {
            for (name in missing) { print "no packet of " name; count++ }
            if (NR == 0) { print "no packet at all"; count++ }
            exit count > 0
        }' "$folder/packets"
}

# ---- a node's packets ----

CAPTURE=$folder/node.pcap "$NODE_CAPTURE" >/dev/null 2>&1
expect "tshark has nothing to say about a node's packets" \
    clean "$folder/node.pcap" UDP TCP ICMP ICMPv6
cp "$folder/packets" "$folder/node"

# The payload of the first packet is changed, in a copy.
damage() {
    cp "$folder/node.pcap" "$folder/damaged.pcap"
    printf '\xff' | dd of="$folder/damaged.pcap" bs=1 seek="$1" \
        conv=notrunc status=none
}
damage $((24 + 16 + 28 + 20))
expect "it finds a changed byte" fails clean "$folder/damaged.pcap" UDP TCP \
    ICMP ICMPv6
damage $((24 + 16 + 24))
expect "it finds a changed length" fails clean "$folder/damaged.pcap" UDP TCP \
    ICMP ICMPv6

shown() { "$SVRDUMP" --json -a -r "$folder/node.pcap"; }
count() { shown | jq -s "[.[] | select($1)] | length"; }
same_protocols() {
    diff <(shown | jq -r .proto) \
        <(cut -d ';' -f 2 "$folder/node" | tr '[:upper:]' '[:lower:]')
}
expect "svrdump sees the same packets as tshark" same_protocols
# A host may send what begins like metadata.
expect "nothing in them is malformed between the routers" \
    test "$(count '.error or .metadata.status == "malformed"
        and (.src | startswith("203.") or startswith("2001:"))')" -eq 0
for kind in '.metadata.status == "ok"' '.metadata.status == "false-positive"' \
    '.session and .metadata == null' \
    '.metadata.tlvs // [] | any(.type == 24)'; do
    expect "there are packets with $kind" test "$(count "$kind")" -ge 8
done

# ---- an example's block ----

# The block in a packet around which text2pcap puts the headers.
"$ENCODE_METADATA" | sed 's/../ &/g; s/^/0000/' |
    text2pcap -q -4 203.0.113.1,203.0.113.2 -u 16384,16385 - \
        "$folder/block.pcapng" 2>/dev/null
expect "tshark reads the block of encode_metadata as UDP" \
    clean "$folder/block.pcapng" UDP
expect "svrdump reads it" grep -q ' tenant staff.corp service web ' \
    <("$SVRDUMP" -r "$folder/block.pcapng")

# ---- an example's packet, live ----

# in_namespace COMMAND...
in_namespace() { ip netns exec "$namespace" "$@"; }

# watch COMMAND...: it looks at the interface while the example sends, as $forge
# says, and must end after the first packet.
watch() {
    timeout 20 ip netns exec "$namespace" "$@" >"$folder/live" 2>&1 &
    local watcher=$! i
    for ((i = 0; i < 50; i++)); do
        in_namespace "${forge[@]}"
        sleep 0.2
        kill -0 "$watcher" 2>/dev/null || break
    done
    wait "$watcher"
}

make_network() {
    ip netns add "$namespace" || return 1
    ip -n "$namespace" link add wan0 type veth peer name cable
    ip -n "$namespace" addr add 203.0.113.1/24 dev wan0
    ip -n "$namespace" link set wan0 up
    ip -n "$namespace" link set cable up
    ip -n "$namespace" neigh add 203.0.113.2 lladdr 02:00:00:00:00:02 dev wan0
}

if [[ $EUID == 0 ]]; then
    install -m 600 "$source_root/examples/demo.key" "$folder/demo.key"
    sed 's/cipher: aes-gcm-256/cipher: none/' \
        "$source_root/examples/authority.yaml" >"$folder/authority.yaml"
    make_network
    key=("$folder/demo.key" branch dc)
    dump=("$SVRDUMP" -i wan0 -c 1 --keys "$folder"
        --authority "$folder/authority.yaml")
    forge=("$FORGE" "${key[@]}")
    expect "svrdump captures on an interface" watch "${dump[@]}"
    expect "and finds the tag right" \
        grep -q ' tenant staff.corp service iperf .* tag ok metadata ' \
        "$folder/live"
    expect "tcpdump captures the packet of forge_first_packet" \
        watch tcpdump -Z root -i wan0 -c 1 -w "$folder/forged.pcap" udp
    expect "tshark has nothing to say about it" clean "$folder/forged.pcap" UDP
    forge=("$FORGE" --wrong "${key[@]}")
    expect "svrdump captures one with a wrong tag" watch "${dump[@]}"
    expect "and cannot say more without BFD" \
        grep -q ' tag no-boot-counter metadata ' "$folder/live"
else
    echo "     not root: nothing is captured on an interface"
fi
exit $failed
