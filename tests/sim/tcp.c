#include "session.h"
#include "world.h"

#include <assert.h>
#include <string.h>

#define RETRY_FIRST (1 * SVR_SECOND)
#define RETRY_LEAST (200 * SVR_MILLISECOND)
/* Hosts wait longer than that in the world, but then it could not be said of
 * ten seconds of silence whose fault they are. */
#define RETRY_MOST (2 * SVR_SECOND)
#define HUNG (10 * SVR_SECOND)
/* S9: so long after both have said that they are done a session is forgotten.
 */
#define CLOSING (10 * SVR_SECOND)
/* S14.9: a peer behind a NAT that did not answer in 3 s is passed over for 10.
 */
#define PINHOLE (13 * SVR_SECOND)

enum { WINDOW_FIRST = 4, WINDOW_MOST = 16, WINDOW_FIELD = 60000 };

#define NOTHING UINT64_MAX

static event_fn tcp_event;

static int number_of(const struct tcp_end *e)
{
    return e == &e->session->tcp.end[SERVER];
}

static struct tcp_end *other_of(const struct tcp_end *e)
{
    return &e->session->tcp.end[!number_of(e)];
}

/* Behind the last place there is. */
static uint64_t limit(const struct tcp_end *e)
{
    return e->end + e->fin;
}

static uint64_t stream_of(const struct tcp_end *e)
{
    return prng_mix(e->session->id * UINT64_C(2) + (uint64_t)number_of(e) +
                    UINT64_C(0x517cc1b727220a95));
}

/* Sending */

static size_t header_len(const struct tcp_end *e)
{
    return packet_overhead(&e->session->tuple);
}

static void send_segment(struct world *w, struct tcp_end *e, uint64_t place,
                         size_t len, uint8_t flags)
{
    struct buffer *b = buffer_take(&w->buffers);
    int from = number_of(e);
    svr_tuple t = from == CLIENT ? e->session->tuple
                                 : svr_tuple_reverse(&e->session->tuple);
    struct segment_fields f = {
        .seq = e->iss + (uint32_t)place,
        .window = WINDOW_FIELD,
        .flags = flags,
        .mss = (uint16_t)(SIM_MTU - header_len(e)),
        .shift = e->shift,
    };
    uint8_t *payload;

    if (e->got) {
        f.flags |= SVR_TCP_ACK;
        f.ack = e->irs + (uint32_t)e->got;
    }
    packet_begin(b, &t, &f, false, 0, len, &payload);
    content_write(payload, len, stream_of(e), place - 1);
    packet_finish(b);
    session_send(w, e->session, from, b);
}

static void acknowledge(struct world *w, struct tcp_end *e)
{
    send_segment(w, e, e->next, 0, 0);
}

/* One segment from `place` on. Returns how many places it has. */
static uint64_t send_from(struct world *w, struct tcp_end *e, uint64_t place)
{
    uint64_t len = e->end - place;
    uint8_t flags = 0;

    if (place == 0) {
        send_segment(w, e, 0, 0, SVR_TCP_SYN);
        return 1;
    }
    if (place > e->end)
        return 0;
    if (len > e->mss)
        len = e->mss;
    else if (e->fin)
        flags |= SVR_TCP_FIN;
    if (len && place + len == e->end)
        flags |= SVR_TCP_PSH;
    send_segment(w, e, place, (size_t)len, flags);
    return len + ((flags & SVR_TCP_FIN) != 0);
}

static void arm(struct world *w, struct tcp_end *e)
{
    svr_time due = e->acked < e->next ? e->retry_due : SVR_NEVER;

    timer_set(&e->timer, &w->queue, due < e->think_due ? due : e->think_due,
              tcp_event, e);
}

/* Sends what may be sent. */
static void pump(struct world *w, struct tcp_end *e)
{
    uint64_t most = e->acked == 0 ? 1 : limit(e);

    while (e->next < most && !e->session->over &&
           e->next - e->acked < (uint64_t)e->window * e->mss) {
        if (e->acked == e->next)
            e->retry_due = w->now + e->retry;
        if (e->timed_at == SVR_NEVER && e->next == e->sent) {
            e->timed_at = w->now;
            e->timed = e->next;
        }
        e->next += send_from(w, e, e->next);
        if (e->sent < e->next)
            e->sent = e->next;
    }
    arm(w, e);
}

/* Time */

static void give_up(struct world *w, const struct tcp_end *e)
{
    world_fail(
        w, "%s: end %d hangs at place %llu of %llu since %llu.%03llu",
        session_name(e->session), number_of(e), (unsigned long long)e->acked,
        (unsigned long long)limit(e),
        (unsigned long long)(e->progress / SVR_SECOND),
        (unsigned long long)(e->progress % SVR_SECOND / SVR_MILLISECOND));
}

/* All that is left is to hear that the other has its FIN, which is done, too.
 */
static bool is_closed(const struct tcp_end *e)
{
    return e->fin && e->acked == e->end && other_of(e)->fin &&
           other_of(e)->got == limit(e);
}

static void retry(struct world *w, struct tcp_end *e)
{
    svr_time calm = excuses_calm(&w->excuses, &e->session->victim, w->now);

    if (calm < e->progress)
        calm = e->progress;
    if (e->session->nat && e->acked == 0)
        calm += PINHOLE;
    if (calm < w->now && w->now - calm > HUNG) {
        if (is_closed(e) && calm - e->progress >= CLOSING)
            session_over(w, e->session);
        else if (session_is_forgotten(w, e->session))
            session_reset(w, e->session, number_of(e), "nobody");
        else
            give_up(w, e);
        return;
    }
    journal_add(&w->journal, w->now, JOURNAL_RETRY, e->session->id,
                (uint64_t)number_of(e), e->acked, ++e->tries);
    e->next = e->acked;
    e->window = 1;
    e->copies = 0;
    e->timed_at = SVR_NEVER; /* Karn */
    e->retry = 2 * e->retry < RETRY_MOST ? 2 * e->retry : RETRY_MOST;
    pump(w, e);
}

static void speak(struct world *w, struct tcp_end *e)
{
    e->think_due = SVR_NEVER;
    e->progress = w->now;
    e->end += e->session->tcp.ask;
    pump(w, e);
}

static void tcp_event(struct world *w, void *target)
{
    struct tcp_end *e = target;

    if (!timer_fired(&e->timer, &w->queue, w->now, tcp_event, e) ||
        e->session->over)
        return;
    if (e->think_due <= w->now)
        speak(w, e);
    else if (e->acked < e->next && e->retry_due <= w->now)
        retry(w, e);
    else
        arm(w, e);
}

/* What the hosts want of each other */

static void client_heard(struct world *w, struct session *s)
{
    struct tcp_end *e = &s->tcp.end[CLIENT];
    uint64_t rounds = s->tcp.answer ? (e->got - 1) / s->tcp.answer : 0;

    if (e->fin || e->think_due != SVR_NEVER)
        return;
    if (rounds < s->tcp.rounds) {
        if (e->end == 1 + rounds * s->tcp.ask)
            e->think_due = w->now + s->tcp.think;
        return;
    }
    if (s->tcp.abort) {
        send_segment(w, e, e->next, 0, SVR_TCP_RST);
        session_over(w, s);
    } else if (!s->tcp.server_closes || e->got > other_of(e)->end) {
        e->fin = true;
    }
}

static void server_heard(struct session *s)
{
    struct tcp_end *e = &s->tcp.end[SERVER];
    uint64_t heard = (e->got - 1) / s->tcp.ask;

    if (heard > s->tcp.rounds)
        heard = s->tcp.rounds;
    if (!e->fin)
        e->end = 1 + heard * s->tcp.answer;
    if (e->got > s->tcp.end[CLIENT].end && s->tcp.end[CLIENT].fin)
        e->fin = true;
    if (heard == s->tcp.rounds && s->tcp.server_closes)
        e->fin = true;
}

static bool finished(const struct tcp_end *e)
{
    return e->fin && e->acked == limit(e);
}

static void heard(struct world *w, struct tcp_end *e)
{
    struct session *s = e->session;

    if (number_of(e) == CLIENT)
        client_heard(w, s);
    else
        server_heard(s);
    if (!s->over && finished(&s->tcp.end[CLIENT]) &&
        finished(&s->tcp.end[SERVER]))
        session_over(w, s);
}

/* Receiving */

static void note_round_trip(struct world *w, struct tcp_end *e)
{
    svr_time sample = w->now - e->timed_at;

    e->timed_at = SVR_NEVER;
    e->round_trip = e->round_trip ? (7 * e->round_trip + sample) / 8 : sample;
    e->retry = 2 * e->round_trip + RETRY_LEAST;
    if (e->retry > RETRY_MOST)
        e->retry = RETRY_MOST;
}

static void receive_ack(struct world *w, struct tcp_end *e,
                        const svr_headers *h, bool bare)
{
    int32_t ahead = (int32_t)(h->tcp_ack - (e->iss + (uint32_t)e->acked));
    uint64_t place = e->acked + (uint64_t)(int64_t)ahead;

    if (ahead > 0 && place > e->sent) {
        session_spoilt(w, e->session, "acknowledges what was never sent");
        return;
    }
    if (ahead > 0) {
        e->acked = place;
        if (e->next < place)
            e->next = place;
        e->progress = w->now;
        e->copies = e->tries = 0;
        if (e->timed_at != SVR_NEVER && place > e->timed)
            note_round_trip(w, e);
        if (e->window < WINDOW_MOST)
            e->window++;
        e->retry_due = w->now + e->retry;
    } else if (ahead == 0 && bare && e->acked < e->next && ++e->copies == 3) {
        journal_add(&w->journal, w->now, JOURNAL_RETRY, e->session->id,
                    (uint64_t)number_of(e), e->acked, 0);
        e->window = e->window / 2 + 1;
        send_from(w, e, e->acked);
    }
}

/* Behind a gap: kept, if there is room to note it. */
static void keep_early(struct tcp_end *e, uint64_t from, uint64_t to)
{
    for (size_t i = 0; i < sizeof(e->early) / sizeof(e->early[0]); i++) {
        if (e->early[i].to == 0 || e->early[i].to == from) {
            if (e->early[i].to == 0)
                e->early[i].from = from;
            e->early[i].to = to;
            return;
        }
        if (e->early[i].from <= from && e->early[i].to >= to)
            return;
    }
}

static void advance(struct tcp_end *e, uint64_t to)
{
    bool more = true;

    e->got = to;
    while (more) {
        more = false;
        for (size_t i = 0; i < sizeof(e->early) / sizeof(e->early[0]); i++) {
            if (e->early[i].to == 0 || e->early[i].from > e->got)
                continue;
            if (e->early[i].to > e->got) {
                e->got = e->early[i].to;
                more = true;
            }
            e->early[i].from = e->early[i].to = 0;
        }
    }
}

/* Takes the places that a segment has. False: it cannot have them. */
static bool receive_places(struct world *w, struct tcp_end *e,
                           const svr_headers *h, svr_span payload)
{
    const struct tcp_end *o = other_of(e);
    int32_t ahead = (int32_t)(h->tcp_seq - (e->irs + (uint32_t)e->got));
    uint64_t from = e->got + (uint64_t)(int64_t)ahead;
    uint64_t to = from + payload.len;

    if (payload.len &&
        (from == 0 || to > o->end || to > o->sent ||
         !content_check(payload.data, payload.len, stream_of(o), from - 1))) {
        session_spoilt(w, e->session, "bytes that were never sent");
        return false;
    }
    if (h->tcp_flags & SVR_TCP_FIN) {
        if (!o->fin || to != o->end) {
            session_spoilt(w, e->session, "a FIN that was never sent");
            return false;
        }
        to++;
    }
    if (from > e->got) {
        keep_early(e, from, to);
    } else if (to > e->got) {
        advance(e, to);
        e->progress = w->now;
        journal_add(&w->journal, w->now, JOURNAL_PROGRESS, e->session->id,
                    (uint64_t)number_of(e), e->acked, e->got);
    }
    return true;
}

/* A SYN again means that the answer to it has not come. */
static void repeat_answer(struct world *w, struct tcp_end *e)
{
    if (e->acked == 0 && e->sent)
        send_from(w, e, 0);
}

static bool receive_syn(struct world *w, struct tcp_end *e, const svr_packet *p,
                        const svr_headers *h)
{
    uint16_t mss;
    uint8_t shift;

    if (h->tcp_seq != other_of(e)->iss) {
        session_spoilt(w, e->session, "a SYN that was never sent");
        return false;
    }
    if (e->got) {
        repeat_answer(w, e);
        return true;
    }
    packet_syn_options(p, h, &mss, &shift);
    if (mss == 0 || mss > SIM_MTU || shift != other_of(e)->shift) {
        session_spoilt(w, e->session, "a SYN with other options");
        return false;
    }
    if (mss < e->mss)
        e->mss = mss;
    e->irs = h->tcp_seq;
    e->got = 1;
    e->progress = w->now;
    return true;
}

/* RFC 5961, loosely: what is not at the window's edge is not believed. */
static void receive_reset(struct world *w, struct tcp_end *e,
                          const svr_headers *h)
{
    bool fits = e->got ? h->tcp_seq - (e->irs + (uint32_t)e->got) < WINDOW_FIELD
                       : h->tcp_ack == e->iss + 1;

    if (fits)
        session_reset(w, e->session, number_of(e), "TCP");
}

void tcp_receive(struct world *w, struct session *s, int end,
                 const svr_packet *p, const svr_headers *h)
{
    struct tcp_end *e = &s->tcp.end[end];
    svr_span payload = {p->data + h->payload, p->len - h->payload};
    bool takes = payload.len || (h->tcp_flags & (SVR_TCP_FIN | SVR_TCP_SYN));

    if (h->tcp_flags & SVR_TCP_RST) {
        receive_reset(w, e, h);
        return;
    }
    if ((h->tcp_flags & SVR_TCP_SYN) && !receive_syn(w, e, p, h))
        return;
    if (!e->got) {
        session_spoilt(w, s, "a segment before the connection");
        return;
    }
    if (h->tcp_flags & SVR_TCP_ACK)
        receive_ack(w, e, h, !takes);
    if (!(h->tcp_flags & SVR_TCP_SYN) && takes &&
        !receive_places(w, e, h, payload))
        return;
    heard(w, e);
    if (s->over)
        return;
    pump(w, e);
    if (takes && !s->over && e->acked)
        acknowledge(w, e);
}

void tcp_too_big(struct world *w, struct session *s, int end, uint16_t mtu)
{
    struct tcp_end *e = &s->tcp.end[end];
    size_t mss = mtu - header_len(e);

    if (mss >= e->mss)
        return;
    e->mss = (uint16_t)mss;
    e->next = e->acked;
    pump(w, e);
}

/* Beginning */

static void open_end(struct session *s, struct prng *p, int end, svr_time now)
{
    struct tcp_end *e = &s->tcp.end[end];
    uint32_t iss = (uint32_t)prng_next(p);
    bool scales = prng_chance(p, 500000);

    *e = (struct tcp_end){
        .session = s,
        .timer = TIMER_NONE,
        .iss = iss,
        .end = 1,
        .retry = RETRY_FIRST,
        .think_due = SVR_NEVER,
        .timed_at = SVR_NEVER,
        .progress = now,
        .window = WINDOW_FIRST,
        .shift = scales ? 7 : 0,
    };
    e->mss = (uint16_t)(SIM_MTU - header_len(e));
}

void tcp_open(struct world *w, struct session *s, struct prng *p,
              svr_time until)
{
    struct tcp *t = &s->tcp;
    svr_time left = until > w->now ? until - w->now : 0;

    t->ask = (uint32_t)prng_between(p, 1, 4000);
    t->answer = (uint32_t)prng_between(p, 1, 20000);
    t->think = prng_between(p, 0, 2000) * w->load.pace * SVR_MILLISECOND;
    t->rounds =
        (unsigned)(1 + left / (t->think + 4 * s->delay + 10 * SVR_MILLISECOND));
    if (t->rounds > 200)
        t->rounds = 200;
    t->server_closes = prng_chance(p, 300000);
    t->abort = prng_chance(p, 100000);
    open_end(s, p, CLIENT, w->now);
    open_end(s, p, SERVER, w->now);
    t->end[CLIENT].end = 1 + t->ask;
    pump(w, &t->end[CLIENT]);
}
