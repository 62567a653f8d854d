/* What hosts are told of sessions that were refused further on (S6.10). */
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

/* The last packet that its client has sent, as far as it is known: enough for
 * what is said of it. Its headers are in w. False: none can be made. */
static bool last_packet(const svr__session *s, const svr__flow *flow,
                        svr__work *w)
{
    svr_packet *p = w->packet;

    if (s->context.proto == SVR_PROTO_UDP)
        return svr_udp_wrap(p, &s->context) == 0 &&
               svr_packet_parse(&w->headers, p) == 0;
    if (s->context.proto != SVR_PROTO_TCP ||
        svr_tcp_wrap(p, &s->context, s->side[SVR__CLIENT].tcp_ack,
                     flow->tcp_ack) < 0 ||
        svr_packet_parse(&w->headers, p) < 0)
        return false;
    if (!(s->machine.life.end[0].seen & SVR_LIFE_SEEN_ACK)) {
        w->headers.tcp_flags = SVR_TCP_SYN;
        w->headers.tcp_seq--; /* itself */
    }
    return true;
}

void svr__session_refused(svr_node *n, const svr__session *s, svr_time now)
{
    const svr__flow *flow = svr__session_flow(&n->table, s, SVR__CLIENT);
    uint64_t hash = svr__flow_hash(&n->table, &flow->key);
    uint8_t bytes[PROBE_BYTES];
    svr_packet p = {.data = bytes + sizeof(bytes),
                    .headroom = sizeof(bytes),
                    .iface = s->side[SVR__CLIENT].iface};
    svr__work w = {.node = n, .packet = &p, .now = now};

    n->refused[hash % SVR__RECENT] = (svr__recent){hash, now ? now : 1};
    if (last_packet(s, flow, &w))
        svr__refuse_host(&w, s->service);
}
