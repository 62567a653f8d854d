/*
 * mesh.h - networks for vectors: many routers with several ways between any two
 * of them, and services whose policies choose among these (S16.2).
 *
 * A ring, an eighth of whose joints are double, and chords across it. Each
 * pathway has one of three vector names, a cost and a delay; the ring has no
 * LTE, so that there is a way without it.
 */
#ifndef SIM_MESH_H
#define SIM_MESH_H

#include "topology.h"

enum mesh_vector { MESH_MPLS, MESH_INTERNET, MESH_LTE, MESH_VECTORS };

extern const char *const mesh_vectors[MESH_VECTORS];

/* The lanes of t, and where its services are. */
void mesh_make(struct topology *t, struct prng *p);
/* One of the routers that have services. */
uint16_t mesh_draw_server(const struct topology *t, struct prng *p);

#endif
