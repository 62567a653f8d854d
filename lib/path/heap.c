#include "path/heap.h"

enum { CHILDREN = 4 };

static bool comes_before(const svr__path_heap *h, const svr__path_entry *x,
                         const svr__path_entry *y)
{
    if (x->key.a != y->key.a)
        return x->key.a < y->key.a;
    if (x->key.b != y->key.b)
        return x->key.b < y->key.b;
    return h->before && h->before(h->context, x->item, y->item);
}

static void put(svr__path_heap *h, uint32_t i, svr__path_entry e)
{
    h->entries[i] = e;
    h->place[e.item] = i;
}

static void sift_up(svr__path_heap *h, uint32_t i, svr__path_entry e)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / CHILDREN;
        if (!comes_before(h, &e, &h->entries[parent]))
            break;
        put(h, i, h->entries[parent]);
        i = parent;
    }
    put(h, i, e);
}

static void sift_down(svr__path_heap *h, uint32_t i, svr__path_entry e)
{
    for (uint32_t first; (first = CHILDREN * i + 1) < h->count;) {
        uint32_t end = first + CHILDREN, best = first;
        if (end > h->count)
            end = h->count;
        for (uint32_t c = first + 1; c < end; c++)
            if (comes_before(h, &h->entries[c], &h->entries[best]))
                best = c;
        if (!comes_before(h, &h->entries[best], &e))
            break;
        put(h, i, h->entries[best]);
        i = best;
    }
    put(h, i, e);
}

void svr__path_heap_lower(svr__path_heap *h, uint32_t item, svr__key key)
{
    uint32_t i = svr__path_heap_has(h, item) ? h->place[item] : h->count++;

    sift_up(h, i, (svr__path_entry){key, item});
}

void svr__path_heap_remove(svr__path_heap *h, uint32_t item)
{
    uint32_t i = h->place[item];
    svr__path_entry last = h->entries[--h->count];

    if (i == h->count)
        return;
    if (i > 0 && comes_before(h, &last, &h->entries[(i - 1) / CHILDREN]))
        sift_up(h, i, last);
    else
        sift_down(h, i, last);
}

svr__path_entry svr__path_heap_pop(svr__path_heap *h)
{
    svr__path_entry first = h->entries[0], last = h->entries[--h->count];

    if (h->count > 0)
        sift_down(h, 0, last);
    return first;
}
