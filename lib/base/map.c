#include "base/map.h"

#include <assert.h>

#include "base/memory.h"

/* The smallest power of two that is at most half full with cap entries, which
 * also leaves the empty slot that ends every search. */
static uint32_t slots_for(uint32_t cap)
{
    uint32_t slots = 2;
    while (slots / 2 < cap)
        slots *= 2;
    return slots;
}

static uint64_t make_slot(uint64_t hash, uint32_t item)
{
    return hash << 32 | (item + 1);
}

/* The place that an entry would have without collisions: the hash is in the
 * slot, so that entries can be moved without their keys. */
static uint32_t home_of(const svr__map *m, uint64_t slot)
{
    return (uint32_t)(slot >> 32) & m->mask;
}

int svr__map_init(svr__map *m, uint32_t cap, const svr_allocator *alloc)
{
    if (cap > SVR__MAP_CAP_MAX)
        return SVR_ERR_ARGUMENT;
    uint32_t slots = slots_for(cap);
    uint64_t *array = svr__alloc(alloc, slots, sizeof(*array));
    if (!array)
        return SVR_ERR_NO_MEMORY;
    *m = (svr__map){
        .slots = array, .mask = slots - 1, .cap = cap, .alloc = *alloc};
    return 0;
}

void svr__map_fini(svr__map *m)
{
    svr__free(&m->alloc, m->slots, (size_t)m->mask + 1, sizeof(*m->slots));
    m->slots = NULL;
}

int svr__map_insert(svr__map *m, uint64_t hash, uint32_t item)
{
    assert(item != SVR__MAP_NONE);
    if (m->count == m->cap)
        return SVR_ERR_FULL;
    uint32_t i = (uint32_t)hash & m->mask;
    while (m->slots[i] != 0)
        i = (i + 1) & m->mask;
    m->slots[i] = make_slot(hash, item);
    m->count++;
    return 0;
}

/* Empties a slot. Entries behind it move up if the hole lies between them and
 * their home, so that no search stops early and no markers are left. */
static void close_hole(svr__map *m, uint32_t hole)
{
    for (uint32_t i = (hole + 1) & m->mask; m->slots[i] != 0;
         i = (i + 1) & m->mask) {
        uint32_t home = home_of(m, m->slots[i]);
        if (((i - home) & m->mask) < ((i - hole) & m->mask))
            continue;
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole] = 0;
}

bool svr__map_remove(svr__map *m, uint64_t hash, uint32_t item)
{
    uint64_t wanted = make_slot(hash, item);
    for (uint32_t i = (uint32_t)hash & m->mask; m->slots[i] != 0;
         i = (i + 1) & m->mask) {
        if (m->slots[i] == wanted) {
            close_hole(m, i);
            m->count--;
            return true;
        }
    }
    return false;
}
