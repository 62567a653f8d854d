# shellcheck shell=bash
# What a network does to a pathway: a falling MTU, loss in one direction, load.
# To be sourced by tests/net/pathways behind network.sh.
# shellcheck disable=SC2154

# ---- transfers that run while something happens ----

# One in each direction: slow enough to last, fast enough to fill segments.
transfers_start() {
    local get=(curl -sS --fail --max-time 60 --limit-rate 300k
        -o "$run/got/transfer" "http://$server4/medium")
    local put=(iperf3 -J -c "$server4" -n 1M -b 2400k)
    rm -f "$run/got/transfer"
    net_spawn download staff timeout 60 "${get[@]}"
    net_spawn upload staff timeout 60 "${put[@]}"
    net_wait 5 transfers_run || net_fail "transfers do not begin" || true
}

transfers_run() {
    [[ -s $run/got/transfer &&
        $(net_exec staff ss -Htn state established 'dport = :5201' |
            wc -l) == 2 ]]
}

upload_ends() {
    net_wait 60 net_gone upload
    jq -e '.error == null and .end.sum_sent.bytes == 1048576
        and .end.sum_received.bytes >= 786432' "$NET_LOGS/upload.log"
}

download_ends() {
    net_wait "$1" net_gone download
    same_sha256 "$run/got/transfer" "$run/www/medium"
}

# ---- the MTU ----

mtu_is() {
    path_is branch ".mtu $1" && path_is dc ".mtu $1"
}

# What comes in by a device may be longer by a VLAN tag.
mtu_found() {
    path_is branch '.mtu == 1300' && path_is dc '.mtu >= 1300 and .mtu <= 1304'
}

# ICMP of mid's own making is lost, as behind many a firewall.
mtu_falls() {
    net_exec mid nft -f - <<'END'
table ip silence {
    counter unsent { }
    chain output {
        type filter hook output priority 0
        meta l4proto icmp counter name unsent drop
    }
}
END
    net_ip mid link set to-dc mtu 1300
}

mtu_rises() {
    net_ip mid link set to-dc mtu 1500
    net_exec mid nft delete table ip silence
}

icmp_unsent() {
    net_exec mid nft -j list counter ip silence unsent |
        jq -e '.nftables[] | select(.counter).counter.packets > 0'
}

falling_mtu() {
    routers_start branch dc
    within "the pathway comes up" 1000 both_up
    within "both ends find an MTU of 1500" 1000 mtu_is '== 1500'
    transfers_start
    mtu_falls
    within "the MTU falls to 1300: both ends notice" 4000 mtu_is '<= 1300'
    within "and find out how large it is" 12000 mtu_found
    check "mid has said \"too big\", and nobody has heard it" icmp_unsent
    check "a TCP session to the server goes on: 1 MB" upload_ends
    check "a TCP session from the server goes on: 1 MB, SHA-256 equal" \
        download_ends 60
    check "curl: 1 MB from the server in a new session, SHA-256 equal" \
        download staff "$server4" medium
    check "iperf3: 1 MB to the server in a new session" tcp_passes "$server4" -n 1M
    check "the pathway has not flapped" no_flaps
    routers_stop mtu branch dc
    mtu_rises
}

# ---- loss in one direction ----

# lose DEVICE: nothing leaves mid by it.
lose() {
    net_exec mid nft -f - <<END
table ip loss {
    counter lost { }
    chain forward {
        type filter hook forward priority 0
        oifname $1 counter name lost drop
    }
}
END
}

loss_ends() {
    net_exec mid nft delete table ip loss
}

# one_way DEVICE DEAF OTHER: the first of the routers hears nothing.
one_way() {
    lose "$1"
    within "nothing comes to $2 any more: both ends are down" 600 both_down
    check "$2 says why: the detection time has passed" \
        path_is "$2" '.reason == "detection-time-expired"'
    check "$3 says why: its neighbour told it" \
        path_is "$3" '.reason == "neighbour-signalled-down"'
    refuse "no new session goes along it" fetch staff -o /dev/null \
        --connect-timeout 1 "http://$server4/small/1"
    loss_ends
    within "it comes back when the loss ends" 2000 both_up
}

loss_one_way() {
    routers_start branch dc
    within "the pathway comes up" 1000 both_up
    one_way to-dc dc branch
    one_way to-branch branch dc
    check "each end has counted two flaps" flaps_are 2
    check "curl: 1 MB over the pathway, SHA-256 equal" \
        download staff "$server4" medium
    routers_stop loss branch dc
}

flaps_are() {
    path branch .flaps
    path dc .flaps
    path_is branch ".flaps == $1" && path_is dc ".flaps == $1"
}

# ---- load ----

# load SECONDS: as many datagrams as the machine can make, both its cores busy.
load() {
    local seconds=$1 i before
    routers_start branch dc
    within "the pathway comes up, 100 ms x 3" 1000 both_up
    within "both ends find an MTU of 1500" 1000 mtu_is '== 1500'
    before=$(cpu_idle)
    for i in 1 2; do
        net_spawn "spin-$i" staff timeout $((seconds + 5)) \
            sh -c 'while :; do :; done'
    done
    check "iperf3: UDP of 1200 bytes for $seconds s, as fast as it goes" \
        flood "$seconds"
    datagrams | show || true
    note "cores idle meanwhile: $(($(cpu_idle) - before)) ms"
    net_stop spin-1 || true
    net_stop spin-2 || true
    check "the pathway is up at both ends" both_up
    check "it has not flapped" no_flaps
    net_ctl branch paths | show
    net_ctl dc paths | show
    routers_stop load branch dc
}

flood() {
    iperf "$server4" -u -l 1200 -b 0 -P 2 -t "$1" &&
        jq -e '.end.sum.packets > 0' "$run/iperf.json"
}

# The time that all cores together were idle, in milliseconds.
cpu_idle() {
    awk '$1 == "cpu" { print $5 * 10; exit }' /proc/stat
}
