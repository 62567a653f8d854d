/*
 * A small topology, a query and a series of changes: the library's vectors,
 * reasons and trees are those that come of trying every vector.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "../tests/path_oracle.h"

struct script {
    const uint8_t *data;
    size_t len;
};

static uint32_t draw(void *source, uint32_t limit)
{
    struct script *s = source;

    if (s->len == 0)
        return 0;
    s->len--;
    return (uint32_t)(*s->data++ * (uint64_t)limit >> 8);
}

static void check(const char *wrong)
{
    if (!wrong)
        return;
    fprintf(stderr, "%s\n", wrong);
    abort();
}

static void change(oracle_case *c, struct script *s)
{
    void *memory = malloc(svr_path_tree_size(&c->t));
    svr_path_tree *tree = svr_path_tree_init(
        memory, &c->t, c->q.from, c->priorities, c->q.priority_count);

    check(oracle_tree(c, tree));
    while (s->len > 0) {
        uint32_t edge = draw(s, (uint32_t)c->t.edge_count);
        oracle_figures(c, edge, draw, s);
        if (svr_path_tree_change(tree, edge) < 0)
            abort();
        check(oracle_tree(c, tree));
    }
    free(memory);
}

void fuzz_one(const uint8_t *data, size_t len)
{
    struct script s = {data, len < 2048 ? len : 2048};
    oracle_case c;

    oracle_topology(&c, draw, &s);
    oracle_query(&c, draw, &s);
    check(oracle_find(&c, NULL));
    check(oracle_explain(&c));
    if (c.t.edge_count > 0)
        change(&c, &s);
}
