/*
 * wire_lattice.h - packets with metadata whose six lengths are each right or
 * wrong in one of five ways: IP total, L4, header section, payload section,
 * one attribute, and what was captured.
 */
#ifndef WIRE_LATTICE_H
#define WIRE_LATTICE_H

#include <stdbool.h>

struct lattice {
    unsigned long packets, accepted;
};

/* Takes them all, each in a heap block of its exact size, from the IP header to
 * the payload section. False, with a message, at the first packet about which
 * the library and a short predicate of its own disagree. */
bool lattice_run(struct lattice *l);

#endif
