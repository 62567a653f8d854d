/*
 * load.h - which sessions a run has, and when.
 */
#ifndef SIM_LOAD_H
#define SIM_LOAD_H

#include <svr/base.h>

struct world;

struct load {
    size_t left;    /* sessions that have not begun */
    svr_time until; /* by then they have all begun */
    svr_time over;  /* and by then they stop talking */
    bool stay;      /* all of them talk until then */
    unsigned pace;  /* times that hosts think between words, 1: seconds */
};

/* Plans sessions and faults from now on. */
void load_begin(struct world *w);

#endif
