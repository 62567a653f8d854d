/* Mappings of a NAT are kept (S8.1), and a neighbour is asked whether it has a
 * session (S8.2). */
#include "node_lab.h"

#include <criterion/criterion.h>
#include <string.h>

/* What routers said to each other about sessions. */
struct heard {
    unsigned control[LAB_ROUTERS][9];
    unsigned health[LAB_ROUTERS][3];
    unsigned sessions[LAB_ROUTERS]; /* session metadata */
    bool deaf;                      /* requests and their answers are lost */
};

static bool note(struct lab *lab, int from, int to, struct frame *f)
{
    struct heard *heard = lab->user;
    svr_headers h = frame_headers(f);
    (void)to;
    if (h.tuple.dport < SVR_WAYPOINT_PORT_FIRST || !frame_has_metadata(f))
        return true;
    svr_metadata md = frame_metadata(f);
    bool control = md.present & SVR_HAS(CONTROL);
    bool health = md.present & SVR_HAS(HEALTH_OR_KEY);
    heard->control[from][control ? md.control : 0]++;
    heard->health[from][health ? md.health : 0]++;
    heard->sessions[from] += svr_metadata_is_session(&md);
    return !heard->deaf || !(control || health);
}

/* Pathways that are not watched: nobody hears of a restart but by S8.2. */
static void open_unwatched(struct lab *lab, struct heard *heard,
                           struct net_options o)
{
    memset(lab, 0, sizeof(*lab));
    net_open(&lab->net, &o);
    lab->carries = note;
    lab->user = heard;
}

static enum svr_drop client_says(struct lab *lab, bool tcp, size_t len)
{
    return lab_host(lab, LAB_BRANCH,
                    tcp ? client_segment(110, NULL, len)
                        : frame_udp(CLIENT, 5000, SERVER, 7, NULL, len));
}

static enum svr_drop server_says(struct lab *lab, bool tcp, size_t len)
{
    return lab_host(
        lab, LAB_DC,
        tcp ? frame_tcp(SERVER, 80, CLIENT, 40, SVR_TCP_ACK, 2, 110, NULL, len)
            : frame_udp(SERVER, 7, CLIENT, 5000, NULL, len));
}

static void shake_hands(struct lab *lab)
{
    lab_host(lab, LAB_BRANCH,
             frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_SYN, 9, 0, "", 0));
    lab_host(lab, LAB_DC,
             frame_tcp(SERVER, 80, CLIENT, 40, SVR_TCP_SYN | SVR_TCP_ACK, 1, 10,
                       "", 0));
    lab_host(lab, LAB_BRANCH,
             frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_ACK, 10, 2, NULL, 100));
}

static void establish(struct lab *lab, bool tcp)
{
    if (tcp)
        shake_hands(lab);
    for (int i = 0; i < 3; i++) {
        client_says(lab, tcp, 9);
        server_says(lab, tcp, 9);
    }
    cr_assert_geq(lab->got[LAB_BRANCH], 3);
    cr_assert_geq(lab->got[LAB_DC], 3);
}

/* S8.1: by the router behind the NAT, when nothing has passed for a time, which
 * makes no session live longer. */
static void expect_keep_alives(struct net_options o, bool tcp, bool masked,
                               unsigned seconds, unsigned life)
{
    struct heard heard = {0};
    struct lab lab;
    unsigned *sent = &heard.control[LAB_BRANCH][SVR_CONTROL_KEEP_ALIVE];

    o.hidden = true;
    lab_open(&lab, o);
    lab.carries = note;
    lab.user = &heard;
    establish(&lab, tcp);
    cr_expect_eq(lab_session(&lab, LAB_BRANCH).server.waypoints.proto,
                 tcp && !masked ? SVR_PROTO_TCP : SVR_PROTO_UDP);
    lab_run(&lab, 20 * SVR_SECOND);
    client_says(&lab, tcp, 9);
    *sent = 0;
    lab_run(&lab, (seconds - 1) * SVR_SECOND);
    cr_expect_eq(*sent, 0, "too early");
    lab_run(&lab, 2 * SVR_SECOND);
    cr_expect_eq(*sent, 1);
    lab_run(&lab, (life - seconds - 3) * SVR_SECOND);
    cr_expect_eq(*sent, (life - 2) / seconds);
    cr_expect_eq(svr_node_session_count(lab.net.dc), 1);
    lab_run(&lab, 4 * SVR_SECOND);
    cr_expect_eq(svr_node_session_count(lab.net.branch), 0);
    cr_expect_eq(svr_node_session_count(lab.net.dc), 0);
    cr_expect_eq(heard.control[LAB_DC][SVR_CONTROL_KEEP_ALIVE], 0);
    cr_expect_eq(net_dropped(lab.net.dc, SVR_DROP_CONTROL_NO_SESSION), 0);
    lab_close(&lab);
}

Test(node_health, keep_alive)
{
    expect_keep_alives((struct net_options){0}, false, false, 30, 180);
    expect_keep_alives((struct net_options){.per_packet = true}, false, false,
                       30, 180);
    expect_keep_alives((struct net_options){0}, true, false, 1800, 1900);
    expect_keep_alives((struct net_options){.masked = NET_MASK_BRANCH}, true,
                       true, 30, 1900);
}

Test(node_health, no_keep_alive_without_a_nat)
{
    struct heard heard = {0};
    struct lab lab;

    lab_open(&lab, (struct net_options){0});
    lab.carries = note;
    lab.user = &heard;
    establish(&lab, false);
    lab_run(&lab, 100 * SVR_SECOND);
    for (int router = 0; router < LAB_ROUTERS; router++)
        cr_expect_eq(heard.control[router][SVR_CONTROL_KEEP_ALIVE], 0);
    lab_close(&lab);
}

/* Packets of both directions, signed or not, and one that has no room left for
 * the request. */
static const struct row {
    struct net_options options;
    bool tcp, server;
    size_t len;
    bool pieces; /* so it leaves in two, and a request is inside */
} rows[] = {
    {{.inactivity = 5}, false, false, 9},
    {{.inactivity = 5}, false, true, 9},
    {{.inactivity = 5}, true, false, 9},
    {{.inactivity = 5}, true, true, 9},
    {{.inactivity = 5, .per_packet = true}, false, false, 9},
    {{.inactivity = 5, .per_packet = true}, true, true, 9},
    {{.inactivity = 5}, false, false, 1472, true},
    {{.inactivity = 5, .no_offload = true}, true, false, 1460, true},
    {{.inactivity = 5, .masked = NET_MASK_BRANCH}, true, false, 9},
    {{.inactivity = 5, .v6_pathway = true}, false, true, 9},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Who speaks, and who is spoken to. */
static int speaker(const struct row *r)
{
    return r->server ? LAB_DC : LAB_BRANCH;
}

static int other(const struct row *r)
{
    return r->server ? LAB_BRANCH : LAB_DC;
}

static void say(struct lab *lab, const struct row *r)
{
    if (r->server)
        server_says(lab, r->tcp, r->len);
    else
        client_says(lab, r->tcp, r->len);
}

static void begin(struct lab *lab, struct heard *heard, const struct row *r)
{
    memset(heard, 0, sizeof(*heard));
    open_unwatched(lab, heard, r->options);
    establish(lab, r->tcp);
    lab_run(lab, 20 * SVR_SECOND);
    memset(heard, 0, sizeof(*heard));
}

/* The neighbour has it: it says so once, and the packet goes on. */
Test(node_health, answered)
{
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *r = &rows[i];
        struct heard heard;
        struct lab lab;
        begin(&lab, &heard, r);
        int from = speaker(r), to = other(r);
        unsigned got = lab.got[to];
        say(&lab, r);
        lab_run(&lab, 6 * SVR_SECOND);
        cr_expect_eq(heard.health[from][1], 0, "row %zu: too early", i);
        for (int k = 0; k < 4; k++)
            say(&lab, r);
        if (!r->pieces)
            cr_expect_eq(heard.health[from][1], 1, "row %zu", i);
        cr_expect_eq(heard.control[to][SVR_CONTROL_HEALTH_ANSWER], 1, "row %zu",
                     i);
        cr_expect_eq(lab.got[to], got + 5 + (r->tcp && r->pieces), "row %zu",
                     i);
        cr_expect_eq(heard.sessions[from] + heard.sessions[to], 0, "row %zu",
                     i);
        lab_run(&lab, 6 * SVR_SECOND);
        say(&lab, r);
        cr_expect_eq(heard.health[from][2], 0, "row %zu: it was answered", i);
        lab_close(&lab);
    }
}

/* Without an answer it asks again, and not more often. */
Test(node_health, unanswered)
{
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *r = &rows[i];
        struct heard heard;
        struct lab lab;
        if (r->pieces)
            continue;
        begin(&lab, &heard, r);
        heard.deaf = true;
        say(&lab, r);
        for (int k = 0; k < 40; k++) {
            lab_run(&lab, 500 * SVR_MILLISECOND);
            say(&lab, r);
        }
        cr_expect_eq(heard.health[speaker(r)][1], 1, "row %zu", i);
        cr_expect_geq(heard.health[speaker(r)][2], 2, "row %zu", i);
        cr_expect_leq(heard.health[speaker(r)][2], 3, "row %zu", i);
        cr_expect_eq(heard.health[other(r)][1], 0, "row %zu", i);
        lab_close(&lab);
    }
}

/* The neighbour has lost it: a plain packet is not answered, a request is, and
 * the session goes on. */
Test(node_health, recovery)
{
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *r = &rows[i];
        struct heard heard;
        struct lab lab;
        begin(&lab, &heard, r);
        int from = speaker(r), to = other(r);
        lab_restart(&lab, to);
        unsigned got = lab.got[to];
        for (int k = 0; k < 8; k++)
            say(&lab, r);
        cr_expect_eq(heard.control[to][SVR_CONTROL_ENABLE_METADATA], 0,
                     "row %zu: a plain packet is not answered", i);
        cr_expect_eq(lab.got[to], got, "row %zu", i);
        lab_run(&lab, 6 * SVR_SECOND);
        say(&lab, r);
        if (!r->pieces)
            cr_expect_eq(heard.health[from][1], 1, "row %zu", i);
        cr_expect_eq(heard.control[to][SVR_CONTROL_ENABLE_METADATA], 1,
                     "row %zu", i);
        for (int k = 0; k < 4; k++)
            say(&lab, r);
        cr_expect_geq(lab.got[to], got + 4, "row %zu", i);
        cr_expect_eq(svr_node_session_count(lab_node(&lab, to)), 1, "row %zu",
                     i);
        lab_close(&lab);
    }
}

/* The other mode: what is lost is heard of by the first packet, and nothing is
 * asked. */
Test(node_health, packet_based)
{
    struct heard heard;
    struct lab lab;

    begin(&lab, &heard, &(struct row){.len = 9});
    for (int k = 0; k < 20; k++) {
        client_says(&lab, false, 9);
        lab_run(&lab, 1 * SVR_SECOND);
    }
    cr_expect_eq(heard.health[LAB_BRANCH][1] + heard.health[LAB_BRANCH][2], 0);
    lab_restart(&lab, LAB_DC);
    client_says(&lab, false, 100);
    cr_expect_eq(heard.control[LAB_DC][SVR_CONTROL_ENABLE_METADATA], 1);
    lab_close(&lab);
}
