/* Packets of sessions that need more than a rewrite. */
#include "node/node.h"

#include "wire/tcp_option.h"

#include <string.h>

static svr__pathway *side_pathway(const svr_node *n, const svr__session *s,
                                  unsigned side)
{
    uint16_t number = s->side[side].pathway;
    return number == SVR__NO_PATHWAY ? NULL : &n->pathways[number];
}

static svr__passage passage_of(const svr_node *n, svr__flow *flow)
{
    svr__passage r = {.flow = flow,
                      .session = svr__flow_session(&n->table, flow),
                      .in = svr__flow_side(&n->table, flow)};
    r.out = !r.in;
    r.from = side_pathway(n, r.session, r.in);
    r.to = side_pathway(n, r.session, r.out);
    return r;
}

void svr__session_settle(svr_node *n, svr__session *s)
{
    for (unsigned side = 0; side < 2; side++) {
        svr__flow *f = svr__session_flow(&n->table, s, side);
        const svr__pathway *to = side_pathway(n, s, !side);
        bool quiet = !svr__is_sealing(s) && s->seal != SVR__UNDECIDED &&
                     (!to || svr__session_leads_on(n, s, !side)) &&
                     !svr__has_legs(n, s, !side) &&
                     svr_session_quiet(&s->machine, side);
        f->flags = (uint8_t)(quiet ? f->flags & ~SVR__FLOW_SLOW
                                   : f->flags | SVR__FLOW_SLOW);
    }
    svr__session_arm(n, s);
}

void svr__session_renew(svr_node *n, svr__session *s, unsigned side,
                        svr_time now)
{
    svr__side_freshen(n, s, side);
    svr_session_event(&s->machine, side, SVR_SESSION_RENEW, now);
    svr__session_settle(n, s);
}

/* What plain packets acknowledged since the last event. */
static void note_flows(svr_node *n, svr__session *s)
{
    for (unsigned side = 0; side < 2; side++) {
        const svr__flow *f = svr__session_flow(&n->table, s, side);
        if ((s->machine.life.end[side].seen & SVR_LIFE_SEEN_ACK) || f->tcp_ack)
            svr_life_note(&s->machine.life, side == SVR__SERVER, f->tcp_ack,
                          f->tcp_window);
    }
}

/* Between the ends of an encrypted session only they know exactly how long the
 * payload is: it is not less. */
static size_t clear_len(const svr__work *w, const svr__passage *r)
{
    size_t len = svr__payload_len(w);
    if (r->session->seal != SVR__SEALED || svr__is_sealing(r->session))
        return len;
    size_t growth = (size_t)svr__seal_growth(w->node, r->session);
    return len > growth ? len - growth : len > 0;
}

static void live(svr__work *w, const svr__passage *r)
{
    const svr_headers *h = &w->headers;
    svr_life_packet p = {
        .reverse = r->in == SVR__SERVER,
        .tcp_flags = h->tcp_flags,
        .window_shift = h->tcp_flags & SVR_TCP_SYN
                            ? svr__tcp_window_shift(w->packet, h)
                            : 0,
        .window = h->tcp_window,
        .seq = h->tcp_seq,
        .ack = h->tcp_ack,
        .len = (uint32_t)clear_len(w, r),
    };
    if (!r->from) /* S6.10 */
        r->session->side[r->in].tcp_ack =
            h->tcp_seq + p.len + !!(h->tcp_flags & SVR_TCP_SYN);
    note_flows(w->node, r->session);
    svr_life_event(&r->session->machine.life, &p);
    r->flow->packets++;
    r->flow->bytes += w->packet->len;
    if (h->tcp_flags & SVR_TCP_ACK) {
        r->flow->tcp_ack = h->tcp_ack;
        r->flow->tcp_window = h->tcp_window;
    }
}

/* S13: an echo session's reverse side admits replies only. */
static bool echo_direction_ok(const svr__work *w, const svr__passage *r)
{
    const svr_headers *h = &w->headers;
    bool reply;
    if (h->tuple.proto == SVR_PROTO_ICMP)
        reply = h->icmp_type == SVR__ECHO_REPLY;
    else if (h->tuple.proto == SVR_PROTO_ICMPV6)
        reply = h->icmp_type == SVR__ECHO_V6_REPLY;
    else
        return true;
    return h->icmp_echo && reply == (r->in == SVR__SERVER);
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

static bool transform(svr__work *w, const svr__passage *r)
{
    const svr__flow *f = r->flow;
    if (!(f->flags & SVR__FLOW_CONVERT)) {
        svr_packet_rewrite(w->packet, &w->headers, &f->rewrite);
        return true;
    }
    svr_tuple to = svr__side_tuple(w->node, r->session, r->out);
    to.proto = f->out_proto; /* its mask comes later */
    int err = svr_packet_convert(w->packet, &w->headers, &to);
    if (svr__flow_proto(f) == SVR_PROTO_UDP && f->out_proto != SVR_PROTO_UDP)
        w->touched = false; /* what changed was the UDP header's business */
    if (err == 0 && echo_direction_ok(w, r))
        return true;
    svr__drop(w, err == 0 ? SVR_DROP_NOT_OPENER : drop_of_convert(err));
    return false;
}

/* Makes the packet what the next neighbour gets. False: it was cut or dropped.
 */
static bool make_ready(svr__work *w, svr__passage *r)
{
    r->flow->seen = w->now; /* S9: its host has not given it up */
    if (r->to && !svr__session_leads_on(w->node, r->session, r->out)) {
        if (!svr__session_detour(w->node, r->session, r->out, w->now) ||
            !svr__session_leads_on(w->node, r->session, r->out)) {
            svr__drop(w, SVR_DROP_PATHWAY_DOWN);
            return false;
        }
        r->to = side_pathway(w->node, r->session, r->out);
    }
    if (!svr__adapt(w, r))
        return false;
    if (r->out == SVR__SERVER)
        svr__legs_make(w->node, r->session, w->now);
    r->copied = svr__has_legs(w->node, r->session, r->out);
    if (w->headers.ttl <= 1) {
        if (w->headers.ttl == 1)
            svr__raise(w, r->flow, SVR_ICMP_TIME_EXCEEDED, 0);
        svr__drop(w, SVR_DROP_TTL);
        return false;
    }
    if (r->to) /* it may need metadata for it, which has to fit */
        svr__seal_refresh(w->node, r->session, w->now);
    if (!svr__fit(w, r))
        return false;
    live(w, r);
    if (!transform(w, r))
        return false;
    if (w->headers.tcp_flags & SVR_TCP_SYN)
        svr__clamp_mss(w, r);
    if (!svr__depart(w, r))
        return false;
    if (w->touched)
        svr_packet_checksum_write(w->packet, &w->headers);
    if (w->touched && w->packet->checksum == SVR_CHECKSUM_FULL)
        w->packet->checksum = SVR_CHECKSUM_VALID; /* nobody need look again */
    return true;
}

void svr__send_on(svr__work *w, svr__flow *flow)
{
    svr_node *n = w->node;
    svr__passage r = passage_of(n, flow);
    bool ready = make_ready(w, &r);

    /* The machines may have moved where the packet was dropped, too. */
    svr__session_settle(n, r.session);
    if (ready)
        svr__leave(w, r.to, flow->out_iface,
                   svr__next_hop_addr(n, flow->next_hop, &flow->rewrite.dst));
}

bool svr__unmask(svr__work *w)
{
    if (svr_packet_unmask(w->packet, &w->headers) == 0)
        return true;
    svr__drop(w, SVR_DROP_NOT_TCP);
    return false;
}

/* A plain packet from a neighbour: its tag, its false-positive mark and its
 * mask come off. False: it was dropped. */
static bool arrive(svr__work *w, const svr__passage *r)
{
    svr_node *n = w->node;
    uint8_t flags = svr__arrival_flags(w, r->flow);
    if (flags & SVR__FLOW_SIGNED_IN) {
        if (!svr__touch(w))
            return false;
        enum svr_drop reason =
            w->alias ? svr__verify_late(w, w->alias)
                     : svr__verify(
                           w, r->from,
                           &svr__protection_of(n, r->session, r->in)->receive);
        if (reason != SVR_DROP_NONE) {
            svr__drop(w, reason);
            return false;
        }
        w->packet->alone = true;
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
    if ((flags & SVR__FLOW_MASKED_IN) && !svr__unmask(w))
        return false;
    w->sealed = svr__arrives_sealed(w, r->session);
    if (!svr__relocate(w, r->flow) || !svr__unseal(w, r->session))
        return false;
    svr_session_event(&r->session->machine, r->in, SVR_SESSION_PLAIN, w->now);
    return true;
}

void svr__relay(svr__work *w, svr__flow *flow)
{
    svr__passage r = passage_of(w->node, flow);

    if (w->alias)
        r.from = &w->node->pathways[w->alias->pathway];
    if (!r.from) {
        if (echo_direction_ok(w, &r))
            svr__send_on(w, flow);
        else
            svr__drop(w, SVR_DROP_NOT_OPENER);
    } else if (w->packet->segment_size &&
               ((svr__arrival_flags(w, flow) & SVR__FLOW_SIGNED_IN) ||
                svr__is_sealing(r.session) || svr__segment_has_cookie(w))) {
        svr__cut(w, w->packet->segment_size, false);
    } else if (svr__has_block(w)) {
        svr__waypoint_block(w, r.from, flow);
    } else if (arrive(w, &r)) {
        svr__send_on(w, flow);
    }
}
