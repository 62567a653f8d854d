#include "neighbour_table.h"

#include "nd.h"

#include <stdlib.h>
#include <string.h>

#define V4_BITS 96 /* in front of an IPv4 address within svr_addr */

/* Addresses */

bool neighbour_is_own(const struct neighbours *t, const svr_addr *a)
{
    for (size_t i = 0; i < t->address_count; i++)
        if (svr_addr_equal(&t->addresses[i].addr, a))
            return true;
    return t->has_v6 && svr_addr_equal(&t->link_local, a);
}

/* Whether all bits of the IPv4 address behind the prefix are `bit`. */
static bool host_bits_are(const svr_addr *a, uint8_t len, unsigned bit)
{
    for (unsigned i = V4_BITS + len; i < 128; i++)
        if ((a->b[i / 8] >> (7 - i % 8) & 1) != bit)
            return false;
    return true;
}

/* Whether a station of the network p can have the address a. */
static bool is_station(const svr_prefix *p, const svr_addr *a)
{
    if (!svr_prefix_contains(p, a))
        return false;
    if (!svr_addr_is_v4(a))
        return true;
    if (p->len >= 31)
        return true;
    return !host_bits_are(a, p->len, 0) && !host_bits_are(a, p->len, 1);
}

const svr_addr *neighbour_own_for(const struct neighbours *t, const svr_addr *a)
{
    if (neighbour_is_own(t, a))
        return NULL;
    for (size_t i = 0; i < t->address_count; i++)
        if (is_station(&t->addresses[i], a))
            return &t->addresses[i].addr;
    return t->has_v6 && nd_is_link_local(a) ? &t->link_local : NULL;
}

/* Entries */

static uint16_t *bucket_of(struct neighbours *t, const svr_addr *a)
{
    return &t->buckets[svr_hash(t->hash_key, a->b, sizeof a->b) %
                       NEIGHBOUR_BUCKETS];
}

struct neighbour *neighbour_lookup(struct neighbours *t, const svr_addr *a)
{
    uint16_t at = *bucket_of(t, a);

    while (at != NEIGHBOUR_NOTHING && !svr_addr_equal(&t->entries[at].addr, a))
        at = t->entries[at].next;
    return at == NEIGHBOUR_NOTHING ? NULL : &t->entries[at];
}

bool neighbour_is_known(const struct neighbour *n)
{
    return n->state == NEIGHBOUR_KNOWN || n->state == NEIGHBOUR_PROBED;
}

void neighbour_enter(struct neighbours *t, struct neighbour *n,
                     enum neighbour_state state, svr_time due)
{
    t->asked -= n->state == NEIGHBOUR_ASKED;
    t->known -= neighbour_is_known(n);
    n->state = (uint8_t)state;
    n->due = due;
    n->tries = 0;
    t->asked += n->state == NEIGHBOUR_ASKED;
    t->known += neighbour_is_known(n);
    if (due < t->due)
        t->due = due;
}

void neighbour_release(struct neighbours *t, struct neighbour *n,
                       enum svr_drop reason)
{
    while (n->head != NULL) {
        struct neighbour_waiting *w = n->head;

        n->head = w->next;
        t->held--;
        t->held_bytes -= w->size;
        if (reason == SVR_DROP_NONE)
            t->actions.ready(t->actions.user, &w->pkt, n->mac);
        else
            t->actions.lost(t->actions.user, &w->pkt, reason);
        free(w);
    }
    n->tail = NULL;
    n->waiting = 0;
}

void neighbour_forget(struct neighbours *t, struct neighbour *n)
{
    uint16_t index = (uint16_t)(n - t->entries);
    uint16_t *at = bucket_of(t, &n->addr);

    neighbour_release(t, n, SVR_DROP_NO_NEIGHBOUR);
    while (*at != index)
        at = &t->entries[*at].next;
    *at = n->next;
    neighbour_enter(t, n, NEIGHBOUR_FREE, SVR_NEVER);
    n->next = t->free;
    t->free = index;
    if (t->last == n)
        t->last = NULL;
}

/* Whom to forget for a new entry: the known one that expires first, unused
 * ones before others; `wanted` says whether one in use may go at all. */
static struct neighbour *choose_victim(struct neighbours *t, bool wanted)
{
    struct neighbour *unused = NULL;
    struct neighbour *used = NULL;

    for (size_t i = 0; i < NEIGHBOUR_MAX; i++) {
        struct neighbour *n = &t->entries[i];
        struct neighbour **best = n->used ? &used : &unused;

        if (neighbour_is_known(n) && (*best == NULL || n->due < (*best)->due))
            *best = n;
    }
    if (unused != NULL)
        return unused;
    return wanted ? used : NULL;
}

struct neighbour *neighbour_create(struct neighbours *t, const svr_addr *a,
                                   bool wanted)
{
    struct neighbour *n;
    uint16_t *bucket;

    if (t->free == NEIGHBOUR_NOTHING) {
        n = choose_victim(t, wanted);
        if (n == NULL)
            return NULL;
        neighbour_forget(t, n);
    }
    n = &t->entries[t->free];
    t->free = n->next;
    bucket = bucket_of(t, a);
    n->addr = *a;
    n->used = wanted;
    n->next = *bucket;
    *bucket = (uint16_t)(n - t->entries);
    return n;
}

/* Packets that wait */

static bool has_room(const struct neighbours *t, const struct neighbour *n,
                     size_t size)
{
    return n->waiting < NEIGHBOUR_QUEUE_MAX && t->held < NEIGHBOUR_HELD_MAX &&
           size <= NEIGHBOUR_HELD_BYTES - t->held_bytes;
}

bool neighbour_keep(struct neighbours *t, struct neighbour *n,
                    const svr_packet *p)
{
    size_t size = sizeof(struct neighbour_waiting) + NEIGHBOUR_FRONT + p->len;
    struct neighbour_waiting *w;

    if (!has_room(t, n, size))
        return false;
    w = malloc(size);
    if (w == NULL)
        return false;
    w->next = NULL;
    w->size = size;
    w->pkt = *p;
    w->pkt.data = w->buf + NEIGHBOUR_FRONT;
    w->pkt.headroom = 0;
    w->pkt.tailroom = 0;
    memcpy(w->pkt.data, p->data, p->len);
    if (n->tail != NULL)
        n->tail->next = w;
    else
        n->head = w;
    n->tail = w;
    n->waiting++;
    t->held++;
    t->held_bytes += size;
    return true;
}

void neighbour_table_init(struct neighbours *t)
{
    t->due = SVR_NEVER;
    memset(t->buckets, 0xff, sizeof t->buckets);
    for (uint16_t i = 0; i < NEIGHBOUR_MAX; i++)
        t->entries[i].next = (uint16_t)(i + 1);
    t->entries[NEIGHBOUR_MAX - 1].next = NEIGHBOUR_NOTHING;
}
