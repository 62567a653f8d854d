/* colour.c - alternate marking (S15). */
#include "pathway/colour.h"

enum {
    COLOURS = 15,
    COUNT_MAX = 0x7fff,
    TIME_MASK = 0xfffffff,
    TRIPS_MAX = 10 * SVR__COLOUR_MARKS, /* of one round */
    /* Two stamps in a round trip and two round trips in a change make four
     * quarters of a square millisecond, here in square microseconds. */
    NOISE = 1000000,
};

#define MARK_SPACING (SVR__ROUND_TIME / SVR__COLOUR_MARKS)
/* After which times begin anew: 2^28 ms. */
#define TIME_SPAN (((uint64_t)TIME_MASK + 1) * SVR_MILLISECOND)

void svr__colour_init(svr__colour *c)
{
    *c = (svr__colour){.started = SVR_NEVER, .waiting = SVR_NEVER};
}

void svr__colour_start(svr__colour *c)
{
    c->started = SVR_NEVER;
    c->sent_before = 0;
    c->average = (svr__average){0};
    c->fresh_until = 0;
}

void svr__colour_forget(svr__colour *c)
{
    c->rx_colour = 0;
    c->rx_count = 0;
    c->waiting = SVR_NEVER;
}

static uint8_t colour_after(uint8_t colour)
{
    return (uint8_t)(colour % COLOURS + 1);
}

/* Up to a millisecond. */
static uint64_t draw(const svr_random *random)
{
    uint32_t r;

    random->fill(random->user, &r, sizeof(r));
    return (uint64_t)r * SVR_MILLISECOND >> 32;
}

/* To whole milliseconds, modulo their 28 bits, with triangular dither. */
static uint32_t round_time(svr_time t, const svr_random *random)
{
    uint64_t dithered = t % TIME_SPAN + TIME_SPAN + draw(random) +
                        draw(random) - SVR_MILLISECOND / 2;

    return (uint32_t)(dithered / SVR_MILLISECOND & TIME_MASK);
}

/* What is known of the colour before the last one, which is used up. The
 * variance of one way is half that of the round trip. */
static void close_round(svr__colour *c, svr_time now)
{
    svr__sample *r = &c->round;

    if (c->sent_before >= SVR__COLOUR_LEAST && c->is_reported) {
        r->sent = c->sent_before;
        r->received =
            c->reported < c->sent_before ? c->reported : c->sent_before;
        r->variance = (r->variance - (int64_t)NOISE * r->changes) / 2;
        svr__average_add(&c->average, r);
        c->fresh_until = now + SVR__COLOUR_FRESH;
    }
    *r = (svr__sample){0};
    c->is_closed = true;
}

/* A pause in the traffic makes what was before it meaningless: sessions that
 * come back would take an old figure for the pathway's. */
static void change_colour(svr__colour *c, svr_time now)
{
    if (c->started == SVR_NEVER || now - c->started >= 2 * SVR__ROUND_TIME) {
        svr__colour_start(c);
    } else {
        if (!c->is_closed)
            close_round(c, now);
        c->sent_before = c->sent;
    }
    c->is_closed = false;
    c->sent = 0;
    c->is_reported = false;
    c->reported = 0;
    c->colour = colour_after(c->colour);
    c->started = now;
    c->next = now;
}

static void fill_report(svr__colour *c, svr_path_metrics *out,
                        const svr_random *random, svr_time now)
{
    if (c->waiting == SVR_NEVER)
        return;
    out->rx_colour = c->rx_colour;
    out->rx_time =
        (c->rx_time + round_time(now - c->rx_at, random)) & TIME_MASK;
    out->count = c->rx_before;
    c->waiting = SVR_NEVER;
}

bool svr__colour_mark(svr__colour *c, svr_path_metrics *out,
                      const svr_random *random, svr_time now)
{
    if (c->started == SVR_NEVER || now - c->started >= SVR__ROUND_TIME)
        change_colour(c, now);
    if (!c->is_closed && now - c->started >= SVR__ROUND_PATIENCE)
        close_round(c, now);
    if (now < c->next || c->sent == SVR__COLOUR_MARKS)
        return false;
    c->next = now + MARK_SPACING;
    c->sent++;
    *out = (svr_path_metrics){
        .tx_colour = c->colour,
        .tx_time = round_time(now, random),
    };
    fill_report(c, out, random, now);
    return true;
}

svr_time svr__colour_due(const svr__colour *c)
{
    return c->waiting == SVR_NEVER ? SVR_NEVER
                                   : c->waiting + SVR__COLOUR_PATIENCE;
}

bool svr__colour_report(svr__colour *c, svr_path_metrics *out,
                        const svr_random *random, svr_time now)
{
    if (now < svr__colour_due(c))
        return false;
    *out = (svr_path_metrics){.drop = true};
    fill_report(c, out, random, now);
    return true;
}

static void count_up(uint16_t *count)
{
    if (*count < COUNT_MAX)
        (*count)++;
}

static void count_mark(svr__colour *c, const svr_path_metrics *m, svr_time now)
{
    if (c->rx_colour != 0 && colour_after(m->tx_colour) == c->rx_colour) {
        count_up(&c->rx_before); /* a late one */
        return;
    }
    if (m->tx_colour != c->rx_colour) {
        bool follows = m->tx_colour == colour_after(c->rx_colour);
        c->rx_before = follows ? c->rx_count : 0;
        c->rx_count = 0;
        c->rx_colour = m->tx_colour;
    }
    count_up(&c->rx_count);
    c->rx_time = m->tx_time;
    c->rx_at = now;
    if (c->waiting == SVR_NEVER)
        c->waiting = now;
}

/* The round trip in nanoseconds; rounding may make it less than nothing. */
static int64_t round_trip(uint32_t echoed, svr_time now)
{
    uint64_t sent = (uint64_t)echoed * SVR_MILLISECOND;
    uint64_t trip = (now % TIME_SPAN + TIME_SPAN - sent) % TIME_SPAN;

    return trip < TIME_SPAN / 2 ? (int64_t)trip
                                : (int64_t)trip - (int64_t)TIME_SPAN;
}

static void take_report(svr__colour *c, const svr_path_metrics *m, svr_time now)
{
    int64_t trip = round_trip(m->rx_time, now);

    if (trip < -3 * (int64_t)SVR_MILLISECOND || trip > (int64_t)SVR__ROUND_TIME)
        return; /* about what was sent before a restart */
    if (m->rx_colour == c->colour) {
        c->is_reported = true;
        if (m->count > c->reported)
            c->reported = m->count;
    }
    if (c->round.latencies == TRIPS_MAX)
        return;
    svr__sample_latency(&c->round, trip / 2);
    if (c->has_trip)
        svr__sample_change(&c->round, trip - c->trip);
    c->has_trip = true;
    c->trip = trip;
}

void svr__colour_marked(svr__colour *c, const svr_path_metrics *m, svr_time now)
{
    if (m->tx_colour != 0)
        count_mark(c, m, now);
    if (m->rx_colour != 0)
        take_report(c, m, now);
}

bool svr__colour_is_fresh(const svr__colour *c, svr_time now)
{
    return now < c->fresh_until;
}
