# shellcheck shell=bash
# Keys that routers agree on (S12.2 to S12.5), whatever the options say. To be
# sourced by tests/net/faults.
# shellcheck disable=SC2034,SC2154

row_add rekey "new keys every second under iperf3, curl and a load"
row_add strangers "a foreign identity, a foreign key, an old generation"

keys_exchanged() {
    key=exchanged
    cipher=${cipher:-aes-gcm-256}
    encrypted=always
    [[ $cipher != aes-cbc-* ]] || sign=per-packet
}

# key_of ROUTER PEER EXPRESSION: jq's answer.
key_of() {
    net_ctl "$1" --json keys | jq -r ".data[] | select(.peer == \"$2\") | $3"
}

key_is() {
    key_of "$1" "$2" '{state, generation, live, asked}'
    [[ $(key_of "$1" "$2" "$3") == true ]]
}

all_keyed() {
    local router
    for router in "${NET_ROUTERS[@]}"; do
        net_ctl "$router" --json keys |
            jq -ce '.data | length > 0 and all(.[]; .keyed)' || return
    done
}

# verdicts ROUTER NAME: messages of the exchange of which that became.
verdicts() {
    net_ctl "$1" --json counters | jq ".data.exchange[\"$2\"]"
}

# Packets that the router dropped for a key, a tag or a seal.
lost_to_keys() {
    net_ctl "$1" --json counters | jq '[.data.dropped["unknown-key", "wrong-tag",
        "replay", "wrong-seal", "seal-replay", "not-sealed", "signer"]] | add'
}

# no_packet_lost ROUTER
no_packet_lost() {
    net_ctl "$1" --json counters |
        jq -c '.data.dropped | with_entries(select(.value > 0))'
    [[ $(lost_to_keys "$1") == 0 ]]
}

# ---- new keys ----

web_up() {
    mkdir -p "$run/www" "$run/got"
    head -c 1M /dev/urandom >"$run/www/medium"
    net_spawn web server busybox httpd -f -p "$server4:80" -h "$run/www"
    net_spawn iperf-tcp server iperf3 -s -p 5201
    net_spawn iperf-udp server iperf3 -s -p 5202
    net_wait 5 net_listening server 80 && net_wait 5 net_listening server 5201 &&
        net_wait 5 net_listening server 5202
}

# fetches SECONDS: one file after the other, each in a session of its own; how
# many came whole, and how many did not.
fetches() {
    local end=$((SECONDS + $1)) good=0 bad=0
    while ((SECONDS < end)); do
        if download staff "$server4" medium; then
            good=$((good + 1))
        else
            bad=$((bad + 1))
        fi
    done >"$run/fetches.log" 2>&1
    echo "$good $bad"
}

# stream NAME PORT SECONDS OPTION...: iperf3, its answer in NAME.json.
stream() {
    net_spawn "$1" staff timeout $(($3 + 60)) iperf3 -J -c "$server4" -p "$2" \
        -t "$3" "${@:4}"
}

row_rekey() {
    local seconds=12 router good bad generation
    [[ -n $long ]] && seconds=600
    keys_exchanged
    rekey=1s
    # A machine that lets routers wait is no matter of keys.
    bfd=$patient_bfd mode=regular
    network_up
    check "servers start" web_up
    routers_start
    check "ping: all packets come back" pings staff "$server4" # neighbours, too
    load_start rekey $((seconds + 4)) --tcp=24 --udp=16 --down=8 --up=8
    stream tcp 5201 "$seconds" -b 20M
    stream udp 5202 "$seconds" -u -b 2M -l 1200
    read -r good bad < <(fetches "$seconds")
    check "curl: $good files came whole, $bad did not" \
        test "$good" -gt 0 -a "$bad" -eq 0
    net_wait 60 net_gone tcp && net_wait 60 net_gone udp
    check "iperf3 over TCP ran to its end" \
        jq -e '.end.sum_received.bytes > 0' "$NET_LOGS/tcp.log"
    check "iperf3 over UDP, too" jq -e '.end.sum.packets > 0' "$NET_LOGS/udp.log"
    jq -r '"TCP \(.end.sum_received.bits_per_second / 1e6 | floor) Mbit/s"' \
        "$NET_LOGS/tcp.log" | show
    jq -r '.end.sum | "UDP \(.lost_packets) of \(.packets) lost"' \
        "$NET_LOGS/udp.log" | show
    load_end rekey
    load_lives rekey 100
    check "rekey: not one datagram of the load is lost" load_is rekey \
        '.udp.received == .udp.expected'
    # Their numbers are even or odd, by who has begun.
    for router in branch dc; do
        generation=$(($(key_of "$router" hub .generation) / 2))
        check "$router and hub have made new keys $generation times" \
            test "$generation" -ge $((seconds / 4))
    done
    for router in "${NET_ROUTERS[@]}"; do
        check "$router: no packet is lost to keys" no_packet_lost "$router"
        show <"$run/check.out"
    done
    check "no pathway has gone down" no_flaps
    routers_end
}

# ---- who gets nothing ----

# risen ROUTER REASON BEFORE LEAST: drops for it.
risen() {
    local now
    now=$(dropped "$1" "$2")
    echo "from $3 to $now"
    ((now - $3 >= $4))
}

has_verdict() {
    local n
    n=$(verdicts "$1" "$2")
    echo "$2: $n"
    ((n > 0))
}

ping_fails() {
    ! net_exec staff ping -n -c 3 -i 0.2 -W 1 "$server4"
}

# For dc the router hub is somebody else.
foreign_identity() {
    local stranger
    mkdir -p "$run/foreign"
    stranger=$("$NET_BUILD/router/svrctl" --keys "$run/foreign" keygen hub)
    sed "s/$(identity_of hub --public)/$stranger/" "$authority" \
        >"$run/foreign.yaml"
}

row_strangers() {
    keys_exchanged
    network_up
    foreign_identity
    net_router_start branch "$authority"
    net_router_start hub "$authority"
    net_router_start dc "$run/foreign.yaml"
    within "branch and hub have keys" 1000 key_is branch hub .keyed
    check "dc counts hub as a stranger" net_wait 10 has_verdict dc stranger
    check "and hub dc" net_wait 10 has_verdict hub stranger
    check "they have no keys" key_is dc hub '.keyed | not'
    check "nothing comes through" ping_fails
    check "dc has got no metadata" test "$(counter dc metadata_received)" -eq 0
    check "dc reads the right file" net_ctl dc reload "$authority"
    within "now they have keys" 3000 key_is dc hub .keyed
    within "all pathways come up" 1000 all_up
    check "ping: all packets come back" pings staff "$server4"
    old_generation
    foreign_key
    routers_end
}

# What branch has sent is sent again when its keys are gone: 30 s after there
# are others.
old_generation() {
    local before sent
    net_spawn capture west tcpdump -Z root -nn --immediate-mode -U -Q out -c 2 \
        -i far -w "$run/old.pcap" 'src host 100.64.1.1 and not port 1280'
    net_wait 5 grep -q listening "$NET_LOGS/capture.log"
    check "ping: what branch sends is captured" pings staff "$server4"
    net_wait 5 net_gone capture
    before=$(key_of branch hub .generation)
    check "branch is told to make new keys" net_ctl branch rekey hub
    within "there are new keys" 3000 key_is hub branch ".generation > $before"
    check "a ping begins with them" pings staff "$server4"
    within "the old ones are gone" 32000 key_is hub branch '.live == 1'
    before=$(dropped hub unknown-key)
    sent=$(net_exec west "$NET_BUILD/tests/resend" far "$run/old.pcap")
    check "hub drops what comes under them: unknown-key" \
        net_wait 5 risen hub unknown-key "$before" "$sent"
}

# dc starts again with a key from a file, where hub exchanges keys.
foreign_key() {
    local before
    check "dc ends" net_router_stop dc
    openssl rand -hex 32 >"$NET_KEYS/foreign.key"
    chmod 600 "$NET_KEYS/foreign.key"
    sed 's/key: exchanged/key: foreign.key/' "$authority" >"$run/foreign.yaml"
    before=$(dropped hub unknown-key)
    net_router_start dc "$run/foreign.yaml"
    check "dc with a key of its own: hub drops what it sends: unknown-key" \
        net_wait 5 risen hub unknown-key "$before" 3
    check "nothing comes through" ping_fails
}
