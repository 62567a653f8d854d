#include "authority.h"

#include "mesh.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void give_up(const char *what, const char *where)
{
    fprintf(stderr, "sim: %s: ", where);
    perror(what);
    exit(1);
}

static const char *text(const svr_addr *a)
{
    static char buf[INET6_ADDRSTRLEN];
    bool v4 = svr_addr_is_v4(a);

    inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->b + 12 : a->b, buf, sizeof(buf));
    return buf;
}

void authority_name(char name[8], size_t router)
{
    snprintf(name, 8, "r%03u", (unsigned)router % 1000);
}

static void write_port(FILE *out, const struct topology *t, size_t router,
                       size_t port)
{
    const struct port_plan *p = &t->sites[router].ports[port];
    svr_addr own = p->nat ? address_inside(p->segment)
                          : address_station(t, p->segment, p->station);
    svr_addr gateway = p->nat ? address_inside_gateway(p->segment)
                              : address_gateway(p->segment);

    fprintf(out, "      wan%zu: { kind: tap, device: w%zu.%zu, ", port, router,
            port);
    if (!svr_addr_is_v4(&own)) {
        fprintf(out, "address: \"%s/64\" }\n", text(&own));
        return;
    }
    fprintf(out, "address: %s/%d, ", text(&own), p->nat ? 24 : 16);
    fprintf(out, "gateway: %s }\n", text(&gateway));
}

/* What policies choose pathways by. */
static const char *rank_text(const struct topology *t, const struct lane *l)
{
    static char buf[64];

    buf[0] = '\0';
    if (t->policies)
        snprintf(buf, sizeof(buf), "vector: %s, cost: %u, ",
                 mesh_vectors[l->vector], l->cost);
    return buf;
}

static void write_pathway(FILE *out, const struct topology *t, size_t i,
                          int end)
{
    const struct lane *l = &t->lanes[i];
    const struct port_plan *far =
        &t->sites[l->router[!end]].ports[l->port[!end]];
    svr_addr remote = far->nat ? address_inside(l->segment)
                               : address_station(t, l->segment, far->station);
    char peer[8];

    authority_name(peer, l->router[!end]);
    fprintf(out,
            "      p%zu: { interface: wan%u, peer: %s, remote: \"%s\", %s"
            "security: s%d%d, tcp-as-udp: %s, bfd: { interval: %ums, required: "
            "%ums, multiplier: %u, hold-down: %ums } }\n",
            i, l->port[end], peer, text(&remote), rank_text(t, l),
            l->per_packet, l->timed, l->masked[end] ? "always" : "never",
            t->interval_ms, t->interval_ms, t->multiplier, t->hold_down_ms);
}

static void write_router(FILE *out, const struct topology *t, size_t router)
{
    svr_addr lan = address_lan(router, false);
    char name[8];

    authority_name(name, router);
    fprintf(out, "  %s:\n    interfaces:\n", name);
    fprintf(out,
            "      lan0: { kind: tap, device: l%zu, tenant: %s.corp, address: "
            "[%s/16, ",
            router, name, text(&lan));
    lan = address_lan(router, true);
    fprintf(out, "\"%s/64\"] }\n", text(&lan));
    for (size_t i = 0; i < t->sites[router].port_count; i++)
        write_port(out, t, router, i);
    fprintf(out, "    pathways:\n");
    for (size_t i = 0; i < t->lane_count; i++)
        for (int end = 0; end < 2; end++)
            if (t->lanes[i].router[end] == router)
                write_pathway(out, t, i, end);
}

/* Servers have the upper half of each LAN. */
static void write_service(FILE *out, size_t router, const char *kind,
                          const char *transports, const char *policy)
{
    svr_addr v4 = address_lan(router, false), v6 = address_lan(router, true);
    char name[8];

    authority_name(name, router);
    v4.b[14] = v6.b[8] = 128;
    v4.b[15] = v6.b[15] = 0;
    fprintf(out, "  %s.%s:\n    prefixes: [%s/17, ", kind, name, text(&v4));
    fprintf(out,
            "\"%s/65\"]\n"
            "    transports: [%s]\n"
            "    access: [{ allow: corp }]\n"
            "    policy: %s\n"
            "    routes: [{ router: %s, interface: lan0 }]\n",
            text(&v6), transports, policy, name);
}

#define PINGS "{ protocol: icmp }, { protocol: icmpv6 }"
#define TUNNELS "{ protocol: gre }"

/* All kinds under one policy. */
static void write_apps(FILE *out, const struct topology *t, size_t router)
{
    char ports[256], policy[32];

    if (!t->sites[router].serves)
        return;
    snprintf(ports, sizeof(ports),
             "{ protocol: tcp, ports: %d }, { protocol: udp, ports: \"%d-%d\" "
             "}, " PINGS ", " TUNNELS,
             SERVICE_TCP_PORT, SERVICE_UDP_PORT, SERVICE_UDP_PORT + 99);
    snprintf(policy, sizeof(policy), "path%td",
             topology_policy(t, router) - t->policies);
    write_service(out, router, "apps", ports, policy);
}

static const char *policy_of(const struct topology *t, enum service service)
{
    return t->moves[service] ? "moves" : "stays";
}

static void write_services(FILE *out, const struct topology *t, size_t router)
{
    char ports[128];

    snprintf(ports, sizeof(ports), "{ protocol: tcp, ports: %d }",
             SERVICE_TCP_PORT);
    write_service(out, router, "web", ports, policy_of(t, SERVICE_WEB));
    snprintf(ports, sizeof(ports), "{ protocol: udp, ports: \"%d-%d\" }",
             SERVICE_UDP_PORT, SERVICE_UDP_PORT + 99);
    write_service(out, router, "voice", ports, policy_of(t, SERVICE_VOICE));
    write_service(out, router, "ping", PINGS, policy_of(t, SERVICE_PING));
    write_service(out, router, "tunnel", TUNNELS, policy_of(t, SERVICE_TUNNEL));
}

/* S11.4: CBC goes with a tag on each packet only. */
static void write_securities(FILE *out, const struct topology *t)
{
    const char *cipher = t->cipher ? t->cipher : "none";
    int least = strstr(cipher, "cbc") != NULL;

    fputs("security-policies:\n", out);
    for (int per_packet = least; per_packet < 2; per_packet++)
        for (int timed = 0; timed < 2; timed++)
            fprintf(out,
                    "  s%d%d: { key: sim.key, mode: %s, sign: %s, "
                    "cipher: %s }\n",
                    per_packet, timed, timed ? "time-based" : "regular",
                    per_packet ? "per-packet" : "metadata-only", cipher);
}

static void write_authority(FILE *out, const struct topology *t)
{
    const char *moves = t->stays     ? "none"
                        : t->returns ? "revertible-failover"
                                     : "failover";

    /* What TCP carries here is no TLS, so nothing of it may be seen. */
    const char *encrypt = t->clear || !t->cipher ? "never"
                          : t->returns           ? "adaptive"
                                                 : "always";

    fputs("authority: sim\nrouters:\n", out);
    for (size_t i = 0; i < t->site_count; i++)
        write_router(out, t, i);
    write_securities(out, t);
    fputs("tenants: [corp", out);
    for (size_t i = 0; i < t->site_count; i++) {
        char name[8];
        authority_name(name, i);
        fprintf(out, ", %s.corp", name);
    }
    fputs("]\nservices:\n", out);
    for (size_t i = 0; i < t->site_count; i++)
        if (t->policies)
            write_apps(out, t, i);
        else
            write_services(out, t, i);
    fprintf(out,
            "service-policies:\n"
            "  stays: { resiliency: none, encrypt: %s }\n"
            "  moves: { resiliency: %s, encrypt: %s }\n",
            encrypt, moves, encrypt);
    for (size_t i = 0; i < t->policy_count; i++)
        fprintf(out, "  path%zu: { %sresiliency: %s, encrypt: %s }\n", i,
                t->policies[i].text,
                t->stays                 ? "none"
                : t->policies[i].returns ? "revertible-failover"
                                         : "failover",
                encrypt);
    fprintf(out,
            "timeouts: { tcp: %us, udp: %us, other: %us }\n"
            "limits: { sessions: %zu }\n",
            t->tcp_s, t->udp_s, t->udp_s, t->sessions);
}

static FILE *create(const char *path)
{
    FILE *out = fopen(path, "w");

    if (!out || chmod(path, 0600) != 0)
        give_up("cannot be written", path);
    return out;
}

static void close_file(FILE *out, const char *path)
{
    if (fclose(out) != 0)
        give_up("cannot be written", path);
}

void authority_open(struct authority *a, const struct topology *t)
{
    char key[64];
    FILE *out;

    strcpy(a->folder, "/tmp/svr-sim-XXXXXX");
    if (!mkdtemp(a->folder))
        give_up("no folder", a->folder);
    snprintf(a->file, sizeof(a->file), "%s/authority.yaml", a->folder);
    snprintf(key, sizeof(key), "%s/sim.key", a->folder);
    out = create(a->file);
    write_authority(out, t);
    close_file(out, a->file);
    out = create(key);
    for (int i = 0; i < SVR_KEY_SIZE; i++)
        fprintf(out, "%02x", i * 7);
    fputc('\n', out);
    close_file(out, key);
}

void authority_close(struct authority *a)
{
    char key[64];

    snprintf(key, sizeof(key), "%s/sim.key", a->folder);
    unlink(key);
    unlink(a->file);
    rmdir(a->folder);
}

struct config *authority_load(const struct authority *a, size_t router)
{
    struct config *c;
    char name[8];

    authority_name(name, router);
    c = config_load(a->file, name, NULL, stderr);
    if (!c)
        exit(1);
    return c;
}
