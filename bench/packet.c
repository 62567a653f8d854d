/*
 * packet - the cost of taking a plain packet through a router's headers:
 * svr_packet_parse, which checks them, and svr_packet_rewrite, which writes
 * new addresses, ports and TTL and updates the checksums incrementally.
 *
 * Beside it the physical cost: "bare" reads the same fields and writes the same
 * ones, with the layout known beforehand and nothing checked; "memcpy" copies
 * 64 bytes of headers. All packets stay in the first-level cache.
 */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svr/wire.h>

#define PACKETS 128
#define PASSES 32 /* below the TTL that packets begin with */
#define PAYLOAD 1000
#define HEADERS 64
/* 33 cache lines: an odd number, so that headers do not share their places in
 * the cache. */
#define ROOM 2112

enum { SVR, BARE, COPY };

struct kind {
    bool v6;
    uint8_t proto;
};

struct input {
    uint8_t buf[PACKETS][ROOM];
    uint8_t fresh[PACKETS][HEADERS];
    struct kind kind[PACKETS];
    svr_packet packet[PACKETS];
    /* There and back again. */
    svr_rewrite rewrite[2][PACKETS];
};

static void fail(const char *what)
{
    fprintf(stderr, "packet: %s\n", what);
    exit(1);
}

/* The TTL falls with each pass, so that each run begins anew. */
static void refresh(struct input *in)
{
    for (size_t i = 0; i < PACKETS; i++)
        memcpy(in->packet[i].data, in->fresh[i], HEADERS);
}

/* ---- libsvr ---- */

static void svr_pass(struct input *in, const svr_rewrite *rewrite)
{
    svr_headers h;

    for (size_t i = 0; i < PACKETS; i++) {
        if (svr_packet_parse(&h, &in->packet[i]) != 0)
            fail("a packet cannot be parsed");
        bench_use(&h);
        svr_packet_rewrite(&in->packet[i], &h, &rewrite[i]);
    }
}

static void svr_run(void *user)
{
    struct input *in = user;

    refresh(in);
    for (size_t pass = 0; pass < PASSES; pass++)
        svr_pass(in, in->rewrite[pass % 2]);
}

/* ---- bare ---- */

static void add_to_checksum(uint8_t *field, uint32_t delta)
{
    uint32_t sum = (uint16_t) ~(field[0] << 8 | field[1]) + delta;

    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~(sum + (sum >> 16));
    field[0] = (uint8_t)(sum >> 8);
    field[1] = (uint8_t)sum;
}

static void bare_v4(uint8_t *ip, svr_addr key[2], const svr_rewrite *rw)
{
    memcpy(key[0].b + 12, ip + 12, 4);
    memcpy(key[1].b + 12, ip + 16, 4);
    memcpy(ip + 12, rw->src.b + 12, 4);
    memcpy(ip + 16, rw->dst.b + 12, 4);
    ip[8]--;
    add_to_checksum(ip + 10, rw->addr_delta + 0xfeffU);
}

static void bare_v6(uint8_t *ip, svr_addr key[2], const svr_rewrite *rw)
{
    memcpy(key, ip + 8, 32);
    memcpy(ip + 8, rw->src.b, 16);
    memcpy(ip + 24, rw->dst.b, 16);
    ip[7]--;
}

static void bare_packet(uint8_t *ip, const struct kind *kind,
                        const svr_rewrite *rw)
{
    uint8_t *l4 = ip + (kind->v6 ? 40 : 20);
    struct {
        svr_addr addr[2];
        uint8_t ports[4];
    } key;

    memcpy(key.ports, l4, 4);
    if (kind->v6)
        bare_v6(ip, key.addr, rw);
    else
        bare_v4(ip, key.addr, rw);
    bench_use(&key);
    l4[0] = (uint8_t)(rw->sport >> 8);
    l4[1] = (uint8_t)rw->sport;
    l4[2] = (uint8_t)(rw->dport >> 8);
    l4[3] = (uint8_t)rw->dport;
    add_to_checksum(l4 + (kind->proto == SVR_PROTO_TCP ? 16 : 6),
                    (uint32_t)rw->addr_delta + rw->port_delta);
}

static void bare_run(void *user)
{
    struct input *in = user;

    refresh(in);
    for (size_t pass = 0; pass < PASSES; pass++) {
        const svr_rewrite *rewrite = in->rewrite[pass % 2];
        for (size_t i = 0; i < PACKETS; i++)
            bare_packet(in->packet[i].data, &in->kind[i], &rewrite[i]);
    }
}

/* ---- memcpy ---- */

static void copy_run(void *user)
{
    struct input *in = user;
    uint8_t out[HEADERS];

    for (size_t pass = 0; pass < PASSES; pass++) {
        for (size_t i = 0; i < PACKETS; i++) {
            memcpy(out, in->packet[i].data, HEADERS);
            bench_use(out);
        }
    }
}

/* ---- the packets ---- */

static svr_tuple make_tuple(const struct kind *kind, uint8_t net, size_t flow)
{
    uint8_t b[16] = {0x20, 0x01, 0x0d, 0xb8, [12] = 10, [13] = net};
    svr_tuple t = {.proto = kind->proto};

    b[14] = (uint8_t)flow;
    b[15] = 1;
    t.src = kind->v6 ? svr_addr_from_v6(b) : svr_addr_from_v4(b + 12);
    b[15] = 2;
    t.dst = kind->v6 ? svr_addr_from_v6(b) : svr_addr_from_v4(b + 12);
    t.sport = (uint16_t)(flow << 4 | net);
    t.dport = (uint16_t)(flow << 5 | net);
    return t;
}

static void prepare_packet(struct input *in, size_t i)
{
    const struct kind *kind = &in->kind[i];
    svr_tuple from = make_tuple(kind, 1, i), to = make_tuple(kind, 7, i);
    svr_packet *p = &in->packet[i];

    memset(in->buf[i], 0xa5, ROOM);
    if (svr_packet_init(p, in->buf[i], ROOM, PAYLOAD) != 0 ||
        (kind->proto == SVR_PROTO_TCP ? svr_tcp_wrap(p, &from, 1, 2)
                                      : svr_udp_wrap(p, &from)) != 0)
        fail("a packet cannot be built");
    memcpy(in->fresh[i], p->data, HEADERS);
    svr_rewrite_init(&in->rewrite[0][i], &from, &to);
    svr_rewrite_init(&in->rewrite[1][i], &to, &from);
}

static const struct kind kinds[] = {
    {false, SVR_PROTO_TCP},
    {false, SVR_PROTO_UDP},
    {true, SVR_PROTO_TCP},
    {true, SVR_PROTO_UDP},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void prepare(struct input *in, const struct kind *kind)
{
    for (size_t i = 0; i < PACKETS; i++) {
        in->kind[i] = *kind;
        prepare_packet(in, i);
    }
}

/* A linear congruential generator: each run has the same packets. */
static void prepare_mixed(struct input *in)
{
    uint32_t state = 1;

    for (size_t i = 0; i < PACKETS; i++) {
        state = state * 1664525 + 1013904223;
        in->kind[i] = kinds[(state >> 16) % KINDS];
        prepare_packet(in, i);
    }
}

int main(int argc, char **argv)
{
    static struct input input[KINDS + 1];
    static const char *const names[KINDS + 1] = {
        "IPv4 TCP", "IPv4 UDP", "IPv6 TCP", "IPv6 UDP", "all, mixed",
    };
    struct bench_row rows[KINDS + 1];
    struct bench b = {
        .name = "packet",
        .operations = (size_t)PACKETS * PASSES,
        .ways = {[SVR] = "libsvr", [BARE] = "bare", [COPY] = "memcpy"},
        .ratios = {{SVR, BARE}, {SVR, COPY}},
        .ratio_count = 2,
        .rows = rows,
        .row_count = KINDS + 1,
    };

    for (size_t i = 0; i < KINDS; i++)
        prepare(&input[i], &kinds[i]);
    prepare_mixed(&input[KINDS]);
    for (size_t i = 0; i <= KINDS; i++)
        rows[i] = (struct bench_row){
            .name = names[i],
            .run = {svr_run, bare_run, copy_run},
            .input = &input[i],
        };
    return bench_main(&b, argc, argv);
}
