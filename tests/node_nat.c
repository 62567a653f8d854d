/* Routers behind a NAT (S14.4, S14.9, S6.8 b). */
#include "node_lab.h"

#include <criterion/criterion.h>
#include <string.h>

/* The branch is behind a NAT. */
static void open_lab(struct lab *lab, struct net_options o)
{
    o.hidden = true;
    lab_open(lab, o);
}

/* One datagram, from the client or from the server, sent up to five times. */
static bool say(struct lab *lab, bool reverse, bool opens_there)
{
    int from = reverse ? LAB_DC : LAB_BRANCH;
    int to = reverse ? LAB_BRANCH : LAB_DC;
    unsigned before = lab->got[to];

    for (int tries = 0; tries < 5 && lab->got[to] == before; tries++) {
        uint16_t client = 5000, server = 7;
        lab_host(lab, from,
                 reverse != opens_there
                     ? frame_udp(reverse ? SERVER : CLIENT, server,
                                 reverse ? CLIENT : SERVER, client, "x", 1)
                     : frame_udp(reverse ? SERVER : CLIENT, client,
                                 reverse ? CLIENT : SERVER, server, "x", 1));
        lab_run(lab, 1 * SVR_SECOND);
    }
    return lab->got[to] > before;
}

/* S14.9: the outside opens a session toward the inside. */
Test(node_nat, pinhole)
{
    struct lab lab;

    open_lab(&lab, (struct net_options){.reverse = true});
    cr_expect(say(&lab, true, true), "from the outside");
    cr_expect_geq(net_dropped(lab.net.dc, SVR_DROP_PINHOLE), 1);
    cr_expect(say(&lab, false, true), "and back");
    cr_expect_eq(svr_node_session_count(lab.net.branch), 1);
    cr_expect_eq(svr_node_session_count(lab.net.dc), 1);
    lab_close(&lab);
}

static bool begin_tcp(struct lab *lab)
{
    unsigned before = lab->got[LAB_BRANCH];

    for (int tries = 0; tries < 5 && lab->got[LAB_BRANCH] == before; tries++) {
        lab_host(lab, LAB_DC,
                 frame_tcp(SERVER, 40, CLIENT, 80, SVR_TCP_SYN, 9, 0, "", 0));
        lab_run(lab, 1 * SVR_SECOND);
    }
    return lab->got[LAB_BRANCH] > before;
}

/* The mapping is one of UDP, so TCP travels as UDP. */
Test(node_nat, pinhole_for_tcp)
{
    struct lab lab;

    open_lab(&lab, (struct net_options){.reverse = true});
    cr_expect(begin_tcp(&lab));
    cr_expect_eq(lab_session(&lab, LAB_DC).server.waypoints.proto,
                 SVR_PROTO_UDP);
    lab_close(&lab);
}

/* The peer's answer is lost, three times: the service has no other way. */
static bool no_keep_alive(struct lab *lab, int from, int to, struct frame *f)
{
    (void)to;
    svr_headers h = frame_headers(f);
    return from != LAB_BRANCH || h.tuple.dport == SVR_BFD_PORT || !lab->user;
}

Test(node_nat, pinhole_that_does_not_open)
{
    struct lab lab;

    open_lab(&lab, (struct net_options){.reverse = true});
    lab.carries = no_keep_alive;
    lab.user = &lab;
    cr_expect_not(say(&lab, true, true));
    cr_expect_geq(net_dropped(lab.net.dc, SVR_DROP_PINHOLE), 3);
    cr_expect_geq(net_dropped(lab.net.dc, SVR_DROP_PATHWAY_DOWN), 1);
    cr_expect_eq(svr_node_session_count(lab.net.dc), 0);
    lab_run(&lab, 10 * SVR_SECOND);
    lab.user = NULL;
    cr_expect(say(&lab, true, true), "it is asked again after a while");
    lab_close(&lab);
}

static enum svr_drop knock(struct lab *lab)
{
    return lab_host(lab, LAB_DC, frame_udp(SERVER, 5000, CLIENT, 7, "x", 1));
}

/* The NAT forgets the mapping that was asked for, before it is used, and at
 * once after: the session would offer to where nobody is. */
Test(node_nat, pinhole_that_closes)
{
    for (int used = 0; used < 2; used++) {
        struct lab lab;

        open_lab(&lab, (struct net_options){.reverse = true});
        cr_assert_eq(knock(&lab), SVR_DROP_PINHOLE);
        lab_rebind(&lab);
        if (used)
            cr_expect_eq(knock(&lab), SVR_DROP_NONE);
        lab_run(&lab, 3 * SVR_SECOND);
        cr_expect(say(&lab, true, true), "used: %d", used);
        cr_expect(say(&lab, false, true), "used: %d", used);
        cr_expect_eq(svr_node_session_count(lab.net.dc), 1);
        lab_close(&lab);
    }
}

/* The peer forgets its sessions when the NAT forgets its mappings: both lost
 * their power. */
Test(node_nat, restart_with_the_nat)
{
    struct lab lab;

    open_lab(&lab, (struct net_options){.reverse = true});
    cr_assert(say(&lab, true, true));
    cr_assert(say(&lab, false, true));
    lab_restart(&lab, LAB_BRANCH);
    lab_rebind(&lab);
    lab_run(&lab, 6 * SVR_SECOND);
    cr_expect(say(&lab, true, true));
    cr_expect(say(&lab, false, true));
    cr_expect_eq(svr_node_session_count(lab.net.branch), 1);
    lab_close(&lab);
}

/* A peer that did not answer is asked again once the pathway has come up. */
Test(node_nat, pinhole_after_an_outage)
{
    struct lab lab;

    open_lab(&lab, (struct net_options){.reverse = true});
    lab.carries = no_keep_alive;
    lab.user = &lab;
    cr_expect_not(say(&lab, true, true));
    lab.user = NULL;
    lab_restart(&lab, LAB_BRANCH);
    lab_run(&lab, 2 * SVR_SECOND);
    cr_expect_eq(knock(&lab), SVR_DROP_PINHOLE);
    cr_expect_eq(knock(&lab), SVR_DROP_NONE);
    lab_close(&lab);
}

static svr_uuid uuid_of(struct lab *lab, int router)
{
    return lab_session(lab, router).uuid;
}

/* The NAT forgets its mappings, and only the far end has something to say: the
 * router behind the NAT learns of it from what the peer observes, and shows
 * where its sessions are now (S6.8 b). */
static void expect_rebinding(struct net_options o, bool opens_there)
{
    struct lab lab;

    o.reverse = true;
    open_lab(&lab, o);
    for (int i = 0; i < 3; i++) {
        cr_assert(say(&lab, opens_there, opens_there));
        cr_assert(say(&lab, !opens_there, opens_there));
    }
    svr_uuid uuid = uuid_of(&lab, LAB_BRANCH);
    for (int i = 0; i < 3; i++) {
        lab_rebind(&lab);
        cr_expect(say(&lab, true, opens_there), "opened at dc: %d, %d",
                  opens_there, i);
        cr_expect(say(&lab, false, opens_there), "opened at dc: %d, %d",
                  opens_there, i);
        lab_run(&lab, 3 * SVR_SECOND);
    }
    for (int router = LAB_BRANCH; router <= LAB_DC; router++) {
        svr_uuid u = uuid_of(&lab, router);
        cr_expect_eq(svr_node_session_count(lab_node(&lab, router)), 1);
        cr_expect_eq(memcmp(&u, &uuid, sizeof(u)), 0, "another session");
    }
    lab_close(&lab);
}

Test(node_nat, rebinding_where_only_the_far_end_speaks)
{
    for (int there = 0; there < 2; there++) {
        expect_rebinding((struct net_options){0}, there);
        expect_rebinding((struct net_options){.per_packet = true}, there);
    }
}
