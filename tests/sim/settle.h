/*
 * settle.h - a network in which nothing has changed for long: whether everybody
 * knows it as it is, and sessions go as their policies want.
 */
#ifndef SIM_SETTLE_H
#define SIM_SETTLE_H

struct world;

/* Fails the world unless all charts agree, and each session whose ends are
 * joined can be followed from router to router to its server's, by pathways
 * that are up and that its policy allows, within its limits where there is such
 * a way. */
void settle_check(struct world *w);

#endif
