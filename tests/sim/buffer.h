/*
 * buffer.h - packets with the room around them that a node wants.
 *
 * A packet stays in its buffer all the way from host to host.
 */
#ifndef SIM_BUFFER_H
#define SIM_BUFFER_H

#include "trace.h"

#include <svr/packet.h>

enum {
    SIM_MTU = 1500, /* of every network */
    BUFFER_SIZE = SVR_HEADROOM + SIM_MTU + SVR_TAILROOM,
};

struct station;

struct buffer {
    struct buffer *next;       /* in a list of its holder */
    struct buffer *made;       /* the one that was made before it */
    struct station *from, *to; /* while on the way */
    bool corrupt;              /* something on the way has changed it */
    struct trace trace;        /* of a host's packet */
    svr_packet packet;
    _Alignas(16) uint8_t bytes[BUFFER_SIZE];
};

struct buffers {
    struct buffer *unused;
    struct buffer *made; /* the last one that was */
    size_t out;          /* that somebody holds */
};

/* Its packet is empty: len 0, all the room in front and behind. */
struct buffer *buffer_take(struct buffers *all);
struct buffer *buffer_copy(struct buffers *all, const struct buffer *from);
void buffer_give(struct buffers *all, struct buffer *b);
/* Moves the packet to where a device would have put it. */
void buffer_settle(struct buffer *b);
/* Those that somebody holds, too. */
void buffers_free(struct buffers *all);

/* A list of buffers in the order of their coming. */
struct line {
    struct buffer *first, **last;
    size_t count;
};

void line_init(struct line *l);
void line_add(struct line *l, struct buffer *b);
struct buffer *line_take(struct line *l); /* NULL: empty */

#endif
