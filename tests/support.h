/*
 * support.h - what unit tests share: memory that fails when told to, and
 * repeatable random numbers.
 */
#ifndef SVR_TESTS_SUPPORT_H
#define SVR_TESTS_SUPPORT_H

#include <stdlib.h>
#include <string.h>
#include <svr/base.h>

/* An allocator that counts. fail_at 1 refuses the next allocation, 2 the one
 * after it, and so on; 0 refuses none. */
typedef struct test_memory {
    size_t live, bytes; /* what is not yet freed */
    size_t calls;
    size_t fail_at;
    size_t bad_frees; /* with another length than was asked for */
} test_memory;

/* In front of each block; as wide as the strictest alignment. */
typedef union test_block {
    size_t len;
    max_align_t align;
} test_block;

static inline void *test_memory_alloc(void *user, size_t len)
{
    test_memory *m = user;
    if (++m->calls == m->fail_at)
        return NULL;
    test_block *block = malloc(sizeof(*block) + len);
    if (!block)
        return NULL;
    block->len = len;
    m->live++;
    m->bytes += len;
    return memset(block + 1, 0xa5, len);
}

static inline void test_memory_free(void *user, void *ptr, size_t len)
{
    test_memory *m = user;
    test_block *block = (test_block *)ptr - 1;
    m->bad_frees += block->len != len;
    m->live--;
    m->bytes -= block->len;
    free(block);
}

static inline svr_allocator test_allocator(test_memory *m)
{
    return (svr_allocator){test_memory_alloc, test_memory_free, m};
}

/* Nothing is live, and every block was freed with its length. */
static inline bool test_memory_clean(const test_memory *m)
{
    return m->live == 0 && m->bytes == 0 && m->bad_frees == 0;
}

/* splitmix64: every seed, zero too, gives a good sequence. */
static inline uint64_t test_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static inline uint32_t test_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)((test_random(state) >> 32) * limit >> 32);
}

/* An svr_random that repeats; user points to the state. */
static inline void test_fill(void *user, void *buf, size_t len)
{
    uint8_t *out = buf;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)test_random(user);
}

#endif
