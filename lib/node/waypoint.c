/*
 * Metadata that arrives on a waypoint (S6.1 to S6.7).
 *
 * Everything is checked before anything is changed: source, lengths, key, tag,
 * replay, attributes, policy. The first failure drops the packet with its own
 * reason and leaves no trace but the counter.
 */
#include "node/waypoint.h"

#include <string.h>

/* S6.1: lengths, key, tag, replay, opening. The tag is off afterwards, the
 * block still in place, and md has views into it. False: dropped. */
static bool open_block(svr__work *w, const svr__pathway *pw, svr_metadata *md,
                       size_t *block_len)
{
    svr_node *n = w->node;
    svr__keys *keys;
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
    if (!svr__md_has(md, SVR_HAS(SECURITY_ID) | SVR_HAS(PACKET_NUMBER))) {
        svr__drop(w, SVR_DROP_MD_INCOMPLETE);
        return false;
    }
    keys = svr__keys_received(n, pw, md->security_id, w->now);
    if (!keys) {
        svr__drop(w, SVR_DROP_KEY);
        return false;
    }
    if (!svr__touch(w))
        return false;
    reason = svr__verify(w, pw, &keys->receive_mac);
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
    w->generation = keys->generation;
    svr__keying_heard(n, pw->peer, keys->generation, w->now);
    ptrdiff_t clear = b.payload_len;
    if (keys->open.cipher && clear > 0)
        clear = svr_metadata_open(&keys->open,
                                  w->packet->data + w->headers.payload, &b);
    if (clear < 0) {
        svr__drop(w, SVR_DROP_WRONG_SEAL);
        return false;
    }
    err = svr_metadata_decode_payload(md, b.data + b.header_len, (size_t)clear);
    if (err < 0) {
        svr__drop(w, svr__drop_of_metadata_error(err));
        return false;
    }
    n->counters.metadata_received++;
    n->counters.unknown_attributes += md->unknown;
    return true;
}

bool svr__strip(svr__work *w, size_t block_len, bool masked)
{
    if (svr_packet_remove(w->packet, &w->headers, block_len) < 0) {
        svr__drop(w, SVR_DROP_MD_LENGTH);
        return false;
    }
    return !masked || svr__unmask(w);
}

bool svr__strip_for(svr__work *w, const svr__flow *flow, size_t block_len)
{
    const svr__session *s = svr__flow_session(&w->node->table, flow);

    w->sealed = svr__arrives_sealed(w, s);
    w->former = svr__is_former(w, s, svr__flow_side(&w->node->table, flow));
    return svr__strip(w, block_len,
                      svr__arrival_flags(w, flow) & SVR__FLOW_MASKED_IN) &&
           svr__relocate(w, flow);
}

void svr__go_on(svr__work *w, svr__flow *flow, unsigned actions, bool alone)
{
    svr_node *n = w->node;
    svr__session *s = svr__flow_session(&n->table, flow);
    unsigned side = svr__flow_side(&n->table, flow);
    bool ok = alone || svr__unseal(w, s);
    size_t len = alone || !ok ? 0 : svr__payload_len(w);

    s->side[side].tcp_seq = w->headers.tcp_ack;
    s->side[side].tcp_ack = w->headers.tcp_seq + (uint32_t)len;
    svr__session_act(n, s, side, actions, w->now);
    if (alone) {
        svr__session_settle(n, s);
        n->counters.control_received++;
        svr__consume(w);
    } else if (ok) {
        svr__send_on(w, flow);
    } else {
        svr__session_settle(n, s);
    }
}

bool svr__is_first_copy(svr__work *w, const svr__flow *flow,
                        const svr_metadata *md)
{
    svr_node *n = w->node;
    const svr__session *s = svr__flow_session(&n->table, flow);
    unsigned side = svr__flow_side(&n->table, flow);

    if (!svr__md_has(md, SVR_HAS(COPY_NUMBER)) || w->former ||
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

    svr__note_leg(w);
    if (!svr__strip_for(w, flow, block_len) || !svr__is_first_copy(w, flow, md))
        return;
    svr__health_asked(w, s, side, md);
    svr__go_on(w, flow,
               svr_session_event(&s->machine, side, SVR_SESSION_PLAIN, w->now),
               false);
}

bool svr__agrees(const svr_node *n, const svr__session *s, unsigned side,
                 const svr_metadata *md)
{
    if (side == SVR__SERVER) {
        svr_tuple back = svr_tuple_reverse(&s->context);
        return (md->present & SVR__REVERSE_CONTEXT) &&
               svr_tuple_equal(&md->reverse, &back);
    }
    if (!(md->present & SVR__FORWARD_CONTEXT) ||
        !svr_tuple_equal(&md->forward, &s->context))
        return false;
    const char *tenant = svr_policy_tenant_name(n->policy, s->tenant);
    if (svr__md_has(md, SVR_HAS(TENANT)) ? !svr__same_text(md->tenant, tenant)
                                         : tenant != NULL)
        return false;
    /* A transit knows the service perhaps by its parent's name only. */
    return svr__md_has(md, SVR_HAS(SERVICE)) &&
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

bool svr__context_fits(const svr__work *w, const svr_tuple *context)
{
    return (w->headers.tuple.proto == SVR_PROTO_UDP ||
            context->proto == SVR_PROTO_TCP) &&
           usable_address(&context->src) && usable_address(&context->dst);
}

unsigned svr__hear(const svr__work *w, svr__session *s, unsigned side,
                   const svr_metadata *md)
{
    return svr_session_metadata(
        &s->machine, side,
        svr__md_has(md, SVR_HAS(EXCHANGE_NUMBER)) ? &md->exchange : NULL,
        svr__md_has(md, SVR_HAS(DISABLE_FORWARD)), w->now);
}

/* Metadata of a session that has no such tuple: it is new, or has moved. old:
 * as above. */
static void begin_session(svr__work *w, svr__pathway *pw, svr__session *old,
                          const svr_metadata *md, size_t block_len)
{
    svr__session *s = svr__md_has(md, SVR_HAS(SESSION_UUID))
                          ? svr__session_find(&w->node->table, &md->uuid)
                          : NULL;
    bool turns = s && s->seal != SVR__SEALED && /* all of its tuples (S11.9) */
                 svr__md_has(md, SVR_HAS(ENCRYPTED));
    if (s && svr__md_has(md, SVR_HAS(COPY_NUMBER)) && !old && !turns)
        svr__join(w, pw, s, md, block_len);
    else if (s)
        svr__follow(w, pw, s, old, md, block_len);
    else
        svr__offer(w, pw, old, md, block_len);
}

/* S6.11: it goes to other ports, or ends where there are none. */
static void give_way(svr__work *w, svr__session *ours)
{
    svr_node *n = w->node;

    if (svr__session_reopen(n, ours, SVR_CAUSE_GLARE, w->now)) {
        svr__alias *a = svr__alias_find(&n->table.aliases, &w->key, w->hash);
        if (a)
            svr__alias_drop(n, a, w->now);
        return;
    }
    if (ours->side[SVR__CLIENT].pathway == SVR__NO_PATHWAY)
        svr__session_refused(n, ours, w->now);
    else
        svr__send_delete(n, ours, SVR__CLIENT, w->now);
    svr__session_close(n, ours, SVR_CAUSE_GLARE, w->now);
}

void svr__clear_tuple(svr__work *w, svr__session *old)
{
    const svr__table *t = &w->node->table;

    if (w->alias) {
        svr__alias_drop(w->node, w->alias, w->now);
        w->alias = NULL;
    } else if (old && svr__flow_find(t, &w->key, w->hash) ==
                          svr__session_flow(t, old, SVR__SERVER)) {
        give_way(w, old);
    } else if (old) {
        svr__session_close(w->node, old, SVR_CAUSE_REPLACED, w->now);
    }
}

/* S6.7: whether an exchange comes behind all that s has applied on its client's
 * side. A neighbour without numbers has its packet numbers alone. */
static bool is_later(const svr__session *s, uint64_t exchange)
{
    return svr_session_is_newer(&s->machine, SVR__CLIENT, exchange) ||
           (exchange == 0 &&
            svr_session_exchange(&s->machine, SVR__CLIENT).echo == 0);
}

/* S6.11: whether both neighbours have chosen this tuple for a session of their
 * own, which takes ranges of one port, and ours is the one to go elsewhere. */
static bool must_give_way(const svr__work *w, const svr__session *ours,
                          const svr_metadata *md)
{
    return !w->alias && (md->present & SVR__FORWARD_CONTEXT) &&
           svr__md_has(md, SVR_HAS(SESSION_UUID)) &&
           ours->machine.life.state == SVR_LIFE_NEW &&
           memcmp(&md->uuid, &ours->uuid, sizeof(ours->uuid)) < 0;
}

/* S6.7: session metadata on a tuple that is in use. */
static void on_bound_tuple(svr__work *w, svr__pathway *pw, svr__flow *flow,
                           const svr_metadata *md, size_t block_len)
{
    svr__session *s = svr__flow_session(&w->node->table, flow);
    uint64_t exchange =
        svr__md_has(md, SVR_HAS(EXCHANGE_NUMBER)) ? md->exchange.own : 0;

    if (svr__md_has(md, SVR_HAS(SESSION_UUID)) &&
        memcmp(&md->uuid, &s->uuid, sizeof(s->uuid)) == 0)
        svr__update(w, flow, md, block_len);
    else if (svr__flow_side(&w->node->table, flow) == SVR__SERVER &&
             must_give_way(w, s, md))
        begin_session(w, pw, s, md, block_len);
    else if (svr__flow_side(&w->node->table, flow) != SVR__CLIENT ||
             !is_later(s, exchange))
        svr__drop(w, SVR_DROP_TUPLE_IN_USE);
    else /* an alias stands for a tuple that its session has left */
        begin_session(w, pw, w->alias ? NULL : s, md, block_len);
}

/* Of a session that is not known here (S8.2), but for the block like any other:
 * on a quiet line each packet may have one, since each is marked (S15).
 * Where recovery is inactivity-based, a neighbour that asks is answered. */
static void pass_unknown(svr__work *w, svr__pathway *pw, const svr_metadata *md)
{
    if (!pw->inactivity || svr__md_has(md, SVR_HAS(HEALTH_OR_KEY)))
        svr__send_enable(w, pw);
    svr__drop(w, SVR_DROP_NO_SESSION);
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
    if (svr__md_has(&md, SVR_HAS(PATH_METRICS)) && pw->watch)
        svr__watch_marked(w->node, pw, &md.metrics, w->now);
    if (svr__md_has(&md, SVR_HAS(PATH_METRICS)) && md.metrics.drop)
        svr__consume(w);
    else if (svr__md_has(&md, SVR_HAS(FRAGMENT)))
        svr__fabric_piece(w, &md, block_len);
    else if (svr__md_has(&md, SVR_HAS(CONTROL)) && !svr__is_alone(&md))
        svr__control_received(w, pw, flow, &md);
    else if (md.present & SVR__ICMP_LOCATION)
        svr__icmp_from_pathway(w, flow, &md, block_len);
    else if (!svr_metadata_is_session(&md) && flow)
        pass_block(w, flow, &md, block_len);
    else if (!svr_metadata_is_session(&md))
        pass_unknown(w, pw, &md);
    else if (flow)
        on_bound_tuple(w, pw, flow, &md, block_len);
    else
        begin_session(w, pw, NULL, &md, block_len);
}
