#include <criterion/criterion.h>

#include "base/sort.h"
#include "support.h"

#define MOST 300

/* Three bytes, so that no element but the first is aligned. */
typedef struct element {
    uint8_t key, id[2];
} element;

static int by_key(const void *a, const void *b, const void *context)
{
    int sign = *(const int *)context;
    return sign * (((const element *)a)->key - ((const element *)b)->key);
}

static unsigned id_of(const element *e)
{
    return e->id[0] * 256u + e->id[1];
}

static void check(size_t count, uint32_t keys, int sign, uint64_t seed)
{
    element array[MOST + 1];
    uint8_t key[MOST];
    bool found[MOST] = {false};
    for (size_t i = 0; i < count; i++) {
        key[i] = (uint8_t)test_below(&seed, keys);
        array[i] = (element){key[i], {(uint8_t)(i / 256), (uint8_t)i}};
    }
    array[count] = (element){1, {2, 3}};
    svr__sort(array, count, sizeof(element), by_key, &sign);

    for (size_t i = 0; i < count; i++) {
        unsigned id = id_of(&array[i]);
        cr_assert(i == 0 || by_key(&array[i - 1], &array[i], &sign) <= 0);
        cr_assert_eq(array[i].key, key[id], "elements stay whole");
        cr_assert_not(found[id], "and none is lost");
        found[id] = true;
    }
    cr_assert_eq(id_of(&array[count]), 0x203, "nothing behind is touched");
}

Test(sort, orders_arrays_of_every_length)
{
    for (size_t count = 0; count <= MOST; count++) {
        check(count, 256, 1, count);
        check(count, 256, -1, count);
        check(count, 3, 1, count);
        check(count, 1, 1, count);
    }
}

static int by_value(const void *a, const void *b, const void *context)
{
    (void)context;
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

Test(sort, orders_what_is_in_order_or_reversed)
{
    int up[MOST], down[MOST];
    for (int i = 0; i < MOST; i++) {
        up[i] = i;
        down[i] = MOST - 1 - i;
    }
    svr__sort(up, MOST, sizeof(int), by_value, NULL);
    svr__sort(down, MOST, sizeof(int), by_value, NULL);
    for (int i = 0; i < MOST; i++) {
        cr_assert_eq(up[i], i);
        cr_assert_eq(down[i], i);
    }
}
