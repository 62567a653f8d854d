#include "wire_lattice.h"

#include <stdio.h>

#include <svr/wire.h>

#include "wire_packets.h"

#define TCP SVR_PROTO_TCP
#define UDP SVR_PROTO_UDP

enum {
    WAYS = 6,
    LONGEST = SVR_PACKET_MAX,
    NAME = 5,
    HEADER_SECTION = 12 + 8,
    PAYLOAD_SECTION = 4 + 4 + NAME,
    DATA = 1,
};

static const uint8_t cookie[] = {0x4c, 0x48, 0xdb, 0xc6,
                                 0xdd, 0xf6, 0x67, 0x0c};

/* ---- what shall be accepted, without a line of the library ---- */

/* Of the types that are met here 16 has 4 bytes and 7 has 1 to 255; the others
 * are nobody's. */
static bool is_section(const uint8_t *p, size_t left)
{
    while (left >= 4 && 4 + get16(p + 2) <= left) {
        size_t type = get16(p), len = get16(p + 2);

        if ((type == 16 && len != 4) || (type == 7 && (len < 1 || len > 255)))
            return false;
        p += 4 + len;
        left -= 4 + len;
    }
    return left == 0;
}

/* ip is far longer than any offset in it. */
static bool is_sound(const uint8_t *ip, size_t captured, bool v6, bool udp)
{
    size_t l4 = v6 ? 40 : 20, fixed = udp ? 8 : 20;
    size_t end = get16(ip + (v6 ? 4 : 2)) + (v6 ? 40 : 0);
    size_t at = l4 + (udp ? 8 : (ip[l4 + 12] >> 4) * 4U);
    size_t header = get16(ip + at + 8) & 0xfff, payload = get16(ip + at + 10);

    return end <= captured && end >= l4 + fixed && at >= l4 + fixed &&
           (!udp || get16(ip + l4 + 4) == end - l4) && at + 12 <= end &&
           memcmp(ip + at, cookie, 8) == 0 && header >= 12 &&
           at + header + payload <= end &&
           is_section(ip + at + 12, header - 12) &&
           is_section(ip + at + header, payload);
}

/* ---- what is ---- */

static int take(const uint8_t *bytes, size_t len)
{
    struct held held = hold(bytes, len, 0, 0);
    svr_metadata md;
    svr_headers h;
    svr_block b;
    int err = svr_packet_parse(&h, &held.p);

    if (err == 0)
        err = svr_block_parse(&b, held.p.data + h.payload,
                              held.p.len - h.payload);
    svr_metadata_init(&md);
    if (err == 0)
        err = svr_metadata_decode_header(&md, &b);
    if (err == 0)
        err = svr_metadata_decode_payload(&md, b.data + b.header_len,
                                          b.payload_len);
    drop(&held);
    return err;
}

static size_t bend(size_t exact, size_t max, size_t way)
{
    const size_t lengths[WAYS] = {0, 1, exact - 1, exact, exact + 1, max};

    return lengths[way];
}

/* A header section of a security id; a payload section of an empty attribute of
 * an unknown type and a name; one letter more as the packet's own data. So
 * lengths that are wrong may be right together: a name with one letter less, or
 * with the one that follows, if that is there. */
static void write_block(uint8_t *p, const size_t *way)
{
    static const uint8_t sections[] = {0,    16,   0,   4,   0,   0,  0, 7,
                                       0x77, 0x77, 0,   0,   0,   7,  0, NAME,
                                       'a',  'a',  'a', 'a', 'a', 'b'};

    _Static_assert(sizeof(sections) ==
                       HEADER_SECTION - 12 + PAYLOAD_SECTION + DATA,
                   "a block as it is described");
    memcpy(p, cookie, sizeof(cookie));
    put16(p + 8, 0x1000 | bend(HEADER_SECTION, 0xfff, way[2]));
    put16(p + 10, bend(PAYLOAD_SECTION, 0xffff, way[3]));
    memcpy(p + 12, sections, sizeof(sections));
    put16(p + HEADER_SECTION + 6, bend(NAME, 0xffff, way[4]));
}

static size_t write_packet(uint8_t *ip, const struct shape *s,
                           const size_t *way)
{
    uint64_t seed = 1;
    svr_tuple t = draw_tuple(&seed, s->v6, s->proto);
    size_t len = build(ip, s, &t, &seed), l4 = ip_bytes(s);

    memset(ip + len, 0, 64); /* of the one before */
    write_block(ip + l4 + l4_bytes(s), way);
    put16(ip + (s->v6 ? 4 : 2),
          bend(len - (s->v6 ? 40 : 0), SVR_PACKET_MAX, way[0]));
    if (s->proto == UDP)
        put16(ip + l4 + 4, bend(8 + s->payload, 0xffff, way[1]));
    else
        ip[l4 + 12] = (uint8_t)(bend(l4_bytes(s) / 4, 15, way[1]) << 4);
    naive_ip_write(ip);
    return len;
}

bool lattice_run(struct lattice *l)
{
    enum { payload = HEADER_SECTION + PAYLOAD_SECTION + DATA };
    const struct shape shapes[] = {
        {.proto = TCP, .tcp_options = 4, .payload = payload},
        {.proto = UDP, .payload = payload},
        {.v6 = true, .proto = TCP, .tcp_options = 4, .payload = payload},
        {.v6 = true, .proto = UDP, .payload = payload},
    };
    static uint8_t ip[LONGEST];

    *l = (struct lattice){0};
    for (size_t i = 0; i < 4UL * 6 * 6 * 6 * 6 * 6 * 6; i++) {
        const struct shape *s = &shapes[i % 4];
        size_t way[6], rest = i / 4, captured;
        bool accepted;

        for (size_t j = 0; j < 6; j++, rest /= WAYS)
            way[j] = rest % WAYS;
        captured = bend(write_packet(ip, s, way), LONGEST, way[5]);
        accepted = take(ip, captured) == 0;
        l->packets++;
        l->accepted += accepted;
        if (accepted != is_sound(ip, captured, s->v6, s->proto == UDP)) {
            printf("lattice: packet %zu: %s\n", i,
                   accepted ? "accepted" : "refused");
            return false;
        }
    }
    return true;
}
