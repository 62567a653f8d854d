# shellcheck shell=bash
# The configuration changes under load. To be sourced by tests/net/faults.
# shellcheck disable=SC2034,SC2154

row_add config "all routers read another configuration ten times a second"

# configs_write: a and b differ in a service and a tenant that no session of ours
# has; in c the service "still" is open to nobody; bad is no configuration.
configs_write() {
    cp "$authority" "$run/a.yaml"
    sed 's/^tenants: \[staff/&, visitors/' "$authority" >"$run/b.yaml"
    cat >>"$run/b.yaml" <<'END'
  visitors:
    prefixes: [10.2.0.0/24]
    transports: [{ protocol: tcp, ports: 9000-9999 }]
    access: [{ allow: visitors }]
    routes: [{ router: dc, interface: lan0 }]
END
    awk '/^  [a-z]/ { still = $1 == "still:" }
        still { sub("allow: staff", "allow: servers") } 1' \
        "$authority" >"$run/c.yaml"
    sed 's/^tenants:/nonsense:/' "$authority" >"$run/bad.yaml"
}

# reload FILE ROUTER...: of all that are named, at the same time.
reload() {
    local router file=$1
    local -a pids=()
    for router in "${@:2}"; do
        net_ctl "$router" reload "$run/$file" >"$run/reload-$router.out" 2>&1 &
        pids+=($!)
    done
    for router in "${pids[@]}"; do
        wait "$router" || return
    done
}

row_config() {
    local i=0 seconds=8 failures=0 start
    [[ -n $long ]] && seconds=60
    network_up
    configs_write
    routers_start
    load_port=7001
    load_start still $((seconds + 10)) --tcp=6 --udp=4 --hung=5
    load_port=7000
    load_start config $((seconds + 4)) "${sessions[@]}"
    start=$(clock)
    # A slow machine takes fewer: what is looked at has its time.
    while (($(clock) < start + 1000 * seconds)); do
        if ((i++ % 2)); then file=a.yaml; else file=b.yaml; fi
        reload "$file" "${NET_ROUTERS[@]}" || failures=$((failures + 1))
        while (($(clock) < start + 100 * i)); do
            sleep 0.01
        done
    done
    note "$i times in $(($(clock) - start)) ms"
    check "every configuration was taken by every router" test "$failures" -eq 0
    refuse "a file with an error is refused" reload bad.yaml branch
    check "in c.yaml the service \"still\" is open to nobody" \
        reload c.yaml "${NET_ROUTERS[@]}"
    load_wait still
    check "its sessions have ended: those that send are reset" load_is still \
        '.tcp.completed == 0 and .tcp.reset >= 4 and .udp.alive == 0'
    load_end config
    load_lives config 100
    check "config: not one datagram is lost" load_is config \
        '.udp.received == .udp.expected'
    check "no pathway has gone down" no_flaps
    routers_end
}
