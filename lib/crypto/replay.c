#include <svr/crypto.h>

#define WORD 64

static uint64_t *word_of(svr_replay *r, uint64_t number)
{
    return &r->seen[number % SVR_REPLAY_WINDOW / WORD];
}

static uint64_t bit_of(uint64_t number)
{
    return (uint64_t)1 << number % WORD;
}

static bool too_old(const svr_replay *r, uint64_t number)
{
    return number < r->highest && r->highest - number >= SVR_REPLAY_WINDOW;
}

/* Forgets count numbers from first on, whole words where it can. */
static void forget(svr_replay *r, uint64_t first, uint64_t count)
{
    while (count > 0) {
        bool whole = first % WORD == 0 && count >= WORD;
        uint64_t step = whole ? WORD : 1;
        *word_of(r, first) &= whole ? 0 : ~bit_of(first);
        first += step;
        count -= step;
    }
}

bool svr_replay_check(const svr_replay *r, uint64_t number)
{
    if (number == 0 || too_old(r, number))
        return false;
    uint64_t word = r->seen[number % SVR_REPLAY_WINDOW / WORD];
    return number > r->highest || !(word & bit_of(number));
}

void svr_replay_commit(svr_replay *r, uint64_t number)
{
    if (number == 0 || too_old(r, number))
        return;
    if (number > r->highest) {
        uint64_t ahead = number - r->highest;
        forget(r, r->highest + 1,
               ahead < SVR_REPLAY_WINDOW ? ahead : SVR_REPLAY_WINDOW);
        r->highest = number;
    }
    *word_of(r, number) |= bit_of(number);
}
