/*
 * map.h - an index from hashes to items.
 *
 * Open addressing with linear probing over slots of 8 bytes: the low 32 bits
 * of the hash and the item. Keys are not stored; the caller compares them for
 * each item that a search offers. The hash must be one that a stranger cannot
 * aim (svr_hash). Several items may stand under one hash, and one item under
 * several hashes.
 */
#ifndef SVR__MAP_H
#define SVR__MAP_H

#include <svr/base.h>

/* No item; also the one number that an item cannot have. */
#define SVR__MAP_NONE UINT32_MAX

/* The most entries that a map can be made for. */
#define SVR__MAP_CAP_MAX ((uint32_t)1 << 30)

typedef struct svr__map {
    uint64_t *slots; /* hash << 32 | item + 1; 0: empty */
    uint32_t mask;   /* number of slots - 1 */
    uint32_t count, cap;
    svr_allocator alloc;
} svr__map;

/* Makes room for cap entries, once. 0, or SVR_ERR_NO_MEMORY, or ARGUMENT where
 * cap passes SVR__MAP_CAP_MAX. */
int svr__map_init(svr__map *m, uint32_t cap, const svr_allocator *alloc);
void svr__map_fini(svr__map *m);

/* Adds an entry; the caller has made sure that it is not there yet. 0, or
 * SVR_ERR_FULL. */
int svr__map_insert(svr__map *m, uint64_t hash, uint32_t item);

/* Removes an entry; false if there is none. Searches under way end here. */
bool svr__map_remove(svr__map *m, uint64_t hash, uint32_t item);

/* The item at or behind position *iter that may have this hash. */
static inline uint32_t svr__map_scan(const svr__map *m, uint64_t hash,
                                     uint32_t *iter)
{
    for (uint32_t i = *iter;; i = (i + 1) & m->mask) {
        uint64_t slot = m->slots[i];
        if (slot == 0)
            return SVR__MAP_NONE;
        if (slot >> 32 == (uint32_t)hash) {
            *iter = i;
            return (uint32_t)slot - 1;
        }
    }
}

/*
 * The first and then each further item that stands under this hash, or
 * SVR__MAP_NONE. Items of another hash with the same low 32 bits are offered
 * too. *iter belongs to the search; once NONE was answered, the search is over.
 */
static inline uint32_t svr__map_find_first(const svr__map *m, uint64_t hash,
                                           uint32_t *iter)
{
    *iter = (uint32_t)hash & m->mask;
    return svr__map_scan(m, hash, iter);
}

static inline uint32_t svr__map_find_next(const svr__map *m, uint64_t hash,
                                          uint32_t *iter)
{
    *iter = (*iter + 1) & m->mask;
    return svr__map_scan(m, hash, iter);
}

/* Starts to bring the place of a hash into the cache. */
static inline void svr__map_prefetch(const svr__map *m, uint64_t hash)
{
#if defined(__GNUC__)
    __builtin_prefetch(&m->slots[(uint32_t)hash & m->mask]);
#else
    (void)m;
    (void)hash;
#endif
}

#endif
