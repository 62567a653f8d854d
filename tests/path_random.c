/* Thousands of small networks, each against every vector that there is. */
#include "path_oracle.h"

#include <criterion/criterion.h>
#include <inttypes.h>

#include "support.h"

/* What sanitizers are there for shows in fewer. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEEDS 15000
#endif
#endif
#ifndef SEEDS
#define SEEDS 60000
#endif

static uint32_t draw(void *source, uint32_t limit)
{
    return test_below(source, limit);
}

Test(path_random, finds_what_the_oracle_finds)
{
    size_t cuts = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t source = seed;
        oracle_case c;
        bool cut;
        oracle_topology(&c, draw, &source);
        oracle_query(&c, draw, &source);
        const char *wrong = oracle_find(&c, &cut);
        cr_assert_null(wrong, "seed %" PRIu64 ": %s", seed, wrong);
        cuts += cut;
    }
    cr_assert_gt(cuts, 5, "some were cut");
    cr_assert_lt(cuts, SEEDS / 20, "most were not: %zu", cuts);
}

Test(path_random, explains_as_the_oracle_does)
{
    for (uint64_t seed = 1; seed <= SEEDS / 3; seed++) {
        uint64_t source = seed;
        oracle_case c;
        oracle_topology(&c, draw, &source);
        oracle_query(&c, draw, &source);
        const char *wrong = oracle_explain(&c);
        cr_assert_null(wrong, "seed %" PRIu64 ": %s", seed, wrong);
    }
}

/* With room for many labels nothing is cut, however many limits there are. */
Test(path_random, enough_labels_cut_nothing)
{
    for (uint64_t seed = 1; seed <= SEEDS / 6; seed++) {
        uint64_t source = seed;
        oracle_case c;
        bool cut;
        oracle_topology(&c, draw, &source);
        oracle_query(&c, draw, &source);
        c.q.labels = 256;
        const char *wrong = oracle_find(&c, &cut);
        cr_assert_null(wrong, "seed %" PRIu64 ": %s", seed, wrong);
        cr_assert_not(cut, "seed %" PRIu64, seed);
    }
}

Test(path_random, trees_follow_changes)
{
    size_t changed = 0;

    for (uint64_t seed = 1; seed <= SEEDS / 10; seed++) {
        uint64_t source = seed;
        oracle_case c;
        oracle_topology(&c, draw, &source);
        oracle_query(&c, draw, &source);
        void *memory = malloc(svr_path_tree_size(&c.t));
        svr_path_tree *tree = svr_path_tree_init(
            memory, &c.t, c.q.from, c.priorities, c.q.priority_count);
        const char *wrong = oracle_tree(&c, tree);
        for (int i = 0; !wrong && c.t.edge_count && i < 12; i++) {
            uint32_t edge = test_below(&source, (uint32_t)c.t.edge_count);
            oracle_figures(&c, edge, draw, &source);
            ptrdiff_t count = svr_path_tree_change(tree, edge);
            cr_assert_geq(count, 0);
            changed += count > 0;
            wrong = oracle_tree(&c, tree);
        }
        cr_assert_null(wrong, "seed %" PRIu64 ": %s", seed, wrong);
        free(memory);
    }
    cr_assert_gt(changed, SEEDS / 10, "changes did change something");
}
