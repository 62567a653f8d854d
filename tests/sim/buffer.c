#include "buffer.h"

#include "memory.h"

#include <stdlib.h>
#include <string.h>

static void place(struct buffer *b, size_t len)
{
    b->packet = (svr_packet){
        .data = b->bytes + SVR_HEADROOM,
        .len = (uint32_t)len,
        .headroom = SVR_HEADROOM,
        .tailroom = (uint16_t)(BUFFER_SIZE - SVR_HEADROOM - len),
    };
}

struct buffer *buffer_take(struct buffers *all)
{
    struct buffer *b = all->unused;

    if (b) {
        all->unused = b->next;
    } else {
        b = memory_new(1, sizeof(*b));
        b->made = all->made;
        all->made = b;
    }
    all->out++;
    b->next = NULL;
    b->from = b->to = NULL;
    b->corrupt = false;
    b->trace.session = b->trace.count = 0;
    place(b, 0);
    return b;
}

struct buffer *buffer_copy(struct buffers *all, const struct buffer *from)
{
    struct buffer *b = buffer_take(all);

    place(b, from->packet.len);
    memcpy(b->packet.data, from->packet.data, from->packet.len);
    b->corrupt = from->corrupt;
    b->trace = from->trace;
    b->from = from->from;
    b->to = from->to;
    return b;
}

void buffer_give(struct buffers *all, struct buffer *b)
{
    b->next = all->unused;
    all->unused = b;
    all->out--;
}

void buffer_settle(struct buffer *b)
{
    const uint8_t *data = b->packet.data;
    size_t len = b->packet.len;

    memmove(b->bytes + SVR_HEADROOM, data, len);
    place(b, len);
}

void buffers_free(struct buffers *all)
{
    while (all->made) {
        struct buffer *b = all->made;

        all->made = b->made;
        free(b);
    }
}

void line_init(struct line *l)
{
    *l = (struct line){.last = &l->first};
}

void line_add(struct line *l, struct buffer *b)
{
    b->next = NULL;
    *l->last = b;
    l->last = &b->next;
    l->count++;
}

struct buffer *line_take(struct line *l)
{
    struct buffer *b = l->first;

    if (!b)
        return NULL;
    l->first = b->next;
    if (!l->first)
        l->last = &l->first;
    l->count--;
    return b;
}
