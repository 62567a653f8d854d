# shellcheck shell=bash
# The network on which the demonstration, the tests and the benchmarks run, in
# network namespaces of its own. To be sourced by bash scripts.
#
#   staff 10.1.0.10 ─┐                                     ┌─ server 10.2.0.10
#                    ├─ branch ─── wan 203.0.113.0/24 ─ dc ┘         to .19
#   guest 10.3.0.10 ─┘   .1            .254           .2
#
# A router's namespace holds, for each interface D of the authority file, a
# persistent TAP device D for svrd, and a bridge D-br between it and D-eth, a
# veth that leads to the host or to the WAN. The WAN's namespace bridges the
# veths of the routers and has an address of its own, for those who forge.
#
# Modes of net_up:
#   svr        TAP devices, to which svrd attaches
#   pcap       the same, but branch's br-wan0 is the veth itself, for libpcap
#   plain      no TAP devices: the kernel of the router namespaces forwards
#   wireguard  as plain, through a tunnel of wireguard-go between the routers
#   openvpn    the same with OpenVPN, AES-256-GCM
#
# All names begin with NET_PREFIX, so that several can stand side by side. Only
# processes that this file started are ended: each is recorded with its start
# time under NET_STATE, so that a later run can clean up after a killed one.

NET_PREFIX=${NET_PREFIX:-svr-}
NET_STATE=/run/svr-net/$NET_PREFIX
NET_LOGS=${NET_LOGS:-$NET_STATE}    # of everything started here
NET_BUILD=${NET_BUILD:-build/demo}  # where svrd and svrctl were built
NET_KEYS=${NET_KEYS:-}              # svrd --keys
NET_UNDER=()                        # command that svrd is to run under
NET_MODE=none

NET_HOSTS=(staff guest server)
NET_ROUTERS=(branch dc)
NET_ALL=("${NET_HOSTS[@]}" "${NET_ROUTERS[@]}" wan)

declare -A NET_DEVICES=([branch]='br-lan0 br-guest0 br-wan0' [dc]='dc-lan0 dc-wan0')
declare -A NET_ADDR4=([staff]=10.1.0.10 [guest]=10.3.0.10 [server]=10.2.0.10
    [br-lan0]=10.1.0.1 [br-guest0]=10.3.0.1 [dc-lan0]=10.2.0.1
    [br-wan0]=203.0.113.1 [dc-wan0]=203.0.113.2 [wan]=203.0.113.254)
declare -A NET_ADDR6=([staff]=fd00:1::10 [guest]=fd00:3::10 [server]=fd00:2::10
    [br-lan0]=fd00:1::1 [br-guest0]=fd00:3::1 [dc-lan0]=fd00:2::1
    [br-wan0]=2001:db8:ffff::1 [dc-wan0]=2001:db8:ffff::2
    [wan]=2001:db8:ffff::254)

net_fail() {
    echo "net: $*" >&2
    return 1
}

# net_ip NAME ARGUMENT...: ip(8) in a namespace.
net_ip() {
    ip -n "$NET_PREFIX$1" "${@:2}"
}

# net_exec NAME COMMAND...: runs a program in a namespace.
net_exec() {
    if [[ -n ${NET_LOCK:-} ]]; then
        ip netns exec "$NET_PREFIX$1" "${@:2}" {NET_LOCK}>&-
    else
        ip netns exec "$NET_PREFIX$1" "${@:2}"
    fi
}

# net_sysctl NAME PATH=VALUE...: what the kernel does not have is left out.
net_sysctl() {
    # shellcheck disable=SC2016
    net_exec "$1" sh -c 'for s; do
        f=/proc/sys/net/${s%%=*}
        if [ -e "$f" ]; then echo "${s#*=}" >"$f" || exit 1; fi
    done' sysctl "${@:2}"
}

# ---- processes ----

# The time a process was started, in clock ticks; nothing if there is none.
net_start_time() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
    # shellcheck disable=SC2086
    set -- ${stat##*)}
    [[ $1 == Z ]] || echo "${20}"
}

# net_spawn LABEL NAME COMMAND...: in the background, output to LABEL.log.
net_spawn() {
    # ip(8) becomes the program, so its process is the one to signal. It must not
    # keep the lock, nor descriptor 3, where scripts may keep their output.
    ip netns exec "$NET_PREFIX$2" "${@:3}" </dev/null >"$NET_LOGS/$1.log" 2>&1 \
        3>&- {NET_LOCK}>&- &
    echo "$! $(net_start_time $!) $1" >>"$NET_STATE/processes"
}

# net_pid LABEL: of a process that is alive.
net_pid() {
    local pid start label found=
    [[ -e $NET_STATE/processes ]] || return 1
    while read -r pid start label; do
        if [[ $label == "$1" && -n $start &&
            $(net_start_time "$pid") == "$start" ]]; then
            found=$pid
        fi
    done <"$NET_STATE/processes"
    [[ -n $found ]] && echo "$found"
}

# net_signal LABEL SIGNAL
net_signal() {
    local pid
    pid=$(net_pid "$1") && kill "-$2" "$pid"
}

# net_stop LABEL: SIGTERM, after five seconds SIGKILL. Answers the exit status
# of the process where it is a child of this shell.
net_stop() {
    local pid status=0
    pid=$(net_pid "$1") || return 0
    kill -TERM "$pid"
    net_wait 5 net_gone "$1" || {
        net_fail "$1 does not end on SIGTERM"
        kill -KILL "$pid"
    }
    wait "$pid" 2>/dev/null || status=$?
    ((status == 127)) && status=0
    return "$status"
}

# net_kill LABEL...: at once.
net_kill() {
    local label pid
    for label; do
        pid=$(net_pid "$label") || continue
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null || true
    done
}

net_gone() {
    ! net_pid "$1" >/dev/null
}

# net_wait SECONDS COMMAND...: until the command succeeds.
net_wait() {
    local end=$((SECONDS + $1 + 1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}

# net_listening NAME PORT: whether a TCP server listens there.
net_listening() {
    [[ -n $(net_exec "$1" ss -Hltn "sport = :$2") ]]
}

# ---- building ----

net_up() {
    local name
    net_begin "${1:-svr}" || return 1
    net_bridge wan wan
    net_ip wan link set wan addrgenmode none
    net_host staff branch br-lan0
    net_host guest branch br-guest0
    net_host server dc dc-lan0
    # Not preferred: what the server sends of itself comes from .10.
    for name in {11..19}; do
        net_ip server addr add "10.2.0.$name/24" dev eth0
        net_ip server addr add "fd00:2::$name/64" dev eth0 nodad preferred_lft 0
    done
    net_wan_link branch br-wan0
    net_wan_link dc dc-wan0
    net_ip wan addr add "${NET_ADDR4[wan]}/24" dev wan
    net_sysctl wan ipv6/conf/wan/disable_ipv6=0
    net_ip wan addr add "${NET_ADDR6[wan]}/64" dev wan nodad

    case $NET_MODE in
    svr) ;;
    pcap) net_offload_set branch off br-wan0 && net_offload_set wan off branch ;;
    plain) net_kernel_routers && net_plain_routes ;;
    wireguard) net_kernel_routers && net_wireguard ;;
    openvpn) net_kernel_routers && net_openvpn ;;
    *) net_fail "unknown mode $NET_MODE" ;;
    esac
}

# net_begin MODE: namespaces, with nothing between them.
net_begin() {
    local name
    net_lock || return 1
    net_down_all
    NET_MODE=$1
    mkdir -p "$NET_STATE" "$NET_LOGS"
    : >"$NET_STATE/processes"
    for name in "${NET_ALL[@]}"; do
        ip netns add "$NET_PREFIX$name" || return 1
        net_defaults "$name"
    done
}

# One user of a prefix at a time.
net_lock() {
    [[ -z ${NET_LOCK:-} ]] || return 0
    mkdir -p "${NET_STATE%/*}"
    exec {NET_LOCK}>"$NET_STATE.lock"
    flock -n "$NET_LOCK" && return
    echo "net: waiting for the end of another run that uses $NET_PREFIX*" >&2
    flock -w 600 "$NET_LOCK" || net_fail "it does not end"
}

net_is_host() {
    [[ " ${NET_HOSTS[*]} " == *" $1 "* ]]
}

# Nothing speaks by itself: no router advertisements, no duplicate detection,
# and outside the hosts no IPv6 until it is asked for.
net_defaults() {
    local quiet=(ipv6/conf/default/accept_ra=0 ipv6/conf/default/autoconf=0
        ipv6/conf/default/accept_dad=0 ipv6/conf/default/dad_transmits=0
        ipv6/conf/default/router_solicitations=0
        bridge/bridge-nf-call-iptables=0 bridge/bridge-nf-call-ip6tables=0
        bridge/bridge-nf-call-arptables=0
        ipv4/conf/all/rp_filter=0 ipv4/conf/default/rp_filter=0)
    if net_is_host "$1"; then
        net_sysctl "$1" "${quiet[@]}" ipv4/icmp_ratelimit=0 \
            'ipv4/ip_local_port_range=1024 65535'
    else
        net_sysctl "$1" "${quiet[@]}" ipv6/conf/default/disable_ipv6=1 \
            ipv6/conf/all/disable_ipv6=1
    fi
    net_ip "$1" link set lo up
}

# net_bridge NAME BRIDGE
net_bridge() {
    net_ip "$1" link add name "$2" type bridge \
        stp_state 0 forward_delay 0 mcast_snooping 0
    net_ip "$1" link set "$2" up
}

# net_veth NAME END NAME END
net_veth() {
    ip link add name "$2" netns "$NET_PREFIX$1" type veth \
        peer name "$4" netns "$NET_PREFIX$3"
    net_ip "$1" link set "$2" up
    net_ip "$3" link set "$4" up
}

# net_port ROUTER DEVICE: the TAP device and its bridge.
net_port() {
    net_bridge "$1" "$2-br"
    net_ip "$1" link set "$2-eth" master "$2-br"
    [[ $NET_MODE == svr || $NET_MODE == pcap ]] || return 0
    net_ip "$1" tuntap add dev "$2" mode tap vnet_hdr
    net_ip "$1" link set "$2" master "$2-br" up
}

# net_host HOST ROUTER DEVICE
net_host() {
    net_veth "$1" eth0 "$2" "$3-eth"
    net_port "$2" "$3"
    net_ip "$1" addr add "${NET_ADDR4[$1]}/24" dev eth0
    net_ip "$1" addr add "${NET_ADDR6[$1]}/64" dev eth0 nodad
    net_ip "$1" route add default via "${NET_ADDR4[$3]}"
    net_ip "$1" route add default via "${NET_ADDR6[$3]}"
}

# net_wan_link ROUTER DEVICE
net_wan_link() {
    if [[ $NET_MODE == pcap && $1 == branch ]]; then
        net_veth wan "$1" "$1" "$2"
    else
        net_veth wan "$1" "$1" "$2-eth"
        net_port "$1" "$2"
    fi
    net_ip wan link set "$1" master wan
}

# ---- forwarding without SVR ----

net_kernel_routers() {
    local router device
    for router in "${NET_ROUTERS[@]}"; do
        net_sysctl "$router" ipv4/ip_forward=1 ipv6/conf/all/disable_ipv6=0 \
            ipv6/conf/all/forwarding=1 ipv4/icmp_ratelimit=0
        for device in ${NET_DEVICES[$router]}; do
            net_sysctl "$router" "ipv6/conf/$device-eth/disable_ipv6=1" \
                "ipv6/conf/$device-br/disable_ipv6=0"
            net_ip "$router" addr add "${NET_ADDR4[$device]}/24" dev "$device-br"
            net_ip "$router" addr add "${NET_ADDR6[$device]}/64" \
                dev "$device-br" nodad
        done
    done
}

# net_routes BRANCH-ARGUMENTS DC-ARGUMENTS: how each reaches the other's hosts;
# %4 and %6 stand for the other's waypoint.
net_routes() {
    local n
    # shellcheck disable=SC2086
    {
        net_ip branch route add 10.2.0.0/24 ${1//%/${NET_ADDR4[dc-wan0]}}
        net_ip branch route add fd00:2::/64 ${1//%/${NET_ADDR6[dc-wan0]}}
        for n in 1 3; do
            net_ip dc route add "10.$n.0.0/24" ${2//%/${NET_ADDR4[br-wan0]}}
            net_ip dc route add "fd00:$n::/64" ${2//%/${NET_ADDR6[br-wan0]}}
        done
    }
}

net_plain_routes() {
    net_routes 'via %' 'via %'
}

net_wireguard() {
    local router name
    (
        umask 077
        for router in "${NET_ROUTERS[@]}"; do
            wg genkey >"$NET_STATE/$router.wg"
            wg pubkey <"$NET_STATE/$router.wg" >"$NET_STATE/$router.wgpub"
        done
    )
    for router in "${NET_ROUTERS[@]}"; do
        name=$(net_wireguard_name "$router")
        net_spawn "wireguard-$router" "$router" wireguard-go -f "$name"
        net_wait 5 test -S "/var/run/wireguard/$name.sock" ||
            net_fail "wireguard-go does not start" || return 1
    done
    net_wireguard_peer branch dc "${NET_ADDR4[dc-wan0]}" 10.2.0.0/24,fd00:2::/64
    net_wireguard_peer dc branch "${NET_ADDR4[br-wan0]}" \
        10.1.0.0/24,10.3.0.0/24,fd00:1::/64,fd00:3::/64
    net_routes "dev $(net_wireguard_name branch)" "dev $(net_wireguard_name dc)"
}

# The control sockets of all share one folder.
net_wireguard_name() {
    echo "${NET_PREFIX}wg${1:0:1}"
}

# net_wireguard_peer ROUTER PEER ADDRESS PREFIXES
net_wireguard_peer() {
    local name
    name=$(net_wireguard_name "$1")
    net_exec "$1" wg set "$name" listen-port 51820 \
        private-key "$NET_STATE/$1.wg" peer "$(<"$NET_STATE/$2.wgpub")" \
        endpoint "$3:51820" allowed-ips "$4"
    # What fits into 1500 over IPv4; the usual 1420 leaves room for IPv6 and
    # would cut the benchmark's datagrams in two.
    net_ip "$1" link set "$name" mtu 1440 up
}

net_openvpn() {
    local router
    for router in "${NET_ROUTERS[@]}"; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
            -days 30 -subj "/CN=$router" -keyout "$NET_STATE/$router.pem" \
            -out "$NET_STATE/$router.crt" 2>/dev/null
    done
    net_openvpn_start dc branch "${NET_ADDR4[br-wan0]}" \
        --tls-server --dh none --ifconfig 10.99.0.2 10.99.0.1 \
        --route 10.1.0.0 255.255.255.0 --route 10.3.0.0 255.255.255.0 \
        --ifconfig-ipv6 fd00:99::2/64 fd00:99::1 \
        --route-ipv6 fd00:1::/64 --route-ipv6 fd00:3::/64
    net_openvpn_start branch dc "${NET_ADDR4[dc-wan0]}" \
        --tls-client --ifconfig 10.99.0.1 10.99.0.2 \
        --route 10.2.0.0 255.255.255.0 \
        --ifconfig-ipv6 fd00:99::1/64 fd00:99::2 --route-ipv6 fd00:2::/64
    for router in "${NET_ROUTERS[@]}"; do
        net_wait 20 grep -q 'Initialization Sequence Completed' \
            "$NET_LOGS/openvpn-$router.log" ||
            net_fail "openvpn does not connect" || return 1
    done
}

# net_openvpn_start ROUTER PEER ADDRESS OPTION...
net_openvpn_start() {
    local print
    print=$(openssl x509 -in "$NET_STATE/$2.crt" -noout -fingerprint -sha256)
    net_spawn "openvpn-$1" "$1" openvpn --mode p2p --dev tun0 --proto udp4 \
        --remote "$3" --port 1194 --cert "$NET_STATE/$1.crt" \
        --key "$NET_STATE/$1.pem" --peer-fingerprint "${print#*=}" \
        --data-ciphers AES-256-GCM --cipher AES-256-GCM --disable-dco \
        "${@:4}"
}

# ---- offloads ----

# net_offload_set NAME on|off DEVICE
net_offload_set() {
    net_exec "$1" ethtool -K "$3" tx "$2" sg "$2" tso "$2" gso "$2" gro off \
        >/dev/null
}

# net_offloads on|off [wan|lan]: segmentation and checksum offload of the veths.
# Off means that what crosses them is what would be on a cable.
net_offloads() {
    local router device host
    if [[ ${2:-wan} == wan ]]; then
        for router in "${NET_ROUTERS[@]}"; do
            device=${NET_DEVICES[$router]##* }
            # A libpcap port needs them off on both ends.
            [[ $NET_MODE == pcap && $router == branch ]] && continue
            net_offload_set "$router" "$1" "$device-eth"
            net_offload_set wan "$1" "$router"
        done
    else
        for host in "${NET_HOSTS[@]}"; do
            net_offload_set "$host" "$1" eth0
        done
        for device in br-lan0 br-guest0; do
            net_offload_set branch "$1" "$device-eth"
        done
        net_offload_set dc "$1" dc-lan0-eth
    fi
}

# ---- the routers ----

# net_router_start NAME FILE: svrd, until it answers.
net_router_start() {
    net_spawn "$1" "$1" "${NET_UNDER[@]}" \
        "$NET_BUILD/router/svrd" --router "$1" \
        ${NET_KEYS:+--keys "$NET_KEYS"} --socket "$NET_STATE/$1.sock" \
        --state "$NET_STATE/$1.state" --log info "$2"
    if ! net_wait 10 net_router_ready "$1" || net_gone "$1"; then
        cat "$NET_LOGS/$1.log" >&2
        net_fail "svrd of router $1 does not start"
    fi
}

net_router_ready() {
    net_gone "$1" || net_ctl "$1" status >/dev/null 2>&1
}

# net_paths_wait NAME...: until all pathways of these routers take new sessions.
net_paths_wait() {
    local name
    for name; do
        net_wait 30 net_paths_ready "$name" || {
            net_ctl "$name" paths >&2
            net_fail "not all pathways of router $name are up"
        }
    done
}

net_paths_ready() {
    net_ctl "$1" --json paths | jq -e 'all(.data[]; .ready)' >/dev/null
}

# net_router_stop NAME: answers svrd's exit status.
net_router_stop() {
    net_stop "$1"
}

# net_ctl NAME ARGUMENT...: svrctl of a router.
net_ctl() {
    "$NET_BUILD/router/svrctl" --socket "$NET_STATE/$1.sock" "${@:2}"
}

# ---- removing ----

# Everything away, also what a killed run left behind. Safe to call at any
# time, any number of times.
net_down() {
    net_lock || return 1
    net_down_all
    exec {NET_LOCK}>&-
    unset NET_LOCK
}

net_down_all() {
    local pid start label name i
    local -a lines=()
    if [[ -e $NET_STATE/processes ]]; then
        mapfile -t lines <"$NET_STATE/processes"
    fi
    for ((i = ${#lines[@]} - 1; i >= 0; i--)); do
        read -r pid start label <<<"${lines[i]}"
        if [[ -n $start && $(net_start_time "$pid") == "$start" ]]; then
            net_stop "$label" 2>/dev/null || true
        fi
    done
    for name in "${NET_ALL[@]}"; do
        if [[ -e /run/netns/$NET_PREFIX$name ]]; then
            ip netns del "$NET_PREFIX$name"
        fi
    done
    rm -f "/var/run/wireguard/${NET_PREFIX}wg"[bd].sock
    rm -rf "$NET_STATE"
    NET_MODE=none
}
