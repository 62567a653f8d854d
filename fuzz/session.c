/*
 * Two neighbours' machines of one session and a script: packets of hosts pass,
 * and are lost, repeated or late; routers restart or forget the session; time
 * passes; changes begin new exchanges; control packets come.
 *
 * Whatever happens, only a higher number is applied (S6.9), only its own number
 * acknowledges an exchange, nothing is due that cannot be done, and no packet
 * makes a storm. Where nothing was forged, metadata stops once packets pass
 * again, and both ends then agree.
 */
#include "fuzz.h"
#include "script.h"

#include <stdlib.h>
#include <svr/session.h>

enum {
    KEPT = 16,
    STORM = 64,  /* messages that one step may cause */
    ROUNDS = 60, /* until metadata has stopped */
    LATE = 10,   /* seconds: no packet is older */
};

enum kind { NONE, PLAIN, METADATA, CONTROL };

struct message {
    enum kind kind;
    enum svr_session_event event; /* of CONTROL */
    svr_exchange exchange;
    bool alone;
    svr_time sent;
};

struct end {
    svr_session s;
    unsigned side; /* where the neighbour is */
    bool alive;
    uint32_t boot;
    svr_time started, told;
    svr_time passed[2];
    struct message kept[KEPT];
    unsigned count;
};

static struct end ends[2]; /* opener, answerer */
static svr_time now;
static bool lossy, forged;
static unsigned causes;   /* messages in this step */
static uint64_t metadata; /* messages with metadata so far */

static svr_hop *hop_of(struct end *e)
{
    return &e->s.hop[e->side];
}

/* The opener's side opens and the answerer's answers, for ever. */
static void check_end(struct end *e)
{
    const svr_hop *hop = hop_of(e);

    if (!e->alive)
        return;
    check(e->s.hop[!e->side].state == SVR_HOP_HOST);
    if (e->side == SVR_SESSION_SERVER)
        check(hop->state == SVR_HOP_OFFERING || hop->state == SVR_HOP_OFFERED);
    else
        check(hop->state == SVR_HOP_ANSWERING ||
              hop->state == SVR_HOP_ANSWERED);
    check(hop->own != 0);
    check(hop->unanswered <= SVR_SESSION_PATIENCE);
    if (svr_session_quiet(&e->s, !e->side))
        check(!(svr_session_peek(&e->s, e->side, now) &
                SVR_SESSION_ADD_METADATA));
}

static void create(struct end *e)
{
    bool opener = e->side == SVR_SESSION_SERVER;

    svr_session_init(&e->s, SVR_SESSION_UDP, !opener, opener,
                     ((uint64_t)e->boot << 32) + 1 +
                         (now - e->started) / (SVR_SECOND / 16));
    if (e->boot > 1 && now - e->started < LATE * SVR_SECOND)
        svr_session_doubt(&e->s);
    e->alive = true;
    e->passed[0] = e->passed[1] = now;
}

/* The session ends here alone. Nothing of it is late then: it was idle for
 * longer than packets take, or was deleted for good. */
static void forget(struct end *e)
{
    e->alive = false;
    for (unsigned i = 0; i < KEPT; i++)
        ends[0].kept[i].kind = ends[1].kept[i].kind = NONE;
}

static void deliver(struct end *to, const struct message *m);

/* On its way: kept, so that it can come again, and delivered unless lost. */
static void send(struct end *from, const struct message *m)
{
    check(++causes < STORM);
    from->kept[from->count++ % KEPT] = *m;
    metadata += m->kind == METADATA;
    if (!lossy)
        deliver(&ends[from == &ends[0]], m);
}

static struct message metadata_of(const struct end *e, bool alone)
{
    return (struct message){
        .kind = METADATA,
        .exchange = svr_session_exchange(&e->s, e->side),
        .alone = alone,
        .sent = now,
    };
}

static void send_control(struct end *e, enum svr_session_event event)
{
    send(e, &(struct message){.kind = CONTROL, .event = event, .sent = now});
}

static void act(struct end *e, unsigned actions)
{
    check(!(actions & (SVR_SESSION_ADD_METADATA | SVR_SESSION_ADD_HEALTH |
                       SVR_SESSION_ADD_HEALTH_AGAIN)));
    if (actions & SVR_SESSION_END) {
        forget(e);
        return;
    }
    if (actions & SVR_SESSION_SEND_METADATA) {
        struct message m = metadata_of(e, true);
        check(svr_session_event(&e->s, e->side, SVR_SESSION_SENT_ALONE, now) ==
              0);
        send(e, &m);
    }
    if (actions & SVR_SESSION_SEND_KEEP_ALIVE)
        send_control(e, SVR_SESSION_KEEP_ALIVE);
    if (actions & SVR_SESSION_SEND_HEALTH_ANSWER)
        send_control(e, SVR_SESSION_HEALTH_ANSWER);
}

/* S6.9: what metadata may change. */
static void receive_metadata(struct end *e, const struct message *m)
{
    if (!e->alive)
        create(e);
    svr_hop before = *hop_of(e), *after = hop_of(e);
    unsigned actions =
        svr_session_metadata(&e->s, e->side, &m->exchange, m->alone, now);
    bool higher = m->exchange.own > before.peer;

    check(svr_session_is_newer(&e->s, e->side, m->exchange.own) == false);
    check(after->peer == (higher ? m->exchange.own : before.peer));
    check(after->own >= before.own);
    if (m->exchange.own < before.peer)
        check(after->own == before.own && after->state == before.state);
    if (before.state != after->state &&
        (after->state == SVR_HOP_OFFERED || after->state == SVR_HOP_ANSWERED))
        check(m->exchange.echo == before.own);
    act(e, actions);
}

static void receive_plain(struct end *e)
{
    if (e->alive) {
        act(e, svr_session_event(&e->s, e->side, SVR_SESSION_PLAIN, now));
    } else if (e->told == 0 || now - e->told >= SVR_SECOND) { /* S8.2 */
        e->told = now;
        send_control(e, SVR_SESSION_ENABLE);
    }
}

static void deliver(struct end *to, const struct message *m)
{
    if (m->kind == METADATA)
        receive_metadata(to, m);
    else if (m->kind == PLAIN)
        receive_plain(to);
    else if (to->alive)
        act(to, svr_session_event(&to->s, to->side, m->event, now));
    to->passed[to->side] = now;
    check_end(to);
}

/* A packet of the host behind this end. */
static void host_sends(struct end *e)
{
    if (!e->alive)
        return;
    struct message m = {.kind = PLAIN, .sent = now};
    svr_exchange x = svr_session_exchange(&e->s, e->side);
    unsigned actions = svr_session_event(&e->s, e->side, SVR_SESSION_SEND, now);
    unsigned health = SVR_SESSION_ADD_HEALTH | SVR_SESSION_ADD_HEALTH_AGAIN;

    check(!(actions & ~(SVR_SESSION_ADD_METADATA | health)));
    e->passed[!e->side] = now;
    if (actions & SVR_SESSION_ADD_METADATA) {
        m.kind = METADATA;
        m.exchange = x;
    }
    send(e, &m);
    if ((actions & health) && e->alive)
        send_control(e, SVR_SESSION_HEALTH_REQUEST);
}

static void run_timer(struct end *e)
{
    if (!e->alive)
        return;
    act(e, svr_session_timer(&e->s, e->side, e->passed, now));
    if (e->alive)
        check(svr_session_due(&e->s, e->side, e->passed) > now);
    check_end(e);
}

static void pass_time(svr_time t)
{
    now += t;
    run_timer(&ends[0]);
    run_timer(&ends[1]);
}

/* What the other end sent before, again or late. */
static void repeat(struct end *to, const struct end *from, uint8_t which)
{
    const struct message m = from->kept[which % KEPT];
    if (m.kind != NONE && now - m.sent < LATE * SVR_SECOND)
        deliver(to, &m);
}

static void restart(struct end *e)
{
    e->boot++;
    e->started = now;
    e->alive = false;
}

static void control(struct end *e, uint8_t which)
{
    static const enum svr_session_event events[] = {
        SVR_SESSION_ENABLE,         SVR_SESSION_KEEP_ALIVE,
        SVR_SESSION_HEALTH_REQUEST, SVR_SESSION_HEALTH_ANSWER,
        SVR_SESSION_DELETE,
    };
    send_control(e, events[which % 5]);
}

/* Numbers that no neighbour has said, or none. */
static void forge(struct end *to, struct script *s)
{
    uint64_t near = take(s) % 2 ? hop_of(to)->peer : hop_of(to)->own;
    struct message m = {
        .kind = METADATA,
        .exchange = {.own = near + take(s) - 3,
                     .echo = hop_of(to)->own + take(s) - 3,
                     .unechoed = take(s) & 1},
        .alone = take(s) & 1,
    };
    forged = true;
    if (m.exchange.own)
        deliver(to, &m);
    else
        deliver(to, &(struct message){.kind = CONTROL,
                                      .event = SVR_SESSION_DISABLE});
}

static void step(struct script *s)
{
    uint8_t op = take(s);
    struct end *e = &ends[op & 1], *other = &ends[!(op & 1)];

    causes = 0;
    lossy = op & 2;
    switch (op >> 2 & 15) {
    case 0:
    case 1:
    case 2:
    case 3:
        host_sends(e);
        break;
    case 4:
    case 5:
    case 6:
        repeat(e, other, take(s));
        break;
    case 7:
        pass_time((svr_time)take(s) * SVR_MILLISECOND);
        break;
    case 8:
        pass_time((svr_time)take(s) * 100 * SVR_MILLISECOND);
        break;
    case 9:
        if (e->alive)
            act(e, svr_session_event(&e->s, e->side, SVR_SESSION_RENEW, now));
        break;
    case 10:
        restart(e);
        break;
    case 11:
        forget(e);
        break;
    case 12:
        control(e, take(s));
        break;
    case 13:
        svr_session_watch(&e->s, e->side,
                          (svr_hop_settings){take(s), take(s) % 31});
        break;
    case 14:
        forge(e, s);
        break;
    default:
        if (!ends[0].alive && !ends[1].alive)
            create(&ends[0]); /* a new one, by the client */
    }
    check_end(e);
    check_end(other);
}

/* Packets pass in both directions again: metadata ends, and what each end
 * applied is what the other one says. */
static void settle(void)
{
    uint64_t before = 0;

    for (int round = 0; round < ROUNDS; round++) {
        if (round == ROUNDS - 10)
            before = metadata;
        causes = 0;
        pass_time(500 * SVR_MILLISECOND);
        causes = 0;
        host_sends(&ends[0]);
        host_sends(&ends[1]);
    }
    if (!ends[0].alive && !ends[1].alive)
        return;
    check(ends[0].alive && ends[1].alive);
    check(metadata == before);
    check(hop_of(&ends[0])->own == hop_of(&ends[1])->peer);
    check(hop_of(&ends[1])->own == hop_of(&ends[0])->peer);
}

void fuzz_one(const uint8_t *data, size_t len)
{
    struct script s = {data, len};

    now = SVR_SECOND;
    metadata = 0;
    forged = false;
    for (unsigned i = 0; i < 2; i++)
        ends[i] = (struct end){.side = !i, .boot = 1, .started = now};
    create(&ends[0]);
    while (s.len > 0)
        step(&s);
    lossy = false;
    if (!forged)
        settle();
}
