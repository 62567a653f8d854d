/* What a node tells its program. */
#include "node_net.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* What was told, one line for each event. */
struct story {
    char text[2048];
    size_t len;
};

static void note(void *user, const svr_event *e)
{
    struct story *s = user;
    const char *what = e->session ? e->session->service : e->pathway->name;
    const char *more = e->session ? svr_role_name(e->session->role)
                       : e->pathway->info.state == SVR_BFD_UP ? "up"
                                                              : "down";

    cr_assert_eq(!e->session, !!e->pathway, "one of both");
    s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len,
                               "%s %s %s %s\n", svr_event_name(e->kind), what,
                               more, svr_cause_name(e->cause));
    cr_assert_lt(s->len, sizeof(s->text));
}

static void expect(struct story *s, const char *text)
{
    cr_assert_str_eq(s->text, text);
    s->len = 0;
    s->text[0] = '\0';
}

static void open_story(struct net *net, struct story *s,
                       struct net_options options)
{
    memset(s, 0, sizeof(*s));
    options.notify = (svr_notify){note, s};
    net_open(net, &options);
}

static void one_udp(struct net *net)
{
    trip(net, false, frame_udp(CLIENT, 5000, SERVER, 53, "query", 5));
}

#define STARTED                           \
    "session-started apps ingress none\n" \
    "session-started apps egress none\n"

/* Each router tells of its own part; packets after the first are no news. */
Test(node_notify, idle)
{
    struct net net;
    struct story s;

    open_story(&net, &s, (struct net_options){0});
    one_udp(&net);
    one_udp(&net);
    expect(&s, STARTED);
    net_run(&net, net.branch, net.now + 4 * SVR_SECOND);
    expect(&s, "");
    net_run(&net, net.branch, net.now + 10 * SVR_SECOND);
    expect(&s, "session-ended apps ingress idle\n");
    net_close(&net);
    expect(&s, "");
}

Test(node_notify, reset_and_closed)
{
    const uint8_t fin = SVR_TCP_FIN | SVR_TCP_ACK;
    struct net net;
    struct story s;

    open_story(&net, &s, (struct net_options){0});
    open_tcp(&net);
    expect(&s, STARTED);
    trip(&net, true,
         frame_tcp(SERVER, 80, CLIENT, 40, SVR_TCP_RST, 2, 0, "", 0));
    net_run(&net, net.dc, net.now + 3 * SVR_SECOND);
    expect(&s, "session-ended apps egress reset\n");
    net_run(&net, net.branch, net.now);
    expect(&s, "session-ended apps ingress reset\n");

    open_tcp(&net);
    expect(&s, STARTED);
    trip(&net, false, frame_tcp(CLIENT, 40, SERVER, 80, fin, 110, 2, "", 0));
    trip(&net, true, frame_tcp(SERVER, 80, CLIENT, 40, fin, 2, 111, "", 0));
    net_run(&net, net.branch, net.now + 11 * SVR_SECOND);
    expect(&s, "session-ended apps ingress closed\n");
    net_close(&net);
}

/* S6.7: the ingress has forgotten the session, and its client goes on. */
Test(node_notify, replaced)
{
    struct net net;
    struct story s;

    open_story(&net, &s, (struct net_options){0});
    one_udp(&net);
    expect(&s, STARTED);
    net_restart(&net, &net.branch);
    one_udp(&net);
    expect(&s, "session-started apps ingress none\n"
               "session-ended apps egress replaced\n"
               "session-started apps egress none\n");
    net_close(&net);
}

Test(node_notify, pathway)
{
    struct net net;
    struct story s;

    open_story(&net, &s, (struct net_options){0});
    cr_assert_eq(svr_node_pathway_admin(net.branch, "wan0-dc", true, net.now),
                 0);
    expect(&s, "pathway wan0-dc down none\n");
    cr_assert_eq(svr_node_pathway_admin(net.branch, "wan0-dc", false, net.now),
                 0);
    expect(&s, "pathway wan0-dc up none\n");
    net_close(&net);
}

/* What is refused without an answer is counted, and that is all. */
Test(node_notify, strangers_are_no_news)
{
    struct net net;
    struct story s;
    struct frame f = frame_udp("10.3.0.10", 5000, SERVER, 53, "query", 5);

    open_story(&net, &s, (struct net_options){0});
    cr_assert_eq(net_input(&net, net.branch, &f, NET_GUEST), SVR_DROP_ACCESS);
    expect(&s, "");
    frame_free(&f);
    net_close(&net);
}

Test(node_notify, names)
{
    for (int i = 0; i < SVR_EVENT_COUNT; i++)
        for (int k = 0; k < i; k++)
            cr_assert_str_neq(svr_event_name((enum svr_event_kind)i),
                              svr_event_name((enum svr_event_kind)k));
    for (int i = 0; i < SVR_CAUSE_COUNT; i++) {
        cr_assert_gt(strlen(svr_cause_text((enum svr_cause)i)), 0);
        for (int k = 0; k < i; k++)
            cr_assert_str_neq(svr_cause_name((enum svr_cause)i),
                              svr_cause_name((enum svr_cause)k));
    }
    cr_assert_str_eq(svr_event_name(SVR_EVENT_COUNT), "unknown");
    cr_assert_str_eq(svr_cause_name(SVR_CAUSE_COUNT), "unknown");
    cr_assert_str_eq(svr_cause_text(SVR_CAUSE_COUNT), "unknown");
}

/* S24: in a full table one that is not established makes room. */
Test(node_notify, room)
{
    enum { CAP = 16 };
    struct net net;
    struct story s;

    open_story(&net, &s, (struct net_options){.sessions = CAP});
    for (uint16_t i = 0; i < CAP; i++) {
        struct frame f = frame_udp(CLIENT, 5000 + i, SERVER, 53, "query", 5);
        cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
        frame_free(&f);
    }
    s.len = 0;
    net.now += SVR_SECOND;
    struct frame f = frame_udp(CLIENT, 6000, SERVER, 53, "query", 5);
    cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
    frame_free(&f);
    expect(&s, "session-ended apps ingress room\n"
               "session-started apps ingress none\n");
    net_close(&net);
}
