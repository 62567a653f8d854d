/* A node: sessions that a router further on refuses (S6.10), or that both ends
 * open (S6.11). */
#include "node/node.h"
#include "node_net.h"

#include <criterion/criterion.h>
#include <string.h>

/* From now on dc lets guests in alone. */
static void deny_at_dc(struct net *net)
{
    struct net_plan p;

    net_plan(net, net->dc, &p);
    p.access[0].tenant = NET_GUESTS;
    cr_assert_eq(svr_node_reconfigure(net->dc, &p.config, net->now, NULL), 0);
}

/* The only packet that was sent last. */
static struct frame only_one(struct net *net)
{
    cr_assert_eq(net->out_count, 1);
    return net_take(net, 0);
}

/* Takes it to the node, which must drop it for that reason. Frees it. */
static void carry(struct net *net, svr_node *n, struct frame f,
                  enum svr_drop reason)
{
    enum svr_drop got =
        net_input(net, n, &f, n == net->branch || n == net->dc ? NET_WAN : 1);
    cr_assert_eq(got, reason, "%s", svr_drop_name(got));
    frame_free(&f);
}

/* What the client has sent goes to dc, and dc's refusal back to it. */
static void be_refused(struct net *net)
{
    if (net->hub)
        carry(net, net->hub, only_one(net), SVR_DROP_NONE);
    carry(net, net->dc, only_one(net), SVR_DROP_ACCESS);
    struct frame f = only_one(net);
    svr_metadata md = frame_metadata(&f);
    cr_assert_eq(md.control, SVR_CONTROL_DELETE_SESSION);
    frame_free(&f);
    if (net->hub)
        carry(net, net->hub, only_one(net), SVR_DROP_NONE);
    carry(net, net->branch, only_one(net), SVR_DROP_NONE);
}

static void from_client(struct net *net, const struct frame *f,
                        enum svr_drop reason)
{
    struct frame copy = frame_copy(f);
    enum svr_drop got = net_input(net, net->branch, &copy, NET_LAN);
    cr_assert_eq(got, reason, "%s", svr_drop_name(got));
    frame_free(&copy);
}

/* The client is told by a packet of this protocol, or not yet (0). */
static void expect_told(struct net *net, uint8_t proto, int row)
{
    svr_addr client = addr(CLIENT);

    cr_assert_eq(net->out_count, proto ? 1 : 0, "row %d", row);
    if (!proto)
        return;
    svr_headers h = frame_headers(&net->out[0]);
    cr_assert_eq(h.tuple.proto, proto, "row %d", row);
    cr_assert(svr_addr_equal(&h.tuple.dst, &client), "row %d", row);
    cr_assert_eq(net->out[0].p.iface, NET_LAN);
    if (proto == SVR_PROTO_TCP) {
        cr_assert_eq(h.tcp_flags, SVR_TCP_RST | SVR_TCP_ACK);
        cr_assert_eq(h.tcp_ack, 8, "row %d: what its SYN needs", row);
    } else {
        cr_assert(h.icmp_error, "row %d", row);
    }
}

Test(node_deny, client_is_told)
{
    const struct {
        struct net_options o;
        struct frame first;
        uint8_t at_once, again; /* protocols of the answers */
    } rows[] = {
        {{.regular = true},
         frame_tcp(CLIENT, 1, SERVER, 80, SVR_TCP_SYN, 7, 0, "", 0),
         SVR_PROTO_TCP,
         SVR_PROTO_TCP},
        {{.hub = true},
         frame_tcp(CLIENT, 1, SERVER, 80, SVR_TCP_SYN, 7, 0, "", 0),
         SVR_PROTO_TCP,
         SVR_PROTO_TCP},
        {{.masked = NET_MASK_BRANCH},
         frame_tcp(CLIENT, 1, SERVER, 80, SVR_TCP_SYN, 7, 0, "", 0),
         SVR_PROTO_TCP,
         SVR_PROTO_TCP},
        {{.prohibited = true},
         frame_tcp(CLIENT, 1, SERVER, 80, SVR_TCP_SYN, 7, 0, "", 0),
         SVR_PROTO_ICMP,
         SVR_PROTO_ICMP},
        {{.hub = true},
         frame_udp(CLIENT, 1, SERVER, 80, "query", 5),
         SVR_PROTO_ICMP,
         SVR_PROTO_ICMP},
        {{.hub = true},
         frame_echo(CLIENT, SERVER, 3, false, 8),
         0,
         SVR_PROTO_ICMP},
    };
    for (int row = 0; row < (int)(sizeof(rows) / sizeof(rows[0])); row++) {
        struct frame first = rows[row].first;
        struct net net;

        net_open(&net, &rows[row].o);
        deny_at_dc(&net);
        from_client(&net, &first, SVR_DROP_NONE);
        be_refused(&net);
        expect_told(&net, rows[row].at_once, row);
        cr_assert_eq(svr_node_session_count(net.branch), 0);
        cr_assert_eq(svr_node_session_count(net.dc), 0);
        if (net.hub)
            cr_assert_eq(svr_node_session_count(net.hub), 0);

        /* for a while nobody is asked again */
        net.now += 5 * SVR_SECOND - 1;
        from_client(&net, &first, SVR_DROP_REFUSED);
        expect_told(&net, rows[row].again, row);
        cr_assert_eq(svr_node_session_count(net.branch), 0);
        net.now++;
        from_client(&net, &first, SVR_DROP_NONE);
        cr_assert_eq(svr_node_session_count(net.branch), 1);
        frame_free(&first);
        net_close(&net);
    }
}

/* Another client is not concerned. */
Test(node_deny, others_are_not_refused)
{
    struct net net;
    struct frame first = frame_udp(CLIENT, 1, SERVER, 80, "query", 5);
    struct frame other = frame_udp(CLIENT, 2, SERVER, 80, "query", 5);

    net_open(&net, NULL);
    deny_at_dc(&net);
    from_client(&net, &first, SVR_DROP_NONE);
    be_refused(&net);
    from_client(&net, &other, SVR_DROP_NONE);
    frame_free(&first);
    frame_free(&other);
    net_close(&net);
}

/* One refusal for each tuple and second, whatever comes. */
Test(node_deny, refusals_are_few)
{
    struct net net;
    struct frame first = frame_udp(CLIENT, 1, SERVER, 80, "query", 5);

    net_open(&net, NULL);
    deny_at_dc(&net);
    for (int i = 0; i < 5; i++) {
        from_client(&net, &first, SVR_DROP_NONE);
        carry(&net, net.dc, only_one(&net), SVR_DROP_ACCESS);
        cr_assert_eq(net.out_count, i == 0, "packet %d", i);
    }
    net.now += SVR_SECOND;
    from_client(&net, &first, SVR_DROP_NONE);
    carry(&net, net.dc, only_one(&net), SVR_DROP_ACCESS);
    cr_assert_eq(net.out_count, 1);
    frame_free(&first);
    net_close(&net);
}

/* Control 6 on the session's tuple ends it if it has its UUID (S7): without, or
 * with another one, it is somebody else's. */
Test(node_deny, names_its_session)
{
    static const struct {
        bool named, right;
        enum svr_drop reason;
    } rows[] = {
        {false, false, SVR_DROP_MD_INCOMPLETE},
        {true, false, SVR_DROP_MD_CONFLICT},
        {true, true, SVR_DROP_NONE},
    };
    for (int row = 0; row < 3; row++) {
        struct net net;
        svr_metadata md;

        net_open(&net, NULL);
        trip(&net, false, frame_udp(CLIENT, 1, SERVER, 80, "query", 5));
        svr_node *n = net.dc;
        const svr__session *s = n->table.sessions;
        while (!s->alive)
            s++;
        const svr__pathway *pw = &n->pathways[s->side[SVR__CLIENT].pathway];
        svr_tuple t = svr__side_tuple(n, s, SVR__CLIENT);
        svr__describe_bare(&md);
        md.present |= SVR_HAS(CONTROL);
        md.control = SVR_CONTROL_DELETE_SESSION;
        if (rows[row].named)
            md.present |= SVR_HAS(SESSION_UUID);
        md.uuid = s->uuid;
        md.uuid.b[0] ^= !rows[row].right;
        svr__send_alone(n, pw, &t, &md, net.now);
        net_flush(&net, n);
        carry(&net, net.branch, only_one(&net), rows[row].reason);
        cr_assert_eq(svr_node_session_count(net.branch), !rows[row].right);
        net_close(&net);
    }
}

/* Metadata that does not fit into a block goes nowhere, with its packet or
 * alone: the packet is dropped and counted. No configuration makes it so long;
 * the test lends the router a name. */
Test(node_deny, metadata_too_long)
{
    char name[SVR_METADATA_MAX + 1];
    struct frame f = frame_udp(CLIENT, 1, SERVER, 80, "query", 5);
    svr_counters before, after;
    struct net net;

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    net_open(&net, NULL);
    from_client(&net, &f, SVR_DROP_NONE);
    svr_node *n = net.branch;
    svr__session *s = n->table.sessions;
    while (!s->alive)
        s++;
    const char *own = n->name;
    n->name = name;
    from_client(&net, &f, SVR_DROP_NO_BUFFER); /* checks the ledger */
    cr_assert_eq(net.out_count, 0);
    svr_node_counters(n, &before);
    svr__send_metadata(n, s, SVR__SERVER, net.now);
    net_flush(&net, n);
    cr_assert_eq(net.out_count, 0);
    svr_node_counters(n, &after);
    cr_assert_eq(after.control_sent, before.control_sent);
    n->name = own;
    from_client(&net, &f, SVR_DROP_NONE);
    cr_assert_eq(net.out_count, 1);
    frame_free(&f);
    net_close(&net);
}

/* A connection in the middle: the reset is what its client expects next. */
Test(node_deny, established_connection)
{
    struct net net;

    net_open(&net, NULL);
    open_tcp(&net);
    net_restart(&net, &net.dc);
    deny_at_dc(&net);
    net.now += 11 * SVR_SECOND; /* dc knows all that it will be told */
    struct frame wire = wire_of(&net, client_segment(110, NULL, 400));
    carry(&net, net.dc, wire, SVR_DROP_NO_SESSION);
    carry(&net, net.branch, only_one(&net), SVR_DROP_NONE); /* control 2 */
    net.now += SVR_SECOND; /* S8.2: it has just been answered */
    wire = wire_of(&net, client_segment(110, NULL, 400));
    carry(&net, net.dc, wire, SVR_DROP_ACCESS);
    carry(&net, net.branch, only_one(&net), SVR_DROP_NONE);
    struct frame f = only_one(&net);
    svr_headers h = frame_headers(&f);
    cr_assert_eq(h.tcp_flags, SVR_TCP_RST);
    cr_assert_eq(h.tcp_seq, 2);
    cr_assert_eq(svr_node_session_count(net.branch), 0);
    frame_free(&f);
    net_close(&net);
}

/* ---- S6.11 ---- */

static svr_uuid uuid_of(const svr_node *n)
{
    svr_session_info info;
    size_t cursor = 0;
    cr_assert_eq(svr_node_session_count(n), 1);
    cr_assert_eq(svr_node_session_next(n, &cursor, &info), 1);
    return info.uuid;
}

/* Both hosts send their first packet at the same time; the packets cross. In
 * the end both routers have the session with the lower UUID, and packets go
 * both ways in it. */
Test(node_deny, both_ends_open)
{
    int lower[2] = {0, 0};

    for (uint64_t seed = 1; seed < 9; seed++) {
        struct net net;
        net_open(&net, &(struct net_options){.reverse = true});
        net.random += seed * 7919;
        struct frame a = frame_udp(CLIENT, 7, SERVER, 9, "from client", 11);
        struct frame b = frame_udp(SERVER, 9, CLIENT, 7, "from server", 11);
        struct frame wire[2];

        cr_assert_eq(net_input(&net, net.branch, &a, NET_LAN), SVR_DROP_NONE);
        wire[0] = only_one(&net);
        cr_assert_eq(net_input(&net, net.dc, &b, NET_LAN), SVR_DROP_NONE);
        wire[1] = only_one(&net);
        svr_uuid ours = uuid_of(net.branch), theirs = uuid_of(net.dc);
        bool branch_wins = memcmp(&ours, &theirs, sizeof(ours)) < 0;
        lower[branch_wins]++;

        carry(&net, net.dc, wire[0],
              branch_wins ? SVR_DROP_NONE : SVR_DROP_GLARE);
        if (!branch_wins) { /* it says at once what there is instead */
            cr_assert_eq(net.out_count, 1);
            carry(&net, net.branch, only_one(&net), SVR_DROP_NONE);
        }
        carry(&net, net.branch, wire[1],
              branch_wins ? SVR_DROP_GLARE : SVR_DROP_NONE);
        svr_uuid at_branch = uuid_of(net.branch), at_dc = uuid_of(net.dc);
        cr_assert_eq(memcmp(&at_branch, &at_dc, sizeof(at_dc)), 0);
        cr_assert_eq(
            memcmp(&at_dc, branch_wins ? &ours : &theirs, sizeof(at_dc)), 0);
        for (int i = 0; i < 4; i++) {
            trip(&net, false, frame_udp(CLIENT, 7, SERVER, 9, NULL, 9));
            trip(&net, true, frame_udp(SERVER, 9, CLIENT, 7, NULL, 9));
        }
        frame_free(&a);
        frame_free(&b);
        net_close(&net);
    }
    cr_assert(lower[0] && lower[1], "both were tried");
}
