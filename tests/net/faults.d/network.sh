# shellcheck shell=bash
# The network in which things go wrong, and the authority file for it. To be
# sourced by tests/net/faults behind topology.sh.
#
#                    ┌─ west ──┐
#   staff ─ lan0 ─ branch     hub ─── east ─── dc ─ lan0 ─ server
#                    └─ side ──┘
#
# Links are namespaces with two devices, near and far; a row may add skip, from
# branch to dc. Between
# them is either a cable with faults (tests/net/wire), or the kernel as a router
# that hides the near side behind its own address (a NAT).
# shellcheck disable=SC2034,SC2154

NET_HOSTS=(staff server)
NET_ROUTERS=(branch hub dc)
links=(west side east)
NET_ALL=("${NET_HOSTS[@]}" "${NET_ROUTERS[@]}" "${links[@]}")

declare -A link_near=([west]=branch [side]=branch [east]=hub)
declare -A link_far=([west]=hub [side]=hub [east]=dc)
declare -A link_net=([west]=1 [side]=2 [east]=3)
declare -A link_nat=() # not empty: this link is a NAT

authority=$run/faults.yaml

# What the authority file says; a row may change it before network_up.
bfd='{ interval: 100ms, required: 100ms, hold-down: 0s }'
sign=metadata-only
mode=time-based
[[ $cipher != aes-cbc-* ]] || sign=per-packet
encrypted=${cipher:+always} # payloads of all services
rekey=24h # of keys that are exchanged: key=exchanged
resiliency=none # of the service that loads use
# Of the services "chosen" and "back"; links are vectors.
chosen='resiliency: revertible-failover, vectors: [{ name: west, priority: 2 },'
chosen+=' { name: side, priority: 3 }, { name: east, priority: 1 }]'
server_mtu=1500 # of dc's interface to the servers

# ---- links ----

# link_add NAME NEAR-ROUTER FAR-ROUTER: one more, before network_up.
link_add() {
    link_near[$1]=$2
    link_far[$1]=$3
    link_net[$1]=$((${#links[@]} + 1))
    links+=("$1")
    NET_ALL+=("$1")
}

# network_up: everything but the routers. Servers of loads listen: the service of
# port 7001 has no policy, the ways of that of port 7002 are chosen by one, and so
# are those of port 7003, which is at staff.
network_up() {
    local name
    net_begin svr || return 1
    net_host staff branch br-lan0
    net_host server dc dc-lan0
    net_ip branch link set br-lan0 txqueuelen 5000
    net_ip dc link set dc-lan0 txqueuelen 5000
    # TCP tries again after a second at most, and does not give up before the
    # test does, be it for the last bytes of a socket that was closed.
    for name in staff server; do
        net_sysctl "$name" ipv4/tcp_rto_max_ms=1000 ipv4/tcp_retries2=100 \
            ipv4/tcp_syn_linear_timeouts=60 ipv4/tcp_syn_retries=60 \
            ipv4/tcp_synack_retries=60 ipv4/tcp_orphan_retries=100
    done
    for name in "${links[@]}"; do
        link_up "$name"
    done
    identities_make
    authority_write "$authority"
    server_up 7000
    server_up 7001
    server_up 7002
    server_up 7003 staff
}

# server_up PORT [HOST]: of a load.
server_up() {
    local host=${2:-server}
    net_spawn "server-$1" "$host" "$NET_BUILD/tests/load" --serve "0.0.0.0:$1"
    net_wait 5 net_listening "$host" "$1"
}

link_up() {
    local near=${link_near[$1]} far=${link_far[$1]}
    link_end "$1" near "$near" "$near-$1"
    link_end "$1" far "$far" "$far-$1"
    if [[ -n ${link_nat[$1]:-} ]]; then
        nat_up "$1"
    else
        wire_up "$1"
    fi
}

wire_up() {
    net_spawn "wire-$1" "$1" "$NET_BUILD/tests/wire" \
        --seed "${link_net[$1]}" --fifo "$NET_STATE/$1.fifo" near far
    net_wait 5 test -p "$NET_STATE/$1.fifo"
}

# link_end LINK DEVICE ROUTER DEVICE: what crosses it is what would be on a cable.
# The devices of routers hold what comes while a busy machine lets them wait.
link_end() {
    net_veth "$1" "$2" "$3" "$4-eth"
    net_port "$3" "$4"
    net_ip "$3" link set "$4" txqueuelen 5000
    net_offload_set "$1" off "$2"
    net_offload_set "$3" off "$4-eth"
}

# wire LINK SETTING...: from now on, see tests/net/wire --help.
wire() {
    printf '%s\n' "${@:2}" >"$NET_STATE/$1.fifo"
}

# wire_count LINK NAME: of both directions, so far.
wire_count() {
    local before
    before=$(wc -l <"$NET_LOGS/wire-$1.log")
    wire "$1" report
    net_wait 5 wire_has_said "$1" "$before"
    tail -n 1 "$NET_LOGS/wire-$1.log" | jq "[.near.$2, .far.$2] | add"
}

wire_has_said() {
    (($(wc -l <"$NET_LOGS/wire-$1.log") > $2))
}

# ---- the authority file ----

# link_address LINK near|far
link_address() {
    local n=${link_net[$1]}
    if [[ $2 == near ]]; then
        echo "100.64.$n.1"
    elif [[ -n ${link_nat[$1]:-} ]]; then
        echo "198.18.$n.2"
    else
        echo "100.64.$n.2"
    fi
}

link_gateway() {
    local n=${link_net[$1]}
    [[ -n ${link_nat[$1]:-} ]] || return 0
    if [[ $2 == near ]]; then
        echo ", gateway: 100.64.$n.254"
    else
        echo ", gateway: 198.18.$n.254"
    fi
}

# link_side LINK ROUTER
link_side() {
    if [[ ${link_near[$1]} == "$2" ]]; then echo near; else echo far; fi
}

# sealed_bytes: what encryption adds to a packet at most; CBC has tags beside it.
sealed_bytes() {
    case $cipher in
    '') echo 0 ;;
    aes-cbc-*) echo $((32 + 16)) ;;
    *) echo 24 ;;
    esac
}

# identities_make: of each router, in the folder of keys.
identities_make() {
    local router
    [[ $key == exchanged ]] || return 0
    for router in "${NET_ROUTERS[@]}"; do
        [[ -e $NET_KEYS/$router.identity ]] ||
            identity_of "$router" >/dev/null
    done
}

# identity_of ROUTER [OPTION...]: as svrctl keygen prints it.
identity_of() {
    "$NET_BUILD/router/svrctl" --keys "$NET_KEYS" "${@:2}" keygen "$1"
}

authority_write() {
    {
        echo 'authority: demo'
        echo "rekey: $rekey"
        echo 'routers:'
        authority_router branch "br-lan0, tenant: staff"
        authority_router hub ''
        authority_router dc "dc-lan0, tenant: servers, mtu: $server_mtu"
        authority_rest
    } >"$1"
}

# links_of ROUTER
links_of() {
    local link
    for link in "${links[@]}"; do
        [[ $1 != "${link_near[$link]}" && $1 != "${link_far[$link]}" ]] ||
            echo "$link"
    done
}

# authority_router NAME LAN-DEVICE: more of the LAN may follow its device.
authority_router() {
    local link side other peer own
    own=$(links_of "$1")
    printf '  %s:\n' "$1"
    [[ $key != exchanged ]] || echo "    $(identity_of "$1" --public)"
    echo "    interfaces:"
    if [[ -n $2 ]]; then
        echo "      lan0: { kind: tap, device: $2," \
            "address: ${NET_ADDR4[${2%%,*}]}/24 }"
    fi
    for link in $own; do
        side=$(link_side "$link" "$1")
        echo "      $link: { kind: tap, device: $1-$link, address:" \
            "$(link_address "$link" "$side")/24$(link_gateway "$link" "$side") }"
    done
    echo "    pathways:"
    for link in $own; do
        if [[ $(link_side "$link" "$1") == near ]]; then
            other=far peer=${link_far[$link]}
        else
            other=near peer=${link_near[$link]}
        fi
        echo "      $link: { interface: $link, peer: $peer, security: default," \
            "remote: $(link_address "$link" $other), vector: $link," \
            "bfd: $bfd }"
    done
}

authority_rest() {
    cat <<END
security-policies:
  default:
    { hmac: sha256-128, mode: $mode, sign: $sign, cipher: ${cipher:-none}, key: $key }
service-policies:
  load: { resiliency: $resiliency, encrypt: ${encrypted:-never} }
  chosen: { encrypt: ${encrypted:-never}, $chosen }
  other: { encrypt: ${encrypted:-never} }
tenants: [staff, servers]
services:
  load:
    prefixes: [10.2.0.0/24]
    transports: [{ protocol: tcp, ports: 7000 }, { protocol: udp, ports: 7000 }]
    access: [{ allow: staff }]
    policy: load
    routes: [{ router: dc, interface: lan0 }]
  chosen:
    prefixes: [10.2.0.0/24]
    transports: [{ protocol: tcp, ports: 7002 }, { protocol: udp, ports: 7002 }]
    access: [{ allow: staff }]
    policy: chosen
    routes: [{ router: dc, interface: lan0 }]
  back:
    prefixes: [10.1.0.0/24]
    transports: [{ protocol: tcp, ports: 7003 }, { protocol: udp, ports: 7003 }]
    access: [{ allow: servers }]
    policy: chosen
    routes: [{ router: branch, interface: lan0 }]
  still:
    prefixes: [10.2.0.0/24]
    transports: [{ protocol: tcp, ports: 7001 }, { protocol: udp, ports: 7001 }]
    access: [{ allow: staff }]
    denial: reset
    policy: other
    routes: [{ router: dc, interface: lan0 }]
  ping:
    prefixes: [10.2.0.0/24]
    transports: [{ protocol: icmp }]
    access: [{ allow: staff }]
    policy: other
    routes: [{ router: dc, interface: lan0 }]
  web:
    prefixes: [10.2.0.0/24]
    transports: [{ protocol: tcp, ports: [80, 5201-5202] },
                 { protocol: udp, ports: 5201-5202 }]
    access: [{ allow: staff }]
    policy: other
    routes: [{ router: dc, interface: lan0 }]
  traceroute:
    prefixes: [10.2.0.0/24]
    transports: [{ protocol: udp, ports: 33434-33534 }]
    access: [{ allow: staff }]
    policy: other
    routes: [{ router: dc, interface: lan0 }]
  other:
    prefixes: [10.2.0.0/24]
    transports: [{ protocol: gre }, { protocol: 253 }]
    access: [{ allow: staff }]
    policy: other
    routes: [{ router: dc, interface: lan0 }]
END
}

# ---- routers ----

# routers_start: all three, until their pathways are up.
routers_start() {
    local router
    for router in "${NET_ROUTERS[@]}"; do
        net_router_start "$router" "$authority"
    done
    within "all pathways come up" 1000 all_up
    [[ $key != exchanged ]] || within "all have keys" 1000 all_keyed
}

all_up() {
    local router
    for router in "${NET_ROUTERS[@]}"; do
        net_ctl "$router" --json paths
        net_ctl "$router" --json paths |
            jq -e 'all(.data[]; .state == "Up")' || return
    done
}

# routers_end: what every run must show at its end.
routers_end() {
    local router
    for router in "${NET_ROUTERS[@]}"; do
        check "$router: every packet and session is accounted for; a clean end" \
            router_ends "$router"
    done
}

router_ends() {
    ledger_holds "$1" && net_wait 5 sessions_add_up "$1" && net_router_stop "$1"
}

# Three questions: no session may begin or end between them.
sessions_add_up() {
    local created ended alive
    alive=$(net_ctl "$1" --json sessions | jq '.data | length')
    created=$(counter "$1" sessions_created)
    ended=$(counter "$1" sessions_ended)
    echo "created $created, ended $ended, alive $alive"
    ((created == ended + alive))
}

# path ROUTER PATHWAY EXPRESSION: jq's answer.
path() {
    net_ctl "$1" --json paths |
        jq -r ".data[] | select(.name == \"$2\") | $3"
}

path_is() {
    [[ $(path "$1" "$2" "$3" 2>/dev/null) == true ]]
}
