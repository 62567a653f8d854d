# shellcheck shell=bash
# The authority file of the demonstration, and variants of it. To be sourced.

authority_source=examples/authority.yaml

# authority_make FILE [EDIT...]: writes examples/authority.yaml, changed.
#   open     the guest may use the services, and the server reach the staff
#   pcap     the branch router's WAN interface by libpcap
#   exchanged  routers agree on keys by themselves; NET_KEYS has their identities
#   clear    nothing is encrypted, and only metadata is signed: a packet grows by
#            nothing
#   signed   nothing is encrypted, and every packet is signed
#   cbc      every packet is signed, and encrypted by AES-256-CBC
#   gcm      encrypted by AES-256-GCM, and only metadata is signed
#   always   payloads are encrypted whoever speaks first
#   masked   TCP sessions that branch opens travel as UDP
#   quick    a pathway takes sessions as soon as it is up
#   wan6     the waypoints have IPv6 addresses only
authority_make() {
    local file=$1 edit before
    mkdir -p "${file%/*}"
    cp "$authority_source" "$file"
    for edit in "${@:2}"; do
        before=$(cksum <"$file")
        "authority_$edit" "$file"
        if [[ $(cksum <"$file") == "$before" ]]; then
            echo "authority: nothing to edit for \"$edit\"" >&2
            return 1
        fi
    done
}

authority_open() {
    sed -i 's/{ allow: corp }/{ allow: corp }, { allow: guest }/' "$1"
    cat >>"$1" <<'END'
  staff-web:
    prefixes: [10.1.0.0/24, "fd00:1::/64"]
    transports: [{ protocol: tcp, ports: 80 }]
    access: [{ allow: servers }]
    routes: [{ router: branch, interface: lan0 }]
END
}

authority_pcap() {
    sed -i '/device: br-wan0/s/kind: tap/kind: pcap/' "$1"
}

# identity_line ROUTER: for the authority file; the private half is made where
# it is not there yet.
identity_line() {
    local made=()
    if [[ -e $NET_KEYS/$1.identity ]]; then made=(--public); fi
    "$NET_BUILD/router/svrctl" --keys "$NET_KEYS" "${made[@]}" keygen "$1"
}

authority_exchanged() {
    local router
    sed -i 's/key: demo.key/key: exchanged/' "$1"
    for router in branch dc; do
        sed -i "/^  $router:$/a\\    $(identity_line "$router")" "$1"
    done
}

authority_clear() {
    authority_signed "$1"
    authority_gcm "$1"
}

authority_signed() {
    sed -i 's/cipher: aes-gcm-256/cipher: none/' "$1"
}

authority_cbc() {
    sed -i 's/cipher: aes-gcm-256/cipher: aes-cbc-256/' "$1"
}

authority_gcm() {
    sed -i 's/sign: per-packet/sign: metadata-only/' "$1"
}

authority_always() {
    sed -i 's/^    access: /    policy: always\n&/' "$1"
    printf 'service-policies:\n  always: { encrypt: always }\n' >>"$1"
}

authority_masked() {
    sed -i 's/peer: dc,/peer: dc, tcp-as-udp: always,/' "$1"
}

authority_quick() {
    sed -i 's/security: default }/security: default, bfd: { hold-down: 0s } }/' "$1"
}

authority_wan6() {
    sed -i '/^ *wan0-\(dc\|branch\): {/,/}/d' "$1"
}

# authority_keys FOLDER: the demonstration's key, as svrd wants it.
authority_keys() {
    mkdir -p "$1"
    install -m 600 examples/demo.key "$1/demo.key"
}
