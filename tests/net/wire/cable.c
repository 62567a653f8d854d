#include "cable.h"

#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_MAX = 16384 };

const char *const knob_names[KNOBS] = {
    "delay", "jitter", "loss", "duplicate", "reorder", "corrupt", "mtu"};

const char *const count_names[COUNTS] = {"passed",    "lost",      "duplicated",
                                         "reordered", "corrupted", "too_big",
                                         "full"};

struct cable {
    struct direction directions[2];
    struct frame *heap[WAITING_MAX]; /* the earliest first */
    size_t waiting;
    uint64_t order, random;
};

struct cable *cable_make(uint64_t seed)
{
    struct cable *cable = calloc(1, sizeof *cable);

    if (cable)
        cable->random = seed;
    return cable;
}

struct direction *cable_direction(struct cable *cable, int from)
{
    return &cable->directions[from];
}

/* splitmix64 */
static uint64_t random64(struct cable *cable)
{
    uint64_t z = cable->random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* A number below 1. */
static double chance(struct cable *cable)
{
    return (double)(random64(cable) >> 11) / 9007199254740992.0;
}

/* Whether what befalls so many frames in a hundred befalls this one. */
static bool befalls(struct cable *cable, int from, enum knob knob)
{
    double percent = cable->directions[from].knobs[knob];

    return percent > 0 && chance(cable) * 100 < percent;
}

static bool before(const struct frame *a, const struct frame *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void heap_put(struct cable *cable, struct frame *frame)
{
    size_t at = cable->waiting++;

    while (at > 0 && before(frame, cable->heap[(at - 1) / 2])) {
        cable->heap[at] = cable->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    cable->heap[at] = frame;
}

struct frame *cable_take(struct cable *cable)
{
    struct frame *first = cable->heap[0], *last = cable->heap[--cable->waiting];
    size_t at = 0, child;

    while ((child = 2 * at + 1) < cable->waiting) {
        if (child + 1 < cable->waiting &&
            before(cable->heap[child + 1], cable->heap[child]))
            child++;
        if (!before(cable->heap[child], last))
            break;
        cable->heap[at] = cable->heap[child];
        at = child;
    }
    cable->heap[at] = last;
    return first;
}

/* Where the payload of UDP or the options of TCP over IPv4 begin; the end for
 * all else. */
static size_t payload_of(const struct frame *frame)
{
    const uint8_t *ip = frame->bytes + ETH_HLEN;
    size_t header;

    if (frame->len < ETH_HLEN + 20 || ip[0] >> 4 != 4)
        return frame->len;
    header = ETH_HLEN + (size_t)(ip[0] & 15) * 4;
    if (frame->len < header + 20)
        return frame->len;
    if (ip[9] == IPPROTO_TCP)
        return header + 20;
    return ip[9] == IPPROTO_UDP ? header + 8 : frame->len;
}

/* Two words that differ change places, or one bit turns. */
static void damage(struct cable *cable, struct frame *frame)
{
    size_t payload = payload_of(frame), bit, at;
    uint8_t word[2];

    if (frame->len > payload + 4 && random64(cable) % 2 == 0) {
        at = payload + random64(cable) % ((frame->len - payload) / 2 - 1) * 2;
        memcpy(word, frame->bytes + at, 2);
        if (memcmp(word, frame->bytes + at + 2, 2) != 0) {
            memcpy(frame->bytes + at, frame->bytes + at + 2, 2);
            memcpy(frame->bytes + at + 2, word, 2);
            return;
        }
    }
    bit = random64(cable) % ((frame->len - ETH_HLEN) * 8);
    frame->bytes[ETH_HLEN + bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static uint64_t due_time(struct cable *cable, int from, uint64_t now)
{
    struct direction *way = &cable->directions[from];
    double ms =
        way->knobs[DELAY] + way->knobs[JITTER] * (2 * chance(cable) - 1);
    uint64_t due = now + (ms > 0 ? (uint64_t)(ms * 1e6) : 0);

    if (befalls(cable, from, REORDER)) {
        cable->directions[from].counts[REORDERED]++;
        return due + (uint64_t)(chance(cable) * 5e6);
    }
    if (due < way->last_due)
        due = way->last_due;
    way->last_due = due;
    return due;
}

static void put_one(struct cable *cable, int from, const uint8_t *bytes,
                    size_t len, uint64_t now)
{
    struct frame *frame;

    if (cable->waiting == WAITING_MAX || !(frame = malloc(sizeof *frame))) {
        cable->directions[from].counts[FULL]++;
        return;
    }
    memcpy(frame->bytes, bytes, len);
    frame->len = (uint32_t)len;
    frame->from = from;
    frame->order = cable->order++;
    frame->due = due_time(cable, from, now);
    if (befalls(cable, from, CORRUPT)) {
        cable->directions[from].counts[CORRUPTED]++;
        damage(cable, frame);
    }
    heap_put(cable, frame);
}

void cable_put(struct cable *cable, int from, const uint8_t *bytes, size_t len,
               uint64_t now)
{
    struct direction *way = &cable->directions[from];
    double mtu = way->knobs[MTU];

    if (len < ETH_HLEN || len > FRAME_MAX ||
        (mtu > 0 && (double)len > mtu + ETH_HLEN)) {
        cable->directions[from].counts[TOO_BIG]++;
        return;
    }
    if (befalls(cable, from, LOSS)) {
        cable->directions[from].counts[LOST]++;
        return;
    }
    put_one(cable, from, bytes, len, now);
    if (befalls(cable, from, DUPLICATE)) {
        cable->directions[from].counts[DUPLICATED]++;
        put_one(cable, from, bytes, len, now);
    }
}

uint64_t cable_due(const struct cable *cable)
{
    return cable->waiting > 0 ? cable->heap[0]->due : UINT64_MAX;
}
