/*
 * path_oracle.h - small topologies and queries made from drawn numbers, and
 * what svr_path_find and its kin must answer: by trying every vector there is.
 */
#ifndef SVR_TESTS_PATH_ORACLE_H
#define SVR_TESTS_PATH_ORACLE_H

#include <svr/path.h>

enum {
    ORACLE_ROUTERS = 7,
    ORACLE_EDGES = 18,
    ORACLE_INSTANCES = 4,
    ORACLE_VECTORS = 4,
};

/* Answers a number below limit. */
typedef uint32_t oracle_draw(void *source, uint32_t limit);

typedef struct oracle_case {
    svr_topology t;
    svr_path_query q;
    const char *routers[ORACLE_ROUTERS];
    svr_path_edge edges[ORACLE_EDGES];
    svr_path_instance instances[ORACLE_INSTANCES];
    uint32_t passed[2];
    uint16_t priorities[ORACLE_VECTORS];
    uint32_t index[ORACLE_ROUTERS * 3 + 2 + ORACLE_EDGES * 3];
} oracle_case;

void oracle_topology(oracle_case *c, oracle_draw *draw, void *source);
void oracle_query(oracle_case *c, oracle_draw *draw, void *source);
/* Draws figures and state of an edge anew. */
void oracle_figures(oracle_case *c, uint32_t edge, oracle_draw *draw,
                    void *source);

/* NULL, or what is wrong with the library's answer. cut, where not NULL, tells
 * whether a bound cut the search: then answers are only checked to be sound. */
const char *oracle_find(const oracle_case *c, bool *cut);
const char *oracle_explain(const oracle_case *c);
/* Against svr_path_find to each router. */
const char *oracle_tree(const oracle_case *c, const svr_path_tree *tree);

#endif
