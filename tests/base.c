#include <criterion/criterion.h>
#include <svr/base.h>
#include <svr/version.h>

#include "base/memory.h"
#include "support.h"

static svr_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return svr_addr_from_v4((uint8_t[]){a, b, c, d});
}

/* 16 bytes from a few: the first 8 and the last one. */
static svr_addr v6(uint64_t high, uint8_t last)
{
    uint8_t b[16] = {0};
    for (int i = 0; i < 8; i++)
        b[i] = (uint8_t)(high >> (56 - 8 * i));
    b[15] = last;
    return svr_addr_from_v6(b);
}

static const int errors[] = {
#define X(name, number, id, text) SVR_ERR_##name,
    SVR_ERR_MAP(X)
#undef X
};
#define ERRORS (sizeof(errors) / sizeof(errors[0]))

Test(base, version_is_the_headers)
{
    cr_assert_str_eq(svr_version(), SVR_VERSION);
}

Test(base, errors_have_numbers_names_and_texts_of_their_own)
{
    for (size_t i = 0; i < ERRORS; i++) {
        cr_assert_lt(errors[i], 0);
        cr_assert_str_neq(svr_strerror(errors[i]), "unknown error");
        cr_assert_str_neq(svr_err_name(errors[i]), "unknown");
        for (size_t j = 0; j < i; j++) {
            cr_assert_neq(errors[i], errors[j]);
            cr_assert_str_neq(svr_strerror(errors[i]), svr_strerror(errors[j]));
            cr_assert_str_neq(svr_err_name(errors[i]), svr_err_name(errors[j]));
        }
    }
}

Test(base, error_names_are_the_constants_in_lower_case)
{
    static const char *const upper[] = {
#define X(name, number, id, text) #name,
        SVR_ERR_MAP(X)
#undef X
    };
    for (size_t i = 0; i < ERRORS; i++) {
        const char *lower = svr_err_name(errors[i]);
        cr_assert_eq(strlen(lower), strlen(upper[i]));
        for (size_t c = 0; lower[c]; c++)
            cr_assert_eq(lower[c] == '_' ? '_' : lower[c] - 'a' + 'A',
                         upper[i][c]);
    }
}

Test(base, results_that_are_no_errors_have_texts_too)
{
    static const struct {
        int err;
        const char *text, *name;
    } table[] = {
        {0, "success", "unknown"},
        {1, "success", "unknown"},
        {INT32_MAX, "success", "unknown"},
        {-1000, "unknown error", "unknown"},
        {INT32_MIN, "unknown error", "unknown"},
        {SVR_ERR_NO_MEMORY, "the allocator refused", "no_memory"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        cr_assert_str_eq(svr_strerror(table[i].err), table[i].text);
        cr_assert_str_eq(svr_err_name(table[i].err), table[i].name);
    }
}

Test(base, addresses_know_their_family)
{
    svr_addr four = v4(10, 1, 2, 3);
    svr_addr six = v6(0x20010db800000000, 1);
    svr_addr none = SVR_ADDR_NONE;

    cr_assert(svr_addr_is_v4(&four));
    cr_assert_not(svr_addr_is_v4(&six));
    cr_assert_not(svr_addr_is_v4(&none));
    cr_assert(svr_addr_is_none(&none));
    cr_assert_not(svr_addr_is_none(&four));
    cr_assert_not(svr_addr_is_none(&six));

    static const uint8_t text[16] = {
        [10] = 0xff, [11] = 0xff, [12] = 10, [13] = 1, [14] = 2, [15] = 3};
    cr_assert_arr_eq(four.b, text, 16);
    svr_addr zero = v4(0, 0, 0, 0);
    cr_assert_not(svr_addr_is_none(&zero));
}

Test(base, every_byte_of_an_address_counts)
{
    svr_addr a = v6(0x20010db800000000, 1);
    for (size_t i = 0; i < sizeof(a.b); i++) {
        svr_addr b = a;
        cr_assert(svr_addr_equal(&a, &b));
        b.b[i] ^= 1;
        cr_assert_not(svr_addr_equal(&a, &b));
    }
}

Test(base, prefixes_by_table)
{
    static const uint64_t doc = 0x20010db800000000;
    const struct {
        svr_addr net;
        uint8_t len;
        svr_addr addr;
        bool contains;
    } table[] = {
        {v4(10, 0, 0, 0), 8, v4(10, 255, 255, 255), true},
        {v4(10, 0, 0, 0), 8, v4(11, 0, 0, 0), false},
        {v4(10, 0, 0, 0), 9, v4(10, 127, 0, 0), true},
        {v4(10, 0, 0, 0), 9, v4(10, 128, 0, 0), false},
        {v4(10, 0, 0, 7), 24, v4(10, 0, 0, 9), true}, /* host bits set */
        {v4(10, 0, 0, 7), 32, v4(10, 0, 0, 7), true},
        {v4(10, 0, 0, 7), 32, v4(10, 0, 0, 6), false},
        {v4(0, 0, 0, 0), 0, v4(255, 255, 255, 255), true},
        {v4(0, 0, 0, 0), 0, v6(doc, 1), false},
        {v4(10, 0, 0, 0), 33, v4(10, 0, 0, 0), false}, /* no such length */
        {v4(10, 0, 0, 0), 255, v4(10, 0, 0, 0), false},
        {v6(0, 0), 0, v6(doc, 1), true},
        {v6(0, 0), 0, v4(10, 0, 0, 1), false},
        {v6(0, 0), 96, v4(0, 0, 0, 1), false},
        {v6(doc, 0), 32, v6(doc + 0xffffffff, 9), true},
        {v6(doc, 0), 32, v6(doc + 0x100000000, 9), false},
        {v6(doc, 0), 127, v6(doc, 1), true},
        {v6(doc, 0), 127, v6(doc, 2), false},
        {v6(doc, 1), 128, v6(doc, 1), true},
        {v6(doc, 1), 128, v6(doc, 0), false},
        {v6(doc, 1), 129, v6(doc, 1), false},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        svr_prefix p = {table[i].net, table[i].len};
        cr_assert_eq(svr_prefix_contains(&p, &table[i].addr), table[i].contains,
                     "line %zu", i);
    }
}

static int bit_of(const svr_addr *a, unsigned bit)
{
    return a->b[bit / 8] >> (7 - bit % 8) & 1;
}

Test(base, prefixes_agree_with_a_comparison_bit_by_bit)
{
    uint64_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        bool four = round & 1;
        unsigned bits = four ? 32 : 128;
        uint8_t raw[16];
        test_fill(&seed, raw, sizeof(raw));
        raw[0] |= 1; /* never a mapped address */
        svr_addr net = four ? svr_addr_from_v4(raw) : svr_addr_from_v6(raw);
        svr_addr addr = net;
        unsigned flip = 128 - 1 - test_below(&seed, bits);
        addr.b[flip / 8] ^= (uint8_t)(0x80 >> flip % 8);

        svr_prefix p = {net, (uint8_t)test_below(&seed, bits + 1)};
        bool same = true;
        for (unsigned i = 0; i < p.len + (four ? 96u : 0u); i++)
            same &= bit_of(&net, i) == bit_of(&addr, i);
        cr_assert_eq(svr_prefix_contains(&p, &addr), same);
        cr_assert(svr_prefix_contains(&p, &net));
    }
}

Test(base, every_field_of_a_tuple_counts)
{
    const svr_tuple t = {v4(10, 0, 0, 1), v4(10, 0, 0, 2), 1000, 80,
                         SVR_PROTO_TCP};
    svr_tuple other[] = {t, t, t, t, t};
    other[0].src.b[15]++;
    other[1].dst.b[15]++;
    other[2].sport++;
    other[3].dport++;
    other[4].proto = SVR_PROTO_UDP;
    cr_assert(svr_tuple_equal(&t, &t));
    for (size_t i = 0; i < 5; i++) {
        cr_assert_not(svr_tuple_equal(&t, &other[i]));
        cr_assert_not(svr_tuple_equal(&other[i], &t));
    }
}

Test(base, reversing_a_tuple_exchanges_its_ends)
{
    const svr_tuple t = {v4(10, 0, 0, 1), v4(10, 0, 0, 2), 1000, 80,
                         SVR_PROTO_TCP};
    svr_tuple r = svr_tuple_reverse(&t);
    cr_assert(svr_addr_equal(&r.src, &t.dst));
    cr_assert(svr_addr_equal(&r.dst, &t.src));
    cr_assert_eq(r.sport, 80);
    cr_assert_eq(r.dport, 1000);
    cr_assert_eq(r.proto, SVR_PROTO_TCP);
    r = svr_tuple_reverse(&r);
    cr_assert(svr_tuple_equal(&r, &t));
}

Test(memory, arrays_are_zero_and_given_back_whole)
{
    test_memory memory = {0};
    svr_allocator alloc = test_allocator(&memory);
    uint32_t *a = svr__alloc(&alloc, 10, sizeof(*a));
    cr_assert_not_null(a);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(a[i], 0);
    cr_assert_eq(memory.bytes, 10 * sizeof(*a));
    svr__free(&alloc, a, 10, sizeof(*a));
    svr__free(&alloc, NULL, 10, sizeof(*a));
    cr_assert(test_memory_clean(&memory));
}

Test(memory, empty_arrays_are_not_null)
{
    test_memory memory = {0};
    svr_allocator alloc = test_allocator(&memory);
    void *a = svr__alloc(&alloc, 0, 8);
    void *b = svr__alloc(&alloc, 8, 0);
    cr_assert_not_null(a);
    cr_assert_not_null(b);
    cr_assert_eq(memory.bytes, 2, "and the allocator is never asked for none");
    svr__free(&alloc, a, 0, 8);
    svr__free(&alloc, b, 8, 0);
    cr_assert(test_memory_clean(&memory));
}

Test(memory, refuses_what_cannot_be)
{
    test_memory memory = {.fail_at = 1};
    svr_allocator alloc = test_allocator(&memory);
    cr_assert_null(svr__alloc(&alloc, 1, 1));
    memory = (test_memory){0};
    cr_assert_null(svr__alloc(&alloc, SIZE_MAX / 2 + 1, 2));
    cr_assert_null(svr__alloc(&alloc, 2, SIZE_MAX / 2 + 1));
    cr_assert_eq(memory.calls, 0);
}
