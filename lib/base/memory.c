#include "base/memory.h"

#include <string.h>

/* The allocator is never asked for nothing: its answer could be NULL. */
static size_t array_len(size_t count, size_t size)
{
    return count && size ? count * size : 1;
}

void *svr__reserve(const svr_allocator *a, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    return a->alloc(a->user, array_len(count, size));
}

void *svr__alloc(const svr_allocator *a, size_t count, size_t size)
{
    void *ptr = svr__reserve(a, count, size);
    if (ptr)
        memset(ptr, 0, array_len(count, size));
    return ptr;
}

void svr__free(const svr_allocator *a, void *ptr, size_t count, size_t size)
{
    if (ptr)
        a->free(a->user, ptr, array_len(count, size));
}
