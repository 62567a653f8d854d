#include "memory.h"

#include <stdio.h>
#include <stdlib.h>

static void *given(void *ptr)
{
    if (ptr)
        return ptr;
    fputs("sim: no memory\n", stderr);
    exit(1);
}

void *memory_new(size_t count, size_t size)
{
    return given(calloc(count ? count : 1, size));
}

void *memory_grow(void *old, size_t len)
{
    return given(realloc(old, len));
}

/* In front of each block of a node; as wide as the strictest alignment. */
union front {
    size_t len;
    max_align_t align;
};

static void *account_alloc(void *user, size_t len)
{
    struct account *a = user;
    union front *f = given(malloc(sizeof(*f) + len));

    f->len = len;
    a->blocks++;
    a->bytes += len;
    return f + 1;
}

static void account_free(void *user, void *ptr, size_t len)
{
    struct account *a = user;
    union front *f = (union front *)ptr - 1;

    a->wrong += f->len != len;
    a->blocks--;
    a->bytes -= f->len;
    free(f);
}

svr_allocator account_allocator(struct account *a)
{
    return (svr_allocator){account_alloc, account_free, a};
}
