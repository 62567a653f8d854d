/* The straight way: parse, look up, rewrite; everything else leaves it. */
#include "node/node.h"

#include <assert.h>
#include <string.h>

static void end(svr__work *w, enum svr_verdict verdict)
{
    assert(w->packet->verdict == SVR_VERDICT_NONE);
    w->packet->verdict = (uint8_t)verdict;
}

void svr__drop(svr__work *w, enum svr_drop reason)
{
    assert(reason != SVR_DROP_NONE);
    end(w, SVR_VERDICT_DROP);
    w->packet->drop = (uint8_t)reason;
    w->node->counters.dropped[reason]++;
}

void svr__consume(svr__work *w)
{
    end(w, SVR_VERDICT_CONSUME);
    w->node->counters.consumed++;
}

void svr__forward(svr__work *w, uint16_t iface, const svr_addr *next_hop)
{
    end(w, SVR_VERDICT_FORWARD);
    w->packet->iface = iface;
    w->packet->next_hop = *next_hop;
    w->node->counters.forwarded++;
}

bool svr__touch(svr__work *w)
{
    if (w->touched)
        return true;
    if (!svr_packet_checksum_ok(w->packet, &w->headers)) {
        svr__drop(w, SVR_DROP_L4_CHECKSUM);
        return false;
    }
    w->touched = true;
    return true;
}

bool svr__has_block(const svr__work *w)
{
    svr_block b;
    if (!svr__has_cookie(w))
        return false;
    return svr_block_parse(&b, w->packet->data + w->headers.payload,
                           svr__payload_len(w)) < 0 ||
           !svr_block_is_bare(&b);
}

/* Parses and prepares the look-up. False: the packet was dropped, or is an IP
 * fragment and taken. */
static bool prepare(svr__work *w)
{
    svr_packet *p = w->packet;
    p->verdict = SVR_VERDICT_NONE;
    p->drop = SVR_DROP_NONE;
    p->originated = false;
    p->alone = false;
    assert(p->iface < w->node->interface_count);
    w->node->counters.received++;
    w->arrived = p->len;
    int err = svr_packet_parse(&w->headers, p);
    if (err == SVR_ERR_FRAGMENT && !w->whole) {
        svr__ip_fragment(w);
        return false;
    }
    if (err < 0) {
        svr__drop(w, svr__drop_of_error(err));
        return false;
    }
    if (w->headers.tuple.proto != SVR_PROTO_TCP)
        p->segment_size = 0; /* nothing else is cut (S4.8) */
    w->key = svr__flow_key_of(&w->headers.tuple, p->iface);
    return true;
}

bool svr__segment_has_cookie(const svr__work *w)
{
    const svr_packet *p = w->packet;
    size_t step = p->segment_size ? p->segment_size : SVR_PACKET_MAX;
    for (size_t at = w->headers.payload; at < p->len; at += step)
        if (svr_cookie_present(p->data + at, p->len - at))
            return true;
    return false;
}

static bool fits(const svr__work *w, const svr__flow *f)
{
    const svr_packet *p = w->packet;
    if (p->segment_size == 0)
        return p->len <= f->mtu && p->fragment_size == 0;
    return (f->flags & SVR__FLOW_OFFLOAD) &&
           w->headers.payload + p->segment_size <= f->mtu;
}

/* S15: such a packet goes the long way. */
static bool is_mark_due(const svr__work *w, const svr__flow *f)
{
    return (f->flags & SVR__FLOW_MEASURED) &&
           w->now >= svr__pathway_of_hop(w->node, f->next_hop)->mark_due;
}

static bool is_plain(const svr__work *w, const svr__flow *f)
{
    const uint8_t events = SVR_TCP_SYN | SVR_TCP_FIN | SVR_TCP_RST;
    return (f->flags & ~SVR__FLOW_PLAIN) == 0 && w->headers.ttl > 1 &&
           !(w->headers.tcp_flags & events) && fits(w, f) &&
           !svr__segment_has_cookie(w) && !is_mark_due(w, f);
}

static void pass_plain(svr__work *w, svr__flow *f)
{
    svr_packet_rewrite(w->packet, &w->headers, &f->rewrite);
    f->seen = w->now;
    f->packets++;
    f->bytes += w->packet->len;
    f->tcp_ack = w->headers.tcp_ack;
    f->tcp_window = w->headers.tcp_window;
    svr__forward(w, f->out_iface,
                 svr__next_hop_addr(w->node, f->next_hop, &f->rewrite.dst));
}

static void dispatch(svr__work *w)
{
    const svr__table *t = &w->node->table;
    svr__flow *f = svr__flow_find(t, &w->key, w->hash);
    if (!f) {
        w->alias = svr__alias_find(&t->aliases, &w->key, w->hash);
        f = w->alias ? svr__alias_flow(t, w->alias) : NULL;
    }
    if (!f && w->bare)
        svr__drop(w, SVR_DROP_SESSION_ENDED);
    else if (!f || w->headers.icmp_error) /* S19: its session is the quote's */
        svr__first(w);
    else if (!w->alias && is_plain(w, f))
        pass_plain(w, f);
    else if (w->bare)
        svr__send_on(w, f);
    else
        svr__relay(w, f);
}

void svr__handle(svr__work *w)
{
    if (!prepare(w))
        return;
    if (w->proto)
        w->key.proto = w->proto;
    w->hash = svr__flow_hash(&w->node->table, &w->key);
    dispatch(w);
}

/* Three passes over the batch, so that the memory that a packet needs is on its
 * way while the others are worked on. What keeps pathways alive is taken in the
 * first one: before it, no other packet is worked on (S14.1). */
size_t svr_node_input(svr_node *n, svr_packet *pkts, size_t count, svr_time now)
{
    svr__work work[SVR_BATCH_MAX];
    uint64_t before = n->counters.forwarded;

    assert(count <= SVR_BATCH_MAX);
    if (count > SVR_BATCH_MAX)
        count = SVR_BATCH_MAX;
    for (size_t i = 0; i < count; i++) {
        work[i] = (svr__work){.node = n, .packet = &pkts[i], .now = now};
        pkts[i].fragment_size = 0;
        if (!prepare(&work[i]) ||
            (svr__watch_wants(&work[i]) && svr__watch_input(&work[i])))
            continue;
        work[i].hash = svr__flow_hash(&n->table, &work[i].key);
        svr__map_prefetch(&n->table.by_key, work[i].hash);
    }
    for (size_t i = 0; i < count; i++)
        if (pkts[i].verdict == SVR_VERDICT_NONE)
            svr__flow_prefetch(&n->table, work[i].hash);
    for (size_t i = 0; i < count; i++)
        if (pkts[i].verdict == SVR_VERDICT_NONE)
            dispatch(&work[i]);
    return (size_t)(n->counters.forwarded - before);
}
