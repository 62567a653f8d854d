/* The life of a session, in literal time, and the tables below it. */
#include "session/table.h"
#include "support.h"

#include <criterion/criterion.h>

/* S8.4: a session that was there before. It ends as any other; a reset counts
 * once its window is known, from an event or from what quiet packets said. */
Test(session, resumed_life)
{
    const svr_life_packet reset = {.tcp_flags = SVR_TCP_RST, .seq = 700};
    const svr_life_packet fin[2] = {
        {.tcp_flags = SVR_TCP_FIN | SVR_TCP_ACK, .seq = 700, .ack = 900},
        {.reverse = true,
         .tcp_flags = SVR_TCP_FIN | SVR_TCP_ACK,
         .seq = 900,
         .ack = 701},
    };
    svr_lifetimes t;
    svr_life life;

    svr_lifetimes_init(&t);
    svr_life_init(&life, SVR_SESSION_TCP);
    svr_life_resume(&life);
    cr_expect_eq(svr_life_idle(&life, &t), 1900 * SVR_SECOND);
    cr_expect(svr_life_quiet(&life, false) && svr_life_quiet(&life, true));
    cr_expect_not(svr_life_event(&life, &reset), "nothing is known yet");
    svr_life_note(&life, true, 701, 100);
    cr_expect_not(svr_life_event(&life, &reset), "before the window");
    svr_life_note(&life, true, 700, 100);
    cr_expect(svr_life_event(&life, &reset));
    svr_life_init(&life, SVR_SESSION_TCP);
    svr_life_resume(&life);
    cr_expect_not(svr_life_event(&life, &fin[0]));
    cr_expect(svr_life_event(&life, &fin[1]));
    cr_expect_eq(life.state, SVR_LIFE_CLOSING);
}

/* TCP segments and what they make of a session (S9). */
Test(session, tcp_life)
{
    enum { FWD, REV };
    const uint8_t S = SVR_TCP_SYN, K = SVR_TCP_ACK, F = SVR_TCP_FIN,
                  R = SVR_TCP_RST;
    struct row {
        int dir;
        uint8_t flags;
        uint32_t seq, ack, len;
        enum svr_life_state after;
    };
    const struct row normal[] = {
        {FWD, S, 100, 0, 0, SVR_LIFE_NEW},
        {REV, S | K, 500, 101, 0, SVR_LIFE_NEW},
        {FWD, K, 101, 501, 0, SVR_LIFE_NEW},
        {FWD, K, 101, 501, 10, SVR_LIFE_NEW},
        {REV, K, 501, 101, 0, SVR_LIFE_NEW},
        {REV, K, 501, 111, 0, SVR_LIFE_ESTABLISHED},
        {FWD, F | K, 111, 501, 0, SVR_LIFE_ESTABLISHED},
        {REV, F | K, 501, 112, 0, SVR_LIFE_CLOSING},
        {FWD, K, 112, 502, 0, SVR_LIFE_CLOSING},
    };
    const struct row refused[] = {
        {FWD, S, 100, 0, 0, SVR_LIFE_NEW},
        {REV, R | K, 0, 101, 0, SVR_LIFE_RESET},
    };
    const struct row forged[] = {
        {REV, R | K, 0, 101, 0, SVR_LIFE_NEW}, /* to no SYN */
        {FWD, S, 100, 0, 0, SVR_LIFE_NEW},
        {REV, R, 0, 101, 0, SVR_LIFE_NEW}, /* acknowledges nothing */
        {REV, R | K, 0, 100, 0, SVR_LIFE_NEW},
        {REV, R | K, 0, 102, 0, SVR_LIFE_NEW},
    };
    const struct row data_in_syn[] = {
        {FWD, S, 100, 0, 20, SVR_LIFE_NEW},
        {REV, S | K, 500, 101, 0, SVR_LIFE_NEW}, /* of the SYN alone */
        {REV, K, 501, 120, 0, SVR_LIFE_NEW},
        {REV, K, 501, 121, 0, SVR_LIFE_ESTABLISHED},
    };
    const struct row data_refused[] = {
        {FWD, S, 100, 0, 20, SVR_LIFE_NEW},
        {REV, R | K, 0, 121, 0, SVR_LIFE_RESET},
    };
    const struct row resets[] = {
        {FWD, S, 100, 0, 0, SVR_LIFE_NEW},
        {REV, S | K, 500, 101, 0, SVR_LIFE_NEW},
        {FWD, K, 101, 501, 1, SVR_LIFE_NEW},
        {REV, R, 400, 0, 0, SVR_LIFE_NEW},           /* before the window */
        {REV, R, 501 + 0x1000, 0, 0, SVR_LIFE_NEW},  /* behind it */
        {FWD, R, 100, 0, 0, SVR_LIFE_NEW},           /* before the window */
        {REV, R, 501 + 0x0fff, 0, 0, SVR_LIFE_RESET} /* inside */
    };
    const struct row wrap[] = {
        {FWD, S, UINT32_MAX - 4, 0, 0, SVR_LIFE_NEW},
        {REV, S | K, 9, UINT32_MAX - 3, 0, SVR_LIFE_NEW},
        {FWD, K, UINT32_MAX - 3, 10, 20, SVR_LIFE_NEW},
        {REV, K, 10, 15, 0, SVR_LIFE_NEW},
        {REV, K, 10, 16, 0, SVR_LIFE_ESTABLISHED},
    };
    const struct row port_used_again[] = {
        {FWD, S, 100, 0, 0, SVR_LIFE_NEW},
        {REV, R | K, 0, 101, 0, SVR_LIFE_RESET},
        {REV, S, 500, 0, 0, SVR_LIFE_RESET}, /* from the wrong end */
        {FWD, S, 9000, 0, 0, SVR_LIFE_NEW},
        {REV, S | K, 70, 9001, 0, SVR_LIFE_NEW},
        {FWD, K, 9001, 71, 5, SVR_LIFE_NEW},
        {REV, K, 71, 9006, 0, SVR_LIFE_ESTABLISHED},
        {FWD, F | K, 9006, 71, 0, SVR_LIFE_ESTABLISHED},
        {REV, F | K, 71, 9007, 0, SVR_LIFE_CLOSING},
        {FWD, S, 20000, 0, 0, SVR_LIFE_NEW},
        {REV, R | K, 0, 20001, 0, SVR_LIFE_RESET},
    };
    const struct {
        const struct row *rows;
        size_t count;
    } runs[] = {{normal, 9},      {refused, 2},         {forged, 5},
                {data_in_syn, 4}, {data_refused, 2},    {resets, 7},
                {wrap, 5},        {port_used_again, 11}};
    for (size_t r = 0; r < sizeof(runs) / sizeof(runs[0]); r++) {
        svr_life life;
        svr_life_init(&life, SVR_SESSION_TCP);
        for (size_t i = 0; i < runs[r].count; i++) {
            const struct row *w = &runs[r].rows[i];
            svr_life_packet p = {.reverse = w->dir == REV,
                                 .tcp_flags = w->flags,
                                 .window = 0x0fff,
                                 .seq = w->seq,
                                 .ack = w->ack,
                                 .len = w->len};
            svr_life_event(&life, &p);
            cr_assert_eq(life.state, w->after, "run %zu row %zu: %s", r, i,
                         svr_life_name(&life));
        }
    }
}

Test(session, lifetimes)
{
    svr_lifetimes t;
    svr_lifetimes_init(&t);
    static const struct {
        enum svr_session_kind kind;
        enum svr_life_state state;
        unsigned seconds;
    } rows[] = {
        {SVR_SESSION_TCP, SVR_LIFE_NEW, 10},
        {SVR_SESSION_TCP, SVR_LIFE_ESTABLISHED, 1900},
        {SVR_SESSION_TCP, SVR_LIFE_CLOSING, 10},
        {SVR_SESSION_TCP, SVR_LIFE_RESET, 2},
        {SVR_SESSION_UDP, SVR_LIFE_NEW, 180},
        {SVR_SESSION_UDP, SVR_LIFE_ESTABLISHED, 180},
        {SVR_SESSION_ICMP, SVR_LIFE_ESTABLISHED, 10},
        {SVR_SESSION_DNS, SVR_LIFE_ESTABLISHED, 5},
        {SVR_SESSION_OTHER, SVR_LIFE_NEW, 180},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        svr_life life;
        svr_life_init(&life, rows[i].kind);
        life.state = (uint8_t)rows[i].state;
        cr_assert_eq(svr_life_idle(&life, &t), rows[i].seconds * SVR_SECOND);
    }
    svr_life udp;
    svr_life_init(&udp, SVR_SESSION_UDP);
    cr_assert(svr_life_quiet(&udp, false), "more of the same says nothing");
    cr_assert_not(svr_life_quiet(&udp, true));
    cr_assert_not(svr_life_event(&udp, &(svr_life_packet){.reverse = false}));
    cr_assert(svr_life_event(&udp, &(svr_life_packet){.reverse = true}));
    cr_assert_eq(udp.state, SVR_LIFE_ESTABLISHED);
    cr_assert(svr_life_quiet(&udp, true));
}

static void fill_random(void *user, void *buf, size_t len)
{
    uint64_t *x = user;
    for (size_t i = 0; i < len; i++) {
        *x = *x * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)buf)[i] = (uint8_t)(*x >> 56);
    }
}

static svr__flow_key random_key(uint64_t *seed)
{
    svr__flow_key k = {.iface = 1, .proto = 17};
    fill_random(seed, &k.sport, 1); /* few, so that they collide */
    fill_random(seed, k.src.b, 1);
    return k;
}

/* Sessions come and go; what is found is what was entered. */
Test(session, table)
{
    enum { CAP = 500, STEPS = 100000 };
    uint64_t seed = 7;
    svr_random random = {fill_random, &seed};
    test_memory memory = {0};
    svr_allocator alloc = {test_memory_alloc, test_memory_free, &memory};
    svr__table t;
    svr__session *alive[CAP];
    size_t count = 0;

    cr_assert_eq(svr__table_init(&t, 0, &random, 0, &alloc), SVR_ERR_ARGUMENT);
    cr_assert_eq(svr__table_init(&t, CAP, &random, 0, &alloc), 0);
    for (int step = 0; step < STEPS; step++) {
        svr_uuid uuid;
        fill_random(&seed, uuid.b, sizeof(uuid.b));
        if (count && uuid.b[0] % 2) {
            size_t victim = uuid.b[1] * count / 256;
            svr_uuid id = alive[victim]->uuid;
            svr__session_end(&t, alive[victim]);
            cr_assert_null(svr__session_find(&t, &id));
            alive[victim] = alive[--count];
            continue;
        }
        svr__session *s = svr__session_create(&t, &uuid);
        cr_assert_eq(s == NULL, count == CAP);
        if (!s)
            continue;
        svr__flow *f = svr__session_flow(&t, s, SVR__CLIENT);
        f->key = random_key(&seed);
        uint64_t hash = svr__flow_hash(&t, &f->key);
        bool taken = svr__flow_find(&t, &f->key, hash) != NULL;
        cr_assert_eq(svr__flow_bind(&t, f), !taken);
        if (taken) {
            svr__session_end(&t, s);
            cr_assert_not_null(svr__flow_find(&t, &f->key, hash));
        } else {
            cr_assert_eq(svr__flow_find(&t, &f->key, hash), f);
            cr_assert_eq(svr__flow_session(&t, f), s);
            alive[count++] = s;
        }
        cr_assert_eq(t.count, count);
    }
    svr__table_fini(&t);
    cr_assert_eq(memory.live, 0);
    cr_assert_eq((uintptr_t)t.flows % 64, 0);
}

/* The n-th allocation fails, for each n: nothing is left. */
Test(session, table_without_memory)
{
    uint64_t seed = 7;
    svr_random random = {fill_random, &seed};
    for (size_t n = 1;; n++) {
        test_memory memory = {.fail_at = n};
        svr_allocator alloc = {test_memory_alloc, test_memory_free, &memory};
        svr__table t;
        int err = svr__table_init(&t, 10, &random, 0, &alloc);
        if (err == 0) {
            svr__table_fini(&t);
            cr_assert_gt(n, 6);
            break;
        }
        cr_assert_eq(err, SVR_ERR_NO_MEMORY);
        cr_assert_null(t.sessions);
        cr_assert_eq(memory.live, 0);
    }
}

/* A flow knows its session, its side, and what its packets are within. */
Test(session, flow)
{
    uint64_t seed = 7;
    svr_random random = {fill_random, &seed};
    test_memory memory = {0};
    svr_allocator alloc = {test_memory_alloc, test_memory_free, &memory};
    svr_tuple tuple = {.sport = 1, .dport = 2, .proto = SVR_PROTO_UDP};
    svr__table t;

    cr_assert_eq(svr__table_init(&t, 2, &random, 0, &alloc), 0);
    svr__session *s = svr__session_create(&t, &(svr_uuid){.b = {1}});
    for (unsigned side = 0; side < 2; side++) {
        svr__flow *f = svr__session_flow(&t, s, side);
        f->key = svr__flow_key_of(&tuple, (uint16_t)side);
        cr_assert(svr__flow_bind(&t, f));
        cr_assert(svr__key_taken(&t, &f->key));
        cr_assert_eq(svr__flow_session(&t, f), s);
        cr_assert_eq(svr__flow_side(&t, f), side);
        cr_assert_eq(svr__flow_proto(f), SVR_PROTO_UDP);
        f->flags = SVR__FLOW_MASKED_IN;
        cr_assert_eq(svr__flow_proto(f), SVR_PROTO_TCP);
        svr_tuple back = svr__flow_key_tuple(&f->key);
        cr_assert(svr_tuple_equal(&back, &tuple));
    }
    svr__flow *f = svr__session_flow(&t, s, SVR__SERVER);
    svr__flow_unbind(&t, f);
    cr_assert_not(svr__key_taken(&t, &f->key));
    svr__session_end(&t, s);
    svr__table_fini(&t);
    cr_assert_eq(memory.live, 0);
}

Test(session, kinds)
{
    static const struct {
        uint8_t proto;
        uint16_t dport;
        enum svr_session_kind kind;
    } rows[] = {
        {SVR_PROTO_TCP, 53, SVR_SESSION_TCP},
        {SVR_PROTO_UDP, 53, SVR_SESSION_DNS},
        {SVR_PROTO_UDP, 54, SVR_SESSION_UDP},
        {SVR_PROTO_ICMP, 7, SVR_SESSION_ICMP},
        {SVR_PROTO_ICMPV6, 7, SVR_SESSION_ICMP},
        {47, 0, SVR_SESSION_OTHER},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        svr_tuple t = {.proto = rows[i].proto, .dport = rows[i].dport};
        cr_expect_eq(svr_session_kind_of(&t), rows[i].kind, "row %zu", i);
    }
}

Test(session, life_names)
{
    static const char *const names[] = {"new", "established", "closing",
                                        "reset"};
    for (uint8_t i = 0; i < 4; i++) {
        svr_life life = {.state = i};
        cr_expect_str_eq(svr_life_name(&life), names[i]);
    }
}

/* What passed without an event counts once it has been noted: the window moves,
 * scaled as the SYN said, by 14 bits at most (RFC 7323). */
Test(session, noted_window)
{
    const svr_life_packet syn = {
        .tcp_flags = SVR_TCP_SYN, .seq = 99, .window = 10, .window_shift = 200};
    svr_life_packet reset = {.reverse = true, .tcp_flags = SVR_TCP_RST};
    svr_life life;
    svr_life_init(&life, SVR_SESSION_TCP);
    svr_life_event(&life, &syn);
    reset.seq = 5000;
    cr_assert_not(svr_life_event(&life, &reset), "nothing is known yet");
    svr_life_note(&life, false, 5000, 2);
    reset.seq = 4999;
    cr_assert_not(svr_life_event(&life, &reset));
    reset.seq = 5001 + (2 << 14);
    cr_assert_not(svr_life_event(&life, &reset));
    reset.seq--;
    cr_assert(svr_life_event(&life, &reset));
    cr_assert_eq(life.state, SVR_LIFE_RESET);
    cr_assert(svr_life_quiet(&life, false));
}

/* Both ends close before there was data. */
Test(session, closed_without_data)
{
    svr_life_packet fin = {.tcp_flags = SVR_TCP_FIN | SVR_TCP_ACK, .seq = 1};
    svr_life life;
    svr_life_init(&life, SVR_SESSION_TCP);
    cr_assert_not(svr_life_event(&life, &fin));
    fin.reverse = true;
    cr_assert(svr_life_event(&life, &fin));
    cr_assert_eq(life.state, SVR_LIFE_CLOSING);
}
