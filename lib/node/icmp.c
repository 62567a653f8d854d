/*
 * ICMP errors (S19).
 *
 * Between hosts and routers of their side they are ordinary packets. Across a
 * pathway an error travels on the session's own tuple there, as TCP or UDP, so
 * that it passes each NAT that the session passes: a signed block that says
 * where the error arose (type 20 or 21), then the ICMP message, whose quote
 * names waypoints instead of client and server.
 */
#include "node/node.h"

#include "base/bytes.h"
#include "wire/headers.h"

#include <string.h>

enum {
    /* Errors, resets and echo replies of one node. */
    ERRORS_PER_SECOND = 1000,
    ERRORS_BURST = 100,
    /* Headers in front of a carried message, at most: IPv6 and TCP. */
    HEADERS_MAX = IP6_SIZE + TCP_SIZE,
    QUOTED = 8,  /* bytes behind a quoted IP header */
    ECHO_ID = 4, /* in the header of an echo */
};

/* The session side that an error is told to. */
struct recipient {
    svr__session *session;
    unsigned side;
    const svr_addr *location; /* where the error arose */
    bool v6;                  /* ICMPv6 */
};

static bool may_answer(svr_node *n, svr_time now)
{
    return svr__bucket_take(&n->errors, now, ERRORS_PER_SECOND, ERRORS_BURST);
}

/* The packet that the error is about, as the recipient's side sent it. */
static svr_tuple offender(const svr_node *n, const struct recipient *r)
{
    const svr__session *s = r->session;
    svr_tuple context =
        r->side == SVR__CLIENT ? s->context : svr_tuple_reverse(&s->context);
    if (s->side[r->side].pathway == SVR__NO_PATHWAY)
        return context;
    svr_tuple leaving = svr__side_tuple(n, s, r->side);
    svr_tuple sent = svr_tuple_reverse(&leaving);
    if (!svr__has_ports(
            context.proto)) { /* the quote begins at its own header */
        sent.proto = context.proto;
        sent.sport = context.sport;
        sent.dport = context.dport;
    }
    return sent;
}

/* Where the carrier stands in its TCP connection: where the answer to the
 * quoted segment would. A NAT may watch sequence numbers. */
static svr_tcp_bind carrier_place(const svr_node *n, const svr_packet *p,
                                  const struct recipient *r)
{
    const svr__session *s = r->session;
    svr_tcp_bind b = {
        .seq = svr__session_flow(&n->table, s, r->side)->tcp_ack,
        .ack = s->side[r->side].tcp_ack,
        .flags = SVR_TCP_ACK,
    };
    svr__icmp_quote_place(p->data, p->len, r->v6, &b.ack, &b.seq);
    return b;
}

/* Appends the tag to the block and message that p holds; bind NULL: they travel
 * as UDP. */
static bool sign_carrier(const svr_node *n, svr_packet *p,
                         const svr__pathway *pw, const svr_tcp_bind *bind,
                         svr_time now)
{
    const svr_mac *mac = &svr__keys_now(n, pw)->send_mac;
    size_t len = mac->hmac->tag_len;
    if (p->tailroom < len)
        return false;
    if (svr__tag_write(n, pw, mac, (svr_span){p->data, p->len}, bind, now,
                       p->data + p->len) < 0)
        return false;
    p->len += (uint32_t)len;
    p->tailroom = (uint16_t)(p->tailroom - len);
    return true;
}

/* A quote may always be shorter. */
static void shorten(svr_packet *p, size_t limit)
{
    if (p->len > limit)
        svr__trim(p, (uint32_t)limit);
}

/* Of an encrypted session nothing is quoted but headers: the IP header and the
 * 8 bytes behind it. */
static size_t quote_without_payload(const svr_packet *p)
{
    size_t header = IP6_SIZE;

    if (p->len <= ICMP_SIZE)
        return p->len;
    if (!svr__is_v6(p->data + ICMP_SIZE))
        header = (size_t)4 * (p->data[ICMP_SIZE] & 0x0f);
    return ICMP_SIZE + header + QUOTED;
}

/* Puts the block in front of the message that p holds. */
static bool prepend_block(svr_node *n, svr_packet *p, const svr__pathway *pw,
                          const struct recipient *r)
{
    uint8_t block[SVR_METADATA_MAX];
    svr_metadata md;
    svr__describe_bare(&md);
    md.present |= svr_addr_is_v4(r->location) ? SVR_HAS(ICMP_LOCATION_V4)
                                              : SVR_HAS(ICMP_LOCATION_V6);
    md.icmp_location = *r->location;
    size_t len = svr__describe_write(n, pw, svr__keys_now(n, pw), &md, block);
    if (len == 0 || p->headroom < len)
        return false;
    p->data -= len;
    p->headroom = (uint16_t)(p->headroom - len);
    memcpy(p->data, block, len);
    size_t limit = (size_t)pw->mtu - HEADERS_MAX - SVR_TAG_MAX;
    p->len += (uint32_t)len;
    shorten(p, limit);
    return true;
}

/* Makes the ICMP message that p holds, with its quote as the side sent it, the
 * packet that carries it over the side's pathway. */
static bool wrap_message(svr_node *n, svr_packet *p, const struct recipient *r,
                         svr_time now)
{
    const svr__pathway *pw = &n->pathways[r->session->side[r->side].pathway];
    svr_tuple tuple = svr__side_tuple(n, r->session, r->side);
    svr_tcp_bind bind;

    if (r->session->seal == SVR__SEALED)
        shorten(p, quote_without_payload(p));
    if (tuple.proto != SVR_PROTO_TCP)
        return prepend_block(n, p, pw, r) &&
               sign_carrier(n, p, pw, NULL, now) &&
               svr_udp_wrap(p, &tuple) == 0;
    bind = carrier_place(n, p, r);
    return prepend_block(n, p, pw, r) && sign_carrier(n, p, pw, &bind, now) &&
           svr_tcp_wrap(p, &tuple, bind.seq, bind.ack) == 0;
}

/* Makes the ICMP message that p holds the packet that goes to the recipient's
 * side. */
static bool address_message(svr_node *n, svr_packet *p,
                            const struct recipient *r, svr_time now)
{
    svr_tuple about = offender(n, r);
    uint16_t number = r->session->side[r->side].pathway;
    if (svr_icmp_quote_rewrite(p->data, p->len, r->v6, &about) < 0)
        return false;
    if (number == SVR__NO_PATHWAY) {
        uint16_t iface = r->session->side[r->side].iface;
        shorten(p, (size_t)n->interfaces[iface].config.mtu - IP6_SIZE);
        return svr_icmp_wrap(p, r->location, &about.src) == 0;
    }
    if (!wrap_message(n, p, r, now))
        return false;
    n->counters.metadata_sent++;
    return true;
}

/* The flow whose packets leave to the recipient's side. */
static const svr__flow *leaving_flow(const svr_node *n,
                                     const struct recipient *r)
{
    return svr__session_flow(&n->table, r->session, !r->side);
}

/* Takes len bytes from the packet's front; what is left has no IP header. */
static void behead(svr_packet *p, size_t len)
{
    p->data += len;
    p->headroom = (uint16_t)(p->headroom + len);
    p->len -= (uint32_t)len;
    p->segment_size = 0;
    p->checksum = SVR_CHECKSUM_FULL;
}

/* Sends the ICMP message that the packet has become on to the recipient. */
static void pass_on(svr__work *w, const struct recipient *r)
{
    svr_node *n = w->node;
    const svr__flow *f = leaving_flow(n, r);
    if (address_message(n, w->packet, r, w->now))
        svr__forward(w, f->out_iface,
                     svr__next_hop_addr(n, f->next_hop, &f->rewrite.dst));
    else
        svr__drop(w, SVR_DROP_ICMP_NO_SESSION);
}

static bool comes_by_pathway(const svr_node *n, const svr__flow *f)
{
    const svr__session *s = svr__flow_session(&n->table, f);
    return s->side[svr__flow_side(&n->table, f)].pathway != SVR__NO_PATHWAY;
}

void svr__icmp_from_host(svr__work *w)
{
    svr_node *n = w->node;
    const svr_headers *h = &w->headers;
    bool v6 = h->tuple.proto == SVR_PROTO_ICMPV6;
    svr_tuple quoted;

    if (!svr_packet_checksum_ok(w->packet, h)) {
        svr__drop(w, SVR_DROP_L4_CHECKSUM);
        return;
    }
    if (svr_icmp_quote_parse(&quoted, w->packet->data + h->l4,
                             w->packet->len - h->l4, v6) < 0) {
        svr__drop(w, SVR_DROP_ICMP_NO_SESSION);
        return;
    }
    /* The packet quoted was sent to where the error comes from, so its session
     * is that of the packets that come back from there. */
    w->key.src = quoted.dst;
    w->key.dst = quoted.src;
    w->key.sport = quoted.dport;
    w->key.dport = quoted.sport;
    w->key.proto = quoted.proto;
    svr__flow *f =
        svr__flow_find(&n->table, &w->key, svr__flow_hash(&n->table, &w->key));
    if (!f || comes_by_pathway(n, f)) {
        svr__drop(w, SVR_DROP_ICMP_NO_SESSION);
        return;
    }
    svr_addr location = h->tuple.src;
    struct recipient r = {
        .session = svr__flow_session(&n->table, f),
        .side = !svr__flow_side(&n->table, f),
        .location = &location,
        .v6 = v6,
    };
    behead(w->packet, h->l4);
    pass_on(w, &r);
}

void svr__icmp_from_pathway(svr__work *w, svr__flow *f, const svr_metadata *md,
                            size_t block_len)
{
    svr_node *n = w->node;
    svr_addr location = md->icmp_location;

    if (!f) {
        svr__drop(w, SVR_DROP_ICMP_NO_SESSION);
        return;
    }
    behead(w->packet, w->headers.payload + block_len);
    struct recipient r = {
        .session = svr__flow_session(&n->table, f),
        .side = !svr__flow_side(&n->table, f),
        .location = &location,
        .v6 = md->present & SVR_HAS(ICMP_LOCATION_V6),
    };
    pass_on(w, &r);
}

/* What a host of that family can be told. */
static uint16_t usable_mtu(uint16_t mtu, bool v4)
{
    uint16_t least = svr__least_mtu(v4);
    return mtu < least ? least : mtu;
}

/* An own address of the family that the packet has, best of the interface. */
static const svr_addr *own_address(const svr_node *n, uint16_t iface, bool v4)
{
    for (size_t i = 0; i <= n->interface_count; i++) {
        size_t at = i == 0 ? iface : i - 1;
        const svr_interface_config *c = &n->interfaces[at].config;
        for (size_t k = 0; k < c->address_count; k++)
            if (svr_addr_is_v4(&c->addresses[k].addr) == v4)
                return &c->addresses[k].addr;
    }
    return NULL;
}

/* To a host on an own interface. */
static void raise_to_host(svr__work *w, enum svr_icmp_kind kind, uint16_t mtu)
{
    svr_node *n = w->node;
    const svr_addr *to = &w->headers.tuple.src;
    uint16_t iface = w->packet->iface, hop;
    bool v4 = svr_addr_is_v4(to);
    const svr_addr *src = own_address(n, iface, v4);
    svr_packet *p = svr__outbox_open(n, 0);

    if (!src || !p || !svr__next_hop(n, iface, to, &hop))
        return;
    if (svr_icmp_error(p, p->data - p->headroom, SVR__OUTBOX_BYTES, kind,
                       usable_mtu(mtu, v4), src, w->packet, &w->headers) < 0)
        return;
    svr__outbox_post(n, iface, svr__next_hop_addr(n, hop, to));
}

/* Between the ends of an encrypted session an echo's header is not to be read,
 * but for what the session's context says of it. Its host knows the echo by its
 * identifier. */
static void restore_echo(svr__work *w, const struct recipient *r)
{
    const svr_tuple *context = &r->session->context;
    bool v6 = context->proto == SVR_PROTO_ICMPV6;
    bool request = r->side == SVR__CLIENT;
    uint8_t *l4 = w->packet->data + w->headers.l4;

    if ((context->proto != SVR_PROTO_ICMP && !v6) ||
        r->session->seal != SVR__SEALED || svr__is_sealing(r->session) ||
        w->packet->len < w->headers.l4 + (size_t)QUOTED)
        return;
    memset(l4, 0, QUOTED);
    if (v6)
        l4[0] = request ? SVR__ECHO_V6_REQUEST : SVR__ECHO_V6_REPLY;
    else
        l4[0] = request ? SVR__ECHO_REQUEST : SVR__ECHO_REPLY;
    svr__store_be16(l4 + ECHO_ID, context->sport);
}

/* The packet as its host sent it, but for the TTL. */
static bool restore(svr__work *w, const struct recipient *r,
                    const svr_tuple *context)
{
    const svr_tuple *now = &w->headers.tuple;
    svr_rewrite rw;
    /* A transit router may convert nothing on its way, and yet here. */
    if (now->proto != context->proto ||
        svr_addr_is_v4(&now->src) != svr_addr_is_v4(&context->src)) {
        if (svr_packet_convert(w->packet, &w->headers, context) < 0)
            return false;
    } else {
        svr_rewrite_init(&rw, &w->headers.tuple, context);
        svr_packet_rewrite(w->packet, &w->headers, &rw);
    }
    restore_echo(w, r);
    svr_packet_checksum_write(w->packet, &w->headers);
    return svr_packet_parse(&w->headers, w->packet) == 0;
}

/* To a host beyond the neighbour that the packet came from. */
static void raise_to_pathway(svr__work *w, svr__flow *flow,
                             enum svr_icmp_kind kind, uint16_t mtu)
{
    svr_node *n = w->node;
    struct recipient r = {.session = svr__flow_session(&n->table, flow),
                          .side = svr__flow_side(&n->table, flow)};
    svr_tuple context = r.session->context;
    if (r.side == SVR__SERVER)
        context = svr_tuple_reverse(&context);
    bool v4 = svr_addr_is_v4(&context.src);
    const svr_addr *src = own_address(n, flow->out_iface, v4);
    svr_packet *p = svr__outbox_open(n, 0);

    r.location = src;
    r.v6 = !v4;
    if (!src || !p || w->headers.ttl == 0 || !restore(w, &r, &context) ||
        svr_icmp_error(p, p->data - p->headroom, SVR__OUTBOX_BYTES, kind,
                       usable_mtu(mtu, v4), src, w->packet, &w->headers) < 0)
        return;
    behead(p, v4 ? IP4_SIZE : IP6_SIZE);
    if (!address_message(n, p, &r, w->now))
        return;
    const svr__flow *f = leaving_flow(n, &r);
    svr__outbox_post(n, f->out_iface,
                     svr__next_hop_addr(n, f->next_hop, &f->rewrite.dst));
}

void svr__raise(svr__work *w, svr__flow *flow, enum svr_icmp_kind kind,
                uint16_t mtu)
{
    svr_node *n = w->node;
    if (!may_answer(n, w->now))
        return;
    if (flow && comes_by_pathway(n, flow))
        raise_to_pathway(w, flow, kind, mtu);
    else
        raise_to_host(w, kind, mtu);
}

void svr__reset(svr__work *w)
{
    svr_node *n = w->node;
    const svr_addr *to = &w->headers.tuple.src;
    uint16_t iface = w->packet->iface, hop;
    svr_packet *p = svr__outbox_open(n, 0);

    if (w->headers.tuple.proto != SVR_PROTO_TCP || !p ||
        !svr__next_hop(n, iface, to, &hop) || !may_answer(n, w->now))
        return;
    if (svr_tcp_reset(p, p->data - p->headroom, SVR__OUTBOX_BYTES, w->packet,
                      &w->headers) == 0)
        svr__outbox_post(n, iface, svr__next_hop_addr(n, hop, to));
}

/* A host asks whether its router is there. */
void svr__answer_echo(svr__work *w)
{
    svr_node *n = w->node;
    svr_packet *p = w->packet;
    svr_addr from = w->headers.tuple.src, own = w->headers.tuple.dst;
    uint16_t hop;

    if (!svr_packet_checksum_ok(p, &w->headers)) {
        svr__drop(w, SVR_DROP_L4_CHECKSUM);
        return;
    }
    if (!svr__next_hop(n, p->iface, &from, &hop) || !may_answer(n, w->now)) {
        svr__drop(w, SVR_DROP_NOT_FOR_US);
        return;
    }
    behead(p, w->headers.l4);
    p->data[0] = w->headers.tuple.proto == SVR_PROTO_ICMP ? SVR__ECHO_REPLY
                                                          : SVR__ECHO_V6_REPLY;
    if (svr_icmp_wrap(p, &own, &from) < 0 ||
        svr_packet_parse(&w->headers, p) < 0) {
        svr__drop(w, SVR_DROP_NOT_FOR_US);
        return;
    }
    w->fragmentable = w->whole; /* as the request was, so may the answer be */
    svr__leave(w, NULL, p->iface, svr__next_hop_addr(n, hop, &from));
}
