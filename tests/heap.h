/* heap.h - malloc as the memory that the library is given: for tests, fuzz
 * targets and benches that have no use for counting (support.h). */
#ifndef SVR_TESTS_HEAP_H
#define SVR_TESTS_HEAP_H

#include <stdlib.h>
#include <svr/base.h>

static inline void *heap_alloc(void *user, size_t len)
{
    (void)user;
    return malloc(len);
}

static inline void heap_free(void *user, void *ptr, size_t len)
{
    (void)user;
    (void)len;
    free(ptr);
}

#define HEAP ((svr_allocator){heap_alloc, heap_free, NULL})

#endif
