/* Aliases of sessions (S17), against a dictionary: random sessions begin, move,
 * get legs and end, and time passes. */
#include "session/table.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum {
    CAP = 64,
    KEYS = 400, /* few, so that they collide */
    STEPS = 200000,
};

/* What the dictionary knows of a key. */
struct entry {
    enum { FREE, FLOW, OLD, LEG } kind;
    uint32_t session;
    svr_time until;
};

struct world {
    test_memory memory;
    uint64_t seed;
    svr_time now;
    svr__table table;
    struct entry by_key[KEYS];
    svr__session *alive[CAP];
    size_t count;
};

static void open_world(struct world *w)
{
    memset(w, 0, sizeof(*w));
    w->seed = 11;
    svr_allocator alloc = test_allocator(&w->memory);
    svr_random random = {test_fill, &w->seed};
    cr_assert_eq(svr__table_init(&w->table, CAP, &random, 0, &alloc), 0);
}

static void close_world(struct world *w)
{
    svr__table_fini(&w->table);
    cr_assert(test_memory_clean(&w->memory));
}

static svr__flow_key key_of(uint32_t number)
{
    svr__flow_key k = {.proto = SVR_PROTO_UDP, .sport = (uint16_t)number};
    return k;
}

static uint32_t session_number(const struct world *w, const svr__session *s)
{
    return svr__session_number(&w->table, s);
}

/* A session whose forward flow has the key; the other one its own. */
static void begin(struct world *w, uint32_t key)
{
    svr_uuid uuid;
    test_fill(&w->seed, uuid.b, sizeof(uuid.b));
    svr__session *s = svr__session_create(&w->table, &uuid);
    cr_assert_eq(s == NULL, w->count == CAP);
    if (!s)
        return;
    svr__flow *f = svr__session_flow(&w->table, s, SVR__CLIENT);
    f->key = key_of(key);
    bool bound = svr__flow_bind(&w->table, f);
    cr_assert_eq(bound, w->by_key[key].kind == FREE);
    if (!bound) {
        svr__session_end(&w->table, s);
        return;
    }
    w->by_key[key] = (struct entry){FLOW, session_number(w, s), SVR_NEVER};
    w->alive[w->count++] = s;
}

static void end(struct world *w, size_t victim)
{
    uint32_t number = session_number(w, w->alive[victim]);
    svr__session_end(&w->table, w->alive[victim]);
    w->alive[victim] = w->alive[--w->count];
    for (uint32_t i = 0; i < KEYS; i++)
        if (w->by_key[i].kind != FREE && w->by_key[i].session == number)
            w->by_key[i] = (struct entry){0};
}

static size_t alias_count(const struct world *w)
{
    size_t count = 0;
    for (uint32_t i = 0; i < KEYS; i++)
        count += w->by_key[i].kind == OLD || w->by_key[i].kind == LEG;
    return count;
}

static void add(struct world *w, svr__session *s, uint32_t key, bool leg)
{
    svr__alias what = {
        .key = key_of(key),
        .session = session_number(w, s),
        .pathway = 3,
        .kind = leg ? SVR__ALIAS_LEG : SVR__ALIAS_OLD,
    };
    bool possible = w->by_key[key].kind == FREE && alias_count(w) < CAP;
    svr__alias *a = svr__alias_bind(&w->table, what, w->now);
    cr_assert_eq(a != NULL, possible);
    if (a)
        w->by_key[key] =
            (struct entry){leg ? LEG : OLD, what.session,
                           leg ? SVR_NEVER : w->now + SVR__ALIAS_TIME};
}

/* The flow gets another key; its old one lives on, as in a move. */
static void move(struct world *w, svr__session *s, uint32_t key)
{
    svr__flow *f = svr__session_flow(&w->table, s, SVR__CLIENT);
    uint32_t before = f->key.sport;
    if (w->by_key[key].kind != FREE)
        return;
    svr__flow_unbind(&w->table, f);
    f->key = key_of(key);
    cr_assert(svr__flow_bind(&w->table, f));
    w->by_key[key] = w->by_key[before];
    w->by_key[before] = (struct entry){0};
    add(w, s, before, false);
}

static void pass(struct world *w)
{
    svr__alias *a;
    w->now += test_below(&w->seed, 200) * SVR_MILLISECOND;
    while ((a = svr__aliases_expired(&w->table.aliases, w->now)))
        svr__alias_remove(&w->table.aliases, a);
    svr_time next = SVR_NEVER;
    for (uint32_t i = 0; i < KEYS; i++) {
        struct entry *e = &w->by_key[i];
        if (e->kind == OLD && e->until <= w->now)
            *e = (struct entry){0};
        else if (e->kind == OLD && e->until < next)
            next = e->until;
    }
    cr_assert_eq(svr__aliases_due(&w->table.aliases), next);
}

/* A key stands for what the dictionary says, and for nothing else. */
static void check_key(const struct world *w, uint32_t i)
{
    svr__flow_key key = key_of(i);
    uint64_t hash = svr__flow_hash(&w->table, &key);
    const struct entry *e = &w->by_key[i];
    svr__flow *f = svr__flow_find(&w->table, &key, hash);
    svr__alias *a = svr__alias_find(&w->table.aliases, &key, hash);
    cr_assert_eq(f != NULL, e->kind == FLOW);
    cr_assert_eq(a != NULL, e->kind == OLD || e->kind == LEG);
    cr_assert_eq(svr__key_taken(&w->table, &key), e->kind != FREE);
    if (f)
        cr_assert_eq(session_number(w, svr__flow_session(&w->table, f)),
                     e->session);
    if (a) {
        cr_assert_eq(a->session, e->session);
        cr_assert_eq(a->until, e->until);
        cr_assert_eq(a->kind == SVR__ALIAS_LEG, e->kind == LEG);
    }
}

/* Each session's list has its aliases and no others. */
static void check_lists(const struct world *w)
{
    size_t listed = 0;
    for (uint32_t s = 0; s < CAP; s++)
        for (svr__alias *a = svr__alias_first(&w->table.aliases, s); a;
             a = svr__alias_next(&w->table.aliases, a)) {
            cr_assert_eq(a->session, s);
            listed++;
        }
    cr_assert_eq(listed, alias_count(w));
}

Test(session_alias, agrees_with_a_dictionary)
{
    static struct world w;
    open_world(&w);
    for (int step = 0; step < STEPS; step++) {
        uint32_t key = test_below(&w.seed, KEYS);
        uint32_t what = test_below(&w.seed, 100);
        size_t some = w.count ? test_below(&w.seed, (uint32_t)w.count) : 0;
        if (what < 15 || w.count == 0)
            begin(&w, key);
        else if (what < 25)
            end(&w, some);
        else if (what < 60)
            move(&w, w.alive[some], key);
        else if (what < 75)
            add(&w, w.alive[some], key, what < 65);
        else
            pass(&w);
        check_key(&w, key);
        if (step % 100 == 0) {
            for (uint32_t i = 0; i < KEYS; i++)
                check_key(&w, i);
            check_lists(&w);
        }
    }
    cr_assert_gt(w.table.aliases.refused, 0, "the pool was full at times");
    while (w.count)
        end(&w, 0);
    cr_assert_eq(w.table.aliases.by_key.count, 0, "none outlives its session");
    cr_assert_eq(w.table.by_key.count, 0);
    close_world(&w);
}

/* A table without memory for its aliases is none, and leaves nothing. */
Test(session_alias, no_memory)
{
    size_t n = 1;
    int err;
    do {
        test_memory memory = {.fail_at = n++};
        svr_allocator alloc = test_allocator(&memory);
        uint64_t seed = 1;
        svr_random random = {test_fill, &seed};
        svr__table t;
        err = svr__table_init(&t, CAP, &random, 0, &alloc);
        cr_assert(err == 0 || err == SVR_ERR_NO_MEMORY);
        if (err == 0)
            svr__table_fini(&t);
        cr_assert(test_memory_clean(&memory), "at allocation %zu", n - 1);
    } while (err < 0);
    cr_assert_gt(n, 8);
}

/* Where room is short, a large table has some for those on the move. */
Test(session_alias, room)
{
    static const struct {
        uint32_t sessions, room;
    } rows[] = {
        {1, 1}, {4096, 4096}, {4097, 4096}, {16384, 4096}, {100000, 25000}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_memory memory = {0};
        svr_allocator alloc = test_allocator(&memory);
        svr__aliases a;
        cr_assert_eq(svr__aliases_init(&a, rows[i].sessions, &alloc), 0);
        cr_assert_eq(a.cap, rows[i].room);
        svr__aliases_fini(&a);
        cr_assert(test_memory_clean(&memory));
    }
}
