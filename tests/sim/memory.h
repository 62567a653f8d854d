/*
 * memory.h - memory of the simulator itself, which ends the program where there
 * is none, and the memory that it gives to a node, which it counts.
 */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <svr/base.h>

/* Never NULL; the first is cleared. */
void *memory_new(size_t count, size_t size);
void *memory_grow(void *old, size_t len);

/* What a node has not given back. */
struct account {
    size_t blocks, bytes;
    size_t wrong; /* freed with another length than was asked for */
};

svr_allocator account_allocator(struct account *a);

#endif
