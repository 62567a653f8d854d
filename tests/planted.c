/*
 * planted - faults that the sanitizers must find. tests/run runs each and fails
 * if no report comes: Criterion alone lets a leak pass.
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>

static void *volatile kept;
static volatile int size = 16;

Test(planted, leak)
{
    kept = malloc((size_t)size);
    kept = NULL;
}

Test(planted, overflow)
{
    volatile char *buf = malloc((size_t)size);
    cr_assert(buf);
    buf[size] = 1;
    free((void *)buf);
}

Test(planted, undefined)
{
    volatile int big = INT_MAX;
    big += size;
    cr_assert_neq(big, 0);
}
