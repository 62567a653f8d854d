/*
 * window.h - numbers that have been seen: a window below the highest one, kept
 * as bits at the number modulo its size. Bits above the highest may be
 * anything: they are cleared as it advances.
 */
#ifndef SVR__WINDOW_H
#define SVR__WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define SVR__WINDOW_WORD 64

typedef struct svr__window {
    uint64_t *highest; /* 0: nothing seen */
    uint64_t *seen;
    uint64_t size; /* in bits: a power of two, of whole words */
} svr__window;

/* Whether a number may be accepted: 0 never. */
bool svr__window_check(const svr__window *w, uint64_t number);
/* Marks it as seen; nothing where it is 0 or too old. */
void svr__window_commit(const svr__window *w, uint64_t number);

#endif
