/* Waypoint ports (S10): rounds, ranges, and the guard behind a session. */
#include "session/ports.h"
#include "support.h"

#include <criterion/criterion.h>

#define START (1000 * SVR_SECOND)

struct fixture {
    svr__ports p;
    uint64_t seed;
    test_memory memory;
};

static void open_ports(struct fixture *f, svr_port_range local,
                       svr_port_range remote)
{
    *f = (struct fixture){.seed = local.first + remote.last};
    svr_random random = {test_fill, &f->seed};
    svr_allocator alloc = test_allocator(&f->memory);
    cr_assert_eq(svr__ports_init(&f->p, &local, &remote, &random, &alloc), 0);
}

static void close_ports(struct fixture *f)
{
    svr__ports_fini(&f->p);
    cr_assert(test_memory_clean(&f->memory));
}

/* As a node does: asks until a pair comes or there is most likely none. */
static bool take(struct fixture *f, svr_time now, uint16_t *local,
                 uint16_t *remote)
{
    for (unsigned i = svr__ports_tries(&f->p); i > 0; i--)
        if (svr__ports_next(&f->p, now, local, remote))
            return true;
    return false;
}

Test(session_ports, bad_ranges)
{
    static const svr_port_range all = {0, 0};
    static const svr_port_range bad[] = {
        {0, 20000},     {16383, 20000}, {20000, 19999},
        {20000, 65535}, {20000, 0},     {UINT16_MAX, UINT16_MAX},
    };
    uint64_t seed = 1;
    test_memory memory = {.fail_at = 1};
    svr_random random = {test_fill, &seed};
    svr_allocator alloc = test_allocator(&memory);
    svr__ports p = {0};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(svr__ports_init(&p, &bad[i], &all, &random, &alloc),
                     SVR_ERR_ARGUMENT, "row %zu", i);
        cr_assert_eq(svr__ports_init(&p, &all, &bad[i], &random, &alloc),
                     SVR_ERR_ARGUMENT, "row %zu", i);
    }
    cr_assert_eq(svr__ports_init(&p, &all, &all, &random, &alloc),
                 SVR_ERR_NO_MEMORY);
    svr__ports_fini(&p);
    cr_assert(test_memory_clean(&memory));
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Takes `count` pairs. All are different and within the ranges; no more than a
 * few come behind one that they stand beside. */
static void run_through(struct fixture *f, uint32_t count, svr_time now)
{
    uint32_t *pairs = calloc(count, sizeof(*pairs));
    uint32_t neighbours = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint16_t l, r;
        while (!svr__ports_next(&f->p, now, &l, &r))
            now += SVR__PORT_GUARD; /* the window has been passed */
        pairs[i] = (uint32_t)l << 16 | r;
        if (i > 0)
            neighbours += pairs[i] - pairs[i - 1] == 2 ||
                          pairs[i] - pairs[i - 1] == 2u << 16;
    }
    cr_assert_lt(neighbours, 10 + count / 100, "the next pair can be guessed");
    qsort(pairs, count, sizeof(*pairs), by_number);
    for (uint32_t i = 1; i < count; i++)
        cr_assert_neq(pairs[i - 1], pairs[i], "%u, %u twice", pairs[i] >> 16,
                      pairs[i] & 0xffff);
    free(pairs);
}

enum { EVEN, ODD, ANY };

static void check_pair(const struct fixture *f, svr_port_range local,
                       svr_port_range remote, int parity, int remote_parity)
{
    for (uint32_t pair = 0; pair < f->p.pairs; pair++) {
        uint32_t l =
            f->p.local.first + pair / f->p.remote.count * f->p.local.step;
        uint32_t r =
            f->p.remote.first + pair % f->p.remote.count * f->p.remote.step;
        cr_assert(l >= local.first && l <= local.last);
        cr_assert(r >= remote.first && r <= remote.last);
        cr_assert(parity == ANY || l % 2 == (uint32_t)parity);
        cr_assert(remote_parity == ANY || r % 2 == (uint32_t)remote_parity);
    }
}

/* In each range every pair comes up once in a round, in no order that shows,
 * within the range and with its parity where the range has such ports. */
Test(session_ports, rounds)
{
    static const struct {
        svr_port_range local, remote;
        uint32_t pairs;
        int parity, remote_parity;
    } rows[] = {
        {{20000, 20000}, {30000, 30000}, 1, EVEN, ANY},
        {{20001, 20001}, {30001, 30001}, 1, ANY, ODD},
        {{20000, 20001}, {30000, 30001}, 1, EVEN, ODD},
        {{20001, 20003}, {30000, 30002}, 1, EVEN, ODD},
        {{20000, 20005}, {30001, 30001}, 3, EVEN, ODD},
        {{20000, 29999}, {30001, 30001}, 5000, EVEN, ODD},
        {{16384, 16384}, {16384, 65534}, 24575, EVEN, ODD},
        {{20000, 20998}, {30000, 31199}, 500 * 600, EVEN, ODD},
        {{20000, 22999}, {40000, 41999}, 1500 * 1000, EVEN, ODD},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f;

        open_ports(&f, rows[i].local, rows[i].remote);
        cr_assert_eq(f.p.pairs, rows[i].pairs, "row %zu", i);
        check_pair(&f, rows[i].local, rows[i].remote, rows[i].parity,
                   rows[i].remote_parity);
        for (svr_time round = 0; round < 2; round++)
            run_through(&f, f.p.pairs, START + round * 1000 * SVR_SECOND);
        close_ports(&f);
    }
}

Test(session_ports, whole_range)
{
    struct fixture f;

    open_ports(&f, (svr_port_range){0, 0}, (svr_port_range){0, 0});
    cr_assert_eq(f.p.pairs, 24576u * 24575u);
    run_through(&f, 1000000, START);
    cr_assert_leq(f.memory.bytes, 16 * 1024);
    close_ports(&f);
}

/* A pair that nobody handed out is none to guard. */
Test(session_ports, foreign_pairs)
{
    static const uint16_t pairs[][2] = {
        {19998, 30001}, {20001, 30001}, {20010, 30001},
        {20000, 30000}, {20000, 30009}, {20000, 29999},
        {0, 0},         {30001, 20000}, {65535, 65535},
    };
    struct fixture f;
    uint16_t l, r;

    open_ports(&f, (svr_port_range){20000, 20007},
               (svr_port_range){30001, 30008});
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        svr__ports_guard(&f.p, START, pairs[i][0], pairs[i][1]);
    for (int i = 0; i < 16; i++)
        cr_assert(svr__ports_next(&f.p, START, &l, &r));
    close_ports(&f);
}

/* S9: in a small range all pairs are used, then they are guarded, and each
 * comes back after 30 to 60 seconds. */
Test(session_ports, small_range_to_exhaustion)
{
    struct fixture f;
    uint16_t pairs[16][2], l, r;

    open_ports(&f, (svr_port_range){20000, 20007},
               (svr_port_range){30001, 30008});
    for (int phase = 0; phase < 60; phase += 7) {
        svr_time t = START + (svr_time)phase * 1000 * SVR_SECOND;
        for (int i = 0; i < 16; i++)
            cr_assert(take(&f, t, &pairs[i][0], &pairs[i][1]));
        svr_time ended = t + (svr_time)phase * SVR_SECOND;
        for (int i = 0; i < 16; i++)
            svr__ports_guard(&f.p, ended, pairs[i][0], pairs[i][1]);
        for (int s = 0; s < 30; s++)
            cr_assert_not(take(&f, ended + (svr_time)s * SVR_SECOND, &l, &r),
                          "phase %d, after %d s", phase, s);
        cr_assert_not(take(&f, ended + SVR__PORT_GUARD - 1, &l, &r));
        for (int i = 0; i < 16; i++)
            cr_assert(take(&f, ended + 2 * SVR__PORT_GUARD, &l, &r));
    }
    close_ports(&f);
}

/* What is known of pairs: a dictionary. */
enum { DICTIONARY = 1 << 18, IN_USE = UINT16_MAX };

struct known {
    uint32_t pair;
    uint16_t state; /* 0: never taken; IN_USE; else the second it was left */
};

static struct known *look_up(struct known *dictionary, uint32_t pair)
{
    uint32_t i = pair * 2654435761u % DICTIONARY;
    while (dictionary[i].pair && dictionary[i].pair != pair)
        i = (i + 1) % DICTIONARY;
    dictionary[i].pair = pair;
    return &dictionary[i];
}

/* Sessions with random lives in ranges of many sizes: none gets a pair that was
 * left less than 30 s ago; what is in use the caller knows, and skips. */
Test(session_ports, never_guarded)
{
    static const struct {
        svr_port_range local, remote;
        unsigned lifetime, per_second;
        size_t least; /* sessions made */
    } rows[] = {
        {{20000, 20007}, {30001, 30008}, 20, 1, 100},
        {{20000, 20063}, {30001, 30064}, 40, 8, 3000},
        {{20000, 21999}, {30001, 32000}, 60, 50, 19900},
        {{20000, 22999}, {30000, 34999}, 60, 200, 79000},
        {{0, 0}, {0, 0}, 60, 200, 79800},
    };
    enum { MOST = 65536, SECONDS = 400 };
    static struct {
        uint16_t local, remote;
        unsigned end;
    } alive[MOST];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f;
        size_t count = 0, made = 0;
        struct known *known = calloc(DICTIONARY, sizeof(*known));

        open_ports(&f, rows[i].local, rows[i].remote);
        for (unsigned second = 1; second < SECONDS; second++) {
            svr_time now = START + second * SVR_SECOND;
            for (size_t k = count; k-- > 0;) {
                uint16_t l = alive[k].local, r = alive[k].remote;
                if (alive[k].end > second)
                    continue;
                svr__ports_guard(&f.p, now, l, r);
                look_up(known, (uint32_t)l << 16 | r)->state = (uint16_t)second;
                alive[k] = alive[--count];
            }
            for (unsigned k = 0; k < rows[i].per_second; k++) {
                uint16_t l, r;
                if (!take(&f, now, &l, &r))
                    continue;
                struct known *at = look_up(known, (uint32_t)l << 16 | r);
                if (at->state == IN_USE)
                    continue;
                cr_assert(!at->state || second - at->state >= 30,
                          "row %zu: again after %u s", i, second - at->state);
                at->state = IN_USE;
                made++;
                alive[count].local = l;
                alive[count].remote = r;
                alive[count++].end =
                    second + 1 + test_below(&f.seed, rows[i].lifetime);
            }
        }
        cr_assert_geq(made, rows[i].least, "row %zu: %zu", i, made);
        free(known);
        close_ports(&f);
    }
}

/* A range larger than its window goes no further than the window within the
 * time of the guard, so what ends behind the window needs no mark. */
Test(session_ports, window)
{
    struct fixture f;
    uint16_t l, r, first[2];
    uint32_t got = 0;

    open_ports(&f, (svr_port_range){20000, 22999},
               (svr_port_range){30000, 34999});
    cr_assert_lt(f.p.window, f.p.pairs);
    cr_assert(svr__ports_next(&f.p, START, &first[0], &first[1]));
    while (svr__ports_next(&f.p, START, &l, &r))
        got++;
    cr_assert_eq(got + 1, f.p.window);
    svr__ports_guard(&f.p, START, first[0], first[1]);
    cr_assert_not(svr__ports_next(&f.p, START + 30 * SVR_SECOND - 1, &l, &r));
    cr_assert(svr__ports_next(&f.p, START + 60 * SVR_SECOND, &l, &r));
    close_ports(&f);
}
