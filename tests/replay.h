/* replay.h - what the files of the replay program share. */
#ifndef SVR_TESTS_REPLAY_H
#define SVR_TESTS_REPLAY_H

#include <stddef.h>
#include <stdint.h>

#define REPLAY_DIGEST UINT64_C(0xcbf29ce484222325)

/* FNV-1a. */
static inline uint64_t replay_digest(uint64_t state, const uint8_t *buf,
                                     size_t len)
{
    for (size_t i = 0; i < len; i++)
        state = (state ^ buf[i]) * 0x100000001b3;
    return state;
}

/* The first failures are told. */
void replay_fail(const char *what, unsigned long number);

/* replay_networks.c: vectors in random networks, and what charts of one tell
 * each other. */
void replay_networks(void);

#endif
