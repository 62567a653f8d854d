/* The window of copies (S17): edges, wrapping, and a model that remembers all.
 */
#include "session/copies.h"

#include "support.h"

#include <criterion/criterion.h>

/* Numbers as they arrive, and whether each is let through. */
Test(session_copies, edges)
{
    static const struct {
        uint32_t number;
        bool first;
    } rows[] = {
        {1000, true},  /* wherever the sender begins */
        {1000, false}, /* its copy */
        {999, true},   /* overtaken */
        {999, false},
        {937, true},  /* 63 behind: the window's last place */
        {936, false}, /* 64 behind */
        {1001, true},
        {938, true},   /* the window moved on by one */
        {937, false},  /* which came, and is too old now */
        {1065, true},  /* 64 ahead: all before is forgotten but the edge */
        {1001, false}, /* 64 behind */
        {1002, true},
        {5000, true}, /* far ahead */
        {4937, true},
        {1065, false},
        {0xfffffff0, false}, /* before zero, as numbers wrap */
    };
    svr__copies c = {0};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_assert_eq(svr__copies_first(&c, rows[i].number), rows[i].first,
                     "row %zu: %u", i, (unsigned)rows[i].number);
}

Test(session_copies, wraps)
{
    svr__copies c = {0};
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t number = UINT32_MAX - 100 + i;
        cr_assert(svr__copies_first(&c, number), "%u", (unsigned)number);
        cr_assert_not(svr__copies_first(&c, number));
        if (i > 10)
            cr_assert_not(svr__copies_first(&c, number - 10));
    }
    c.sent = UINT32_MAX;
    cr_assert_eq(svr__copies_number(&c), 0);
    cr_assert_eq(svr__copies_number(&c), 1);
}

Test(session_copies, forgets)
{
    svr__copies c = {0};
    cr_assert(svr__copies_first(&c, 70000));
    cr_assert_not(svr__copies_first(&c, 1));
    svr__copies_forget(&c);
    cr_assert(svr__copies_first(&c, 1));
    cr_assert_not(svr__copies_first(&c, 1));
}

/* No number passes twice, and each that is less than a window late passes. */
Test(session_copies, agrees_with_a_model)
{
    enum { NUMBERS = 20000, REACH = 100 };
    static bool passed[NUMBERS + REACH];
    uint64_t seed = 3;
    svr__copies c = {0};
    uint32_t highest = 0;
    for (uint32_t step = 0; step < 10 * NUMBERS; step++) {
        uint32_t number = step / 10 + test_below(&seed, REACH);
        bool ahead = number > highest || step == 0;
        bool model =
            ahead || (highest - number < SVR__COPIES_WINDOW && !passed[number]);
        cr_assert_eq(svr__copies_first(&c, number), model, "step %u: %u",
                     (unsigned)step, (unsigned)number);
        passed[number] |= model;
        if (ahead)
            highest = number;
    }
}
