#include "neighbour.h"

#include "arp.h"
#include "nd.h"
#include "neighbour_table.h"

#include <stdlib.h>
#include <string.h>

enum event {
    EVENT_ANSWER, /* it answered a question of ours */
    EVENT_CLAIM,  /* it said where it is without being asked */
    EVENT_DUE,
};

/* The machine */

static void ask(struct neighbours *t, struct neighbour *n)
{
    const svr_addr *own = neighbour_own_for(t, &n->addr);
    bool known = n->state == NEIGHBOUR_PROBED;

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
                         enum neighbour_state state, svr_time now)
{
    neighbour_enter(t, n, state, now + NEIGHBOUR_WAIT / NEIGHBOUR_TRIES);
    ask(t, n);
}

static void ask_again(struct neighbours *t, struct neighbour *n, svr_time now)
{
    if (n->tries == NEIGHBOUR_TRIES) {
        t->counters.silent++;
        neighbour_forget(t, n);
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
    neighbour_enter(t, n, NEIGHBOUR_KNOWN, now + NEIGHBOUR_REACHABLE);
}

/* What each event does to an entry in each state. mac is NULL for DUE. */
static void handle(struct neighbours *t, struct neighbour *n, enum event event,
                   const uint8_t *mac, svr_time now)
{
    bool moved = mac != NULL && memcmp(mac, n->mac, ETHER_ADDR) != 0;

    switch ((enum neighbour_state)n->state) {
    case NEIGHBOUR_FREE:
        break;
    case NEIGHBOUR_ASKED:
        if (event == EVENT_DUE) {
            ask_again(t, n, now);
        } else {
            t->counters.resolved++;
            confirm(t, n, mac, now);
            neighbour_release(t, n, SVR_DROP_NONE);
        }
        break;
    case NEIGHBOUR_KNOWN:
        if (event == EVENT_DUE && !n->used) {
            neighbour_forget(t, n);
        } else if (event == EVENT_DUE) {
            begin_asking(t, n, NEIGHBOUR_PROBED, now);
        } else if (moved) {
            /* Nobody asked: believe it, but make it confirm. */
            memcpy(n->mac, mac, ETHER_ADDR);
            begin_asking(t, n, NEIGHBOUR_PROBED, now);
        } else if (event == EVENT_ANSWER) {
            confirm(t, n, mac, now);
        }
        break;
    case NEIGHBOUR_PROBED:
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
    struct neighbour *n = neighbour_lookup(t, a);

    if (n != NULL) {
        handle(t, n, EVENT_CLAIM, mac, now);
        return;
    }
    if (neighbour_own_for(t, a) == NULL)
        return;
    n = neighbour_create(t, a, false);
    if (n != NULL)
        confirm(t, n, mac, now);
}

/* Messages */

static void input_arp(struct neighbours *t, const struct arp_message *m,
                      svr_time now)
{
    bool to_us = neighbour_is_own(t, &m->target);
    struct neighbour *n;

    if (neighbour_is_own(t, &m->sender)) {
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
    n = neighbour_lookup(t, &m->sender);
    if (n != NULL)
        handle(t, n, m->request || !to_us ? EVENT_CLAIM : EVENT_ANSWER,
               m->sender_mac, now);
}

static void input_solicitation(struct neighbours *t, const struct nd_message *m,
                               svr_time now)
{
    uint8_t frame[ND_FRAME_SIZE];

    if (!neighbour_is_own(t, &m->target))
        return;
    if (neighbour_is_own(t, &m->source)) {
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
    struct neighbour *n = neighbour_lookup(t, &m->target);
    const uint8_t *mac;

    if (neighbour_is_own(t, &m->target))
        t->counters.conflicts++;
    if (n == NULL || (!m->has_mac && !neighbour_is_known(n)))
        return;
    mac = m->has_mac ? m->mac : n->mac;
    /* RFC 4861 7.2.5: without the flag O an address that differs is not
     * taken over. */
    if (neighbour_is_known(n) && !m->override &&
        memcmp(mac, n->mac, ETHER_ADDR) != 0)
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
        n = neighbour_lookup(t, hop);
        if (n == NULL || !neighbour_is_known(n))
            return NULL;
        t->last = n;
    }
    n->used = true;
    return n->mac;
}

enum svr_drop neighbours_wait(struct neighbours *t, const svr_packet *p,
                              svr_time now)
{
    struct neighbour *n = neighbour_lookup(t, &p->next_hop);

    if (n == NULL) {
        if (neighbour_own_for(t, &p->next_hop) == NULL)
            return SVR_DROP_NO_NEIGHBOUR;
        if (t->asked == NEIGHBOUR_ASKED_MAX)
            return SVR_DROP_NEIGHBOUR_QUEUE;
        n = neighbour_create(t, &p->next_hop, true);
        if (n == NULL)
            return SVR_DROP_NEIGHBOUR_QUEUE;
        begin_asking(t, n, NEIGHBOUR_ASKED, now);
    }
    return neighbour_keep(t, n, p) ? SVR_DROP_NONE : SVR_DROP_NEIGHBOUR_QUEUE;
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

        if (n->state == NEIGHBOUR_FREE)
            continue;
        if (n->due <= now)
            handle(t, n, EVENT_DUE, NULL, now);
        if (n->state != NEIGHBOUR_FREE && n->due < due)
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
    neighbour_table_init(t);
    return t;
}

void neighbours_destroy(struct neighbours *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < NEIGHBOUR_MAX; i++)
        neighbour_release(t, &t->entries[i], SVR_DROP_NO_NEIGHBOUR);
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
