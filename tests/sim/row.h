/*
 * row.h - one fault of a link at a time, under a policy: the rows of the table
 * in docs/verification.md.
 *
 * Sessions go from router 0 to router 1, which are joined by west (5 ms) and
 * east (10 ms), and by way of router 2 (12 ms). Something happens to west; what
 * each row says must hold, and all that holds in every plan.
 */
#ifndef SIM_ROW_H
#define SIM_ROW_H

#include "fault.h"
#include "topology.h"

struct row {
    const char *name, *text;
    struct path_policy policy;
    enum fault_kind kind;
    uint64_t size;
    svr_time spread; /* of delays */
    svr_time length;
    unsigned interval_ms; /* of BFD, three times */
    svr_time gap;         /* after it has begun nothing is lost any more */
    unsigned moves; /* of one session, at most; with a hold-down between */
    bool goes_down; /* a pathway, to be found at both ends in time */
};

enum { ROWS = 8 };
extern const struct row rows[ROWS];

void row_make(struct topology *t, struct prng *p, const struct row *row);
/* The fault, and its excuses. Returns when all is over. */
svr_time row_plan(struct world *w);

#endif
