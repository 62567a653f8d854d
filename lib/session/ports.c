#include "session/ports.h"

enum {
    LOCALS = (SVR__PORT_LAST - SVR__PORT_FIRST) / 2 + 1, /* even */
    REMOTES = (SVR__PORT_LAST - SVR__PORT_FIRST) / 2,    /* odd */
    PAIRS = LOCALS * REMOTES,
    HALF_BITS = 15, /* PAIRS fits into two halves */
    HALF_MASK = (1 << HALF_BITS) - 1,
    ROUNDS = 4,
};

_Static_assert(PAIRS <= 1 << 2 * HALF_BITS, "the permutation covers the pairs");

void svr__ports_init(svr__ports *p, const svr_random *random)
{
    uint32_t start;
    random->fill(random->user, p->key, sizeof(p->key));
    random->fill(random->user, &start, sizeof(start));
    p->next = start % PAIRS;
}

/* A Feistel network: a permutation of all numbers of 30 bits. */
static uint32_t permute(const svr__ports *p, uint32_t n)
{
    uint32_t left = n >> HALF_BITS, right = n & HALF_MASK;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t in[2] = {round, right};
        uint32_t out = (uint32_t)svr_hash(p->key, in, sizeof(in)) & HALF_MASK;
        uint32_t swap = left ^ out;
        left = right;
        right = swap;
    }
    return left << HALF_BITS | right;
}

void svr__ports_next(svr__ports *p, uint16_t *local, uint16_t *remote)
{
    /* Numbers outside the pairs are walked over; two steps are usual, and the
     * walk ends because a permutation's cycle returns to its start. */
    uint32_t pair = permute(p, p->next);
    while (pair >= PAIRS)
        pair = permute(p, pair);
    p->next = (p->next + 1) % PAIRS;
    *local = (uint16_t)(SVR__PORT_FIRST + 2 * (pair / REMOTES));
    *remote = (uint16_t)(SVR__PORT_FIRST + 1 + 2 * (pair % REMOTES));
}
