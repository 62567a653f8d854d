/*
 * lanes.h - what the routers think of their pathways, and whether they are
 * right.
 *
 * A pathway goes down when something has cut it and never else; it does so in
 * time; and it comes up when that is over.
 */
#ifndef SIM_LANES_H
#define SIM_LANES_H

#include "fault.h"
#include "queue.h"

#include <svr/node.h>

struct world;
struct router;

/* Whether each end of each lane is up: [2 * lane + end]. */
struct lanes {
    bool *up;
};

void lanes_open(struct world *w);
void lanes_free(struct world *w);
/* The router is there or gone. */
void lanes_forget(struct world *w, const struct router *r);
/* It has told of a pathway. */
void lanes_event(struct world *w, const struct router *r,
                 const svr_node_pathway *p);

/* At these times of a fault that cuts lines. */
void lanes_check_down(struct world *w, const struct fault *f);
void lanes_check_up(struct world *w, uint64_t elements);

#endif
