/* topology.h - the network as a router knows it, for people and for Graphviz.
 */
#ifndef SVR_ROUTER_SVRCTL_TOPOLOGY_H
#define SVR_ROUTER_SVRCTL_TOPOLOGY_H

#include <jansson.h>
#include <stdio.h>

/* data: the "data" of all answers, routers and directions of pathways. */
void topology_print(const json_t *data, FILE *out);

/* The same in the language of Graphviz: a pathway is one line between two
 * routers, green within 250 ms, 100 ms and 0.5 % (S16.2), orange beyond, red
 * where it is down; grey where nothing is known. */
void topology_dot(const json_t *data, FILE *out);

#endif
