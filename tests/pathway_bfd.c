/* The BFD state machine in literal time. Each test names the section of RFC
 * 5880 that it is about. */
#include "pathway/bfd.h"

#include <criterion/criterion.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MS SVR_MILLISECOND
#define S SVR_SECOND

enum { MINE = 7, PEERS = 9 };

static const svr__bfd_config usual = {
    .discriminator = MINE,
    .desired_tx = 300000,
    .required_rx = 300000,
    .multiplier = 3,
};

/* What the peer sends in that state, once it knows us. */
static svr_bfd_packet peer(enum svr_bfd_state state)
{
    return (svr_bfd_packet){
        .state = (uint8_t)state,
        .multiplier = 5,
        .my_discriminator = PEERS,
        .your_discriminator = MINE,
        .desired_min_tx = 200000,
        .required_min_rx = 200000,
    };
}

static bool hear(svr__bfd *b, enum svr_bfd_state state, svr_time now)
{
    svr_bfd_packet p = peer(state);
    return svr__bfd_receive(b, &p, now);
}

/* All that is due at now goes; the last packet is returned. */
static svr_bfd_packet drain(svr__bfd *b, svr_time now)
{
    svr_bfd_packet out = {0}, last = {0};
    for (int i = 0; svr__bfd_send(b, &out, 0, now); i++) {
        cr_assert_lt(i, 3);
        last = out;
    }
    return last;
}

/* Up, polls answered, nothing owed, last sent and heard at t. */
static svr__bfd make_up(const svr__bfd_config *config, svr_time t)
{
    svr__bfd b;
    svr_bfd_packet final = peer(SVR_BFD_UP);
    final.final = true;
    svr__bfd_init(&b, config);
    hear(&b, SVR_BFD_INIT, t);
    svr__bfd_receive(&b, &final, t);
    cr_assert_eq(b.state, SVR_BFD_UP);
    drain(&b, t);
    return b;
}

/* 6.2, 6.8.6, 6.8.4, 6.8.16: every pair of state and event. */
Test(pathway_bfd, rfc5880_6_2_every_pair)
{
    enum { A, D, I, U, EXPIRE, DISABLE, ENABLE };
    static const struct {
        uint8_t from;
        int event;
        uint8_t to, diag;
    } rows[] = {
        {A, A, A, 5},       {A, D, A, 5},       {A, I, A, 5},
        {A, U, A, 5},       {D, A, D, 5},       {D, D, I, 5},
        {D, I, U, 0},       {D, U, D, 5},       {I, A, D, 3},
        {I, D, I, 5},       {I, I, U, 0},       {I, U, U, 0},
        {U, A, D, 3},       {U, D, D, 3},       {U, I, U, 5},
        {U, U, U, 5},       {A, EXPIRE, A, 5},  {D, EXPIRE, D, 5},
        {I, EXPIRE, D, 1},  {U, EXPIRE, D, 1},  {A, DISABLE, A, 5},
        {D, DISABLE, A, 7}, {I, DISABLE, A, 7}, {U, DISABLE, A, 7},
        {A, ENABLE, D, 0},  {D, ENABLE, D, 5},  {I, ENABLE, I, 5},
        {U, ENABLE, U, 5},
    };
    cr_assert_eq(COUNT(rows), 4 * 7);
    for (size_t i = 0; i < COUNT(rows); i++) {
        svr__bfd b;
        bool changed;
        svr__bfd_init(&b, &usual);
        hear(&b, SVR_BFD_ADMIN_DOWN, 1);
        drain(&b, 1);
        b.state = rows[i].from;
        b.diag = SVR_BFD_DIAG_PATH_DOWN; /* 5 */
        if (rows[i].event == EXPIRE)
            changed = svr__bfd_expire(&b, 100 * S);
        else if (rows[i].event >= DISABLE)
            changed = svr__bfd_admin(&b, rows[i].event == DISABLE);
        else
            changed = hear(&b, (enum svr_bfd_state)rows[i].event, 2);
        cr_expect_eq(b.state, rows[i].to, "row %zu", i);
        cr_expect_eq(b.diag, rows[i].diag, "row %zu: %u", i, b.diag);
        cr_expect_eq(changed, rows[i].from != rows[i].to, "row %zu", i);
        /* 6.8.7: what differs from the last packet goes at once. */
        cr_expect_eq(svr__bfd_due(&b) == 0, changed, "row %zu", i);
    }
}

Test(pathway_bfd, rfc5880_6_8_1_initial_values)
{
    svr__bfd b;
    svr_bfd_packet p;
    svr__bfd_init(&b, &usual);
    cr_expect_eq(svr__bfd_due(&b), 0);
    cr_expect_eq(svr__bfd_expiry(&b), SVR_NEVER);
    cr_expect_eq(svr__bfd_detection_time(&b), 0);
    cr_assert(svr__bfd_send(&b, &p, 0, 50));
    cr_expect_eq(p.state, SVR_BFD_DOWN);
    cr_expect_eq(p.diag, SVR_BFD_DIAG_NONE);
    cr_expect_eq(p.my_discriminator, MINE);
    cr_expect_eq(p.your_discriminator, 0);
    cr_expect_eq(p.multiplier, 3);
    cr_expect_eq(p.required_min_rx, 300000);
    cr_expect_eq(p.required_min_echo_rx, 0);
    cr_expect_not(p.poll || p.final || p.demand);
}

/* The peer's discriminator is forgotten with the detection time. */
Test(pathway_bfd, rfc5880_6_8_1_forgets_discriminator)
{
    svr__bfd b = make_up(&usual, S);
    cr_expect_eq(drain(&b, S + 300 * MS).your_discriminator, PEERS);
    cr_expect(svr__bfd_expire(&b, S + 900 * MS));
    cr_expect_eq(drain(&b, S + 900 * MS).your_discriminator, 0);
    cr_expect_eq(svr__bfd_expiry(&b), SVR_NEVER);
}

/* 6.8.2: the slower of what we desire and what the peer requires. */
Test(pathway_bfd, rfc5880_6_8_2_transmit_interval)
{
    static const struct {
        uint32_t desired, required, interval;
    } rows[] = {{300000, 200000, 300000},
                {300000, 300001, 300001},
                {300000, 1, 300000},
                {1, 50000, 50000},
                {300000, 0, 0}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        svr__bfd_config config = usual;
        svr_bfd_packet p = peer(SVR_BFD_UP);
        svr__bfd b;
        config.desired_tx = rows[i].desired;
        p.required_min_rx = rows[i].required;
        b = make_up(&config, S);
        svr__bfd_receive(&b, &p, S);
        cr_expect_eq(svr__bfd_tx_interval(&b), rows[i].interval);
        cr_expect_eq(svr__bfd_due(&b),
                     rows[i].interval ? S + rows[i].interval * SVR_MICROSECOND
                                      : SVR_NEVER);
    }
}

/* 6.8.3: no faster than a second until the session is up, and then at once,
 * with a poll. */
Test(pathway_bfd, rfc5880_6_8_3_slow_while_not_up)
{
    svr__bfd b;
    svr_bfd_packet p;
    svr__bfd_init(&b, &usual);
    p = drain(&b, S);
    cr_expect_eq(p.desired_min_tx, 1000000);
    cr_expect_eq(svr__bfd_due(&b), 2 * S);
    hear(&b, SVR_BFD_DOWN, S);
    p = drain(&b, S);
    cr_expect_eq(p.desired_min_tx, 1000000);
    cr_expect_not(p.poll);
    hear(&b, SVR_BFD_INIT, S);
    p = drain(&b, S);
    cr_expect_eq(p.state, SVR_BFD_UP);
    cr_expect_eq(p.desired_min_tx, 300000);
    cr_expect(p.poll);
    cr_expect_eq(svr__bfd_due(&b), S + 300 * MS);
    /* Down again: a second at once, for nobody waits for us. */
    hear(&b, SVR_BFD_DOWN, S);
    p = drain(&b, S);
    cr_expect_eq(p.desired_min_tx, 1000000);
    cr_expect_eq(svr__bfd_due(&b), 2 * S);
}

Test(pathway_bfd, rfc5880_6_8_3_slower_sessions_keep_their_interval)
{
    svr__bfd_config config = usual;
    svr__bfd b;
    config.desired_tx = 2000000;
    svr__bfd_init(&b, &config);
    cr_expect_eq(drain(&b, S).desired_min_tx, 2000000);
    hear(&b, SVR_BFD_INIT, S);
    cr_expect_not(drain(&b, S).poll, "nothing has changed");
}

/* A longer interval waits until the peer has confirmed it. */
Test(pathway_bfd, rfc5880_6_8_3_growing_interval_waits)
{
    svr__bfd b = make_up(&usual, S);
    svr__bfd_config config = usual;
    svr_bfd_packet p = peer(SVR_BFD_UP);
    config.desired_tx = 500000;
    svr__bfd_change(&b, &config);
    p = drain(&b, S);
    cr_expect(p.poll);
    cr_expect_eq(p.desired_min_tx, 500000);
    cr_expect_eq(svr__bfd_tx_interval(&b), 300000);
    cr_expect(drain(&b, S + 300 * MS).poll, "until it is answered");
    hear(&b, SVR_BFD_UP, S + 310 * MS);
    cr_expect_eq(svr__bfd_tx_interval(&b), 300000);
    p = peer(SVR_BFD_UP);
    p.final = true;
    svr__bfd_receive(&b, &p, S + 320 * MS);
    cr_expect_eq(svr__bfd_tx_interval(&b), 500000);
    cr_expect_not(drain(&b, S + 800 * MS).poll);
}

Test(pathway_bfd, rfc5880_6_8_3_shrinking_interval_does_not)
{
    svr__bfd b = make_up(&usual, S);
    svr__bfd_config config = usual;
    config.desired_tx = 250000;
    svr__bfd_change(&b, &config);
    cr_expect(drain(&b, S).poll);
    cr_expect_eq(svr__bfd_tx_interval(&b), 250000);
}

/* A shorter requirement waits, so that the peer sends faster before its silence
 * counts sooner; a longer one does not. */
Test(pathway_bfd, rfc5880_6_8_3_detection_waits_for_poll)
{
    svr__bfd b = make_up(&usual, S);
    svr__bfd_config config = usual;
    svr_bfd_packet p = peer(SVR_BFD_UP);
    config.required_rx = 250000;
    svr__bfd_change(&b, &config);
    cr_expect_eq(drain(&b, S).required_min_rx, 250000);
    cr_expect_eq(svr__bfd_detection_time(&b), 3 * 300000);
    p.final = true;
    svr__bfd_receive(&b, &p, S + 10 * MS);
    cr_expect_eq(svr__bfd_detection_time(&b), 3 * 250000);
    cr_expect_eq(svr__bfd_expiry(&b), S + 760 * MS);
    config.required_rx = 2000000;
    svr__bfd_change(&b, &config);
    cr_expect_eq(svr__bfd_detection_time(&b), 3 * 2000000);
    cr_expect_eq(svr__bfd_expiry(&b), S + 6010 * MS, "for the silence so far");
}

/* Two changes: the answer to the first poll says nothing about the second. */
Test(pathway_bfd, rfc5880_6_8_3_change_during_a_poll)
{
    svr__bfd b = make_up(&usual, S);
    svr__bfd_config config = usual;
    svr_bfd_packet final = peer(SVR_BFD_UP);
    final.final = true;
    config.desired_tx = 500000;
    svr__bfd_change(&b, &config);
    config.desired_tx = 700000;
    svr__bfd_change(&b, &config);
    svr__bfd_receive(&b, &final, S);
    cr_expect_eq(svr__bfd_tx_interval(&b), 300000);
    cr_expect(drain(&b, S).poll);
    svr__bfd_receive(&b, &final, S);
    cr_expect_eq(svr__bfd_tx_interval(&b), 700000);
    cr_expect_not(drain(&b, 2 * S).poll);
}

/* With nobody there, a change needs no poll. */
Test(pathway_bfd, rfc5880_6_8_3_change_without_peer)
{
    svr__bfd b;
    svr__bfd_config config = usual;
    svr__bfd_init(&b, &usual);
    config.required_rx = 100000;
    config.discriminator = 55;
    svr__bfd_change(&b, &config);
    cr_expect_eq(drain(&b, S).required_min_rx, 100000);
    cr_expect_eq(drain(&b, 2 * S).my_discriminator, MINE);
    cr_expect_not(drain(&b, 3 * S).poll);
}

/* An interval that the peer shortens holds at once, even if it is over. */
Test(pathway_bfd, rfc5880_6_8_3_peer_wants_more)
{
    svr__bfd b = make_up(&usual, S);
    svr_bfd_packet p = peer(SVR_BFD_UP);
    p.required_min_rx = 2000000;
    svr__bfd_receive(&b, &p, S);
    cr_expect_eq(svr__bfd_due(&b), 3 * S);
    p.required_min_rx = 100000;
    svr__bfd_receive(&b, &p, S + 500 * MS);
    cr_expect_eq(svr__bfd_due(&b), S + 300 * MS);
    cr_expect_eq(drain(&b, S + 500 * MS).state, SVR_BFD_UP);
}

/* Exactly: own multiplier or the peer's, times the slower of what we require
 * and what the peer desires. */
Test(pathway_bfd, rfc5880_6_8_4_detection_time)
{
    static const struct {
        bool peer_multiplier;
        uint8_t own, peers;
        uint32_t required, desired;
        uint64_t us;
    } rows[] = {
        {false, 3, 5, 300000, 200000, 900000},
        {false, 3, 5, 300000, 400000, 1200000},
        {true, 3, 5, 300000, 200000, 1500000},
        {true, 3, 5, 300000, 400000, 2000000},
        {true, 3, 1, 300000, 0, 300000},
        {false, 20, 1, 600000000, 1, 12000000000},
        {true, 1, 255, 1, UINT32_MAX, (uint64_t)UINT32_MAX * 255},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        svr__bfd_config config = usual;
        svr_bfd_packet p = peer(SVR_BFD_UP);
        svr__bfd b;
        svr_time end;
        config.peer_multiplier = rows[i].peer_multiplier;
        config.multiplier = rows[i].own;
        config.required_rx = rows[i].required;
        p.multiplier = rows[i].peers;
        p.desired_min_tx = rows[i].desired;
        b = make_up(&config, S);
        svr__bfd_receive(&b, &p, 2 * S);
        end = 2 * S + rows[i].us * SVR_MICROSECOND;
        cr_expect_eq(svr__bfd_detection_time(&b), rows[i].us, "row %zu", i);
        cr_expect_eq(svr__bfd_expiry(&b), end, "row %zu", i);
        cr_expect_not(svr__bfd_expire(&b, end - 1), "row %zu", i);
        cr_expect(svr__bfd_expire(&b, end), "row %zu", i);
        cr_expect_eq(b.diag, SVR_BFD_DIAG_EXPIRED);
    }
}

/* 6.5: an answer is owed at once, whatever the timers say, and does not count
 * as a periodic packet; P and F never stand together. */
Test(pathway_bfd, rfc5880_6_5_poll_and_final)
{
    svr__bfd b = make_up(&usual, S);
    svr__bfd_config config = usual;
    svr_bfd_packet p = peer(SVR_BFD_UP), out;
    p.poll = true;
    svr__bfd_receive(&b, &p, S + MS);
    cr_expect_eq(svr__bfd_due(&b), 0);
    cr_assert(svr__bfd_send(&b, &out, 0, S + MS));
    cr_expect(out.final && !out.poll);
    cr_expect_eq(svr__bfd_due(&b), S + 300 * MS);
    config.desired_tx = 400000;
    svr__bfd_change(&b, &config);
    svr__bfd_receive(&b, &p, S + MS);
    cr_assert(svr__bfd_send(&b, &out, 0, S + MS));
    cr_expect(out.final && !out.poll);
    out = drain(&b, S + 301 * MS);
    cr_expect(out.poll && !out.final);
}

/* 6.6, 6.8.7: a peer in demand mode gets periodic packets only while a poll
 * runs or one end is not up. */
Test(pathway_bfd, rfc5880_6_6_demand_mode_of_the_peer)
{
    svr__bfd b = make_up(&usual, S);
    svr__bfd_config config = usual;
    svr_bfd_packet p = peer(SVR_BFD_UP);
    p.demand = true;
    svr__bfd_receive(&b, &p, S);
    cr_expect_eq(svr__bfd_due(&b), SVR_NEVER);
    cr_expect_neq(svr__bfd_expiry(&b), SVR_NEVER, "it still sends itself");
    svr__bfd_change(&b, &config);
    cr_expect(drain(&b, S).poll);
    cr_expect_eq(svr__bfd_due(&b), S + 300 * MS);
    p.final = true;
    svr__bfd_receive(&b, &p, S);
    cr_expect_eq(svr__bfd_due(&b), SVR_NEVER);
    p.final = false;
    p.state = SVR_BFD_INIT;
    svr__bfd_receive(&b, &p, S);
    cr_expect_eq(svr__bfd_due(&b), S + 300 * MS);
    p.state = SVR_BFD_DOWN;
    svr__bfd_receive(&b, &p, S);
    drain(&b, S);
    cr_expect_eq(svr__bfd_due(&b), 2 * S);
}

Test(pathway_bfd, rfc5880_6_8_6_discriminators)
{
    static const struct {
        uint32_t mine, yours;
        bool ours;
    } rows[] = {{PEERS, MINE, true},
                {PEERS, 0, true},
                {PEERS, 8, false},
                {MINE, MINE, false}, /* our own, come back */
                {MINE, 0, false}};
    svr__bfd b;
    svr__bfd_init(&b, &usual);
    for (size_t i = 0; i < COUNT(rows); i++) {
        svr_bfd_packet p = peer(SVR_BFD_DOWN);
        p.my_discriminator = rows[i].mine;
        p.your_discriminator = rows[i].yours;
        cr_expect_eq(svr__bfd_is_ours(&b, &p), rows[i].ours, "row %zu", i);
    }
}

/* What the peer says last counts, and is sent back. */
Test(pathway_bfd, rfc5880_6_8_6_learns_discriminator)
{
    svr__bfd b = make_up(&usual, S);
    svr_bfd_packet p = peer(SVR_BFD_UP);
    p.my_discriminator = 1234;
    svr__bfd_receive(&b, &p, S);
    cr_expect_eq(drain(&b, 2 * S).your_discriminator, 1234);
}

/* Disabled: packets are discarded before a poll would be answered. */
Test(pathway_bfd, rfc5880_6_8_6_admin_down_answers_nothing)
{
    svr__bfd b = make_up(&usual, S);
    svr_bfd_packet p = peer(SVR_BFD_UP);
    p.poll = true;
    cr_assert(svr__bfd_admin(&b, true));
    drain(&b, S);
    svr__bfd_receive(&b, &p, S);
    cr_expect_neq(svr__bfd_due(&b), 0);
}

/* The interval is shortened by 0 to 25 %, at a multiplier of 1 by 10 to 25 %.
 */
Test(pathway_bfd, rfc5880_6_8_7_jitter)
{
    static const struct {
        uint8_t multiplier, jitter;
        svr_time after;
    } rows[] = {{3, 0, 300 * MS},   {3, 255, 225 * MS}, {3, 51, 285 * MS},
                {2, 255, 225 * MS}, {1, 0, 270 * MS},   {1, 255, 225 * MS},
                {1, 51, 261 * MS}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        svr__bfd_config config = usual;
        svr_bfd_packet out;
        svr__bfd b;
        config.multiplier = rows[i].multiplier;
        b = make_up(&config, S);
        cr_assert(svr__bfd_send(&b, &out, rows[i].jitter, 5 * S));
        cr_expect_eq(svr__bfd_due(&b), 5 * S + rows[i].after, "row %zu", i);
        cr_expect_not(svr__bfd_send(&b, &out, 0, 5 * S + rows[i].after - 1));
        cr_expect(svr__bfd_send(&b, &out, 0, 5 * S + rows[i].after));
    }
}

/* A peer that requires nothing gets nothing but answers. */
Test(pathway_bfd, rfc5880_6_8_7_peer_wants_none)
{
    svr__bfd b = make_up(&usual, S);
    svr_bfd_packet p = peer(SVR_BFD_UP);
    p.required_min_rx = 0;
    p.poll = true;
    svr__bfd_receive(&b, &p, S);
    cr_expect(drain(&b, S).final);
    cr_expect_eq(svr__bfd_due(&b), SVR_NEVER);
}

/* The multiplier may change at any time, and is told at once. */
Test(pathway_bfd, rfc5880_6_8_12_multiplier)
{
    svr__bfd b = make_up(&usual, S);
    svr__bfd_config config = usual;
    config.multiplier = 7;
    svr__bfd_change(&b, &config);
    cr_expect_eq(svr__bfd_due(&b), 0);
    cr_expect_eq(drain(&b, S).multiplier, 7);
    cr_expect_eq(svr__bfd_detection_time(&b), 7 * 300000);
}

/* Disabled: the peer is told, at the slow pace, and nothing expires; enabled: a
 * session that is down. */
Test(pathway_bfd, rfc5880_6_8_16_admin)
{
    svr__bfd b = make_up(&usual, S);
    svr_bfd_packet p = peer(SVR_BFD_UP);
    p.poll = true;
    svr__bfd_receive(&b, &p, S);
    cr_assert(svr__bfd_admin(&b, true));
    p = drain(&b, S);
    cr_expect_not(p.final);
    cr_expect_eq(p.state, SVR_BFD_ADMIN_DOWN);
    cr_expect_eq(p.diag, SVR_BFD_DIAG_ADMIN_DOWN);
    cr_expect_eq(svr__bfd_due(&b), 2 * S);
    cr_expect_not(svr__bfd_expire(&b, 100 * S));
    cr_expect_eq(drain(&b, 100 * S).state, SVR_BFD_ADMIN_DOWN);
    cr_assert(svr__bfd_admin(&b, false));
    p = drain(&b, 101 * S);
    cr_expect_eq(p.state, SVR_BFD_DOWN);
    cr_expect_eq(p.diag, SVR_BFD_DIAG_NONE);
    hear(&b, SVR_BFD_DOWN, 102 * S);
    cr_expect_eq(b.state, SVR_BFD_INIT);
}

/* The reason for a failure is told until the session is up again. */
Test(pathway_bfd, rfc5880_4_1_diagnostic)
{
    svr__bfd b = make_up(&usual, S);
    svr__bfd_expire(&b, 10 * S);
    hear(&b, SVR_BFD_DOWN, 11 * S);
    cr_expect_eq(b.state, SVR_BFD_INIT);
    cr_expect_eq(drain(&b, 11 * S).diag, SVR_BFD_DIAG_EXPIRED);
    hear(&b, SVR_BFD_INIT, 12 * S);
    cr_expect_eq(drain(&b, 12 * S).diag, SVR_BFD_DIAG_NONE);
}
