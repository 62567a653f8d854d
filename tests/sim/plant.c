#include "plant.h"

#include "world.h"

#include <string.h>

const char *const plant_names[PLANTS] = {
#define X(name, id, text) id,
    PLANT_MAP(X)
#undef X
};

/* Now and then. */
enum { RARELY = 3000 };

static bool is_tcp_data(const struct buffer *b, svr_headers *h)
{
    svr_packet view = b->packet;

    return svr_packet_parse(h, &view) == 0 && h->tuple.proto == SVR_PROTO_TCP &&
           view.len > h->payload;
}

static void change(struct buffer *b, const svr_headers *h, size_t at,
                   uint8_t bits)
{
    b->packet.data[at] = (uint8_t)(b->packet.data[at] ^ bits);
    svr_packet_checksum_write(&b->packet, h);
}

static void make_reset(struct world *w, struct buffer *b)
{
    svr_headers h;

    if (is_tcp_data(b, &h) && prng_chance(&w->noise, RARELY))
        change(b, &h, (size_t)h.l4 + 13, SVR_TCP_RST);
}

static void spoil(struct world *w, struct buffer *b)
{
    svr_headers h;

    if (is_tcp_data(b, &h) && prng_chance(&w->noise, RARELY))
        change(b, &h, b->packet.len - 1, 1);
}

bool plant_deliver(struct world *w, struct router **r, struct buffer *b)
{
    svr_headers h;
    struct buffer *copy;

    switch (w->options.plant) {
    case PLANT_LOSE:
        return !prng_chance(&w->noise, RARELY);
    case PLANT_DOUBLE:
        if (!prng_chance(&w->noise, RARELY))
            return true;
        copy = buffer_copy(&w->buffers, b);
        hosts_deliver(w, *r, copy);
        buffer_give(&w->buffers, copy);
        return true;
    case PLANT_SPOIL:
        spoil(w, b);
        return true;
    case PLANT_STRAY:
        if (prng_chance(&w->noise, RARELY))
            *r = &w->routers[((*r)->index + 1u) % w->topology.site_count];
        return true;
    case PLANT_RESET:
        make_reset(w, b);
        return true;
    case PLANT_SILENCE:
        return w->now < WORLD_BEGIN + 15 * SVR_SECOND || !is_tcp_data(b, &h);
    default:
        return true;
    }
}

bool plant_forward(struct world *w, const struct router *r, struct buffer *b)
{
    const struct trace *t = &b->trace;

    if (w->options.plant != PLANT_LOOP || t->count < 2 ||
        !prng_chance(&w->noise, RARELY))
        return true;
    router_receive(w, &w->routers[t->passed[t->count - 2]],
                   r->ports[b->packet.iface]->iface, b);
    return false;
}

void plant_router(struct world *w, struct router *r)
{
    if (w->options.plant == PLANT_COUNT)
        r->sent++;
    if (w->options.plant == PLANT_LEAK)
        r->memory.blocks++;
}
