#include <criterion/criterion.h>

#include "base/map.h"
#include "support.h"

/* The stupid model: a list of pairs. */
typedef struct pair {
    uint64_t hash;
    uint32_t item;
} pair;

#define CAP 300

typedef struct fixture {
    test_memory memory;
    svr__map map;
    pair pairs[CAP];
    uint32_t count;
    uint64_t seed;
} fixture;

static void start(fixture *f, uint32_t cap, uint64_t seed)
{
    *f = (fixture){.seed = seed};
    svr_allocator alloc = test_allocator(&f->memory);
    cr_assert_eq(svr__map_init(&f->map, cap, &alloc), 0);
    cr_assert_eq(f->memory.calls, 1);
}

static void finish(fixture *f)
{
    cr_assert_eq(f->memory.calls, 1, "only creation allocates");
    svr__map_fini(&f->map);
    cr_assert(test_memory_clean(&f->memory));
}

/* How often a search for hash offers the item. */
static int offers(const svr__map *m, uint64_t hash, uint32_t item)
{
    int n = 0;
    uint32_t iter;
    for (uint32_t i = svr__map_find_first(m, hash, &iter); i != SVR__MAP_NONE;
         i = svr__map_find_next(m, hash, &iter))
        n += i == item;
    return n;
}

static int count_of(const fixture *f, uint64_t hash, uint32_t item)
{
    int n = 0;
    for (uint32_t i = 0; i < f->count; i++)
        n += (uint32_t)f->pairs[i].hash == (uint32_t)hash &&
             f->pairs[i].item == item;
    return n;
}

static void check_all(const fixture *f)
{
    cr_assert_eq(f->map.count, f->count);
    for (uint32_t i = 0; i < f->count; i++)
        cr_assert_eq(offers(&f->map, f->pairs[i].hash, f->pairs[i].item),
                     count_of(f, f->pairs[i].hash, f->pairs[i].item));
}

static void insert_random(fixture *f, uint64_t hash)
{
    uint32_t item = test_below(&f->seed, 1000);
    bool full = f->count == f->map.cap;
    if (count_of(f, hash, item))
        return;
    cr_assert_eq(svr__map_insert(&f->map, hash, item), full ? SVR_ERR_FULL : 0);
    if (!full)
        f->pairs[f->count++] = (pair){hash, item};
}

static void remove_random(fixture *f)
{
    if (!f->count)
        return;
    uint32_t i = test_below(&f->seed, f->count);
    pair p = f->pairs[i];
    cr_assert(svr__map_remove(&f->map, p.hash, p.item));
    f->pairs[i] = f->pairs[--f->count];
    cr_assert_eq(svr__map_remove(&f->map, p.hash, p.item), false);
}

/* Runs against the model with hashes cut by a mask, which decides how many
 * collide; weight of 16 operations are insertions. */
static void compare(uint32_t cap, uint64_t mask, uint32_t weight, uint64_t seed)
{
    fixture f;
    start(&f, cap, seed);
    for (int round = 0; round < 4000; round++) {
        uint64_t hash = test_random(&f.seed) & mask;
        if (test_below(&f.seed, 16) < weight)
            insert_random(&f, hash);
        else
            remove_random(&f);
        uint32_t item = test_below(&f.seed, 1000);
        cr_assert_eq(offers(&f.map, hash, item), count_of(&f, hash, item));
        if (round % 64 == 0)
            check_all(&f);
    }
    while (f.count) {
        remove_random(&f);
        check_all(&f);
    }
    for (size_t i = 0; i <= f.map.mask; i++)
        cr_assert_eq(f.map.slots[i], 0, "an empty map leaves no traces");
    finish(&f);
}

Test(map, agrees_with_a_list)
{
    for (uint64_t seed = 0; seed < 8; seed++)
        compare(CAP, UINT64_MAX, 9, seed);
}

Test(map, agrees_with_a_list_when_full)
{
    for (uint64_t seed = 10; seed < 14; seed++)
        compare(CAP / 3, UINT64_MAX, 14, seed);
}

Test(map, agrees_with_a_list_when_most_hashes_collide)
{
    for (uint64_t seed = 20; seed < 24; seed++)
        compare(64, 7, 9, seed);
}

/* Clusters that wrap around the end of the array. */
Test(map, agrees_with_a_list_at_the_end_of_the_array)
{
    fixture f;
    start(&f, 64, 30);
    for (int round = 0; round < 8000; round++) {
        if (test_below(&f.seed, 2))
            insert_random(&f, 120 + test_below(&f.seed, 12));
        else
            remove_random(&f);
        check_all(&f);
    }
    finish(&f);
}

Test(map, offers_all_items_of_one_hash)
{
    fixture f;
    start(&f, 10, 0);
    for (uint32_t i = 0; i < 10; i++)
        cr_assert_eq(svr__map_insert(&f.map, 5, i), 0);
    for (uint32_t i = 0; i < 10; i++)
        cr_assert_eq(offers(&f.map, 5, i), 1);
    cr_assert_eq(svr__map_insert(&f.map, 5, 10), SVR_ERR_FULL);
    finish(&f);
}

Test(map, tells_hashes_apart_that_share_a_home)
{
    fixture f;
    start(&f, 10, 0);
    cr_assert_eq(svr__map_insert(&f.map, 0x80000001, 1), 0);
    cr_assert_eq(svr__map_insert(&f.map, 0x00000001, 2), 0);
    cr_assert_eq(offers(&f.map, 0x80000001, 2), 0);
    cr_assert_eq(offers(&f.map, 0x00000001, 1), 0);
    cr_assert_not(svr__map_remove(&f.map, 0x80000001, 2));
    finish(&f);
}

Test(map, works_at_its_smallest)
{
    fixture f;
    start(&f, 0, 0);
    cr_assert_eq(svr__map_insert(&f.map, 1, 1), SVR_ERR_FULL);
    cr_assert_eq(offers(&f.map, 1, 1), 0);
    finish(&f);
    start(&f, 1, 0);
    cr_assert_eq(svr__map_insert(&f.map, UINT64_MAX, UINT32_MAX - 1), 0);
    cr_assert_eq(offers(&f.map, UINT64_MAX, UINT32_MAX - 1), 1);
    svr__map_prefetch(&f.map, UINT64_MAX);
    cr_assert(svr__map_remove(&f.map, UINT64_MAX, UINT32_MAX - 1));
    finish(&f);
}

Test(map, is_at_most_half_full)
{
    for (uint32_t cap = 1; cap < 3000; cap++) {
        fixture f;
        start(&f, cap, 0);
        uint64_t slots = (uint64_t)f.map.mask + 1;
        cr_assert_geq(slots, 2 * (uint64_t)cap);
        cr_assert_lt(slots, 4 * (uint64_t)cap + 1);
        cr_assert_eq(slots & f.map.mask, 0);
        finish(&f);
    }
}

Test(map, reports_what_it_cannot_get)
{
    test_memory memory = {.fail_at = 1};
    svr_allocator alloc = test_allocator(&memory);
    svr__map map = {.cap = 77};
    cr_assert_eq(svr__map_init(&map, 10, &alloc), SVR_ERR_NO_MEMORY);
    cr_assert_eq(svr__map_init(&map, SVR__MAP_CAP_MAX + 1, &alloc),
                 SVR_ERR_ARGUMENT);
    cr_assert_eq(map.cap, 77, "outputs stay as they were");
    cr_assert(test_memory_clean(&memory));
}
