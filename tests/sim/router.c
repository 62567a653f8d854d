#include "router.h"

#include "world.h"

/* How long packets wait for others to make a batch, and how many can. */
#define POLL_DELAY (20 * SVR_MICROSECOND)
enum { RING = 4096 };

/* A moment of the wall clock that all agree on. */
#define UNIX_BEGIN (UINT64_C(1700000000) * SVR_SECOND)

static event_fn poll_event, expiry_event;

svr_time router_now(const struct world *w, const struct router *r)
{
    return w->now + r->clock;
}

static void fill_random(void *user, void *buf, size_t len)
{
    uint8_t *out = buf;

    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)prng_next(user);
}

void router_open(struct world *w, struct router *r, size_t index)
{
    *r = (struct router){
        .world = w, .index = (uint16_t)index, .expiry = TIMER_NONE};
    line_init(&r->ring);
    r->config = authority_load(&w->authority, index);
    for (size_t i = 0; i < w->topology.sites[index].port_count; i++) {
        const struct port_plan *p = &w->topology.sites[index].ports[i];
        r->ports[1 + i] = &w->net.segments[p->segment].stations[p->station - 1];
    }
}

static void clear_ring(struct world *w, struct router *r)
{
    struct buffer *b;

    while ((b = line_take(&r->ring)))
        buffer_give(&w->buffers, b);
}

static void tell_unix_time(struct world *w, struct router *r)
{
    svr_node_set_unix_time(r->node,
                           UNIX_BEGIN + w->now + (uint64_t)r->unix_shift,
                           router_now(w, r));
}

/* Sending */

static void send_packet(struct world *w, struct router *r, struct buffer *b)
{
    r->sent++;
    if (b->packet.iface == ROUTER_LAN)
        hosts_receive(w, r, b);
    else if (plant_forward(w, r, b))
        net_send(w, r->ports[b->packet.iface], b);
}

static void drain(struct world *w, struct router *r)
{
    for (;;) {
        struct buffer *b = buffer_take(&w->buffers);
        int more = svr_node_output(r->node, &b->packet, b->bytes, BUFFER_SIZE,
                                   router_now(w, r));
        if (more != 1) {
            buffer_give(&w->buffers, b);
            if (more < 0)
                world_fail(w, "router %u: output: %s", r->index,
                           svr_strerror(more));
            return;
        }
        if (!b->packet.originated)
            b->trace = r->apart;
        send_packet(w, r, b);
    }
}

void router_touched(struct world *w, struct router *r)
{
    svr_time due;

    drain(w, r);
    due = svr_node_expiry(r->node);
    if (due != SVR_NEVER)
        due = due > router_now(w, r) ? due - r->clock : w->now + POLL_DELAY;
    timer_set(&r->expiry, &w->queue, due, expiry_event, r);
}

/* Receiving */

static void poll_soon(struct world *w, struct router *r)
{
    if (r->polled || r->stopped)
        return;
    r->polled = true;
    queue_push(&w->queue, w->now + POLL_DELAY, poll_event, r);
}

void router_receive(struct world *w, struct router *r, uint16_t iface,
                    struct buffer *b)
{
    if (!r->node || r->ring.count >= RING) {
        buffer_give(&w->buffers, b);
        return;
    }
    trace_arrive(w, r->index, &b->trace);
    buffer_settle(b);
    b->packet.iface = iface;
    line_add(&r->ring, b);
    poll_soon(w, r);
}

/* What comes out of a batch in parts is what was consumed of it; of several
 * such packets it is not known which. */
static void follow_parts(struct world *w, struct router *r,
                         struct buffer **batch, size_t count)
{
    struct trace *t = NULL;

    for (size_t i = 0; i < count; i++) {
        if (batch[i]->packet.verdict != SVR_VERDICT_CONSUME ||
            !batch[i]->trace.session)
            continue;
        if (t)
            return;
        t = &batch[i]->trace;
    }
    if (!t)
        return;
    r->apart = *t;
    trace_leave(w, r->index, &r->apart);
}

static void input(struct world *w, struct router *r, struct buffer **batch,
                  size_t count)
{
    svr_packet packets[SVR_BATCH_MAX];

    for (size_t i = 0; i < count; i++)
        packets[i] = batch[i]->packet;
    svr_node_input(r->node, packets, count, router_now(w, r));
    for (size_t i = 0; i < count; i++) {
        journal_add(&w->journal, w->now,
                    packets[i].verdict == SVR_VERDICT_DROP ? JOURNAL_DROP
                                                           : JOURNAL_INPUT,
                    r->index, batch[i]->packet.iface, batch[i]->packet.len,
                    packets[i].drop);
        batch[i]->packet = packets[i];
    }
    for (size_t i = 0; i < count; i++)
        if (packets[i].verdict == SVR_VERDICT_FORWARD) {
            trace_leave(w, r->index, &batch[i]->trace);
            send_packet(w, r, batch[i]);
        }
    /* Until all is put out, what was consumed may not change. */
    follow_parts(w, r, batch, count);
    drain(w, r);
    r->apart = (struct trace){0};
    for (size_t i = 0; i < count; i++)
        if (packets[i].verdict != SVR_VERDICT_FORWARD)
            buffer_give(&w->buffers, batch[i]);
}

static void poll_event(struct world *w, void *target)
{
    struct router *r = target;
    struct buffer *batch[SVR_BATCH_MAX];
    size_t count = 0;

    r->polled = false;
    if (!r->node || r->stopped)
        return;
    while (count < SVR_BATCH_MAX && (batch[count] = line_take(&r->ring)))
        count++;
    if (count)
        input(w, r, batch, count);
    if (r->ring.count)
        poll_soon(w, r);
    router_touched(w, r);
}

static void expiry_event(struct world *w, void *target)
{
    struct router *r = target;

    if (!timer_fired(&r->expiry, &w->queue, w->now, expiry_event, r))
        return;
    if (!r->node || r->stopped)
        return;
    if (svr_node_expiry(r->node) <= router_now(w, r))
        svr_node_handle_expiry(r->node, router_now(w, r));
    router_touched(w, r);
}

/* Life */

static void note_event(void *user, const svr_event *event)
{
    struct router *r = user;
    struct world *w = r->world;
    bool refused = event->kind == SVR_EVENT_SESSION_REFUSED;

    if (w->topology.policies)
        changes_heard(w, r, event);
    if (event->kind == SVR_EVENT_PATHWAY)
        lanes_event(w, r, event->pathway);
    else
        journal_add(&w->journal, w->now, JOURNAL_NOTICE, r->index, event->kind,
                    refused ? (uint64_t)event->drop : (uint64_t)event->cause,
                    journal_digest(&event->session->uuid, 16));
}

/* Memory for all sessions is taken at once, so not each router of a crowd can
 * have the same. A hub has those of its leaves, and some go from hub to hub. */
static size_t crowd_limit(const struct world *w, const struct router *r)
{
    bool hub = r->index <= TREE_WIDTH;

    return w->options.sessions / (hub ? 4 : 25) + 256;
}

void router_start(struct world *w, struct router *r)
{
    svr_node_config c = r->config->node;
    int err;

    r->boot++;
    r->sent = 0;
    r->stopped = false;
    r->clock = prng_below(&w->trouble, 1000000) * SVR_SECOND;
    r->random = prng_fork(w->options.seed, 1000 + r->index + 65536u * r->boot);
    c.boot = r->boot;
    c.alloc = account_allocator(&r->memory);
    c.random = (svr_random){fill_random, &r->random};
    if (w->options.plan == PLAN_CROWD)
        c.limits.sessions = crowd_limit(w, r);
    c.notify = (svr_notify){note_event, r};
    for (size_t i = 0; i < SVR_KEY_SIZE; i++)
        c.recovery_key[i] = (uint8_t)(r->index + i + 1);
    err = svr_node_create(&r->node, &c, router_now(w, r));
    if (err < 0) {
        r->node = NULL;
        world_fail(w, "router %u: %s", r->index, svr_strerror(err));
        return;
    }
    journal_add(&w->journal, w->now, JOURNAL_STARTED, r->index, r->boot, 0, 0);
    tell_unix_time(w, r);
    router_touched(w, r);
}

void router_kill(struct world *w, struct router *r)
{
    if (!r->node)
        return;
    plant_router(w, r);
    router_check(w, r);
    world_count(w, r->node);
    svr_node_destroy(r->node);
    r->node = NULL;
    lanes_forget(w, r);
    clear_ring(w, r);
    journal_add(&w->journal, w->now, JOURNAL_STOPPED, r->index, 0, 0, 0);
    if (r->memory.blocks || r->memory.wrong)
        world_fail(w, "router %u: %zu bytes were not given back", r->index,
                   r->memory.bytes);
}

void router_close(struct world *w, struct router *r)
{
    router_kill(w, r);
    config_free(r->config);
}

void router_pause(struct router *r)
{
    r->stopped = true;
}

void router_resume(struct world *w, struct router *r)
{
    r->stopped = false;
    if (!r->node)
        return;
    poll_soon(w, r);
}

void router_set_clock(struct world *w, struct router *r, int64_t shift)
{
    r->unix_shift = shift;
    if (r->node)
        tell_unix_time(w, r);
}

/* Checks */

void router_check(struct world *w, struct router *r)
{
    svr_counters c;
    uint64_t known;

    svr_node_counters(r->node, &c);
    known = c.forwarded + c.consumed + c.held;
    for (int i = 0; i < SVR_DROP_COUNT; i++)
        known += c.dropped[i];
    if (c.received != known || c.dropped[SVR_DROP_NONE] || c.held)
        world_fail(w, "router %u: %llu packets received, %llu known", r->index,
                   (unsigned long long)c.received, (unsigned long long)known);
    if (r->sent != c.forwarded + c.originated)
        world_fail(w, "router %u: %llu packets sent, %llu counted", r->index,
                   (unsigned long long)r->sent,
                   (unsigned long long)(c.forwarded + c.originated));
    if (c.sessions_created - c.sessions_ended !=
        svr_node_session_count(r->node))
        world_fail(w, "router %u: %llu sessions made, %llu ended, %zu alive",
                   r->index, (unsigned long long)c.sessions_created,
                   (unsigned long long)c.sessions_ended,
                   svr_node_session_count(r->node));
}

bool router_is_up(const struct world *w, const struct router *r)
{
    svr_node_pathway p;
    size_t cursor = 0;

    if (!r->node)
        return false;
    while (svr_node_pathway_next(r->node, &cursor, &p, router_now(w, r)))
        if (p.info.state != SVR_BFD_UP)
            return false;
    return true;
}
