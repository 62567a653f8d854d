/*
 * A node under attack: floods of forged and of repeated first packets, and of
 * genuine ones where there is no room.
 *
 * SVR_TEST_FLOOD=N sends N packets of each kind instead of some 10,000;
 * tests/run --release sends a million.
 */
#include "node_audit.h"
#include "node_net.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { BATCH = SVR_BATCH_MAX };

static size_t flood_size(void)
{
    const char *given = getenv("SVR_TEST_FLOOD");
    return given ? strtoul(given, NULL, 10) : 10000;
}

/* A packet that is sent again and again, changed each time. */
struct flood {
    struct net net;
    uint64_t seed;
    struct frame original;
    struct frame frames[BATCH];
    svr_packet batch[BATCH];
};

typedef void changer(struct flood *f, svr_packet *p, const svr_headers *h);

/* Branch's first packet of a session, on its way to dc. */
static struct frame first_packet(struct net *net, bool tcp)
{
    struct frame sent =
        tcp ? frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_SYN, 9, 0, "", 0)
            : frame_udp(CLIENT, 40, SERVER, 80, "hello", 5);
    cr_assert_eq(net_input(net, net->branch, &sent, NET_LAN), SVR_DROP_NONE);
    frame_free(&sent);
    return net_take(net, 0);
}

static void flood_open(struct flood *f, bool tcp,
                       const struct net_options *options)
{
    net_open(&f->net, options);
    f->seed = 42;
    f->original = first_packet(&f->net, tcp);
    for (int i = 0; i < BATCH; i++)
        f->frames[i] = frame_copy(&f->original);
}

static void flood_close(struct flood *f)
{
    for (int i = 0; i < BATCH; i++)
        frame_free(&f->frames[i]);
    frame_free(&f->original);
    net_close(&f->net);
}

/* Sends count packets to dc, each another form of the original. */
static void flood(struct flood *f, size_t count, changer *change)
{
    for (size_t at = 0; at < count; at += BATCH) {
        for (int i = 0; i < BATCH; i++) {
            svr_packet *p = &f->batch[i];
            svr_headers h;
            *p = f->frames[i].p;
            memcpy(p->data, f->original.p.data, p->len);
            cr_assert_eq(svr_packet_parse(&h, p), 0);
            change(f, p, &h);
            p->iface = NET_WAN;
        }
        svr_node_input(f->net.dc, f->batch, BATCH, f->net.now);
        f->net.now += SVR_MILLISECOND / 100;
    }
}

static void expect_no_trace(struct flood *f, size_t allocations, size_t bytes)
{
    net_flush(&f->net, f->net.dc);
    cr_assert_eq(f->net.out_count, 0, "nobody is answered");
    cr_assert_eq(svr_node_session_count(f->net.dc), 0);
    cr_assert_eq(f->net.allocations, allocations);
    cr_assert_eq(f->net.live_bytes, bytes);
    cr_assert_null(node_audit(f->net.dc));
}

/* ---- forged ---- */

static void other_source(struct flood *f, svr_packet *p, const svr_headers *h)
{
    svr_tuple t = h->tuple;
    svr_headers own = *h;
    uint8_t a[4] = {198, 51, (uint8_t)test_random(&f->seed),
                    (uint8_t)test_random(&f->seed)};
    svr_rewrite r;
    t.src = svr_addr_from_v4(a);
    t.sport = (uint16_t)test_random(&f->seed);
    svr_rewrite_init(&r, &h->tuple, &t);
    svr_packet_rewrite(p, &own, &r);
}

/* From the peer's waypoint and any of its ports, with a byte of what is signed,
 * or of the tag, changed: not where lengths, key and the rest of the header
 * stand, which are told apart before. */
static void wrong_tag(struct flood *f, svr_packet *p, const svr_headers *h)
{
    enum { NUMBERS = 20 }; /* base header and type 16 */
    svr_headers own = *h;
    svr_tuple t = h->tuple;
    svr_rewrite r;
    t.sport = (uint16_t)(16384 + 2 * test_below(&f->seed, 20000));
    svr_rewrite_init(&r, &h->tuple, &t);
    svr_packet_rewrite(p, &own, &r);
    size_t from = h->payload + NUMBERS + 50;
    size_t at = from + test_below(&f->seed, (uint32_t)(p->len - from));
    p->data[at] ^= (uint8_t)(1 + test_below(&f->seed, 255));
    svr_packet_checksum_write(p, &own);
}

/* Behind the cookie anything, of any length. */
static void garbage(struct flood *f, svr_packet *p, const svr_headers *h)
{
    svr_headers own = *h;
    size_t from = h->payload + 8;
    size_t cut = test_below(&f->seed, (uint32_t)(p->len - from));
    for (size_t i = from; i < p->len; i++)
        p->data[i] = (uint8_t)test_random(&f->seed);
    cr_assert_eq(svr_packet_extend(p, &own, -(int)cut), 0);
    svr_packet_checksum_write(p, &own);
}

/* S24: strangers and forgers get nothing: no session, no memory, no answer. */
Test(node_attack, spoofed_first_packets)
{
    static const struct {
        changer *change;
        enum svr_drop reason; /* NONE: several */
    } rows[] = {
        {other_source, SVR_DROP_UNKNOWN_SOURCE},
        {wrong_tag, SVR_DROP_TAG},
        {garbage, SVR_DROP_NONE},
    };
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        struct flood f;
        size_t count = flood_size() / BATCH * BATCH;
        flood_open(&f, i % 2, NULL);
        size_t allocations = f.net.allocations, bytes = f.net.live_bytes;
        flood(&f, count, rows[i / 2].change);
        expect_no_trace(&f, allocations, bytes);
        if (rows[i / 2].reason != SVR_DROP_NONE)
            cr_assert_eq(
                net_dropped(f.net.dc, rows[i / 2].reason), count,
                "row %zu: %lu", i,
                (unsigned long)net_dropped(f.net.dc, rows[i / 2].reason));
        /* The genuine one still opens a session. */
        cr_assert_eq(net_input(&f.net, f.net.dc, &f.original, NET_WAN),
                     SVR_DROP_NONE);
        cr_assert_eq(svr_node_session_count(f.net.dc), 1);
        flood_close(&f);
    }
}

/* ---- repeated ---- */

static void same(struct flood *f, svr_packet *p, const svr_headers *h)
{
    (void)f, (void)p, (void)h;
}

static uint64_t created(const svr_node *n)
{
    svr_counters c;
    svr_node_counters(n, &c);
    return c.sessions_created;
}

/* Branch sends this many packets with numbers of their own to dc. */
static void pass_numbers(struct net *net, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct frame f =
            frame_udp(CLIENT, 77, SERVER, 80, "another session", 15);
        cr_assert_eq(net_input(net, net->branch, &f, NET_LAN), SVR_DROP_NONE);
        frame_free(&f);
        struct frame wire = net_take(net, 0);
        cr_assert_eq(net_input(net, net->dc, &wire, NET_WAN), SVR_DROP_NONE);
        frame_free(&wire);
    }
}

/* S11.7: one session, however often its first packet comes again: while the
 * session lives, after it has ended, and with the packet's number at the edges
 * of the window and behind it. */
Test(node_attack, replayed_first_packet)
{
    enum { WINDOW = 65536 };
    /* Other numbers that have come before each part of the flood. */
    static const size_t others[] = {0, 1, WINDOW - 3, 1, 1, 1, 1000};
    const size_t parts = sizeof(others) / sizeof(others[0]);
    struct flood f;
    size_t count = (flood_size() / 10 / parts / BATCH + 1) * BATCH;

    /* The other session's packets carry metadata for ever, unanswered. */
    flood_open(&f, false, &(struct net_options){.regular = true});
    cr_assert_eq(net_input(&f.net, f.net.dc, &f.original, NET_WAN),
                 SVR_DROP_NONE);
    /* As it came: the node has changed it. */
    frame_free(&f.original);
    f.original = frame_copy(&f.frames[0]);
    for (size_t i = 0; i < parts; i++) {
        pass_numbers(&f.net, others[i]);
        uint64_t before = created(f.net.dc);
        uint64_t dropped = net_dropped(f.net.dc, SVR_DROP_REPLAY);
        flood(&f, count, same);
        cr_assert_eq(created(f.net.dc), before, "part %zu", i);
        cr_assert_eq(net_dropped(f.net.dc, SVR_DROP_REPLAY), dropped + count,
                     "part %zu", i);
        net_run(&f.net, f.net.dc, f.net.now + 200 * SVR_SECOND);
        cr_assert_eq(svr_node_session_count(f.net.dc), 0);
        flood(&f, count, same);
        cr_assert_eq(created(f.net.dc), before, "part %zu, later", i);
    }
    cr_assert_null(node_audit(f.net.dc));
    flood_close(&f);
}

/* ---- too many ---- */

struct known {
    svr_uuid uuid[64];
    size_t count;
};

static void note_established(const svr_node *n, struct known *known)
{
    svr_session_info info;
    size_t cursor = 0;
    known->count = 0;
    while (svr_node_session_next(n, &cursor, &info))
        if (strcmp(info.state, "established") == 0)
            known->uuid[known->count++] = info.uuid;
}

static bool has_session(const svr_node *n, const svr_uuid *uuid)
{
    svr_session_info info;
    size_t cursor = 0;
    while (svr_node_session_next(n, &cursor, &info))
        if (memcmp(info.uuid.b, uuid->b, sizeof(uuid->b)) == 0)
            return true;
    return false;
}

/* Ten times as many genuine first packets as there is room for, for a minute:
 * established sessions stay, memory stays, every refusal is counted. */
Test(node_attack, overload)
{
    enum { CAP = 64, ESTABLISHED = 40, SECONDS = 60 };
    struct net net;
    struct known known;
    uint64_t asked = 0, opened = 0, refused = 0;

    net_open(&net, &(struct net_options){.sessions = CAP});
    for (uint16_t i = 1; i <= ESTABLISHED; i++) {
        trip(&net, false, frame_udp(CLIENT, i, SERVER, 9, "x", 1));
        trip(&net, true, frame_udp(SERVER, 9, CLIENT, i, "x", 1));
    }
    note_established(net.dc, &known);
    cr_assert_eq(known.count, ESTABLISHED);
    size_t allocations = net.allocations, bytes = net.live_bytes;
    for (uint16_t i = 0; i < 10 * CAP; i++) {
        struct frame f =
            frame_udp(CLIENT, (uint16_t)(1000 + i), SERVER, 9, "x", 1);
        net.now += SECONDS * SVR_SECOND / (10 * CAP);
        enum svr_drop reason = net_input(&net, net.branch, &f, NET_LAN);
        asked++;
        opened += reason == SVR_DROP_NONE;
        refused += reason == SVR_DROP_SESSIONS_FULL;
        frame_free(&f);
        if (reason != SVR_DROP_NONE)
            continue;
        f = net_take(&net, 0);
        net_input(&net, net.dc, &f, NET_WAN);
        frame_free(&f);
    }
    cr_assert_eq(opened + refused, asked);
    cr_assert_eq(net_dropped(net.branch, SVR_DROP_SESSIONS_FULL), refused);
    cr_assert_gt(opened, asked / 4, "%lu", (unsigned long)opened);
    for (size_t i = 0; i < known.count; i++) {
        cr_assert(has_session(net.branch, &known.uuid[i]));
        cr_assert(has_session(net.dc, &known.uuid[i]));
    }
    cr_assert_eq(net.allocations, allocations);
    cr_assert_eq(net.live_bytes, bytes);
    for (uint16_t i = 1; i <= ESTABLISHED; i++)
        trip(&net, false, frame_udp(CLIENT, i, SERVER, 9, "x", 1));
    net_close(&net);
}
