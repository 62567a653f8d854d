#include "base/wheel.h"

#include <assert.h>

#include "base/memory.h"

#define DIGIT_BITS 6
#define DIGITS 64u

/* The most items that one call of svr__wheel_expire moves. */
#define MOVES_MAX 16

/* The number in svr__wheel_node.slot; a node of zeros is disarmed. */
enum {
    SLOT_NONE,
    SLOT_READY, /* items that are due at the position */
    SLOT_FIRST, /* level 0, digit 0 */
    SLOT_COUNT = SLOT_FIRST + SVR__WHEEL_LEVELS * DIGITS
};

_Static_assert(sizeof(svr__wheel_node) == 16, "four nodes in a cache line");
_Static_assert(SVR__WHEEL_LEVELS *DIGIT_BITS + SVR__WHEEL_TICK_BITS >= 64,
               "the levels reach over all of svr_time");

static unsigned lowest_bit(uint64_t x)
{
#if defined(__GNUC__)
    return (unsigned)__builtin_ctzll(x);
#else
    unsigned n = 0;
    while (!(x >> n & 1))
        n++;
    return n;
#endif
}

static unsigned highest_bit(uint64_t x)
{
#if defined(__GNUC__)
    return 63u - (unsigned)__builtin_clzll(x);
#else
    unsigned n = 63;
    while (!(x >> n & 1))
        n--;
    return n;
#endif
}

static uint64_t digit_at(uint64_t tick, unsigned level)
{
    return tick >> (level * DIGIT_BITS) & (DIGITS - 1);
}

static uint32_t slot_at(unsigned level, unsigned digit)
{
    return SLOT_FIRST + level * DIGITS + digit;
}

/* Where an item with this deadline belongs. */
static uint32_t slot_for(const svr__wheel *w, uint64_t due)
{
    if (due <= w->position)
        return SLOT_READY;
    unsigned level = highest_bit(due ^ w->position) / DIGIT_BITS;
    return slot_at(level, (unsigned)digit_at(due, level));
}

static void set_used(svr__wheel *w, uint32_t slot, bool used)
{
    if (slot < SLOT_FIRST)
        return;
    uint32_t i = slot - SLOT_FIRST;
    uint64_t bit = (uint64_t)1 << i % DIGITS;
    if (used)
        w->used[i / DIGITS] |= bit;
    else
        w->used[i / DIGITS] &= ~bit;
}

/* The list of a slot is a ring through its head. */
static uint32_t head_of(const svr__wheel *w, uint32_t slot)
{
    return w->cap + slot;
}

static bool slot_empty(const svr__wheel *w, uint32_t slot)
{
    return w->nodes[head_of(w, slot)].next == head_of(w, slot);
}

static void link_item(svr__wheel *w, uint32_t item, uint32_t slot)
{
    uint32_t head = head_of(w, slot);
    uint32_t last = w->nodes[head].prev;
    svr__wheel_node *node = &w->nodes[item];
    node->prev = last;
    node->next = head;
    node->slot = slot & 0xffffff;
    w->nodes[last].next = item;
    w->nodes[head].prev = item;
    set_used(w, slot, true);
}

static void unlink_item(svr__wheel *w, uint32_t item)
{
    svr__wheel_node *node = &w->nodes[item];
    uint32_t slot = node->slot;
    w->nodes[node->prev].next = node->next;
    w->nodes[node->next].prev = node->prev;
    node->slot = SLOT_NONE;
    if (slot_empty(w, slot))
        set_used(w, slot, false);
}

int svr__wheel_init(svr__wheel *w, uint32_t cap, svr_time now,
                    const svr_allocator *alloc)
{
    if (cap > SVR__WHEEL_CAP_MAX)
        return SVR_ERR_ARGUMENT;
    svr__wheel_node *nodes =
        svr__alloc(alloc, (size_t)cap + SLOT_COUNT, sizeof(*nodes));
    if (!nodes)
        return SVR_ERR_NO_MEMORY;
    *w = (svr__wheel){.nodes = nodes,
                      .cap = cap,
                      .open = SLOT_NONE,
                      .position = now >> SVR__WHEEL_TICK_BITS,
                      .alloc = *alloc};
    for (uint32_t slot = 0; slot < SLOT_COUNT; slot++) {
        uint32_t head = head_of(w, slot);
        nodes[head].prev = nodes[head].next = head;
    }
    return 0;
}

void svr__wheel_fini(svr__wheel *w)
{
    svr__free(&w->alloc, w->nodes, (size_t)w->cap + SLOT_COUNT,
              sizeof(*w->nodes));
    w->nodes = NULL;
}

void svr__wheel_arm(svr__wheel *w, uint32_t item, svr_time due)
{
    assert(item < w->cap);
    if (due > SVR_NEVER - SVR__WHEEL_TICK) {
        svr__wheel_disarm(w, item);
        return;
    }
    uint64_t tick = (due + SVR__WHEEL_TICK - 1) >> SVR__WHEEL_TICK_BITS;
    uint32_t slot = slot_for(w, tick);
    svr__wheel_node *node = &w->nodes[item];
    node->due = tick & 0xffffffffff;
    if (node->slot == slot)
        return;
    if (node->slot != SLOT_NONE)
        unlink_item(w, item);
    link_item(w, item, slot);
}

void svr__wheel_disarm(svr__wheel *w, uint32_t item)
{
    assert(item < w->cap);
    if (w->nodes[item].slot != SLOT_NONE)
        unlink_item(w, item);
}

bool svr__wheel_armed(const svr__wheel *w, uint32_t item)
{
    assert(item < w->cap);
    return w->nodes[item].slot != SLOT_NONE;
}

/* The earliest slot and the tick at which it begins; false if all are empty. */
static bool find_earliest(const svr__wheel *w, uint32_t *slot, uint64_t *begin)
{
    unsigned level = 0;
    while (level < SVR__WHEEL_LEVELS && !w->used[level])
        level++;
    if (level == SVR__WHEEL_LEVELS)
        return false;
    unsigned digit = lowest_bit(w->used[level]);
    unsigned shift = level * DIGIT_BITS;
    *slot = slot_at(level, digit);
    *begin = (w->position >> shift >> DIGIT_BITS << DIGIT_BITS | digit)
             << shift;
    return true;
}

/* Whether items wait that the position has reached. */
static bool has_reached(const svr__wheel *w)
{
    return !slot_empty(w, SLOT_READY) || !slot_empty(w, w->open);
}

svr_time svr__wheel_next(const svr__wheel *w)
{
    uint32_t slot;
    uint64_t begin = w->position;
    if (!has_reached(w) && !find_earliest(w, &slot, &begin))
        return SVR_NEVER;
    return begin << SVR__WHEEL_TICK_BITS;
}

/* Moves the position to the next slot with items, but not past tick. Because
 * no slot begins before the new position, every item keeps its place. */
static bool advance(svr__wheel *w, uint64_t tick)
{
    uint32_t slot;
    uint64_t begin;
    if (find_earliest(w, &slot, &begin) && begin <= tick) {
        w->position = begin;
        w->open = slot;
        return true;
    }
    if (w->position < tick)
        w->position = tick;
    w->open = SLOT_NONE;
    return false;
}

static uint32_t take_first(svr__wheel *w, uint32_t slot)
{
    uint32_t item = w->nodes[head_of(w, slot)].next;
    unlink_item(w, item);
    return item;
}

bool svr__wheel_expire(svr__wheel *w, svr_time now, uint32_t *item)
{
    for (int moves = 0; moves < MOVES_MAX; moves++) {
        if (!slot_empty(w, SLOT_READY)) {
            *item = take_first(w, SLOT_READY);
            return true;
        }
        if (slot_empty(w, w->open) && !advance(w, now >> SVR__WHEEL_TICK_BITS))
            return false;
        uint32_t moved = take_first(w, w->open);
        link_item(w, moved, slot_for(w, w->nodes[moved].due));
    }
    return false;
}
