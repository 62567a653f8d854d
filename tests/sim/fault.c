#include "fault.h"

#include "world.h"

#include <stdio.h>
#include <stdlib.h>

const char *const fault_names[FAULT_KINDS] = {
#define X(name, id, text) id,
    FAULT_MAP(X)
#undef X
};

const char *const fault_texts[FAULT_KINDS] = {
#define X(name, id, text) text,
    FAULT_MAP(X)
#undef X
};

/* Several faults may cut the same line. */
static void count(unsigned *reasons, bool one_more)
{
    *reasons = one_more ? *reasons + 1 : *reasons - 1;
}

static void set_line(struct station *s, bool cut)
{
    count(&s->link.cut, cut);
    count(&s->deaf, cut);
}

static void set_partition(struct world *w, const struct fault *f, bool cut)
{
    for (size_t i = 0; i < w->topology.sites[f->router].port_count; i++)
        set_line(w->routers[f->router].ports[1 + i], cut);
}

static void set_oneway(struct fault *f, bool cut)
{
    count(f->size ? &f->station->deaf : &f->station->link.cut, cut);
}

static void set_admin(struct world *w, const struct fault *f, bool down)
{
    struct router *r = &w->routers[f->router];
    char name[16];

    snprintf(name, sizeof(name), "p%u", f->lane);
    if (!r->node)
        return;
    if (svr_node_pathway_admin(r->node, name, down, router_now(w, r)) < 0)
        world_fail(w, "router %u has no pathway %s", f->router, name);
    router_touched(w, r);
}

static void set_nat_address(struct fault *f)
{
    struct nat *n = f->station->nat;

    n->outside.b[14] = (uint8_t)(n->outside.b[14] + 1);
    nat_rebind(n);
}

static void replay(struct world *w, const struct fault *f)
{
    for (size_t i = 0; i < w->faults.records; i++) {
        const struct buffer *old = w->faults.recorded[i];
        struct buffer *b = buffer_copy(&w->buffers, old);
        if (i % 2) /* from elsewhere */
            b->packet.data[15] = (uint8_t)(b->packet.data[15] ^ 0x40);
        net_inject(w, old->to, b, w->now + i * f->size);
    }
}

static event_fn beat;

static void beat(struct world *w, void *target)
{
    struct fault *f = target;

    set_line(f->station, f->beats++ % 2 == 0);
    if (f->beats % 2 || w->now + SVR_SECOND < f->begin + f->length)
        queue_push(&w->queue, w->now + SVR_SECOND / 2, beat, f);
}

void fault_apply(struct world *w, struct fault *f)
{
    struct link *l = f->station ? &f->station->link : NULL;
    struct router *r = &w->routers[f->router];

    switch (f->kind) {
    case FAULT_RESTART:
        router_kill(w, r);
        break;
    case FAULT_DOWN:
        set_line(f->station, true);
        break;
    case FAULT_FLAP:
        beat(w, f);
        break;
    case FAULT_ONEWAY:
        set_oneway(f, true);
        break;
    case FAULT_PARTITION:
        set_partition(w, f, true);
        break;
    case FAULT_LOSS:
        l->loss_ppm = (uint32_t)f->size;
        break;
    case FAULT_COPY:
        l->copy_ppm = (uint32_t)f->size;
        break;
    case FAULT_REORDER:
        l->reorder_ppm = 250000;
        break;
    case FAULT_CORRUPT:
        l->corrupt_ppm = 10000;
        l->sly = true;
        break;
    case FAULT_DELAY:
        l->delay += f->size;
        l->jitter = f->spread;
        break;
    case FAULT_RATE:
        l->rate = f->size;
        break;
    case FAULT_MTU:
        l->mtu = (uint16_t)f->size;
        break;
    case FAULT_NAT_PORT:
        nat_rebind(f->station->nat);
        break;
    case FAULT_NAT_ADDRESS:
        set_nat_address(f);
        break;
    case FAULT_CLOCK:
        router_set_clock(w, r, (int64_t)f->size);
        break;
    case FAULT_PAUSE:
        router_pause(r);
        break;
    case FAULT_ADMIN:
        set_admin(w, f, true);
        break;
    case FAULT_REPLAY:
        replay(w, f);
        break;
    default:
        break;
    }
}

void fault_undo(struct world *w, struct fault *f)
{
    struct link *l = f->station ? &f->station->link : NULL;
    struct router *r = &w->routers[f->router];

    switch (f->kind) {
    case FAULT_RESTART:
        if (!r->node)
            router_start(w, r);
        break;
    case FAULT_DOWN:
        set_line(f->station, false);
        break;
    case FAULT_ONEWAY:
        set_oneway(f, false);
        break;
    case FAULT_PARTITION:
        set_partition(w, f, false);
        break;
    case FAULT_LOSS:
        l->loss_ppm = 0;
        break;
    case FAULT_COPY:
        l->copy_ppm = 0;
        break;
    case FAULT_REORDER:
        l->reorder_ppm = 0;
        break;
    case FAULT_CORRUPT:
        l->corrupt_ppm = 0;
        break;
    case FAULT_DELAY:
        l->delay -= f->size;
        l->jitter = 0;
        break;
    case FAULT_RATE:
        l->rate = 0;
        break;
    case FAULT_MTU:
        l->mtu = SIM_MTU;
        break;
    case FAULT_CLOCK:
        router_set_clock(w, r, 0);
        break;
    case FAULT_PAUSE:
        router_resume(w, r);
        break;
    case FAULT_ADMIN:
        set_admin(w, f, false);
        break;
    default:
        break;
    }
}

void faults_free(struct world *w)
{
    for (size_t i = 0; i < w->faults.records; i++)
        buffer_give(&w->buffers, w->faults.recorded[i]);
    free(w->faults.list);
    w->faults = (struct faults){0};
}

void faults_record(struct world *w, const struct buffer *b)
{
    struct faults *f = &w->faults;
    struct buffer *copy;

    if (!(w->options.faults & 1u << FAULT_REPLAY) ||
        !prng_chance(&w->noise, 2000))
        return;
    copy = buffer_copy(&w->buffers, b);
    if (f->records < RECORDED) {
        f->recorded[f->records++] = copy;
        return;
    }
    size_t i = prng_below(&w->noise, RECORDED);
    buffer_give(&w->buffers, f->recorded[i]);
    f->recorded[i] = copy;
}
