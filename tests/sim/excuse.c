#include "excuse.h"

#include "memory.h"

#include <stdlib.h>

void excuses_add(struct excuses *x, const struct trouble *t)
{
    if (x->count == x->room) {
        x->room = x->room ? 2 * x->room : 64;
        x->list = memory_grow(x->list, x->room * sizeof(*x->list));
    }
    x->list[x->count++] = *t;
}

void excuses_free(struct excuses *x)
{
    free(x->list);
    *x = (struct excuses){0};
}

static bool concerns(const struct trouble *t, const struct victim *v,
                     enum effect effect)
{
    uint64_t common = t->elements & v->elements;

    return (t->effects & effect) &&
           (t->all ? common == t->elements : common != 0) &&
           (v->timed || !t->timed_only) && (v->narrow || !t->narrow) &&
           (!t->end || t->end == v->ends[0] || t->end == v->ends[1]);
}

static svr_time over_for(const struct trouble *t, const struct victim *v)
{
    return v->moves && t->moved ? t->moved : t->until;
}

static bool happens(const struct trouble *t, const struct victim *v,
                    svr_time from, svr_time until)
{
    return t->from <= until && over_for(t, v) >= from;
}

size_t excuses_count(const struct excuses *x, const struct victim *v,
                     enum effect effect, svr_time from, svr_time until)
{
    size_t count = 0;

    for (size_t i = 0; i < x->count; i++)
        count += concerns(&x->list[i], v, effect) &&
                 happens(&x->list[i], v, from, until);
    return count;
}

bool excuses_find(const struct excuses *x, const struct victim *v,
                  enum effect effect, svr_time from, svr_time until)
{
    for (size_t i = 0; i < x->count; i++)
        if (concerns(&x->list[i], v, effect) &&
            happens(&x->list[i], v, from, until))
            return true;
    return false;
}

svr_time excuses_calm(const struct excuses *x, const struct victim *v,
                      svr_time now)
{
    svr_time since = 0;

    for (size_t i = 0; i < x->count; i++) {
        const struct trouble *t = &x->list[i];
        if (!concerns(t, v, EFFECT_LOSS) || t->from > now)
            continue;
        if (over_for(t, v) >= now)
            return now;
        if (over_for(t, v) > since)
            since = over_for(t, v);
    }
    return since;
}
