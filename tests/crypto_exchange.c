/* The key exchange (S12.3): each attack by hand. */
#include <criterion/criterion.h>

#include "exchange_pair.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static pair p;

static void start(void)
{
    cr_assert_eq(svr_crypto_init(), 0);
    pair_init(&p);
}

TestSuite(exchange, .init = start);

/* The one message on its way. */
static pair_message only(void)
{
    cr_assert_eq(p.count, 1);
    return pair_pop(&p, 0);
}

/* Runs of end 0 alone: end 1 has nothing to begin. */
static void silence(unsigned which)
{
    p.end[which].x.start_at = SVR_NEVER;
}

/* The messages of one run that end `by` begins, START to CONFIRM; the last is
 * not delivered. */
static void record(unsigned by, pair_message m[4])
{
    silence(!by);
    for (unsigned i = 0; i < 4; i++) {
        if (i % 2 == 0)
            pair_serve(&p, by);
        m[i] = only();
        cr_assert_eq(m[i].bytes[0], i + 1);
        if (i < 3)
            cr_assert_eq(pair_deliver(&p, &m[i]), SVR_EXCHANGE_ACCEPTED);
    }
}

static void remac(pair_message *m, unsigned by)
{
    svr__exchange_mac1(m->bytes + m->len - 32, p.end[by].x.starting, m->bytes,
                       m->len);
}

static void expect(const pair_message *m, enum svr_exchange_verdict want)
{
    unsigned before = p.count;
    enum svr_exchange_verdict got = pair_deliver(&p, m);

    cr_assert_eq(got, want, "%s, not %s", svr_exchange_verdict_name(got),
                 svr_exchange_verdict_name(want));
    if (want != SVR_EXCHANGE_ACCEPTED && want != SVR_EXCHANGE_LOADED)
        cr_assert_eq(p.count, before, "it was answered");
}

Test(exchange, both_agree_and_nothing_is_left_of_the_run)
{
    const svr__run none = {0};

    cr_assert_null(svr_exchange_current(&p.end[0].x));
    pair_settle(&p);
    cr_assert(pair_agrees(&p));
    for (unsigned i = 0; i < 2; i++)
        cr_assert_eq(memcmp(&p.end[i].x.run, &none, sizeof(none)), 0);
    const svr_generation *a = svr_exchange_current(&p.end[0].x);
    const svr_generation *b = svr_exchange_current(&p.end[1].x);
    cr_assert_neq(a->receive_id, 0);
    cr_assert_neq(memcmp(a->own_metadata, a->peer_metadata, 32), 0);
    cr_assert_arr_eq(a->own_metadata, b->peer_metadata, 32);
    cr_assert_eq(p.end[0].x.current % 2, 0);
}

/* docs/security.md has these. */
Test(exchange, messages_are_as_long_as_documented)
{
    static const size_t lens[] = {92, 203, 245, 62};
    pair_message m[4];

    record(0, m);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(m[i].len, lens[i], "%u: %zu", i, m[i].len);
        cr_assert_leq(m[i].len, SVR_EXCHANGE_MAX);
    }
    cr_assert_lt(m[1].len, 3 * m[0].len);
}

/* S11.6: accepted before it is announced, used once the peer has proved that
 * it has it. */
Test(exchange, who_uses_new_keys_knows_that_the_peer_has_them)
{
    svr_exchange *i = &p.end[0].x, *r = &p.end[1].x;

    silence(1);
    pair_serve(&p, 0);
    pair_message m = only();
    expect(&m, SVR_EXCHANGE_ACCEPTED);
    cr_assert_eq(svr__generation_newest(r), 0);
    m = only();
    expect(&m, SVR_EXCHANGE_ACCEPTED);
    cr_assert_eq(svr__generation_newest(i), 2);
    cr_assert_null(svr_exchange_current(i));
    pair_serve(&p, 0);
    m = only();
    expect(&m, SVR_EXCHANGE_ACCEPTED);
    cr_assert_eq(r->current, 2);
    cr_assert(pair_understands(&p, 1));
    cr_assert_null(svr_exchange_current(i));
    m = only();
    expect(&m, SVR_EXCHANGE_ACCEPTED);
    cr_assert(pair_agrees(&p));
}

static bool is_mac2(const pair_message *m, size_t byte)
{
    return m->bytes[0] == SVR__EXCHANGE_START && byte >= m->len - 16;
}

/* The receiver of the n-th message refuses it with any one bit changed, and
 * then takes it as it was. */
Test(exchange, no_bit_of_any_message_can_change)
{
    silence(1);
    for (unsigned n = 0; n < 4; n++) {
        if (n % 2 == 0)
            pair_serve(&p, 0);
        pair_message m = only();
        for (size_t bit = 0; bit < 8 * m.len; bit++) {
            pair_message bad = m;
            bad.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (is_mac2(&m, bit / 8)) /* asked for under load only */
                continue;
            cr_assert_neq(pair_deliver(&p, &bad), SVR_EXCHANGE_ACCEPTED,
                          "message %u, bit %zu", n + 1, bit);
            cr_assert_eq(p.count, 0);
        }
        expect(&m, SVR_EXCHANGE_ACCEPTED);
    }
    cr_assert(pair_agrees(&p));
}

Test(exchange, no_message_can_be_longer_or_shorter)
{
    static uint8_t buf[SVR_EXCHANGE_MAX + 1];
    svr_exchange_reply reply;
    pair_message m[4];

    record(0, m);
    for (unsigned n = 0; n < 4; n++)
        for (size_t len = 0; len <= m[n].len + 1; len++) {
            memcpy(buf, m[n].bytes, m[n].len);
            if (len != m[n].len)
                cr_assert_eq(pair_take(&p, !m[n].from, buf, len, &reply),
                             SVR_EXCHANGE_MALFORMED);
        }
    m[3].bytes[1] = 2;
    expect(&m[3], SVR_EXCHANGE_VERSION);
    m[3].bytes[1] = 1;
    expect(&m[3], SVR_EXCHANGE_ACCEPTED);
    cr_assert(pair_agrees(&p));
}

/* Strangers cost nothing: neither do messages that could be genuine. */
Test(exchange, a_start_leaves_nothing_behind)
{
    static svr_exchange before;

    silence(1);
    pair_serve(&p, 0);
    pair_message m = only();
    before = p.end[1].x;
    for (int i = 0; i < 50; i++) {
        memset(m.bytes + 10, i, 16); /* its salt */
        remac(&m, 0);
        expect(&m, SVR_EXCHANGE_ACCEPTED);
        pair_pop(&p, 0);
    }
    cr_assert_eq(memcmp(&before, &p.end[1].x, sizeof(before)), 0);
}

/* Who is not the router whose key is pinned. */
Test(exchange, other_identities_are_strangers)
{
    static pair q;

    pair_init(&q);
    memset(q.end[0].seed, 99, SVR_IDENTITY_SEED_SIZE);
    pair_start(&q, 0); /* as itself, to the same peer */
    pair_serve(&q, 0);
    expect(&q.queue[0], SVR_EXCHANGE_STRANGER);
    /* a genuine start for somebody else, sent on */
    pair_init(&q);
    memset(q.end[1].seed, 99, SVR_IDENTITY_SEED_SIZE);
    pair_start(&q, 0);
    q.count = 0;
    pair_serve(&q, 0);
    expect(&q.queue[0], SVR_EXCHANGE_STRANGER);
}

Test(exchange, another_name_is_another_router)
{
    p.end[0].name = "eastern";
    pair_start(&p, 0); /* which the other end has not heard of */
    silence(1);
    pair_serve(&p, 0);
    pair_message m = only();
    expect(&m, SVR_EXCHANGE_STRANGER);
}

/* Knows all public keys, and lacks the private one. */
Test(exchange, an_impostor_who_answers_is_found_out)
{
    p.end[1].identity.private_key[3] ^= 1;
    silence(1);
    pair_serve(&p, 0);
    pair_message m = only();
    expect(&m, SVR_EXCHANGE_ACCEPTED);
    m = only();
    expect(&m, SVR_EXCHANGE_SIGNATURE);
    cr_assert_eq(svr__generation_newest(&p.end[0].x), 0);
}

Test(exchange, an_impostor_who_starts_is_found_out)
{
    p.end[0].identity.private_key[3] ^= 1;
    silence(1);
    for (unsigned n = 0; n < 3; n++) {
        if (n % 2 == 0)
            pair_serve(&p, 0);
        pair_message m = only();
        expect(&m, n == 2 ? SVR_EXCHANGE_SIGNATURE : SVR_EXCHANGE_ACCEPTED);
    }
    cr_assert_eq(svr__generation_newest(&p.end[1].x), 0);
}

/* Misbinding: a router with keys of its own answers as itself, where another
 * one was asked. */
Test(exchange, swapped_identities_are_found_out)
{
    svr_random random = pair_random(&p.end[1]);

    silence(1);
    svr_identity_init(&p.end[1].identity, (uint8_t[32]){5}, &random);
    pair_serve(&p, 0);
    pair_message m = only();
    expect(&m, SVR_EXCHANGE_ACCEPTED);
    m = only();
    expect(&m, SVR_EXCHANGE_IDENTITY);

    start();
    random = pair_random(&p.end[0]);
    svr_identity_init(&p.end[0].identity, (uint8_t[32]){5}, &random);
    silence(1);
    for (unsigned n = 0; n < 3; n++) {
        if (n % 2 == 0)
            pair_serve(&p, 0);
        m = only();
        expect(&m, n == 2 ? SVR_EXCHANGE_IDENTITY : SVR_EXCHANGE_ACCEPTED);
    }
}

Test(exchange, reflected_messages_are_refused)
{
    static const enum svr_exchange_verdict want[] = {
        SVR_EXCHANGE_STRANGER, SVR_EXCHANGE_RUN, SVR_EXCHANGE_TICKET,
        SVR_EXCHANGE_RUN};
    pair_message m[4];

    record(0, m);
    for (unsigned n = 0; n < 4; n++) {
        m[n].from = !m[n].from;
        expect(&m[n], want[n]);
    }
    /* in the middle of a run of its own, too */
    start();
    record(0, m);
    pair_start(&p, 1);
    pair_serve(&p, 1);
    pair_pop(&p, 0);
    for (unsigned n = 0; n < 3; n++) {
        m[n].from = 1;
        cr_assert_neq(pair_deliver(&p, &m[n]), SVR_EXCHANGE_ACCEPTED);
    }
}

/* All of a former run, after the next one, after the overlap, after the secrets
 * have turned, after a restart. */
Test(exchange, replayed_messages_change_nothing)
{
    pair_message m[4];

    record(0, m);
    expect(&m[1], SVR_EXCHANGE_RUN);
    expect(&m[2], SVR_EXCHANGE_ACCEPTED); /* confirmed again */
    cr_assert_eq(memcmp(only().bytes, m[3].bytes, m[3].len), 0);
    expect(&m[3], SVR_EXCHANGE_ACCEPTED);
    expect(&m[3], SVR_EXCHANGE_RUN);
    cr_assert(pair_agrees(&p));

    p.now += 5 * SVR_SECOND;
    svr_exchange_request(&p.end[0].x, p.now);
    pair_settle(&p);
    pair_hear(&p);
    cr_assert_eq(p.end[1].x.current, 4);
    expect(&m[0], SVR_EXCHANGE_ACCEPTED); /* an answer, and no more */
    pair_message again = only();
    expect(&again, SVR_EXCHANGE_RUN);
    expect(&m[1], SVR_EXCHANGE_RUN);
    expect(&m[2], SVR_EXCHANGE_ACCEPTED); /* it is still alive */
    again = only();
    expect(&again, SVR_EXCHANGE_RUN);
    cr_assert_eq(p.end[1].x.current, 4);

    p.now += SVR_EXCHANGE_OVERLAP;
    expect(&m[2], SVR_EXCHANGE_GENERATION);
    p.now += 240 * SVR_SECOND;
    expect(&m[2], SVR_EXCHANGE_TICKET);
    pair_start(&p, 1);
    silence(1);
    expect(&m[2], SVR_EXCHANGE_TICKET);
    expect(&m[3], SVR_EXCHANGE_RUN);
    cr_assert_eq(p.end[1].x.current, 0);
}

/* A run that was held back is older than the one that came through. */
Test(exchange, an_older_run_does_not_take_the_place_of_a_newer_one)
{
    svr_exchange_reply reply;
    pair_message late;
    static pair q;

    silence(1);
    q = p; /* the router starts twice */
    pair_serve(&q, 0);
    pair_deliver(&q, &q.queue[0]);
    p.end[1].x = q.end[1].x;
    pair_deliver(&q, &q.queue[1]);
    q.count = 0;
    pair_serve(&q, 0);
    late = q.queue[0];
    cr_assert_eq(late.bytes[0], SVR__EXCHANGE_FINISH);

    p.end[0].dice = 77;
    p.now += SVR_SECOND;
    pair_settle(&p);
    cr_assert(pair_agrees(&p));
    cr_assert_eq(pair_take(&p, 1, late.bytes, late.len, &reply),
                 SVR_EXCHANGE_GENERATION);
    cr_assert(pair_agrees(&p));
}

/* The list of a START, with its MAC made right: everybody can. */
Test(exchange, downgraded_algorithms_are_found_out)
{
    static const struct {
        uint8_t list[5]; /* count first */
        enum svr_exchange_verdict start, answer;
    } rows[] = {
        {{1, 2}, SVR_EXCHANGE_ALGORITHM, 0},
        {{2, 0, 9}, SVR_EXCHANGE_ALGORITHM, 0},
        {{2, 2, 1}, SVR_EXCHANGE_ACCEPTED, SVR_EXCHANGE_KEY},
        {{4, 1, 1, 1, 1}, SVR_EXCHANGE_ACCEPTED, SVR_EXCHANGE_KEY},
        {{0}, SVR_EXCHANGE_MALFORMED, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        start();
        silence(1);
        pair_serve(&p, 0);
        pair_message m = only();
        m.len = 59u + rows[i].list[0] + 32;
        memcpy(m.bytes + 58, rows[i].list, sizeof(rows[i].list));
        remac(&m, 0);
        expect(&m, rows[i].start);
        if (rows[i].start != SVR_EXCHANGE_ACCEPTED)
            continue;
        m = only();
        expect(&m, rows[i].answer);
    }
    start();
    silence(1);
    pair_serve(&p, 0);
    pair_message m = only();
    expect(&m, SVR_EXCHANGE_ACCEPTED);
    m = only();
    m.bytes[10] = 2; /* the responder's choice */
    expect(&m, SVR_EXCHANGE_ALGORITHM);
}

Test(exchange, unknown_generations_are_refused)
{
    pair_message m[4];

    silence(1);
    pair_serve(&p, 0);
    m[0] = only();
    expect(&m[0], SVR_EXCHANGE_ACCEPTED);
    m[1] = only();
    for (unsigned number = 0; number < 6; number++) {
        pair_message bad = m[1];
        bad.bytes[9] = (uint8_t)number;
        if (number != 2)
            expect(&bad,
                   number == 4 ? SVR_EXCHANGE_KEY : SVR_EXCHANGE_GENERATION);
    }
    /* a start that asks for the end of all numbers */
    memset(m[0].bytes + 6, 0xff, 4);
    remac(&m[0], 0);
    expect(&m[0], SVR_EXCHANGE_GENERATION);
    cr_assert_null(svr_exchange_by_id(&p.end[0].x, 0));
    cr_assert_null(svr_exchange_by_number(&p.end[0].x, 0));
    cr_assert_null(svr_exchange_by_id(&p.end[0].x, 12345));
}

Test(exchange, ephemeral_keys_that_give_nothing_away_are_refused)
{
    silence(1);
    pair_serve(&p, 0);
    pair_message m = only(), bad = m;
    memset(bad.bytes + 26, 0, 32);
    remac(&bad, 0);
    expect(&bad, SVR_EXCHANGE_POINT);
    expect(&m, SVR_EXCHANGE_ACCEPTED);
    m = only();
    bad = m;
    memset(bad.bytes + 27, 0, 32);
    expect(&bad, SVR_EXCHANGE_POINT);
    expect(&m, SVR_EXCHANGE_ACCEPTED);
}

Test(exchange, under_load_a_cookie_is_asked_for)
{
    silence(1);
    p.loaded = true;
    pair_serve(&p, 0);
    pair_message first = only();
    expect(&first, SVR_EXCHANGE_LOADED);
    pair_message cookie = only();
    cr_assert_eq(cookie.len, 54);
    cr_assert_lt(cookie.len, first.len);
    pair_message bad = cookie;
    bad.bytes[30] ^= 1;
    expect(&bad, SVR_EXCHANGE_KEY);
    expect(&cookie, SVR_EXCHANGE_ACCEPTED);
    pair_serve(&p, 0); /* at once */
    pair_message again = only();
    p.address = 1; /* somebody else's cookie */
    expect(&again, SVR_EXCHANGE_LOADED);
    pair_message other = only();
    p.address = 0;
    expect(&again, SVR_EXCHANGE_ACCEPTED);
    /* no second hurry: two that disagree would be at it for ever */
    expect(&other, SVR_EXCHANGE_ACCEPTED);
    pair_message answer = only();
    pair_serve(&p, 0);
    cr_assert_eq(p.count, 0);
    expect(&answer, SVR_EXCHANGE_ACCEPTED);
    pair_settle(&p);
    cr_assert(pair_agrees(&p));
}

Test(exchange, a_cookie_grows_old)
{
    silence(1);
    p.loaded = true;
    pair_serve(&p, 0);
    pair_message m = only();
    expect(&m, SVR_EXCHANGE_LOADED);
    m = only();
    expect(&m, SVR_EXCHANGE_ACCEPTED);
    pair_serve(&p, 0);
    m = only();
    p.now += 241 * SVR_SECOND;
    expect(&m, SVR_EXCHANGE_LOADED);
    m = only();
    m.bytes[5] ^= 1; /* of another run */
    expect(&m, SVR_EXCHANGE_RUN);
}

Test(exchange, of_two_starts_the_lower_identitys_stands)
{
    for (unsigned i = 0; i < 2; i++)
        pair_serve(&p, i);
    pair_message low = pair_pop(&p, 0), high = pair_pop(&p, 0);
    expect(&high, SVR_EXCHANGE_GLARE);
    expect(&low, SVR_EXCHANGE_ACCEPTED);
    pair_settle(&p);
    cr_assert(pair_agrees(&p));
    cr_assert_eq(p.end[0].x.current, 2);
    cr_assert_eq(p.end[1].x.run.state, SVR__RUN_NONE);
}

/* The lower one has waited long: the other's start, which it refuses, makes it
 * say so. */
Test(exchange, who_refuses_a_start_repeats_its_own)
{
    silence(1);
    for (int i = 0; i < 8; i++) {
        p.now = p.end[0].x.run.state ? p.end[0].x.run.send_at : p.now;
        pair_serve(&p, 0);
        pair_pop(&p, 0);
    }
    p.now += 5 * SVR_SECOND;
    p.end[1].x.start_at = p.now;
    svr_time before = p.now;
    pair_settle(&p);
    cr_assert(pair_agrees(&p));
    cr_assert_eq(p.now, before);
}

Test(exchange, messages_come_again_after_1_2_4_up_to_30_seconds)
{
    static const unsigned waits[] = {1, 2, 4, 8, 16, 30, 30, 30};
    svr_exchange *x = &p.end[0].x;
    uint8_t buf[SVR_EXCHANGE_MAX];

    svr_exchange_handle(x, p.now);
    for (size_t i = 0; i < COUNT(waits); i++) {
        cr_assert_eq(svr_exchange_send(x, buf, p.now), 92);
        cr_assert_eq(svr_exchange_send(x, buf, p.now), 0);
        cr_assert_eq(x->run.send_at, p.now + waits[i] * SVR_SECOND);
        p.now = x->run.send_at - 1;
        cr_assert_eq(svr_exchange_send(x, buf, p.now), 0);
        p.now++;
    }
}

/* An answer is good for a while only; then the run begins anew. The peer may
 * use its keys all the same, until there are newer ones. */
Test(exchange, after_three_finishes_there_is_another_start)
{
    svr_exchange *x = &p.end[0].x;
    uint8_t buf[SVR_EXCHANGE_MAX], kinds[5] = {0};

    silence(1);
    pair_serve(&p, 0);
    pair_message m = only();
    expect(&m, SVR_EXCHANGE_ACCEPTED);
    m = only();
    expect(&m, SVR_EXCHANGE_ACCEPTED);
    for (int i = 0; i < 5; i++) {
        if (svr_exchange_send(x, buf, p.now) > 0)
            kinds[i] = buf[0];
        p.now = x->run.send_at;
    }
    cr_assert_arr_eq(kinds, ((uint8_t[]){3, 3, 3, 1, 1}), 5);
    cr_assert_not_null(svr_exchange_by_number(x, 2));
    p.now += 10000 * SVR_SECOND;
    svr_exchange_handle(x, p.now);
    cr_assert_not_null(svr_exchange_by_number(x, 2));
    pair_settle(&p);
    cr_assert(pair_agrees(&p));
    cr_assert_eq(x->current, 4);
    svr_exchange_handle(x, p.now + SVR_EXCHANGE_OVERLAP);
    cr_assert_null(svr_exchange_by_number(x, 2));
}

/* Two runs cross. Both have made keys, and what is lost then leaves each with
 * the other's: the later ones have been confirmed, but nobody has heard so. */
Test(exchange, runs_that_cross_and_lose_confirmations_end_with_the_same_keys)
{
    for (unsigned i = 0; i < 2; i++)
        pair_serve(&p, i);
    pair_message low = pair_pop(&p, 0), high = pair_pop(&p, 0);
    expect(&low, SVR_EXCHANGE_ACCEPTED);
    low = only();
    expect(&low, SVR_EXCHANGE_ACCEPTED);
    pair_serve(&p, 0);
    low = only(); /* FINISH of 2 */
    expect(&high, SVR_EXCHANGE_ACCEPTED);
    high = only();
    expect(&high, SVR_EXCHANGE_ACCEPTED);
    pair_serve(&p, 1);
    high = only(); /* FINISH of 3 */
    expect(&high, SVR_EXCHANGE_ACCEPTED);
    pair_pop(&p, 0);
    while (p.end[1].x.run.state == SVR__RUN_FINISHING) {
        p.now = p.end[1].x.run.send_at;
        pair_serve(&p, 1);
        p.count = 0;
    }
    expect(&low, SVR_EXCHANGE_ACCEPTED);
    pair_message late = only();
    expect(&late, SVR_EXCHANGE_RUN);
    cr_assert_not(pair_agrees(&p));
    pair_run(&p, p.now + 60 * SVR_SECOND);
    cr_assert(pair_agrees(&p));
}

/* They do not take places for ever. */
Test(exchange, the_oldest_unconfirmed_keys_make_room)
{
    svr_exchange *x = &p.end[0].x;
    uint8_t buf[SVR_EXCHANGE_MAX];

    silence(1);
    for (unsigned i = 0; i < 2 * SVR_EXCHANGE_LIVE; i++) {
        while (x->run.state != SVR__RUN_FINISHING) {
            p.now = x->run.state ? x->run.send_at : p.now;
            pair_serve(&p, 0);
            pair_message m = only();
            expect(&m, SVR_EXCHANGE_ACCEPTED);
            m = only();
            expect(&m, SVR_EXCHANGE_ACCEPTED);
        }
        while (x->run.state == SVR__RUN_FINISHING && x->run.finishes < 3) {
            p.now = x->run.send_at;
            cr_assert_gt(svr_exchange_send(x, buf, p.now), 0);
        }
        svr__run_begin(x, p.now);
    }
    cr_assert_null(svr_exchange_by_number(x, 2));
    cr_assert_eq(svr__generation_newest(x), 4 * SVR_EXCHANGE_LIVE);
    pair_settle(&p);
    cr_assert(pair_agrees(&p));
}

Test(exchange, keys_are_renewed_in_time)
{
    pair_run(&p, p.now + SVR_SECOND);
    uint32_t first = p.end[0].x.current;
    svr_time made = svr_exchange_current(&p.end[0].x)->made;
    pair_run(&p, made + SVR_EXCHANGE_REKEY - SVR_SECOND);
    cr_assert_eq(p.end[0].x.current, first);
    pair_run(&p, made + SVR_EXCHANGE_REKEY + SVR_SECOND);
    cr_assert_gt(p.end[0].x.current, first);
    cr_assert(pair_agrees(&p));
    /* by one of the two alone */
    cr_assert_eq(p.end[0].x.live[2].number, 0);
}

Test(exchange, keys_are_renewed_never_or_by_another_interval)
{
    p.rekey = SVR_NEVER;
    pair_start(&p, 0);
    pair_start(&p, 1);
    pair_run(&p, p.now + 1000 * SVR_EXCHANGE_REKEY);
    uint32_t first = p.end[0].x.current;
    cr_assert_eq(p.end[0].x.live[1].number, 0);
    svr_exchange_set_rekey(&p.end[1].x, 3600 * SVR_SECOND);
    pair_run(&p, p.now + SVR_SECOND);
    cr_assert_gt(p.end[1].x.current, first);
    cr_assert(pair_agrees(&p));
}

Test(exchange, requests_are_merged)
{
    pair_run(&p, p.now + 10 * SVR_SECOND);
    uint32_t first = p.end[0].x.current;
    for (int i = 0; i < 10; i++)
        svr_exchange_request(&p.end[0].x, p.now);
    pair_run(&p, p.now + 10 * SVR_SECOND);
    cr_assert_eq(p.end[0].x.current, first + 2);
    /* while a run is open, too */
    svr_exchange_request(&p.end[0].x, p.now);
    pair_serve(&p, 0);
    svr_exchange_request(&p.end[0].x, p.now);
    pair_run(&p, p.now + 10 * SVR_SECOND);
    cr_assert_eq(p.end[0].x.current, first + 4);
    /* and not more often than once a second */
    svr_exchange_request(&p.end[0].x, p.now);
    pair_run(&p, p.now + SVR_SECOND / 2);
    svr_exchange_request(&p.end[0].x, p.now);
    cr_assert_eq(svr_exchange_due(&p.end[0].x),
                 svr_exchange_current(&p.end[0].x)->made + SVR_SECOND);
}

/* S11.6 */
Test(exchange, old_keys_die_after_the_peers_acknowledgement)
{
    svr_exchange *x = &p.end[1].x;

    pair_run(&p, p.now + 10 * SVR_SECOND);
    uint32_t old = x->current;
    silence(1);
    svr_exchange_request(&p.end[0].x, p.now);
    pair_settle(&p);
    cr_assert_gt(x->current, old);
    p.now += 1000 * SVR_SECOND; /* the peer has used nothing new yet */
    svr_exchange_heard(x, old, p.now);
    svr_exchange_handle(x, p.now);
    cr_assert_not_null(svr_exchange_by_number(x, old));
    svr_exchange_heard(x, x->current, p.now);
    p.now += SVR_EXCHANGE_OVERLAP - 1;
    svr_exchange_heard(x, x->current, p.now);
    svr_exchange_handle(x, p.now);
    cr_assert_not_null(svr_exchange_by_number(x, old));
    p.now++;
    cr_assert_leq(svr_exchange_due(x), p.now);
    svr_exchange_handle(x, p.now);
    cr_assert_null(svr_exchange_by_number(x, old));
    cr_assert_not_null(svr_exchange_current(x));
}

/* What the own side does not use yet says nothing of the keys that it does. */
Test(exchange, keys_that_are_not_used_yet_replace_none)
{
    svr_exchange *x = &p.end[0].x;

    pair_run(&p, p.now + 10 * SVR_SECOND);
    uint32_t old = x->current;
    silence(1);
    svr_exchange_request(x, p.now);
    pair_serve(&p, 0);
    for (unsigned i = 0; i < 2; i++) {
        pair_message m = only();
        expect(&m, SVR_EXCHANGE_ACCEPTED);
    }
    cr_assert_eq(svr__generation_newest(x), old + 2);
    svr_exchange_heard(x, old + 2, p.now);
    cr_assert_eq(svr_exchange_by_number(x, old)->dies, SVR_NEVER);
}

/* Whatever was said in the clear, and who with whom: each of it makes other
 * keys. */
Test(exchange, keys_hang_on_all_that_was_said)
{
    uint8_t both[32] = {1}, start_bytes[20] = {2}, salt[16] = {3};
    uint8_t secret[32] = {4}, peer[32], ticket[16] = {5}, ephemeral[32] = {6};
    svr__exchange_message m = {.generation = 7,
                               .algorithm = 1,
                               .salt = salt,
                               .ephemeral = ephemeral,
                               .ticket = ticket};
    uint8_t *const places[] = {
        both,      start_bytes + 19,         salt,        ticket + 15,
        ephemeral, (uint8_t *)&m.generation, &m.algorithm};
    const svr_span said = {start_bytes, sizeof(start_bytes)};
    svr__exchange_keys first, other;

    svr_x25519_public(peer, (uint8_t[32]){9});
    cr_assert(svr__exchange_derive(&first, both, said, &m, secret, peer));
    for (size_t i = 0; i < COUNT(places); i++) {
        *places[i] ^= 1;
        cr_assert(svr__exchange_derive(&other, both, said, &m, secret, peer));
        cr_assert_neq(memcmp(first.peer, other.peer, 32), 0, "place %zu", i);
        cr_assert_neq(memcmp(first.answer, other.answer, 32), 0);
        *places[i] ^= 1;
    }
    cr_assert(svr__exchange_derive(&other, both, said, &m, secret, peer));
    cr_assert_eq(memcmp(&first, &other, sizeof(first)), 0);
}

/* S12.4: overdue for the pathway; the keys stay. */
Test(exchange, without_an_answer_the_peer_is_overdue_and_keys_survive)
{
    svr_exchange *x = &p.end[0].x;
    svr_exchange_info info;
    uint8_t buf[SVR_EXCHANGE_MAX];

    pair_run(&p, p.now + 10 * SVR_SECOND);
    svr_exchange_request(x, p.now);
    svr_time begun = p.now;
    while (p.now < begun + SVR_EXCHANGE_PATIENCE) {
        svr_exchange_describe(x, &info, p.now);
        cr_assert_not(info.overdue);
        svr_exchange_handle(x, p.now);
        cr_assert_leq(svr_exchange_send(x, buf, p.now), SVR_EXCHANGE_MAX);
        p.now = svr_exchange_due(x);
    }
    svr_exchange_describe(x, &info, p.now);
    cr_assert(info.overdue);
    cr_assert_not_null(svr_exchange_current(x));
    pair_run(&p, p.now + 60 * SVR_SECOND);
    svr_exchange_describe(x, &info, p.now);
    cr_assert_not(info.overdue);
    cr_assert(pair_agrees(&p));
}

/* Ten minutes of it, by command on both sides; what was sent up to 29 s ago is
 * understood still. */
Test(exchange, new_keys_every_second_lose_nothing)
{
    uint32_t ids[600] = {0};
    unsigned renewed = 0;

    pair_settle(&p);
    for (unsigned i = 0; i < 600; i++) {
        uint32_t before = p.end[0].x.current;
        svr_exchange_request(&p.end[i % 2].x, p.now);
        pair_run(&p, p.now + SVR_SECOND);
        cr_assert(pair_agrees(&p), "second %u", i);
        renewed += p.end[0].x.current > before;
        ids[i] = svr_exchange_current(&p.end[0].x)->send_id;
        if (i >= 29)
            cr_assert_not_null(svr_exchange_by_id(&p.end[1].x, ids[i - 29]),
                               "second %u", i);
    }
    cr_assert_geq(renewed, 590);
}

Test(exchange, too_many_generations_wait)
{
    svr_exchange *x = &p.end[1].x;

    pair_settle(&p);
    for (unsigned i = 0; i < 2 * SVR_EXCHANGE_LIVE; i++) {
        p.now += SVR_SECOND; /* and nobody hears of any */
        svr_exchange_request(&p.end[0].x, p.now);
        silence(1);
        pair_settle(&p);
    }
    cr_assert_null(svr__generation_place(x));
    cr_assert(pair_agrees(&p));
    p.now = p.end[0].x.run.send_at;
    pair_serve(&p, 0);
    pair_message m = only();
    expect(&m, SVR_EXCHANGE_FULL);
    pair_run(&p, p.now + 100 * SVR_SECOND);
    cr_assert(pair_agrees(&p));
    cr_assert_not_null(svr__generation_place(x));
}

Test(exchange, ids_are_never_zero_nor_the_same)
{
    p.end[0].identity.next_id = UINT32_MAX;
    pair_settle(&p);
    uint32_t first = svr_exchange_current(&p.end[0].x)->receive_id;
    cr_assert_eq(first, UINT32_MAX);
    p.now += SVR_SECOND;
    svr_exchange_request(&p.end[0].x, p.now);
    pair_settle(&p);
    cr_assert_eq(svr_exchange_current(&p.end[0].x)->receive_id, 1);
}

/* S12.7: a removed peer shall not read on. */
Test(exchange, a_new_metadata_key_goes_out_with_the_next_generation)
{
    svr_random random = pair_random(&p.end[0]);
    uint8_t old[SVR_KEY_SIZE];

    pair_settle(&p);
    memcpy(old, svr_exchange_current(&p.end[1].x)->peer_metadata, sizeof(old));
    svr_identity_renew(&p.end[0].identity, &random);
    cr_assert(pair_agrees(&p));
    p.now += SVR_SECOND;
    svr_exchange_request(&p.end[0].x, p.now);
    pair_settle(&p);
    cr_assert(pair_agrees(&p));
    cr_assert_neq(memcmp(old, svr_exchange_current(&p.end[1].x)->peer_metadata,
                         sizeof(old)),
                  0);
    cr_assert_arr_eq(p.end[0].identity.metadata_key,
                     svr_exchange_current(&p.end[1].x)->peer_metadata, 32);
}

Test(exchange, a_router_is_not_its_own_peer)
{
    svr_exchange_settings s = {
        .identity = &p.end[0].identity, .name = "east", .peer = "west"};
    static svr_exchange x;

    memcpy(s.peer_identity, p.end[0].identity.public_key, 32);
    cr_assert_eq(svr_exchange_init(&x, &s, 0), SVR_ERR_ARGUMENT);
    cr_assert_eq(svr_exchange_size() % alignof(max_align_t), 0);
}

Test(exchange, verdicts_have_names)
{
    for (unsigned v = 0; v < SVR_EXCHANGE_VERDICTS; v++)
        cr_assert_str_neq(svr_exchange_verdict_name(v), "unknown");
    cr_assert_str_eq(svr_exchange_verdict_name(SVR_EXCHANGE_VERDICTS),
                     "unknown");
}

Test(exchange, nothing_is_left_of_a_wiped_one)
{
    static svr_exchange zero;

    pair_settle(&p);
    svr_exchange_wipe(&p.end[0].x);
    cr_assert_eq(memcmp(&zero, &p.end[0].x, sizeof(zero)), 0);
}
