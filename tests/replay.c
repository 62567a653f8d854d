/*
 * replay.c - what must be the same on every machine, without a test framework
 * and without libsodium: the named vectors, random metadata, changed packets,
 * the length lattice, and networks. Runs as a test of the build, and
 * tests/foreign runs it on a big-endian and on a 32-bit machine.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svr/wire.h>

#include "replay.h"
#include "vectors.h"
#include "wire_lattice.h"
#include "wire_messages.h"
#include "wire_packets.h"

enum {
    CHANGES = 200000,
    LATTICE_PACKETS = 6 * 6 * 6 * 6 * 6 * 6 * 4,
    /* Counted by hand: 77 of each kind, and 9 of the longest, which only TCP
     * over IPv4 can be. */
    LATTICE_ACCEPTED = 4 * 77 + 9,
};

/* The same bytes have been seen on every machine; one of each so many messages
 * is looked at. */
static const struct {
    unsigned long messages;
    uint64_t digest;
} message_digests[] = {
    {100000, 0xe4067ec24b79882b},
    {1000000, 0x0d68b59b0771ffaf},
};
#define CHANGES_DIGEST 0x0cc2365fa6ddb32e

static unsigned long failures;

/* The first ones are told. */
static void failed(void)
{
    if (++failures == 20)
        exit(1);
}

void replay_fail(const char *what, unsigned long number)
{
    printf("%s %lu is wrong\n", what, number);
    failed();
}

/* ---- vectors ---- */

static void compare(void *user, const struct vector *v, const char *got)
{
    (void)user;
    if (strcmp(v->expected, got) == 0)
        return;
    printf("line %u, %s %s: expected\n%sand got\n%s", v->line, v->kind, v->name,
           v->expected, got);
    failed();
}

/* ---- metadata ---- */

/* A block in memory of its exact size. */
static uint8_t *encode(const svr_metadata *md, size_t *len)
{
    ptrdiff_t size = svr_metadata_encode(NULL, 0, md);
    uint8_t *buf = malloc(size > 0 ? (size_t)size : 1);

    if (!buf)
        abort();
    *len = 0;
    if (size > 0 && svr_metadata_encode(buf, (size_t)size, md) == size)
        *len = (size_t)size;
    return buf;
}

static void round_trip(const svr_metadata *md, unsigned long number,
                       uint64_t *state)
{
    size_t len, again_len;
    uint8_t *buf = encode(md, &len), *again;
    svr_metadata got;

    if (len == 0 || svr_metadata_decode(&got, buf, len) != (ptrdiff_t)len ||
        !metadata_equal(md, &got)) {
        replay_fail("message", number);
        free(buf);
        return;
    }
    again = encode(&got, &again_len);
    if (again_len != len || memcmp(buf, again, len) != 0)
        replay_fail("message", number);
    *state = replay_digest(*state, buf, len);
    free(again);
    free(buf);
}

static void run_messages(unsigned long count)
{
    static struct message m;
    uint64_t seed = 1, state = REPLAY_DIGEST;

    for (unsigned long i = 1; i <= count; i++) {
        message_draw(&m, &seed);
        round_trip(&m.md, i, &state);
        for (size_t j = 0; j < 2; j++) {
            if (i != message_digests[j].messages)
                continue;
            printf("%lu messages, digest %016" PRIx64 "\n", i, state);
            if (state != message_digests[j].digest)
                replay_fail("the digest of messages", i);
        }
    }
}

/* ---- packets ---- */

static const struct shape shapes[] = {
    {.proto = SVR_PROTO_TCP, .tcp_options = 12, .payload = 33},
    {.proto = SVR_PROTO_TCP, .options = 8},
    {.proto = SVR_PROTO_UDP, .payload = 1},
    {.proto = SVR_PROTO_UDP, .payload = 10, .no_checksum = true},
    {.v6 = true, .proto = SVR_PROTO_TCP, .payload = 5},
    {.v6 = true, .proto = SVR_PROTO_UDP, .options = 8, .payload = 16},
};

/* Rewritten, and converted to the other family where it can be: checksums
 * updated on the way are those that would be computed. */
static void change(unsigned long number, uint64_t *seed, uint64_t *state)
{
    const struct shape *s =
        &shapes[number % (sizeof(shapes) / sizeof(*shapes))];
    svr_tuple from = draw_tuple(seed, s->v6, s->proto);
    svr_tuple to = draw_tuple(seed, s->v6, s->proto);
    svr_tuple other = draw_tuple(seed, !s->v6, s->proto);
    uint8_t bytes[256];
    struct held held = hold(bytes, build(bytes, s, &from, seed), 20, 0);
    svr_packet *p = &held.p;
    svr_headers h;
    svr_rewrite rw;

    svr_rewrite_init(&rw, &from, &to);
    if (svr_packet_parse(&h, p) == 0) {
        svr_packet_rewrite(p, &h, &rw);
        *state = replay_digest(*state, p->data, p->len);
    }
    if (svr_packet_parse(&h, p) != 0 || !svr_tuple_equal(&h.tuple, &to) ||
        !naive_right(p->data, p->len, h.l4, s->proto))
        replay_fail("rewritten packet", number);
    else if (s->options == 0 && (svr_packet_convert(p, &h, &other) != 0 ||
                                 !svr_packet_checksum_ok(p, &h) ||
                                 !naive_right(p->data, p->len, h.l4, s->proto)))
        replay_fail("converted packet", number);
    *state = replay_digest(*state, p->data, p->len);
    drop(&held);
}

static void run_changes(void)
{
    uint64_t seed = 2, state = REPLAY_DIGEST;

    for (unsigned long i = 0; i < CHANGES; i++)
        change(i, &seed, &state);
    printf("%d changed packets, digest %016" PRIx64 "\n", CHANGES, state);
    if (state != CHANGES_DIGEST)
        replay_fail("the digest of changed packets", CHANGES);
}

static void run_lattice(void)
{
    struct lattice l;

    if (!lattice_run(&l))
        failures++;
    printf("length lattice: %lu packets, %lu accepted\n", l.packets,
           l.accepted);
    if (l.packets != LATTICE_PACKETS || l.accepted != LATTICE_ACCEPTED)
        replay_fail("the count of the lattice", l.packets);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s VECTORS MESSAGES\n", argv[0]);
        return 2;
    }
    printf("%u vectors\n", vectors_replay(argv[1], compare, NULL));
    run_messages(strtoul(argv[2], NULL, 10));
    run_changes();
    run_lattice();
    replay_networks();
    return failures > 0;
}
