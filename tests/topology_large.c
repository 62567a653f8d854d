/* 500 routers learn of each other, and of a change. */
#include <criterion/criterion.h>

#include "topology_net.h"

#define S SVR_SECOND

enum {
    ROUTERS = 500,
    LINKS = 1000,
};

static uint32_t links[LINKS][2];

/* A tree of small degree, and as many links across. */
static void draw(uint64_t seed)
{
    for (uint32_t i = 0; i < LINKS; i++) {
        uint32_t a = i + 1 < ROUTERS ? i + 1 : test_below(&seed, ROUTERS);
        uint32_t b = i + 1 < ROUTERS ? a / 3 : (a + 1 + i * 7) % ROUTERS;
        links[i][0] = a;
        links[i][1] = a == b ? (b + 1) % ROUTERS : b;
    }
}

static double seconds(svr_time t)
{
    return (double)t / (double)S;
}

Test(topology_large, all_learn_of_all_and_of_a_change)
{
    net n;

    draw(7);
    net_init(&n, ROUTERS, links, LINKS, 4);
    n.seed = 11;
    n.loss = 10;
    n.jitter = 20;
    svr_time start = n.now;
    net_set_all(&n, true);
    cr_assert(net_converge(&n, n.now + 10 * S));
    cr_log_info("500 routers, 1000 pathways: all known everywhere after %.2f s;"
                " %llu messages, %.0f kB for each router",
                seconds(n.now - start), (unsigned long long)n.sent,
                (double)n.bytes / ROUTERS / 1000);
    cr_expect_leq(n.bytes / ROUTERS, 300000);
    net_run(&n, n.now + 60 * S);
    uint64_t bytes = n.bytes;
    start = n.now;
    net_set(&n, 3, false);
    cr_assert(net_converge(&n, n.now + S));
    cr_log_info("a pathway down: everywhere after %.0f ms",
                1000 * seconds(n.now - start));
    net_run(&n, n.now + 20 * S);
    cr_log_info("which took %.0f bytes for each router",
                (double)(n.bytes - bytes) / ROUTERS);
    cr_expect_leq((n.bytes - bytes) / ROUTERS, 2000);
    net_fini(&n);
}
