#include "net.h"

#include "memory.h"
#include "world.h"

#include <stdlib.h>

/* The interface of a router that its n-th port is: behind the LAN's. */
enum { FIRST_PORT_IFACE = 1 };

static void open_station(struct net *n, const struct topology *t, size_t router,
                         size_t port)
{
    const struct port_plan *p = &t->sites[router].ports[port];
    struct station *s = &n->segments[p->segment].stations[p->station - 1];
    svr_addr inside = address_inside(p->segment);
    svr_addr outside = address_station(t, p->segment, p->station);

    *s = (struct station){.segment = p->segment,
                          .number = p->station,
                          .router = (uint16_t)router,
                          .iface = (uint16_t)(FIRST_PORT_IFACE + port)};
    link_init(&s->link, t->segments[p->segment].delay);
    if (p->nat) {
        s->nat = memory_new(1, sizeof(*s->nat));
        nat_init(s->nat, &inside, &outside);
    }
}

void net_open(struct net *n, const struct topology *t)
{
    n->count = t->segment_count;
    n->segments = memory_new(n->count, sizeof(*n->segments));
    for (size_t i = 0; i < n->count; i++) {
        n->segments[i].count = t->segments[i].stations;
        n->segments[i].stations =
            memory_new(n->segments[i].count, sizeof(struct station));
    }
    for (size_t r = 0; r < t->site_count; r++)
        for (size_t i = 0; i < t->sites[r].port_count; i++)
            open_station(n, t, r, i);
}

void net_close(struct net *n)
{
    for (size_t i = 0; i < n->count; i++) {
        for (size_t k = 0; k < n->segments[i].count; k++)
            if (n->segments[i].stations[k].nat) {
                nat_free(n->segments[i].stations[k].nat);
                free(n->segments[i].stations[k].nat);
            }
        free(n->segments[i].stations);
    }
    free(n->segments);
}

static struct station *find_station(struct world *w, uint16_t segment,
                                    const svr_addr *a)
{
    struct segment *s = &w->net.segments[segment];
    unsigned number;

    for (size_t i = 0; i < s->count; i++)
        if (s->stations[i].nat &&
            svr_addr_equal(&s->stations[i].nat->outside, a))
            return &s->stations[i];
    number = address_station_of(&w->topology, segment, a);
    if (number == 0 || number > s->count || s->stations[number - 1].nat)
        return NULL;
    return &s->stations[number - 1];
}

static bool is_gateway(const struct station *from, const svr_addr *a)
{
    svr_addr outer = address_gateway(from->segment);

    return from->nat || svr_addr_equal(a, &outer);
}

static bool has_nat(const struct world *w, uint16_t segment)
{
    const struct segment *s = &w->net.segments[segment];

    for (size_t i = 0; i < s->count; i++)
        if (s->stations[i].nat)
            return true;
    return false;
}

/* Who gets it: the next hop or, behind a gateway, whom its header names. False:
 * it is wrong to send it there. */
static bool find_receiver(struct world *w, const struct station *from,
                          struct buffer *b)
{
    svr_packet view = b->packet;
    svr_headers h;

    if (!is_gateway(from, &view.next_hop)) {
        b->to = find_station(w, from->segment, &view.next_hop);
        return b->to || has_nat(w, from->segment); /* it has moved */
    }
    if (svr_packet_parse(&h, &view) < 0)
        return false;
    b->to = find_station(w, from->segment, &h.tuple.dst);
    return true;
}

static void arrive(struct world *w, void *target)
{
    struct buffer *b = target;
    struct station *to = b->to;

    if (to->deaf || (to->nat && !nat_in(to->nat, &b->packet, w->now))) {
        buffer_give(&w->buffers, b);
        return;
    }
    router_receive(w, &w->routers[to->router], to->iface, b);
}

void net_inject(struct world *w, struct station *to, struct buffer *b,
                svr_time at)
{
    b->to = to;
    queue_push(&w->queue, at, arrive, b);
}

static void lose(struct world *w, const struct station *from, struct buffer *b,
                 enum link_fate fate)
{
    journal_add(&w->journal, w->now, JOURNAL_LOST, from->segment, from->number,
                b->packet.len, fate);
    buffer_give(&w->buffers, b);
}

static void launch(struct world *w, struct station *from, struct buffer *b,
                   svr_time at)
{
    struct link *l = &from->link;

    if (prng_chance(&w->noise, l->corrupt_ppm)) {
        size_t at_byte = link_corrupt(l, &w->noise, &b->packet);
        b->corrupt = true;
        journal_add(&w->journal, w->now, JOURNAL_CORRUPTED, from->segment,
                    from->number, at_byte, b->packet.len);
    }
    queue_push(&w->queue, at, arrive, b);
}

void net_send(struct world *w, struct station *from, struct buffer *b)
{
    struct buffer *copy;
    enum link_fate fate;
    svr_time at;

    if (from->nat && !nat_out(from->nat, &w->noise, &b->packet, w->now)) {
        lose(w, from, b, LINK_DOWN);
        return;
    }
    b->from = from;
    if (!find_receiver(w, from, b))
        world_fail(w, "router %u: nobody on segment %u is the next hop",
                   from->router, from->segment);
    if (!b->to) { /* S14.9: the inner side of a NAT */
        lose(w, from, b, LINK_DOWN);
        return;
    }
    journal_add(&w->journal, w->now, JOURNAL_SEND, from->segment, from->number,
                b->packet.len, journal_digest(b->packet.data, b->packet.len));
    buffer_settle(b);
    secrecy_check(w, from, b);
    faults_record(w, b);
    if (prng_chance(&w->noise, from->link.copy_ppm)) {
        copy = buffer_copy(&w->buffers, b);
        if (link_send(&from->link, &w->noise, copy->packet.len, w->now, &at) ==
            LINK_ARRIVES)
            launch(w, from, copy, at);
        else
            buffer_give(&w->buffers, copy);
    }
    fate = link_send(&from->link, &w->noise, b->packet.len, w->now, &at);
    if (fate == LINK_ARRIVES)
        launch(w, from, b, at);
    else
        lose(w, from, b, fate);
}
