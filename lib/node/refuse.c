/* What hosts are told of sessions that were refused further on, or ended before
 * their time (S6.10). */
#include "node/node.h"

enum {
    /* A segment or datagram of no payload, IPv6 and TCP at most. */
    PROBE_BYTES = 60,
};

static const svr_time REMEMBERED = 5 * SVR_SECOND;

void svr__refuse_host(svr__work *w, int service)
{
    if (w->headers.tuple.proto == SVR_PROTO_TCP &&
        svr_policy_denial(w->node->policy, service) != SVR_DENIAL_PROHIBITED)
        svr__reset(w);
    else
        svr__raise(w, NULL, SVR_ICMP_PROHIBITED, 0);
}

bool svr__refused_lately(const svr__work *w)
{
    const svr__recent *r = &w->node->refused[w->hash % SVR__RECENT];
    return r->time && r->hash == w->hash && w->now - r->time < REMEMBERED;
}

/* The last packet that a side's host has sent, as far as it is known: enough
 * for what is said of it. Its headers are in w. False: none can be made. */
static bool last_packet(const svr__session *s, unsigned side,
                        const svr__flow *flow, svr__work *w)
{
    svr_tuple t =
        side == SVR__CLIENT ? s->context : svr_tuple_reverse(&s->context);
    svr_packet *p = w->packet;

    if (t.proto == SVR_PROTO_UDP)
        return svr_udp_wrap(p, &t) == 0 &&
               svr_packet_parse(&w->headers, p) == 0;
    if (t.proto != SVR_PROTO_TCP ||
        svr_tcp_wrap(p, &t, s->side[side].tcp_ack, flow->tcp_ack) < 0 ||
        svr_packet_parse(&w->headers, p) < 0)
        return false;
    if (side == SVR__CLIENT &&
        !(s->machine.life.end[0].seen & SVR_LIFE_SEEN_ACK)) {
        w->headers.tcp_flags = SVR_TCP_SYN;
        w->headers.tcp_seq--; /* itself */
    }
    return true;
}

void svr__session_tell_host(svr_node *n, const svr__session *s, unsigned side,
                            svr_time now)
{
    const svr__flow *flow = svr__session_flow(&n->table, s, side);
    uint8_t bytes[PROBE_BYTES];
    svr_packet p = {.data = bytes + sizeof(bytes),
                    .headroom = sizeof(bytes),
                    .iface = s->side[side].iface};
    svr__work w = {.node = n, .packet = &p, .now = now};

    if (!last_packet(s, side, flow, &w))
        return;
    if (side == SVR__CLIENT)
        svr__refuse_host(&w, s->service);
    else
        svr__reset(&w); /* of TCP: a server has asked for nothing */
}

void svr__session_refused(svr_node *n, const svr__session *s, svr_time now)
{
    const svr__flow *flow = svr__session_flow(&n->table, s, SVR__CLIENT);
    uint64_t hash = svr__flow_hash(&n->table, &flow->key);

    n->refused[hash % SVR__RECENT] = (svr__recent){hash, now ? now : 1};
    svr__session_tell_host(n, s, SVR__CLIENT, now);
}
