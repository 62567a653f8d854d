#include "base/sort.h"

#include <stdint.h>

typedef struct heap {
    uint8_t *elements;
    size_t size;
    svr__compare *compare;
    const void *context;
} heap;

static uint8_t *element_at(const heap *h, size_t i)
{
    return h->elements + i * h->size;
}

static void swap(const heap *h, size_t a, size_t b)
{
    uint8_t *x = element_at(h, a);
    uint8_t *y = element_at(h, b);
    for (size_t i = 0; i < h->size; i++) {
        uint8_t t = x[i];
        x[i] = y[i];
        y[i] = t;
    }
}

static int compare_at(const heap *h, size_t a, size_t b)
{
    return h->compare(element_at(h, a), element_at(h, b), h->context);
}

/* Moves an element down until none of its children is above it. */
static void sift_down(const heap *h, size_t i, size_t count)
{
    for (size_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && compare_at(h, child, child + 1) < 0)
            child++;
        if (compare_at(h, i, child) >= 0)
            return;
        swap(h, i, child);
    }
}

void svr__sort(void *array, size_t count, size_t size, svr__compare *compare,
               const void *context)
{
    const heap h = {array, size, compare, context};
    for (size_t i = count / 2; i-- > 0;)
        sift_down(&h, i, count);
    for (size_t end = count; end-- > 1;) {
        swap(&h, 0, end);
        sift_down(&h, 0, end);
    }
}
