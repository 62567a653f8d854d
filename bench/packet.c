/*
 * packet - the cost of taking a plain packet through the router's headers:
 * svr_packet_parse and svr_packet_rewrite, for packets in cache.
 *
 * Beside it, measured in the same run, the cost of copying the same headers,
 * which the loop needs anyway to give each round a fresh packet.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <svr/svr.h>

#define BATCH 64
#define ROUNDS 100000
#define RUNS 5
#define ROOM 2048
#define HEADERS 60 /* as many bytes as IPv6 and TCP have */

struct kind {
    const char *name;
    bool v6;
    uint8_t proto;
    size_t payload;
};

static const struct kind kinds[] = {
    {"IPv4 TCP", false, SVR_PROTO_TCP, 1000},
    {"IPv4 UDP", false, SVR_PROTO_UDP, 1000},
    {"IPv6 TCP", true, SVR_PROTO_TCP, 1000},
    {"IPv6 UDP", true, SVR_PROTO_UDP, 1000},
};

struct bench {
    uint8_t buf[BATCH][ROOM];
    uint8_t fresh[HEADERS];
    svr_packet packets[BATCH];
    svr_rewrite rewrite;
};

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static svr_tuple make_tuple(const struct kind *kind, uint8_t net)
{
    const uint8_t src4[4] = {10, net, 0, 1}, dst4[4] = {10, net, 0, 2};
    const uint8_t src6[16] = {0x20, 1, 0x0d, 0xb8, net, [15] = 1};
    const uint8_t dst6[16] = {0x20, 1, 0x0d, 0xb8, net, [15] = 2};

    return (svr_tuple){
        .src = kind->v6 ? svr_addr_from_v6(src6) : svr_addr_from_v4(src4),
        .dst = kind->v6 ? svr_addr_from_v6(dst6) : svr_addr_from_v4(dst4),
        .sport = (uint16_t)(1000 + net),
        .dport = (uint16_t)(2000 + net),
        .proto = kind->proto,
    };
}

static int make_packet(svr_packet *p, uint8_t *buf, const struct kind *kind,
                       const svr_tuple *t)
{
    if (svr_packet_init(p, buf, ROOM, kind->payload) != 0)
        return -1;
    memset(p->data, 0xa5, kind->payload);
    return kind->proto == SVR_PROTO_TCP ? svr_tcp_wrap(p, t, 1, 2)
                                        : svr_udp_wrap(p, t);
}

static int prepare(struct bench *b, const struct kind *kind)
{
    svr_tuple from = make_tuple(kind, 1), to = make_tuple(kind, 7);

    for (size_t i = 0; i < BATCH; i++) {
        if (make_packet(&b->packets[i], b->buf[i], kind, &from) != 0)
            return -1;
    }
    memcpy(b->fresh, b->packets[0].data, HEADERS);
    svr_rewrite_init(&b->rewrite, &from, &to);
    return 0;
}

static void copy_headers(struct bench *b)
{
    for (size_t i = 0; i < BATCH; i++) {
        memcpy(b->packets[i].data, b->fresh, HEADERS);
        __asm__ volatile("" ::"r"(b->packets[i].data) : "memory");
    }
}

static size_t rewrite_all(struct bench *b)
{
    svr_headers h;
    size_t done = 0;

    for (size_t i = 0; i < BATCH; i++) {
        if (svr_packet_parse(&h, &b->packets[i]) != 0)
            continue;
        svr_packet_rewrite(&b->packets[i], &h, &b->rewrite);
        done++;
    }
    return done;
}

/* Nanoseconds per packet for the copy alone, and for all of it. */
static void measure(struct bench *b, double *copy, double *all)
{
    double start = now_ns();
    size_t done = 0;

    for (int i = 0; i < ROUNDS; i++)
        copy_headers(b);
    *copy = (now_ns() - start) / ROUNDS / BATCH;
    start = now_ns();
    for (int i = 0; i < ROUNDS; i++) {
        copy_headers(b);
        done += rewrite_all(b);
    }
    *all = (now_ns() - start) / ROUNDS / BATCH;
    if (done != (size_t)ROUNDS * BATCH)
        abort();
}

static int run(struct bench *b, const struct kind *kind)
{
    double copy = 1e9, all = 1e9;

    if (prepare(b, kind) != 0)
        return -1;
    for (int i = 0; i < RUNS; i++) {
        double c, a;

        measure(b, &c, &a);
        copy = c < copy ? c : copy;
        all = a < all ? a : all;
    }
    printf("%-9s %8.2f ns %8.2f ns %7.1f\n", kind->name, all - copy, copy,
           (all - copy) / copy);
    return 0;
}

int main(void)
{
    static struct bench bench;

    printf("%-9s %11s %11s %7s\n", "packet", "rewrite", "memcpy", "ratio");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (run(&bench, &kinds[i]) != 0)
            return 1;
    }
    return 0;
}
