#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "svrd/neighbour.h"

#define MS SVR_MILLISECOND
#define TRY (NEIGHBOUR_WAIT / NEIGHBOUR_TRIES)

static const uint8_t own_mac[6] = {0x02, 0, 0, 0, 0, 0x01};
static const uint8_t peer_mac[6] = {0x02, 0, 0, 0, 0, 0x77};
static const uint8_t other_mac[6] = {0x02, 0, 0, 0, 0, 0x88};

/* What a table asked for. */
#define FRAMES 2048

typedef struct fixture {
    struct neighbours *t;
    uint8_t frame[128]; /* the last one sent */
    size_t frame_len;
    size_t sent;
    size_t ready;
    uint8_t ready_mac[6];
    uint8_t ready_tags[FRAMES]; /* the last byte of each packet, in order */
    size_t lost[SVR_DROP_COUNT];
} fixture;

static void on_send(void *user, const uint8_t *frame, size_t len)
{
    fixture *f = user;

    cr_assert_leq(len, sizeof f->frame);
    memcpy(f->frame, frame, len);
    f->frame_len = len;
    f->sent++;
}

static void on_ready(void *user, svr_packet *pkt, const uint8_t mac[6])
{
    fixture *f = user;

    memset(pkt->data - NEIGHBOUR_FRONT, 0xee, NEIGHBOUR_FRONT);
    f->ready_tags[f->ready % FRAMES] = pkt->data[pkt->len - 1];
    f->ready++;
    memcpy(f->ready_mac, mac, 6);
}

static void on_lost(void *user, const svr_packet *pkt, enum svr_drop reason)
{
    fixture *f = user;

    cr_assert_neq(pkt->data, NULL);
    f->lost[reason]++;
}

static void fill(void *user, void *buf, size_t len)
{
    (void)user;
    memset(buf, 0x5a, len);
}

static svr_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    const uint8_t bytes[4] = {a, b, c, d};

    return svr_addr_from_v4(bytes);
}

/* fd00:1::last, in fd00:1::/64 */
static svr_addr v6(uint8_t last)
{
    svr_addr a = {{0xfd, 0, 0, 1, [15] = last}};

    return a;
}

static void start(fixture *f)
{
    const svr_prefix addresses[] = {{v4(10, 1, 0, 1), 24}, {v6(1), 64}};
    const struct neighbour_actions actions = {on_send, on_ready, on_lost, f};
    const svr_random random = {fill, NULL};

    memset(f, 0, sizeof *f);
    f->t = neighbours_create(own_mac, addresses, 2, &actions, &random);
    cr_assert_neq(f->t, NULL);
}

static enum svr_drop send_sized(fixture *f, svr_addr hop, uint8_t tag,
                                uint32_t len, svr_time now)
{
    uint8_t *bytes = calloc(1, len);
    svr_packet p = {.data = bytes, .len = len, .next_hop = hop};
    enum svr_drop reason;

    bytes[len - 1] = tag;
    cr_assert_eq(neighbours_find(f->t, &hop), NULL);
    reason = neighbours_wait(f->t, &p, now);
    free(bytes);
    return reason;
}

static enum svr_drop send_to(fixture *f, svr_addr hop, uint8_t tag,
                             svr_time now)
{
    return send_sized(f, hop, tag, 40, now);
}

/* In memory of exactly that length, so that a sanitizer sees every byte read
 * beyond it. */
static void input(fixture *f, const uint8_t *frame, size_t len, svr_time now)
{
    uint8_t *copy = malloc(len + (len == 0));

    memcpy(copy, frame, len);
    neighbours_input(f->t, copy, len, now);
    free(copy);
}

static bool knows(fixture *f, svr_addr hop)
{
    return neighbours_find(f->t, &hop) != NULL;
}

static bool knows_at(fixture *f, svr_addr hop, const uint8_t mac[6])
{
    const uint8_t *found = neighbours_find(f->t, &hop);

    return found != NULL && memcmp(found, mac, 6) == 0;
}

static uint64_t invalid(const fixture *f)
{
    return neighbours_counters(f->t)->invalid;
}

/* ARP */

#define ARP_LEN ((size_t)42)

typedef struct arp {
    uint8_t operation;
    const uint8_t *mac;
    uint8_t sender[4];
    uint8_t target[4];
} arp;

static size_t build_arp(uint8_t *p, arp a)
{
    const uint8_t head[] = {0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, a.operation};

    memset(p, 0, ARP_LEN);
    memcpy(p, a.operation == 1 ? ether_broadcast : own_mac, 6);
    memcpy(p + 6, a.mac, 6);
    memcpy(p + 12, head, sizeof head);
    memcpy(p + 22, a.mac, 6);
    memcpy(p + 28, a.sender, 4);
    if (a.operation == 2)
        memcpy(p + 32, own_mac, 6);
    memcpy(p + 38, a.target, 4);
    return ARP_LEN;
}

static void input_arp(fixture *f, arp a, svr_time now)
{
    uint8_t p[ARP_LEN];

    input(f, p, build_arp(p, a), now);
}

static const arp answer_2 = {2, peer_mac, {10, 1, 0, 2}, {10, 1, 0, 1}};
static const arp question_2 = {1, peer_mac, {10, 1, 0, 2}, {10, 1, 0, 1}};

Test(router_neighbour, arp_request_is_these_bytes)
{
    static const uint8_t wanted[60] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,  0, 0, 0, 0, 1, 8, 6, /* */
        0,    1,    8,    0,    6,    4,    0,  1,                   /* */
        2,    0,    0,    0,    0,    1,    10, 1, 0, 1,             /* */
        0,    0,    0,    0,    0,    0,    10, 1, 0, 2};
    fixture f;

    start(&f);
    cr_assert_eq(send_to(&f, v4(10, 1, 0, 2), 1, 0), SVR_DROP_NONE);
    cr_assert_eq(f.sent, 1);
    cr_assert_eq(f.frame_len, 60);
    cr_assert_arr_eq(f.frame, wanted, 60);
    neighbours_destroy(f.t);
}

Test(router_neighbour, arp_reply_is_these_bytes)
{
    static const uint8_t wanted[60] = {2, 0, 0, 0, 0, 0x77, 2,  0, 0, 0,
                                       0, 1, 8, 6,                       /* */
                                       0, 1, 8, 0, 6, 4,    0,  2,       /* */
                                       2, 0, 0, 0, 0, 1,    10, 1, 0, 1, /* */
                                       2, 0, 0, 0, 0, 0x77, 10, 1, 0, 2};
    fixture f;

    start(&f);
    input_arp(&f, question_2, 0);
    cr_assert_eq(f.sent, 1);
    cr_assert_eq(f.frame_len, 60);
    cr_assert_arr_eq(f.frame, wanted, 60);
    cr_assert(knows_at(&f, v4(10, 1, 0, 2), peer_mac));
    neighbours_destroy(f.t);
}

Test(router_neighbour, arp_answer_releases_what_waits_in_order)
{
    fixture f;

    start(&f);
    for (uint8_t i = 0; i < 5; i++)
        cr_assert_eq(send_to(&f, v4(10, 1, 0, 2), i, 0), SVR_DROP_NONE);
    cr_assert_eq(f.sent, 1, "one question for all of them");
    cr_assert_eq(neighbours_held(f.t), 5);
    input_arp(&f, answer_2, 10 * MS);
    cr_assert_eq(f.ready, 5);
    cr_assert_arr_eq(f.ready_mac, peer_mac, 6);
    for (uint8_t i = 0; i < 5; i++)
        cr_assert_eq(f.ready_tags[i], i);
    cr_assert_eq(neighbours_held(f.t), 0);
    cr_assert(knows_at(&f, v4(10, 1, 0, 2), peer_mac));
    neighbours_destroy(f.t);
}

Test(router_neighbour, arp_of_others_is_not_learned)
{
    static const arp messages[] = {
        {2, peer_mac, {10, 1, 0, 3}, {10, 1, 0, 1}}, /* nobody asked */
        {2, peer_mac, {10, 1, 0, 3}, {10, 1, 0, 3}}, /* gratuitous */
        {1, peer_mac, {10, 1, 0, 3}, {10, 1, 0, 3}},
        {1, peer_mac, {10, 1, 0, 3}, {10, 1, 0, 4}},   /* between others */
        {1, peer_mac, {10, 2, 0, 3}, {10, 1, 0, 1}},   /* not on this network */
        {1, peer_mac, {10, 1, 0, 0}, {10, 1, 0, 1}},   /* the network itself */
        {1, peer_mac, {10, 1, 0, 255}, {10, 1, 0, 1}}, /* everyone */
        {1, peer_mac, {0, 0, 0, 0}, {10, 1, 0, 1}},    /* a duplicate probe */
    };
    fixture f;

    start(&f);
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        const uint8_t *a = messages[i].sender;

        input_arp(&f, messages[i], 0);
        cr_assert_not(knows(&f, v4(a[0], a[1], a[2], a[3])), "%zu", i);
        cr_assert_eq(neighbours_known(f.t), 0, "%zu", i);
    }
    cr_assert_eq(f.sent, 4, "the questions for the own address are answered");
    neighbours_destroy(f.t);
}

Test(router_neighbour, gratuitous_arp_moves_a_known_one_and_makes_it_confirm)
{
    fixture f;
    arp moved = {1, other_mac, {10, 1, 0, 2}, {10, 1, 0, 2}};

    start(&f);
    input_arp(&f, question_2, 0);
    f.sent = 0;
    input_arp(&f, moved, SVR_SECOND);
    cr_assert(knows_at(&f, v4(10, 1, 0, 2), other_mac));
    cr_assert_eq(f.sent, 1);
    cr_assert_arr_eq(f.frame, other_mac, 6, "asked there, not everyone");
    neighbours_handle_expiry(f.t, SVR_SECOND + 3 * TRY);
    neighbours_handle_expiry(f.t, SVR_SECOND + 6 * TRY);
    neighbours_handle_expiry(f.t, SVR_SECOND + 9 * TRY);
    cr_assert_not(knows(&f, v4(10, 1, 0, 2)), "it never confirmed");
    neighbours_destroy(f.t);
}

Test(router_neighbour, claims_of_own_addresses_are_counted_and_ignored)
{
    fixture f;
    arp claim = {1, peer_mac, {10, 1, 0, 1}, {10, 1, 0, 1}};

    start(&f);
    input_arp(&f, claim, 0);
    claim.operation = 2;
    input_arp(&f, claim, 0);
    cr_assert_eq(neighbours_counters(f.t)->conflicts, 2);
    cr_assert_eq(f.sent, 0);
    cr_assert_eq(neighbours_known(f.t), 0);
    neighbours_destroy(f.t);
}

Test(router_neighbour, arp_cut_off_anywhere_does_nothing)
{
    uint8_t p[ARP_LEN];
    fixture f;

    start(&f);
    cr_assert_eq(send_to(&f, v4(10, 1, 0, 2), 1, 0), SVR_DROP_NONE);
    f.sent = 0;
    build_arp(p, answer_2);
    for (size_t len = 0; len < ARP_LEN; len++)
        input(&f, p, len, 0);
    build_arp(p, question_2);
    for (size_t len = 0; len < ARP_LEN; len++)
        input(&f, p, len, 0);
    cr_assert_eq(f.sent, 0);
    cr_assert_eq(f.ready, 0);
    cr_assert_eq(invalid(&f), 2 * ARP_LEN);
    neighbours_destroy(f.t);
}

Test(router_neighbour, arp_of_other_kinds_does_nothing)
{
    /* offset in the frame, and a value that is wrong there */
    static const uint8_t changes[][2] = {
        {14, 1}, {15, 6}, {16, 0}, {17, 6}, {18, 8}, {19, 16},
        {20, 1}, {21, 3}, {21, 0}, {21, 8}, {22, 1}, {22, 0xff},
    };
    fixture f;

    start(&f);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t p[ARP_LEN];

        build_arp(p, question_2);
        p[changes[i][0]] = changes[i][1];
        input(&f, p, sizeof p, 0);
        cr_assert_eq(invalid(&f), i + 1, "%zu", i);
    }
    cr_assert_eq(f.sent, 0);
    cr_assert_eq(neighbours_known(f.t), 0);
    neighbours_destroy(f.t);
}

/* Neighbour discovery */

#define ND_LEN ((size_t)86)

typedef struct nd {
    uint8_t type;
    uint8_t flags;
    svr_addr source, destination, target;
    uint8_t option; /* its type; 0: none */
    const uint8_t *mac;
} nd;

/* The checksum, byte by byte. */
static void write_checksum(uint8_t *p, size_t len)
{
    uint32_t sum = (uint32_t)(len - 54) + 58;

    p[56] = 0;
    p[57] = 0;
    for (size_t i = 22; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    p[56] = (uint8_t)(~sum >> 8);
    p[57] = (uint8_t)~sum;
}

static size_t build_nd(uint8_t *p, nd n)
{
    size_t len = n.option != 0 ? ND_LEN : ND_LEN - 8;

    memset(p, 0, ND_LEN);
    memcpy(p, own_mac, 6);
    memcpy(p + 6, n.mac, 6);
    p[12] = 0x86;
    p[13] = 0xdd;
    p[14] = 0x60;
    p[19] = (uint8_t)(len - 54);
    p[20] = 58;
    p[21] = 255;
    memcpy(p + 22, n.source.b, 16);
    memcpy(p + 38, n.destination.b, 16);
    p[54] = n.type;
    p[58] = n.flags;
    memcpy(p + 62, n.target.b, 16);
    if (n.option != 0) {
        p[78] = n.option;
        p[79] = 1;
        memcpy(p + 80, n.mac, 6);
    }
    write_checksum(p, len);
    return len;
}

static void input_nd(fixture *f, nd n, svr_time now)
{
    uint8_t p[ND_LEN];
    size_t len = build_nd(p, n);

    input(f, p, len, now);
}

static nd solicitation(void)
{
    return (nd){135, 0, v6(2), v6(1), v6(1), 1, peer_mac};
}

static nd advertisement(void)
{
    return (nd){136, 0x60, v6(2), v6(1), v6(2), 2, peer_mac};
}

Test(router_neighbour, solicitation_is_these_bytes)
{
    uint8_t wanted[ND_LEN];
    nd n = {135,   0, v6(1),  {{0xff, 2, [11] = 1, 0xff, 0, 0, 2}},
            v6(2), 1, own_mac};
    static const uint8_t group[6] = {0x33, 0x33, 0xff, 0, 0, 2};
    fixture f;

    start(&f);
    cr_assert_eq(send_to(&f, v6(2), 1, 0), SVR_DROP_NONE);
    cr_assert_eq(f.sent, 1);
    cr_assert_eq(f.frame_len, build_nd(wanted, n));
    memcpy(wanted, group, 6);
    cr_assert_arr_eq(f.frame, wanted, ND_LEN);
    neighbours_destroy(f.t);
}

Test(router_neighbour, advertisement_is_these_bytes)
{
    uint8_t wanted[ND_LEN];
    nd n = {136, 0xe0, v6(1), v6(2), v6(1), 2, own_mac};
    fixture f;

    start(&f);
    input_nd(&f, solicitation(), 0);
    cr_assert_eq(f.sent, 1);
    cr_assert_eq(f.frame_len, build_nd(wanted, n));
    memcpy(wanted, peer_mac, 6);
    cr_assert_arr_eq(f.frame, wanted, ND_LEN);
    cr_assert(knows_at(&f, v6(2), peer_mac));
    neighbours_destroy(f.t);
}

Test(router_neighbour, duplicate_probe_is_answered_to_all_and_not_learned)
{
    uint8_t wanted[ND_LEN];
    nd n = {136, 0xa0, v6(1), {{0xff, 2, [15] = 1}}, v6(1), 2, own_mac};
    nd probe = {135,   0, SVR_ADDR_NONE, {{0xff, 2, [11] = 1, 0xff, 0, 0, 1}},
                v6(1), 0, peer_mac};
    static const uint8_t all[6] = {0x33, 0x33, 0, 0, 0, 1};
    fixture f;

    start(&f);
    input_nd(&f, probe, 0);
    cr_assert_eq(f.frame_len, build_nd(wanted, n));
    memcpy(wanted, all, 6);
    cr_assert_arr_eq(f.frame, wanted, ND_LEN);
    cr_assert_eq(neighbours_known(f.t), 0);
    neighbours_destroy(f.t);
}

Test(router_neighbour, solicitation_for_the_link_local_address_is_answered)
{
    nd n = solicitation();
    svr_addr own = {{0xfe, 0x80, [8] = 0, 0, 0, 0xff, 0xfe, 0, 0, 1}};
    svr_addr peer = {{0xfe, 0x80, [15] = 9}};
    fixture f;

    start(&f);
    n.source = peer;
    n.target = own;
    input_nd(&f, n, 0);
    cr_assert_eq(f.sent, 1);
    cr_assert_arr_eq(f.frame + 22, own.b, 16);
    cr_assert(knows_at(&f, peer, peer_mac));
    neighbours_destroy(f.t);
}

Test(router_neighbour, unicast_solicitation_without_option_goes_back)
{
    nd n = solicitation();
    fixture f;

    start(&f);
    n.option = 0;
    input_nd(&f, n, 0);
    cr_assert_eq(f.sent, 1);
    cr_assert_arr_eq(f.frame, peer_mac, 6);
    cr_assert_eq(neighbours_known(f.t), 0);
    neighbours_destroy(f.t);
}

Test(router_neighbour, advertisement_releases_what_waits)
{
    fixture f;

    start(&f);
    cr_assert_eq(send_to(&f, v6(2), 7, 0), SVR_DROP_NONE);
    input_nd(&f, advertisement(), MS);
    cr_assert_eq(f.ready, 1);
    cr_assert_eq(f.ready_tags[0], 7);
    cr_assert(knows_at(&f, v6(2), peer_mac));
    neighbours_destroy(f.t);
}

Test(router_neighbour, advertisement_that_nobody_asked_for_creates_nothing)
{
    nd n = advertisement();
    fixture f;

    start(&f);
    input_nd(&f, n, 0);
    n.flags = 0x20;
    input_nd(&f, n, 0);
    cr_assert_eq(neighbours_known(f.t), 0);
    cr_assert_eq(f.sent, 0);
    neighbours_destroy(f.t);
}

Test(router_neighbour, advertisement_without_override_moves_nothing)
{
    nd n = advertisement();
    fixture f;

    start(&f);
    input_nd(&f, solicitation(), 0);
    n.mac = other_mac;
    n.flags = 0x40;
    input_nd(&f, n, 0);
    cr_assert(knows_at(&f, v6(2), peer_mac));
    n.flags = 0x20;
    input_nd(&f, n, 0);
    cr_assert(knows_at(&f, v6(2), other_mac));
    neighbours_destroy(f.t);
}

Test(router_neighbour, nd_cut_off_anywhere_does_nothing)
{
    uint8_t p[ND_LEN];
    fixture f;

    start(&f);
    cr_assert_eq(send_to(&f, v6(2), 1, 0), SVR_DROP_NONE);
    f.sent = 0;
    build_nd(p, advertisement());
    for (size_t len = 0; len < ND_LEN; len++)
        input(&f, p, len, 0);
    build_nd(p, solicitation());
    for (size_t len = 0; len < ND_LEN; len++)
        input(&f, p, len, 0);
    cr_assert_eq(f.sent, 0);
    cr_assert_eq(f.ready, 0);
    cr_assert_eq(invalid(&f), 2 * ND_LEN);
    neighbours_destroy(f.t);
}

/* Ethernet pads frames; the IPv6 length says where the message ends. */
Test(router_neighbour, nd_with_padding_is_read)
{
    uint8_t p[ND_LEN + 20] = {0};
    fixture f;

    start(&f);
    build_nd(p, solicitation());
    memset(p + ND_LEN, 0xaa, 20);
    input(&f, p, sizeof p, 0);
    cr_assert_eq(f.sent, 1);
    neighbours_destroy(f.t);
}

/* The checksum covers everything from the addresses on. */
Test(router_neighbour, nd_with_any_byte_changed_does_nothing)
{
    fixture f;

    start(&f);
    for (size_t i = 22; i < ND_LEN; i++) {
        uint8_t p[ND_LEN];

        build_nd(p, solicitation());
        p[i] ^= 0x11;
        input(&f, p, sizeof p, 0);
        cr_assert_eq(f.sent, 0, "byte %zu", i);
    }
    cr_assert_eq(neighbours_known(f.t), 0);
    neighbours_destroy(f.t);
}

typedef struct change {
    const char *what;
    bool advertisement;
    uint8_t at, value;
} change;

Test(router_neighbour, nd_that_breaks_a_rule_does_nothing)
{
    static const change changes[] = {
        {"hop limit", false, 21, 254},
        {"hop limit", true, 21, 1},
        {"code", false, 55, 1},
        {"payload length past the end", false, 19, 33},
        {"payload length without target", false, 19, 23},
        {"payload length within the option", false, 19, 28},
        {"option without length", false, 79, 0},
        {"option past the end", false, 79, 2},
        {"option past the end", true, 79, 255},
        {"multicast hardware address", false, 80, 1},
        {"multicast target", false, 62, 0xff},
        {"multicast target", true, 62, 0xff},
        {"multicast source", false, 22, 0xff},
        {"solicited to a group", true, 38, 0xff},
        {"station of the frame", false, 6, 1},
    };
    fixture f;

    start(&f);
    cr_assert_eq(send_to(&f, v6(2), 1, 0), SVR_DROP_NONE);
    f.sent = 0;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const change *c = &changes[i];
        uint8_t p[ND_LEN];

        build_nd(p, c->advertisement ? advertisement() : solicitation());
        p[c->at] = c->value;
        write_checksum(p, (size_t)54 + (c->at == 19 ? c->value : 32) > ND_LEN
                              ? ND_LEN
                              : (size_t)54 + (c->at == 19 ? c->value : 32));
        input(&f, p, sizeof p, 0);
        cr_assert_eq(invalid(&f), i + 1, "%s", c->what);
    }
    cr_assert_eq(f.sent, 0);
    cr_assert_eq(f.ready, 0);
    neighbours_destroy(f.t);
}

Test(router_neighbour, nd_with_addresses_that_do_not_fit_does_nothing)
{
    nd n[5];
    fixture f;

    start(&f);
    for (size_t i = 0; i < 5; i++)
        n[i] = solicitation();
    n[0].source = SVR_ADDR_NONE; /* with an option */
    n[0].destination = (svr_addr){{0xff, 2, [11] = 1, 0xff, 0, 0, 1}};
    n[1].source = SVR_ADDR_NONE; /* not to the group */
    n[1].option = 0;
    n[2].target = v4(10, 1, 0, 1);
    n[3].source = v4(10, 1, 0, 9);
    n[4] = advertisement();
    n[4].source = SVR_ADDR_NONE;
    for (size_t i = 0; i < 5; i++) {
        input_nd(&f, n[i], 0);
        cr_assert_eq(invalid(&f), i + 1, "%zu", i);
    }
    cr_assert_eq(f.sent, 0);
    cr_assert_eq(neighbours_known(f.t), 0);
    neighbours_destroy(f.t);
}

Test(router_neighbour, announcements_are_these_bytes)
{
    static const uint8_t all[6] = {0x33, 0x33, 0, 0, 0, 1};
    nd n = {136, 0xa0, v6(1), {{0xff, 2, [15] = 1}}, v6(1), 2, own_mac};
    uint8_t wanted[ND_LEN];
    fixture f;

    start(&f);
    neighbours_announce(f.t);
    cr_assert_eq(f.sent, 2);
    cr_assert_eq(f.frame_len, build_nd(wanted, n));
    memcpy(wanted, all, 6);
    cr_assert_arr_eq(f.frame, wanted, ND_LEN);
    neighbours_destroy(f.t);
}

/* Time */

Test(router_neighbour, silent_one_is_asked_three_times_within_a_second)
{
    fixture f;

    start(&f);
    cr_assert_eq(neighbours_expiry(f.t), SVR_NEVER);
    cr_assert_eq(send_to(&f, v4(10, 1, 0, 2), 1, 0), SVR_DROP_NONE);
    cr_assert_eq(neighbours_expiry(f.t), 333333333);
    neighbours_handle_expiry(f.t, 333333332);
    cr_assert_eq(f.sent, 1);
    neighbours_handle_expiry(f.t, 333333333);
    cr_assert_eq(f.sent, 2);
    cr_assert_eq(neighbours_expiry(f.t), 666666666);
    cr_assert_eq(send_to(&f, v4(10, 1, 0, 2), 2, 500 * MS), SVR_DROP_NONE);
    neighbours_handle_expiry(f.t, 666666666);
    cr_assert_eq(f.sent, 3);
    neighbours_handle_expiry(f.t, 999999998);
    cr_assert_eq(neighbours_held(f.t), 2);
    neighbours_handle_expiry(f.t, 999999999);
    cr_assert_eq(f.sent, 3);
    cr_assert_eq(neighbours_held(f.t), 0);
    cr_assert_eq(f.lost[SVR_DROP_NO_NEIGHBOUR], 2);
    cr_assert_eq(neighbours_expiry(f.t), SVR_NEVER);
    neighbours_destroy(f.t);
}

Test(router_neighbour, unused_one_is_forgotten_after_a_minute)
{
    fixture f;

    start(&f);
    input_arp(&f, question_2, 0);
    f.sent = 0;
    cr_assert_eq(neighbours_expiry(f.t), 60 * SVR_SECOND);
    neighbours_handle_expiry(f.t, 60 * SVR_SECOND - 1);
    cr_assert_eq(neighbours_known(f.t), 1);
    neighbours_handle_expiry(f.t, 60 * SVR_SECOND);
    cr_assert_eq(neighbours_known(f.t), 0);
    cr_assert_eq(f.sent, 0);
    neighbours_destroy(f.t);
}

Test(router_neighbour, used_one_is_asked_after_a_minute_and_stays)
{
    fixture f;

    start(&f);
    input_arp(&f, question_2, 0);
    cr_assert(knows(&f, v4(10, 1, 0, 2)));
    f.sent = 0;
    neighbours_handle_expiry(f.t, 60 * SVR_SECOND);
    cr_assert_eq(f.sent, 1);
    cr_assert_arr_eq(f.frame, peer_mac, 6);
    cr_assert(knows(&f, v4(10, 1, 0, 2)), "used while it is asked");
    input_arp(&f, answer_2, 60 * SVR_SECOND + MS);
    neighbours_handle_expiry(f.t, 120 * SVR_SECOND + MS - 1);
    cr_assert_eq(neighbours_known(f.t), 1);
    neighbours_handle_expiry(f.t, 120 * SVR_SECOND + MS);
    cr_assert_eq(neighbours_known(f.t), 0, "nobody used it again");
    neighbours_destroy(f.t);
}

Test(router_neighbour, used_one_that_is_silent_is_forgotten)
{
    svr_time now = 60 * SVR_SECOND;
    fixture f;

    start(&f);
    input_nd(&f, solicitation(), 0);
    cr_assert(knows(&f, v6(2)));
    f.sent = 0;
    for (size_t i = 0; i < 3; i++, now += TRY) {
        neighbours_handle_expiry(f.t, now);
        cr_assert_eq(f.sent, i + 1);
        cr_assert_arr_eq(f.frame, peer_mac, 6);
        cr_assert_arr_eq(f.frame + 38, v6(2).b, 16);
    }
    cr_assert(knows(&f, v6(2)));
    neighbours_handle_expiry(f.t, now);
    cr_assert_not(knows(&f, v6(2)));
    cr_assert_eq(neighbours_counters(f.t)->silent, 1);
    neighbours_destroy(f.t);
}

/* What comes without being asked for may be old or forged: it does not prove
 * that the neighbour is still there. */
Test(router_neighbour, claims_do_not_confirm)
{
    static const arp gratuitous = {2, peer_mac, {10, 1, 0, 2}, {10, 1, 0, 2}};
    svr_time now = 60 * SVR_SECOND;
    nd unsolicited = advertisement();
    fixture f;

    start(&f);
    unsolicited.flags = 0x20;
    input_arp(&f, question_2, 0);
    input_nd(&f, solicitation(), 0);
    cr_assert(knows(&f, v4(10, 1, 0, 2)) && knows(&f, v6(2)));
    for (size_t i = 0; i < 3; i++, now += TRY) {
        neighbours_handle_expiry(f.t, now);
        input_arp(&f, question_2, now);
        input_arp(&f, gratuitous, now);
        input_nd(&f, solicitation(), now);
        input_nd(&f, unsolicited, now);
    }
    neighbours_handle_expiry(f.t, now);
    cr_assert_eq(neighbours_known(f.t), 0);
    neighbours_destroy(f.t);
}

/* Bounds */

Test(router_neighbour, next_hops_elsewhere_are_refused_at_once)
{
    const svr_addr hops[] = {
        v4(10, 2, 0, 2),       v4(10, 1, 0, 0), v4(10, 1, 0, 255),
        v4(10, 1, 0, 1),       v6(1),           {{0xfd, 0, 0, 2, [15] = 1}},
        {{0xff, 2, [15] = 1}}, SVR_ADDR_NONE};
    fixture f;

    start(&f);
    for (size_t i = 0; i < sizeof hops / sizeof hops[0]; i++)
        cr_assert_eq(send_to(&f, hops[i], 1, 0), SVR_DROP_NO_NEIGHBOUR, "%zu",
                     i);
    cr_assert_eq(f.sent, 0);
    neighbours_destroy(f.t);
}

Test(router_neighbour, sixteen_packets_wait_for_one)
{
    fixture f;

    start(&f);
    for (int i = 0; i < 16; i++)
        cr_assert_eq(send_to(&f, v4(10, 1, 0, 2), 1, 0), SVR_DROP_NONE);
    cr_assert_eq(send_to(&f, v4(10, 1, 0, 2), 1, 0), SVR_DROP_NEIGHBOUR_QUEUE);
    cr_assert_eq(send_to(&f, v4(10, 1, 0, 3), 1, 0), SVR_DROP_NONE);
    neighbours_destroy(f.t);
    cr_assert_eq(f.lost[SVR_DROP_NO_NEIGHBOUR], 17);
}

Test(router_neighbour, packets_that_wait_are_bounded_altogether)
{
    size_t kept = 0;
    fixture f;

    start(&f);
    for (uint8_t host = 2; host < 100; host++)
        for (int i = 0; i < 16; i++)
            kept += send_to(&f, v4(10, 1, 0, host), 1, 0) == SVR_DROP_NONE;
    cr_assert_eq(kept, NEIGHBOUR_HELD_MAX);
    cr_assert_eq(neighbours_held(f.t), NEIGHBOUR_HELD_MAX);
    neighbours_destroy(f.t);
    cr_assert_eq(f.lost[SVR_DROP_NO_NEIGHBOUR], NEIGHBOUR_HELD_MAX);
}

Test(router_neighbour, bytes_that_wait_are_bounded_altogether)
{
    size_t kept = 0;
    fixture f;

    start(&f);
    for (uint8_t host = 2; host < 12; host++)
        for (int i = 0; i < 16; i++)
            kept += send_sized(&f, v4(10, 1, 0, host), 1, SVR_PACKET_MAX, 0) ==
                    SVR_DROP_NONE;
    cr_assert_eq(kept, 63, "%zu packets of 64 KiB in 4 MiB", kept);
    input_arp(&f, answer_2, 0);
    cr_assert_eq(f.ready, 16);
    for (int i = 0; i < 16; i++)
        cr_assert_eq(send_sized(&f, v4(10, 1, 0, 50), 1, SVR_PACKET_MAX, 0),
                     SVR_DROP_NONE);
    neighbours_destroy(f.t);
}

/* Two bytes of host number in fd00:1::/64. */
static svr_addr host(uint16_t n)
{
    svr_addr a = v6(0);

    a.b[8] = 1;
    a.b[14] = (uint8_t)(n >> 8);
    a.b[15] = (uint8_t)n;
    return a;
}

static void hear(fixture *f, uint16_t n, svr_time now)
{
    nd message = solicitation();

    message.source = host(n);
    input_nd(f, message, now);
}

Test(router_neighbour, unknown_ones_are_bounded)
{
    fixture f;

    start(&f);
    for (uint16_t i = 0; i < NEIGHBOUR_ASKED_MAX; i++) {
        svr_packet p = {.data = (uint8_t[]){0}, .len = 1, .next_hop = host(i)};

        cr_assert_eq(neighbours_wait(f.t, &p, 0), SVR_DROP_NONE);
    }
    cr_assert_eq(send_to(&f, host(5000), 1, 0), SVR_DROP_NEIGHBOUR_QUEUE);
    cr_assert_eq(f.sent, NEIGHBOUR_ASKED_MAX);
    hear(&f, 5000, 0);
    cr_assert(knows(&f, host(5000)), "those who ask still find a place");
    neighbours_destroy(f.t);
}

Test(router_neighbour, who_asks_displaces_nobody_in_use)
{
    fixture f;

    start(&f);
    for (uint16_t i = 0; i < NEIGHBOUR_MAX; i++)
        hear(&f, i, i);
    cr_assert_eq(neighbours_known(f.t), NEIGHBOUR_MAX);
    for (uint16_t i = 0; i < NEIGHBOUR_MAX; i++)
        cr_assert(i == 300 || knows(&f, host(i)));
    hear(&f, 5000, 2000);
    cr_assert_not(knows(&f, host(300)), "the only one not in use has gone");
    cr_assert(knows(&f, host(5000)));
    hear(&f, 5001, 2000);
    cr_assert_not(knows(&f, host(5001)));
    cr_assert_eq(neighbours_known(f.t), NEIGHBOUR_MAX);
    cr_assert_eq(send_to(&f, host(5001), 1, 2000), SVR_DROP_NONE);
    cr_assert_not(knows(&f, host(0)), "for a packet the oldest one goes");
    neighbours_destroy(f.t);
}

/* Chance */

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static void input_chance(fixture *f, uint64_t *seed, svr_time now)
{
    uint32_t r = next_random(seed);
    uint8_t n = (uint8_t)(2 + r % 40);
    const uint8_t *mac = r & 0x100 ? peer_mac : other_mac;
    arp a = {(uint8_t)(1 + (r >> 9 & 1)), mac, {10, 1, 0, n}, {10, 1, 0, 1}};
    nd s = {135, 0, v6(n), v6(1), v6(1), 1, mac};
    nd v = {136,   (uint8_t)(r >> 10 & 0xe0),  v6(n), v6(1),
            v6(n), (r >> 18 & 1) != 0 ? 2 : 0, mac};
    uint8_t p[ND_LEN];
    size_t len;

    switch (r >> 20 & 3) {
    case 0:
        if ((r >> 22 & 1) != 0)
            a.target[3] = n;
        len = build_arp(p, a);
        break;
    case 1:
        len = build_nd(p, s);
        break;
    default:
        len = build_nd(p, v);
    }
    if ((r >> 23 & 7) == 0)
        p[next_random(seed) % len] ^= (uint8_t)next_random(seed);
    if ((r >> 26 & 7) == 0)
        len = next_random(seed) % (len + 1);
    input(f, p, len, now);
}

static size_t send_chance(fixture *f, uint64_t *seed, svr_time now)
{
    uint32_t r = next_random(seed);
    uint8_t n = (uint8_t)(2 + r % 40);
    svr_addr hop = r & 0x100 ? v6(n) : v4(10, 1, 0, n);

    if (neighbours_find(f->t, &hop) != NULL)
        return 0;
    return send_to(f, hop, n, now) == SVR_DROP_NONE;
}

/* Whatever comes in whatever order: each packet that waits comes out once, and
 * no deadline is missed. */
Test(router_neighbour, chance)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t state = seed;
        svr_time now = 0;
        size_t kept = 0;
        fixture f;

        start(&f);
        for (int i = 0; i < 20000; i++) {
            now += next_random(&state) % (20 * MS);
            if (next_random(&state) % 1000 == 0)
                now += 61 * SVR_SECOND;
            neighbours_handle_expiry(f.t, now);
            cr_assert_gt(neighbours_expiry(f.t), now);
            if (next_random(&state) % 2 == 0)
                kept += send_chance(&f, &state, now);
            else
                input_chance(&f, &state, now);
            cr_assert_eq(kept, f.ready + f.lost[SVR_DROP_NO_NEIGHBOUR] +
                                   neighbours_held(f.t));
        }
        cr_assert_gt(f.ready, 100);
        cr_assert_gt(f.lost[SVR_DROP_NO_NEIGHBOUR], 100);
        neighbours_destroy(f.t);
        cr_assert_eq(kept, f.ready + f.lost[SVR_DROP_NO_NEIGHBOUR]);
    }
}
