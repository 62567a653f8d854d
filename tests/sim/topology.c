#include "topology.h"

#include "memory.h"
#include "mesh.h"
#include "row.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Making one */

static uint16_t add_segment(struct topology *t, struct prng *p)
{
    t->segments =
        memory_grow(t->segments, (t->segment_count + 1) * sizeof(*t->segments));
    bool v6 = prng_chance(p, 300000);
    svr_time delay = prng_between(p, 1, 40) * SVR_MILLISECOND;
    t->segments[t->segment_count] =
        (struct segment_plan){.v6 = v6, .delay = delay};
    return (uint16_t)t->segment_count++;
}

static uint16_t add_port(struct topology *t, size_t router, uint16_t segment)
{
    struct site *s = &t->sites[router];

    assert(s->port_count < TOPOLOGY_PORTS);
    s->ports[s->port_count] = (struct port_plan){
        .segment = segment,
        .station = ++t->segments[segment].stations,
    };
    return s->port_count++;
}

static void add_lane(struct topology *t, struct prng *p, size_t a, size_t b,
                     uint16_t port_a, uint16_t port_b)
{
    struct lane lane = {
        .router = {(uint16_t)a, (uint16_t)b},
        .port = {port_a, port_b},
        .segment = t->sites[a].ports[port_a].segment,
    };
    lane.per_packet = prng_chance(p, 500000);
    lane.timed = prng_chance(p, 500000);
    lane.masked[0] = prng_chance(p, 200000);
    lane.masked[1] = prng_chance(p, 200000);
    t->lanes = memory_grow(t->lanes, (t->lane_count + 1) * sizeof(*t->lanes));
    t->lanes[t->lane_count++] = lane;
}

/* A segment of their own, and a NAT before b in some. */
void topology_join(struct topology *t, struct prng *p, size_t a, size_t b)
{
    uint16_t segment = add_segment(t, p);
    uint16_t port_a = add_port(t, a, segment);
    uint16_t port_b = add_port(t, b, segment);

    add_lane(t, p, a, b, port_a, port_b);
    if (prng_chance(p, 200000) && !t->segments[segment].v6)
        t->sites[b].ports[port_b].nat = true;
}

static void join_often(struct topology *t, struct prng *p, size_t a, size_t b,
                       unsigned most)
{
    for (uint64_t n = prng_between(p, 1, most); n > 0; n--)
        topology_join(t, p, a, b);
}

static void make_hub(struct topology *t, struct prng *p)
{
    uint16_t segment = add_segment(t, p);
    uint16_t middle = add_port(t, 0, segment);

    for (size_t i = 1; i < t->site_count; i++)
        add_lane(t, p, 0, i, middle, add_port(t, i, segment));
}

static void make_shape(struct topology *t, struct prng *p)
{
    size_t last = t->site_count - 1;

    switch (t->shape) {
    case SHAPE_PAIR:
        join_often(t, p, 0, 1, 3);
        break;
    case SHAPE_ROW:
    case SHAPE_RING:
        for (size_t i = 0; i < last; i++)
            join_often(t, p, i, i + 1, 2);
        if (t->shape == SHAPE_RING)
            topology_join(t, p, last, 0);
        break;
    case SHAPE_STAR:
        for (size_t i = 1; i <= last; i++)
            join_often(t, p, 0, i, 2);
        break;
    case SHAPE_HUB:
        make_hub(t, p);
        break;
    case SHAPE_MESH:
        mesh_make(t, p);
        break;
    default:
        for (size_t i = 1; i <= last; i++)
            topology_join(t, p, (i - 1) / TREE_WIDTH, i);
        break;
    }
}

static size_t choose_size(struct topology *t, struct prng *p,
                          const struct topology_wish *wish)
{
    size_t count = wish->routers ? wish->routers : prng_between(p, 2, 6);

    if (wish->row || wish->link)
        count = 3;

    if (wish->row)
        t->shape = SHAPE_ROW;
    else if (wish->mesh)
        t->shape = SHAPE_MESH;
    else if (wish->link)
        t->shape = SHAPE_LINKS;
    else if (count > 16)
        t->shape = SHAPE_TREE;
    else if (count == 2)
        t->shape = SHAPE_PAIR;
    else
        t->shape = (enum shape)prng_between(p, SHAPE_ROW, SHAPE_HUB);
    return count;
}

static void choose_settings(struct topology *t, struct prng *p,
                            const struct topology_wish *wish)
{
    static const unsigned intervals[] = {100, 100, 300, 1000};
    static const unsigned holds[] = {0, 500, 2000};

    t->interval_ms = intervals[prng_below(p, 4)];
    t->multiplier = 3;
    t->hold_down_ms = holds[prng_below(p, 3)];
    for (int i = 0; i < TOPOLOGY_SERVICES; i++)
        t->moves[i] = prng_below(p, 2);
    t->returns = prng_below(p, 2);
    t->tcp_s = 60;
    t->udp_s = 40;
    t->sessions = wish->sessions > 4096 ? wish->sessions : 4096;
    if (wish->mesh) {
        t->interval_ms = prng_below(p, 2) ? 300 : 1000;
        t->hold_down_ms = prng_below(p, 2) ? 2000 : 5000;
        t->sessions = 1024;
    }
    if (!wish->quiet)
        return;
    t->interval_ms = 1000;
    t->tcp_s = 1900;
    t->udp_s = 180;
}

static void take_nats_away(struct topology *t)
{
    for (size_t i = 0; i < t->site_count; i++)
        for (size_t k = 0; k < t->sites[i].port_count; k++)
            t->sites[i].ports[k].nat = false;
}

static void sign_all(struct topology *t)
{
    for (size_t i = 0; i < t->lane_count; i++)
        t->lanes[i].per_packet = true;
}

void topology_make(struct topology *t, struct prng *p,
                   const struct topology_wish *wish)
{
    *t = (struct topology){0};
    t->site_count = choose_size(t, p, wish);
    t->sites = memory_new(t->site_count, sizeof(*t->sites));
    choose_settings(t, p, wish);
    if (wish->link)
        row_make(t, p, wish->link);
    else
        make_shape(t, p);
    t->cipher = wish->cipher;
    if (wish->cipher && strstr(wish->cipher, "cbc")) /* S11.4 */
        sign_all(t);
    /* S14.9: few pinholes at a time */
    if (wish->row || wish->mesh || wish->link || t->shape == SHAPE_TREE)
        take_nats_away(t);
}

void topology_free(struct topology *t)
{
    free(t->sites);
    free(t->segments);
    free(t->lanes);
    *t = (struct topology){0};
}

const struct path_policy *topology_policy(const struct topology *t,
                                          size_t router)
{
    size_t before = 0;

    for (size_t i = 0; i < router; i++)
        before += t->sites[i].serves;
    return &t->policies[before % t->policy_count];
}

/* What lies between */

enum { FAR = UINT16_MAX };

/* The distance of each router from `to`, in lanes. */
static uint16_t *distances(const struct topology *t, uint16_t to)
{
    uint16_t *far = memory_new(t->site_count, sizeof(*far));
    bool changed = true;

    memset(far, 0xff, t->site_count * sizeof(*far));
    far[to] = 0;
    while (changed) {
        changed = false;
        for (size_t i = 0; i < t->lane_count; i++) {
            const struct lane *l = &t->lanes[i];
            for (int end = 0; end < 2; end++) {
                uint16_t *mine = &far[l->router[end]];
                uint16_t other = far[l->router[!end]];
                if (other != FAR && other + 1 < *mine) {
                    *mine = (uint16_t)(other + 1);
                    changed = true;
                }
            }
        }
    }
    return far;
}

static bool has_nat(const struct topology *t, const struct lane *l, int end)
{
    return t->sites[l->router[end]].ports[l->port[end]].nat;
}

static size_t lanes_beside(const struct topology *t, const struct lane *l)
{
    size_t count = 0;

    for (size_t i = 0; i < t->lane_count; i++)
        count += t->lanes[i].router[0] == l->router[0] &&
                 t->lanes[i].router[1] == l->router[1];
    return count;
}

static void note_lane(const struct topology *t, struct route_facts *f,
                      const struct lane *l, int end)
{
    f->elements |= element_router(l->router[0]) | element_router(l->router[1]) |
                   element_segment(l->segment);
    f->delay += t->segments[l->segment].delay;
    f->per_packet &= l->per_packet;
    f->timed |= l->timed;
    f->masked |= l->masked[end];
    f->v6 |= t->segments[l->segment].v6;
    f->nat |= has_nat(t, l, 0) || has_nat(t, l, 1);
    f->twofold &= lanes_beside(t, l) > 1;
}

struct route_facts topology_route(const struct topology *t, uint16_t from,
                                  uint16_t to)
{
    struct route_facts f = {.per_packet = true, .twofold = true};
    uint16_t *far;
    bool *on;

    if (t->policies) /* it may be any way */
        return (struct route_facts){.elements = UINT64_MAX,
                                    .hops = 1,
                                    .delay = 200 * SVR_MILLISECOND,
                                    .timed = true};
    far = distances(t, to);
    on = memory_new(t->site_count, sizeof(*on));
    on[from] = true;
    f.hops = far[from];
    for (uint16_t left = far[from]; left > 0 && left != FAR; left--)
        for (size_t i = 0; i < t->lane_count; i++) {
            const struct lane *l = &t->lanes[i];
            for (int end = 0; end < 2; end++) {
                if (!on[l->router[end]] || far[l->router[end]] != left ||
                    far[l->router[!end]] + 1 != left)
                    continue;
                on[l->router[!end]] = true;
                note_lane(t, &f, l, end);
            }
        }
    free(far);
    free(on);
    return f;
}
