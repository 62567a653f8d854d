/* One side of a session: every rule of its table, the classification of what
 * comes, and its timers, in literal time. */
#include "session/hop.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum {
    CLIENT = SVR_SESSION_CLIENT,
    SERVER = SVR_SESSION_SERVER,
    S = 1, /* number of a first exchange */
};

/* What an event does, as text: the state after it, the caller's actions, and
 * what changed in the hop: a new number, what is owed. */
static const char *outcome(enum svr_hop_state state, enum svr__hop_event event)
{
    static char text[128];
    static const struct {
        unsigned action;
        const char *name;
    } names[] = {
        {SVR_SESSION_ADD_METADATA, "add"},
        {SVR_SESSION_ADD_HEALTH, "health"},
        {SVR_SESSION_SEND_METADATA, "send"},
        {SVR_SESSION_SEND_KEEP_ALIVE, "keep-alive"},
        {SVR_SESSION_SEND_HEALTH_ANSWER, "have-it"},
        {SVR_SESSION_END, "end"},
    };
    svr_hop hop = {.state = (uint8_t)state,
                   .own = 7,
                   .unanswered = 1,
                   .waiting = 3,
                   .flags = SVR__HOP_FIRST};
    unsigned actions = svr__hop_event(&hop, event, 9);
    int len = snprintf(text, sizeof(text), "%s",
                       svr__hop_state_name((enum svr_hop_state)hop.state));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (actions & names[i].action)
            len += snprintf(text + len, sizeof(text) - (size_t)len, " %s",
                            names[i].name);
    cr_assert_eq(hop.waiting, 3, "the oldest one waits");
    if (hop.renewed == 9 && !(hop.flags & SVR__HOP_FIRST))
        len += snprintf(text + len, sizeof(text) - (size_t)len,
                        hop.own == 7  ? " later"
                        : hop.repeats ? " number-quietly"
                                      : " number");
    if (hop.unanswered != 1)
        snprintf(text + len, sizeof(text) - (size_t)len,
                 hop.flags & SVR__HOP_OWES_ECHO ? " owe-echo"
                 : hop.unanswered == 2          ? " owe"
                                                : " pay");
    return text;
}

/* Every pair of state and event (S6.4, S6.6 to S6.9, S7, S8). */
Test(session_hop, table)
{
    static const struct {
        enum svr__hop_event event;
        const char *after[SVR_HOP_STATES];
    } rows[] = {
        {SVR__HOP_SEND,
         {"none", "offering add pay", "offered pay", "answering add pay",
          "answered pay"}},
        {SVR__HOP_SEND_ECHO,
         {"none", "offering add pay", "offered add pay", "answering add pay",
          "answered add pay"}},
        {SVR__HOP_SENT_ALONE,
         {"none", "offering pay", "offered pay", "answering pay",
          "answered pay"}},
        {SVR__HOP_CHECK,
         {"none", "offering", "offered health", "answering",
          "answered health"}},
        {SVR__HOP_PLAIN,
         {"none", "offering", "offered", "answered pay", "answered pay"}},
        {SVR__HOP_PLAIN_LATER,
         {"none", "offering", "offered", "answering", "answered"}},
        {SVR__HOP_METADATA,
         {"none", "offered owe", "offered owe", "answering owe",
          "answering owe"}},
        {SVR__HOP_DISABLE,
         {"none", "offered", "offered", "answered pay", "answered pay"}},
        {SVR__HOP_NEWER,
         {"none", "offering", "offered", "answering", "answered"}},
        {SVR__HOP_SAME,
         {"none", "offering", "offered", "answering", "answered"}},
        {SVR__HOP_OLDER,
         {"none", "offering", "offered", "answering", "answered"}},
        {SVR__HOP_ECHO, {"none", "offered", "offered", "answered", "answered"}},
        {SVR__HOP_STALE,
         {"none", "offering", "offering later", "answering",
          "answering later"}},
        {SVR__HOP_AHEAD,
         {"none", "offering number-quietly", "offering number-quietly",
          "answering number-quietly", "answering number-quietly"}},
        {SVR__HOP_ASKS,
         {"none", "offering owe-echo", "offered owe-echo", "answering owe-echo",
          "answered owe-echo"}},
        {SVR__HOP_ASKS_PLAIN,
         {"none", "offering owe", "offered owe", "answering owe",
          "answered owe"}},
        {SVR__HOP_ENABLE,
         {"none", "offering", "offering number-quietly", "answering",
          "answering number-quietly"}},
        {SVR__HOP_RENEW,
         {"none", "offering number", "offering number", "answering number",
          "answering number"}},
        {SVR__HOP_DELETE,
         {"none", "offering end", "offered end", "answering end",
          "answered end"}},
        {SVR__HOP_KEEP_ALIVE,
         {"none", "offering", "offered", "answering", "answered"}},
        {SVR__HOP_HEALTH_REQUEST,
         {"none", "offering have-it", "offered have-it", "answering have-it",
          "answered have-it"}},
        {SVR__HOP_HEALTH_ANSWER,
         {"none", "offering", "offered", "answering", "answered"}},
        {SVR__HOP_PATIENCE,
         {"none", "offering send pay", "offered send pay", "answering send pay",
          "answered send pay"}},
        {SVR__HOP_REPEAT,
         {"none", "offering send pay", "offered", "answering send pay",
          "answered"}},
        {SVR__HOP_IDLE,
         {"none", "offering keep-alive", "offered keep-alive",
          "answering keep-alive", "answered keep-alive"}},
    };
    cr_assert_eq(sizeof(rows) / sizeof(rows[0]), SVR__HOP_EVENTS);
    for (int event = 0; event < SVR__HOP_EVENTS; event++)
        for (int state = 0; state < SVR_HOP_STATES; state++) {
            cr_expect_eq(rows[event].event, (enum svr__hop_event)event);
            cr_expect_str_eq(
                outcome((enum svr_hop_state)state, (enum svr__hop_event)event),
                rows[event].after[state], "%s",
                svr__hop_event_name((enum svr__hop_event)event));
        }
}

/* An ingress (opener), an egress (answerer), and numbers as literals. */
static svr_session ingress(void)
{
    svr_session s;
    svr_session_init(&s, SVR_SESSION_UDP, false, true, S);
    return s;
}

static svr_session egress(void)
{
    svr_session s;
    svr_session_init(&s, SVR_SESSION_UDP, true, false, S);
    return s;
}

static unsigned metadata(svr_session *s, unsigned side, uint64_t own,
                         uint64_t echo, bool unechoed, svr_time now)
{
    svr_exchange x = {own, echo, unechoed};
    return svr_session_metadata(s, side, &x, false, now);
}

Test(session_hop, roles)
{
    static const struct {
        bool client, server;
        const char *role, *client_state, *server_state;
    } rows[] = {
        {false, true, "ingress", "none", "offering"},
        {true, true, "transit", "answering", "offering"},
        {true, false, "egress", "answering", "none"},
        {false, false, "local", "none", "none"},
    };
    for (size_t i = 0; i < 4; i++) {
        svr_session s;
        svr_session_init(&s, SVR_SESSION_UDP, rows[i].client, rows[i].server,
                         S);
        cr_expect_str_eq(svr_role_name(svr_session_role(&s)), rows[i].role);
        cr_expect_str_eq(svr_session_state_name(&s, CLIENT),
                         rows[i].client_state);
        cr_expect_str_eq(svr_session_state_name(&s, SERVER),
                         rows[i].server_state);
    }
    cr_expect_leq(sizeof(svr_hop), 48);
    cr_expect_leq(sizeof(svr_session), 128);
}

/* S6.9: what a number makes of metadata, and what does not acknowledge. */
Test(session_hop, numbers)
{
    static const struct {
        const char *what;
        uint64_t own, echo;
        bool unechoed;
        const char *state;
        uint64_t peer;
        bool sends; /* the next packet carries metadata */
    } rows[] = {
        {"an echo of one before", 19, S - 1, false, "offering", 19, true},
        {"an answer", 20, S, true, "offered", 20, false},
        {"the same again", 20, S, false, "offered", 20, false},
        {"late", 19, S, true, "offered", 20, false},
        {"later, and asks", 21, S, true, "offered", 21, true},
        {"later, and does not", 22, S, false, "offered", 22, true},
    };
    svr_session s = ingress();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(metadata(&s, SERVER, rows[i].own, rows[i].echo,
                              rows[i].unechoed, 5),
                     0, "%s", rows[i].what);
        cr_expect_str_eq(svr_session_state_name(&s, SERVER), rows[i].state,
                         "%s", rows[i].what);
        cr_expect_eq(svr_session_exchange(&s, SERVER).echo, rows[i].peer);
        cr_expect_eq(svr_session_peek(&s, SERVER, 5) ==
                         SVR_SESSION_ADD_METADATA,
                     rows[i].sends, "%s", rows[i].what);
    }
    svr_session_event(&s, SERVER, SVR_SESSION_RENEW, 6);
    cr_expect_eq(metadata(&s, SERVER, 21, S + 1, false, 6), 0);
    cr_expect_str_eq(svr_session_state_name(&s, SERVER), "offering",
                     "what is late acknowledges nothing");
    cr_expect(svr_session_is_older(&s, SERVER, 21));
    cr_expect(svr_session_is_newer(&s, SERVER, 23));
    cr_expect_not(svr_session_is_older(&s, SERVER, 22));
    cr_expect_not(svr_session_is_newer(&s, SERVER, 22));
}

/* S6.9, S17: what may move a side to another tuple. */
Test(session_hop, may_move)
{
    static const struct {
        unsigned side;
        uint64_t own;
        bool unechoed, moves;
    } rows[] = {
        {CLIENT, 19, true, false}, {CLIENT, 20, false, false},
        {CLIENT, 20, true, true},  {CLIENT, 21, false, true},
        {SERVER, 19, true, false}, {SERVER, 20, false, false},
        {SERVER, 20, true, false}, /* only the opener moves again */
        {SERVER, 21, false, true},
    };
    svr_session s;

    svr_session_init(&s, SVR_SESSION_TCP, true, true, S);
    metadata(&s, CLIENT, 20, 0, true, 5);
    metadata(&s, SERVER, 20, S, true, 5);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        svr_exchange x = {rows[i].own, S, rows[i].unechoed};
        cr_expect_eq(svr_session_may_move(&s, rows[i].side, &x), rows[i].moves,
                     "row %zu", i);
    }
}

/* S6.4, S6.9: absence acknowledges a first exchange, and no later one. */
Test(session_hop, absence)
{
    svr_session s = egress();
    metadata(&s, CLIENT, 20, 0, true, 5);
    svr_session_event(&s, CLIENT, SVR_SESSION_PLAIN, 6);
    cr_expect_str_eq(svr_session_state_name(&s, CLIENT), "answered");
    svr_session_event(&s, CLIENT, SVR_SESSION_RENEW, 7);
    svr_session_event(&s, CLIENT, SVR_SESSION_PLAIN, 8);
    cr_expect_str_eq(svr_session_state_name(&s, CLIENT), "answering");
    metadata(&s, CLIENT, 20, S + 1, false, 9);
    cr_expect_str_eq(svr_session_state_name(&s, CLIENT), "answered");

    s = egress();
    svr_session_metadata(&s, CLIENT, NULL, false, 5);
    svr_session_event(&s, CLIENT, SVR_SESSION_RENEW, 7);
    svr_session_event(&s, CLIENT, SVR_SESSION_PLAIN, 8);
    cr_expect_str_eq(svr_session_state_name(&s, CLIENT), "answered",
                     "a neighbour without numbers has no other way");
}

/* A neighbour that was made anew. */
Test(session_hop, lost_state)
{
    /* From something old: it hears the present number again. */
    svr_session s = ingress();
    metadata(&s, SERVER, 20, S, false, 5);
    svr_session_event(&s, SERVER, SVR_SESSION_RENEW, 6);
    metadata(&s, SERVER, 20, S + 1, false, 7);
    metadata(&s, SERVER, 20, S, true, 8);
    cr_expect_str_eq(svr_session_state_name(&s, SERVER), "offered",
                     "what it says again is no news");
    metadata(&s, SERVER, 90, S, true, 9);
    cr_expect_str_eq(svr_session_state_name(&s, SERVER), "offering");
    cr_expect_eq(svr_session_exchange(&s, SERVER).own, S + 1);

    /* The answerer's plain packets of before prove nothing. */
    s = egress();
    metadata(&s, CLIENT, 20, 17, false, 5);
    svr_session_event(&s, CLIENT, SVR_SESSION_PLAIN, 6);
    cr_expect_str_eq(svr_session_state_name(&s, CLIENT), "answering");
    cr_expect_eq(svr_session_exchange(&s, CLIENT).own, 18,
                 "we have said 17 before");

    s = egress();
    svr_session_doubt(&s);
    metadata(&s, CLIENT, 20, 0, true, 5);
    svr_session_event(&s, CLIENT, SVR_SESSION_PLAIN, 6);
    cr_expect_str_eq(svr_session_state_name(&s, CLIENT), "answering");
    metadata(&s, CLIENT, 20, S, true, 7);
    cr_expect_str_eq(svr_session_state_name(&s, CLIENT), "answered");

    s = ingress();
    svr_session_doubt(&s);
    cr_expect_eq(metadata(&s, CLIENT, 20, 99, true, 7), 0, "nobody there");
    cr_expect_eq(svr_session_exchange(&s, CLIENT).own, S);
}

/* The opener answers the answer to its first offer with a plain packet, and by
 * an echo if that was not enough: the neighbour's exchange was a later one. */
Test(session_hop, echo_of_a_later_exchange)
{
    svr_session s = ingress();
    metadata(&s, SERVER, 20, S, true, 5);
    metadata(&s, SERVER, 20, S, true, 6);
    cr_expect_eq(svr_session_event(&s, SERVER, SVR_SESSION_SEND, 7), 0);
    metadata(&s, SERVER, 20, S, true, 8);
    cr_expect_eq(svr_session_event(&s, SERVER, SVR_SESSION_SEND, 9),
                 SVR_SESSION_ADD_METADATA);
    cr_expect_eq(svr_session_event(&s, SERVER, SVR_SESSION_SEND, 9), 0);
    cr_expect(svr_session_exchange(&s, SERVER).echo == 20);
    cr_expect_not(svr_session_exchange(&s, SERVER).unechoed);
}

/* S6.4, S6.6 with a neighbour that numbers nothing. 0 is no number. */
Test(session_hop, numberless)
{
    svr_session s = ingress();
    svr_exchange none = {0, 0, true};
    cr_expect_eq(svr_session_metadata(&s, SERVER, &none, false, 5), 0);
    cr_expect_str_eq(svr_session_state_name(&s, SERVER), "offered");
    svr_session_event(&s, SERVER, SVR_SESSION_RENEW, 6);
    svr_session_event(&s, SERVER, SVR_SESSION_DISABLE, 7);
    cr_expect_str_eq(svr_session_state_name(&s, SERVER), "offered");
    svr_session_event(&s, SERVER, SVR_SESSION_RENEW, 8);
    cr_expect_eq(svr_session_metadata(&s, SERVER, NULL, true, 9), 0);
    cr_expect_str_eq(svr_session_state_name(&s, SERVER), "offered");

    metadata(&s, SERVER, 20, S, false, 10);
    svr_session_event(&s, SERVER, SVR_SESSION_RENEW, 11);
    svr_session_event(&s, SERVER, SVR_SESSION_DISABLE, 12);
    cr_expect_str_eq(svr_session_state_name(&s, SERVER), "offering",
                     "one with numbers echoes them");
}

static const svr_time nothing_passed[2];

static svr_time due(const svr_session *s, unsigned side)
{
    return svr_session_due(s, side, nothing_passed);
}

/* S6.6: four packets or a second, whichever is first, and again. */
Test(session_hop, patience)
{
    for (int numbers = 0; numbers < 2; numbers++) {
        svr_session s = ingress();
        svr_exchange x = {20, S, true};
        const svr_exchange *exchange = numbers ? &x : NULL;
        cr_assert_eq(due(&s, SERVER), SVR_NEVER);
        svr_session_metadata(&s, SERVER, exchange, false, 5);
        for (int round = 0; round < 2; round++) {
            for (int i = 1; i < SVR_SESSION_PATIENCE - (round == 0); i++)
                cr_assert_not(
                    svr_session_metadata(&s, SERVER, exchange, false, 5) &
                    SVR_SESSION_SEND_METADATA);
            cr_assert(svr_session_metadata(&s, SERVER, exchange, false, 5) &
                      SVR_SESSION_SEND_METADATA);
            cr_assert_eq(due(&s, SERVER), SVR_NEVER);
        }
        svr_session_metadata(&s, SERVER, exchange, false, 10);
        svr_session_metadata(&s, SERVER, exchange, false, SVR_SECOND);
        cr_assert_eq(due(&s, SERVER), 10 + SVR_SECOND);
        cr_assert_not(svr_session_quiet(&s, CLIENT));
        cr_assert_eq(
            svr_session_timer(&s, SERVER, nothing_passed, 9 + SVR_SECOND), 0);
        cr_assert_eq(
            svr_session_timer(&s, SERVER, nothing_passed, 10 + SVR_SECOND),
            SVR_SESSION_SEND_METADATA);
        svr_session_metadata(&s, SERVER, exchange, false, 3 * SVR_SECOND);
        svr_session_event(&s, SERVER, SVR_SESSION_SEND, 3 * SVR_SECOND);
        cr_assert_eq(due(&s, SERVER), SVR_NEVER, "a packet is the answer");
        cr_assert(svr_session_quiet(&s, CLIENT));
    }
}

/* S7: control 2 is obeyed once a second, and sends nothing by itself. */
Test(session_hop, enable)
{
    svr_session s = ingress();
    svr_session_event(&s, SERVER, SVR_SESSION_ENABLE, 4);
    cr_assert_eq(svr_session_exchange(&s, SERVER).own, S, "is being done");
    metadata(&s, SERVER, 20, S, false, 5);
    svr_session_event(&s, SERVER, SVR_SESSION_ENABLE, 5);
    cr_assert_eq(svr_session_exchange(&s, SERVER).own, S + 1);
    cr_assert_eq(due(&s, SERVER), SVR_NEVER);
    metadata(&s, SERVER, 20, S + 1, false, 6);
    svr_session_event(&s, SERVER, SVR_SESSION_ENABLE, 4 + SVR_SECOND);
    cr_assert_eq(svr_session_exchange(&s, SERVER).own, S + 1);
    svr_session_event(&s, SERVER, SVR_SESSION_ENABLE, 5 + SVR_SECOND);
    cr_assert_eq(svr_session_exchange(&s, SERVER).own, S + 2);
}

/* S17, S8.4: a later exchange that no packet carries goes by itself, and again
 * until it is echoed, and not for ever. */
Test(session_hop, repeats)
{
    svr_session s = ingress();
    metadata(&s, SERVER, 20, S, false, 5);
    svr_session_event(&s, SERVER, SVR_SESSION_RENEW, 0);
    cr_assert_eq(due(&s, SERVER), 1 + 20 * SVR_MILLISECOND);
    for (unsigned i = 0; i < 1 + SVR_SESSION_REPEATS; i++) {
        svr_time at = 1 + (i ? i * SVR_SECOND : 20 * SVR_MILLISECOND);
        cr_assert_eq(svr_session_timer(&s, SERVER, nothing_passed, at - 1), 0);
        cr_assert_eq(svr_session_timer(&s, SERVER, nothing_passed, at),
                     SVR_SESSION_SEND_METADATA);
    }
    cr_assert_eq(due(&s, SERVER), SVR_NEVER);

    svr_session_event(&s, SERVER, SVR_SESSION_PLAIN, 3 * SVR_SECOND);
    cr_assert_eq(due(&s, SERVER), SVR_NEVER, "it has just gone");
    svr_session_event(&s, SERVER, SVR_SESSION_PLAIN, 5 * SVR_SECOND);
    cr_assert_eq(due(&s, SERVER), 6 * SVR_SECOND, "the neighbour is there");

    svr_session_event(&s, SERVER, SVR_SESSION_RENEW, 10 * SVR_SECOND);
    svr_session_event(&s, SERVER, SVR_SESSION_SEND, 10 * SVR_SECOND);
    svr_session_event(&s, SERVER, SVR_SESSION_SEND, 10 * SVR_SECOND);
    cr_assert_eq(due(&s, SERVER), 11 * SVR_SECOND, "a packet carried it");
    metadata(&s, SERVER, 20, S + 2, false, 10 * SVR_SECOND);
    cr_assert_eq(due(&s, SERVER), SVR_NEVER, "it is echoed");

    svr_session_event(&s, SERVER, SVR_SESSION_RENEW, 20 * SVR_SECOND);
    cr_assert_eq(
        svr_session_event(&s, SERVER, SVR_SESSION_SENT_ALONE, 20 * SVR_SECOND),
        0);
    cr_assert_eq(due(&s, SERVER), 21 * SVR_SECOND, "the caller sent it");
}

/* S8.1 */
Test(session_hop, keep_alive)
{
    svr_session s = ingress();
    svr_time passed[2] = {7 * SVR_SECOND, 5 * SVR_SECOND};
    cr_assert_eq(svr_session_due(&s, SERVER, passed), SVR_NEVER);
    svr_session_watch(&s, SERVER, (svr_hop_settings){.keep_alive = 30});
    cr_assert_eq(svr_session_due(&s, SERVER, passed), 37 * SVR_SECOND);
    cr_assert_eq(svr_session_due(&s, CLIENT, passed), SVR_NEVER);
    cr_assert_eq(svr_session_timer(&s, SERVER, passed, 36 * SVR_SECOND), 0);
    cr_assert_eq(svr_session_timer(&s, SERVER, passed, 37 * SVR_SECOND),
                 SVR_SESSION_SEND_KEEP_ALIVE);
    cr_assert_eq(svr_session_due(&s, SERVER, passed), 67 * SVR_SECOND);
}

/* S8.2, inactivity-based: one row for each thing that happens at a time. */
Test(session_hop, inactivity)
{
    enum what { SENT, CAME, NEWS, TIME };
    static const struct {
        unsigned at; /* seconds */
        enum what what;
        unsigned actions;
        unsigned due; /* seconds; 0: never */
    } rows[] = {
        {10, SENT, 0, 15},
        {11, SENT, 0, 15},
        {15, TIME, 0, 0}, /* no return traffic for 5 s */
        {16, SENT, SVR_SESSION_ADD_HEALTH, 21},
        {17, SENT, 0, 21},
        {21, TIME, 0, 0},
        {30, SENT, SVR_SESSION_ADD_HEALTH_AGAIN, 35},
        {31, NEWS, 0, 36}, /* control 8 */
        {36, TIME, 0, 0},  /* both are silent */
        {50, SENT, 0, 55}, /* the clock starts */
        {52, CAME, 0, 57},
        {53, SENT, 0, 57},
        {57, TIME, 0, 0},
        {58, CAME, 0, 63}, /* in time */
        {59, SENT, 0, 63},
        {63, TIME, 0, 0},
        {64, SENT, SVR_SESSION_ADD_HEALTH, 69},
        {65, CAME, 0, 70},
        {66, SENT, 0, 70},
    };
    svr_session s = ingress();
    svr_time passed[2] = {10 * SVR_SECOND, 10 * SVR_SECOND};
    metadata(&s, SERVER, 20, S, false, 10 * SVR_SECOND);
    svr_session_watch(&s, SERVER, (svr_hop_settings){.inactivity = 5});
    s.life.state = SVR_LIFE_ESTABLISHED;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        svr_time now = rows[i].at * SVR_SECOND;
        unsigned actions = 0;
        switch (rows[i].what) {
        case SENT:
            actions = svr_session_peek(&s, SERVER, now);
            if (actions)
                cr_expect_not(svr_session_quiet(&s, CLIENT));
            svr_session_event(&s, SERVER, SVR_SESSION_SEND, now);
            passed[CLIENT] = now;
            break;
        case CAME:
            svr_session_event(&s, SERVER, SVR_SESSION_PLAIN, now);
            passed[SERVER] = now;
            break;
        case NEWS:
            cr_expect_not(svr_session_quiet(&s, SERVER));
            svr_session_event(&s, SERVER, SVR_SESSION_HEALTH_ANSWER, now);
            break;
        case TIME:
            actions = svr_session_timer(&s, SERVER, passed, now);
            cr_expect_not(svr_session_quiet(&s, CLIENT), "row %zu", i);
            break;
        }
        cr_expect_eq(actions, rows[i].actions, "row %zu", i);
        svr_time due_at = svr_session_due(&s, SERVER, passed);
        cr_expect_eq(due_at == SVR_NEVER ? 0 : (due_at + 1) / SVR_SECOND,
                     rows[i].due, "row %zu", i);
    }
}

/* A health request is of no use where metadata goes anyway. */
Test(session_hop, inactivity_while_offering)
{
    svr_session s = ingress();
    svr_time passed[2] = {SVR_SECOND, SVR_SECOND};
    metadata(&s, SERVER, 20, S, false, SVR_SECOND);
    svr_session_watch(&s, SERVER, (svr_hop_settings){.inactivity = 5});
    passed[CLIENT] = 2 * SVR_SECOND;
    cr_expect_eq(svr_session_timer(&s, SERVER, passed, 6 * SVR_SECOND), 0);
    svr_session_event(&s, SERVER, SVR_SESSION_RENEW, 7 * SVR_SECOND);
    cr_expect_eq(
        svr_session_event(&s, SERVER, SVR_SESSION_SEND, 7 * SVR_SECOND),
        SVR_SESSION_ADD_METADATA);
}

/* What is answered at once, and what only proves that the neighbour lives. */
Test(session_hop, control)
{
    static const struct {
        enum svr_session_event event;
        unsigned actions;
    } rows[] = {
        {SVR_SESSION_DELETE, SVR_SESSION_END},
        {SVR_SESSION_KEEP_ALIVE, 0},
        {SVR_SESSION_HEALTH_REQUEST, SVR_SESSION_SEND_HEALTH_ANSWER},
        {SVR_SESSION_HEALTH_ANSWER, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        svr_session s = egress(), before = s;
        cr_expect_eq(svr_session_event(&s, CLIENT, rows[i].event, 5),
                     rows[i].actions, "row %zu", i);
        cr_expect_arr_eq(&s, &before, sizeof(s));
        cr_expect_eq(svr_session_event(&s, SERVER, rows[i].event, 5), 0,
                     "nobody is there");
    }
}

/* What docs/sessions.md prints. */
/* S17: another neighbour on a side. Its numbers begin below those of the one
 * before, which counted high; ours go on. */
Test(session_hop, another_neighbour)
{
    const svr_exchange first = {.own = 900, .unechoed = true};
    const svr_exchange second = {.own = 7, .unechoed = true};
    const svr_hop_settings settings = {.keep_alive = 30};

    for (unsigned side = 0; side < 2; side++) {
        svr_session s;
        svr_session_init(&s, SVR_SESSION_UDP, true, true, 100);
        svr_session_watch(&s, side, settings);
        svr_session_metadata(&s, side, &first, false, 1);
        cr_assert(svr_session_is_older(&s, side, 7));
        svr_session_turn(&s, side, SVR_SECOND);
        svr_exchange own = svr_session_exchange(&s, side);
        cr_expect_eq(own.own, 101);
        cr_expect_eq(own.echo, 0, "it has said nothing yet");
        cr_expect(own.unechoed);
        cr_expect_not(svr_session_is_older(&s, side, 7));
        cr_expect(svr_session_renews(&s, side), "it is told by itself");
        cr_expect_eq(s.hop[side].settings.keep_alive, 30);
        svr_session_event(&s, side, SVR_SESSION_PLAIN, 2 * SVR_SECOND);
        cr_expect(svr_session_exchange(&s, side).unechoed,
                  "absence says nothing");
        svr_session_metadata(&s, side, &second, false, 2 * SVR_SECOND);
        cr_expect_eq(svr_session_exchange(&s, side).echo, 7);
        cr_expect_eq(svr_session_exchange(&s, !side).own, 100);
    }
    svr_session s;
    svr_session_init(&s, SVR_SESSION_UDP, false, true, 100);
    svr_session_turn(&s, SVR_SESSION_CLIENT, SVR_SECOND);
    cr_expect_str_eq(svr_session_state_name(&s, SVR_SESSION_CLIENT), "none");
    cr_expect_eq(svr_session_exchange(&s, SVR_SESSION_CLIENT).own, 100);
}

Test(session_hop, names)
{
    for (int e = 0; e < SVR__HOP_EVENTS; e++) {
        enum svr__hop_event event = (enum svr__hop_event)e;
        cr_expect_gt(strlen(svr__hop_event_name(event)), 3);
        cr_expect_gt(strlen(svr__hop_event_text(event)), 10);
    }
    cr_expect_str_eq(svr__hop_event_name(SVR__HOP_IDLE), "IDLE");
    cr_expect_eq(svr__hop_rule_for(SVR_HOP_OFFERED, SVR__HOP_ENABLE)->next,
                 SVR_HOP_OFFERING);
}
