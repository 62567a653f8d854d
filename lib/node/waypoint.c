/*
 * Metadata that arrives on a waypoint (S6.1 to S6.7).
 *
 * Everything is checked before anything is changed: source, lengths, key, tag,
 * replay, attributes, policy. The first failure drops the packet with its own
 * reason and leaves no trace but the counter.
 */
#include "node/node.h"

#include <string.h>

static bool has(const svr_metadata *md, uint64_t bits)
{
    return (md->present & bits) == bits;
}

#define FORWARD_CONTEXT \
    (SVR_HAS(FORWARD_CONTEXT_V4) | SVR_HAS(FORWARD_CONTEXT_V6))
#define REVERSE_CONTEXT \
    (SVR_HAS(REVERSE_CONTEXT_V4) | SVR_HAS(REVERSE_CONTEXT_V6))
#define ICMP_LOCATION (SVR_HAS(ICMP_LOCATION_V4) | SVR_HAS(ICMP_LOCATION_V6))

static bool same_text(svr_span a, const char *b)
{
    return b && a.len == strlen(b) && memcmp(a.data, b, a.len) == 0;
}

/* S6.1: lengths, key, tag, replay, opening. The tag is off afterwards, the
 * block still in place, and md has views into it. False: dropped. */
static bool open_block(svr__work *w, const svr__pathway *pw, svr_metadata *md,
                       size_t *block_len)
{
    svr_node *n = w->node;
    const svr__association *a = &n->associations[pw->association];
    svr__peer *peer = &n->peers[pw->peer];
    enum svr_drop reason;
    svr_block b;

    svr_metadata_init(md);
    int err = svr_block_parse(&b, w->packet->data + w->headers.payload,
                              svr__payload_len(w));
    if (err == 0)
        err = svr_metadata_decode_header(md, &b);
    if (err < 0) {
        svr__drop(w, svr__drop_of_metadata_error(err));
        return false;
    }
    if (!has(md, SVR_HAS(SECURITY_ID) | SVR_HAS(PACKET_NUMBER))) {
        svr__drop(w, SVR_DROP_MD_INCOMPLETE);
        return false;
    }
    if (md->security_id != a->receive.security_id) {
        svr__drop(w, SVR_DROP_KEY);
        return false;
    }
    if (!svr__touch(w))
        return false;
    reason = svr__verify(w, &a->receive_mac, &n->securities[pw->security]);
    *block_len = (size_t)b.header_len + b.payload_len;
    if (reason == SVR_DROP_NONE && *block_len > svr__payload_len(w))
        reason = SVR_DROP_MD_LENGTH; /* the tag was counted as attributes */
    if (reason == SVR_DROP_NONE &&
        !svr_replay_check(&peer->replay, md->packet_number))
        reason = SVR_DROP_REPLAY;
    if (reason != SVR_DROP_NONE) {
        svr__drop(w, reason);
        return false;
    }
    svr_replay_commit(&peer->replay, md->packet_number);
    err = svr_metadata_decode_payload(md, b.data + b.header_len, b.payload_len);
    if (err < 0) {
        svr__drop(w, svr__drop_of_metadata_error(err));
        return false;
    }
    n->counters.metadata_received++;
    n->counters.unknown_attributes += md->unknown;
    return true;
}

/* Takes off the block and the mask. False: dropped. */
static bool strip(svr__work *w, size_t block_len, bool masked)
{
    if (svr_packet_remove(w->packet, &w->headers, block_len) < 0) {
        svr__drop(w, SVR_DROP_MD_LENGTH);
        return false;
    }
    return !masked || svr__unmask(w);
}

/* The same for a packet of a session, which then stands on the session's tuple.
 */
static bool strip_for(svr__work *w, const svr__flow *flow, size_t block_len)
{
    return strip(w, block_len,
                 svr__arrival_flags(w, flow) & SVR__FLOW_MASKED_IN) &&
           svr__relocate(w, flow);
}

/* The machine has heard of the packet. It goes on as its neighbour got it; what
 * came by itself (S6.6) was for this router alone. */
static void go_on(svr__work *w, svr__flow *flow, unsigned actions, bool alone)
{
    svr_node *n = w->node;
    svr__session *s = svr__flow_session(&n->table, flow);
    unsigned side = svr__flow_side(&n->table, flow);
    size_t len = alone ? 0 : svr__payload_len(w);

    s->side[side].tcp_seq = w->headers.tcp_ack;
    s->side[side].tcp_ack = w->headers.tcp_seq + (uint32_t)len;
    svr__session_act(n, s, side, actions, w->now);
    if (alone) {
        svr__session_settle(n, s);
        n->counters.control_received++;
        svr__consume(w);
    } else {
        svr__send_on(w, flow);
    }
}

/* S17: of the copies of a packet only the first goes on. False: dropped. */
static bool is_first_copy(svr__work *w, const svr__flow *flow,
                          const svr_metadata *md)
{
    svr_node *n = w->node;
    const svr__session *s = svr__flow_session(&n->table, flow);
    unsigned side = svr__flow_side(&n->table, flow);

    if (w->alias)
        w->alias->heard = 1;
    if (!has(md, SVR_HAS(COPY_NUMBER)) ||
        svr__copies_first(svr__copies_of(n, s, side), md->copy_number))
        return true;
    svr__drop(w, SVR_DROP_DUPLICATE);
    return false;
}

/* S2.7: signed, but no session metadata: to the handshake it is plain. */
static void pass_block(svr__work *w, svr__flow *flow, const svr_metadata *md,
                       size_t block_len)
{
    svr__session *s = svr__flow_session(&w->node->table, flow);
    unsigned side = svr__flow_side(&w->node->table, flow);

    if (!is_first_copy(w, flow, md))
        return;

    if (strip_for(w, flow, block_len))
        go_on(w, flow,
              svr_session_event(&s->machine, side, SVR_SESSION_PLAIN, w->now),
              false);
}

/* S6.7: whether metadata says of the session what the session is. */
static bool agrees(const svr_node *n, const svr__session *s, unsigned side,
                   const svr_metadata *md)
{
    if (side == SVR__SERVER) {
        svr_tuple back = svr_tuple_reverse(&s->context);
        return (md->present & REVERSE_CONTEXT) &&
               svr_tuple_equal(&md->reverse, &back);
    }
    if (!(md->present & FORWARD_CONTEXT) ||
        !svr_tuple_equal(&md->forward, &s->context))
        return false;
    const char *tenant = svr_policy_tenant_name(n->policy, s->tenant);
    if (has(md, SVR_HAS(TENANT)) ? !same_text(md->tenant, tenant)
                                 : tenant != NULL)
        return false;
    /* A transit knows the service perhaps by its parent's name only. */
    return has(md, SVR_HAS(SERVICE)) &&
           svr_policy_service_nearest(n->policy, md->service) == s->service;
}

static bool usable_address(const svr_addr *a)
{
    if (svr_addr_is_none(a))
        return false;
    if (svr_addr_is_v4(a))
        return a->b[12] != 0 && a->b[12] != 127 && a->b[12] < 224;
    return a->b[0] != 0xff && a->b[0] != 0;
}

/* Whether a packet of this protocol can belong to the context: TCP comes as TCP
 * or as UDP, all else as UDP (S4.2, S4.4). */
static bool context_fits(const svr__work *w, const svr_tuple *context)
{
    return (w->headers.tuple.proto == SVR_PROTO_UDP ||
            context->proto == SVR_PROTO_TCP) &&
           usable_address(&context->src) && usable_address(&context->dst);
}

/* S6.2: tenant, service and access as the metadata asserts them. */
static enum svr_drop check_policy(const svr_node *n, const svr_metadata *md,
                                  svr__session_plan *plan, bool *exact)
{
    plan->tenant = SVR_TENANT_NONE;
    if (has(md, SVR_HAS(TENANT))) {
        plan->tenant = svr_policy_tenant_find(n->policy, md->tenant);
        if (plan->tenant < 0)
            return SVR_DROP_MD_TENANT;
    }
    plan->service = svr_policy_service_find(n->policy, md->service);
    *exact = plan->service >= 0;
    if (*exact) {
        if (svr_policy_service_match(n->policy, &plan->context) !=
            plan->service)
            return SVR_DROP_MD_CONTEXT;
    } else {
        plan->service = svr_policy_service_nearest(n->policy, md->service);
        if (plan->service < 0)
            return SVR_DROP_MD_SERVICE;
    }
    if (svr_policy_access(n->policy, plan->service, plan->tenant,
                          &plan->context.src) < 0)
        return SVR_DROP_ACCESS;
    return SVR_DROP_NONE;
}

/* S6.2, S6.3: all that can refuse a new session. Nothing changes. */
static enum svr_drop make_plan(const svr__work *w, svr__pathway *pw,
                               const svr_metadata *md, svr__session_plan *plan)
{
    svr_node *n = w->node;
    uint16_t number = (uint16_t)(pw - n->pathways);
    bool exact;

    if (!(md->present & FORWARD_CONTEXT)) {
        if (!(md->present & REVERSE_CONTEXT) ||
            !has(md, SVR_HAS(SESSION_UUID) | SVR_HAS(RECOVERY_TOKEN)))
            return SVR_DROP_NO_SESSION;
        return svr__recover_plan(w, pw, md, plan);
    }
    if (!has(md,
             SVR_HAS(SESSION_UUID) | SVR_HAS(SERVICE) | SVR_HAS(SOURCE_ROUTER)))
        return SVR_DROP_MD_INCOMPLETE;
    if (!same_text(md->source_router, n->peers[pw->peer].name))
        return SVR_DROP_SIGNER; /* S12.7 */
    *plan = (svr__session_plan){
        .uuid = md->uuid,
        .context = md->forward,
        .tenant = SVR_TENANT_NONE,
        .service = -1,
        .exchange = has(md, SVR_HAS(EXCHANGE_NUMBER)) ? md->exchange.own : 0,
        .side[SVR__CLIENT] = {.pathway = number,
                              .iface = w->packet->iface,
                              .tuple = w->headers.tuple},
    };
    if (!context_fits(w, &md->forward))
        return SVR_DROP_MD_CONTEXT;
    svr__token_keep(&plan->token, md->recovery_token);
    enum svr_drop reason = check_policy(n, md, plan, &exact);
    if (reason == SVR_DROP_NONE && has(md, SVR_HAS(ROUTE_RECORD)))
        reason = svr__record_read(n, md->route_record, &plan->passed);
    if (reason == SVR_DROP_NONE)
        reason = svr__plan_route(n, plan, number, w->now);
    if (reason == SVR_DROP_NONE && !exact &&
        plan->side[SVR__SERVER].pathway == SVR__NO_PATHWAY)
        reason = SVR_DROP_MD_SERVICE; /* only a transit makes do with less */
    return reason;
}

/* S6.7: whether an exchange comes behind all that s has applied on its client's
 * side. A neighbour without numbers has its packet numbers alone. */
static bool is_later(const svr__session *s, uint64_t exchange)
{
    return svr_session_is_newer(&s->machine, SVR__CLIENT, exchange) ||
           (exchange == 0 &&
            svr_session_exchange(&s->machine, SVR__CLIENT).echo == 0);
}

/* S6.7: whether the new session is another life of s: the same context, tenant
 * and service from the same peer, and not of before. A transit may open two at
 * one time, with one number, where a late packet of the former life came. */
static bool follows(const svr_node *n, const svr__pathway *pw,
                    const svr__session_plan *plan, const svr__session *s)
{
    uint16_t from = s->side[SVR__CLIENT].pathway;
    return from != SVR__NO_PATHWAY && n->pathways[from].peer == pw->peer &&
           s->tenant == plan->tenant && s->service == plan->service &&
           svr_tuple_equal(&s->context, &plan->context) &&
           !svr_session_is_older(&s->machine, SVR__CLIENT, plan->exchange);
}

/* The session that the server's answers would reach now. */
static svr__session *holder(const svr_node *n, const svr__session_plan *plan)
{
    const svr__side_plan *server = &plan->side[SVR__SERVER];
    if (server->pathway != SVR__NO_PATHWAY)
        return NULL;
    svr_tuple back = svr_tuple_reverse(&server->tuple);
    svr__flow_key key = svr__flow_key_of(&back, server->iface);
    svr__flow *f =
        svr__flow_find(&n->table, &key, svr__flow_hash(&n->table, &key));
    return f ? svr__flow_session(&n->table, f) : NULL;
}

/* What metadata says to the machine (S6.9). */
static unsigned hear(const svr__work *w, svr__session *s, unsigned side,
                     const svr_metadata *md)
{
    return svr_session_metadata(
        &s->machine, side,
        has(md, SVR_HAS(EXCHANGE_NUMBER)) ? &md->exchange : NULL,
        has(md, SVR_HAS(DISABLE_FORWARD)), w->now);
}

/* S8.4: a packet in the middle of a TCP connection opens no new one. */
static bool was_before(const svr__work *w)
{
    return w->headers.tuple.proto == SVR_PROTO_TCP &&
           !(w->headers.tcp_flags & (SVR_TCP_SYN | SVR_TCP_RST));
}

/* Whether a reason stands in the policy of this router, or in what it has room
 * for. All others are silent (S6.10, S24), that a pathway is down as well,
 * since it comes up again. */
static bool is_refusal(enum svr_drop reason)
{
    switch (reason) {
    case SVR_DROP_MD_TENANT:
    case SVR_DROP_MD_SERVICE:
    case SVR_DROP_MD_CONTEXT:
    case SVR_DROP_ACCESS:
    case SVR_DROP_NOT_FOR_US:
    case SVR_DROP_LOOP:
    case SVR_DROP_NO_ROUTE:
    case SVR_DROP_PORTS:
    case SVR_DROP_SESSIONS_FULL:
    case SVR_DROP_PEER_SESSIONS:
    case SVR_DROP_PEER_RATE:
    case SVR_DROP_TENANT_SESSIONS:
    case SVR_DROP_TENANT_RATE:
    case SVR_DROP_TUPLE_IN_USE:
        return true;
    default:
        return false;
    }
}

/* S6.10: forward metadata that this router refuses, or reverse metadata of a
 * session that will not live here again: access is gone, its client has begun
 * another one in its place, or nothing is left that it could be built from.
 * After a restart what is missing may yet come (S8.4). */
static void refuse(svr__work *w, svr__pathway *pw, const svr_metadata *md,
                   const svr__session_plan *plan, enum svr_drop reason)
{
    const svr_node *n = w->node;
    bool forward = md->present & FORWARD_CONTEXT;
    bool missing = reason == SVR_DROP_NO_SESSION || reason == SVR_DROP_TOKEN ||
                   reason == SVR_DROP_NO_ROUTE;

    if ((missing && svr__resync_quiet(n, w->now)) ||
        !has(md, SVR_HAS(SESSION_UUID)) ||
        (forward ? !is_refusal(reason)
                 : svr__session_find(&n->table, &md->uuid) != NULL))
        return;
    if (svr__refuse(w, pw, &md->uuid) && forward)
        svr__notify_refused(n, plan, reason);
}

/* S6.11: whether both ends have opened a session for the same two hosts. */
static bool is_glare(const svr__session_plan *plan, const svr__session *s)
{
    svr_tuple back = svr_tuple_reverse(&plan->context);
    return !plan->recovered && svr_tuple_equal(&s->context, &back);
}

/* S6.11: one of them stays: the established one, else the lower UUID. NONE: the
 * new one, and ours ends. */
static enum svr_drop settle_glare(svr__work *w, const svr__session_plan *plan,
                                  svr__session *ours)
{
    if (ours->machine.life.state != SVR_LIFE_NEW)
        return SVR_DROP_TUPLE_IN_USE;
    if (memcmp(&plan->uuid, &ours->uuid, sizeof(ours->uuid)) < 0)
        return SVR_DROP_NONE;
    /* The neighbour may not know that there is a better one. */
    if (ours->side[SVR__SERVER].pathway != SVR__NO_PATHWAY)
        svr__send_metadata(w->node, ours, SVR__SERVER, w->now);
    return SVR_DROP_GLARE;
}

/* Whether the session of the plan may stand where `before` is now, which has
 * its server's answers. */
static enum svr_drop may_replace(svr__work *w, const svr__pathway *pw,
                                 const svr__session_plan *plan,
                                 svr__session *before)
{
    if (follows(w->node, pw, plan, before))
        return SVR_DROP_NONE;
    return is_glare(plan, before) ? settle_glare(w, plan, before)
                                  : SVR_DROP_TUPLE_IN_USE;
}

/* A new session from a neighbour; old: the one whose tuple it takes, or NULL.
 */
static void open_session(svr__work *w, svr__pathway *pw, svr__session *old,
                         const svr_metadata *md, size_t block_len)
{
    svr_node *n = w->node;
    svr__session_plan plan = {.tenant = SVR_TENANT_NONE, .service = -1};
    svr__flow *flow;
    svr__session *before = NULL;
    bool alone = svr__is_alone(md);

    enum svr_drop reason = make_plan(w, pw, md, &plan);
    if (reason == SVR_DROP_NONE) {
        before = holder(n, &plan);
        if (before && before != old)
            reason = may_replace(w, pw, &plan, before);
    }
    if (reason == SVR_DROP_NONE)
        reason = svr__admit(n, &plan, before, w->now);
    if (reason != SVR_DROP_NONE) {
        refuse(w, pw, md, &plan, reason);
        svr__drop(w, reason);
        return;
    }
    /* Before anything changes, since it may be no TCP. From here on md's views
     * point into nothing. */
    if (!alone && !strip(w, block_len,
                         svr__is_masked(&plan.context, w->headers.tuple.proto)))
        return;
    if (old)
        svr__session_close(n, old, SVR_CAUSE_REPLACED, w->now);
    if (before && before != old)
        svr__session_close(n, before,
                           is_glare(&plan, before) ? SVR_CAUSE_GLARE
                                                   : SVR_CAUSE_REPLACED,
                           w->now);
    reason = svr__session_open(n, &plan, w->now, &flow);
    if (reason != SVR_DROP_NONE) {
        refuse(w, pw, md, &plan, reason);
        svr__drop(w, reason);
        return;
    }
    svr__session *s = svr__flow_session(&n->table, flow);
    unsigned side = plan.recovered ? SVR__SERVER : SVR__CLIENT;
    if (has(md, SVR_HAS(COPY_NUMBER)))
        svr__copies_first(svr__copies_of(n, s, side), md->copy_number);
    if (alone || was_before(w))
        svr_life_resume(&s->machine.life);
    go_on(w, svr__session_flow(&n->table, s, side), hear(w, s, side, md),
          alone);
    /* S8.4: no packet may come from this side for long, and the router behind
     * the other one has to hear of the session's new way. */
    if (alone)
        svr__session_renew(n, s, !side, w->now);
}

/* S6.9: whether it belongs to an exchange before the last one. */
static bool is_older(const svr__session *s, unsigned side,
                     const svr_metadata *md)
{
    return has(md, SVR_HAS(EXCHANGE_NUMBER)) &&
           svr_session_is_older(&s->machine, side, md->exchange.own);
}

/* Tokens age within an exchange, too. */
static void keep_token(svr_node *n, svr__session *s, unsigned side,
                       const svr_metadata *md)
{
    if (side == SVR__CLIENT && has(md, SVR_HAS(RECOVERY_TOKEN)) &&
        !is_older(s, side, md))
        svr__token_keep(svr__token_of(n, s), md->recovery_token);
}

/* S6.9: an exchange moves the session once, when it is new. While the opener
 * has not heard that it has arrived, it may move it again: the packet that
 * moved it before may have been changed on the way, since no tag covers ports.
 */
static bool moves(const svr__session *s, unsigned side, const svr_metadata *md)
{
    if (!has(md, SVR_HAS(EXCHANGE_NUMBER)))
        return false;
    return svr_session_is_newer(&s->machine, side, md->exchange.own) ||
           (side == SVR__CLIENT && md->exchange.unechoed &&
            !svr_session_is_older(&s->machine, side, md->exchange.own));
}

/* S20: the session comes by other routers now. Only the client's side knows
 * which. */
static enum svr_drop take_record(svr_node *n, svr__session *s, svr_span record)
{
    const svr__passed before = s->passed;
    enum svr_drop reason = svr__record_read(n, record, &s->passed);

    if (reason == SVR_DROP_NONE && !svr__record_fits(n, s)) {
        s->passed = before;
        reason = SVR_DROP_LOOP;
    }
    return reason;
}

/* S17: whether metadata of a session that came on no tuple of its side moves it
 * there. Only the opener moves; the answerer's tuple may change by a NAT (S6.8
 * b). What is late, or was sent before, moves nothing (S6.9). */
static enum svr_drop may_follow(const svr__work *w, const svr__pathway *pw,
                                svr__session *s, unsigned side,
                                const svr_metadata *md)
{
    const svr_node *n = w->node;
    uint16_t from = s->side[side].pathway;

    if (from == SVR__NO_PATHWAY || n->pathways[from].peer != pw->peer ||
        !agrees(n, s, side, md) || !context_fits(w, &s->context) ||
        !moves(s, side, md) ||
        (side == SVR__SERVER && &n->pathways[from] != pw))
        return SVR_DROP_MD_CONFLICT;
    return side == SVR__CLIENT && has(md, SVR_HAS(ROUTE_RECORD))
               ? take_record(w->node, s, md->route_record)
               : SVR_DROP_NONE;
}

static svr__side_plan plan_of_arrival(const svr__work *w,
                                      const svr__pathway *pw, unsigned side)
{
    const svr_tuple *t = &w->headers.tuple;
    return (svr__side_plan){
        .pathway = (uint16_t)(pw - w->node->pathways),
        .iface = w->packet->iface,
        .tuple = side == SVR__CLIENT ? *t : svr_tuple_reverse(t),
    };
}

/* The side of a session that metadata comes from. */
static unsigned side_of(const svr_metadata *md)
{
    return md->present & FORWARD_CONTEXT ? SVR__CLIENT : SVR__SERVER;
}

/* Whether the answer came to the end that this router has chosen. */
static bool at_own_end(const svr_node *n, const svr__session *s,
                       const svr__side_plan *to)
{
    svr_tuple own = svr__side_tuple(n, s, SVR__SERVER);
    return svr_addr_equal(&own.src, &to->tuple.src) &&
           own.sport == to->tuple.sport && own.proto == to->tuple.proto;
}

/* After its own loss of state an opener may have chosen other ports than its
 * neighbour still answers to. Only the opener moves: it says where it is. */
static void say_where(svr__work *w, svr__session *s)
{
    if (!svr_session_renews(&s->machine, SVR__SERVER))
        svr__session_renew(w->node, s, SVR__SERVER, w->now);
}

/* The session goes on where the packet came. old: the session whose tuple that
 * was, or NULL. */
static void follow_session(svr__work *w, svr__pathway *pw, svr__session *s,
                           svr__session *old, const svr_metadata *md,
                           size_t block_len)
{
    svr_node *n = w->node;
    unsigned side = side_of(md);
    bool alone = svr__is_alone(md);
    svr__side_plan to = plan_of_arrival(w, pw, side);
    bool masked = svr__is_masked(&s->context, to.tuple.proto);

    enum svr_drop reason = may_follow(w, pw, s, side, md);
    if (reason == SVR_DROP_NONE && side == SVR__SERVER &&
        !at_own_end(n, s, &to)) {
        say_where(w, s);
        reason = SVR_DROP_MD_CONFLICT;
    }
    if (reason != SVR_DROP_NONE) {
        svr__drop(w, reason);
        return;
    }
    if (old)
        svr__session_close(n, old, SVR_CAUSE_REPLACED, w->now);
    reason = svr__session_rebind(n, s, side, &to, SVR_CAUSE_FOLLOWED, w->now);
    if (reason != SVR_DROP_NONE) {
        svr__drop(w, reason);
        return;
    }
    keep_token(n, s, side, md);
    unsigned actions = hear(w, s, side, md);
    if (alone || strip(w, block_len, masked))
        go_on(w, svr__session_flow(&n->table, s, side), actions, alone);
}

/* S6.9: the boot counter is the number's upper part. */
static bool has_restarted(const svr__session *s, unsigned side,
                          const svr_metadata *md)
{
    return has(md, SVR_HAS(EXCHANGE_NUMBER)) &&
           md->exchange.own >> SVR__EXCHANGE_BITS >
               svr_session_exchange(&s->machine, side).echo >>
               SVR__EXCHANGE_BITS;
}

/* S6.7: metadata of the session on its own tuple. An exchange that is older
 * says nothing (S6.9), but the packet that carries it is as good as any. */
static void update_session(svr__work *w, svr__flow *flow,
                           const svr_metadata *md, size_t block_len)
{
    svr_node *n = w->node;
    svr__session *s = svr__flow_session(&n->table, flow);
    unsigned side = svr__flow_side(&n->table, flow);
    bool alone = svr__is_alone(md);

    if (!agrees(n, s, side, md)) {
        svr__drop(w, SVR_DROP_MD_CONFLICT);
        return;
    }
    if (has_restarted(s, side, md)) /* and numbers its packets anew */
        svr__copies_forget(svr__copies_of(n, s, side));
    if (!is_first_copy(w, flow, md))
        return;
    keep_token(n, s, side, md);
    unsigned actions = hear(w, s, side, md);
    if (alone || strip_for(w, flow, block_len))
        go_on(w, flow, actions, alone);
}

/* A copy of a packet comes by another pathway for the first time (S17). */
static void join_session(svr__work *w, svr__pathway *pw, svr__session *s,
                         const svr_metadata *md, size_t block_len)
{
    const svr_node *n = w->node;
    unsigned side = side_of(md);
    uint16_t from = s->side[side].pathway;

    if (from == SVR__NO_PATHWAY || n->pathways[from].peer != pw->peer ||
        !agrees(n, s, side, md) || !context_fits(w, &s->context) ||
        is_older(s, side, md) || !svr__leg_join(w, pw, s, side))
        svr__drop(w, SVR_DROP_MD_CONFLICT);
    else
        update_session(w, svr__session_flow(&n->table, s, side), md, block_len);
}

/* Metadata of a session that has no such tuple: it is new, or has moved. old:
 * as above. */
static void begin_session(svr__work *w, svr__pathway *pw, svr__session *old,
                          const svr_metadata *md, size_t block_len)
{
    svr__session *s = has(md, SVR_HAS(SESSION_UUID))
                          ? svr__session_find(&w->node->table, &md->uuid)
                          : NULL;
    if (s && has(md, SVR_HAS(COPY_NUMBER)) && !old)
        join_session(w, pw, s, md, block_len);
    else if (s)
        follow_session(w, pw, s, old, md, block_len);
    else
        open_session(w, pw, old, md, block_len);
}

/* Another session takes a tuple that this one has left. */
static void take_alias(svr__work *w, svr__pathway *pw, const svr_metadata *md,
                       size_t block_len)
{
    svr__alias_drop(w->node, w->alias, w->now);
    w->alias = NULL;
    begin_session(w, pw, NULL, md, block_len);
}

/* S6.7: session metadata on a tuple that is in use. */
static void on_bound_tuple(svr__work *w, svr__pathway *pw, svr__flow *flow,
                           const svr_metadata *md, size_t block_len)
{
    svr__session *s = svr__flow_session(&w->node->table, flow);
    uint64_t exchange =
        has(md, SVR_HAS(EXCHANGE_NUMBER)) ? md->exchange.own : 0;

    if (has(md, SVR_HAS(SESSION_UUID)) &&
        memcmp(&md->uuid, &s->uuid, sizeof(s->uuid)) == 0)
        update_session(w, flow, md, block_len);
    else if (svr__flow_side(&w->node->table, flow) != SVR__CLIENT ||
             !is_later(s, exchange))
        svr__drop(w, SVR_DROP_TUPLE_IN_USE);
    else if (w->alias)
        take_alias(w, pw, md, block_len);
    else
        begin_session(w, pw, s, md, block_len);
}

void svr__waypoint_block(svr__work *w, svr__pathway *pw, svr__flow *flow)
{
    svr_metadata md;
    size_t block_len;

    if (w->packet->segment_size) { /* each segment has a tag of its own */
        svr__cut(w, w->packet->segment_size, false);
        return;
    }
    if (!open_block(w, pw, &md, &block_len))
        return;
    if (has(&md, SVR_HAS(PATH_METRICS)) && pw->watch)
        svr__watch_marked(w->node, pw, &md.metrics, w->now);
    if (has(&md, SVR_HAS(PATH_METRICS)) && md.metrics.drop)
        svr__consume(w);
    else if (has(&md, SVR_HAS(FRAGMENT)))
        svr__fabric_piece(w, &md, block_len);
    else if (has(&md, SVR_HAS(CONTROL)) && !svr__is_alone(&md))
        svr__control_received(w, pw, flow, &md);
    else if (md.present & ICMP_LOCATION)
        svr__icmp_from_pathway(w, flow, &md, block_len);
    else if (!svr_metadata_is_session(&md) && flow)
        pass_block(w, flow, &md, block_len);
    else if (!svr_metadata_is_session(&md))
        svr__drop(w, SVR_DROP_NO_SESSION);
    else if (flow)
        on_bound_tuple(w, pw, flow, &md, block_len);
    else
        begin_session(w, pw, NULL, &md, block_len);
}
