#include "path/search.h"

#include "base/mos.h"

/* Where more vectors follow, what is about the end serves many searches. */
enum { NEAR_ROOTS = 4, NEAR_ROOTS_MANY = 16 };

svr__label svr__label_begin(const svr__search *s)
{
    return (svr__label){.router = s->q->from,
                        .edge = SVR_PATH_NONE,
                        .parent = SVR_PATH_NONE,
                        .next = SVR_PATH_NONE};
}

svr__label svr__label_extend(const svr__search *s, const svr__label *l,
                             uint32_t edge)
{
    const svr_path_edge *e = &s->g.edges[edge];

    return (svr__label){
        .key = svr__key_sum(l->key, svr__edge_key(s, e)),
        .latency = l->latency + svr__figure(e->latency_us),
        .jitter = l->jitter + svr__figure(e->jitter_us),
        .attenuation =
            l->attenuation +
            (s->adds_loss && e->loss_ppm ? svr__attenuation(e->loss_ppm) : 0),
        .router = e->to,
        .edge = edge,
        .parent = SVR_PATH_NONE,
        .next = SVR_PATH_NONE,
    };
}

bool svr__edge_open(const svr__search *s, const svr_path_edge *e)
{
    const svr_path_query *q = s->q;

    if (svr__priority(e, q->priorities, q->priority_count) > s->rule.level)
        return false;
    if (s->rule.any)
        return true;
    return e->up && e->loss_ppm < SVR__PPM_ALL &&
           (!s->rule.room || svr__room(e->capacity, e->load) >= s->demand);
}

/* ---- what is better ---- */

/* What a vector of this delay and attenuation takes from the best rating, in
 * 1/40000 of a point; 2.5 points for each per cent of loss (S14.7). */
static uint64_t impairment(uint64_t delay, uint64_t attenuation)
{
    return (uint64_t)svr__mos_delay_cost(delay) +
           10 * (uint64_t)svr__attenuation_loss(attenuation);
}

static int compare(uint64_t x, uint64_t y)
{
    return (x > y) - (x < y);
}

static int compare_keys(svr__key x, svr__key y)
{
    return x.a != y.a ? compare(x.a, y.a) : compare(x.b, y.b);
}

int svr__label_compare(const svr__search *s, const svr__label *x,
                       const svr__label *y)
{
    uint64_t dx = svr__label_resource(x, SVR__DELAY);
    uint64_t dy = svr__label_resource(y, SVR__DELAY);
    int order = 0;

    if (s->q->criterion == SVR_PATH_MOS) {
        order = compare(impairment(dx, x->attenuation),
                        impairment(dy, y->attenuation));
        if (order == 0)
            order = compare(dx, dy);
        if (order == 0)
            order = compare(x->attenuation, y->attenuation);
    }
    return order ? order : compare_keys(x->key, y->key);
}

/* By names, from the end backwards, of two labels of one router and key. */
static int compare_names(const svr__search *s, uint32_t x, uint32_t y)
{
    while (x != y) {
        const svr__label *l = &s->labels[x], *m = &s->labels[y];
        if (l->edge != m->edge)
            return compare(s->g.in_place[l->edge], s->g.in_place[m->edge]);
        x = l->parent;
        y = m->parent;
    }
    return 0;
}

/* Among labels that promise the same: parents before children, so that a router
 * has heard of all ways of one length before it passes one on; and ends in the
 * order of names. */
static bool comes_before(const void *context, uint32_t x, uint32_t y)
{
    const svr__search *s = context;
    const svr__label *l = &s->labels[x], *m = &s->labels[y];
    int order = 0;

    if (s->q->criterion == SVR_PATH_MOS)
        order = compare(l->attenuation + s->far[SVR__LOSS][l->router].a,
                        m->attenuation + s->far[SVR__LOSS][m->router].a);
    if (order == 0)
        order = compare_keys(l->key, m->key);
    if (order == 0)
        order = compare(s->g.rank[l->router], s->g.rank[m->router]);
    if (order == 0)
        order = compare_names(s, x, y);
    return order < 0;
}

/* Whether, at one router, whatever begins with y is no better than the same
 * that begins with x. */
static bool covers(const svr__search *s, uint32_t x, uint32_t y)
{
    const svr__label *l = &s->labels[x], *m = &s->labels[y];
    bool same = true;

    if (s->q->criterion == SVR_PATH_MOS) {
        uint64_t dl = svr__label_resource(l, SVR__DELAY);
        uint64_t dm = svr__label_resource(m, SVR__DELAY);
        if (dl > dm || l->attenuation > m->attenuation)
            return false;
        same = dl == dm && l->attenuation == m->attenuation;
    }
    if (same) {
        int order = compare_keys(l->key, m->key);
        if (order > 0 || (order == 0 && compare_names(s, x, y) > 0))
            return false;
    }
    for (unsigned r = 0; r < SVR__RESOURCES; r++)
        if (s->counts >> r & 1 &&
            svr__label_resource(l, r) > svr__label_resource(m, r))
            return false;
    return true;
}

/* ---- limits ---- */

static void set_limit(svr__search *s, enum svr__resource r, uint64_t bound)
{
    s->limits |= 1u << r;
    s->bound[r] = bound;
    /* by latency the shortest is never worth less than a longer one */
    if (r != SVR__LATENCY || s->q->criterion != SVR_PATH_LATENCY)
        s->counts |= 1u << r;
}

static void set_limits(svr__search *s)
{
    const svr_path_query *q = s->q;

    s->limits = s->counts = 0;
    if (s->rule.any)
        return;
    if (q->max_hops != SVR_PATH_NO_LIMIT)
        set_limit(s, SVR__HOPS, q->max_hops);
    if (!s->rule.limits)
        return;
    if (q->max_latency_us != SVR_PATH_NO_LIMIT)
        set_limit(s, SVR__LATENCY, q->max_latency_us);
    if (q->max_jitter_us != SVR_PATH_NO_LIMIT)
        set_limit(s, SVR__JITTER, q->max_jitter_us);
    if (q->max_loss_ppm < SVR__PPM_ALL)
        set_limit(s, SVR__LOSS, svr__attenuation_max(q->max_loss_ppm));
}

static bool limits_mos(const svr__search *s)
{
    return s->rule.limits && !s->rule.any && s->q->min_mos > 1000;
}

static unsigned count_bits(unsigned x)
{
    unsigned n = 0;

    for (; x; x &= x - 1)
        n++;
    return n;
}

/* The routers about the end: as many as a search from the other side meets half
 * way in a network where each step leads to several times as many. */
static uint32_t near_enough(const svr__search *s)
{
    uint32_t root = 1;

    while (root * root < s->g.routers)
        root++;
    return (s->q->count > 1 ? NEAR_ROOTS_MANY : NEAR_ROOTS) * root;
}

void svr__search_prepare(svr__search *s, bool whole)
{
    bool mos = s->q->criterion == SVR_PATH_MOS;
    unsigned needed, table = 0;
    uint32_t most = whole ? UINT32_MAX : near_enough(s);
    const unsigned voice = 1u << SVR__DELAY | 1u << SVR__LOSS;

    set_limits(s);
    needed = s->limits;
    if (mos || limits_mos(s))
        needed |= voice;
    if (limits_mos(s))
        s->counts |= voice;
    if (mos)
        s->counts &= ~voice; /* they are the criterion */
    s->single = s->counts == 0 && !mos;
    s->bounded = count_bits(s->counts) > (mos ? 0 : 1);

    s->adds_loss = needed >> SVR__LOSS & 1;

    s->far_key = NULL;
    for (unsigned r = 0; r < SVR__RESOURCES; r++)
        s->far[r] = NULL;
    for (unsigned r = 0; r < SVR__RESOURCES; r++) {
        uint64_t bound = s->limits >> r & 1 ? s->bound[r] : UINT64_MAX;
        if (!(needed >> r & 1) ||
            (r == SVR__LATENCY && s->q->criterion == SVR_PATH_LATENCY))
            continue;
        svr__reach(s, r, bound, most, s->table[table]);
        s->far[r] = s->table[table++];
    }
    if (!mos) {
        svr__reach(s, SVR__RESOURCES, UINT64_MAX, most, s->table[table]);
        s->far_key = s->table[table];
        if (s->q->criterion == SVR_PATH_LATENCY)
            s->far[SVR__LATENCY] = s->far_key;
    }
}

/* ---- labels ---- */

static uint64_t distance(const svr__search *s, enum svr__resource r,
                         uint32_t router)
{
    return s->far[r] ? s->far[r][router].a : 0;
}

/* Whether a vector that begins so can still keep to the limits; and what it
 * comes to at best. */
static bool is_hopeful(const svr__search *s, const svr__label *l,
                       svr__key *promise)
{
    uint64_t delay = 0, attenuation = 0;
    bool mos = s->q->criterion == SVR_PATH_MOS;

    for (unsigned r = 0; r < SVR__RESOURCES; r++) {
        uint64_t far = distance(s, r, l->router);
        if (far == UINT64_MAX ||
            (s->limits >> r & 1 &&
             svr__label_resource(l, r) + far > s->bound[r]))
            return false;
    }
    if (mos || limits_mos(s)) {
        delay = svr__label_resource(l, SVR__DELAY) +
                distance(s, SVR__DELAY, l->router);
        attenuation = l->attenuation + distance(s, SVR__LOSS, l->router);
    }
    if (limits_mos(s) &&
        svr__mos(delay, svr__attenuation_loss(attenuation)) < s->q->min_mos)
        return false;
    if (mos) {
        *promise = (svr__key){impairment(delay, attenuation), delay};
        return true;
    }
    *promise = l->key;
    if (s->far_key) {
        if (s->far_key[l->router].a == UINT64_MAX)
            return false;
        *promise = svr__key_sum(l->key, s->far_key[l->router]);
    }
    return true;
}

/* With one label for each router it has the router's number. Its last edge
 * decides between equal ones: before that, there is only one way to come. */
static bool is_behind(const svr__search *s, uint32_t edge, svr__key key)
{
    uint32_t to = s->g.edges[edge].to;
    const svr__label *l = &s->labels[to];

    if (s->router[to].stamp != s->stamp)
        return false;
    if (svr__key_equal(l->key, key))
        return s->g.in_place[edge] > s->g.in_place[l->edge];
    return svr__key_less(l->key, key);
}

static void add_single(svr__search *s, const svr__label *l)
{
    svr__key promise;

    if (!is_hopeful(s, l, &promise) || svr__key_less(s->most, promise))
        return;
    s->looked++;
    s->labels[l->router] = *l;
    s->router[l->router].stamp = s->stamp;
    svr__path_heap_lower(&s->heap, l->router, promise);
}

static uint32_t take_label(svr__search *s)
{
    uint32_t i = s->free;

    if (i != SVR_PATH_NONE)
        s->free = s->labels[i].next;
    else if (s->label_count < s->label_cap)
        i = s->label_count++;
    return i;
}

static void free_label(svr__search *s, uint32_t i)
{
    s->labels[i].next = s->free;
    s->free = i;
}

/* Takes out those of a router that a new label covers. */
static void drop_covered(svr__search *s, svr__router *router, uint32_t by)
{
    uint32_t *link = &router->first;

    while (*link != SVR_PATH_NONE) {
        uint32_t i = *link;
        if (svr__path_heap_has(&s->heap, i) && covers(s, by, i)) {
            *link = s->labels[i].next;
            svr__path_heap_remove(&s->heap, i);
            free_label(s, i);
            router->held--;
        } else {
            link = &s->labels[i].next;
        }
    }
}

static bool is_covered(const svr__search *s, const svr__router *router,
                       uint32_t label)
{
    for (uint32_t i = router->first; i != SVR_PATH_NONE; i = s->labels[i].next)
        if (covers(s, i, label))
            return true;
    return false;
}

static svr__router *router_of(svr__search *s, uint32_t r)
{
    svr__router *router = &s->router[r];

    if (router->stamp != s->stamp) {
        router->stamp = s->stamp;
        router->first = SVR_PATH_NONE;
        router->held = 0;
    }
    return router;
}

static void add_label(svr__search *s, const svr__label *l)
{
    svr__router *router = router_of(s, l->router);
    svr__key promise;
    uint32_t i;

    if (!is_hopeful(s, l, &promise) || svr__key_less(s->most, promise))
        return;
    s->looked++;
    i = take_label(s);
    if (i == SVR_PATH_NONE) {
        s->cut = true;
        return;
    }
    s->labels[i] = *l;
    if (is_covered(s, router, i)) {
        free_label(s, i);
        return;
    }
    drop_covered(s, router, i);
    if (s->bounded && router->held >= s->per_router) {
        s->cut = true;
        free_label(s, i);
        return;
    }
    s->labels[i].next = router->first;
    router->first = i;
    router->held++;
    svr__path_heap_lower(&s->heap, i, promise);
}

/* ---- the search ---- */

/* What a whole vector came to, as a promise. */
static svr__key promise_of(const svr__search *s, const svr__label *l)
{
    uint64_t delay = svr__label_resource(l, SVR__DELAY);

    if (s->q->criterion != SVR_PATH_MOS)
        return l->key;
    return (svr__key){impairment(delay, l->attenuation), delay};
}

static bool is_banned(const svr__start *start, uint32_t edge)
{
    for (size_t i = 0; i < start->banned_count; i++)
        if (start->banned[i] == edge)
            return true;
    return false;
}

static void expand(svr__search *s, uint32_t label, const svr__start *start)
{
    const svr__graph *g = &s->g;
    const svr__label from = s->labels[label];

    for (uint32_t i = g->out_first[from.router];
         i < g->out_first[from.router + 1]; i++) {
        uint32_t edge = g->out[i];
        const svr_path_edge *e = &g->edges[edge];
        uint32_t closed = s->router[e->to].closed;
        svr__label l;
        if (closed == s->stamp || closed == SVR__CLOSED ||
            (s->single &&
             is_behind(s, edge, svr__key_sum(from.key, svr__edge_key(s, e)))) ||
            (s->q->disjoint && s->link_closed[e->link]) ||
            !svr__edge_open(s, e) ||
            (from.parent == SVR_PATH_NONE && is_banned(start, edge)))
            continue;
        l = svr__label_extend(s, &from, edge);
        l.parent = label;
        s->add(s, &l);
    }
}

uint32_t svr__search_run(svr__search *s, const svr__start *start)
{
    svr__label l = svr__label_begin(s);

    s->stamp++;
    s->label_count = 0;
    s->free = SVR_PATH_NONE;
    s->heap.count = 0;
    s->heap.before = comes_before;
    s->heap.context = s;
    for (uint32_t i = 0; i < start->hops; i++) {
        s->router[l.router].closed = s->stamp;
        l = svr__label_extend(s, &l, start->edges[i]);
    }
    l.edge = SVR_PATH_NONE;
    s->most = start->most ? promise_of(s, start->most) : SVR__KEY_FAR;
    s->add = s->single ? add_single : add_label;
    s->add(s, &l);
    while (s->heap.count > 0) {
        uint32_t first = svr__path_heap_pop(&s->heap).item;
        bool begun = s->labels[first].parent != SVR_PATH_NONE;
        if (s->target[s->labels[first].router] && (begun || !start->end_banned))
            return first;
        expand(s, first, start);
    }
    return SVR_PATH_NONE;
}
