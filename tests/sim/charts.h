/* charts.h - what routers know of the network (S14.3, S16.1). */
#ifndef SIM_CHARTS_H
#define SIM_CHARTS_H

#include <stdbool.h>

struct world;

/* It is quiet and all pathways are up: each router must know that of all. */
void charts_check(struct world *w);
/* Whether all routers that are joined to most others know of each pathway there
 * whether it is up, and the same figures; tell: fails the world with what is
 * wrong. */
bool charts_agree(struct world *w, bool tell);

#endif
