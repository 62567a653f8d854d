/*
 * flood.c - what neighbours say, and what they lack.
 *
 * Of each part and neighbour it is known whether it has to be sent, was sent,
 * or is there. Both ends count their incarnations: in a new one, nothing is
 * there.
 */
#include "topology/chart.h"

enum {
    SEEN_SOON = SVR__SEEN_MAX / 2, /* so many seen parts are told of at once */
};

#define SEEN_DELAY (20 * SVR_MILLISECOND) /* for more of them in a message */
#define INTERVAL                                                 \
    (500 * SVR_MILLISECOND) /* a part is sent again after one or \
                               two */
#define INTERVAL_MAX (30 * SVR_SECOND)
#define SCAN (60 * SVR_SECOND)

void svr__flood_mark(svr_chart *c, svr__neighbour *nb, uint32_t part,
                     bool lacking)
{
    uint8_t *flags = &nb->flags[part];

    (void)c;
    nb->lacking -= *flags & SVR__LACKING ? 1 : 0;
    nb->waiting -= *flags & (SVR__SENT | SVR__SENT_LATE) ? 1 : 0;
    *flags = lacking ? SVR__LACKING : 0;
    nb->lacking += lacking;
}

static void mark_sent(svr__neighbour *nb, uint32_t part)
{
    nb->flags[part] = SVR__SENT;
    nb->lacking--;
    nb->waiting++;
}

/* ---- receiving ---- */

/* It will be told that the part has come; where there is no room, it comes
 * again. */
static void see(svr__neighbour *nb, const svr__topology_item *item,
                svr_time now)
{
    if (nb->seen_count == SVR__SEEN_MAX)
        return;
    nb->seen[nb->seen_count++] =
        (svr__seen){item->origin, item->sequence, item->number};
    svr_time at = nb->seen_count < SEEN_SOON ? now + SEEN_DELAY : now;
    if (at < nb->seen_due)
        nb->seen_due = at;
}

/* The part that an item is about, or SVR__CHART_NONE. */
static uint32_t part_of(const svr_chart *c, const svr__topology_item *item)
{
    uint32_t router = svr__chart_router_of(c, item->origin);

    if (router == SVR__CHART_NONE || item->number >= c->routers[router].parts)
        return SVR__CHART_NONE;
    return c->routers[router].first_part + item->number;
}

static void take_part(svr_chart *c, svr__neighbour *nb,
                      const svr__topology_item *item, svr_time now)
{
    uint32_t number = part_of(c, item);

    if (number == SVR__CHART_NONE) {
        c->counters.parts_alien++;
        see(nb, item, now);
        return;
    }
    const svr__part *p = &c->parts[number];
    bool newer = item->sequence > p->sequence;
    if (newer && p->router == c->self) {
        svr__own_heard(c, item, now);
    } else if (newer && item->age * SVR_SECOND < SVR_CHART_MAX_AGE) {
        c->counters.parts_new++;
        svr__part_take(c, number, item, nb, now);
        see(nb, item, now);
        return;
    }
    c->counters.parts_old++;
    if (item->sequence < p->sequence && p->alive) {
        if (nb->flags[number] == 0)
            svr__flood_mark(c, nb, number, true);
        return; /* what it gets says that this one was seen */
    }
    if (item->sequence == p->sequence)
        svr__flood_mark(c, nb, number, false);
    see(nb, item, now);
}

static void take_seen(svr_chart *c, svr__neighbour *nb,
                      const svr__topology_item *item)
{
    uint32_t number = part_of(c, item);

    if (number == SVR__CHART_NONE ||
        c->parts[number].sequence != item->sequence)
        return;
    svr__flood_mark(c, nb, number, false);
    nb->heeded = true;
}

static void begin_again(svr_chart *c, svr__neighbour *nb, uint64_t incarnation)
{
    nb->incarnation = incarnation;
    nb->knows = false;
    nb->greet = true;
    nb->interval = INTERVAL;
    nb->seen_count = 0;
    nb->seen_due = SVR_NEVER;
    for (uint32_t i = 0; i < c->part_count; i++)
        svr__flood_mark(c, nb, i, c->parts[i].alive);
}

static void take_head(svr_chart *c, svr__neighbour *nb,
                      const svr__topology_head *head)
{
    if (head->own > nb->incarnation)
        begin_again(c, nb, head->own);
    if (head->peer == c->incarnation && !nb->knows) {
        nb->knows = true;
        nb->interval = INTERVAL;
    }
    nb->greet |= head->unheard;
}

int svr_chart_receive(svr_chart *c, size_t neighbour, svr_span message,
                      svr_time now)
{
    svr__neighbour *nb = &c->neighbours[neighbour];
    svr__topology_head head;
    svr__topology_item item;
    svr__rd rd;
    int err = svr__topology_open(&head, &rd, message);

    c->counters.received++;
    c->counters.bytes_received += message.len;
    if (err == 0 && head.own < nb->incarnation)
        err = SVR_ERR_REPLAY;
    if (err != 0) {
        c->counters.refused++;
        return err;
    }
    take_head(c, nb, &head);
    while (svr__topology_next(&rd, &item)) {
        if (item.kind == SVR__TOPOLOGY_PART)
            take_part(c, nb, &item, now);
        else
            take_seen(c, nb, &item);
    }
    svr__flood_settle(c);
    return 0;
}

/* ---- sending ---- */

/* When the rate allows another message. */
static svr_time allowed_at(const svr_chart *c, const svr__neighbour *nb)
{
    svr_time window =
        (svr_time)(c->burst - (SVR_CHART_MESSAGE + SVR_CHART_OVERHEAD)) *
        SVR_SECOND / c->rate;

    return nb->full > window ? nb->full - window : 0;
}

static void charge(svr_chart *c, svr__neighbour *nb, size_t len, svr_time now)
{
    svr_time cost = (svr_time)(len + SVR_CHART_OVERHEAD) * SVR_SECOND / c->rate;

    nb->full = (nb->full > now ? nb->full : now) + cost;
    c->counters.sent++;
    c->counters.bytes_sent += len;
}

static void put_seen(svr__neighbour *nb, svr__wr *wr)
{
    uint8_t done = 0;

    while (done < nb->seen_count &&
           wr->cap - wr->len >= SVR__TOPOLOGY_SEEN_ITEM) {
        const svr__seen *s = &nb->seen[done++];
        svr__topology_item item = {.kind = SVR__TOPOLOGY_SEEN,
                                   .origin = s->origin,
                                   .number = s->number,
                                   .sequence = s->sequence};
        svr__topology_put(wr, &item);
    }
    nb->seen_count -= done;
    memmove(nb->seen, nb->seen + done, nb->seen_count * sizeof(*nb->seen));
    if (nb->seen_count == 0)
        nb->seen_due = SVR_NEVER;
}

/* False: it has no room. */
static bool put_part(svr_chart *c, svr__neighbour *nb, svr__wr *wr,
                     uint32_t number, svr_time now)
{
    const svr__part *p = &c->parts[number];
    svr__topology_item item = {
        .kind = SVR__TOPOLOGY_PART,
        .origin = c->routers[p->router].id,
        .number = (uint16_t)(number - c->routers[p->router].first_part),
        .sequence = p->sequence,
        .age = svr__part_age(p, now),
        .body = {p->body, p->len},
    };

    if (wr->cap - wr->len < SVR__TOPOLOGY_PART_ITEM + (size_t)p->len)
        return false;
    svr__topology_put(wr, &item);
    mark_sent(nb, number);
    c->counters.parts_sent++;
    return true;
}

static void put_parts(svr_chart *c, svr__neighbour *nb, svr__wr *wr,
                      svr_time now)
{
    for (uint32_t i = 0; i < c->part_count && nb->lacking > 0; i++) {
        uint32_t at = nb->cursor;
        if (nb->flags[at] & SVR__LACKING) {
            if (c->parts[at].dies <= now)
                svr__part_end(c, at);
            else if (!put_part(c, nb, wr, at, now))
                return;
        }
        nb->cursor = at + 1 < c->part_count ? at + 1 : 0;
    }
}

size_t svr_chart_send(svr_chart *c, size_t neighbour, uint8_t *buf, size_t cap,
                      svr_time now)
{
    svr__neighbour *nb = &c->neighbours[neighbour];
    svr__topology_head head = {c->incarnation, nb->incarnation, !nb->knows};
    bool parts = nb->knows && nb->lacking > 0 && now >= allowed_at(c, nb);
    svr__wr wr;

    if (!nb->up || cap < SVR_CHART_MESSAGE_LEAST ||
        (!nb->greet && !parts && now < nb->seen_due))
        return 0;
    wr = svr__wr_over(buf, cap < SVR_CHART_MESSAGE ? cap : SVR_CHART_MESSAGE);
    svr__topology_put_head(&wr, &head);
    put_seen(nb, &wr);
    if (parts)
        put_parts(c, nb, &wr, now);
    if (wr.len == SVR__TOPOLOGY_HEAD && !nb->greet) {
        svr__flood_settle(c);
        return 0; /* what was to be sent has just become void */
    }
    nb->greet = false;
    if (nb->tick == SVR_NEVER && (nb->waiting > 0 || !nb->knows))
        nb->tick = now + nb->interval;
    charge(c, nb, wr.len, now);
    svr__flood_settle(c);
    return wr.len;
}

/* ---- time ---- */

/* What was sent an interval ago has to be sent again. */
static bool age_flags(svr_chart *c, svr__neighbour *nb)
{
    bool again = false;

    if (nb->waiting == 0)
        return false;
    for (uint32_t i = 0; i < c->part_count; i++) {
        if (nb->flags[i] & SVR__SENT_LATE) {
            svr__flood_mark(c, nb, i, true);
            c->counters.parts_again++;
            again = true;
        } else if (nb->flags[i] & SVR__SENT) {
            nb->flags[i] = SVR__SENT_LATE;
        }
    }
    return again;
}

static void tick(svr_chart *c, svr__neighbour *nb, svr_time now)
{
    bool again = age_flags(c, nb) || !nb->knows;

    nb->greet |= !nb->knows;
    if (nb->heeded || !again)
        nb->interval = INTERVAL;
    else if (nb->interval < INTERVAL_MAX)
        nb->interval =
            nb->interval > INTERVAL_MAX / 2 ? INTERVAL_MAX : 2 * nb->interval;
    nb->heeded = false;
    nb->tick = nb->waiting > 0 || again ? now + nb->interval : SVR_NEVER;
}

static void forget_sent(svr_chart *c, svr__neighbour *nb)
{
    if (nb->waiting == 0)
        return;
    for (uint32_t i = 0; i < c->part_count; i++)
        if (nb->flags[i] & (SVR__SENT | SVR__SENT_LATE))
            svr__flood_mark(c, nb, i, true);
}

void svr_chart_neighbour(svr_chart *c, size_t neighbour, bool up, svr_time now)
{
    svr__neighbour *nb = &c->neighbours[neighbour];

    if (nb->up == up)
        return;
    nb->up = up;
    nb->interval = INTERVAL;
    nb->seen_count = 0;
    nb->seen_due = SVR_NEVER;
    nb->tick = up && !nb->knows ? now + INTERVAL : SVR_NEVER;
    nb->greet = up && !nb->knows;
    forget_sent(c, nb);
    svr__flood_settle(c);
}

static void scan(svr_chart *c, svr_time now)
{
    if (now < c->scan_due)
        return;
    c->scan_due = now + SCAN;
    for (uint32_t i = 0; i < c->part_count; i++) {
        const svr__part *p = &c->parts[i];
        if (!p->alive)
            continue;
        if (p->dies <= now)
            svr__part_end(c, i);
        else if (p->router == c->self &&
                 p->dies <= now + SVR_CHART_MAX_AGE - SVR_CHART_REFRESH)
            svr__own_renew(c, i - c->routers[c->self].first_part, now);
    }
}

void svr_chart_handle(svr_chart *c, svr_time now)
{
    scan(c, now);
    svr__own_handle(c, now);
    for (size_t i = 0; i < c->neighbour_count; i++)
        if (c->neighbours[i].up && now >= c->neighbours[i].tick)
            tick(c, &c->neighbours[i], now);
    svr__flood_settle(c);
}

svr_time svr_chart_neighbour_due(const svr_chart *c, size_t neighbour)
{
    const svr__neighbour *nb = &c->neighbours[neighbour];
    svr_time due = nb->tick < nb->seen_due ? nb->tick : nb->seen_due;

    if (!nb->up)
        return SVR_NEVER;
    if (nb->greet)
        return 0;
    if (nb->knows && nb->lacking > 0 && allowed_at(c, nb) < due)
        due = allowed_at(c, nb);
    return due;
}

void svr__flood_settle(svr_chart *c)
{
    svr_time due = c->own_due < c->scan_due ? c->own_due : c->scan_due;

    for (size_t i = 0; i < c->neighbour_count; i++) {
        svr_time at = svr_chart_neighbour_due(c, i);
        if (at < due)
            due = at;
    }
    c->due = due;
}

svr_time svr_chart_due(const svr_chart *c)
{
    return c->due;
}
