/*
 * secrecy.h - in an encrypted network nobody between the routers reads what
 * hosts say, or who they are.
 */
#ifndef SIM_SECRECY_H
#define SIM_SECRECY_H

#include "buffer.h"

struct world;
struct station;

/* A packet of `from` is on its way between routers: fails the world where it
 * has content of hosts, or a context, in the clear. */
void secrecy_check(struct world *w, const struct station *from,
                   const struct buffer *b);

#endif
