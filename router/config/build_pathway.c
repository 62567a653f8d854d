#include "build.h"
#include "check.h"
#include "key.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The values that a router's pathways name with one of their keys, each once,
 * in the order of their first mention. */
struct mentions {
    const struct value **list;
    size_t count;
    uint16_t *by_pathway; /* for each pathway its value's place in the list */
};

static uint16_t mention(struct mentions *m, const struct value *v)
{
    size_t i = 0;

    while (i < m->count && m->list[i] != v)
        i++;
    if (i == m->count)
        m->list[m->count++] = v;
    return (uint16_t)i;
}

static bool collect(struct builder *b, struct mentions *m, unsigned key,
                    const struct value *among)
{
    const struct value *pathways = value_of(b->router, ROUTER_PATHWAYS);

    m->count = 0;
    m->list = build_array(b, pathways->count, sizeof(struct value *));
    m->by_pathway = build_array(b, pathways->count, sizeof(*m->by_pathway));
    if (!m->list || !m->by_pathway)
        return false;
    for (size_t i = 0; i < pathways->count; i++) {
        const char *name = value_of(&pathways->items[i], key)->text;

        m->by_pathway[i] = mention(m, value_find(among, name));
    }
    return true;
}

char *build_key_path(const struct builder *b, const char *file)
{
    size_t len = strlen(b->keys) + 1 + strlen(file) + 1;
    char *path = malloc(len);

    if (path)
        snprintf(path, len, "%s%s%s", file[0] == '/' ? "" : b->keys,
                 file[0] == '/' ? "" : "/", file);
    return path;
}

static bool read_key_of(struct builder *b, const struct value *security,
                        uint8_t key[SVR_KEY_SIZE])
{
    const struct value *file = value_of(security, SECURITY_KEY);
    char *path = build_key_path(b, file->text);
    bool ok =
        path && key_read(key, path, value_of(b->root, ROOT_AUTHORITY)->text,
                         b->opener, b->report, file->at);

    free(path);
    return ok;
}

static bool build_security(struct builder *b, const struct value *security,
                           svr_security_config *out)
{
    *out = (svr_security_config){
        .name = build_text(b, security->text),
        .hmac = svr_hmac_find(suites_more(),
                              value_of(security, SECURITY_HMAC)->text),
        .cipher = svr_cipher_find(suites_more(),
                                  value_of(security, SECURITY_CIPHER)->text),
        .mode = (enum svr_hmac_mode)value_of(security, SECURITY_MODE)->number,
        .per_packet =
            value_of(security, SECURITY_SIGN)->number == SIGN_PER_PACKET,
        .bind_tcp = value_of(security, SECURITY_BIND_TCP)->number,
        .exchanged = security_is_exchanged(security),
    };
    return out->name && out->hmac &&
           (out->exchanged || read_key_of(b, security, out->key));
}

/* All of them are looked at, so that all problems of key files are told. */
static bool build_securities(struct builder *b, const struct mentions *m)
{
    svr_node_config *node = &b->out->config.node;
    svr_security_config *securities;
    bool ok = true;

    if (m->count == 0)
        return true;
    securities = svr_secret_alloc(m->count * sizeof(*securities));
    b->out->securities = securities;
    if (!securities)
        return false;
    for (size_t i = 0; i < m->count; i++)
        ok &= build_security(b, m->list[i], &securities[i]);
    node->securities = securities;
    node->security_count = m->count;
    return ok;
}

static bool build_peers(struct builder *b, const struct mentions *m)
{
    svr_peer_config *peers = build_array(b, m->count, sizeof(*peers));

    if (!peers)
        return false;
    for (size_t i = 0; i < m->count; i++) {
        peers[i].name = build_text(b, m->list[i]->text);
        if (!peers[i].name || !build_peer_identity(b, m->list[i], &peers[i]))
            return false;
    }
    b->out->config.node.peers = peers;
    b->out->config.node.peer_count = m->count;
    return true;
}

static uint32_t microseconds(const struct value *duration)
{
    return (uint32_t)(duration->number / (SVR_MILLISECOND / 1000));
}

static void build_watch(const struct value *bfd, svr_pathway_config *out)
{
    svr_pathway_settings *watch = &out->watch;
    uint16_t port = (uint16_t)value_of(bfd, BFD_PORT)->number;

    watch->local.port = watch->remote.port = port;
    watch->desired_tx = microseconds(value_of(bfd, BFD_INTERVAL));
    watch->required_rx = microseconds(value_of(bfd, BFD_REQUIRED));
    watch->multiplier = (uint8_t)value_of(bfd, BFD_MULTIPLIER)->number;
    watch->hold_down = value_of(bfd, BFD_HOLD_DOWN)->number;
    watch->peer_multiplier =
        value_of(bfd, BFD_DETECTION)->number == DETECTION_PEER;
    watch->plain = value_of(bfd, BFD_FORM)->number == FORM_PLAIN;
    out->bfd_ttl = (uint8_t)value_of(bfd, BFD_TTL)->number;
}

static svr_port_range build_ports(const struct value *pathway)
{
    const struct value *ports = value_of(pathway, PATHWAY_PORTS);

    return (svr_port_range){ports->ports.first, ports->ports.last};
}

static void build_pathway(struct builder *b, const struct value *pathway,
                          svr_pathway_config *out)
{
    uint64_t tcp_as_udp = value_of(pathway, PATHWAY_TCP_AS_UDP)->number;

    svr_pathway_config_init(out);
    out->iface =
        (uint16_t)value_index(value_of(b->router, ROUTER_INTERFACES),
                              value_of(pathway, PATHWAY_INTERFACE)->text);
    out->local = pathway_local(b->router, pathway)->prefix.addr;
    out->remote = value_of(pathway, PATHWAY_REMOTE)->prefix.addr;
    build_watch(value_of(pathway, PATHWAY_BFD), out);
    out->local_ports = build_ports(pathway);
    out->remote_ports =
        build_ports(pathway_reverse(b->root, b->router, pathway));
    if (value_of(pathway, PATHWAY_RECOVERY)->number == RECOVERY_INACTIVITY)
        out->inactivity =
            (uint8_t)(value_of(pathway, PATHWAY_INACTIVITY)->number /
                      SVR_SECOND);
    out->vector = build_vector_of(b, pathway);
    out->link = build_link_of(b, b->router, pathway);
    out->cost = (uint32_t)value_of(pathway, PATHWAY_COST)->number;
    out->capacity = (uint32_t)value_of(pathway, PATHWAY_CAPACITY)->number;
    out->tcp_as_udp = tcp_as_udp == TCP_AS_UDP_ALWAYS;
    out->watch.tcp_probes = tcp_as_udp == TCP_AS_UDP_PROBE;
}

bool build_pathways(struct builder *b)
{
    const struct value *list = value_of(b->router, ROUTER_PATHWAYS);
    svr_pathway_config *pathways =
        build_array(b, list->count, sizeof(*pathways));
    struct mentions peers, securities;

    if (!pathways ||
        !collect(b, &peers, PATHWAY_PEER, value_of(b->root, ROOT_ROUTERS)) ||
        !collect(b, &securities, PATHWAY_SECURITY,
                 value_of(b->root, ROOT_SECURITY)))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        build_pathway(b, &list->items[i], &pathways[i]);
        pathways[i].name = build_text(b, list->items[i].text);
        pathways[i].peer = peers.by_pathway[i];
        pathways[i].security = securities.by_pathway[i];
        if (!pathways[i].name)
            return false;
    }
    b->out->config.node.pathways = pathways;
    b->out->config.node.pathway_count = list->count;
    return build_peers(b, &peers) && build_securities(b, &securities);
}

bool build_check_keys(struct builder *b)
{
    const struct value *list = value_of(b->root, ROOT_SECURITY);
    uint8_t key[SVR_KEY_SIZE];
    bool ok = true;

    for (size_t i = 0; i < list->count; i++) {
        if (!security_is_exchanged(&list->items[i]))
            ok &= read_key_of(b, &list->items[i], key);
    }
    svr_wipe(key, sizeof(key));
    return ok;
}
