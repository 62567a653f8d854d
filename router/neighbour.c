#include "neighbour.h"

#include "arp.h"
#include "nd.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024
#define NOTHING UINT16_MAX
#define V4_BITS 96 /* in front of an IPv4 address within svr_addr */

enum state {
    STATE_FREE,
    STATE_ASKED,     /* unknown; everyone was asked */
    STATE_REACHABLE, /* known */
    STATE_PROBED,    /* known; it was asked whether it is still there */
};

enum event {
    EVENT_ANSWER, /* it answered a question of ours */
    EVENT_CLAIM,  /* it said where it is without being asked */
    EVENT_DUE,
};

/* A packet that waits. */
struct waiting {
    struct waiting *next;
    svr_packet pkt;
    size_t size;
    uint8_t buf[];
};

struct neighbour {
    svr_addr addr;
    svr_time due;
    uint8_t mac[ETHER_ADDR];
    uint8_t state;
    uint8_t tries;
    bool used; /* since it was last confirmed */
    uint8_t waiting;
    uint16_t next; /* in its bucket, or in the free list */
    struct waiting *head, *tail;
};

struct neighbours {
    uint8_t mac[ETHER_ADDR];
    svr_prefix *addresses;
    size_t address_count;
    bool has_v6;
    svr_addr link_local;
    struct neighbour_actions actions;
    uint8_t hash_key[SVR_HASH_KEY_SIZE];
    struct neighbour *last; /* the one found last */
    svr_time due;           /* no entry is due earlier */
    size_t asked, known, held, held_bytes;
    struct neighbour_counters counters;
    uint16_t free;
    uint16_t buckets[BUCKETS];
    struct neighbour entries[NEIGHBOUR_MAX];
};

/* Addresses */

static bool is_own(const struct neighbours *t, const svr_addr *a)
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

/* The own address on the network of a, or NULL where a is on none. */
static const svr_addr *own_for(const struct neighbours *t, const svr_addr *a)
{
    if (is_own(t, a))
        return NULL;
    for (size_t i = 0; i < t->address_count; i++)
        if (is_station(&t->addresses[i], a))
            return &t->addresses[i].addr;
    return t->has_v6 && nd_is_link_local(a) ? &t->link_local : NULL;
}

/* The table */

static uint16_t *bucket_of(struct neighbours *t, const svr_addr *a)
{
    return &t->buckets[svr_hash(t->hash_key, a->b, sizeof a->b) % BUCKETS];
}

static struct neighbour *lookup(struct neighbours *t, const svr_addr *a)
{
    uint16_t at = *bucket_of(t, a);

    while (at != NOTHING && !svr_addr_equal(&t->entries[at].addr, a))
        at = t->entries[at].next;
    return at == NOTHING ? NULL : &t->entries[at];
}

static bool is_known(const struct neighbour *n)
{
    return n->state == STATE_REACHABLE || n->state == STATE_PROBED;
}

/* The only place where an entry changes its state. */
static void enter(struct neighbours *t, struct neighbour *n, enum state state,
                  svr_time due)
{
    t->asked -= n->state == STATE_ASKED;
    t->known -= is_known(n);
    n->state = (uint8_t)state;
    n->due = due;
    n->tries = 0;
    t->asked += n->state == STATE_ASKED;
    t->known += is_known(n);
    if (due < t->due)
        t->due = due;
}

static void release_waiting(struct neighbours *t, struct neighbour *n,
                            enum svr_drop reason)
{
    while (n->head != NULL) {
        struct waiting *w = n->head;

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

static void forget(struct neighbours *t, struct neighbour *n)
{
    uint16_t index = (uint16_t)(n - t->entries);
    uint16_t *at = bucket_of(t, &n->addr);

    release_waiting(t, n, SVR_DROP_NO_NEIGHBOUR);
    while (*at != index)
        at = &t->entries[*at].next;
    *at = n->next;
    enter(t, n, STATE_FREE, SVR_NEVER);
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

        if (is_known(n) && (*best == NULL || n->due < (*best)->due))
            *best = n;
    }
    if (unused != NULL)
        return unused;
    return wanted ? used : NULL;
}

static struct neighbour *create(struct neighbours *t, const svr_addr *a,
                                bool wanted)
{
    struct neighbour *n;
    uint16_t *bucket;

    if (t->free == NOTHING) {
        n = choose_victim(t, wanted);
        if (n == NULL)
            return NULL;
        forget(t, n);
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

/* The machine */

static void ask(struct neighbours *t, struct neighbour *n)
{
    const svr_addr *own = own_for(t, &n->addr);
    bool known = n->state == STATE_PROBED;

    n->tries++;
    t->counters.asked++;
    if (svr_addr_is_v4(&n->addr)) {
        uint8_t frame[ETHER_FRAME_MIN];

        arp_write_request(frame, known ? n->mac : ether_broadcast, t->mac, own,
                          &n->addr);
        t->actions.send(t->actions.user, frame, sizeof frame);
    } else {
        uint8_t frame[ND_FRAME_SIZE];

        nd_write_solicitation(frame, known ? n->mac : NULL, t->mac, own,
                              &n->addr);
        t->actions.send(t->actions.user, frame, sizeof frame);
    }
}

static void begin_asking(struct neighbours *t, struct neighbour *n,
                         enum state state, svr_time now)
{
    enter(t, n, state, now + NEIGHBOUR_WAIT / NEIGHBOUR_TRIES);
    ask(t, n);
}

static void ask_again(struct neighbours *t, struct neighbour *n, svr_time now)
{
    if (n->tries == NEIGHBOUR_TRIES) {
        t->counters.silent++;
        forget(t, n);
        return;
    }
    n->due = now + NEIGHBOUR_WAIT / NEIGHBOUR_TRIES;
    ask(t, n);
}

static void confirm(struct neighbours *t, struct neighbour *n,
                    const uint8_t *mac, svr_time now)
{
    memcpy(n->mac, mac, ETHER_ADDR);
    n->used = false;
    enter(t, n, STATE_REACHABLE, now + NEIGHBOUR_REACHABLE);
}

/* What each event does to an entry in each state. mac is NULL for DUE. */
static void handle(struct neighbours *t, struct neighbour *n, enum event event,
                   const uint8_t *mac, svr_time now)
{
    bool moved = mac != NULL && memcmp(mac, n->mac, ETHER_ADDR) != 0;

    switch ((enum state)n->state) {
    case STATE_FREE:
        break;
    case STATE_ASKED:
        if (event == EVENT_DUE) {
            ask_again(t, n, now);
        } else {
            t->counters.resolved++;
            confirm(t, n, mac, now);
            release_waiting(t, n, SVR_DROP_NONE);
        }
        break;
    case STATE_REACHABLE:
        if (event == EVENT_DUE && !n->used) {
            forget(t, n);
        } else if (event == EVENT_DUE) {
            begin_asking(t, n, STATE_PROBED, now);
        } else if (moved) {
            /* Nobody asked: believe it, but make it confirm. */
            memcpy(n->mac, mac, ETHER_ADDR);
            begin_asking(t, n, STATE_PROBED, now);
        } else if (event == EVENT_ANSWER) {
            confirm(t, n, mac, now);
        }
        break;
    case STATE_PROBED:
        if (event == EVENT_DUE)
            ask_again(t, n, now);
        else if (event == EVENT_ANSWER)
            confirm(t, n, mac, now);
        else
            memcpy(n->mac, mac, ETHER_ADDR);
        break;
    }
}

/* Someone at mac with the address a asked for an own address. */
static void hear(struct neighbours *t, const svr_addr *a, const uint8_t *mac,
                 svr_time now)
{
    struct neighbour *n = lookup(t, a);

    if (n != NULL) {
        handle(t, n, EVENT_CLAIM, mac, now);
        return;
    }
    if (own_for(t, a) == NULL)
        return;
    n = create(t, a, false);
    if (n != NULL)
        confirm(t, n, mac, now);
}

/* Messages */

static void input_arp(struct neighbours *t, const struct arp_message *m,
                      svr_time now)
{
    bool to_us = is_own(t, &m->target);
    struct neighbour *n;

    if (is_own(t, &m->sender)) {
        t->counters.conflicts++;
        return;
    }
    if (m->request && to_us) {
        uint8_t frame[ETHER_FRAME_MIN];

        if (!svr_addr_is_none(&m->sender))
            hear(t, &m->sender, m->sender_mac, now);
        arp_write_reply(frame, t->mac, m);
        t->counters.answered++;
        t->actions.send(t->actions.user, frame, sizeof frame);
        return;
    }
    n = lookup(t, &m->sender);
    if (n != NULL)
        handle(t, n, m->request || !to_us ? EVENT_CLAIM : EVENT_ANSWER,
               m->sender_mac, now);
}

static void input_solicitation(struct neighbours *t, const struct nd_message *m,
                               svr_time now)
{
    uint8_t frame[ND_FRAME_SIZE];

    if (!is_own(t, &m->target))
        return;
    if (is_own(t, &m->source)) {
        t->counters.conflicts++;
        return;
    }
    if (m->has_mac)
        hear(t, &m->source, m->mac, now);
    nd_write_advertisement(frame, t->mac, m);
    t->counters.answered++;
    t->actions.send(t->actions.user, frame, sizeof frame);
}

static void input_advertisement(struct neighbours *t,
                                const struct nd_message *m, svr_time now)
{
    struct neighbour *n = lookup(t, &m->target);
    const uint8_t *mac;

    if (is_own(t, &m->target))
        t->counters.conflicts++;
    if (n == NULL || (!m->has_mac && !is_known(n)))
        return;
    mac = m->has_mac ? m->mac : n->mac;
    /* RFC 4861 7.2.5: without the flag O an address that differs is not
     * taken over. */
    if (is_known(n) && !m->override && memcmp(mac, n->mac, ETHER_ADDR) != 0)
        return;
    handle(t, n, m->solicited ? EVENT_ANSWER : EVENT_CLAIM, mac, now);
}

static bool take_arp(struct neighbours *t, const uint8_t *frame, size_t len,
                     svr_time now)
{
    struct arp_message m;

    if (!arp_parse(&m, frame, len))
        return false;
    input_arp(t, &m, now);
    return true;
}

static bool take_nd(struct neighbours *t, const uint8_t *frame, size_t len,
                    svr_time now)
{
    struct nd_message m;

    if (!nd_parse(&m, frame, len))
        return false;
    if (m.solicitation)
        input_solicitation(t, &m, now);
    else
        input_advertisement(t, &m, now);
    return true;
}

void neighbours_input(struct neighbours *t, const uint8_t *frame, size_t len,
                      svr_time now)
{
    if (!take_arp(t, frame, len, now) && !take_nd(t, frame, len, now))
        t->counters.invalid++;
}

void neighbours_announce(struct neighbours *t)
{
    for (size_t i = 0; i < t->address_count; i++) {
        const svr_addr *own = &t->addresses[i].addr;
        uint8_t frame[ND_FRAME_SIZE];
        size_t len = ETHER_FRAME_MIN;

        if (svr_addr_is_v4(own)) {
            arp_write_request(frame, ether_broadcast, t->mac, own, own);
        } else {
            const struct nd_message unasked = {.target = *own};

            nd_write_advertisement(frame, t->mac, &unasked);
            len = ND_FRAME_SIZE;
        }
        t->counters.announced++;
        t->actions.send(t->actions.user, frame, len);
    }
}

/* Packets */

const uint8_t *neighbours_find(struct neighbours *t, const svr_addr *hop)
{
    struct neighbour *n = t->last;

    if (n == NULL || !svr_addr_equal(&n->addr, hop)) {
        n = lookup(t, hop);
        if (n == NULL || !is_known(n))
            return NULL;
        t->last = n;
    }
    n->used = true;
    return n->mac;
}

static bool has_room(const struct neighbours *t, const struct neighbour *n,
                     size_t size)
{
    return n->waiting < NEIGHBOUR_QUEUE_MAX && t->held < NEIGHBOUR_HELD_MAX &&
           size <= NEIGHBOUR_HELD_BYTES - t->held_bytes;
}

static bool keep(struct neighbours *t, struct neighbour *n, const svr_packet *p)
{
    size_t size = sizeof(struct waiting) + NEIGHBOUR_FRONT + p->len;
    struct waiting *w;

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

enum svr_drop neighbours_wait(struct neighbours *t, const svr_packet *p,
                              svr_time now)
{
    struct neighbour *n = lookup(t, &p->next_hop);

    if (n == NULL) {
        if (own_for(t, &p->next_hop) == NULL)
            return SVR_DROP_NO_NEIGHBOUR;
        if (t->asked == NEIGHBOUR_ASKED_MAX)
            return SVR_DROP_NEIGHBOUR_QUEUE;
        n = create(t, &p->next_hop, true);
        if (n == NULL)
            return SVR_DROP_NEIGHBOUR_QUEUE;
        begin_asking(t, n, STATE_ASKED, now);
    }
    return keep(t, n, p) ? SVR_DROP_NONE : SVR_DROP_NEIGHBOUR_QUEUE;
}

svr_time neighbours_expiry(const struct neighbours *t)
{
    return t->due;
}

void neighbours_handle_expiry(struct neighbours *t, svr_time now)
{
    svr_time due = SVR_NEVER;

    if (now < t->due)
        return;
    for (size_t i = 0; i < NEIGHBOUR_MAX; i++) {
        struct neighbour *n = &t->entries[i];

        if (n->state == STATE_FREE)
            continue;
        if (n->due <= now)
            handle(t, n, EVENT_DUE, NULL, now);
        if (n->state != STATE_FREE && n->due < due)
            due = n->due;
    }
    t->due = due;
}

/* Life */

struct neighbours *neighbours_create(const uint8_t mac[ETHER_ADDR],
                                     const svr_prefix *addresses, size_t count,
                                     const struct neighbour_actions *actions,
                                     const svr_random *random)
{
    struct neighbours *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    t->addresses = calloc(count + 1, sizeof *addresses);
    if (t->addresses == NULL) {
        free(t);
        return NULL;
    }
    memcpy(t->mac, mac, ETHER_ADDR);
    for (size_t i = 0; i < count; i++) {
        t->addresses[i] = addresses[i];
        t->has_v6 = t->has_v6 || !svr_addr_is_v4(&addresses[i].addr);
    }
    t->address_count = count;
    t->link_local = nd_link_local(mac);
    t->actions = *actions;
    random->fill(random->user, t->hash_key, sizeof t->hash_key);
    t->due = SVR_NEVER;
    memset(t->buckets, 0xff, sizeof t->buckets);
    for (uint16_t i = 0; i < NEIGHBOUR_MAX; i++)
        t->entries[i].next = (uint16_t)(i + 1);
    t->entries[NEIGHBOUR_MAX - 1].next = NOTHING;
    return t;
}

void neighbours_destroy(struct neighbours *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < NEIGHBOUR_MAX; i++)
        release_waiting(t, &t->entries[i], SVR_DROP_NO_NEIGHBOUR);
    free(t->addresses);
    free(t);
}

const struct neighbour_counters *neighbours_counters(const struct neighbours *t)
{
    return &t->counters;
}

size_t neighbours_known(const struct neighbours *t)
{
    return t->known;
}

size_t neighbours_held(const struct neighbours *t)
{
    return t->held;
}
