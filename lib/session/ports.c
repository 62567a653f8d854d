#include "session/ports.h"

#include "base/memory.h"

#include <string.h>

enum {
    ROUNDS = 4,
    WORD_BITS = 64,
    MARKS_MAX = 1 << 16, /* bits of a bitmap */
    /* Ranges up to this many pairs are marked everywhere; larger ones need a
     * window only, which at 300,000 new sessions a second is passed in a
     * minute. */
    WHOLE_MAX = 1 << 20,
    WINDOW_SHARE = 32,
    /* With one pair in ten free, one search in 500 billion ends in vain. */
    TRIES = 256,
};

/* The ports of one parity: even ones of the end that chooses, odd ones of the
 * other, so that two that open at once do not clash. */
static bool make_set(svr__port_set *set, const svr_port_range *range,
                     unsigned odd)
{
    const svr_port_range all = {SVR_WAYPOINT_PORT_FIRST,
                                SVR_WAYPOINT_PORT_LAST};
    const svr_port_range *r = range->first || range->last ? range : &all;

    if (r->first < SVR_WAYPOINT_PORT_FIRST ||
        r->last > SVR_WAYPOINT_PORT_LAST || r->first > r->last)
        return false;
    unsigned first = r->first + (unsigned)(r->first % 2 != odd);
    if (first > r->last)
        *set = (svr__port_set){r->first, 1, 1};
    else
        *set = (svr__port_set){(uint16_t)first, 2,
                               (uint16_t)((r->last - first) / 2 + 1)};
    return true;
}

static uint32_t square_root(uint32_t n)
{
    uint32_t root = 1;
    while ((uint64_t)root * root < n)
        root++;
    return root;
}

/* The least block for which all places that need marks have one. */
static void size_marks(svr__ports *p)
{
    p->window = p->pairs;
    if (p->pairs > WHOLE_MAX) {
        p->window = p->pairs / WINDOW_SHARE;
        if (p->window < WHOLE_MAX)
            p->window = WHOLE_MAX;
    }
    while ((p->window >> p->shift) + 2 > MARKS_MAX)
        p->shift++;
    p->words = ((p->window >> p->shift) + 1 + WORD_BITS) / WORD_BITS;
}

int svr__ports_init(svr__ports *p, const svr_port_range *local,
                    const svr_port_range *remote, const svr_random *random,
                    const svr_allocator *alloc)
{
    svr__ports made = {.alloc = *alloc};
    uint32_t start;

    if (!make_set(&made.local, local, 0) || !make_set(&made.remote, remote, 1))
        return SVR_ERR_ARGUMENT;
    made.pairs = (uint32_t)made.local.count * made.remote.count;
    made.rows = square_root(made.pairs);
    made.columns = (made.pairs + made.rows - 1) / made.rows;
    size_marks(&made);
    made.marks[0] = svr__alloc(alloc, 2 * (size_t)made.words, sizeof(uint64_t));
    if (!made.marks[0])
        return SVR_ERR_NO_MEMORY;
    made.marks[1] = made.marks[0] + made.words;
    random->fill(random->user, made.key, sizeof(made.key));
    random->fill(random->user, &start, sizeof(start));
    made.next = start % made.pairs;
    *p = made;
    return 0;
}

void svr__ports_fini(svr__ports *p)
{
    svr__free(&p->alloc, p->marks[0], 2 * (size_t)p->words, sizeof(uint64_t));
    svr_wipe(p->key, sizeof(p->key));
    p->marks[0] = p->marks[1] = NULL;
}

unsigned svr__ports_tries(const svr__ports *p)
{
    return p->pairs < TRIES ? p->pairs : TRIES;
}

/* A number below limit that depends on the key, the round and one half. */
static uint32_t mix(const svr__ports *p, uint32_t round, uint32_t half,
                    uint32_t limit)
{
    uint32_t in[2] = {round, half};
    return (uint32_t)(svr_hash(p->key, in, sizeof(in)) % limit);
}

/* A Feistel network over rows and columns (Black and Rogaway): a permutation of
 * the numbers below rows * columns. */
static uint32_t permute(const svr__ports *p, uint32_t n)
{
    uint32_t row = n / p->columns, column = n % p->columns;
    for (uint32_t round = 0; round < ROUNDS; round += 2) {
        row = (row + mix(p, round, column, p->rows)) % p->rows;
        column = (column + mix(p, round + 1, row, p->columns)) % p->columns;
    }
    return row * p->columns + column;
}

static uint32_t permute_back(const svr__ports *p, uint32_t n)
{
    uint32_t row = n / p->columns, column = n % p->columns;
    for (uint32_t round = ROUNDS; round > 0; round -= 2) {
        column += p->columns - mix(p, round - 1, row, p->columns);
        column %= p->columns;
        row = (row + p->rows - mix(p, round - 2, column, p->rows)) % p->rows;
    }
    return row * p->columns + column;
}

/* Numbers that are no pair, fewer than a row, are walked over; the walk ends
 * because a permutation's cycle returns to its start. */
static uint32_t pair_at(const svr__ports *p, uint32_t place)
{
    uint32_t pair = permute(p, place);
    while (pair >= p->pairs)
        pair = permute(p, pair);
    return pair;
}

static uint32_t place_of(const svr__ports *p, uint32_t pair)
{
    uint32_t place = permute_back(p, pair);
    while (place >= p->pairs)
        place = permute_back(p, place);
    return place;
}

static uint64_t *mark_word(const svr__ports *p, unsigned turn, uint32_t place,
                           uint64_t *bit)
{
    uint32_t i = (place >> p->shift) % (p->words * WORD_BITS);
    *bit = (uint64_t)1 << i % WORD_BITS;
    return &p->marks[turn][i / WORD_BITS];
}

static bool is_marked(const svr__ports *p, uint32_t place)
{
    uint64_t bit;
    return (*mark_word(p, 0, place, &bit) & bit) ||
           (*mark_word(p, 1, place, &bit) & bit);
}

static void clear_turn(svr__ports *p, unsigned turn)
{
    memset(p->marks[turn], 0, p->words * sizeof(uint64_t));
    p->passed[turn] = 0;
}

/* The bitmaps take turns. */
static void take_turns(svr__ports *p, svr_time now)
{
    if (now - p->turned < SVR__PORT_GUARD)
        return;
    if (now - p->turned >= 2 * SVR__PORT_GUARD)
        clear_turn(p, p->turn);
    p->turn = !p->turn;
    clear_turn(p, p->turn);
    p->turned = now - (now - p->turned) % SVR__PORT_GUARD;
}

/* Goes on to the next place, or to the next block. */
static void step(svr__ports *p, bool block)
{
    uint32_t size = (uint32_t)1 << p->shift;
    uint32_t far = block ? size - (p->next & (size - 1)) : 1;

    p->passed[p->turn] += far;
    p->next = far < p->pairs - p->next ? p->next + far : 0;
}

bool svr__ports_next(svr__ports *p, svr_time now, uint16_t *local,
                     uint16_t *remote)
{
    take_turns(p, now);
    if (p->window < p->pairs && p->passed[0] + p->passed[1] >= p->window)
        return false; /* what lies ahead may have ended just now */
    if (is_marked(p, p->next)) {
        step(p, true);
        return false;
    }
    uint32_t pair = pair_at(p, p->next);
    step(p, false);
    *local =
        (uint16_t)(p->local.first + pair / p->remote.count * p->local.step);
    *remote =
        (uint16_t)(p->remote.first + pair % p->remote.count * p->remote.step);
    return true;
}

/* The number of a port in its set. False: it is not in there. */
static bool set_find(const svr__port_set *set, uint16_t port, uint32_t *number)
{
    uint32_t distance = (uint32_t)port - set->first;
    if (port < set->first || distance % set->step)
        return false;
    *number = distance / set->step;
    return *number < set->count;
}

void svr__ports_guard(svr__ports *p, svr_time now, uint16_t local,
                      uint16_t remote)
{
    uint32_t l, r;
    uint64_t bit;

    if (!set_find(&p->local, local, &l) || !set_find(&p->remote, remote, &r))
        return;
    uint32_t place = place_of(p, l * p->remote.count + r);
    uint32_t ahead =
        place >= p->next ? place - p->next : place + p->pairs - p->next;
    if (ahead >= p->window)
        return;
    take_turns(p, now);
    uint64_t *word = mark_word(p, p->turn, place, &bit);
    *word |= bit;
}
