/* The table of sessions and flows, and what a stranger can make of its hash. */
#include "session/table.h"
#include "support.h"

#include <criterion/criterion.h>
#include <svr/wire.h>

struct fixture {
    svr__table t;
    uint64_t seed;
    test_memory memory;
};

static void open_table(struct fixture *f, uint32_t cap)
{
    *f = (struct fixture){.seed = cap};
    svr_random random = {test_fill, &f->seed};
    svr_allocator alloc = test_allocator(&f->memory);
    cr_assert_eq(svr__table_init(&f->t, cap, &random, 0, &alloc), 0);
}

static void close_table(struct fixture *f)
{
    svr__table_fini(&f->t);
    cr_assert(test_memory_clean(&f->memory));
}

static svr_tuple tuple(uint32_t i)
{
    const uint8_t a[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
                          (uint8_t)i};
    return (svr_tuple){.src = svr_addr_from_v4(a),
                       .dst = svr_addr_from_v4(a),
                       .sport = (uint16_t)i,
                       .dport = 80,
                       .proto = SVR_PROTO_UDP};
}

static svr__session *add(struct fixture *f, uint32_t i)
{
    svr_uuid uuid;
    test_fill(&f->seed, uuid.b, sizeof(uuid.b));
    svr__session *s = svr__session_create(&f->t, &uuid);
    if (!s)
        return NULL;
    for (unsigned side = 0; side < 2; side++) {
        svr_tuple t = tuple(2 * i + side);
        svr__flow *flow = svr__session_flow(&f->t, s, side);
        flow->key = svr__flow_key_of(&t, (uint16_t)side);
        cr_assert(svr__flow_bind(&f->t, flow));
    }
    return s;
}

/* Both flows lead to their session, by number and by key; a key that one has is
 * for nobody else. */
Test(session_table, flows_and_sessions)
{
    enum { CAP = 300 };
    struct fixture f;
    svr__session *s[CAP];
    open_table(&f, CAP);
    for (uint32_t i = 0; i < CAP; i++)
        s[i] = add(&f, i);
    cr_assert_null(add(&f, CAP), "it is full");
    for (uint32_t i = 0; i < CAP; i++) {
        cr_assert_eq(svr__session_find(&f.t, &s[i]->uuid), s[i]);
        for (unsigned side = 0; side < 2; side++) {
            svr_tuple t = tuple(2 * i + side), found;
            svr__flow_key key = svr__flow_key_of(&t, (uint16_t)side);
            uint64_t hash = svr__flow_hash(&f.t, &key);
            svr__flow_prefetch(&f.t, hash);
            svr__flow *flow = svr__flow_find(&f.t, &key, hash);
            cr_assert_eq(flow, svr__session_flow(&f.t, s[i], side));
            cr_assert_eq(svr__flow_session(&f.t, flow), s[i]);
            cr_assert_eq(svr__flow_side(&f.t, flow), side);
            found = svr__flow_key_tuple(&flow->key);
            cr_assert(svr_tuple_equal(&found, &t));
            cr_assert(svr__key_taken(&f.t, &key));
            key.iface = 7;
            cr_assert_not(svr__key_taken(&f.t, &key));
            svr__flow_prefetch(&f.t, svr__flow_hash(&f.t, &key));
        }
    }
    for (uint32_t i = 0; i < CAP; i++)
        svr__session_end(&f.t, s[i]);
    cr_assert_eq(f.t.by_key.count, 0);
    cr_assert_eq(f.t.by_uuid.count, 0);
    close_table(&f);
}

/* A masked flow has TCP inside (S4.4). */
Test(session_table, protocol_of_a_flow)
{
    svr__flow f = {.key.proto = SVR_PROTO_UDP};
    cr_assert_eq(svr__flow_proto(&f), SVR_PROTO_UDP);
    f.flags = SVR__FLOW_MASKED_IN;
    cr_assert_eq(svr__flow_proto(&f), SVR_PROTO_TCP);
}

/* A flow can be bound elsewhere; where something stands it cannot. */
Test(session_table, bound_elsewhere)
{
    struct fixture f;
    open_table(&f, 2);
    svr__session *a = add(&f, 0), *b = add(&f, 1);
    svr__flow *flow = svr__session_flow(&f.t, a, SVR__SERVER);
    svr__flow_key old = flow->key;
    svr__flow_unbind(&f.t, flow);
    cr_assert_not(svr__key_taken(&f.t, &old));
    svr__flow_unbind(&f.t, flow);
    flow->key = svr__session_flow(&f.t, b, SVR__CLIENT)->key;
    cr_assert_not(svr__flow_bind(&f.t, flow));
    svr__alias alias = {.key = old, .side = SVR__SERVER, .session = 0};
    cr_assert_not_null(svr__alias_bind(&f.t, alias, SVR_SECOND));
    cr_assert_null(svr__alias_bind(&f.t, alias, SVR_SECOND), "it is there");
    flow->key = old;
    cr_assert_not(svr__flow_bind(&f.t, flow), "an alias stands there");
    svr__session_end(&f.t, a);
    cr_assert_not(svr__key_taken(&f.t, &old));
    svr__session_end(&f.t, b);
    close_table(&f);
}

/* No memory at any allocation: nothing is left behind. */
Test(session_table, without_memory)
{
    uint64_t seed = 3;
    svr_random random = {test_fill, &seed};
    svr__table t;
    for (size_t fail_at = 1;; fail_at++) {
        test_memory memory = {.fail_at = fail_at};
        svr_allocator alloc = test_allocator(&memory);
        int err = svr__table_init(&t, 10, &random, 0, &alloc);
        if (err == 0) {
            svr__table_fini(&t);
            cr_assert(test_memory_clean(&memory));
            cr_assert_gt(fail_at, 3);
            break;
        }
        cr_assert_eq(err, SVR_ERR_NO_MEMORY);
        cr_assert(test_memory_clean(&memory));
    }
}

/* Slots that a search for each of the keys looks at, in all. */
static size_t count_steps(const svr__table *t, const svr__flow_key *keys,
                          uint32_t count)
{
    size_t steps = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t hash = svr__flow_hash(t, &keys[i]);
        uint32_t at = (uint32_t)hash & t->by_key.mask;
        while (t->by_key.slots[at] &&
               t->by_key.slots[at] >> 32 != (uint32_t)hash)
            at = (at + 1) & t->by_key.mask, steps++;
        steps++;
    }
    return steps;
}

enum { FLOOD = 30000 };

/* Tuples as a stranger may choose them: neighbours of each other, few bits that
 * differ, all the same in the bits that a simple hash folds together. */
static svr__flow_key chosen(unsigned kind, uint32_t i)
{
    svr__flow_key k = {.proto = SVR_PROTO_UDP, .dport = 80, .sport = 1024};
    switch (kind) {
    case 0:
        k.sport = (uint16_t)i;
        break;
    case 1:
        k.src.b[15] = (uint8_t)i;
        k.src.b[14] = (uint8_t)(i >> 8);
        break;
    case 2: /* their exclusive or is the same */
        k.src.b[15] = k.dst.b[15] = (uint8_t)i;
        k.src.b[14] = k.dst.b[14] = (uint8_t)(i >> 8);
        break;
    case 3: /* their sum is */
        k.sport = (uint16_t)i;
        k.dport = (uint16_t)(0 - i);
        break;
    default: /* the high bits only */
        k.src.b[0] = (uint8_t)i;
        k.src.b[1] = (uint8_t)(i >> 8);
    }
    return k;
}

static size_t steps_of(unsigned kind, bool random)
{
    struct fixture f;
    static svr__flow_key keys[FLOOD];
    open_table(&f, FLOOD);
    for (uint32_t i = 0; i < FLOOD; i++) {
        keys[i] = chosen(kind, i);
        if (random)
            test_fill(&f.seed, &keys[i].src, sizeof(keys[i].src));
        cr_assert_eq(
            svr__map_insert(&f.t.by_key, svr__flow_hash(&f.t, &keys[i]), i), 0);
    }
    size_t steps = count_steps(&f.t, keys, FLOOD);
    close_table(&f);
    return steps;
}

/* None of them makes searches longer than random tuples do. */
Test(session_table, flooded)
{
    size_t random = steps_of(0, true);
    cr_assert_leq(random, 2 * FLOOD);
    for (unsigned kind = 0; kind < 5; kind++) {
        size_t steps = steps_of(kind, false);
        cr_assert_leq(steps, random + random / 10, "kind %u: %zu, not %zu",
                      kind, steps, random);
    }
}
