/*
 * Machines in a row, ingress to egress, with bad channels between them: packets
 * are lost, doubled and overtaken, routers are started again and forget, and
 * exchanges begin anew at any time. Whatever happens:
 *
 *   - an exchange counts as acknowledged only if the neighbour has applied it;
 *   - what is applied never becomes older;
 *   - when the faults end, metadata ends, and neighbours agree on their
 * numbers;
 *   - the same seed gives the same run.
 */
#include <svr/session.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum {
    ROUTERS = 4,
    LINE = 4096,
    CLIENT = SVR_SESSION_CLIENT,
    SERVER = SVR_SESSION_SERVER,
};

#define MS SVR_MILLISECOND
#define FAULTS_END (8 * SVR_SECOND)
#define END (30 * SVR_SECOND)
#define QUIET_FROM (20 * SVR_SECOND)

/* What is on its way to a router. */
struct message {
    svr_time at;
    unsigned to, side; /* the side that it arrives on */
    bool metadata, alone, disable, ask;
    svr_exchange exchange;
};

struct router {
    svr_session s;
    bool alive;
    uint32_t boot;
    svr_time started, asked, passed[2];
    uint64_t applied[2]; /* highest number applied in any life */
};

struct options {
    unsigned routers;
    unsigned loss, twice; /* per cent */
    svr_time delay;       /* the longest; the shortest is a tenth */
    bool forward, reverse, restarts, renewals;
    unsigned numberless; /* bits: routers that know no 0x8001 */
};

struct line {
    struct options o;
    struct router router[ROUTERS];
    struct message queue[LINE];
    size_t queued;
    svr_time now;
    uint64_t random, log;
    size_t late_metadata; /* sent in the quiet time */
    size_t false_acks;
};

static uint32_t draw(struct line *l, uint32_t below)
{
    l->random = l->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((l->random >> 33) % below);
}

static void journal(struct line *l, unsigned what, uint64_t value)
{
    uint64_t words[] = {l->now, what, value};
    for (size_t i = 0; i < 3; i++)
        l->log = (l->log ^ words[i]) * 1099511628211u;
}

static bool is_bad(const struct line *l)
{
    return l->now < FAULTS_END;
}

/* Towards the neighbour on a side. */
static void post(struct line *l, unsigned from, unsigned side, struct message m)
{
    m.to = side == SERVER ? from + 1 : from - 1;
    m.side = !side;
    if (m.metadata && l->now >= QUIET_FROM)
        l->late_metadata++;
    if (is_bad(l) && draw(l, 100) < l->o.loss)
        return;
    unsigned copies = is_bad(l) && draw(l, 100) < l->o.twice ? 2 : 1;
    while (copies--) {
        svr_time spread = is_bad(l) ? l->o.delay : l->o.delay / 10;
        m.at = l->now + l->o.delay / 10 + draw(l, (uint32_t)(spread / MS)) * MS;
        cr_assert_lt(l->queued, LINE);
        l->queue[l->queued++] = m;
    }
}

static bool speaks(const struct line *l, unsigned r, unsigned side)
{
    unsigned other = side == SERVER ? r + 1 : r - 1;
    return !(l->o.numberless >> r & 1) && !(l->o.numberless >> other & 1);
}

static struct message metadata_of(const struct router *r, unsigned side)
{
    return (struct message){.metadata = true,
                            .exchange = svr_session_exchange(&r->s, side)};
}

/* A packet goes to a side, by which it is a host's in the end. */
static void send(struct line *l, unsigned at, unsigned side)
{
    struct router *r = &l->router[at];
    unsigned actions = svr_session_event(&r->s, side, SVR_SESSION_SEND, l->now);
    if (r->s.hop[side].state == SVR_HOP_HOST)
        return;
    /* The number is that of before SEND's bookkeeping, which leaves it. */
    post(l, at, side,
         actions & SVR_SESSION_ADD_METADATA ? metadata_of(r, side)
                                            : (struct message){0});
}

static void act(struct line *l, unsigned at, unsigned side, unsigned actions)
{
    if (actions & SVR_SESSION_SEND_METADATA) {
        struct message m = metadata_of(&l->router[at], side);
        m.alone = m.disable = true;
        post(l, at, side, m);
    }
}

static void make(struct line *l, unsigned at)
{
    struct router *r = &l->router[at];
    svr_session_init(&r->s, SVR_SESSION_UDP, at > 0, at + 1 < l->o.routers,
                     ((uint64_t)r->boot << 32) + 1 +
                         (l->now - r->started) / (SVR_SECOND / 16));
    if (r->boot > 1 && l->now - r->started < 10 * SVR_SECOND)
        svr_session_doubt(&r->s);
    r->s.life.state = SVR_LIFE_ESTABLISHED;
    r->alive = true;
}

static void forget(struct line *l, unsigned at)
{
    struct router *r = &l->router[at];
    r->alive = false;
    r->boot++;
    r->started = l->now;
    journal(l, 1, at);
}

/* Whether the neighbour has applied what we hold for acknowledged. */
static void check_ack(struct line *l, unsigned at, unsigned side)
{
    unsigned other = side == SERVER ? at + 1 : at - 1;
    uint64_t own = svr_session_exchange(&l->router[at].s, side).own;
    if (!svr_session_exchange(&l->router[at].s, side).unechoed &&
        l->router[other].applied[!side] < own)
        l->false_acks++;
}

static unsigned hear(struct line *l, const struct message *m)
{
    struct router *r = &l->router[m->to];
    bool numbers = speaks(l, m->to, m->side);
    bool waited = svr_session_exchange(&r->s, m->side).unechoed;
    bool newer =
        m->metadata &&
        (!numbers || svr_session_is_newer(&r->s, m->side, m->exchange.own));
    unsigned actions =
        m->metadata ? svr_session_metadata(&r->s, m->side,
                                           numbers ? &m->exchange : NULL,
                                           m->disable, l->now)
        : m->ask ? svr_session_event(&r->s, m->side, SVR_SESSION_ENABLE, l->now)
                 : svr_session_event(&r->s, m->side, SVR_SESSION_PLAIN, l->now);
    if (newer) {
        if (numbers)
            cr_assert_eq(r->s.hop[m->side].peer, m->exchange.own);
        if (m->exchange.own > r->applied[m->side])
            r->applied[m->side] = m->exchange.own;
    }
    if (waited)
        check_ack(l, m->to, m->side);
    return actions;
}

static void arrive(struct line *l, const struct message *m)
{
    struct router *r = &l->router[m->to];
    journal(l, 2 + m->metadata, m->exchange.own ^ m->to);
    if (!r->alive && m->metadata) {
        make(l, m->to); /* S8.5: in either direction */
    } else if (!r->alive) {
        if (!m->ask && (!r->asked || l->now - r->asked >= SVR_SECOND)) {
            r->asked = l->now; /* S8.2 */
            post(l, m->to, m->side, (struct message){.ask = true});
        }
        return;
    }
    act(l, m->to, m->side, hear(l, m));
    if (m->alone || m->ask)
        return;
    r->passed[m->side] = l->now;
    send(l, m->to, !m->side);
}

static void from_host(struct line *l, unsigned at, unsigned side)
{
    struct router *r = &l->router[at];
    if (!r->alive && side == SERVER)
        return; /* S8.4 */
    if (!r->alive)
        make(l, at);
    r->passed[side] = l->now;
    send(l, at, !side);
}

static void timers(struct line *l)
{
    for (unsigned at = 0; at < l->o.routers; at++)
        for (unsigned side = 0; side < 2 && l->router[at].alive; side++) {
            struct router *r = &l->router[at];
            if (svr_session_due(&r->s, side, r->passed) <= l->now)
                act(l, at, side,
                    svr_session_timer(&r->s, side, r->passed, l->now));
        }
}

static void faults(struct line *l)
{
    unsigned at = draw(l, l->o.routers), side = draw(l, 2);
    if (l->o.restarts && draw(l, 1500) == 0)
        forget(l, at);
    if (l->o.renewals && draw(l, 300) == 0 && l->router[at].alive)
        svr_session_event(&l->router[at].s, side, SVR_SESSION_RENEW, l->now);
}

static void deliver(struct line *l)
{
    for (size_t i = 0; i < l->queued;) {
        struct message m = l->queue[i];
        if (m.at > l->now) {
            i++;
            continue;
        }
        l->queue[i] = l->queue[--l->queued];
        arrive(l, &m);
    }
}

static void run(struct line *l, const struct options *o, uint64_t seed)
{
    *l = (struct line){.o = *o, .random = seed, .log = 14695981039346656037u};
    for (unsigned i = 0; i < o->routers; i++)
        l->router[i].boot = 1;
    for (l->now = 0; l->now < END; l->now += MS) {
        if (is_bad(l))
            faults(l);
        timers(l);
        deliver(l);
        if (o->forward && draw(l, 40) == 0)
            from_host(l, 0, CLIENT);
        if (o->reverse && draw(l, 40) == 0)
            from_host(l, o->routers - 1, SERVER);
    }
}

static bool agree(const struct line *l)
{
    for (unsigned i = 0; i + 1 < l->o.routers; i++) {
        svr_exchange a = svr_session_exchange(&l->router[i].s, SERVER);
        svr_exchange b = svr_session_exchange(&l->router[i + 1].s, CLIENT);
        if (a.unechoed || b.unechoed)
            return false;
        if (speaks(l, i, SERVER) && (a.own != b.echo || b.own != a.echo))
            return false;
    }
    return true;
}

static void expect_good(const struct options *o, uint64_t seed)
{
    static struct line l, again;
    run(&l, o, seed);
    run(&again, o, seed);
    cr_assert_eq(l.log, again.log);
    cr_assert(l.false_acks == 0 && l.late_metadata == 0 && agree(&l),
              "%u routers, forward %d, reverse %d, numberless %u, seed %lu: "
              "%zu false, %zu late",
              o->routers, o->forward, o->reverse, o->numberless,
              (unsigned long)seed, l.false_acks, l.late_metadata);
}

/* Every fault at once, over lines of each length and traffic of each kind. */
Test(session_line, all_faults)
{
    enum { SEEDS = 20 };
    for (unsigned routers = 2; routers <= ROUTERS; routers++)
        for (unsigned traffic = 1; traffic < 4; traffic++)
            for (uint64_t seed = 1; seed <= SEEDS; seed++) {
                struct options o = {.routers = routers,
                                    .loss = 20,
                                    .twice = 20,
                                    .delay = (seed % 3 + 1) * 100 * MS,
                                    .forward = traffic & 1,
                                    .reverse = traffic & 2,
                                    .restarts = true,
                                    .renewals = true};
                expect_good(&o, seed);
            }
}

/* S6.4 alone works over bad channels, with itself and with S6.9, while nothing
 * changes. */
Test(session_line, numberless)
{
    for (unsigned who = 1; who < 8; who++)
        for (unsigned traffic = 1; traffic < 4; traffic++)
            for (uint64_t seed = 1; seed <= 5; seed++) {
                struct options o = {.routers = 3,
                                    .loss = 30,
                                    .twice = 20,
                                    .delay = 100 * MS,
                                    .forward = true,
                                    .reverse = traffic & 2,
                                    .numberless = who};
                expect_good(&o, seed);
            }
}

/* The control: S6.4 alone and a change are too much, and this test sees it. */
Test(session_line, the_check_can_fail)
{
    static struct line l;
    size_t wrong = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct options o = {.routers = 2,
                            .loss = 20,
                            .delay = 300 * MS,
                            .forward = true,
                            .reverse = true,
                            .renewals = true,
                            .numberless = 3};
        run(&l, &o, seed);
        wrong += l.false_acks > 0;
    }
    cr_assert_gt(wrong, 10);
}
