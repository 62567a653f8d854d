/*
 * survey.h - what the network really is at a moment: which pathways can work,
 * and which routers they join.
 *
 * Two networks, since some policies never use LTE (mesh.h): the whole, and the
 * one without it.
 */
#ifndef SIM_SURVEY_H
#define SIM_SURVEY_H

#include "topology.h"

struct world;

struct survey {
    bool *up;          /* by lane */
    uint16_t *part[2]; /* by router: which part of the network it is in, of the
                          whole and without LTE */
    uint16_t main[2];  /* the part with the most routers */
};

void survey_take(struct survey *s, const struct world *w);
void survey_free(struct survey *s);
/* Whether the router can talk with most others. */
bool survey_has(const struct survey *s, size_t router, bool narrow);

/* The shortest delay between two routers over lanes that lose nothing, or
 * SVR_NEVER. */
svr_time survey_distance(const struct survey *s, const struct world *w,
                         uint16_t from, uint16_t to, bool narrow);
/* Of a lane, as half a round trip is. */
svr_time survey_delay(const struct world *w, size_t lane);
bool survey_loses(const struct world *w, size_t lane);

#endif
