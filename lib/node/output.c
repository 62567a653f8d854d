/* What the node itself has to say, the parts of packets that it took apart, and
 * the packets that it put together. */
#include "node/node.h"

#include <assert.h>
#include <string.h>

svr_packet *svr__outbox_open(svr_node *n, size_t len)
{
    svr__outbox *o = &n->outbox;
    if (o->count == SVR__OUTBOX)
        return NULL;
    unsigned at = (o->first + o->count) % SVR__OUTBOX;
    if (svr_packet_init(&o->packet[at], o->bytes[at], SVR__OUTBOX_BYTES, len) <
        0)
        return NULL;
    return &o->packet[at];
}

void svr__outbox_post(svr_node *n, uint16_t iface, const svr_addr *next_hop)
{
    svr__outbox *o = &n->outbox;
    svr_packet *p = &o->packet[(o->first + o->count) % SVR__OUTBOX];
    p->iface = iface;
    p->next_hop = *next_hop;
    o->count++;
}

static int copy_out(const svr_packet *p, svr_packet *pkt, uint8_t *buf,
                    size_t cap)
{
    int err = svr_packet_init(pkt, buf, cap, p->len);
    if (err < 0)
        return err;
    memcpy(pkt->data, p->data, p->len);
    pkt->iface = p->iface;
    pkt->next_hop = p->next_hop;
    pkt->verdict = SVR_VERDICT_FORWARD;
    return 1;
}

static int take_own(svr_node *n, svr_packet *pkt, uint8_t *buf, size_t cap)
{
    svr__outbox *o = &n->outbox;
    int result = copy_out(&o->packet[o->first], pkt, buf, cap);
    if (result < 0)
        return result;
    pkt->originated = true;
    o->first = (o->first + 1) % SVR__OUTBOX;
    o->count--;
    n->counters.originated++;
    return 1;
}

/* What svr_node_output may expect of its caller's buffer. */
static size_t largest_mtu(const svr_node *n)
{
    size_t largest = 0;
    for (size_t i = 0; i < n->interface_count; i++)
        if (n->interfaces[i].config.mtu > largest)
            largest = n->interfaces[i].config.mtu;
    return largest;
}

static svr__parts *last_parts(svr__apart *a)
{
    return &a->parts[(a->first + a->count) % SVR_BATCH_MAX];
}

svr__parts *svr__parts_open(svr_node *n)
{
    return n->apart.count < SVR_BATCH_MAX ? last_parts(&n->apart) : NULL;
}

void svr__parts_post(svr__work *w, enum svr__parts_kind kind, uint16_t iface,
                     const svr_addr *next_hop)
{
    svr__parts *parts = last_parts(&w->node->apart);
    parts->kind = (uint8_t)kind;
    parts->iface = iface;
    parts->hash = w->hash;
    parts->next_hop = *next_hop;
    w->node->apart.count++;
    if (kind == SVR__CUT)
        w->node->counters.cut++;
    else
        w->node->counters.split++;
    svr__consume(w);
}

void svr__cut(svr__work *w, size_t size, bool bare)
{
    svr__parts *parts = svr__parts_open(w->node);
    if (!parts || w->piece ||
        w->headers.payload + size > largest_mtu(w->node) ||
        svr_cut_begin(&parts->cut, w->packet, &w->headers, (uint16_t)size) <
            0) {
        svr__drop(w, SVR_DROP_TOO_BIG);
        return;
    }
    parts->proto = w->key.proto;
    parts->bare = bare;
    svr__parts_post(w, SVR__CUT, w->packet->iface, &SVR_ADDR_NONE);
}

bool svr__is_behind(const svr__work *w)
{
    const svr__apart *a = &w->node->apart;
    if (w->piece || w->headers.tuple.proto != SVR_PROTO_TCP)
        return false;
    for (unsigned i = 0; i < a->count; i++)
        if (a->parts[(a->first + i) % SVR_BATCH_MAX].hash == w->hash)
            return true;
    return false;
}

static int next_segment(svr__work *w, svr__parts *parts, uint8_t *buf,
                        size_t cap)
{
    svr_cut before = parts->cut;
    int err = svr_cut_next(&parts->cut, w->packet, buf, cap);
    if (err < 0)
        return err;
    w->piece = true;
    w->bare = parts->bare;
    w->proto = parts->proto;
    svr__handle(w);
    if (w->smaller) {
        parts->cut = before;
        parts->cut.size = w->smaller;
    }
    return 0;
}

static bool has_more(const svr__parts *parts)
{
    switch (parts->kind) {
    case SVR__CUT:
        return svr_cut_more(&parts->cut);
    case SVR__SPLIT:
        return svr_split_more(&parts->split);
    default:
        return svr_ip_split_more(&parts->ip);
    }
}

/* The next part. 1 where it goes on, 0 where it does not. */
static int take_part(svr_node *n, svr_packet *pkt, uint8_t *buf, size_t cap,
                     svr_time now)
{
    svr__apart *a = &n->apart;
    svr__parts *parts = &a->parts[a->first];
    svr__work w = {.node = n, .packet = pkt, .now = now};
    int err = parts->kind == SVR__CUT ? next_segment(&w, parts, buf, cap)
                                      : svr__next_part(&w, parts, buf, cap);
    if (err < 0)
        return err;
    if (!has_more(parts)) {
        a->first = (a->first + 1) % SVR_BATCH_MAX;
        a->count--;
    }
    return pkt->verdict == SVR_VERDICT_FORWARD;
}

/* The packet of a pool that is complete, handled as one that has just arrived.
 * 1 where it goes on, 0 where it does not or is taken apart: then its slot is
 * lent until that is done. */
static int take_whole(svr_node *n, svr_reassembly *pool, svr_packet *pkt,
                      uint8_t *buf, size_t cap, svr_time now)
{
    svr_packet *p = svr_reassembly_first(pool);
    svr__work w = {.node = n, .packet = p, .now = now, .whole = true};
    int result = 0;
    if (cap < SVR_OUTPUT_SIZE(largest_mtu(n)))
        return SVR_ERR_NO_SPACE;
    svr__handle(&w);
    if (n->apart.count) {
        n->lent = pool;
        return 0;
    }
    if (p->verdict == SVR_VERDICT_FORWARD) {
        result = copy_out(p, pkt, buf, cap);
        assert(result == 1); /* what goes on fits its network */
    }
    svr_reassembly_release(pool);
    return result;
}

static void take_back(svr_node *n)
{
    if (n->lent && n->apart.count == 0) {
        svr_reassembly_release(n->lent);
        n->lent = NULL;
    }
}

int svr_node_output(svr_node *n, svr_packet *pkt, uint8_t *buf, size_t cap,
                    svr_time now)
{
    for (;;) {
        int result;
        take_back(n);
        if (n->outbox.count)
            result = take_own(n, pkt, buf, cap);
        else if (n->apart.count)
            result = take_part(n, pkt, buf, cap, now);
        else if (svr_reassembly_first(n->fabric))
            result = take_whole(n, n->fabric, pkt, buf, cap, now);
        else if (svr_reassembly_first(n->clients))
            result = take_whole(n, n->clients, pkt, buf, cap, now);
        else
            return 0;
        if (result != 0)
            return result;
    }
}
