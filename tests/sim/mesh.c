#include "mesh.h"

#include <assert.h>

const char *const mesh_vectors[MESH_VECTORS] = {"mpls", "internet", "lte"};

#define RANKS(lte)                            \
    "vectors: [{ name: mpls, priority: 1 }, " \
    "{ name: internet, priority: 2 }, "       \
    "{ name: lte, priority: " lte " }]"
enum {
    POLICIES = 5,
    SERVERS = 2 * POLICIES,
    DOUBLE_PPM = 125000,
    COST_MOST = 3,
};

/* Where one limit is given, the others have their defaults. */
static const struct path_policy policies[POLICIES] = {
    {"best-path: latency, max-latency: 150ms, ", false, 150 * SVR_MILLISECOND,
     true, false},
    {"best-path: latency, ", true, 0, false, false},
    {"best-path: vector, " RANKS("never") ", ", false, 0, false, true},
    {"best-path: vector, " RANKS("3") ", max-latency: 200ms, ", true,
     200 * SVR_MILLISECOND, true, false},
    {"best-path: mos, max-loss: 1%, ", true, 250 * SVR_MILLISECOND, true,
     false},
};

static void join(struct topology *t, struct prng *p, size_t a, size_t b,
                 bool lte)
{
    struct lane *l;

    topology_join(t, p, a, b);
    l = &t->lanes[t->lane_count - 1];
    l->vector = (uint8_t)prng_below(p, lte ? MESH_VECTORS : MESH_LTE);
    l->cost = (uint8_t)prng_below(p, COST_MOST + 1);
    t->segments[l->segment].delay = prng_between(p, 1, 12) * SVR_MILLISECOND;
}

static bool are_joined(const struct topology *t, size_t a, size_t b)
{
    for (size_t i = 0; i < t->lane_count; i++)
        if ((t->lanes[i].router[0] == a && t->lanes[i].router[1] == b) ||
            (t->lanes[i].router[0] == b && t->lanes[i].router[1] == a))
            return true;
    return false;
}

void mesh_make(struct topology *t, struct prng *p)
{
    size_t count = t->site_count;
    size_t step = count / SERVERS ? count / SERVERS : 1;

    assert(count >= SERVERS); /* else there is no room for chords */
    t->policies = policies;
    t->policy_count = POLICIES;
    for (size_t i = 0; i < count; i++) {
        join(t, p, i, (i + 1) % count, false);
        if (prng_chance(p, DOUBLE_PPM))
            join(t, p, i, (i + 1) % count, false);
    }
    while (t->lane_count < 2 * count) {
        size_t a = prng_below(p, count), b = prng_below(p, count);
        if (a != b && !are_joined(t, a, b))
            join(t, p, a, b, true);
    }
    for (size_t i = 0; i + step <= count; i += step)
        t->sites[i + prng_below(p, step)].serves = true;
}

uint16_t mesh_draw_server(const struct topology *t, struct prng *p)
{
    size_t i;

    do
        i = prng_below(p, t->site_count);
    while (!t->sites[i].serves);
    return (uint16_t)i;
}
