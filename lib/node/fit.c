/* Whether a packet fits the network that it leaves by, and what to do where it
 * does not (S4.8, S18). */
#include "node/node.h"

#include "wire/headers.h"

/* Bytes that the packet gains on the way out, and those that go with some
 * packets only. */
struct growth {
    int steady;      /* headers of another form, the tag */
    size_t metadata; /* S4.8: rare */
};

static int header_len(const svr_addr *a)
{
    return svr_addr_is_v4(a) ? IP4_SIZE : IP6_SIZE;
}

static int header_growth(const svr__passage *r)
{
    const svr__flow *f = r->flow;
    int family = header_len(&f->rewrite.src) - header_len(&f->key.src);
    int udp = 0;
    if (svr__flow_proto(f) != f->out_proto)
        udp = f->out_proto == SVR_PROTO_UDP ? UDP_SIZE : -UDP_SIZE;
    return family + udp;
}

static size_t tag_len(const svr_node *n, const svr__pathway *pw)
{
    return n->securities[pw->security].hmac->tag_len;
}

/* S2.3: whether a packet without metadata, or one that it stands for, needs the
 * mark. TCP carried as UDP does not: see svr_packet_mask. */
static bool is_marked(const svr__work *w, const svr__passage *r)
{
    return r->to && !(r->flow->flags & SVR__FLOW_MASKED_OUT) &&
           svr__segment_has_cookie(w);
}

static struct growth growth_of(const svr__work *w, const svr__passage *r)
{
    svr_node *n = w->node;
    struct growth g = {.steady = header_growth(r)};
    if (!r->to)
        return g;
    if (svr__is_sealing(r->session) && svr__payload_len(w) > 0)
        g.steady += svr__seal_growth(n, r->session);
    if (r->flow->flags & SVR__FLOW_SIGNED_OUT || r->copied)
        g.steady += (int)tag_len(n, r->to);
    if (r->copied)
        g.steady += (int)svr__describe_bare_len(n, r->to, SVR_HAS(COPY_NUMBER));
    unsigned actions = svr_session_peek(&r->session->machine, r->out, w->now);
    if (actions & SVR_SESSION_ADD_METADATA)
        g.metadata =
            svr__describe_len(n, r->session, r->out, svr__extra(w, r), w->now);
    else if (svr__health_of(actions))
        g.metadata = svr__describe_bare_len(
            n, r->to, SVR_HAS(SESSION_UUID) | SVR_HAS(HEALTH_OR_KEY));
    if (g.metadata) {
        if (!(r->flow->flags & SVR__FLOW_SIGNED_OUT))
            g.metadata += tag_len(n, r->to);
    } else if (is_marked(w, r)) {
        g.metadata = SVR_BASE_HEADER_SIZE;
    }
    return g;
}

/* Whether its payload is not this router's to cut: it is encrypted from end to
 * end. */
static bool passes_sealed(const svr__passage *r)
{
    return r->session->seal == SVR__SEALED && !svr__is_sealing(r->session);
}

/* Bytes that the packet has here over what its host sent: it came by a pathway
 * of another family, or behind a UDP header. */
static int grown_before(const svr__work *w, const svr__passage *r)
{
    const svr_tuple *context = &r->session->context;
    int family = header_len(&r->flow->key.src) - header_len(&context->src);
    int seal = passes_sealed(r) ? svr__seal_growth(w->node, r->session) : 0;
    return family + seal +
           (svr__flow_proto(r->flow) != context->proto ? UDP_SIZE : 0);
}

/* Whether its sender has to make it smaller where it does not fit: not if it
 * allows fragments, nor if no host of its family need send less, which a
 * pathway of the other family may not carry. */
static bool may_refuse(const svr__work *w, const svr__passage *r)
{
    bool v4 = svr_addr_is_v4(&r->session->context.src);
    int sent = (int)w->packet->len - grown_before(w, r);
    return !w->fragmentable && sent > svr__least_mtu(v4);
}

/* S4.8: the payload bytes that pieces may have, or 0 where the packet can go as
 * it is. */
static size_t piece_size(const svr__work *w, const svr__passage *r,
                         const struct growth *g)
{
    const svr_packet *p = w->packet;
    int room =
        (int)r->flow->mtu - w->headers.payload - g->steady - (int)g->metadata;
    if (w->headers.tuple.proto != SVR_PROTO_TCP || room <= 0 ||
        (passes_sealed(r) && p->segment_size == 0))
        return 0;
    if (p->segment_size == 0)
        return (int)svr__payload_len(w) > room &&
                       (g->metadata || !may_refuse(w, r))
                   ? (size_t)room
                   : 0;
    const uint8_t each = SVR__FLOW_SIGNED_OUT | SVR__FLOW_MASKED_OUT;
    bool whole = (r->flow->flags & SVR__FLOW_OFFLOAD) &&
                 !(r->flow->flags & each) && !svr__is_sealing(r->session) &&
                 !r->copied && !g->metadata && (int)p->segment_size <= room &&
                 (int)p->len + g->steady <= SVR_PACKET_MAX;
    if (whole || room <= 0)
        return 0;
    return (int)p->segment_size < room || passes_sealed(r) ? p->segment_size
                                                           : (size_t)room;
}

/* S18: the sender is told what would fit; but not where it fits without
 * metadata, which is no reason to send less. */
static void refuse_too_big(svr__work *w, const svr__passage *r,
                           const struct growth *g, size_t len)
{
    int fit = (int)r->flow->mtu - g->steady;
    if ((int)len > fit)
        svr__raise(w, r->flow, SVR_ICMP_TOO_BIG,
                   (uint16_t)(fit - grown_before(w, r)));
    svr__drop(w, SVR_DROP_TOO_BIG);
}

/* S18: a packet that does not go on as it is. False: it does not go on at all,
 * since its sender would have to make it smaller, or it would pass what an IP
 * packet can hold. */
static bool may_split(svr__work *w, const svr__passage *r,
                      const struct growth *g, size_t len)
{
    int steady = (int)len + g->steady;
    if (w->packet->segment_size || w->piece ||
        (steady > (int)r->flow->mtu && may_refuse(w, r))) {
        refuse_too_big(w, r, g, len);
        return false;
    }
    if (steady + (int)g->metadata > SVR_PACKET_MAX) {
        svr__drop(w, SVR_DROP_TOO_BIG);
        return false;
    }
    return !r->to || svr__touch(w);
}

bool svr__fit(svr__work *w, const svr__passage *r)
{
    const svr_packet *p = w->packet;
    struct growth g = growth_of(w, r);
    w->fragmentable = svr__may_fragment(p);
    size_t size = piece_size(w, r, &g);
    if (size && !w->piece) {
        if (p->segment_size || svr__touch(w))
            svr__cut(w, size, true);
        return false;
    }
    if (size && w->bare) { /* what it is to carry was not known then */
        w->smaller = (uint16_t)size;
        svr__consume(w);
        return false;
    }
    size_t len =
        p->segment_size ? (size_t)w->headers.payload + p->segment_size : p->len;
    if ((int)len + g.steady + (int)g.metadata > (int)r->flow->mtu ||
        p->fragment_size)
        return may_split(w, r, &g, len);
    if (p->segment_size || !svr__is_behind(w))
        return true;
    size = svr__payload_len(w);
    if (svr__touch(w)) /* in one piece, so that it stays behind them */
        svr__cut(w, size ? size : 1, true);
    return false;
}

/* Of sessions that are encrypted, or may yet be. */
static uint16_t pathway_mss(const svr_node *n, const svr__pathway *pw,
                            const svr__session *s)
{
    enum svr_encryption encryption =
        svr_policy_of_service(n->policy, s->service)->encryption;
    int mss = (int)pw->mtu - TCP_SIZE - header_len(&pw->local);
    if (n->securities[pw->security].per_packet)
        mss -= (int)tag_len(n, pw);
    if (n->securities[pw->security].cipher && encryption != SVR_ENCRYPT_NEVER)
        mss -= (int)svr_payload_growth_max(n->securities[pw->security].cipher);
    return (uint16_t)mss;
}

void svr__clamp_mss(svr__work *w, const svr__passage *r)
{
    if (r->from)
        svr_packet_clamp_mss(w->packet, &w->headers,
                             pathway_mss(w->node, r->from, r->session));
    if (r->to)
        svr_packet_clamp_mss(w->packet, &w->headers,
                             pathway_mss(w->node, r->to, r->session));
}
