#include "session.h"
#include "world.h"

#include <assert.h>
#include <string.h>

/* A packet that has not come by then does not come. */
#define PATIENCE (8 * SVR_SECOND)

static event_fn datagram_event;

static const uint8_t gre_header[4] = {0, 0, 0x08, 0};

static size_t front(const struct session *s)
{
    return s->kind == KIND_TUNNEL ? sizeof(gre_header) : 0;
}

static uint64_t stream_of(const struct session *s, uint32_t number, int from)
{
    return prng_mix((uint64_t)s->id << 32 | number) + (uint64_t)from + 1;
}

static bool answered(const struct session *s)
{
    return s->kind == KIND_ASK || s->kind == KIND_ECHO ||
           s->kind == KIND_TUNNEL;
}

/* Who sends the packets that count. */
static int speaker(const struct session *s)
{
    return s->kind == KIND_DOWN ? SERVER : CLIENT;
}

/* The packet that opens a session in which only the server speaks. */
enum { OPENER = UINT32_MAX };

/* Sending */

static void send_datagram(struct world *w, struct session *s, int from,
                          uint32_t number, size_t len)
{
    struct buffer *b = buffer_take(&w->buffers);
    svr_tuple t = from == CLIENT ? s->tuple : svr_tuple_reverse(&s->tuple);
    uint8_t *payload;

    packet_begin(b, &t, NULL, from == SERVER, (uint16_t)number, len, &payload);
    memcpy(payload, gre_header, front(s));
    payload += front(s);
    put32(payload, s->id);
    put32(payload + 4, number);
    put32(payload + 8, (uint32_t)from);
    put32(payload + 12, (uint32_t)len);
    content_write(payload + DATAGRAM_HEAD, len - front(s) - DATAGRAM_HEAD,
                  stream_of(s, number, from), 0);
    packet_finish(b);
    session_send(w, s, from, b);
}

/* Judging */

/* S14.9: while the first router asks the one behind the NAT; who does not
 * answer in 3 s is passed over for 10 s. */
static bool waits_for_pinhole(const struct world *w, const struct session *s,
                              svr_time at)
{
    svr_time asked = s->opened + 4 * SVR_SECOND;
    bool troubled =
        excuses_find(&w->excuses, &s->victim, EFFECT_LOSS, s->opened, asked);

    return s->nat && at < asked + (troubled ? 10 * SVR_SECOND : 0);
}

static void judge(struct world *w, struct session *s, uint32_t number)
{
    const struct datagrams *d = &s->datagrams;
    size_t i = number % DATAGRAM_RING;
    svr_time at = d->ring[i].at;
    bool arrived = answered(s) ? d->ring[i].back : d->ring[i].there;

    w->tally.datagrams++;
    if (arrived || d->ring[i].told || waits_for_pinhole(w, s, at))
        return;
    journal_add(&w->journal, w->now, JOURNAL_DATAGRAM_LOST, s->id, number, 0,
                0);
    w->tally.datagrams_lost++;
    if (w->topology.policies)
        changes_lost(w, s, at);
    if (!excuses_find(&w->excuses, &s->victim, EFFECT_LOSS, at,
                      at + 4 * s->delay + 100 * SVR_MILLISECOND) &&
        !session_is_forgotten(w, s))
        world_fail(w, "%s: number %u of %llu.%03llu %s", session_name(s),
                   number, (unsigned long long)(at / SVR_SECOND),
                   (unsigned long long)(at % SVR_SECOND / SVR_MILLISECOND),
                   d->ring[i].there ? "has no answer" : "did not arrive");
}

static void judge_old(struct world *w, struct session *s)
{
    struct datagrams *d = &s->datagrams;

    while (d->judged < d->next &&
           d->ring[d->judged % DATAGRAM_RING].at + PATIENCE <= w->now)
        judge(w, s, d->judged++);
}

/* Time */

static void speak(struct world *w, struct session *s)
{
    struct datagrams *d = &s->datagrams;
    size_t i = d->next % DATAGRAM_RING;
    size_t len = front(s) + DATAGRAM_HEAD;

    if (d->most > len)
        len += prng_mix(s->id * UINT64_C(7919) + d->next) % (d->most - len + 1);
    assert(d->next - d->judged < DATAGRAM_RING);
    d->ring[i].at = w->now;
    d->ring[i].len = (uint16_t)len;
    d->ring[i].there = d->ring[i].back = 0;
    d->ring[i].told = false;
    send_datagram(w, s, speaker(s), d->next++, len);
}

/* S9, S13: routers that nothing has reached for so long have forgotten a
 * session in which only the server speaks, and its packets open none. What was
 * lost of it until then had excuses. */
static bool is_forsaken(const struct world *w, const struct session *s)
{
    const struct datagrams *d = &s->datagrams;

    return s->kind == KIND_DOWN && d->open &&
           w->now + SVR_SECOND >= d->heard + w->topology.udp_s * SVR_SECOND;
}

static void datagram_event(struct world *w, void *target)
{
    struct session *s = target;
    struct datagrams *d = &s->datagrams;
    svr_time next = w->now + d->interval;

    if (!timer_fired(&d->timer, &w->queue, w->now, datagram_event, s) ||
        s->over)
        return;
    judge_old(w, s);
    if (w->now < d->until && is_forsaken(w, s))
        d->until = w->now;
    if (w->now >= d->until) {
        if (d->judged == d->next)
            session_over(w, s);
        else
            timer_set(&d->timer, &w->queue, w->now + SVR_SECOND, datagram_event,
                      s);
        return;
    }
    if (s->kind == KIND_DOWN && !d->open)
        send_datagram(w, s, CLIENT, OPENER, front(s) + DATAGRAM_HEAD);
    else
        speak(w, s);
    timer_set(&d->timer, &w->queue, next, datagram_event, s);
}

void datagram_open(struct world *w, struct session *s, struct prng *p,
                   svr_time until)
{
    struct datagrams *d = &s->datagrams;
    svr_time interval = prng_between(p, 150, 2000) * SVR_MILLISECOND;
    size_t most = prng_chance(p, 300000) ? SIM_MTU - packet_overhead(&s->tuple)
                                         : prng_between(p, 64, 1200);

    *d = (struct datagrams){
        .timer = TIMER_NONE,
        .interval = interval * w->load.pace,
        .until = until,
        .most = (uint16_t)most,
    };
    /* Not just when the idle time of ICMP ends (S9), be it that one did not get
     * through: routers on the way do not forget a session in the same moment.
     */
    if (s->kind == KIND_ECHO && d->interval > 4 * SVR_SECOND)
        d->interval += 10 * SVR_SECOND;
    timer_set(&d->timer, &w->queue, w->now, datagram_event, s);
    if (s->kind == KIND_DOWN)
        d->interval = d->interval < SVR_SECOND ? SVR_SECOND : d->interval;
}

/* Receiving */

static bool is_what_was_sent(const struct session *s, int from,
                             const uint8_t *p, size_t len)
{
    uint32_t number = get32(p + 4);
    size_t body = len - DATAGRAM_HEAD;

    return get32(p) == s->id && get32(p + 8) == (uint32_t)from &&
           get32(p + 12) == len + front(s) &&
           content_check(p + DATAGRAM_HEAD, body, stream_of(s, number, from),
                         0);
}

/* The server may speak now. */
static void opened(struct world *w, struct session *s)
{
    struct datagrams *d = &s->datagrams;

    if (d->open)
        return;
    d->open = true;
    d->heard = w->now;
    timer_set(&d->timer, &w->queue, w->now + SVR_MILLISECOND, datagram_event,
              s);
}

static void count_arrival(struct world *w, struct session *s, int end,
                          uint32_t number, size_t len)
{
    struct datagrams *d = &s->datagrams;
    size_t i = number % DATAGRAM_RING;
    uint8_t *times = end != speaker(s) ? &d->ring[i].there : &d->ring[i].back;

    if (number >= d->next || number < d->judged)
        return;
    if (len != d->ring[i].len) {
        session_spoilt(w, s, "a datagram of another length");
        return;
    }
    if (end == CLIENT)
        d->heard = w->now;
    if (*times < UINT8_MAX)
        ++*times;
    if (*times > 1 && !excuses_find(&w->excuses, &s->victim, EFFECT_COPY,
                                    d->ring[i].at, w->now))
        world_fail(w, "%s: number %u arrives twice", session_name(s), number);
}

void datagram_receive(struct world *w, struct session *s, int end,
                      const svr_packet *p, const svr_headers *h)
{
    const uint8_t *payload = p->data + h->payload + front(s);
    size_t len = p->len - h->payload;
    uint32_t number;

    if (len < front(s) + DATAGRAM_HEAD ||
        !is_what_was_sent(s, !end, payload, len - front(s))) {
        session_spoilt(w, s, "a datagram that was never sent");
        return;
    }
    number = get32(payload + 4);
    if (number >= s->datagrams.next && number != OPENER) {
        session_spoilt(w, s, "a datagram of the future");
        return;
    }
    journal_add(&w->journal, w->now, JOURNAL_DATAGRAM, s->id, (uint64_t)end,
                number, 0);
    if (number == OPENER)
        opened(w, s);
    else
        count_arrival(w, s, end, number, len);
    if (end == SERVER && answered(s))
        send_datagram(w, s, SERVER, number, len);
}

/* Of an encrypted session no payload is quoted: it is about one of these. */
static void told_of_long_ones(struct datagrams *d, size_t most)
{
    for (uint32_t i = d->judged; i < d->next; i++)
        if (d->ring[i % DATAGRAM_RING].len > most)
            d->ring[i % DATAGRAM_RING].told = true;
}

void datagram_too_big(struct world *w, struct session *s, int end, uint16_t mtu,
                      svr_span quote)
{
    struct datagrams *d = &s->datagrams;
    size_t overhead = packet_overhead(&s->tuple);
    size_t at = overhead + front(s);
    uint32_t number;

    (void)end;
    if (mtu - overhead < d->most)
        d->most = (uint16_t)(mtu - overhead);
    if (w->options.cipher && quote.len < at + DATAGRAM_HEAD) {
        told_of_long_ones(d, mtu - overhead);
        return;
    }
    if (quote.len < at + DATAGRAM_HEAD || get32(quote.data + at) != s->id) {
        world_fail(w, "%s: an error quotes another packet", session_name(s));
        return;
    }
    number = get32(quote.data + at + 4);
    if (number < d->next && number >= d->judged)
        d->ring[number % DATAGRAM_RING].told = true;
}
