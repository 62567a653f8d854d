#include "crypto/window.h"

#define WORD SVR__WINDOW_WORD

static uint64_t *word_of(const svr__window *w, uint64_t number)
{
    return &w->seen[(number & (w->size - 1)) / WORD];
}

static uint64_t bit_of(uint64_t number)
{
    return (uint64_t)1 << number % WORD;
}

static bool too_old(const svr__window *w, uint64_t number)
{
    return number < *w->highest && *w->highest - number >= w->size;
}

/* Forgets count numbers from first on, whole words where it can. */
static void forget(const svr__window *w, uint64_t first, uint64_t count)
{
    while (count > 0) {
        bool whole = first % WORD == 0 && count >= WORD;
        uint64_t step = whole ? WORD : 1;
        *word_of(w, first) &= whole ? 0 : ~bit_of(first);
        first += step;
        count -= step;
    }
}

bool svr__window_check(const svr__window *w, uint64_t number)
{
    if (number == 0 || too_old(w, number))
        return false;
    return number > *w->highest || !(*word_of(w, number) & bit_of(number));
}

void svr__window_commit(const svr__window *w, uint64_t number)
{
    if (number == 0 || too_old(w, number))
        return;
    if (number > *w->highest) {
        uint64_t ahead = number - *w->highest;
        forget(w, *w->highest + 1, ahead < w->size ? ahead : w->size);
        *w->highest = number;
    }
    *word_of(w, number) |= bit_of(number);
}
