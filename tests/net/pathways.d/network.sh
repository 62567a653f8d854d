# shellcheck shell=bash
# The network on which peer pathways are tried, and the authority file for it.
# To be sourced by tests/net/pathways behind topology.sh.
#
#   staff ─ branch ─ 100.64.0.0/24 ─ mid ─ 198.51.100.0/24 ─ dc ─ server
#             .1                   .254 .254               .2
#
#   frr 192.0.2.1 ─ 192.0.2.2 left         bird 192.0.2.5 ─ 192.0.2.6 right
#
# branch, dc, left and right are routers of SVR. mid forwards with the kernel: it
# is what goes wrong between them. frr and bird run other people's BFD.
# shellcheck disable=SC2034,SC2154

NET_HOSTS=(staff server)
NET_ROUTERS=(branch dc left right)
NET_ALL=("${NET_HOSTS[@]}" "${NET_ROUTERS[@]}" mid frr bird)
NET_ADDR4+=([br-wan0]=100.64.0.1 [dc-wan0]=198.51.100.2
    [left-wan0]=192.0.2.2 [right-wan0]=192.0.2.6)

# network_up: everything but the routers.
network_up() {
    net_begin svr || return 1
    net_host staff branch br-lan0
    net_host server dc dc-lan0
    network_link mid to-branch 100.64.0.254/24 branch br-wan0
    network_link mid to-dc 198.51.100.254/24 dc dc-wan0
    network_link frr eth0 192.0.2.1/30 left left-wan0
    network_link bird eth0 192.0.2.5/30 right right-wan0
    net_sysctl mid ipv4/ip_forward=1
}

# network_link NAME DEVICE ADDRESS ROUTER DEVICE: what crosses it is what would
# be on a cable.
network_link() {
    net_veth "$1" "$2" "$4" "$5-eth"
    net_port "$4" "$5"
    net_ip "$1" addr add "$3" dev "$2"
    net_offload_set "$1" off "$2"
    net_offload_set "$4" off "$5-eth"
}

# ---- the authority file ----

# authority_write FILE BFD: the last is what the pathway between branch and dc
# has under the key `bfd`. Those to frr and bird follow RFC 5880 and 5881.
authority_write() {
    local plain='{ interval: 300ms, required: 300ms, multiplier: 3, detection: peer,
             port: 3784, ttl: 255, form: plain, hold-down: 0s }'
    cat >"$1" <<END
authority: demo
routers:
  branch:
    interfaces:
      lan0: { kind: tap, device: br-lan0, tenant: staff,
              address: 10.1.0.1/24 }
      wan0: { kind: tap, device: br-wan0, address: 100.64.0.1/24,
              gateway: 100.64.0.254 }
    pathways:
      wan0-dc: { interface: wan0, peer: dc, remote: 198.51.100.2,
                 security: default, bfd: $2 }
  dc:
    interfaces:
      lan0: { kind: tap, device: dc-lan0, tenant: servers,
              address: 10.2.0.1/24 }
      wan0: { kind: tap, device: dc-wan0, address: 198.51.100.2/24,
              gateway: 198.51.100.254 }
    pathways:
      wan0-branch: { interface: wan0, peer: branch, remote: 100.64.0.1,
                     security: default, bfd: $2 }
  left:
    interfaces:
      wan0: { kind: tap, device: left-wan0, address: 192.0.2.2/30 }
    pathways:
      wan0-frr:
        { interface: wan0, peer: frr, remote: 192.0.2.1, security: default,
          bfd: $plain }
  right:
    interfaces:
      wan0: { kind: tap, device: right-wan0, address: 192.0.2.6/30 }
    pathways:
      wan0-bird:
        { interface: wan0, peer: bird, remote: 192.0.2.5, security: default,
          bfd: $plain }
  frr:
    interfaces:
      eth0: { kind: tap, device: eth0, address: 192.0.2.1/30 }
    pathways:
      eth0-left:
        { interface: eth0, peer: left, remote: 192.0.2.2, security: default,
          bfd: $plain }
  bird:
    interfaces:
      eth0: { kind: tap, device: eth0, address: 192.0.2.5/30 }
    pathways:
      eth0-right:
        { interface: eth0, peer: right, remote: 192.0.2.6, security: default,
          bfd: $plain }
security-policies:
  default: { hmac: sha256-128, mode: time-based, sign: metadata-only,
             cipher: none, key: demo.key }
tenants: [staff, servers]
services:
  web:
    prefixes: [10.2.0.0/24]
    transports: [{ protocol: tcp, ports: 80 }]
    access: [{ allow: staff }]
    routes: [{ router: dc, interface: lan0 }]
  iperf:
    prefixes: [10.2.0.0/24]
    transports: [{ protocol: tcp, ports: 5201 }, { protocol: udp, ports: 5201 }]
    access: [{ allow: staff }]
    routes: [{ router: dc, interface: lan0 }]
  ping:
    prefixes: [10.2.0.0/24]
    transports: [{ protocol: icmp }]
    access: [{ allow: staff }]
    routes: [{ router: dc, interface: lan0 }]
END
}

# ---- what the routers say of their pathways ----

# path ROUTER EXPRESSION: jq's answer about the router's only pathway.
path() {
    net_ctl "$1" --json paths | jq -r ".data[0] | $2"
}

# path_is ROUTER EXPRESSION
path_is() {
    [[ $(path "$1" "$2" 2>/dev/null) == true ]]
}

path_up() {
    path_is "$1" '.state == "Up"'
}

path_down() {
    path_is "$1" '.state == "Down"'
}

both_up() {
    path_up branch && path_up dc
}

both_down() {
    path_down branch && path_down dc
}

no_flaps() {
    path_is branch '.flaps == 0' && path_is dc '.flaps == 0'
}
