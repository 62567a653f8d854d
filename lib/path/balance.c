/* balance.c - which of several equals comes first (S16.2). */
#include "path/find.h"

static bool are_equal(const svr_path_query *q, const svr_vector *x,
                      const svr_vector *y)
{
    if (x->cost != y->cost)
        return false;
    switch (q->criterion) {
    case SVR_PATH_VECTOR:
        return x->priority == y->priority;
    case SVR_PATH_LATENCY:
        return x->latency_us == y->latency_us;
    default:
        return x->mos == y->mos;
    }
}

/* Puts v[from] in front of v[to]; those between move on by one. */
static void bring_forward(svr_vector *v, size_t from, size_t to)
{
    svr_vector moved = v[from];

    for (size_t i = from; i > to; i--)
        v[i] = v[i - 1];
    v[to] = moved;
}

/* Stable, so that the order of names stays where room is equal. */
static void hunt(svr_vector *v, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        size_t to = i;
        while (to > 0 && v[to - 1].room < v[i].room)
            to--;
        bring_forward(v, i, to);
    }
}

/* Shares lie in the order of names; the draw falls on one of them. */
static void share(svr_vector *v, size_t count, uint32_t draw)
{
    uint64_t sum = 0, place;
    size_t i = 0;

    for (size_t n = 0; n < count; n++)
        sum += v[n].capacity;
    if (sum == 0)
        return;
    place = (sum >> 32) * draw + ((sum & UINT32_MAX) * draw >> 32);
    while (place >= v[i].capacity)
        place -= v[i++].capacity;
    bring_forward(v, i, 0);
}

void svr__balance(const svr_path_query *q, svr_vector *v, size_t count)
{
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && are_equal(q, &v[i], &v[end]); end++)
            ;
        if (q->balance == SVR_PATH_HUNT)
            hunt(v + i, end - i);
        if (q->balance == SVR_PATH_PROPORTIONAL)
            share(v + i, end - i, q->draw);
    }
}
