/* charts.h - what routers know of the network (S14.3, S16.1). */
#ifndef SIM_CHARTS_H
#define SIM_CHARTS_H

struct world;

/* It is quiet and all pathways are up: each router must know that of all. */
void charts_check(struct world *w);

#endif
