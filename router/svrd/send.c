#include "send.h"

#include "neighbour.h"
#include "offload.h"

/* The station that a packet goes to: *to stays NULL without Ethernet. False
 * where it is not known yet. */
static bool find_station(const struct port *p, const svr_packet *pkt,
                         const uint8_t **to)
{
    *to = NULL;
    if (p->neighbours == NULL)
        return true;
    *to = neighbours_find(p->neighbours, &pkt->next_hop);
    return *to != NULL;
}

static void wait(const struct send *s, const struct port *p,
                 const svr_packet *pkt)
{
    enum svr_drop reason = neighbours_wait(p->neighbours, pkt, s->now);

    if (reason == SVR_DROP_NONE)
        svr_node_held(s->forward->node, pkt, 1);
    else
        svr_node_lost(s->forward->node, pkt, reason);
}

static struct port *port_of(const struct send *s, const svr_packet *pkt)
{
    return s->forward->ports[pkt->iface];
}

/* Of TCP only what the other router may have cut is joined (S4.8); of UDP all
 * that the device takes. */
static bool may_join(const struct port *p, const svr_packet *pkt)
{
    const uint8_t *to;

    return p->interface->offload && !pkt->originated &&
           (pkt->alone || (p->datagrams && offload_is_udp(pkt))) &&
           find_station(p, pkt, &to);
}

static bool same_way(const svr_packet *a, const svr_packet *b)
{
    return a->iface == b->iface && a->alone == b->alone && !b->originated &&
           svr_addr_equal(&a->next_hop, &b->next_hop);
}

static void flush(struct send *s)
{
    svr_packet *pkt = s->first;
    struct port *p = port_of(s, pkt);
    const uint8_t *to;

    if (s->joins)
        svr_join_end(&s->join);
    if (!find_station(p, pkt, &to))
        wait(s, p, pkt);
    else if (!port_write(p, pkt, to))
        for (size_t i = 0; i < s->count; i++)
            svr_node_lost(s->forward->node, pkt, SVR_DROP_TRANSMIT);
    s->first = NULL;
}

void send_begin(struct send *s, struct forward *f, svr_time now)
{
    s->forward = f;
    s->now = now;
    s->first = NULL;
}

bool send_add(struct send *s, svr_packet *pkt)
{
    if (s->first != NULL && s->joins && same_way(s->first, pkt) &&
        svr_join_add(&s->join, pkt)) {
        s->count++;
        return false;
    }
    send_end(s);
    s->first = pkt;
    s->count = 1;
    s->joins = may_join(port_of(s, pkt), pkt) && svr_join_begin(&s->join, pkt);
    return true;
}

void send_end(struct send *s)
{
    if (s->first != NULL)
        flush(s);
}
