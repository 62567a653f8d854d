/* What a restart does to sessions (S8.3, S8.4). */
#include "node_lab.h"

#include <criterion/criterion.h>
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
