#include "nat.h"

#include "memory.h"

#include <stdlib.h>

void nat_init(struct nat *n, const svr_addr *inside, const svr_addr *outside)
{
    *n = (struct nat){.inside = *inside, .outside = *outside};
}

void nat_free(struct nat *n)
{
    free(n->mappings);
    n->mappings = NULL;
}

void nat_rebind(struct nat *n)
{
    n->count = 0;
    n->shuffles = true;
}

static svr_time idle_of(const struct mapping *m)
{
    return m->proto == SVR_PROTO_TCP ? NAT_TCP : NAT_UDP;
}

static void expire(struct nat *n, svr_time now)
{
    for (size_t i = 0; i < n->count;)
        if (now - n->mappings[i].used > idle_of(&n->mappings[i]))
            n->mappings[i] = n->mappings[--n->count];
        else
            i++;
}

static bool same_peer(const struct mapping *m, const svr_addr *a, uint16_t port)
{
    return m->peer_port == port && svr_addr_equal(&m->peer, a);
}

/* The mapping of an inner port to that peer; *other: one to another peer. */
static struct mapping *find_inside(struct nat *n, const svr_tuple *t,
                                   struct mapping **other)
{
    *other = NULL;
    for (size_t i = 0; i < n->count; i++) {
        struct mapping *m = &n->mappings[i];
        if (m->proto != t->proto || m->inside != t->sport)
            continue;
        if (same_peer(m, &t->dst, t->dport))
            return m;
        *other = m;
    }
    return NULL;
}

static bool taken(const struct nat *n, uint8_t proto, uint16_t port)
{
    for (size_t i = 0; i < n->count; i++)
        if (n->mappings[i].proto == proto && n->mappings[i].outside == port)
            return true;
    return false;
}

static uint16_t choose_port(const struct nat *n, struct prng *p, uint8_t proto,
                            uint16_t wanted)
{
    uint16_t port = wanted;

    if (!n->shuffles && !taken(n, proto, port))
        return port;
    do
        port = (uint16_t)prng_between(p, 1024, 65535);
    while (taken(n, proto, port));
    return port;
}

static struct mapping *add(struct nat *n, struct prng *p, const svr_tuple *t,
                           const struct mapping *other)
{
    uint16_t outside = other && !n->symmetric
                           ? other->outside
                           : choose_port(n, p, t->proto, t->sport);

    if (n->count == n->room) {
        n->room = n->room ? 2 * n->room : 64;
        n->mappings = memory_grow(n->mappings, n->room * sizeof(*n->mappings));
    }
    n->mappings[n->count] = (struct mapping){.proto = t->proto,
                                             .inside = t->sport,
                                             .outside = outside,
                                             .peer = t->dst,
                                             .peer_port = t->dport};
    return &n->mappings[n->count++];
}

static bool known_proto(const svr_headers *h)
{
    return h->tuple.proto == SVR_PROTO_UDP || h->tuple.proto == SVR_PROTO_TCP;
}

static void rewrite(svr_packet *packet, svr_headers *h, const svr_tuple *to)
{
    svr_rewrite rw;

    svr_rewrite_init(&rw, &h->tuple, to);
    svr_packet_rewrite(packet, h, &rw);
}

bool nat_out(struct nat *n, struct prng *p, svr_packet *packet, svr_time now)
{
    struct mapping *m, *other;
    svr_headers h;
    svr_tuple to;

    expire(n, now);
    if (svr_packet_parse(&h, packet) < 0 || !known_proto(&h) ||
        !svr_addr_equal(&h.tuple.src, &n->inside))
        return false;
    m = find_inside(n, &h.tuple, &other);
    if (!m)
        m = add(n, p, &h.tuple, other);
    m->used = now;
    to = h.tuple;
    to.src = n->outside;
    to.sport = m->outside;
    rewrite(packet, &h, &to);
    return true;
}

bool nat_in(struct nat *n, svr_packet *packet, svr_time now)
{
    svr_headers h;

    if (svr_packet_parse(&h, packet) < 0 || !known_proto(&h) ||
        !svr_addr_equal(&h.tuple.dst, &n->outside))
        return false;
    for (size_t i = 0; i < n->count; i++) {
        struct mapping *m = &n->mappings[i];
        svr_tuple to = h.tuple;
        if (m->proto != h.tuple.proto || m->outside != h.tuple.dport ||
            !same_peer(m, &h.tuple.src, h.tuple.sport) ||
            now - m->used > idle_of(m))
            continue;
        m->used = now;
        to.dst = n->inside;
        to.dport = m->inside;
        rewrite(packet, &h, &to);
        return true;
    }
    return false;
}
