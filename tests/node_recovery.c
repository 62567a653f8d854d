/* What a restart does to sessions (S8.3, S8.4). */
#include "node/node.h"
#include "node_lab.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct frame segment(bool reverse, uint8_t flags)
{
    return reverse
               ? frame_tcp(SERVER, 80, CLIENT, 40, flags, 2, 110, "pong", 4)
               : frame_tcp(CLIENT, 40, SERVER, 80, flags, 110, 2, "ping", 4);
}

static struct frame datagram(bool reverse)
{
    return reverse ? frame_udp(SERVER, 7, CLIENT, 5000, "pong", 4)
                   : frame_udp(CLIENT, 5000, SERVER, 7, "ping", 4);
}

/* Nobody knows of sessions, and all say so: silence lasts until then. */
Test(node_recovery, silence_until_all_peers_have_spoken)
{
    struct lab lab;

    lab_open(&lab, (struct net_options){.hub = true});
    lab_restart(&lab, LAB_BRANCH);
    cr_expect_eq(lab_host(&lab, LAB_BRANCH, segment(false, SVR_TCP_ACK)),
                 SVR_DROP_RESYNC);
    cr_expect_eq(lab.resets, 0);
    lab_run(&lab, 9 * SVR_SECOND);
    cr_expect_eq(lab_host(&lab, LAB_BRANCH, segment(false, SVR_TCP_ACK)),
                 SVR_DROP_NOT_SYN);
    cr_expect_eq(lab.resets, 1, "S9");
    lab_close(&lab);
}

/* One of the two peers of the hub never comes. */
Test(node_recovery, silence_ends_without_a_peer)
{
    struct lab lab;

    lab_open(&lab, (struct net_options){.hub = true});
    lab_kill(&lab, LAB_DC);
    lab_restart(&lab, LAB_HUB);
    lab_run(&lab, 9 * SVR_SECOND);
    cr_expect_eq(lab_host(&lab, LAB_HUB, segment(false, SVR_TCP_ACK)),
                 SVR_DROP_RESYNC);
    lab_run(&lab, 1 * SVR_SECOND);
    cr_expect_neq(lab_host(&lab, LAB_HUB, segment(false, SVR_TCP_ACK)),
                  SVR_DROP_RESYNC);
    lab_close(&lab);
}

/* What a server says may be an answer; what begins a session does. */
Test(node_recovery, servers_are_not_believed_meanwhile)
{
    struct lab lab;

    lab_open(&lab, (struct net_options){.reverse = true});
    cr_expect_eq(lab_host(&lab, LAB_DC, datagram(true)), SVR_DROP_NONE,
                 "the control: it opens a session of its own");
    lab_restart(&lab, LAB_DC);
    cr_expect_eq(lab_host(&lab, LAB_DC, datagram(true)), SVR_DROP_RESYNC);
    cr_expect_eq(lab_host(&lab, LAB_DC, segment(true, SVR_TCP_ACK)),
                 SVR_DROP_RESYNC);
    cr_expect_eq(
        lab_host(&lab, LAB_DC, segment(true, SVR_TCP_SYN | SVR_TCP_ACK)),
        SVR_DROP_RESYNC);
    cr_expect_eq(lab_host(&lab, LAB_DC, frame_echo(SERVER, CLIENT, 1, true, 8)),
                 SVR_DROP_RESYNC);
    cr_expect_eq(lab_host(&lab, LAB_DC, segment(true, SVR_TCP_SYN)),
                 SVR_DROP_PATHWAY_DOWN);
    cr_expect_eq(
        lab_host(&lab, LAB_DC, frame_echo(SERVER, CLIENT, 1, false, 8)),
        SVR_DROP_PATHWAY_DOWN);
    lab_run(&lab, 9 * SVR_SECOND);
    cr_expect_eq(lab_host(&lab, LAB_DC, datagram(true)), SVR_DROP_NONE);
    lab_close(&lab);
}

/* A pathway that is not watched tells nothing, so nothing is waited for. */
Test(node_recovery, no_silence_without_peers)
{
    struct net net;

    net_open(&net, NULL);
    struct frame f = segment(false, SVR_TCP_ACK);
    cr_expect_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NOT_SYN);
    frame_free(&f);
    net_close(&net);
}

/* On a quiet line each packet is marked, with a block that names no session
 * (S15). Where the session was forgotten it is asked for all the same (S8.2).
 */
Test(node_recovery, marked_packets_of_a_forgotten_session)
{
    struct lab lab;

    lab_open(&lab, (struct net_options){0});
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(lab_host(&lab, LAB_BRANCH, datagram(false)),
                     SVR_DROP_NONE);
        cr_assert_eq(lab_host(&lab, LAB_DC, datagram(true)), SVR_DROP_NONE);
        lab_run(&lab, 2 * SVR_SECOND);
    }
    svr_node *dc = lab_node(&lab, LAB_DC);
    svr__session_close(dc, &dc->table.sessions[0], SVR_CAUSE_IDLE, lab.net.now);
    uint64_t before = net_dropped(dc, SVR_DROP_NO_SESSION);
    unsigned got = lab.got[LAB_DC];
    for (int i = 0; i < 3; i++) {
        lab_host(&lab, LAB_BRANCH, datagram(false));
        lab_run(&lab, 2 * SVR_SECOND);
    }
    cr_expect_eq(net_dropped(dc, SVR_DROP_NO_SESSION), before + 1);
    /* S12.6: what the router cannot know to be new it does not open. */
    cr_expect_eq(lab.got[LAB_DC], got + (net_encrypts() ? 1 : 2));
    lab_close(&lab);
}

/* Which way hosts talk while a router is away and comes back. */
enum {
    TALK_NONE,
    TALK_CLIENT,
    TALK_SERVER,
    TALK_BOTH,
    TALKS,
};

static const char *const talk_names[] = {"none", "client", "server", "both"};
static const char *const router_names[] = {"", "branch", "dc", "hub"};

/* One restart and what there is around it. */
struct story {
    struct net_options options;
    bool tcp;
    int router; /* that is restarted */
    int talk;
    unsigned lose; /* the n-th packet between routers after the restart */
};

/* One host says something, and says it again until the other has it. */
static bool say(struct lab *lab, const struct story *y, bool reverse)
{
    int from = reverse ? LAB_DC : LAB_BRANCH,
        to = reverse ? LAB_BRANCH : LAB_DC;
    unsigned before = lab->got[to];

    for (int tries = 0; tries < 24; tries++) {
        lab_host(lab, from,
                 y->tcp ? segment(reverse, SVR_TCP_ACK) : datagram(reverse));
        if (lab->got[to] > before)
            return true;
        lab_run(lab, 500 * SVR_MILLISECOND);
    }
    return false;
}

static void talk(struct lab *lab, const struct story *y)
{
    if (y->talk == TALK_CLIENT || y->talk == TALK_BOTH)
        say(lab, y, false);
    if (y->talk == TALK_SERVER || y->talk == TALK_BOTH)
        say(lab, y, true);
}

static void establish(struct lab *lab, const struct story *y)
{
    lab_open(lab, y->options);
    if (y->tcp)
        open_tcp(&lab->net);
    for (int i = 0; i < 3; i++) {
        cr_assert(say(lab, y, false));
        cr_assert(say(lab, y, true));
    }
    lab_run(lab, 3 * SVR_SECOND);
}

static const char *name_of(const struct story *y)
{
    static char text[80];

    snprintf(text, sizeof(text), "%s, %s restarted, %s talk, packet %u lost",
             y->tcp ? "tcp" : "udp", router_names[y->router],
             talk_names[y->talk], y->lose);
    return text;
}

/* The session lives on: the same one, everywhere, and nobody was reset. A
 * client's datagram opens another one at once, and the hub keeps the old one
 * until it has been idle for its time. */
static void expect_recovery(struct story y)
{
    struct lab lab;

    establish(&lab, &y);
    svr_uuid uuid = lab_session(&lab, LAB_BRANCH).uuid;
    lab.lose = y.lose ? lab.crossed + y.lose : 0;
    lab_restart(&lab, y.router);
    for (int i = 0; i < 4; i++) {
        talk(&lab, &y);
        lab_run(&lab, 1 * SVR_SECOND);
    }
    lab_run(&lab, 8 * SVR_SECOND);
    cr_expect(say(&lab, &y, false), "%s: to the server", name_of(&y));
    cr_expect(say(&lab, &y, true), "%s: to the client", name_of(&y));
    cr_expect_eq(lab.resets, 0, "%s: a reset", name_of(&y));
    for (int i = LAB_BRANCH; i < LAB_ROUTERS; i++) {
        if (!lab_node(&lab, i))
            continue;
        cr_expect_leq(svr_node_session_count(lab_node(&lab, i)),
                      1 + (!y.tcp && i == LAB_HUB), "%s: sessions of %s",
                      name_of(&y), router_names[i]);
        svr_uuid u = lab_session(&lab, i).uuid;
        if (y.tcp)
            cr_expect_eq(memcmp(&u, &uuid, sizeof(u)), 0,
                         "%s: another session in %s", name_of(&y),
                         router_names[i]);
    }
    lab_close(&lab);
}

Test(node_recovery, two_routers)
{
    for (int talk = 0; talk < TALKS; talk++)
        for (int router = LAB_BRANCH; router <= LAB_DC; router++)
            expect_recovery(
                (struct story){.tcp = true, .router = router, .talk = talk});
}

Test(node_recovery, three_routers)
{
    for (int talk = 0; talk < TALKS; talk++)
        for (int router = LAB_BRANCH; router <= LAB_HUB; router++)
            expect_recovery((struct story){.options = {.hub = true},
                                           .tcp = true,
                                           .router = router,
                                           .talk = talk});
}

/* Every packet between routers in the first seconds is lost once. */
static void lose_each(struct story y)
{
    for (y.lose = 1; y.lose <= 40; y.lose++)
        expect_recovery(y);
}

Test(node_recovery, each_packet_lost_once)
{
    for (int talk = 0; talk < TALKS; talk++)
        for (int router = LAB_BRANCH; router <= LAB_HUB; router++)
            lose_each((struct story){.options = {.hub = true},
                                     .tcp = true,
                                     .router = router,
                                     .talk = talk});
}

Test(node_recovery, udp)
{
    for (int talk = 0; talk < TALKS; talk++)
        for (int router = LAB_BRANCH; router <= LAB_HUB; router++)
            lose_each((struct story){
                .options = {.hub = true}, .router = router, .talk = talk});
}

Test(node_recovery, signed_masked_and_of_another_family)
{
    const struct net_options rows[] = {
        {.per_packet = true},
        {.masked = NET_MASK_BRANCH | NET_MASK_DC | NET_MASK_HUB},
        {.masked = NET_MASK_HUB},
        {.v6_pathway = true},
        {.regular = true, .per_packet = true, .v6_pathway = true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int talk = 0; talk < TALKS; talk++)
            for (int router = LAB_BRANCH; router <= LAB_HUB; router++) {
                struct story y = {.options = rows[i],
                                  .tcp = true,
                                  .router = router,
                                  .talk = talk};
                y.options.hub = true;
                expect_recovery(y);
                y.tcp = false;
                expect_recovery(y);
            }
}

/* A session that nobody has told of is refused once all have spoken. */
Test(node_recovery, what_is_not_told_is_refused)
{
    struct story y = {.tcp = true};
    struct lab lab;

    establish(&lab, &y);
    net_restart(&lab.net, &lab.net.dc); /* both, so that nobody knows it */
    lab_restart(&lab, LAB_BRANCH);
    cr_expect_eq(lab_host(&lab, LAB_BRANCH, segment(false, SVR_TCP_ACK)),
                 SVR_DROP_RESYNC);
    cr_expect_eq(lab_host(&lab, LAB_DC, segment(true, SVR_TCP_ACK)),
                 SVR_DROP_RESYNC);
    cr_expect_eq(lab.resets, 0);
    lab_run(&lab, 9 * SVR_SECOND);
    cr_expect_eq(lab_host(&lab, LAB_BRANCH, segment(false, SVR_TCP_ACK)),
                 SVR_DROP_NOT_SYN);
    cr_expect_eq(lab.resets, 1);
    lab_close(&lab);
}

/* One after the other, each with a moment to recover: what the first one knows
 * it has from the others, and they have new tokens of it. */
Test(node_recovery, one_after_the_other)
{
    for (int first = LAB_BRANCH; first <= LAB_HUB; first++)
        for (int second = LAB_BRANCH; second <= LAB_HUB; second++) {
            struct story y = {
                .options = {.hub = true}, .tcp = true, .talk = TALK_BOTH};
            struct lab lab;
            establish(&lab, &y);
            svr_uuid uuid = lab_session(&lab, LAB_BRANCH).uuid;
            for (int i = 0; i < 6; i++) {
                lab_restart(&lab, i & 1 ? second : first);
                lab_run(&lab, 5 * SVR_SECOND);
                talk(&lab, &y);
            }
            svr_uuid u = lab_session(&lab, LAB_BRANCH).uuid;
            cr_expect_eq(lab.resets, 0, "%d %d", first, second);
            cr_expect(say(&lab, &y, false), "%d %d", first, second);
            cr_expect(say(&lab, &y, true), "%d %d", first, second);
            cr_expect_eq(memcmp(&u, &uuid, sizeof(u)), 0, "%d %d", first,
                         second);
            lab_close(&lab);
        }
}

/* The packets of a TCP session's beginning, and who sends them. */
static struct frame opening(int step)
{
    switch (step) {
    case 0:
        return frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_SYN, 9, 0, "", 0);
    case 1:
        return frame_tcp(SERVER, 80, CLIENT, 40, SVR_TCP_SYN | SVR_TCP_ACK, 1,
                         10, "", 0);
    case 2:
        return frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_ACK, 10, 2, NULL, 100);
    default:
        return frame_tcp(SERVER, 80, CLIENT, 40, SVR_TCP_ACK, 2, 110, "", 0);
    }
}

static bool open_step(struct lab *lab, int step)
{
    int from = step & 1 ? LAB_DC : LAB_BRANCH,
        to = step & 1 ? LAB_BRANCH : LAB_DC;
    unsigned before = lab->got[to];

    for (int tries = 0; tries < 4 && lab->got[to] == before; tries++) {
        lab_host(lab, from, opening(step));
        lab_run(lab, 1 * SVR_SECOND);
    }
    return lab->got[to] > before;
}

/* A router is restarted behind each packet of a session's beginning. Hosts send
 * again what was not answered, from the SYN on. */
Test(node_recovery, while_a_session_begins)
{
    for (int router = LAB_BRANCH; router <= LAB_HUB; router++)
        for (int phase = 0; phase <= 4; phase++) {
            struct story y = {.options = {.hub = true}, .tcp = true};
            struct lab lab;
            bool ok = true;
            lab_open(&lab, y.options);
            for (int step = 0; step < phase; step++)
                lab_host(&lab, step & 1 ? LAB_DC : LAB_BRANCH, opening(step));
            lab_restart(&lab, router);
            for (int step = phase < 2 ? 0 : phase; step < 4; step++)
                ok &= open_step(&lab, step);
            cr_expect(ok, "%s behind packet %d", router_names[router], phase);
            cr_expect(say(&lab, &y, false) && say(&lab, &y, true),
                      "%s behind packet %d", router_names[router], phase);
            cr_expect_eq(lab.resets, 0, "%s behind packet %d",
                         router_names[router], phase);
            lab_close(&lab);
        }
}

/* How many packets of a tour have gone at one time, at most, and in all. They
 * ask for an echo, as answers do not. */
struct pace {
    svr_time at;
    unsigned now, most, all;
};

static bool count_alone(struct lab *lab, int from, int to, struct frame *f)
{
    struct pace *p = lab->user;
    svr_metadata md;
    svr_metadata_init(&md);
    (void)to;
    if (from == LAB_BRANCH && frame_has_metadata(f))
        md = frame_metadata(f);
    if ((md.present & SVR_HAS(CONTROL)) && md.exchange.unechoed) {
        p->now = lab->net.now == p->at ? p->now + 1 : 1;
        p->at = lab->net.now;
        p->most = p->now > p->most ? p->now : p->most;
        p->all++;
    }
    return true;
}

enum {
    CROWD = 500,
};

static void open_crowd(struct lab *lab, struct pace *p)
{
    lab_open(lab, (struct net_options){.sessions = CROWD, .forever = true});
    for (uint16_t i = 0; i < CROWD; i++) {
        trip(&lab->net, false,
             frame_udp(CLIENT, (uint16_t)(5000 + i), SERVER, 7, "a", 1));
        trip(&lab->net, true,
             frame_udp(SERVER, 7, CLIENT, (uint16_t)(5000 + i), "a", 1));
    }
    lab_run(lab, 2 * SVR_SECOND);
    *p = (struct pace){0};
    lab->carries = count_alone;
    lab->user = p;
}

/* S8.4: all at once would be a burst. */
Test(node_recovery, a_tour_is_paced)
{
    struct lab lab;
    struct pace p;

    open_crowd(&lab, &p);
    lab_restart(&lab, LAB_DC);
    lab_run(&lab, 8 * SVR_SECOND);
    cr_expect_eq(svr_node_session_count(lab.net.dc), CROWD);
    /* S12.6: encrypted ones are told a new salt, twice, which answers what the
     * tour brought about; timers turn in ticks of some four of its steps. */
    unsigned each = net_encrypts() ? 3 : 1, steps = net_encrypts() ? 4 : 1;
    cr_expect_leq(p.most, 32 * steps, "%u at one time", p.most);
    cr_expect_eq(p.all, CROWD * each, "%u for each: %u", each, p.all);
    lab_close(&lab);
}

/* S8.5: tokens age, and a router that comes back after days still has good
 * ones out, though it was told the time once. */
Test(node_recovery, tokens_are_replaced)
{
    struct lab lab;
    struct pace p;

    open_crowd(&lab, &p);
    for (int i = 0; i < 6; i++) {
        lab.net.now += 12 * 3600 * SVR_SECOND;
        lab_run(&lab, 20 * SVR_SECOND);
    }
    cr_expect_geq(p.all, 6 * CROWD);
    lab_restart(&lab, LAB_BRANCH);
    lab_run(&lab, 12 * SVR_SECOND);
    cr_expect_eq(svr_node_session_count(lab.net.branch), CROWD);
    lab_close(&lab);
}

/* The service is closed to the client while its ingress is away: the session
 * ends at the other end, too. */
Test(node_recovery, access_revoked_in_between)
{
    struct story y = {.tcp = true, .talk = TALK_SERVER};
    struct net_plan p;
    struct lab lab;

    establish(&lab, &y);
    lab_restart(&lab, LAB_BRANCH);
    net_plan(&lab.net, lab.net.branch, &p);
    p.access[0].allow = false;
    cr_assert_eq(
        svr_node_reconfigure(lab.net.branch, &p.config, lab.net.now, NULL), 0);
    lab_run(&lab, 5 * SVR_SECOND);
    cr_expect_geq(net_dropped(lab.net.branch, SVR_DROP_ACCESS), 1);
    cr_expect_eq(svr_node_session_count(lab.net.branch), 0);
    cr_expect_eq(svr_node_session_count(lab.net.dc), 0, "S6.10");
    lab_close(&lab);
}

/* What dc returns is not what it was given. */
Test(node_recovery, a_peer_cannot_invent_sessions)
{
    struct story y = {.tcp = true, .talk = TALK_SERVER};
    struct lab lab;

    establish(&lab, &y);
    svr__session *s = &lab.net.dc->table.sessions[0];
    while (!s->alive)
        s++;
    svr__token_of(lab.net.dc, s)->bytes[20] ^= 1;
    lab_restart(&lab, LAB_BRANCH);
    lab_run(&lab, 15 * SVR_SECOND);
    talk(&lab, &y);
    cr_expect_geq(net_dropped(lab.net.branch, SVR_DROP_TOKEN), 1);
    cr_expect_eq(svr_node_session_count(lab.net.branch), 0);
    lab_close(&lab);
}
