# shellcheck shell=bash
# The authority file of the demonstration, and variants of it. To be sourced.

authority_source=examples/authority.yaml

# authority_make FILE [EDIT...]: writes examples/authority.yaml, changed.
#   open     the guest may use the services, and the server reach the staff
#   pcap     the branch router's WAN interface by libpcap
#   signed   every packet is signed
#   cbc      the same, and payloads are encrypted by AES-256-CBC
#   gcm      payloads are encrypted by AES-256-GCM
#   masked   TCP sessions that branch opens travel as UDP
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

authority_signed() {
    sed -i 's/sign: metadata-only/sign: per-packet/' "$1"
}

authority_cbc() {
    authority_signed "$1"
    sed -i 's/cipher: none,/cipher: aes-cbc-256,/' "$1"
}

authority_gcm() {
    sed -i 's/cipher: none,/cipher: aes-gcm-256,/' "$1"
}

authority_masked() {
    sed -i 's/peer: dc,/peer: dc, tcp-as-udp: always,/' "$1"
}

authority_wan6() {
    sed -i '/^ *wan0-\(dc\|branch\): {/,/}/d' "$1"
}

# authority_keys FOLDER: the demonstration's key, as svrd wants it.
authority_keys() {
    mkdir -p "$1"
    install -m 600 examples/demo.key "$1/demo.key"
}
