/*
 * heap.h - a heap of numbered items, smallest key first, whose items know their
 * place: a key can be lowered and an item taken out.
 *
 * Four children for each: fewer steps down than with two, within one or two
 * cache lines.
 */
#ifndef SVR__PATH_HEAP_H
#define SVR__PATH_HEAP_H

#include <svr/base.h>

/* Two words, the first one weighs more. */
typedef struct svr__key {
    uint64_t a, b;
} svr__key;

#define SVR__KEY_FAR ((svr__key){UINT64_MAX, UINT64_MAX})

static inline bool svr__key_less(svr__key x, svr__key y)
{
    return x.a < y.a || (x.a == y.a && x.b < y.b);
}

static inline bool svr__key_equal(svr__key x, svr__key y)
{
    return x.a == y.a && x.b == y.b;
}

static inline svr__key svr__key_sum(svr__key x, svr__key y)
{
    return (svr__key){x.a + y.a, x.b + y.b};
}

typedef struct svr__path_entry {
    svr__key key;
    uint32_t item;
} svr__path_entry;

typedef struct svr__path_heap {
    svr__path_entry *entries;
    uint32_t *place; /* of each item; any value while it is not in the heap */
    uint32_t count;
    /* Whether x comes before y where their keys are equal; NULL: it does not
     * matter. */
    bool (*before)(const void *context, uint32_t x, uint32_t y);
    const void *context;
} svr__path_heap;

static inline bool svr__path_heap_has(const svr__path_heap *h, uint32_t item)
{
    uint32_t i = h->place[item];

    return i < h->count && h->entries[i].item == item;
}

/* Adds an item, or gives one that is there a lower key. */
void svr__path_heap_lower(svr__path_heap *h, uint32_t item, svr__key key);
/* Takes out an item that is there. */
void svr__path_heap_remove(svr__path_heap *h, uint32_t item);
/* Takes out the first; there is one. */
svr__path_entry svr__path_heap_pop(svr__path_heap *h);

#endif
