/* What can be asked of a node. */
#include "node/node.h"

const char *svr_drop_name(enum svr_drop reason)
{
    switch (reason) {
#define X(name, id, text) \
    case SVR_DROP_##name: \
        return id;
        SVR_DROP_MAP(X)
#undef X
    case SVR_DROP_NONE:
    case SVR_DROP_COUNT:
        break;
    }
    return "none";
}

const char *svr_drop_text(enum svr_drop reason)
{
    switch (reason) {
#define X(name, id, text) \
    case SVR_DROP_##name: \
        return text;
        SVR_DROP_MAP(X)
#undef X
    case SVR_DROP_NONE:
    case SVR_DROP_COUNT:
        break;
    }
    return "not dropped";
}

enum svr_drop svr__drop_of_error(int err)
{
    switch (err) {
    case SVR_ERR_TRUNCATED:
        return SVR_DROP_TRUNCATED;
    case SVR_ERR_VERSION:
        return SVR_DROP_VERSION;
    case SVR_ERR_CHECKSUM:
        return SVR_DROP_IP_CHECKSUM;
    case SVR_ERR_MARTIAN:
        return SVR_DROP_MARTIAN;
    case SVR_ERR_FRAGMENT:
        return SVR_DROP_FRAGMENT;
    case SVR_ERR_UNSUPPORTED:
        return SVR_DROP_UNSUPPORTED;
    default:
        return SVR_DROP_LENGTH;
    }
}

enum svr_drop svr__drop_of_metadata_error(int err)
{
    switch (err) {
    case SVR_ERR_TRUNCATED:
        return SVR_DROP_MD_TRUNCATED;
    case SVR_ERR_VERSION:
        return SVR_DROP_MD_VERSION;
    case SVR_ERR_LENGTH:
        return SVR_DROP_MD_LENGTH;
    default:
        return SVR_DROP_MD_TLV;
    }
}

void svr_node_counters(const svr_node *n, svr_counters *out)
{
    *out = n->counters;
    out->reassembly_lost =
        svr_reassembly_lost(n->fabric) + svr_reassembly_lost(n->clients);
    out->aliases_refused = n->table.aliases.refused;
}

void svr_node_lost(svr_node *n, const svr_packet *pkt, enum svr_drop reason)
{
    if (pkt->originated) {
        n->counters.originated--;
        n->counters.originated_lost++;
        return;
    }
    n->counters.forwarded--;
    n->counters.dropped[reason]++;
}

void svr_node_held(svr_node *n, const svr_packet *pkt, int change)
{
    if (pkt->originated)
        return;
    n->counters.held += (uint64_t)change;
    n->counters.forwarded -= (uint64_t)change;
}

static svr_side_info side_info(const svr_node *n, const svr__session *s,
                               unsigned side)
{
    const svr__side *at = &s->side[side];
    svr_side_info info = {
        .interface = n->interfaces[at->iface].config.name,
        .waypoints = svr__side_tuple(n, s, side),
        .metadata = svr_session_state_name(&s->machine, side),
    };
    if (at->pathway != SVR__NO_PATHWAY) {
        const svr__pathway *pw = &n->pathways[at->pathway];
        info.pathway = pw->name;
        info.peer = n->peers[pw->peer].name;
    }
    return info;
}

void svr__session_info(const svr_node *n, const svr__session *s,
                       svr_session_info *out)
{
    *out = (svr_session_info){
        .uuid = s->uuid,
        .tenant = svr_policy_tenant_name(n->policy, s->tenant),
        .service = svr_policy_service_name(n->policy, s->service),
        .role = svr_session_role(&s->machine),
        .state = svr_life_name(&s->machine.life),
        .context = s->context,
        .client = side_info(n, s, SVR__CLIENT),
        .server = side_info(n, s, SVR__SERVER),
        .created = s->created,
        .expires = svr__session_idle_due(n, s),
    };
    for (unsigned side = 0; side < 2; side++) {
        const svr__flow *f = svr__session_flow(&n->table, s, side);
        out->packets[side] = f->packets;
        out->bytes[side] = f->bytes;
    }
}

int svr_node_session_next(const svr_node *n, size_t *cursor,
                          svr_session_info *out)
{
    while (*cursor < n->table.cap) {
        const svr__session *s = &n->table.sessions[(*cursor)++];
        if (s->alive) {
            svr__session_info(n, s, out);
            return 1;
        }
    }
    return 0;
}

size_t svr_node_session_count(const svr_node *n)
{
    return n->table.count;
}

size_t svr_node_session_limit(const svr_node *n)
{
    return n->table.cap;
}

static void describe_unwatched(const svr__pathway *pw, svr_pathway_info *out)
{
    *out = (svr_pathway_info){
        .state = pw->up ? SVR_BFD_UP : SVR_BFD_ADMIN_DOWN,
    };
}

void svr__pathway_info(const svr_node *n, const svr__pathway *pw,
                       svr_node_pathway *out, svr_time now)
{
    *out = (svr_node_pathway){
        .name = pw->name,
        .peer = n->peers[pw->peer].name,
        .interface = n->interfaces[pw->iface].config.name,
        .security = n->securities[pw->security].name,
        .local = pw->local,
        .remote = pw->configured,
        .unwatched = !pw->watch,
        .sessions = pw->sessions,
    };
    const svr_path_edge *e = &n->choices.edges[pw - n->pathways];
    out->vector = svr_policy_vector_name(n->policy, e->vector);
    out->cost = e->cost;
    out->capacity = e->capacity == UINT32_MAX ? 0 : e->capacity;
    if (pw->watch)
        svr_pathway_describe(pw->watch, &out->info, now);
    else
        describe_unwatched(pw, &out->info);
}

int svr_node_pathway_next(const svr_node *n, size_t *cursor,
                          svr_node_pathway *out, svr_time now)
{
    if (*cursor >= n->pathway_count)
        return 0;
    svr__pathway_info(n, &n->pathways[(*cursor)++], out, now);
    return 1;
}
