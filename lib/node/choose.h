/*
 * choose.h - by which way sessions of a service go, where its policy has a
 * best_path (S16.2).
 *
 * The network as this router knows it stands in arrays for svr_path_find: own
 * pathways with what is measured of them, then those of the other routers. For
 * each route of such a service the best vector that begins with it is kept, and
 * the order in which routes are to be tried. That is computed again by the
 * first new session after a change, so that its cost does not grow with the
 * number of sessions; and of services that have sessions here, soon after it,
 * since these may have to move.
 *
 * A route *leaves* its limits as soon as its vector is beyond one, and comes
 * back when it has been a tenth better than each for SVR__LIMIT_HOLD. So what
 * swings about a limit moves sessions once (S17).
 */
#ifndef SVR_LIB_NODE_CHOOSE_H
#define SVR_LIB_NODE_CHOOSE_H

#include "session/table.h"

#include <svr/node.h>
#include <svr/path.h>

#define SVR__LIMIT_HOLD (30 * SVR_SECOND)

_Static_assert(SVR_WAY_COMING_MAX == SVR__PASSED_MAX,
               "what is told of a way is what is kept of it");

/* Vectors that are searched for at once, at most: one more than the service has
 * instances, so that loads decide among these. */
#define SVR__VECTORS 8

/* The best vector that begins with a route. */
typedef struct svr__way {
    svr_vector vector;                /* edges: NULL */
    uint16_t coming[SVR__PASSED_MAX]; /* the routers behind the next one */
    uint8_t coming_count;
    uint8_t rank; /* enum svr_way_rank */
    bool known;   /* else there is none */
    bool left;    /* it has left its limits */
    svr_time bad; /* when it was not a tenth better than them */
} svr__way;

/* What metadata said of an instance's load. */
typedef struct svr__load {
    svr_time at; /* when; 0: never */
    uint32_t load;
    uint32_t next; /* instance of the same service */
} svr__load;

typedef struct svr__choices {
    svr_topology topology;
    svr_path_edge *edges; /* of own pathways, then of links */
    svr_path_instance *instances;
    svr__load *loads;         /* by instance */
    uint32_t *first_instance; /* by service */
    const char **routers;
    void *index, *scratch;
    size_t index_len, scratch_len;
    uint16_t *priorities; /* by vector, of one policy at a time */
    size_t edge_count, instance_count, router_count, vector_count;
    bool *chosen;        /* by service: its policy has a best_path */
    uint64_t *made;      /* by service: the generation of its ways */
    svr__way *ways;      /* by route */
    uint32_t *order;     /* of a service's routes, in its range */
    size_t way_count;    /* 0: no service asks for any of this */
    uint64_t generation; /* of what is known */
    uint64_t figured;    /* of own pathways in edges */
    svr_time due;        /* services are to be looked at */
    size_t next;         /* the first of them */
    bool changed;        /* a pathway went up or down since that was done */
} svr__choices;

struct svr__session_plan;

/* Part of svr__setup_build and svr__setup_free; the edges of links have their
 * names by then. */
int svr__choices_init(svr_node *n, const svr_node_config *c);
int svr__choices_build(svr_node *n, const svr_node_config *c);
void svr__choices_free(svr_node *n);

static inline bool svr__is_chosen(const svr__choices *c, int service)
{
    return c->way_count > 0 && c->chosen[service];
}

/* A pathway has another state, or other figures; sessions are to move where
 * these say so. */
void svr__choices_state(svr_node *n);
void svr__choices_figures(svr_node *n, svr_time now);
/* When svr__choices_run has something to do. */
svr_time svr__choices_due(const svr_node *n);
void svr__choices_run(svr_node *n, svr_time now);

/* svr__plan_route for such a service. */
enum svr_drop svr__choose_route(svr_node *n, struct svr__session_plan *plan,
                                uint16_t avoid, svr_time now);
/* The place in `order` of what svr__choose_route would take first, or why there
 * is none; nothing changes. */
enum svr_drop svr__choose_peek(svr_node *n, int service, uint32_t *place,
                               svr_time now);
/* Whether a route has as many sessions as it should. */
bool svr__choose_is_full(const svr_node *n, uint32_t route, svr_time now);
/* The pathway to the same peer that the session should move to, and why; or
 * SVR__NO_PATHWAY: it stays. */
uint16_t svr__choose_move(svr_node *n, const svr__session *s,
                          enum svr_cause *cause, svr_time now);

/* By which other next router it should go, and why: side[SVR__SERVER] and
 * passed of the plan. False: it stays. */
bool svr__choose_other(svr_node *n, const svr__session *s,
                       struct svr__session_plan *plan, enum svr_cause *cause,
                       svr_time now);

/* The ways of a service, brought up to date. */
void svr__choose(svr_node *n, int service, svr_time now);
/* A query under its policy, from this router. */
void svr__choose_query(svr_node *n, int service, svr_path_query *q);

#endif
