#include "report.h"

#include "common/hex.h"
#include "common/text.h"
#include "neighbour.h"
#include "report_explain.h"
#include "report_keys.h"
#include "report_limits.h"
#include "report_topology.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *text(const char *s)
{
    return s != NULL ? json_string(s) : json_null();
}

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *addr(const svr_addr *a)
{
    char buf[TEXT_ADDR];

    return json_string(text_addr(buf, a));
}

static json_t *seconds(svr_time from, svr_time to)
{
    return number(to > from ? (to - from) / SVR_SECOND : 0);
}

json_t *report_configuration(const struct config *c)
{
    json_t *o = json_object();

    json_object_set_new(o, "file", text(c->file));
    json_object_set_new(o, "hash", text(c->hash));
    return o;
}

/* Status */

static json_t *interface_addresses(const svr_interface_config *interface)
{
    json_t *list = json_array();
    char buf[TEXT_PREFIX];

    for (size_t i = 0; i < interface->address_count; i++)
        json_array_append_new(
            list, json_string(text_prefix(buf, &interface->addresses[i])));
    return list;
}

static json_t *interface_status(const struct port *p)
{
    json_t *o = json_object();

    json_object_set_new(o, "name", text(p->interface->name));
    json_object_set_new(o, "kind", text(port_kind_name(p->config->kind)));
    json_object_set_new(o, "device", text(p->config->device));
    json_object_set_new(o, "addresses", interface_addresses(p->interface));
    json_object_set_new(o, "mtu", number(p->interface->mtu));
    json_object_set_new(o, "failed", json_boolean(p->failed));
    return o;
}

/* What is fixed of a pathway, and its state. */
static json_t *pathway_status(const svr_node_pathway *pathway)
{
    json_t *o = json_object();

    json_object_set_new(o, "name", text(pathway->name));
    json_object_set_new(o, "interface", text(pathway->interface));
    json_object_set_new(o, "peer", text(pathway->peer));
    json_object_set_new(o, "local", addr(&pathway->local));
    json_object_set_new(o, "remote", addr(&pathway->remote));
    json_object_set_new(o, "security", text(pathway->security));
    json_object_set_new(o, "state",
                        text(svr_bfd_state_name(pathway->info.state)));
    return o;
}

static json_t *pathways_status(const svr_node *node, svr_time now)
{
    json_t *list = json_array();
    svr_node_pathway pathway;
    size_t cursor = 0;

    while (svr_node_pathway_next(node, &cursor, &pathway, now) > 0)
        json_array_append_new(list, pathway_status(&pathway));
    return list;
}

/* Which algorithms, and which library's: never keys. */
static json_t *securities_status(const svr_node_config *node)
{
    json_t *list = json_array();

    for (size_t i = 0; i < node->security_count; i++) {
        const svr_security_config *s = &node->securities[i];
        json_t *o = json_object();

        json_object_set_new(o, "name", text(s->name));
        json_object_set_new(o, "key",
                            text(s->exchanged ? "exchanged" : "file"));
        json_object_set_new(o, "hmac", text(s->hmac->name));
        json_object_set_new(o, "hmac_provider", text(s->hmac->provider));
        json_object_set_new(o, "cipher",
                            text(s->cipher ? s->cipher->name : "none"));
        json_object_set_new(o, "cipher_provider",
                            text(s->cipher ? s->cipher->provider : ""));
        json_array_append_new(list, o);
    }
    return list;
}

/* The public half, or null. */
static json_t *identity(const svr_identity *id)
{
    char digits[2 * SVR_IDENTITY_SIZE + 1];

    if (id == NULL)
        return json_null();
    hex_encode(digits, id->public_key, SVR_IDENTITY_SIZE);
    return text(digits);
}

static json_t *configuration_status(const struct report *r, svr_time now)
{
    json_t *o = report_configuration(r->config);

    json_object_set_new(o, "age_s", seconds(r->loaded, now));
    return o;
}

static json_t *status_data(const struct report *r, svr_time now)
{
    const svr_node_config *node = &r->config->node;
    json_t *interfaces = json_array();
    json_t *o = json_object();

    for (size_t i = 0; i < r->port_count; i++)
        json_array_append_new(interfaces, interface_status(r->ports[i]));
    json_object_set_new(o, "version", text(svr_version()));
    json_object_set_new(o, "router", text(r->config->router));
    json_object_set_new(o, "authority", text(r->config->authority));
    json_object_set_new(o, "identity", identity(node->identity));
    json_object_set_new(o, "pid", number((uint64_t)getpid()));
    json_object_set_new(o, "uptime_s", seconds(r->started, now));
    json_object_set_new(o, "boot", number(node->boot));
    json_object_set_new(o, "configuration", configuration_status(r, now));
    json_object_set_new(o, "sessions", number(svr_node_session_count(r->node)));
    json_object_set_new(o, "session_limit",
                        number(svr_node_session_limit(r->node)));
    json_object_set_new(o, "interfaces", interfaces);
    json_object_set_new(o, "pathways", pathways_status(r->node, now));
    json_object_set_new(o, "securities", securities_status(node));
    return o;
}

/* Counters */

static json_t *port_counters(const struct port *p)
{
    json_t *o = json_object();

#define X(name) json_object_set_new(o, #name, number(p->counters.name));
    PORT_COUNTER_MAP(X)
#undef X
    return o;
}

static json_t *neighbour_counters(const struct neighbours *t)
{
    const struct neighbour_counters *c = neighbours_counters(t);
    json_t *o = json_object();

    json_object_set_new(o, "known", number(neighbours_known(t)));
    json_object_set_new(o, "held", number(neighbours_held(t)));
#define X(name) json_object_set_new(o, #name, number(c->name));
    NEIGHBOUR_COUNTER_MAP(X)
#undef X
    return o;
}

static json_t *drop_counters(const svr_counters *c)
{
    json_t *o = json_object();

    for (int i = SVR_DROP_NONE + 1; i < SVR_DROP_COUNT; i++)
        json_object_set_new(o, svr_drop_name((enum svr_drop)i),
                            number(c->dropped[i]));
    return o;
}

/* X(name): counters of the node that are plain numbers. */
#define NODE_COUNTER_MAP(X) \
    X(received)             \
    X(forwarded)            \
    X(consumed)             \
    X(held)                 \
    X(originated)           \
    X(originated_lost)      \
    X(cut)                  \
    X(split)                \
    X(reassembled)          \
    X(reassembly_lost)      \
    X(sessions_created)     \
    X(sessions_ended)       \
    X(sessions_moved)       \
    X(copies_sent)          \
    X(metadata_sent)        \
    X(metadata_received)    \
    X(control_sent)         \
    X(control_received)     \
    X(bfd_sent)             \
    X(bfd_received)         \
    X(aliases_refused)      \
    X(ports_exhausted)      \
    X(peer_restarts)        \
    X(unknown_attributes)

static json_t *counters_data(const struct report *r)
{
    json_t *ports = json_object();
    json_t *o = json_object();
    svr_counters c;

    svr_node_counters(r->node, &c);
#define X(name) json_object_set_new(o, #name, number(c.name));
    NODE_COUNTER_MAP(X)
#undef X
    json_object_set_new(o, "dropped", drop_counters(&c));
    json_object_set_new(o, "exchange", report_exchange(&c));
    for (size_t i = 0; i < r->port_count; i++) {
        const struct port *p = r->ports[i];
        json_t *port = port_counters(p);

        if (p->neighbours != NULL)
            json_object_set_new(port, "neighbours",
                                neighbour_counters(p->neighbours));
        json_object_set_new(ports, p->interface->name, port);
    }
    json_object_set_new(o, "ports", ports);
    return o;
}

/* Sessions */

static json_t *tuple(json_t *o, const svr_tuple *t)
{
    char proto[TEXT_PROTO];

    json_object_set_new(o, "src", addr(&t->src));
    json_object_set_new(o, "dst", addr(&t->dst));
    json_object_set_new(o, "sport", number(t->sport));
    json_object_set_new(o, "dport", number(t->dport));
    json_object_set_new(o, "proto", json_string(text_proto(proto, t->proto)));
    return o;
}

static void add_waypoints(json_t *list, const char *name,
                          const svr_side_info *side)
{
    json_t *o;

    if (side->pathway == NULL)
        return;
    o = json_object();
    json_object_set_new(o, "side", text(name));
    json_object_set_new(o, "pathway", text(side->pathway));
    json_object_set_new(o, "peer", text(side->peer));
    json_array_append_new(list, tuple(o, &side->waypoints));
}

static json_t *pair(const char *first, json_t *a, const char *second, json_t *b)
{
    json_t *o = json_object();

    json_object_set_new(o, first, a);
    json_object_set_new(o, second, b);
    return o;
}

json_t *report_session(const svr_session_info *s, svr_time now)
{
    json_t *waypoints = json_array();
    json_t *o = json_object();
    char uuid[TEXT_UUID];
    bool there = s->state != NULL; /* not one that was refused */

    add_waypoints(waypoints, "client", &s->client);
    add_waypoints(waypoints, "server", &s->server);
    json_object_set_new(o, "uuid", json_string(text_uuid(uuid, &s->uuid)));
    json_object_set_new(o, "tenant", text(s->tenant));
    json_object_set_new(o, "service", text(s->service));
    if (there)
        json_object_set_new(o, "role", text(svr_role_name(s->role)));
    json_object_set_new(o, "context", tuple(json_object(), &s->context));
    json_object_set_new(o, "waypoints", waypoints);
    json_object_set_new(o, "interfaces",
                        pair("client", text(s->client.interface), "server",
                             text(s->server.interface)));
    json_object_set_new(o, "state", text(s->state));
    json_object_set_new(o, "metadata",
                        pair("client", text(s->client.metadata), "server",
                             text(s->server.metadata)));
    if (there) {
        json_object_set_new(o, "age_s", seconds(s->created, now));
        json_object_set_new(o, "expires_s", seconds(now, s->expires));
    }
    json_object_set_new(o, "packets",
                        pair("forward", number(s->packets[0]), "reverse",
                             number(s->packets[1])));
    json_object_set_new(
        o, "bytes",
        pair("forward", number(s->bytes[0]), "reverse", number(s->bytes[1])));
    return o;
}

static json_t *next_session(const struct report *r, size_t *cursor,
                            svr_time now)
{
    svr_session_info info;

    return svr_node_session_next(r->node, cursor, &info) > 0
               ? report_session(&info, now)
               : NULL;
}

/* Pathways */

static json_t *quality(const svr_pathway_info *info)
{
    const svr_quality *q = &info->quality;

    if (!info->measured)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:f, s:b}", "loss_ppm",
                     number(q->loss_ppm), "latency_us", number(q->latency_us),
                     "jitter_us", number(q->jitter_us), "mos", q->mos / 1000.0,
                     "by_traffic", (int)info->by_traffic);
}

/* Where an end is seen that stands behind a NAT. */
static json_t *nat(bool there, const svr_bfd_endpoint *seen)
{
    return there ? json_pack("{s:o, s:o}", "addr", addr(&seen->addr), "port",
                             number(seen->port))
                 : json_null();
}

json_t *report_path(const svr_node_pathway *pathway, svr_time now)
{
    const svr_pathway_info *info = &pathway->info;
    json_t *o = pathway_status(pathway);

    json_object_set_new(o, "since_s", seconds(info->since, now));
    json_object_set_new(o, "ready", json_boolean(info->ready));
    json_object_set_new(o, "flaps", number(info->flaps));
    json_object_set_new(o, "reason", text(svr_bfd_diag_name(info->reason)));
    json_object_set_new(o, "quality", quality(info));
    json_object_set_new(o, "mtu", number(info->mtu));
    json_object_set_new(o, "nat",
                        pair("own", nat(info->own_nat, &info->observed), "peer",
                             nat(info->peer_nat, &info->peer)));
    json_object_set_new(o, "tcp_as_udp", json_boolean(info->tcp_as_udp));
    json_object_set_new(o, "peer_boot", number(info->peer_boot_counter));
    json_object_set_new(o, "sessions", number(pathway->sessions));
    json_object_set_new(o, "vector", text(pathway->vector));
    json_object_set_new(o, "cost", number(pathway->cost));
    json_object_set_new(o, "capacity",
                        pathway->capacity ? number(pathway->capacity)
                                          : json_null());
    return o;
}

static json_t *next_path(const struct report *r, size_t *cursor, svr_time now)
{
    svr_node_pathway pathway;
    json_t *o;

    if (svr_node_pathway_next(r->node, cursor, &pathway, now) <= 0)
        return NULL;
    o = report_path(&pathway, now);
    json_object_set_new(o, "beyond", report_beyond(r, &pathway.info));
    return o;
}

static json_t *next_key(const struct report *r, size_t *cursor, svr_time now)
{
    svr_node_key key;

    return svr_node_key_next(r->node, cursor, &key, now) > 0
               ? report_key(&key, now)
               : NULL;
}

/* Requests */

json_t *report_document(const char *schema, json_t *data)
{
    return json_pack("{s:s, s:o}", "schema", schema, "data", data);
}

json_t *report_error(const char *message)
{
    return report_document("svr.error/1",
                           json_pack("{s:s}", "message", message));
}

/* Lists that come in pieces: the next entry, or NULL. */
typedef json_t *next_fn(const struct report *r, size_t *cursor, svr_time now);

static json_t *piece(const struct report *r, next_fn *next, size_t *cursor,
                     svr_time now)
{
    json_t *list = json_array();
    json_t *o;

    while (json_array_size(list) < REPORT_PIECE &&
           (o = next(r, cursor, now)) != NULL)
        json_array_append_new(list, o);
    return list;
}

static json_t *list_document(const struct report *r, const json_t *request,
                             const char *schema, next_fn *next, svr_time now)
{
    const json_t *from = json_object_get(request, "cursor");
    json_int_t at = json_integer_value(from);
    size_t cursor = (size_t)at;
    json_t *list;
    json_t *o;

    if ((from != NULL && !json_is_integer(from)) || at < 0)
        return report_error("cursor must be a number from an answer");
    list = piece(r, next, &cursor, now);
    o = report_document(schema, list);
    if (json_array_size(list) == REPORT_PIECE)
        json_object_set_new(o, "next", number(cursor));
    return o;
}

static json_t *pathway_document(const struct report *r, const json_t *request,
                                svr_time now)
{
    const char *name = json_string_value(json_object_get(request, "name"));
    const json_t *down = json_object_get(request, "down");

    if (name == NULL || !json_is_boolean(down))
        return report_error("a pathway needs its name, and down as true or "
                            "false");
    if (svr_node_pathway_admin(r->node, name, json_is_true(down), now) < 0)
        return report_error("there is no pathway of that name");
    return report_document(
        "svr.pathway/1",
        json_pack("{s:s, s:b}", "name", name, "down", (int)json_is_true(down)));
}

static json_t *answer(const struct report *r, const json_t *request,
                      svr_time now)
{
    const char *command =
        json_string_value(json_object_get(request, "command"));

    if (command == NULL)
        return report_error("a request is {\"command\": \"…\"} on one line");
    if (strcmp(command, "status") == 0)
        return report_document("svr.status/1", status_data(r, now));
    if (strcmp(command, "counters") == 0)
        return report_document("svr.counters/1", counters_data(r));
    if (strcmp(command, "sessions") == 0)
        return list_document(r, request, "svr.sessions/1", next_session, now);
    if (strcmp(command, "paths") == 0)
        return list_document(r, request, "svr.paths/1", next_path, now);
    if (strcmp(command, "keys") == 0)
        return list_document(r, request, "svr.keys/1", next_key, now);
    if (strcmp(command, "explain") == 0)
        return report_explain(r, request, now);
    if (strcmp(command, "topology") == 0)
        return list_document(r, request, "svr.topology/1", report_topology,
                             now);
    if (strcmp(command, "rekey") == 0)
        return report_rekey(r, request, now);
    if (strcmp(command, "pathway") == 0)
        return pathway_document(r, request, now);
    return report_error(
        "the commands are \"status\", \"sessions\", "
        "\"paths\", \"topology\", \"explain\", \"keys\", \"counters\", "
        "\"pathway\", \"rekey\", \"reload\", \"diff\" and \"events\"");
}

char *report_line(const json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT);
    size_t len = text != NULL ? strlen(text) : 0;
    char *line = realloc(text, len + 2);

    if (text == NULL || line == NULL) {
        free(line != NULL ? line : text);
        return NULL;
    }
    line[len] = '\n';
    line[len + 1] = '\0';
    return line;
}

char *report_answer(const struct report *r, const char *line, size_t len,
                    svr_time now)
{
    json_t *request = json_loadb(line, len, 0, NULL);
    json_t *o = answer(r, request, now);
    char *out = report_line(o);

    json_decref(request);
    json_decref(o);
    return out;
}
