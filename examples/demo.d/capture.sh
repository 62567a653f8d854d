# shellcheck shell=bash
# What the captures show. To be sourced by examples/demo, which sets $run and
# $out, behind traffic.sh.
# shellcheck disable=SC2154

lan=$run/lan.pcap

# capture_start NAME: to $out/NAME.pcap what passes the WAN on its port toward
# dc, forged packets too, and what passes the client's cable. Payloads are cut
# off, metadata is not.
capture_start() {
    wan=$out/$1.pcap
    net_spawn capture-wan wan tcpdump -Z root -nn -i dc -s 400 -B 65536 \
        -w "$PWD/$wan"
    net_spawn capture-lan staff tcpdump -Z root -nn -i eth0 -s 128 -B 16384 \
        -w "$lan" 'tcp port 40001 or tcp port 40002'
    net_wait 5 grep -qs listening "$NET_LOGS/capture-wan.log"
    net_wait 5 grep -qs listening "$NET_LOGS/capture-lan.log"
}

capture_stop() {
    sleep 0.3
    net_stop capture-lan || true
    net_stop capture-wan || true
    grep captured "$NET_LOGS/capture-wan.log" | show
    check "the capture is complete" \
        grep -q '^0 packets dropped by kernel' "$NET_LOGS/capture-wan.log"
}

# packets FILE FILTER: one line each.
packets() {
    tcpdump -nn -r "$@" 2>/dev/null
}

# sizes FILE FILTER: of the IP packets, without their Ethernet header.
sizes() {
    tcpdump -nn -e -r "$@" 2>/dev/null |
        sed -n 's/^.* ethertype [^,]*, length \([0-9]*\): .*/\1/p' |
        awk '{ print $1 - 14 }'
}

# ---- who can read it ----

# bytes_of ADDRESS: as a pattern.
bytes_of() {
    local left right
    if [[ $1 != *:* ]]; then
        # shellcheck disable=SC2046 # four numbers
        printf '\\x%02x' $(tr . ' ' <<<"$1")
        return
    fi
    left=$(words_of "${1%::*}") right=$(words_of "${1#*::}")
    while ((${#left} + ${#right} < 64)); do left+='\x00'; done
    echo -n "$left$right"
}

# words_of PART: of an IPv6 address.
words_of() {
    local word
    for word in ${1//:/ }; do
        word=$(printf '%04x' "0x$word")
        printf '\\x%s\\x%s' "${word:0:2}" "${word:2}"
    done
}

# readable FILE PATTERN: how often the bytes stand in it.
readable() {
    PATTERN=$2 perl -0777 -ne 'my $n = () = /$ENV{PATTERN}/sg; print $n' "$1"
}

# The client in a context of metadata, forward and reverse; anywhere, where it
# is long enough not to turn up by chance.
client4=$(bytes_of "$staff4") client6=$(bytes_of "${NET_ADDR6[staff]}")
declare -A secrets=(
    ["the page"]=$secret_page
    ["the client's IPv4 address"]="\\x00\\x02\\x00\\x0d$client4|$(
    )\\x00\\x04\\x00\\x0d.{4}$client4"
    ["the client's IPv6 address"]=$client6
)

# check_secrets COMPARISON TEXT...: with how many packets show each secret.
check_secrets() {
    local what
    for what in "${!secrets[@]}"; do
        check "${*:2} $what" \
            test "$(readable "$wan" "${secrets[$what]}")" "$1" 0
    done
}

# A page whose text is looked for.
use_secret() {
    check "curl: a page to keep to ourselves, IPv4" \
        download staff "$server4" secret
    check "curl: a page to keep to ourselves, IPv6" \
        download staff "[$server6]" secret
}

# ---- metadata and sizes ----

# The client's end of the two sessions that are looked at, as svrdump prints it.
declare -A session_client=([4]="$staff4:40001" [6]="[${NET_ADDR6[staff]}]:40002")
declare -A session_host=([4]=$staff4 [6]=${NET_ADDR6[staff]})
declare -A session_port=([4]=40001 [6]=40002)

# metadata_lines FAMILY forward|reverse: svrdump's of the session. Packets with
# the marks that measure a pathway are told with the session they belong to.
metadata_lines() {
    if [[ $2 == forward ]]; then
        grep -F " forward tcp ${session_client[$1]} > " "$run/svrdump"
    else
        grep -F -e " > ${session_client[$1]} uuid " \
            -e " session reverse tcp ${session_client[$1]} > " "$run/svrdump" |
            grep -F " reverse tcp "
    fi
}

# first_block FAMILY DIRECTION: the line of the first such packet and the lines
# of its attributes.
first_block() {
    local line
    line=$(metadata_lines "$1" "$2" | sed -n 1p)
    awk -v line="$line" '
        on && !/^ / { exit }
        !on && $0 == line { on = 1; print $1, $2, $3, $4, $5; next }
        on { print }' "$run/svrdump"
}

show_metadata() {
    local direction
    "$out/router/svrdump" -r "$wan" -v >"$run/svrdump"
    for direction in forward reverse; do
        check "svrdump finds the session from port 40001, $direction" \
            metadata_lines 4 $direction
        first_block 4 $direction | show
    done
    note "$(grep -c '^[^ ]' "$run/svrdump") packets of the capture carry metadata"
}

# wan_ends FAMILY forward|reverse: the session's waypoints, as address, port,
# address, port.
wan_ends() {
    local line src dst
    line=$(metadata_lines "$1" "$2" | sed -n 1p)
    read -r _ _ src _ dst _ <<<"$line"
    [[ -n $dst ]] || return 1
    echo "$(address_of "$src") ${src##*:} $(address_of "$dst") ${dst##*:}"
}

address_of() {
    local address=${1%:*}
    address=${address#[}
    echo "${address%]}"
}

# wan_sizes FAMILY DIRECTION: of the session's packets, without what the routers
# say to each other.
wan_sizes() {
    local ends src sport dst dport
    ends=$(wan_ends "$1" "$2") || return 1
    read -r src sport dst dport <<<"$ends"
    "$out/router/svrdump" -r "$wan" -a --json |
        jq --arg src "$src" --arg dst "$dst" --argjson sport "$sport" \
            --argjson dport "$dport" 'select(.src == $src and .dst == $dst
                and .sport == $sport and .dport == $dport
                and all(.metadata.tlvs[]?; .name != "control-message")) | .length'
}

# compare_sizes FAMILY DIRECTION DELTA: each packet's size on the client's cable
# beside its size on the WAN. Only those that carry metadata may differ by more
# than DELTA, what the change of the IP header makes.
compare_sizes() {
    local end=dst lan_filter marked
    if [[ $2 == forward ]]; then end=src; fi
    lan_filter="$end host ${session_host[$1]} and tcp port ${session_port[$1]}"
    marked=$(metadata_lines "$1" "$2" | grep -vc ' control ')
    paste -d' ' <(sizes "$lan" "$lan_filter") <(wan_sizes "$1" "$2") |
        awk -v direction="$2" -v delta="$3" -v marked="$marked" '
            BEGIN { printf "packet   original   on the WAN    added\n" }
            NF != 2 { unmatched++; next }
            { added = $2 - $1 }
            added != delta { other++ }
            NR == 1 || NR == 2 || NR == 100 {
                printf "%6d %10d %12d %+8d\n", NR, $1, $2, added
            }
            END {
                printf "%d packets, %d with metadata; %d of the rest differ\n",
                    NR, marked, other - marked
                if (unmatched)
                    printf "%d packets were not seen on both sides\n", unmatched
                exit !(NR >= 100 && other == marked && !unmatched)
            }'
}

show_sizes() {
    local family direction delta text
    note "sizes of IP packets in bytes"
    for family in 4 6; do
        for direction in forward reverse; do
            delta=0
            text="0 bytes are added"
            if [[ $family == 6 && $(wan_ends 6 $direction) != *2001:* ]]; then
                delta=-20
                text="only the IP header differs: IPv4's is 20 bytes shorter"
            fi
            check "IPv$family, $direction, after the handshake: $text" \
                compare_sizes $family $direction $delta
            show <"$run/check.out"
        done
    done
}

# ---- no address of a client or server ----

addresses='net 10.0.0.0/8 or net fd00::/16'

count_addresses() {
    packets "$1" "$addresses" | wc -l
}

check_addresses_hidden() {
    check "no address of a client or server stands in any IP header" \
        test "$(count_addresses "$wan")" -eq 0
    note "all IP addresses of the capture:"
    packets "$wan" '(ip or ip6) and not ip6 multicast' |
        awk '{ for (i = 3; i <= 5; i += 2) { sub(/:$/, "", $i)
            sub(/\.[0-9]+$/, "", $i); print $i } }' | sort | uniq -c | show
}

# Plain forwarding is the control of two checks.
plain_control() {
    net_up plain
    net_spawn web-staff staff busybox httpd -f -p 80 -h "$run/www"
    net_spawn capture-plain wan tcpdump -Z root -nn -i branch -s 128 \
        --immediate-mode -U -w "$run/plain.pcap"
    net_wait 5 net_listening staff 80
    net_wait 5 grep -qs listening "$NET_LOGS/capture-plain.log"
    check "with plain forwarding, the server can open toward the client" \
        server_fetches
    sleep 0.3
    net_stop capture-plain || true
    check "and the same search finds client and server addresses on the WAN" \
        test "$(count_addresses "$run/plain.pcap")" -gt 0
}

# ---- the same waypoints both ways ----

# Each tuple from dc to branch must be the mirror of one from branch to dc.
check_same_waypoints() {
    packets "$wan" '(tcp or udp) and not udp port 1280' |
        awk '$4 == ">" { sub(/:$/, "", $5); print $3, $5 }' | sort | uniq -c |
        awk '{ n[$2 " " $3] = $1 }
            END {
                for (t in n) {
                    split(t, end, " ")
                    if (end[1] ~ /^(203\.0\.113\.2\.|2001:db8:ffff::2\.)/) {
                        back++
                        if (!((end[2] " " end[1]) in n)) {
                            alone++
                            print "without its mirror: " t
                        }
                    } else
                        forth++
                }
                print forth + 0 " tuples from branch to dc, " back + 0 \
                    " from dc to branch, " alone + 0 " of these alone"
                exit !(back > 0 && alone == 0)
            }' >"$run/tuples" || true
    check "every tuple from dc to branch mirrors one from branch to dc" \
        grep -q ' [1-9][0-9]* from dc to branch, 0 of these alone' "$run/tuples"
    show <"$run/tuples"
}
