#include "queue.h"

#include "memory.h"

#include <stdlib.h>

/* A wide heap is a flat one: fewer cache lines on the way down. */
enum { WIDTH = 4 };

static bool before(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void sift_up(struct queue *q, size_t i, struct event e)
{
    while (i > 0 && before(&e, &q->heap[(i - 1) / WIDTH])) {
        q->heap[i] = q->heap[(i - 1) / WIDTH];
        i = (i - 1) / WIDTH;
    }
    q->heap[i] = e;
}

static size_t first_child(const struct queue *q, size_t i)
{
    size_t first = WIDTH * i + 1, end = first + WIDTH;

    for (size_t k = first + 1; k < end && k < q->count; k++)
        if (before(&q->heap[k], &q->heap[first]))
            first = k;
    return first;
}

static void sift_down(struct queue *q, struct event e)
{
    size_t i = 0, child;

    while ((child = first_child(q, i)) < q->count &&
           before(&q->heap[child], &e)) {
        q->heap[i] = q->heap[child];
        i = child;
    }
    q->heap[i] = e;
}

void queue_push(struct queue *q, svr_time at, event_fn *fn, void *target)
{
    struct event e = {at, q->order++, fn, target};

    if (q->count == q->room) {
        q->room = q->room ? 2 * q->room : 1024;
        q->heap = memory_grow(q->heap, q->room * sizeof(*q->heap));
    }
    sift_up(q, q->count++, e);
}

bool queue_pop(struct queue *q, struct event *out)
{
    if (q->count == 0)
        return false;
    *out = q->heap[0];
    if (--q->count > 0)
        sift_down(q, q->heap[q->count]);
    return true;
}

void queue_free(struct queue *q)
{
    free(q->heap);
    *q = (struct queue){0};
}

void timer_set(struct timer *t, struct queue *q, svr_time due, event_fn *fn,
               void *target)
{
    t->due = due;
    if (due >= t->armed)
        return; /* the event that comes before sets the next one */
    t->armed = due;
    queue_push(q, due, fn, target);
}

bool timer_fired(struct timer *t, struct queue *q, svr_time now, event_fn *fn,
                 void *target)
{
    if (now != t->armed)
        return false;
    t->armed = SVR_NEVER;
    if (t->due > now) {
        if (t->due != SVR_NEVER)
            timer_set(t, q, t->due, fn, target);
        return false;
    }
    t->due = SVR_NEVER;
    return true;
}
