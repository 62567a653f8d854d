/* Packets of sessions that need more than a rewrite. */
#include "node/node.h"

#include <string.h>

enum {
    ICMP_ECHO_REPLY = 0,
    ICMPV6_ECHO_REPLY = 129,
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    TCP_HEADER = 20,
    UDP_HEADER = 8,
    TCP_OPTION_END = 0,
    TCP_OPTION_PAD = 1,
    TCP_OPTION_SCALE = 3,
};

/* A session on its way through this file. */
struct relay {
    svr__flow *flow;
    svr__session *session;
    unsigned in, out;        /* sides */
    svr__pathway *from, *to; /* NULL: own interface */
};

static svr__pathway *side_pathway(const svr_node *n, const svr__session *s,
                                  unsigned side)
{
    uint16_t number = s->side[side].pathway;
    return number == SVR__NO_PATHWAY ? NULL : &n->pathways[number];
}

static struct relay relay_of(const svr_node *n, svr__flow *flow)
{
    struct relay r = {.flow = flow,
                      .session = svr__flow_session(&n->table, flow),
                      .in = svr__flow_side(&n->table, flow)};
    r.out = !r.in;
    r.from = side_pathway(n, r.session, r.in);
    r.to = side_pathway(n, r.session, r.out);
    return r;
}

void svr__session_settle(svr_node *n, svr__session *s)
{
    bool quiet = svr_life_quiet(&s->life) &&
                 svr_handshake_quiet(&s->side[SVR__CLIENT].handshake) &&
                 svr_handshake_quiet(&s->side[SVR__SERVER].handshake);
    for (unsigned side = 0; side < 2; side++) {
        svr__flow *f = svr__session_flow(&n->table, s, side);
        f->flags = (uint8_t)(quiet ? f->flags & ~SVR__FLOW_SLOW
                                   : f->flags | SVR__FLOW_SLOW);
    }
    svr__session_arm(n, s);
}

/* The shift of the window scale option of a SYN (RFC 7323), or 0. */
static uint8_t window_shift(const svr__work *w)
{
    const uint8_t *data = w->packet->data;
    size_t at = (size_t)w->headers.l4 + TCP_HEADER;
    while (at + 2 < w->headers.payload && data[at] != TCP_OPTION_END) {
        if (data[at] == TCP_OPTION_PAD) {
            at++;
            continue;
        }
        if (data[at] == TCP_OPTION_SCALE)
            return data[at + 2];
        if (data[at + 1] < 2)
            break;
        at += data[at + 1];
    }
    return 0;
}

/* What plain packets acknowledged since the last event. */
static void note_flows(svr_node *n, svr__session *s)
{
    for (unsigned side = 0; side < 2; side++) {
        const svr__flow *f = svr__session_flow(&n->table, s, side);
        if (s->life.end[side].seen & SVR_LIFE_SEEN_ACK)
            svr_life_note(&s->life, side == SVR__SERVER, f->tcp_ack,
                          f->tcp_window);
    }
}

static void live(svr__work *w, const struct relay *r)
{
    const svr_headers *h = &w->headers;
    svr_life_packet p = {
        .reverse = r->in == SVR__SERVER,
        .tcp_flags = h->tcp_flags,
        .window_shift = h->tcp_flags & SVR_TCP_SYN ? window_shift(w) : 0,
        .window = h->tcp_window,
        .seq = h->tcp_seq,
        .ack = h->tcp_ack,
        .len = (uint32_t)svr__payload_len(w),
    };
    note_flows(w->node, r->session);
    svr_life_event(&r->session->life, &p);
    r->flow->seen = w->now;
    r->flow->packets++;
    r->flow->bytes += w->packet->len;
    if (h->tcp_flags & SVR_TCP_ACK) {
        r->flow->tcp_ack = h->tcp_ack;
        r->flow->tcp_window = h->tcp_window;
    }
}

/* S13: an echo session's reverse side admits replies only. */
static bool echo_direction_ok(const svr__work *w, const struct relay *r)
{
    const svr_headers *h = &w->headers;
    bool reply;
    if (h->tuple.proto == SVR_PROTO_ICMP)
        reply = h->icmp_type == ICMP_ECHO_REPLY;
    else if (h->tuple.proto == SVR_PROTO_ICMPV6)
        reply = h->icmp_type == ICMPV6_ECHO_REPLY;
    else
        return true;
    return h->icmp_echo && reply == (r->in == SVR__SERVER);
}

/* Bytes that the packet gains on the way out, and those that go with some
 * packets only. */
struct growth {
    int steady;      /* headers of another form, the tag */
    size_t metadata; /* S4.8: rare */
};

static int header_len(const svr_addr *a)
{
    return svr_addr_is_v4(a) ? IPV4_HEADER : IPV6_HEADER;
}

static int header_growth(const struct relay *r)
{
    const svr__flow *f = r->flow;
    int family = header_len(&f->rewrite.src) - header_len(&f->key.src);
    int udp = 0;
    if (f->key.proto != f->out_proto)
        udp = f->out_proto == SVR_PROTO_UDP ? UDP_HEADER : -UDP_HEADER;
    return family + udp;
}

static size_t tag_len(const svr_node *n, const svr__pathway *pw)
{
    return n->securities[pw->security].hmac->tag_len;
}

static struct growth growth_of(const svr__work *w, const struct relay *r)
{
    svr_node *n = w->node;
    struct growth g = {.steady = header_growth(r)};
    if (!r->to)
        return g;
    if (r->flow->flags & SVR__FLOW_SIGNED_OUT)
        g.steady += (int)tag_len(n, r->to);
    if (svr_handshake_sends(&r->session->side[r->out].handshake)) {
        g.metadata = svr__describe_len(n, r->session, r->out);
        if (!(r->flow->flags & SVR__FLOW_SIGNED_OUT))
            g.metadata += tag_len(n, r->to);
    } else if (svr__has_cookie(w)) {
        g.metadata = SVR_BASE_HEADER_SIZE;
    }
    return g;
}

/* S4.8: the payload bytes that pieces may have, or 0 where the packet can go as
 * it is. */
static size_t piece_size(const svr__work *w, const struct relay *r,
                         const struct growth *g)
{
    const svr_packet *p = w->packet;
    int room =
        (int)r->flow->mtu - w->headers.payload - g->steady - (int)g->metadata;
    if (w->headers.tuple.proto != SVR_PROTO_TCP || room <= 0)
        return 0;
    if (p->segment_size == 0)
        return (int)svr__payload_len(w) > room && g->metadata ? (size_t)room
                                                              : 0;
    bool marks = r->to && svr__segment_has_cookie(w);
    if (marks && g->metadata < SVR_BASE_HEADER_SIZE)
        room -= SVR_BASE_HEADER_SIZE;
    bool whole = (r->flow->flags & SVR__FLOW_OFFLOAD) &&
                 !(r->flow->flags & SVR__FLOW_SIGNED_OUT) && !g->metadata &&
                 !marks && (int)p->segment_size <= room &&
                 (int)p->len + g->steady <= SVR_PACKET_MAX;
    if (whole || room <= 0)
        return 0;
    return (int)p->segment_size < room ? p->segment_size : (size_t)room;
}

/* Bytes that the packet has here over what its host sent: it came by a pathway
 * of another family, or behind a UDP header. */
static int grown_before(const struct relay *r)
{
    const svr_tuple *context = &r->session->context;
    int family = header_len(&r->flow->key.src) - header_len(&context->src);
    return family + (r->flow->key.proto != context->proto ? UDP_HEADER : 0);
}

/* S18: the sender is told what would fit. */
static void refuse_too_big(svr__work *w, const struct relay *r,
                           const struct growth *g)
{
    int fit = (int)r->flow->mtu - g->steady - grown_before(r);
    if (w->headers.tuple.proto != SVR_PROTO_TCP)
        fit -= (int)g->metadata;
    svr__raise(w, r->flow, SVR_ICMP_TOO_BIG, (uint16_t)fit);
    svr__drop(w, SVR_DROP_TOO_BIG);
}

/* False: the packet was cut or dropped. */
static bool fit_size(svr__work *w, const struct relay *r)
{
    const svr_packet *p = w->packet;
    struct growth g = growth_of(w, r);
    size_t size = piece_size(w, r, &g);
    if (size && !w->piece) {
        if (p->segment_size || svr__touch(w))
            svr__cut(w, size, true);
        return false;
    }
    size_t len =
        p->segment_size ? (size_t)w->headers.payload + p->segment_size : p->len;
    if ((int)len + g.steady + (int)g.metadata > (int)r->flow->mtu) {
        refuse_too_big(w, r, &g);
        return false;
    }
    return true;
}

static enum svr_drop drop_of_convert(int err)
{
    switch (err) {
    case SVR_ERR_UNSUPPORTED:
        return SVR_DROP_FAMILY;
    case SVR_ERR_NO_SPACE:
        return SVR_DROP_NO_BUFFER;
    default:
        return SVR_DROP_LENGTH;
    }
}

static bool transform(svr__work *w, const struct relay *r)
{
    const svr__flow *f = r->flow;
    if (!(f->flags & SVR__FLOW_CONVERT)) {
        svr_packet_rewrite(w->packet, &w->headers, &f->rewrite);
        return true;
    }
    svr_tuple to = svr__side_tuple(w->node, r->session, r->out);
    int err = svr_packet_convert(w->packet, &w->headers, &to);
    if (f->key.proto == SVR_PROTO_UDP && f->out_proto != SVR_PROTO_UDP)
        w->touched = false; /* what changed was the UDP header's business */
    if (err == 0 && echo_direction_ok(w, r))
        return true;
    svr__drop(w, err == 0 ? SVR_DROP_NOT_OPENER : drop_of_convert(err));
    return false;
}

static uint16_t pathway_mss(const svr_node *n, const svr__pathway *pw)
{
    int mss = (int)n->interfaces[pw->iface].config.mtu - TCP_HEADER -
              header_len(&pw->local);
    if (n->securities[pw->security].per_packet)
        mss -= (int)tag_len(n, pw);
    return (uint16_t)mss;
}

/* S4.8: MSS is lowered by what every packet gains. */
static void clamp_mss(svr__work *w, const struct relay *r)
{
    if (r->from)
        svr_packet_clamp_mss(w->packet, &w->headers,
                             pathway_mss(w->node, r->from));
    if (r->to)
        svr_packet_clamp_mss(w->packet, &w->headers,
                             pathway_mss(w->node, r->to));
}

/* Puts len bytes behind the L4 header. False: dropped. */
static bool prepend(svr__work *w, const uint8_t *bytes, size_t len)
{
    if (!svr__touch(w))
        return false;
    if (svr_packet_insert(w->packet, &w->headers, len) < 0) {
        svr__drop(w, SVR_DROP_NO_BUFFER);
        return false;
    }
    memcpy(w->packet->data + w->headers.payload, bytes, len);
    return true;
}

static bool add_metadata(svr__work *w, const struct relay *r)
{
    svr_node *n = w->node;
    uint8_t block[SVR_METADATA_MAX];
    size_t len = svr__describe(n, r->session, r->out, 0, block);
    if (!prepend(w, block, len))
        return false;
    n->counters.metadata_sent++;
    return svr__sign(w, &n->associations[r->to->association].send_mac,
                     &n->securities[r->to->security]);
}

static bool add_mark(svr__work *w)
{
    uint8_t mark[SVR_BASE_HEADER_SIZE];
    svr_block_write_bare(mark);
    return prepend(w, mark, sizeof(mark));
}

/* S11.1: metadata or a false-positive mark, then the tag. False: dropped. */
static bool depart(svr__work *w, const struct relay *r)
{
    svr_node *n = w->node;
    svr_handshake *hs = &r->session->side[r->out].handshake;

    if (!r->to)
        return true;
    if (svr_handshake_event(hs, SVR_HANDSHAKE_SEND, w->now) ==
        SVR_HANDSHAKE_ADD_METADATA)
        return add_metadata(w, r);
    if (svr__has_cookie(w) && !w->packet->segment_size && !add_mark(w))
        return false;
    if (!(r->flow->flags & SVR__FLOW_SIGNED_OUT))
        return true;
    return svr__touch(w) &&
           svr__sign(w, &svr__protection_of(n, r->session, r->out)->send,
                     &n->securities[r->to->security]);
}

/* Makes the packet what the next neighbour gets. False: it was cut or dropped.
 */
static bool make_ready(svr__work *w, const struct relay *r)
{
    if (w->headers.ttl <= 1) {
        if (w->headers.ttl == 1)
            svr__raise(w, r->flow, SVR_ICMP_TIME_EXCEEDED, 0);
        svr__drop(w, SVR_DROP_TTL);
        return false;
    }
    if (!fit_size(w, r))
        return false;
    live(w, r);
    if (!transform(w, r))
        return false;
    if (w->headers.tcp_flags & SVR_TCP_SYN)
        clamp_mss(w, r);
    if (!depart(w, r))
        return false;
    if (w->touched)
        svr_packet_checksum_write(w->packet, &w->headers);
    return true;
}

void svr__send_on(svr__work *w, svr__flow *flow)
{
    svr_node *n = w->node;
    struct relay r = relay_of(n, flow);
    bool ready = make_ready(w, &r);

    /* The machines may have moved where the packet was dropped, too. */
    svr__session_settle(n, r.session);
    if (ready)
        svr__forward(w, flow->out_iface,
                     svr__next_hop_addr(n, flow->next_hop, &flow->rewrite.dst));
}

/* A plain packet from a neighbour: its tag and its mark come off. False: it was
 * dropped. */
static bool arrive(svr__work *w, const struct relay *r)
{
    svr_node *n = w->node;
    if (r->flow->flags & SVR__FLOW_SIGNED_IN) {
        if (!svr__touch(w))
            return false;
        enum svr_drop reason =
            svr__verify(w, &svr__protection_of(n, r->session, r->in)->receive,
                        &n->securities[r->from->security]);
        if (reason != SVR_DROP_NONE) {
            svr__drop(w, reason);
            return false;
        }
    }
    if (svr__has_cookie(w)) { /* S2.3: only the mark is left */
        if (!svr__touch(w))
            return false;
        if (svr_packet_remove(w->packet, &w->headers, SVR_BASE_HEADER_SIZE) <
            0) {
            svr__drop(w, SVR_DROP_MD_LENGTH);
            return false;
        }
    }
    svr_handshake_event(&r->session->side[r->in].handshake, SVR_HANDSHAKE_PLAIN,
                        w->now);
    return true;
}

void svr__relay(svr__work *w, svr__flow *flow)
{
    struct relay r = relay_of(w->node, flow);

    if (!r.from) {
        if (echo_direction_ok(w, &r))
            svr__send_on(w, flow);
        else
            svr__drop(w, SVR_DROP_NOT_OPENER);
    } else if (w->packet->segment_size &&
               ((flow->flags & SVR__FLOW_SIGNED_IN) ||
                svr__segment_has_cookie(w))) {
        svr__cut(w, w->packet->segment_size, false);
    } else if (svr__has_block(w)) {
        svr__waypoint_block(w, r.from, flow);
    } else if (arrive(w, &r)) {
        svr__send_on(w, flow);
    }
}
