#include "path/rank.h"

#include <string.h>

void svr__trail_swap(svr__trail *x, svr__trail *y)
{
    svr__trail t = *x;

    *x = *y;
    *y = t;
}

void svr__trail_take(const svr__search *s, const svr__start *start,
                     uint32_t label, svr__trail *out)
{
    uint32_t at;

    out->total = s->labels[label];
    out->hops = (uint32_t)(out->total.key.b & SVR__HOP_MASK);
    out->parting = start->hops;
    memcpy(out->edges, start->edges, start->hops * sizeof(*out->edges));
    at = out->hops;
    for (uint32_t i = label; s->labels[i].parent != SVR_PATH_NONE;
         i = s->labels[i].parent)
        out->edges[--at] = s->labels[i].edge;
}

/* By the criterion, then by names. */
static bool is_better(const svr__search *s, const svr__trail *x,
                      const svr__trail *y)
{
    int order = svr__label_compare(s, &x->total, &y->total);

    if (order != 0)
        return order < 0;
    if (x->total.router != y->total.router)
        return s->g.rank[x->total.router] < s->g.rank[y->total.router];
    for (uint32_t i = x->hops; i-- > 0;)
        if (x->edges[i] != y->edges[i])
            return s->g.in_place[x->edges[i]] < s->g.in_place[y->edges[i]];
    return false;
}

static bool begins_like(const svr__trail *x, const svr__trail *y, uint32_t hops)
{
    return x->hops >= hops &&
           memcmp(x->edges, y->edges, hops * sizeof(*x->edges)) == 0;
}

/* The set of vectors that part from a trail behind so many hops, without those
 * that are ranked. */
static svr__start parting(const svr__ranking *r, const svr__trail *trail,
                          uint32_t hops)
{
    svr__start start = {
        .edges = trail->edges, .hops = hops, .banned = r->banned};

    for (uint32_t i = 0; i < r->ranked_count; i++) {
        const svr__trail *other = &r->ranked[i];
        if (!begins_like(other, trail, hops))
            continue;
        if (other->hops == hops)
            start.end_banned = true;
        else
            r->banned[start.banned_count++] = other->edges[hops];
    }
    return start;
}

static uint32_t worst_candidate(const svr__ranking *r)
{
    uint32_t worst = 0;

    for (uint32_t i = 1; i < r->candidate_count; i++)
        if (is_better(&r->search, &r->candidates[worst], &r->candidates[i]))
            worst = i;
    return worst;
}

/* Keeps the best vector of a set as a candidate. ranked has a place to spare
 * that serves as room for it. */
static void consider(svr__ranking *r, svr__start *start)
{
    svr__trail *spare = &r->ranked[r->ranked_count], *worst = NULL;
    uint32_t label;

    if (r->candidate_count == r->count - r->ranked_count) {
        worst = &r->candidates[worst_candidate(r)];
        start->most = &worst->total;
    }
    label = svr__search_run(&r->search, start);
    if (label == SVR_PATH_NONE)
        return;
    svr__trail_take(&r->search, start, label, spare);
    if (!worst)
        svr__trail_swap(spare, &r->candidates[r->candidate_count++]);
    else if (is_better(&r->search, spare, worst))
        svr__trail_swap(spare, worst);
}

static void rank_next(svr__ranking *r)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < r->candidate_count; i++)
        if (is_better(&r->search, &r->candidates[i], &r->candidates[best]))
            best = i;
    svr__trail_swap(&r->ranked[r->ranked_count++], &r->candidates[best]);
    svr__trail_swap(&r->candidates[best], &r->candidates[--r->candidate_count]);
}

void svr__rank(svr__ranking *r)
{
    svr__start first = {.edges = r->banned};

    r->ranked_count = r->candidate_count = 0;
    consider(r, &first);
    while (r->candidate_count > 0) {
        const svr__trail *last = &r->ranked[r->ranked_count];
        rank_next(r);
        if (r->ranked_count == r->count)
            return;
        for (uint32_t i = last->parting; i <= last->hops; i++) {
            svr__start start = parting(r, last, i);
            consider(r, &start);
        }
    }
}
