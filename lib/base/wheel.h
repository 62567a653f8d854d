/*
 * wheel.h - deadlines of many items: a hierarchical timing wheel.
 *
 * Items are the numbers 0 to cap - 1; each has at most one deadline. Time is
 * counted in ticks of 2^24 ns (16.8 ms), a deadline is rounded up to the next
 * tick, and nothing is ever early. Arming, re-arming and disarming take
 * constant time. 7 levels of 64 slots reach over all of svr_time.
 *
 * An item stands on the level of the highest 6-bit digit in which its deadline
 * differs from the wheel's position, in the slot of the deadline's digit
 * there. So the lowest level in use, and there the lowest slot, always holds
 * the earliest items, one bitmap for each level finds it, and whenever the
 * position reaches a slot, its items move to lower levels or are due.
 */
#ifndef SVR__WHEEL_H
#define SVR__WHEEL_H

#include <svr/base.h>

#define SVR__WHEEL_TICK_BITS 24
#define SVR__WHEEL_TICK ((svr_time)1 << SVR__WHEEL_TICK_BITS)
#define SVR__WHEEL_LEVELS 7

/* The most items that a wheel can be made for. */
#define SVR__WHEEL_CAP_MAX ((uint32_t)1 << 31)

/* An item's place in the list of its slot. */
typedef struct svr__wheel_node {
    uint32_t prev, next;
    uint64_t due : 40; /* in ticks; 40 bits are all of svr_time */
    uint64_t slot : 24;
} svr__wheel_node;

typedef struct svr__wheel {
    svr__wheel_node *nodes; /* the items, then a list head for each slot */
    uint32_t cap;
    uint32_t open;     /* slot that the position has reached, not yet empty */
    uint64_t position; /* in ticks: all slots before it are empty */
    uint64_t used[SVR__WHEEL_LEVELS]; /* bit set: that slot has items */
    svr_allocator alloc;
} svr__wheel;

/* Makes a wheel for cap items, all disarmed. 0, or SVR_ERR_NO_MEMORY, or
 * ARGUMENT where cap passes SVR__WHEEL_CAP_MAX. */
int svr__wheel_init(svr__wheel *w, uint32_t cap, svr_time now,
                    const svr_allocator *alloc);
void svr__wheel_fini(svr__wheel *w);

/* Gives an item a deadline, or another one than it had. SVR_NEVER (and the
 * tick before it) disarms; a time that is past is due at once. */
void svr__wheel_arm(svr__wheel *w, uint32_t item, svr_time due);
/* Nothing happens to an item that is not armed. */
void svr__wheel_disarm(svr__wheel *w, uint32_t item);
bool svr__wheel_armed(const svr__wheel *w, uint32_t item);

/* When svr__wheel_expire may have something to do: never more than a tick
 * after the earliest deadline, but perhaps before it. SVR_NEVER when no item
 * is armed. */
svr_time svr__wheel_next(const svr__wheel *w);

/*
 * Takes an item that is due at now out of the wheel, earlier ones first; false
 * if there is none. Bounded work, however many items are armed: where much is
 * to be moved it answers false too, and svr__wheel_next a time that has been
 * reached. now never goes back.
 */
bool svr__wheel_expire(svr__wheel *w, svr_time now, uint32_t *item);

#endif
