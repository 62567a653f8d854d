# shellcheck shell=bash
# The programs that run over the routers. To be sourced by examples/demo, which
# sets $run, $out and $megabytes.
# shellcheck disable=SC2154

server4=${NET_ADDR4[server]} server6=${NET_ADDR6[server]}
staff4=${NET_ADDR4[staff]}
secret_page='nobody on the way may read this'

# ---- hosts ----

# make_files MEGABYTES
make_files() {
    local i
    mkdir -p "$run/www/small" "$run/got"
    head -c "${1}M" /dev/urandom >"$run/www/large"
    echo "$secret_page" >"$run/www/secret"
    head -c 1M /dev/urandom >"$run/www/medium"
    for i in {0..99}; do
        echo "small file number $i" >"$run/www/small/$i"
    done
}

# Ten web servers for each family, a name server, iperf3; and a web server on the
# client's side, for those who must not reach it.
servers_start() {
    local i
    for i in {10..19}; do
        net_spawn "web-$i" server busybox httpd -f -p "10.2.0.$i:80" \
            -h "$run/www"
        net_spawn "web6-$i" server busybox httpd -f -p "[fd00:2::$i]:80" \
            -h "$run/www"
    done
    net_spawn web-staff staff busybox httpd -f -p 80 -h "$run/www"
    net_spawn dns server dnsmasq --keep-in-foreground --conf-file=/dev/null \
        --no-resolv --no-hosts --user=root --pid-file= \
        "--address=/www.demo.test/$server4" "--address=/www.demo.test/$server6"
    net_spawn iperf server iperf3 -s -p 5201
    net_wait 5 all_listening
}

all_listening() {
    (($(net_exec server ss -Hltn 'sport = :80' | wc -l) == 20)) &&
        net_listening staff 80 && net_listening server 53 &&
        net_listening server 5201
}

# ---- programs ----

fetch() {
    net_exec "$1" timeout --foreground 60 \
        curl -sS --fail --max-time 50 --globoff "${@:2}"
}

same_sha256() {
    local a b
    a=$(sha256sum <"$1")
    b=$(sha256sum <"$2")
    echo "$a / $b"
    [[ $a == "$b" ]]
}

# download HOST URL-ADDRESS FILE OPTION...
download() {
    rm -f "$run/got/file"
    fetch "$1" -o "$run/got/file" "${@:4}" "http://$2/$3" &&
        same_sha256 "$run/got/file" "$run/www/$3"
}

# hundred_requests FORMAT: of the address, with one digit to come.
hundred_requests() {
    local i
    rm -rf "$run/got/small"
    mkdir -p "$run/got/small"
    for i in {0..99}; do
        # shellcheck disable=SC2059
        printf "url = \"http://$1/small/%d\"\noutput = \"%s\"\n" \
            $((i % 10)) "$i" "$run/got/small/$i"
    done >"$run/hundred"
    fetch staff -Z --parallel-max 100 --parallel-immediate -K "$run/hundred" &&
        diff -r "$run/got/small" "$run/www/small"
}

# resolves SERVER TYPE ANSWER
resolves() {
    local answer
    answer=$(net_exec staff dig +short +notcp +tries=2 +time=3 "@$1" "$2" \
        www.demo.test)
    echo "asked $1 for $2, got: $answer"
    [[ $answer == "$3" ]]
}

pings() {
    net_exec "$1" ping -n -c 5 -i 0.2 -W 2 "$2"
}

# traces ADDRESS: through both routers, to the server.
traces() {
    net_exec staff traceroute -n -q 1 -w 2 -m 6 "$1" | tee "$run/traceroute"
    awk -v dc="$2" -v server="$1" '
        $1 == 2 && index(" " dc " ", " " $2 " ") { hop = 1 }
        END { exit !(hop && $1 == 3 && $2 == server) }' "$run/traceroute"
}

use_programs() {
    check "curl: $megabytes MB over IPv4, SHA-256 equal" \
        download staff "$server4" large
    check "curl: $megabytes MB over IPv6, SHA-256 equal" \
        download staff "[$server6]" large
    check "curl: a hundred requests at once over IPv4" \
        hundred_requests '10.2.0.1%d'
    check "curl: a hundred requests at once over IPv6" \
        hundred_requests '[fd00:2::1%d]'
    check "dig: a name over UDP and IPv4" resolves "$server4" A "$server4"
    check "dig: a name over UDP and IPv6" resolves "$server6" AAAA "$server6"
    check "ping: IPv4" pings staff "$server4"
    tail -n 1 "$run/check.out" | show
    check "ping: IPv6" pings staff "$server6"
    tail -n 1 "$run/check.out" | show
    check "traceroute: IPv4, the second hop is router dc" \
        traces "$server4" '10.2.0.1 203.0.113.2'
    tail -n 3 "$run/check.out" | show
    check "traceroute: IPv6, the second hop is router dc" \
        traces "$server6" 'fd00:2::1 2001:db8:ffff::2'
    tail -n 3 "$run/check.out" | show
}

use_measured() {
    check "curl: 1 MB from port 40001 over IPv4, for the sizes below" \
        download staff "$server4" medium --local-port 40001
    check "curl: 1 MB from port 40002 over IPv6, for the sizes below" \
        download staff "[$server6]" medium --local-port 40002
}

# iperf HOST-ADDRESS OPTION...: to iperf.json
iperf() {
    net_exec staff timeout --foreground 60 iperf3 -J -c "$@" >"$run/iperf.json" ||
        { jq -r .error "$run/iperf.json" && return 1; }
}

tcp_passes() {
    iperf "$@" -C cubic && jq -e '.end.sum_received.bytes > 0' "$run/iperf.json"
}

# All but one in a hundred arrive.
udp_passes() {
    iperf "$@" -u -l 1200 &&
        jq -e '.end.sum | .packets > 0 and .lost_percent < 1' "$run/iperf.json"
}

use_iperf() {
    local family address
    for family in 4 6; do
        address=server$family
        address=${!address}
        check "iperf3: TCP over IPv$family to the server" \
            tcp_passes "$address" -n 10M
        check "iperf3: TCP over IPv$family from the server" \
            tcp_passes "$address" -n 10M -R
        check "iperf3: UDP of 1200 bytes over IPv$family to the server" \
            udp_passes "$address" -b 10M -t 2
        check "iperf3: UDP of 1200 bytes over IPv$family from the server" \
            udp_passes "$address" -b 10M -t 2 -R
    done
}

use_shortly() {
    check "curl: $megabytes MB over IPv4, SHA-256 equal" \
        download staff "$server4" large
    check "curl: $megabytes MB over IPv6, SHA-256 equal" \
        download staff "[$server6]" large
    check "ping: IPv4" pings staff "$server4"
    check "ping: IPv6" pings staff "$server6"
    check "dig: a name over UDP" resolves "$server4" A "$server4"
}

# ---- speed ----

gigabits() {
    jq -r '.end.sum_received.bits_per_second / 1e9 * 100 | round / 100 |
        "\(.) Gbit/s"' "$run/iperf.json"
}

datagrams() {
    jq -r '.end.sum | "\((.packets - .lost_packets) / .seconds / 100 | round / 10
        ) thousand datagrams a second arrived"' "$run/iperf.json"
}

# measure_speed SECONDS: numbers are shown, not judged.
measure_speed() {
    check "iperf3: TCP to the server" tcp_passes "$server4" -t "$1"
    gigabits | show
    check "iperf3: TCP from the server" tcp_passes "$server4" -t "$1" -R
    gigabits | show
    check "iperf3: UDP of 1200 bytes, as fast as it goes" \
        iperf "$server4" -u -l 1200 -b 0 -t "$1"
    datagrams | show
}

# ---- denials and their controls ----

# counter ROUTER PATH
counter() {
    net_ctl "$1" --json counters | jq ".data.$2 // 0"
}

dropped() {
    net_ctl "$1" --json counters | jq ".data.dropped[\"$2\"] // 0"
}

ledger_holds() {
    net_ctl "$1" --json counters | tee "$run/counters-$1.json"
    jq -e '.data | .received == .forwarded + .consumed + .held
        + ([.dropped[]] | add)' "$run/counters-$1.json"
}

# reached NAME FILTER: how many packets of that kind the servers' network saw.
watch_start() {
    net_spawn "watch-$1" server tcpdump -Z root -nn --immediate-mode -i eth0 \
        -U -w "$run/$1.pcap" "$2"
    net_wait 5 grep -qs listening "$NET_LOGS/watch-$1.log"
}

watch_stop() {
    sleep 0.3
    net_stop "watch-$1" || true
    tcpdump -nn -r "$run/$1.pcap" 2>/dev/null | wc -l
}

guest_fetches() {
    fetch guest -o /dev/null --connect-timeout 2 "http://$1/small/1"
}

guest_is_refused() {
    local before after seen
    before=$(dropped branch access-denied)
    watch_start guest 'net 10.3.0.0/24 or net fd00:3::/64'
    refuse "the tenant guest gets no page over IPv4" guest_fetches "$server4"
    refuse "the tenant guest gets no page over IPv6" guest_fetches "[$server6]"
    refuse "the tenant guest gets no answer to ping" \
        net_exec guest ping -n -c 2 -i 0.2 -W 1 "$server4"
    seen=$(watch_stop guest)
    after=$(dropped branch access-denied)
    check "no packet of the guest has reached the servers" test "$seen" -eq 0
    check "router branch says why: access-denied rose from $before to $after" \
        test "$after" -gt "$before"
}

guest_control() {
    local seen
    watch_start guest-control 'net 10.3.0.0/24 or net fd00:3::/64'
    check "granted, the guest gets the page over IPv4" guest_fetches "$server4"
    check "granted, the guest gets the page over IPv6" \
        guest_fetches "[$server6]"
    seen=$(watch_stop guest-control)
    check "and $seen packets of the guest have reached the servers" \
        test "$seen" -gt 0
}

server_fetches() {
    fetch server -o /dev/null --connect-timeout 2 "http://$staff4/small/1"
}

server_cannot_open() {
    refuse "the server cannot open a session toward the client" server_fetches
}

server_control() {
    check "with a service on the client's side, the server can" server_fetches
}

# forge OPTION...: and count what reaches the server.
forge() {
    net_exec wan "$out/examples/forge_first_packet" "$@" "$NET_KEYS/demo.key" \
        branch dc "$(net_ctl dc --json status | jq .data.boot)"
}

forged_is_refused() {
    local before after sessions seen
    before=$(dropped dc wrong-tag)
    sessions=$(counter dc sessions_created)
    watch_start forged 'udp port 5209'
    check "a first packet with cookie, names, keys' ids and a wrong tag is sent" \
        forge --wrong
    seen=$(watch_stop forged)
    after=$(dropped dc wrong-tag)
    check "the forged packet has not reached the server" test "$seen" -eq 0
    check "router dc says why: wrong-tag rose from $before to $after" \
        test "$after" -eq $((before + 1))
    check "no session came of it" \
        test "$(counter dc sessions_created)" -eq "$sessions"
}

forged_control() {
    local sessions seen
    sessions=$(counter dc sessions_created)
    watch_start right 'udp port 5209'
    check "the same packet, signed with the key, is sent" forge
    seen=$(watch_stop right)
    check "it has reached the server" test "$seen" -gt 0
    check "a session came of it" \
        test "$(counter dc sessions_created)" -eq $((sessions + 1))
}

# ---- sanitizers ----

sanitizers_watch() {
    mkdir -p "$run/sanitizer"
    chmod 1777 "$run/sanitizer"
    local options=allow_addr2line=1:print_stacktrace=1
    export ASAN_OPTIONS="log_path=$run/sanitizer/asan:$options"
    export UBSAN_OPTIONS="log_path=$run/sanitizer/ubsan:$options"
}

sanitizers_silent() {
    local file found=0
    for file in "$run"/sanitizer/*; do
        [[ -e $file ]] || continue
        found=1
        cat "$file"
    done
    ((found == 0))
}
