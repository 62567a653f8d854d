/*
 * arena.h - memory that is given back all at once.
 *
 * The budget bounds what a file can make the loader take: YAML aliases let a
 * short file stand for a very long one.
 */
#ifndef SVR_ROUTER_CONFIG_ARENA_H
#define SVR_ROUTER_CONFIG_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t left; /* bytes that may still be taken */
};

void arena_init(struct arena *a, size_t budget);
/* count elements of size bytes, all zero; not NULL for an empty array. NULL
 * where the budget or the system has no more. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* A copy, or NULL likewise. */
char *arena_text(struct arena *a, const char *text);
void arena_free(struct arena *a);

#endif
