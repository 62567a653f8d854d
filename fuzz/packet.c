/*
 * Packets: whatever parses survives each change, and its checksum stays as
 * right or as wrong as it was. The first byte chooses the change.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <svr/packet.h>

static uint8_t buf[SVR_HEADROOM + SVR_PACKET_MAX + SVR_TAILROOM];
static uint8_t other[SVR_HEADROOM + SVR_PACKET_MAX + SVR_TAILROOM];

static void check(int holds)
{
    if (!holds)
        abort();
}

static svr_addr waypoint(int v6, uint8_t last)
{
    uint8_t b[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = last};
    uint8_t v4[4] = {203, 0, 113, last};
    return v6 ? svr_addr_from_v6(b) : svr_addr_from_v4(v4);
}

static svr_tuple waypoints(const svr_headers *h, int v6)
{
    return (svr_tuple){
        .src = waypoint(v6, 1),
        .dst = waypoint(v6, 2),
        .sport = 16384,
        .dport = 16385,
        .proto =
            h->tuple.proto == SVR_PROTO_TCP ? SVR_PROTO_TCP : SVR_PROTO_UDP,
    };
}

static void convert(svr_packet *p, svr_headers *h, int v6)
{
    svr_tuple from = h->tuple, to = waypoints(h, v6);
    int right = svr_packet_checksum_ok(p, h);
    if (h->ttl < 2 || svr_packet_convert(p, h, &to) < 0)
        return;
    svr_headers parsed;
    check(svr_packet_parse(&parsed, p) == 0);
    check(svr_tuple_equal(&parsed.tuple, &to));
    if (from.proto == to.proto)
        check(svr_packet_checksum_ok(p, &parsed) >= right);
    if (parsed.ttl < 2 || svr_packet_convert(p, &parsed, &from) < 0)
        return;
    check(svr_packet_parse(&parsed, p) == 0);
}

static void cut(svr_packet *p, svr_headers *h, uint16_t size)
{
    svr_cut c;
    svr_packet piece;
    uint32_t total = 0, payload = p->len - h->payload;
    if (svr_cut_begin(&c, p, h, size) < 0)
        return;
    while (svr_cut_more(&c)) {
        svr_headers ph;
        check(svr_cut_next(&c, &piece, other, sizeof(other)) == 0);
        check(svr_packet_parse(&ph, &piece) == 0);
        check(svr_packet_checksum_ok(&piece, &ph));
        total += piece.len - ph.payload;
    }
    check(total == payload);
}

static void answer(svr_packet *p, svr_headers *h)
{
    svr_packet out;
    svr_addr own = waypoint(!svr_addr_is_v4(&h->tuple.src), 9);
    svr_headers parsed;
    if (svr_icmp_error(&out, other, sizeof(other), SVR_ICMP_TOO_BIG, 1400, &own,
                       p, h) < 0)
        return;
    check(svr_packet_parse(&parsed, &out) == 0);
    check(svr_packet_checksum_ok(&out, &parsed));
    svr_tuple quoted;
    if (svr_icmp_quote_parse(&quoted, out.data + parsed.l4, out.len - parsed.l4,
                             !svr_addr_is_v4(&own)) == 0)
        check(svr_addr_equal(&quoted.src, &h->tuple.src));
}

/* What either form has in common: all but the places of sequence number,
 * checksum, urgent pointer and URG. */
static void check_rest(const uint8_t *a, const uint8_t *b, size_t len)
{
    check(memcmp(a, b, 4) == 0);
    check(memcmp(a + 8, b + 8, 5) == 0);
    check(((a[13] ^ b[13]) & ~SVR_TCP_URG) == 0);
    check(memcmp(a + 14, b + 14, 2) == 0);
    check(memcmp(a + 20, b + 20, len - 20) == 0);
}

/* TCP becomes UDP and TCP again; UDP that carries TCP becomes that. */
static void mask(svr_packet *p, svr_headers *h)
{
    const uint8_t *l4 = p->data + h->l4;
    size_t len = p->len - h->l4;
    int right = svr_packet_checksum_ok(p, h);
    svr_headers parsed;
    memcpy(other, l4, len);
    if (h->tuple.proto == SVR_PROTO_TCP) {
        uint32_t seq = h->tcp_seq;
        check(svr_packet_mask(p, h) == 0);
        check(svr_packet_parse(&parsed, p) == 0);
        check(parsed.tuple.proto == SVR_PROTO_UDP);
        check(svr_packet_checksum_ok(p, &parsed) == right);
        check_rest(l4, other, len);
        check(svr_packet_unmask(p, h) == 0);
        check(h->tcp_seq == seq);
    } else if (svr_packet_unmask(p, h) < 0) {
        check(memcmp(l4, other, len) == 0);
        return;
    }
    check(svr_packet_parse(&parsed, p) == 0);
    check(parsed.tuple.proto == SVR_PROTO_TCP);
    check(svr_packet_checksum_ok(p, &parsed) == right);
    check_rest(l4, other, len);
}

void fuzz_one(const uint8_t *data, size_t len)
{
    svr_packet p;
    svr_headers h;
    if (len < 1 || len > SVR_PACKET_MAX ||
        svr_packet_init(&p, buf, sizeof(buf), len - 1) < 0)
        return;
    memcpy(p.data, data + 1, len - 1);
    if (svr_packet_parse(&h, &p) < 0)
        return;
    switch (data[0] % 5) {
    case 0:
        convert(&p, &h, 0);
        break;
    case 1:
        convert(&p, &h, 1);
        break;
    case 2:
        cut(&p, &h, (uint16_t)(1 + data[0] / 5));
        break;
    case 3:
        answer(&p, &h);
        break;
    case 4:
        mask(&p, &h);
        break;
    }
}
