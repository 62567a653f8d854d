/* What the node itself has to say, and the pieces of packets that it cut. */
#include "node/node.h"

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

static int take_own(svr_node *n, svr_packet *pkt, uint8_t *buf, size_t cap)
{
    svr__outbox *o = &n->outbox;
    const svr_packet *p = &o->packet[o->first];
    int err = svr_packet_init(pkt, buf, cap, p->len);
    if (err < 0)
        return err;
    memcpy(pkt->data, p->data, p->len);
    pkt->iface = p->iface;
    pkt->next_hop = p->next_hop;
    pkt->verdict = SVR_VERDICT_FORWARD;
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

void svr__cut(svr__work *w, size_t size, bool bare)
{
    svr__cuts *c = &w->node->cuts;
    unsigned at = (c->first + c->count) % SVR_BATCH_MAX;
    if (c->count == SVR_BATCH_MAX || w->piece ||
        w->headers.payload + size > largest_mtu(w->node) ||
        svr_cut_begin(&c->cut[at], w->packet, &w->headers, (uint16_t)size) <
            0) {
        svr__drop(w, SVR_DROP_TOO_BIG);
        return;
    }
    c->bare[at] = bare;
    c->count++;
    w->node->counters.cut++;
    svr__consume(w);
}

/* The next piece, handled as a packet that has just arrived. 1 where it goes
 * on, 0 where it does not. */
static int take_piece(svr_node *n, svr_packet *pkt, uint8_t *buf, size_t cap,
                      svr_time now)
{
    svr__cuts *c = &n->cuts;
    svr_cut *cut = &c->cut[c->first];
    bool bare = c->bare[c->first];
    int err = svr_cut_next(cut, pkt, buf, cap);
    if (err == SVR_ERR_NO_SPACE)
        return err;
    if (!svr_cut_more(cut)) {
        c->first = (c->first + 1) % SVR_BATCH_MAX;
        c->count--;
    }
    if (err < 0)
        return 0;
    svr__work w = {
        .node = n, .packet = pkt, .now = now, .piece = true, .bare = bare};
    svr__handle(&w);
    return pkt->verdict == SVR_VERDICT_FORWARD;
}

int svr_node_output(svr_node *n, svr_packet *pkt, uint8_t *buf, size_t cap,
                    svr_time now)
{
    while (n->outbox.count || n->cuts.count) {
        int result = n->outbox.count ? take_own(n, pkt, buf, cap)
                                     : take_piece(n, pkt, buf, cap, now);
        if (result != 0)
            return result;
    }
    return 0;
}
