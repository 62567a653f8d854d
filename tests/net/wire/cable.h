/*
 * cable - what a bad network does to the frames of one link, both ways. No I/O:
 * frames go in with the time, and come out when they are due. Those that wait
 * are bounded; what does not fit is lost and counted.
 */
#ifndef TESTS_NET_CABLE_H
#define TESTS_NET_CABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_MAX = 2048 };

/* Milliseconds, per cent, bytes; 0 is a good cable. */
enum knob { DELAY, JITTER, LOSS, DUPLICATE, REORDER, CORRUPT, MTU, KNOBS };

enum count {
    PASSED,
    LOST,
    DUPLICATED,
    REORDERED,
    CORRUPTED,
    TOO_BIG,
    FULL, /* no room to wait, or the device took it not */
    COUNTS
};

extern const char *const knob_names[KNOBS];
extern const char *const count_names[COUNTS];

struct frame {
    uint64_t due, order; /* nanoseconds; equal times leave in order */
    uint32_t len;
    int from; /* the end that it came in by, 0 or 1 */
    uint8_t bytes[FRAME_MAX];
};

/* Of the frames that come in by one end. */
struct direction {
    double knobs[KNOBS];
    uint64_t counts[COUNTS];
    uint64_t last_due;
};

struct cable;

struct cable *cable_make(uint64_t seed);

struct direction *cable_direction(struct cable *cable, int from);

void cable_put(struct cable *cable, int from, const uint8_t *bytes, size_t len,
               uint64_t now);

/* When the next frame is due: UINT64_MAX if none waits. */
uint64_t cable_due(const struct cable *cable);

/* The next frame, which the caller frees; some must wait. */
struct frame *cable_take(struct cable *cable);

#endif
