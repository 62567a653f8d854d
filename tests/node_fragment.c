/* A node: packets that travel in pieces (S18). */
#include "heap.h"
#include "node_net.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum {
    MANY = 128,
    TAG = 16,
};

/* Packets on their way, in order. */
struct flock {
    struct frame f[MANY];
    size_t count;
};

static void flock_free(struct flock *k)
{
    for (size_t i = 0; i < k->count; i++)
        frame_free(&k->f[i]);
    k->count = 0;
}

/* The router takes them all; what it sends takes their place. */
static void hop(struct net *net, svr_node *n, uint16_t iface, struct flock *k)
{
    struct flock out = {.count = 0};

    for (size_t i = 0; i < k->count; i++) {
        enum svr_drop reason = net_input(net, n, &k->f[i], iface);

        cr_assert_eq(reason, SVR_DROP_NONE, "%s", svr_drop_name(reason));
        for (size_t j = 0; j < net->out_count; j++) {
            cr_assert_lt(out.count, MANY);
            cr_assert_leq(net->out[j].p.len, NET_MTU);
            out.f[out.count++] = net_take(net, j);
        }
    }
    flock_free(k);
    *k = out;
}

/* Through all routers; `wire`, if not NULL, is how many packets there are
 * behind the first one. */
static void cross(struct net *net, bool reverse, struct flock *k, size_t *wire)
{
    svr_node *way[] = {net->branch, net->hub, net->dc};

    for (int i = 0; i < 3; i++) {
        svr_node *n = way[reverse ? 2 - i : i];

        if (!n)
            continue;
        hop(net, n, i == 0 ? NET_LAN : NET_WAN, k);
        if (i == 0 && wire)
            *wire = k->count;
    }
}

static void write_v4_checksum(uint8_t *ip)
{
    uint32_t sum = 0;

    ip[10] = ip[11] = 0;
    for (int i = 0; i < (ip[0] & 15) * 4; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~(sum + (sum >> 16));
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
}

/* IPv4: it may be fragmented. */
static struct frame loose(struct frame f)
{
    if (f.p.data[0] >> 4 == 4) {
        f.p.data[4] = 0x12;
        f.p.data[5] = 0x34;
        f.p.data[6] = 0;
        write_v4_checksum(f.p.data);
    }
    return f;
}

/* As a host of that MTU sends it. */
static struct flock fragments(const struct frame *f, uint16_t size)
{
    static uint8_t buf[SVR_OUTPUT_SIZE(1500)];
    static uint32_t id;
    struct flock k = {.count = 0};
    svr_ip_split s;
    svr_packet p;

    cr_assert_eq(svr_ip_split_begin(&s, &f->p, size, ++id), 0);
    while (svr_ip_split_more(&s)) {
        cr_assert_eq(svr_ip_split_next(&s, &p, buf, sizeof(buf)), 0);
        cr_assert_lt(k.count, MANY);
        k.f[k.count++] = frame_copy(&(struct frame){.p = p});
    }
    return k;
}

static struct flock one(struct frame f)
{
    return (struct flock){.f = {f}, .count = 1};
}

/* What their receiver makes of IP fragments, or of one whole packet. */
static struct frame joined(const struct flock *k)
{
    const svr_allocator a = HEAP;
    svr_reassembly *r;
    struct frame whole;
    int result = 0;

    if (k->count == 1)
        return frame_copy(&k->f[0]);
    cr_assert_eq(svr_reassembly_create(&r, SVR_SECOND, &a), 0);
    for (size_t i = 0; i < k->count; i++) {
        struct frame copy = frame_copy(&k->f[i]);
        svr_piece_key key;
        svr_piece piece;

        cr_assert_eq(result, 0);
        cr_assert_eq(svr_ip_fragment_parse(&key, &piece, &copy.p), 0);
        result = svr_reassembly_add(r, &key, &piece, 0);
        frame_free(&copy);
    }
    cr_assert_eq(result, 1);
    whole = frame_copy(&(struct frame){.p = *svr_reassembly_first(r)});
    svr_reassembly_destroy(r);
    return whole;
}

static uint32_t longest(const struct flock *k)
{
    uint32_t len = 0;

    for (size_t i = 0; i < k->count; i++)
        if (k->f[i].p.len > len)
            len = k->f[i].p.len;
    return len;
}

static svr_counters counters(const svr_node *n)
{
    svr_counters c;

    svr_node_counters(n, &c);
    return c;
}

/* What a host hears, in how many fragments and how long. Takes `sent`. */
static void expect_heard(const struct net *net, struct flock *k,
                         const struct frame *sent)
{
    struct frame got = joined(k);

    frame_expect_same(&got, sent, net->hub ? 3 : 2);
    frame_free(&got);
    flock_free(k);
}

/* The networks that all of this must work in. */
static const struct net_options networks[] = {
    {0},
    {.per_packet = true},
    {.v6_pathway = true},
    {.v6_pathway = true, .per_packet = true, .regular = true},
    {.hub = true},
    {.hub = true, .per_packet = true, .v6_pathway = true},
};

enum { NETWORKS = sizeof(networks) / sizeof(networks[0]) };

/* Bytes that every packet gains on the pathway. */
static size_t steady(const struct net_options *o, bool v6, bool echo)
{
    return (o->per_packet ? TAG : 0U) + (echo ? 8U : 0U) +
           (!v6 && o->v6_pathway ? 20U : 0U);
}

/* A packet of this length, in either direction of one talk. */
static struct frame talk(bool v6, bool echo, bool reverse, size_t len)
{
    const char *c = v6 ? CLIENT6 : CLIENT, *s = v6 ? SERVER6 : SERVER;
    size_t payload = len - (v6 ? 40 : 20) - 8;

    if (echo)
        return reverse ? frame_echo(s, c, 5, true, payload)
                       : frame_echo(c, s, 5, false, payload);
    return reverse ? frame_udp(s, 9, c, 50, NULL, payload)
                   : frame_udp(c, 50, s, 9, NULL, payload);
}

/* What only metadata makes too big arrives whole; nobody is told anything. */
Test(node_fragment, too_big_through_metadata)
{
    for (size_t row = 0; row < 4 * NETWORKS; row++) {
        const struct net_options *o = &networks[row / 4];
        bool v6 = row & 1, echo = row & 2;
        struct net net;

        net_open(&net, o);
        for (int i = 0; i < 6; i++) {
            bool reverse = i & 1;
            size_t len = NET_MTU - steady(o, v6, echo), wire;
            struct frame sent = talk(v6, echo, reverse, len);
            struct flock k = one(frame_copy(&sent));

            cross(&net, reverse, &k, &wire);
            cr_assert_eq(k.count, 1);
            cr_assert_eq(wire, i < 2 ? 2 : 1, "row %zu, packet %d: %zu", row, i,
                         wire);
            expect_heard(&net, &k, &sent);
            frame_free(&sent);
        }
        cr_assert_eq(counters(net.branch).split, 1);
        cr_assert_eq(counters(net.dc).reassembled, 1);
        cr_assert_eq(counters(net.dc).reassembly_lost, 0);
        net_close(&net);
    }
}

/* Each piece has headers of its own and a signed block that says its place. */
Test(node_fragment, pieces_on_the_wire)
{
    struct net net;

    net_open(&net, NULL);
    struct flock k = one(talk(false, false, false, 1500));
    k.f[0].p.data[4] = 0xab;
    write_v4_checksum(k.f[0].p.data);
    hop(&net, net.branch, NET_LAN, &k);
    cr_assert_eq(k.count, 2);
    svr_metadata a = frame_metadata(&k.f[0]), b = frame_metadata(&k.f[1]);
    uint64_t each =
        SVR_HAS(FRAGMENT) | SVR_HAS(SECURITY_ID) | SVR_HAS(PACKET_NUMBER);
    cr_assert_eq(a.present, each);
    cr_assert_eq(b.present, each);
    cr_assert_eq(b.packet_number, a.packet_number + 1);
    cr_assert_eq(b.fragment.extended_id, a.fragment.extended_id);
    cr_assert_eq(a.fragment.original_id, 0xab00);
    cr_assert(a.fragment.dont_fragment && a.fragment.more);
    cr_assert(b.fragment.dont_fragment && !b.fragment.more);
    cr_assert_eq(a.fragment.offset, 0);
    /* 1500 - 28 - 46 of the block - 16 of the tag */
    cr_assert_eq(b.fragment.offset, 1410 / 8);
    cr_assert_eq(a.fragment.largest, 0);
    cr_assert_eq(k.f[0].p.len, 1498);
    flock_free(&k);

    k = one(talk(false, false, false, 1500));
    hop(&net, net.branch, NET_LAN, &k);
    cr_assert_eq(frame_metadata(&k.f[0]).fragment.extended_id,
                 a.fragment.extended_id + 1);
    flock_free(&k);
    net_close(&net);
}

/* S18: with DF and too big by the steady bytes alone, the sender is told; it is
 * not told where it would fit but for the metadata. */
Test(node_fragment, who_is_told)
{
    struct net net;

    net_open(&net, &(struct net_options){.per_packet = true});
    for (size_t len = NET_MTU - TAG - 1; len <= NET_MTU; len++) {
        struct frame f = talk(false, false, false, len), answer;
        bool fits = len <= NET_MTU - TAG;

        cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN),
                     fits ? SVR_DROP_NONE : SVR_DROP_TOO_BIG);
        frame_free(&f);
        if (!fits) {
            answer = net_take(&net, 0);
            cr_assert_eq(answer.p.data[20], 3);
            cr_assert_eq(answer.p.data[26] << 8 | answer.p.data[27],
                         NET_MTU - TAG);
            frame_free(&answer);
        }
        f = loose(talk(false, false, false, len));
        cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN), SVR_DROP_NONE);
        cr_assert_eq(net.out_count, 2);
        frame_free(&f);
    }
    net_close(&net);
}

/* IP fragments of a host cross and leave as fragments, none longer. */
Test(node_fragment, fragments_cross)
{
    static const uint16_t sizes[] = {1500, 1400, 1281};

    for (size_t row = 0; row < 4 * NETWORKS; row++) {
        bool v6 = row & 1, echo = row & 2;
        struct net net;

        net_open(&net, &networks[row / 4]);
        for (int i = 0; i < 12; i++) {
            bool reverse = i & 1;
            uint16_t size = sizes[i / 2 % 3];
            struct frame sent =
                loose(talk(v6, echo, reverse, i < 6 ? 4000 : 9001));
            struct flock k = fragments(&sent, size);
            size_t count = k.count;
            uint32_t length = longest(&k);

            cross(&net, reverse, &k, NULL);
            cr_assert_eq(longest(&k), length, "row %zu: %u of %u", row,
                         longest(&k), length);
            cr_assert_eq(k.count, count);
            if (!v6 && !networks[row / 4].v6_pathway)
                cr_assert_eq(k.f[0].p.data[5], sent.p.data[5], "its id");
            expect_heard(&net, &k, &sent);
            frame_free(&sent);
        }
        net_close(&net);
    }
}

/* They need not be long: what fits whole has one piece, which says in what
 * fragments it is to end. */
Test(node_fragment, short_fragments)
{
    for (size_t row = 0; row < NETWORKS; row++) {
        struct net net;
        size_t wire;

        net_open(&net, &networks[row]);
        trip(&net, false, talk(false, false, false, 100));
        trip(&net, true, talk(false, false, true, 100));
        trip(&net, false, talk(false, false, false, 100));
        struct frame sent = loose(talk(false, false, false, 900));
        struct flock k = fragments(&sent, 500);
        cross(&net, false, &k, &wire);
        cr_assert_eq(wire, 1);
        cr_assert_eq(k.count, 2);
        cr_assert_eq(longest(&k), 500);
        expect_heard(&net, &k, &sent);
        frame_free(&sent);

        /* as short as they can be */
        sent = loose(talk(false, false, false, 400));
        k = fragments(&sent, 68);
        cross(&net, false, &k, NULL);
        cr_assert_eq(longest(&k), 68);
        expect_heard(&net, &k, &sent);
        frame_free(&sent);
        net_close(&net);
    }
}

/* A narrow network behind the last router: IPv4 without DF leaves in fragments,
 * with DF its sender is told. */
Test(node_fragment, narrow_server_network)
{
    for (int hub = 0; hub < 2; hub++) {
        struct net net;

        net_open(&net, &(struct net_options){.hub = hub, .server_mtu = 1300});
        struct frame sent = loose(talk(false, false, false, 1500));
        for (int i = 0; i < 3; i++) {
            struct flock k = one(frame_copy(&sent));

            cross(&net, false, &k, NULL);
            cr_assert_eq(k.count, 2);
            cr_assert_leq(longest(&k), 1300);
            cr_assert_eq(k.f[0].p.data[4], 0x12, "its own id");
            expect_heard(&net, &k, &sent);
        }
        frame_free(&sent);
        net_close(&net);
    }
}

/* TCP is cut, wherever it comes from: a stream needs no fragments. */
Test(node_fragment, tcp_in_fragments)
{
    for (size_t row = 0; row < NETWORKS; row++) {
        struct net net;
        uint32_t got = 0;

        net_open(&net, &networks[row]);
        open_tcp(&net);
        struct frame sent = loose(client_segment(110, NULL, 4000));
        struct flock k = fragments(&sent, 1500);
        cross(&net, false, &k, NULL);
        for (size_t i = 0; i < k.count; i++) {
            svr_headers h = frame_headers(&k.f[i]);
            svr_span part = frame_payload(&k.f[i]);

            cr_assert_eq(h.tcp_seq, 110 + got);
            for (size_t b = 0; b < part.len; b++)
                cr_assert_eq(part.data[b], (uint8_t)((got + b) * 7 + 1));
            got += (uint32_t)part.len;
        }
        cr_assert_eq(got, 4000);
        flock_free(&k);
        frame_free(&sent);
        net_close(&net);
    }
}

/* Short TCP segments that came in fragments go on as any others. */
Test(node_fragment, short_tcp_in_fragments)
{
    struct net net;

    net_open(&net, NULL);
    open_tcp(&net);
    struct frame sent = loose(client_segment(110, NULL, 900));
    struct flock k = fragments(&sent, 600);
    hop(&net, net.branch, NET_LAN, &k);
    cr_assert_eq(k.count, 1);
    cr_assert_not(frame_has_metadata(&k.f[0]));
    hop(&net, net.dc, NET_WAN, &k);
    expect_heard(&net, &k, &sent);
    frame_free(&sent);
    net_close(&net);
}

/* A session whose packets need no metadata any more. */
static void open_quiet(struct net *net, const struct net_options *o)
{
    net_open(net, o);
    for (int i = 0; i < 3; i++)
        trip(net, i & 1, talk(false, false, i & 1, 100));
}

/* S4.6: a wrong checksum is not made right on the way. */
Test(node_fragment, wrong_checksum)
{
    struct net net;

    open_quiet(&net, NULL);
    struct frame sent = loose(talk(false, false, false, 2000));
    sent.p.data[1000] ^= 1;
    struct flock k = fragments(&sent, 1500);
    hop(&net, net.branch, NET_LAN, &k);
    cr_assert_eq(k.count, 0);
    cr_assert_eq(net_dropped(net.branch, SVR_DROP_L4_CHECKSUM), 1);
    frame_free(&sent);
    net_close(&net);
}

/* A checksum that was left to the device is written before the packet is
 * fragmented. */
Test(node_fragment, partial_checksum)
{
    struct net net;

    open_quiet(&net, &(struct net_options){.server_mtu = 1300});
    struct frame sent = loose(talk(false, false, false, 1500));
    struct frame partial = frame_copy(&sent);
    svr_headers h = frame_headers(&partial);
    partial.p.checksum = SVR_CHECKSUM_PARTIAL;
    svr_packet_checksum_write(&partial.p, &h);
    struct flock k = one(partial);
    cross(&net, false, &k, NULL);
    cr_assert_eq(k.count, 2);
    expect_heard(&net, &k, &sent);
    frame_free(&sent);
    net_close(&net);
}

/* Only the node itself knows in what fragments a packet came. */
Test(node_fragment, fragment_size_of_the_program)
{
    struct net net;

    open_quiet(&net, NULL);
    struct frame f = talk(false, false, false, 900);
    f.p.fragment_size = 500;
    struct flock k = one(f);
    hop(&net, net.branch, NET_LAN, &k);
    cr_assert_eq(k.count, 1);
    cr_assert_not(frame_has_metadata(&k.f[0]));
    flock_free(&k);
    net_close(&net);
}

/* A batch that completes as many packets as it can. */
Test(node_fragment, full_batches)
{
    struct net net;

    open_quiet(&net, NULL);
    for (int round = 0; round < 3; round++) {
        struct flock k = {.count = 0};

        for (int i = 0; i < SVR_BATCH_MAX / 2; i++) {
            struct frame sent = loose(talk(false, false, false, 2000));
            sent.p.data[5] = (uint8_t)i;
            write_v4_checksum(sent.p.data);
            struct flock two = fragments(&sent, 1500);
            memcpy(&k.f[k.count], two.f, 2 * sizeof(two.f[0]));
            k.count += 2;
            frame_free(&sent);
        }
        net_input_batch(&net, net.branch, k.f, k.count, NET_LAN);
        flock_free(&k);
        cr_assert_eq(net.out_count, SVR_BATCH_MAX);
        for (size_t i = 0; i < SVR_BATCH_MAX; i++)
            k.f[i] = net_take(&net, i);
        k.count = SVR_BATCH_MAX;
        net_input_batch(&net, net.dc, k.f, k.count, NET_WAN);
        cr_assert_eq(net.out_count, SVR_BATCH_MAX);
        flock_free(&k);
    }
    cr_assert_eq(counters(net.branch).reassembled, 96);
    cr_assert_eq(counters(net.dc).reassembled, 96);
    net_close(&net);
}

/* 65535 bytes is what an IP packet can hold with all that is added. */
Test(node_fragment, longest_datagrams)
{
    struct net net;

    net_open(&net, NULL);
    struct frame sent = loose(talk(false, false, false, 65000));
    struct flock k = fragments(&sent, 1500);
    cross(&net, false, &k, NULL);
    expect_heard(&net, &k, &sent);
    frame_free(&sent);
    sent = loose(talk(false, false, false, 65535));
    k = fragments(&sent, 1500);
    for (size_t i = 0; i < k.count; i++) {
        cr_assert_eq(net_input(&net, net.branch, &k.f[i], NET_LAN),
                     SVR_DROP_NONE);
        cr_assert_eq(net.out_count, 0);
    }
    cr_assert_eq(net_dropped(net.branch, SVR_DROP_TOO_BIG), 1);
    flock_free(&k);
    frame_free(&sent);
    net_close(&net);
}

/* What lacks a piece is forgotten in time. */
Test(node_fragment, lost_piece)
{
    struct net net;

    net_open(&net, &(struct net_options){.regular = true});
    struct flock k = one(talk(false, false, false, 1500));
    hop(&net, net.branch, NET_LAN, &k);
    cr_assert_eq(net_input(&net, net.dc, &k.f[0], NET_WAN), SVR_DROP_NONE);
    cr_assert_eq(svr_node_session_count(net.dc), 0);
    cr_assert_eq(svr_node_expiry(net.dc), net.now + 5 * SVR_SECOND);
    net_run(&net, net.dc, net.now + 5 * SVR_SECOND);
    cr_assert_eq(svr_node_expiry(net.dc), SVR_NEVER);
    cr_assert_eq(counters(net.dc).reassembly_lost, 1);
    cr_assert_eq(net_input(&net, net.dc, &k.f[1], NET_WAN), SVR_DROP_NONE);
    cr_assert_eq(net.out_count, 0, "it came too late");
    flock_free(&k);

    struct frame sent = loose(talk(false, false, false, 2000));
    k = fragments(&sent, 1500);
    svr_time before = net.now;
    cr_assert_eq(net_input(&net, net.branch, &k.f[1], NET_LAN), SVR_DROP_NONE);
    net_run(&net, net.branch, before + 6 * SVR_SECOND);
    cr_assert_eq(counters(net.branch).reassembly_lost, 1);
    flock_free(&k);
    frame_free(&sent);
    net_close(&net);
}

/* Pieces that were forged, changed or seen before take no slot. */
Test(node_fragment, strangers_cost_nothing)
{
    struct net net;

    net_open(&net, NULL);
    struct flock k = one(talk(false, false, false, 1500));
    hop(&net, net.branch, NET_LAN, &k);
    for (size_t at = 28; at < k.f[0].p.len; at += 7) {
        struct frame f = frame_copy(&k.f[0]);
        svr_headers h = frame_headers(&f);

        f.p.data[at] ^= 4;
        svr_packet_checksum_write(&f.p, &h);
        cr_assert_neq(net_input(&net, net.dc, &f, NET_WAN), SVR_DROP_NONE);
        frame_free(&f);
    }
    cr_assert_eq(svr_node_expiry(net.dc), SVR_NEVER, "no slot");
    struct frame again = frame_copy(&k.f[0]);
    cr_assert_eq(net_input(&net, net.dc, &k.f[0], NET_WAN), SVR_DROP_NONE);
    cr_assert_eq(net_input(&net, net.dc, &again, NET_WAN), SVR_DROP_REPLAY);
    cr_assert_eq(net_input(&net, net.dc, &k.f[1], NET_WAN), SVR_DROP_NONE);
    cr_assert_eq(net.out_count, 1);
    frame_free(&again);
    flock_free(&k);

    /* IP fragments on the WAN prove nothing, whoever they are for */
    static const char *const targets[] = {"203.0.113.2", SERVER};
    svr_time due = svr_node_expiry(net.dc);
    for (size_t t = 0; t < COUNT(targets); t++) {
        struct frame sent = loose(
            frame_udp("203.0.113.1", 20000, targets[t], 20001, NULL, 2000));
        k = fragments(&sent, 1500);
        for (size_t i = 0; i < k.count; i++)
            cr_assert_eq(net_input(&net, net.dc, &k.f[i], NET_WAN),
                         SVR_DROP_FRAGMENT);
        cr_assert_eq(svr_node_expiry(net.dc), due);
        frame_free(&sent);
        flock_free(&k);
    }
    net_close(&net);
}

/* First fragments without end: no memory, and the others go on. */
Test(node_fragment, flood)
{
    struct net net;

    net_open(&net, NULL);
    trip(&net, false, talk(false, false, false, 100));
    struct frame sent = loose(talk(false, false, false, 2000));
    struct flock mine = fragments(&sent, 1500);
    cr_assert_eq(net_input(&net, net.branch, &mine.f[0], NET_LAN),
                 SVR_DROP_NONE);
    size_t allocations = net.allocations;
    for (int i = 0; i < 5000; i++) {
        char source[] = "10.1.0.100";
        source[9] = (char)('0' + i % 8);
        struct frame junk = loose(frame_udp(source, 50, SERVER, 9, NULL, 2000));
        junk.p.data[4] = (uint8_t)(i >> 8);
        junk.p.data[5] = (uint8_t)i;
        write_v4_checksum(junk.p.data);
        struct flock k = fragments(&junk, 1500);
        net_input(&net, net.branch, &k.f[0], NET_LAN);
        cr_assert_eq(net.out_count, 0);
        frame_free(&junk);
        flock_free(&k);
    }
    cr_assert_eq(net.allocations, allocations);
    cr_assert_gt(net_dropped(net.branch, SVR_DROP_REASSEMBLY_FULL), 0);
    cr_assert_eq(net_input(&net, net.branch, &mine.f[1], NET_LAN),
                 SVR_DROP_NONE);
    cr_assert_gt(net.out_count, 0, "it was there before the flood");
    flock_free(&mine);
    frame_free(&sent);
    trip(&net, false, talk(false, false, false, 100));

    /* nor do they touch what comes from the other router */
    struct flock k = one(talk(false, false, true, 1500));
    cross(&net, true, &k, NULL);
    cr_assert_eq(k.count, 1);
    flock_free(&k);
    net_close(&net);
}

/* RFC 5722: what contradicts itself is refused as a whole. */
Test(node_fragment, contradictions)
{
    struct net net;

    net_open(&net, NULL);
    struct frame sent = loose(talk(false, false, false, 3500)), again;
    struct flock a = fragments(&sent, 1500), b = fragments(&sent, 1300);
    cr_assert_eq(a.count, 3);
    again = frame_copy(&a.f[0]);
    cr_assert_eq(net_input(&net, net.branch, &a.f[0], NET_LAN), SVR_DROP_NONE);
    cr_assert_eq(net_input(&net, net.branch, &again, NET_LAN),
                 SVR_DROP_FRAGMENT_DUPLICATE);
    cr_assert_eq(net_input(&net, net.branch, &b.f[1], NET_LAN),
                 SVR_DROP_FRAGMENT_CONFLICT);
    cr_assert_eq(net_input(&net, net.branch, &a.f[1], NET_LAN),
                 SVR_DROP_FRAGMENT_CONFLICT);
    cr_assert_eq(net_input(&net, net.branch, &a.f[2], NET_LAN),
                 SVR_DROP_FRAGMENT_CONFLICT);
    frame_free(&again);
    again = frame_copy(&b.f[0]);
    again.p.data[3] = (uint8_t)(again.p.data[3] - 1); /* no multiple of 8 */
    again.p.len--;
    again.p.data[5]++;
    write_v4_checksum(again.p.data);
    cr_assert_eq(net_input(&net, net.branch, &again, NET_LAN),
                 SVR_DROP_FRAGMENT_MALFORMED);
    frame_free(&again);
    flock_free(&a);
    flock_free(&b);
    frame_free(&sent);
    net_close(&net);
}

/* A long ping to the router itself. */
Test(node_fragment, long_echo_to_the_router)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct net net;

        net_open(&net, NULL);
        struct frame ask =
            loose(frame_echo(v6 ? CLIENT6 : CLIENT,
                             v6 ? "fd00:1::1" : "10.1.0.1", 7, false, 4000));
        struct flock k = fragments(&ask, 1400);
        size_t count = k.count;
        hop(&net, net.branch, NET_LAN, &k);
        cr_assert_eq(k.count, count);
        cr_assert_leq(longest(&k), 1400);
        struct frame answer = joined(&k);
        svr_headers h = frame_headers(&answer);
        cr_assert(h.icmp_echo);
        cr_assert_eq(answer.p.len, ask.p.len);
        frame_free(&ask);
        frame_free(&answer);
        flock_free(&k);
        net_close(&net);
    }
}

/* A block with attribute 1 and then the bytes, signed as branch does. */
static size_t sign_piece(uint8_t *to, uint64_t number, svr_span bytes)
{
    svr_direction_key key;
    uint8_t secret[SVR_KEY_SIZE];
    svr_metadata md;
    svr_mac mac;

    memset(secret, 0x42, sizeof(secret));
    svr_direction_key_derive(&key, secret, "branch", "dc", 1);
    svr_mac_init(&mac, &svr_hmac_sha256_128, key.key);
    svr_metadata_init(&md);
    md.present =
        SVR_HAS(SECURITY_ID) | SVR_HAS(PACKET_NUMBER) | SVR_HAS(FRAGMENT);
    md.security_id = key.security_id;
    md.packet_number = number;
    ptrdiff_t len = svr_metadata_encode(to, 100, &md);
    cr_assert_gt(len, 0);
    memcpy(to + len, bytes.data, bytes.len);
    svr_span all = {to, (size_t)len + bytes.len};
    svr_mac_sign(&mac, &all, 1, to + all.len);
    return all.len + TAG;
}

/* Pieces of pieces are refused, however well they are signed. */
Test(node_fragment, pieces_of_pieces)
{
    uint8_t inner[200], outer[400];
    svr_span bytes = {(const uint8_t *)"0123456789", 10};
    struct net net;

    net_open(&net, &(struct net_options){.regular = true});
    bytes = (svr_span){inner, sign_piece(inner, 100, bytes)};
    size_t len = sign_piece(outer, 101, bytes);
    struct frame f =
        frame_udp("203.0.113.1", 20000, "203.0.113.2", 20001, outer, len);
    cr_assert_eq(net_input(&net, net.dc, &f, NET_WAN), SVR_DROP_NONE);
    cr_assert_eq(net_dropped(net.dc, SVR_DROP_FRAGMENT_MALFORMED), 1);
    cr_assert_eq(counters(net.dc).reassembled, 1);
    cr_assert_eq(svr_node_expiry(net.dc), SVR_NEVER);
    frame_free(&f);
    net_close(&net);
}

/* An ICMP error that is longer than its network, as only fragments can make
 * it. */
Test(node_fragment, long_icmp_error)
{
    struct net net;

    net_open(&net, NULL);
    trip(&net, false, talk(false, false, false, 100));
    trip(&net, true, talk(false, false, true, 100));
    struct frame about = loose(talk(false, false, false, 3000));
    struct frame error = frame_new(8 + about.p.len);
    svr_addr from = addr(SERVER), to = addr(CLIENT);
    error.p.data[0] = 3;
    error.p.data[1] = 3;
    memcpy(error.p.data + 8, about.p.data, about.p.len);
    cr_assert_eq(svr_icmp_wrap(&error.p, &from, &to), 0);
    error = loose(error);
    struct flock k = fragments(&error, 1500);
    cross(&net, true, &k, NULL);
    cr_assert_eq(k.count, 1);
    cr_assert(frame_headers(&k.f[0]).icmp_error);
    frame_free(&about);
    frame_free(&error);
    flock_free(&k);
    net_close(&net);
}

/* svr_node_output's buffer is too small for a packet that waits. */
Test(node_fragment, short_output_buffer)
{
    static uint8_t buf[SVR_OUTPUT_SIZE(NET_MTU)];
    struct net net;
    svr_packet p;

    net_open(&net, NULL);
    struct frame sent = loose(talk(false, false, false, 1000));
    struct flock k = fragments(&sent, 600);
    k.f[0].p.iface = k.f[1].p.iface = NET_LAN;
    svr_node_input(net.branch, &k.f[0].p, 1, net.now);
    svr_node_input(net.branch, &k.f[1].p, 1, net.now);
    cr_assert_eq(svr_node_output(net.branch, &p, buf, sizeof(buf) - 1, net.now),
                 SVR_ERR_NO_SPACE);
    cr_assert_eq(svr_node_output(net.branch, &p, buf, sizeof(buf), net.now), 1);
    cr_assert_eq(svr_node_output(net.branch, &p, buf, sizeof(buf), net.now), 0);
    flock_free(&k);
    frame_free(&sent);
    net_close(&net);
}
