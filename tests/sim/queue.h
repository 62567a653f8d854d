/*
 * queue.h - what happens when: a heap of events in virtual time.
 *
 * Events of the same time happen in the order in which they were entered, so a
 * run depends on nothing but its seed.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include <svr/base.h>

struct world;
typedef void event_fn(struct world *w, void *target);

struct event {
    svr_time at;
    uint64_t order;
    event_fn *fn;
    void *target;
};

struct queue {
    struct event *heap;
    size_t count, room;
    uint64_t order;
};

void queue_push(struct queue *q, svr_time at, event_fn *fn, void *target);
/* The first event leaves the queue. False: there is none. */
bool queue_pop(struct queue *q, struct event *out);
void queue_free(struct queue *q);

/*
 * A time that may change often before it comes. At most one event of those it
 * has entered counts; the rest find out that they are stale.
 */
struct timer {
    svr_time due;   /* SVR_NEVER: not set */
    svr_time armed; /* of the event that counts, SVR_NEVER: none */
};

#define TIMER_NONE ((struct timer){SVR_NEVER, SVR_NEVER})

/* fn is called with target once `due` has come. */
void timer_set(struct timer *t, struct queue *q, svr_time due, event_fn *fn,
               void *target);
/* To be asked first of all by fn: whether the time has come. If so the timer is
 * not set any more. */
bool timer_fired(struct timer *t, struct queue *q, svr_time now, event_fn *fn,
                 void *target);

#endif
