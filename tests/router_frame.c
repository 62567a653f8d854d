#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "svrd/ether.h"
#include "svrd/offload.h"

static const uint8_t own[6] = {0x02, 0, 0, 0, 0, 1};

/* Frames: Ethernet, IPv4 or IPv6, TCP or UDP, then payload. */

#define FRONT 64

typedef struct shape {
    bool v6, udp;
    size_t payload;
    size_t options; /* bytes of IPv4 options, or of an IPv6 extension header */
} shape;

typedef struct built {
    svr_packet frame;
    size_t l4; /* in the frame */
    uint8_t *memory;
} built;

static uint16_t sum_of(const uint8_t *p, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static size_t build_v4(uint8_t *ip, shape s, size_t l4_len)
{
    size_t head = 20 + s.options;

    ip[0] = (uint8_t)(0x40 | head / 4);
    put16(ip + 2, head + l4_len);
    ip[8] = 64;
    ip[9] = s.udp ? 17 : 6;
    ip[12] = ip[16] = 10;
    ip[15] = 1;
    ip[19] = 2;
    memset(ip + 20, 1, s.options);
    put16(ip + 10, (uint16_t)~sum_of(ip, head, 0));
    return head;
}

static size_t build_v6(uint8_t *ip, shape s, size_t l4_len)
{
    uint8_t proto = s.udp ? 17 : 6;

    ip[0] = 0x60;
    put16(ip + 4, s.options + l4_len);
    ip[6] = s.options > 0 ? 60 : proto;
    ip[7] = 64;
    ip[8] = ip[24] = 0xfd;
    ip[23] = 1;
    ip[39] = 2;
    if (s.options > 0) {
        ip[40] = proto;
        ip[41] = (uint8_t)(s.options / 8 - 1);
        ip[42] = 1; /* PadN */
        ip[43] = (uint8_t)(s.options - 4);
    }
    return 40 + s.options;
}

/* The sum of the pseudo header stands in the checksum field. */
static built build(shape s)
{
    size_t l4_head = s.udp ? 8 : 20;
    size_t l4_len = l4_head + s.payload;
    built b = {.memory = calloc(1, FRONT + 14 + 60 + l4_len)};
    uint8_t *ip = b.memory + FRONT + 14;
    size_t head = s.v6 ? build_v6(ip, s, l4_len) : build_v4(ip, s, l4_len);
    uint8_t *l4 = ip + head;
    uint32_t pseudo = (uint32_t)l4_len + (s.udp ? 17 : 6);

    l4[1] = 80;
    l4[3] = 81;
    if (s.udp)
        put16(l4 + 4, l4_len);
    else
        l4[12] = 5 << 4;
    for (size_t i = 0; i < s.payload; i++)
        l4[l4_head + i] = (uint8_t)(i * 7);
    put16(l4 + (s.udp ? 6 : 16),
          s.v6 ? sum_of(ip + 8, 32, pseudo) : sum_of(ip + 12, 8, pseudo));
    put16(ip - 2, s.v6 ? 0x86dd : 0x0800);
    b.frame.data = ip - 14;
    b.frame.len = (uint32_t)(14 + head + l4_len);
    b.l4 = 14 + head;
    return b;
}

static bool l4_is_complete(const built *b, shape s)
{
    const uint8_t *ip = b->frame.data + 14;
    const uint8_t *l4 = b->frame.data + b->l4;
    size_t l4_len = b->frame.len - b->l4;
    uint32_t pseudo = (uint32_t)l4_len + (s.udp ? 17 : 6);

    pseudo = s.v6 ? sum_of(ip + 8, 32, pseudo) : sum_of(ip + 12, 8, pseudo);
    return sum_of(l4, l4_len, pseudo) == 0xffff;
}

static struct virtio_net_hdr partial(const built *b, shape s)
{
    return (struct virtio_net_hdr){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .csum_start = (uint16_t)b->l4,
        .csum_offset = s.udp ? 6 : 16,
    };
}

static const shape shapes[] = {
    {false, false, 100, 0}, {false, true, 101, 0}, {true, false, 102, 0},
    {true, true, 103, 0},   {false, true, 99, 8},  {true, false, 98, 8},
};
#define SHAPES (sizeof shapes / sizeof shapes[0])

Test(router_offload, plain_headers_say_what_is_known)
{
    built b = build(shapes[0]);
    struct virtio_net_hdr h = {0};

    cr_assert(offload_read(&b.frame, &h, 14));
    cr_assert_eq(b.frame.checksum, SVR_CHECKSUM_FULL);
    h.flags = VIRTIO_NET_HDR_F_DATA_VALID;
    cr_assert(offload_read(&b.frame, &h, 14));
    cr_assert_eq(b.frame.checksum, SVR_CHECKSUM_VALID);
    cr_assert_eq(b.frame.segment_size, 0);
    cr_assert(offload_write(&h, &b.frame, 14));
    cr_assert_eq(h.flags, VIRTIO_NET_HDR_F_DATA_VALID);
    free(b.memory);
}

Test(router_offload, partial_checksums_come_back_as_they_were)
{
    for (size_t i = 0; i < SHAPES; i++) {
        built b = build(shapes[i]);
        struct virtio_net_hdr in = partial(&b, shapes[i]);
        struct virtio_net_hdr out;

        cr_assert(offload_read(&b.frame, &in, 14), "%zu", i);
        cr_assert_eq(b.frame.checksum, SVR_CHECKSUM_PARTIAL, "%zu", i);
        cr_assert(offload_write(&out, &b.frame, 14), "%zu", i);
        cr_assert_arr_eq(&out, &in, sizeof in, "%zu", i);
        free(b.memory);
    }
}

Test(router_offload, partial_checksums_are_completed_where_no_device_does)
{
    for (size_t i = 0; i < SHAPES; i++) {
        built b = build(shapes[i]);
        struct virtio_net_hdr h = partial(&b, shapes[i]);

        cr_assert(offload_read(&b.frame, &h, 14));
        cr_assert_not(l4_is_complete(&b, shapes[i]), "%zu", i);
        cr_assert(offload_complete(&b.frame, 14), "%zu", i);
        cr_assert(l4_is_complete(&b, shapes[i]), "%zu", i);
        free(b.memory);
    }
}

/* A tunnel's inner packet, say: the place is not that of the outer header. */
Test(router_offload, checksums_at_other_places_are_completed_at_once)
{
    shape s = {false, true, 101, 0};
    built b = build(s);
    uint8_t *at = b.frame.data + b.l4 + 8;
    size_t len = b.frame.len - b.l4 - 8;
    struct virtio_net_hdr h = {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .csum_start = (uint16_t)(b.l4 + 8),
        .csum_offset = 16,
    };

    uint32_t before = (uint32_t)at[16] << 8 | at[17];

    cr_assert(offload_read(&b.frame, &h, 14));
    cr_assert_eq(b.frame.checksum, SVR_CHECKSUM_FULL);
    cr_assert_eq(sum_of(at, len, before), 0xffff);
    for (size_t i = 0; i < 4; i++) {
        h.csum_start = (uint16_t)(b.frame.len - 1 + i);
        cr_assert_not(offload_read(&b.frame, &h, 14));
    }
    h.csum_start = 60;
    h.csum_offset = UINT16_MAX;
    cr_assert_not(offload_read(&b.frame, &h, 14));
    free(b.memory);
}

static struct virtio_net_hdr segments(const built *b, shape s, uint16_t size)
{
    struct virtio_net_hdr h = partial(b, s);

    h.gso_type = s.v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
    if (s.udp)
        h.gso_type = 5; /* VIRTIO_NET_HDR_GSO_UDP_L4 */
    h.gso_size = size;
    h.hdr_len = (uint16_t)(b->l4 + (s.udp ? 8 : 20));
    return h;
}

Test(router_offload, super_packets_come_back_as_they_were)
{
    for (int kind = 0; kind < 4; kind++) {
        shape s = {(kind & 1) != 0, (kind & 2) != 0, 65000, 0};
        built b = build(s);
        struct virtio_net_hdr in = segments(&b, s, 1400);
        struct virtio_net_hdr out;

        cr_assert(offload_read(&b.frame, &in, 14));
        cr_assert_eq(b.frame.segment_size, 1400);
        cr_assert(offload_write(&out, &b.frame, 14));
        cr_assert_arr_eq(&out, &in, sizeof in);
        cr_assert_not(offload_complete(&b.frame, 14), "not without a device");
        free(b.memory);
    }
}

Test(router_offload, congestion_marks_survive)
{
    shape s = {false, false, 5000, 0};
    built b = build(s);
    struct virtio_net_hdr h = segments(&b, s, 1000);

    b.frame.data[b.l4 + 13] = SVR_TCP_CWR;
    h.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
    cr_assert(offload_read(&b.frame, &h, 14));
    cr_assert(offload_write(&h, &b.frame, 14));
    cr_assert_eq(h.gso_type, VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN);
    free(b.memory);
}

Test(router_offload, a_super_packet_of_one_segment_is_ordinary)
{
    shape s = {false, false, 1000, 0};
    built b = build(s);
    struct virtio_net_hdr h = segments(&b, s, 1000);

    cr_assert(offload_read(&b.frame, &h, 14));
    cr_assert_eq(b.frame.segment_size, 0);
    cr_assert_eq(b.frame.checksum, SVR_CHECKSUM_PARTIAL);
    free(b.memory);
}

Test(router_offload, super_packets_that_make_no_sense_are_refused)
{
    shape tcp = {false, false, 5000, 0};
    shape udp = {false, true, 5000, 0};
    built b = build(tcp);
    built u = build(udp);
    struct virtio_net_hdr h[8];

    for (size_t i = 0; i < 8; i++)
        h[i] = segments(&b, tcp, 1000);
    h[0].gso_size = 0;
    h[1].gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
    h[2].gso_type = VIRTIO_NET_HDR_GSO_UDP;
    h[3].gso_type = 0x7f;
    h[4].flags = 0;
    h[5].csum_start++;
    h[6].flags |= 0x80;
    h[7].gso_type = 5; /* VIRTIO_NET_HDR_GSO_UDP_L4 */
    for (size_t i = 0; i < 8; i++)
        cr_assert_not(offload_read(&b.frame, &h[i], 14), "%zu", i);
    h[0] = segments(&u, udp, 1000);
    h[0].gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
    cr_assert_not(offload_read(&u.frame, &h[0], 14));
    h[0].gso_type = 5 | VIRTIO_NET_HDR_GSO_ECN;
    cr_assert_not(offload_read(&u.frame, &h[0], 14));
    free(b.memory);
    free(u.memory);
}

/* Whatever a device says about whatever bytes: nothing is read or written
 * outside. */
Test(router_offload, frames_cut_off_anywhere)
{
    for (size_t i = 0; i < SHAPES; i++) {
        built b = build(shapes[i]);
        struct virtio_net_hdr h = partial(&b, shapes[i]);
        uint32_t whole = b.frame.len;

        for (uint32_t len = 0; len < whole; len++) {
            uint8_t *copy = malloc(len + (len == 0));
            svr_packet p = {.data = copy, .len = len};
            struct virtio_net_hdr out;

            memcpy(copy, b.frame.data, len);
            if (offload_read(&p, &h, 14) && len > 14)
                (void)offload_write(&out, &p, 14);
            h.gso_type ^= shapes[i].v6 ? VIRTIO_NET_HDR_GSO_TCPV6
                                       : VIRTIO_NET_HDR_GSO_TCPV4;
            h.gso_size ^= 50;
            free(copy);
        }
        free(b.memory);
    }
}

/* Ethernet */

typedef struct classified {
    const char *what;
    uint8_t to[6];
    uint16_t type;
    uint8_t ip[41];
    enum ether_kind kind;
} classified;

Test(router_ether, frames_are_told_apart)
{
    static const classified cases[] = {
        {"ours", {2, 0, 0, 0, 0, 1}, 0x0800, {0x45}, ETHER_KIND_IP},
        {"ours, IPv6", {2, 0, 0, 0, 0, 1}, 0x86dd, {0x60}, ETHER_KIND_IP},
        {"another's", {2, 0, 0, 0, 0, 2}, 0x0800, {0x45}, ETHER_KIND_FOREIGN},
        {"broadcast",
         {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
         0x0800,
         {0x45},
         ETHER_KIND_FOREIGN},
        {"multicast",
         {0x33, 0x33, 0, 0, 0, 1},
         0x86dd,
         {0x60},
         ETHER_KIND_FOREIGN},
        {"ARP to us", {2, 0, 0, 0, 0, 1}, 0x0806, {0}, ETHER_KIND_NEIGHBOUR},
        {"ARP to all",
         {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
         0x0806,
         {0},
         ETHER_KIND_NEIGHBOUR},
        {"ARP to another", {2, 0, 0, 0, 0, 2}, 0x0806, {0}, ETHER_KIND_FOREIGN},
        {"solicitation",
         {0x33, 0x33, 0xff, 0, 0, 1},
         0x86dd,
         {0x60, [6] = 58, [40] = 135},
         ETHER_KIND_NEIGHBOUR},
        {"advertisement",
         {2, 0, 0, 0, 0, 1},
         0x86dd,
         {0x60, [6] = 58, [40] = 136},
         ETHER_KIND_NEIGHBOUR},
        {"echo request",
         {2, 0, 0, 0, 0, 1},
         0x86dd,
         {0x60, [6] = 58, [40] = 128},
         ETHER_KIND_IP},
        {"router advertisement",
         {0x33, 0x33, 0, 0, 0, 1},
         0x86dd,
         {0x60, [6] = 58, [40] = 134},
         ETHER_KIND_FOREIGN},
        {"VLAN", {2, 0, 0, 0, 0, 1}, 0x8100, {0}, ETHER_KIND_UNKNOWN},
        {"others' LLDP",
         {1, 0x80, 0xc2, 0, 0, 0x0e},
         0x88cc,
         {0},
         ETHER_KIND_FOREIGN},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const classified *c = &cases[i];
        uint8_t frame[14 + 41] = {0};

        memcpy(frame, c->to, 6);
        put16(frame + 12, c->type);
        memcpy(frame + 14, c->ip, 41);
        cr_assert_eq(ether_classify(frame, sizeof frame, own), c->kind, "%s",
                     c->what);
    }
}

Test(router_ether, short_frames_are_runts)
{
    for (size_t len = 0; len < 14; len++) {
        uint8_t *p = calloc(1, len + (len == 0));

        cr_assert_eq(ether_classify(p, len, own), ETHER_KIND_RUNT);
        free(p);
    }
}

Test(router_ether, push_and_pull)
{
    static const uint8_t to[6] = {2, 0, 0, 0, 0, 9};
    static const uint8_t wanted[14] = {2, 0, 0, 0, 0, 9,    2,
                                       0, 0, 0, 0, 1, 0x86, 0xdd};
    uint8_t buf[14 + 40] = {[14] = 0x60};
    svr_packet p = {.data = buf + 14, .len = 40};

    ether_push(&p, to, own);
    cr_assert_eq(p.data, buf);
    cr_assert_eq(p.len, 54);
    cr_assert_arr_eq(buf, wanted, 14);
    ether_pull(&p);
    cr_assert_eq(p.data, buf + 14);
    cr_assert_eq(p.len, 40);
    p.data[0] = 0x45;
    ether_push(&p, to, own);
    cr_assert_eq(buf[12], 8);
    cr_assert_eq(buf[13], 0);
}
