/* Control packets between two neighbours (S6.6, S7, S8.2). */
#include "node/node.h"

#include <string.h>

enum {
    /* S8.2 */
    RECOVERY_PER_SECOND = 1000,
    RECOVERY_BURST = 100,
    AMPLIFICATION = 3,
    CREDIT_MAX = 1 << 16,
    /* Headers around a control packet's block and tag, at most. */
    HEADERS_MAX = 60,
};

/* What a control packet needs besides its block. */
struct envelope {
    const svr__pathway *pathway;
    svr__keys *keys; /* NULL: it is not sent */
    svr_tuple tuple;
    uint32_t tcp_seq, tcp_ack;
};

static int wrap(svr_packet *p, const struct envelope *e)
{
    if (e->tuple.proto == SVR_PROTO_TCP)
        return svr_tcp_wrap(p, &e->tuple, e->tcp_seq, e->tcp_ack);
    return svr_udp_wrap(p, &e->tuple);
}

/* Signs the block and sends it as a packet of its own. */
static void post(svr_node *n, const struct envelope *e, const uint8_t *block,
                 size_t len, svr_time now)
{
    const svr__pathway *pw = e->pathway;
    const svr_mac *mac = &e->keys->send_mac;
    const svr_tcp_bind bind = {
        .seq = e->tcp_seq, .ack = e->tcp_ack, .flags = SVR_TCP_ACK};
    svr_packet *p = svr__outbox_open(n, len + mac->hmac->tag_len);
    if (!p)
        return;
    memcpy(p->data, block, len);
    if (svr__tag_write(n, pw, mac, (svr_span){p->data, len},
                       e->tuple.proto == SVR_PROTO_TCP ? &bind : NULL, now,
                       p->data + len) < 0 ||
        wrap(p, e) < 0)
        return;
    uint16_t hop = svr__pathway_hop(n, (size_t)(pw - n->pathways));
    svr__outbox_post(n, pw->iface, &n->next_hops[hop]);
    n->counters.control_sent++;
}

static void post_metadata(svr_node *n, const struct envelope *e,
                          svr_metadata *md, svr_time now)
{
    uint8_t block[SVR_METADATA_MAX];
    size_t len = svr__describe_write(n, e->pathway, e->keys, md, block);
    if (len > 0)
        post(n, e, block, len, now);
}

void svr__send_alone(svr_node *n, const svr__pathway *pw, const svr_tuple *t,
                     svr_metadata *md, svr_time now)
{
    struct envelope e = {
        .pathway = pw, .keys = svr__keys_now(n, pw), .tuple = *t};
    post_metadata(n, &e, md, now);
}

bool svr__is_alone(const svr_metadata *md)
{
    return (md->present & SVR_HAS(CONTROL)) &&
           md->control == SVR_CONTROL_DISABLE_METADATA &&
           svr_metadata_is_session(md);
}

/* A packet of the router's own on a session's tuple (S7). */
static struct envelope envelope_of(const svr_node *n, const svr__session *s,
                                   unsigned side)
{
    return (struct envelope){
        .pathway = &n->pathways[s->side[side].pathway],
        .keys = svr__side_keys(n, s, side),
        .tuple = svr__side_tuple(n, s, side),
        .tcp_seq = s->side[side].tcp_seq,
        .tcp_ack = s->side[side].tcp_ack,
    };
}

void svr__send_metadata(svr_node *n, svr__session *s, unsigned side,
                        svr_time now)
{
    uint8_t block[SVR_METADATA_MAX];
    struct envelope e = envelope_of(n, s, side);
    size_t len = svr__describe(
        n, s, side, SVR_HAS(CONTROL) | SVR_HAS(DISABLE_FORWARD), block, now);
    if (len > 0)
        post(n, &e, block, len, now);
    svr_session_event(&s->machine, side, SVR_SESSION_SENT_ALONE, now);
}

static void describe_control(const svr_uuid *uuid, enum svr_control control,
                             svr_metadata *md)
{
    svr__describe_bare(md);
    md->present |= SVR_HAS(CONTROL) | SVR_HAS(SESSION_UUID);
    md->control = (uint8_t)control;
    md->uuid = *uuid;
}

/* A message about a session that both know. */
static void send_control(svr_node *n, const svr__session *s, unsigned side,
                         enum svr_control control, svr_time now)
{
    struct envelope e = envelope_of(n, s, side);
    svr_metadata md;

    describe_control(&s->uuid, control, &md);
    post_metadata(n, &e, &md, now);
}

void svr__session_act(svr_node *n, svr__session *s, unsigned side,
                      unsigned actions, svr_time now)
{
    if (actions & SVR_SESSION_SEND_METADATA)
        svr__send_metadata(n, s, side, now);
    if (actions & SVR_SESSION_SEND_KEEP_ALIVE)
        send_control(n, s, side, SVR_CONTROL_KEEP_ALIVE, now);
    if (actions & SVR_SESSION_SEND_HEALTH_ANSWER)
        send_control(n, s, side, SVR_CONTROL_HEALTH_ANSWER, now);
}

static bool was_lately(svr_node *n, uint64_t hash, svr_time now)
{
    svr__recent *r = &n->recent[hash % SVR__RECENT];
    if (r->hash == hash && r->time && now - r->time < SVR_SECOND)
        return true;
    *r = (svr__recent){hash, now ? now : 1};
    return false;
}

bool svr__told_lately(svr_node *n, const svr__session *s,
                      enum svr__telling what, svr_time now)
{
    uint8_t bytes[sizeof(s->uuid) + 1];

    memcpy(bytes, &s->uuid, sizeof(s->uuid));
    bytes[sizeof(s->uuid)] = (uint8_t)what;
    return was_lately(n, svr_hash(n->table.hash_key, bytes, sizeof(bytes)),
                      now);
}

/* S8.2: never more bytes than AMPLIFICATION times what the peer has sent that
 * asked for it, and not for ever: it saves up for CREDIT_MAX bytes at most. */
static void earn(svr__peer *peer, size_t len)
{
    size_t credit = peer->credit + AMPLIFICATION * len;
    peer->credit = (uint32_t)(credit < CREDIT_MAX ? credit : CREDIT_MAX);
}

/* One for each tuple and second. */
static bool may_ask(svr__work *w, svr__peer *peer, size_t len)
{
    const svr_tuple *t = &w->headers.tuple;

    if (t->sport < SVR_WAYPOINT_PORT_FIRST ||
        t->dport < SVR_WAYPOINT_PORT_FIRST)
        return false;
    earn(peer, w->arrived);
    if (len > peer->credit || was_lately(w->node, w->hash, w->now) ||
        !svr__bucket_take(&peer->recovery, w->now, RECOVERY_PER_SECOND,
                          RECOVERY_BURST))
        return false;
    peer->credit -= (uint32_t)len;
    return true;
}

/* To where the packet came from, within limits (S8.2). */
static bool answer(svr__work *w, svr__pathway *pw, svr_metadata *md)
{
    svr_node *n = w->node;
    struct envelope e = {
        .pathway = pw,
        .keys = svr__keys_now(n, pw),
        .tuple = svr_tuple_reverse(&w->headers.tuple),
        .tcp_seq = w->headers.tcp_ack,
        .tcp_ack = w->headers.tcp_seq + (uint32_t)svr__payload_len(w),
    };
    e.tuple.proto = w->key.proto; /* it may have lost its mask */
    ptrdiff_t len = svr_metadata_encode(NULL, 0, md);
    if (len < 0 || !may_ask(w, &n->peers[pw->peer],
                            (size_t)len + SVR_TAG_MAX + HEADERS_MAX))
        return false;
    post_metadata(n, &e, md, w->now);
    return true;
}

void svr__send_enable(svr__work *w, svr__pathway *pw)
{
    svr_metadata md;

    svr__describe_bare(&md);
    md.present |= SVR_HAS(CONTROL);
    md.control = SVR_CONTROL_ENABLE_METADATA;
    answer(w, pw, &md);
}

bool svr__refuse(svr__work *w, svr__pathway *pw, const svr_uuid *uuid)
{
    svr_metadata md;

    describe_control(uuid, SVR_CONTROL_DELETE_SESSION, &md);
    return answer(w, pw, &md);
}

void svr__send_delete(svr_node *n, const svr__session *s, unsigned side,
                      svr_time now)
{
    send_control(n, s, side, SVR_CONTROL_DELETE_SESSION, now);
}

/* What a control message is to the machine. False: it is unknown. */
static bool event_of(uint8_t control, enum svr_session_event *event)
{
    switch (control) {
    case SVR_CONTROL_KEEP_ALIVE:
        *event = SVR_SESSION_KEEP_ALIVE;
        return true;
    case SVR_CONTROL_ENABLE_METADATA:
        *event = SVR_SESSION_ENABLE;
        return true;
    case SVR_CONTROL_DISABLE_METADATA:
        *event = SVR_SESSION_DISABLE;
        return true;
    case SVR_CONTROL_DELETE_SESSION:
        *event = SVR_SESSION_DELETE;
        return true;
    case SVR_CONTROL_HEALTH_ANSWER:
        *event = SVR_SESSION_HEALTH_ANSWER;
        return true;
    default:
        return false;
    }
}

/* S17: a session comes back to a neighbour that it had left, which may have
 * told that (redirect.c) before it hears so. One that refuses the session says
 * so again, when that is offered again. */
static bool was_told_before(const svr__work *w, const svr__session *s,
                            unsigned side)
{
    const svr_hop *hop = &s->machine.hop[side];

    return side == SVR__SERVER &&
           svr__is_chosen(&w->node->choices, s->service) && hop->peer &&
           svr_session_renews(&s->machine, side) &&
           w->now - hop->renewed < SVR_SESSION_REPEAT_TIME;
}

static void act_on(svr__work *w, svr__session *s, unsigned side,
                   enum svr_session_event event)
{
    svr_node *n = w->node;
    if (event == SVR_SESSION_DELETE && was_told_before(w, s, side)) {
        svr__consume(w);
        return;
    }
    if (event == SVR_SESSION_ENABLE)
        svr__side_freshen(n, s, side);
    unsigned actions = svr_session_event(&s->machine, side, event, w->now);

    if (actions & SVR_SESSION_END) {
        if (s->side[!side].pathway != SVR__NO_PATHWAY) /* S6.10 */
            svr__send_delete(n, s, !side, w->now);
        else if (side == SVR__SERVER)
            svr__session_refused(n, s, w->now);
        else
            svr__session_tell_host(n, s, SVR__SERVER, w->now);
        svr__session_close(n, s,
                           side == SVR__SERVER &&
                                   s->machine.life.state == SVR_LIFE_NEW
                               ? SVR_CAUSE_REFUSED
                               : SVR_CAUSE_DELETED,
                           w->now);
    } else {
        svr__session_act(n, s, side, actions, w->now);
        svr__session_settle(n, s);
    }
    svr__consume(w);
}

/* On a tuple that no session has. */
static void received_elsewhere(svr__work *w, const svr__pathway *pw,
                               const svr_metadata *md)
{
    svr__session *s = svr__session_asking(w->node, pw, md);
    if (!s) {
        svr__drop(w, SVR_DROP_CONTROL_NO_SESSION);
        return;
    }
    svr__session_asked(w->node, s, pw, w->now);
    svr__consume(w);
}

/* S7: a tuple that the session had before goes by itself. */
static void delete_alias(svr__work *w)
{
    svr__alias_drop(w->node, w->alias, w->now);
    svr__consume(w);
}

/* S7: what ends a session names it. A tuple alone may have been another's when
 * the message was sent. */
static bool names_none(const svr_metadata *md)
{
    return md->control == SVR_CONTROL_DELETE_SESSION &&
           !(md->present & SVR_HAS(SESSION_UUID));
}

void svr__control_received(svr__work *w, svr__pathway *pw, svr__flow *flow,
                           const svr_metadata *md)
{
    svr_node *n = w->node;
    enum svr_session_event event;

    n->counters.control_received++;
    if (!flow && md->control == SVR_CONTROL_KEEP_ALIVE &&
        svr__wish_heard(w, pw)) {
        svr__consume(w);
        return;
    }
    if (!flow) {
        received_elsewhere(w, pw, md);
        return;
    }
    svr__session *s = svr__flow_session(&n->table, flow);
    if (names_none(md))
        svr__drop(w, SVR_DROP_MD_INCOMPLETE);
    else if ((md->present & SVR_HAS(SESSION_UUID)) &&
             memcmp(&md->uuid, &s->uuid, sizeof(s->uuid)) != 0)
        svr__drop(w, SVR_DROP_MD_CONFLICT);
    else if (w->alias && md->control == SVR_CONTROL_DELETE_SESSION)
        delete_alias(w);
    else if (event_of(md->control, &event))
        act_on(w, s, svr__flow_side(&n->table, flow), event);
    else
        svr__drop(w, SVR_DROP_CONTROL);
}
