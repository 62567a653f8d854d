#include "pathway_net.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

svr_bfd_endpoint pnet_endpoint(uint32_t v4, uint16_t port)
{
    const uint8_t b[4] = {(uint8_t)(v4 >> 24), (uint8_t)(v4 >> 16),
                          (uint8_t)(v4 >> 8), (uint8_t)v4};
    return (svr_bfd_endpoint){svr_addr_from_v4(b), port};
}

static void make_end(struct pnet *net, struct pnet_end *e)
{
    svr_random random = {test_fill, &net->random};
    cr_assert_eq(
        svr_pathway_init(e->p, &e->settings, &random, net->now + e->offset), 0);
}

void pnet_open(struct pnet *net, uint64_t seed)
{
    *net = (struct pnet){.random = seed, .now = 1000 * SVR_SECOND};
    for (int i = 0; i < 2; i++) {
        struct pnet_end *e = &net->end[i];
        svr_pathway_settings_init(&e->settings);
        e->settings.local =
            pnet_endpoint(0xc0000201 + (uint32_t)i, SVR_BFD_PORT);
        e->settings.remote =
            pnet_endpoint(0xc0000202 - (uint32_t)i, SVR_BFD_PORT);
        e->settings.boot_counter = 1;
        e->offset = test_random(&net->random) >> 8;
        e->p = malloc(svr_pathway_size());
        net->link[i].delay = 10 * SVR_MILLISECOND;
        make_end(net, e);
    }
}

void pnet_close(struct pnet *net)
{
    for (size_t i = 0; i < net->flights; i++)
        free(net->flight[i]);
    for (int i = 0; i < 2; i++)
        free(net->end[i].p);
}

void pnet_restart(struct pnet *net, int end)
{
    net->end[end].settings.boot_counter++;
    make_end(net, &net->end[end]);
}

void pnet_renew(struct pnet *net, int end)
{
    make_end(net, &net->end[end]);
}

svr_pathway_info pnet_info(const struct pnet *net, int end)
{
    svr_pathway_info info;
    svr_pathway_describe(net->end[end].p, &info,
                         net->now + net->end[end].offset);
    return info;
}

static void note(struct pnet *net, struct pnet_end *e, unsigned changes)
{
    e->changes |= changes;
    for (int bit = 0; bit < 8; bit++) {
        if (!(changes & 1u << bit))
            continue;
        e->change_count[bit]++;
        e->changed_at[bit] = net->now;
    }
}

/* The link */

static bool chance(struct pnet *net, uint32_t ppm)
{
    return test_below(&net->random, 1000000) < ppm;
}

static bool endpoints_equal(const svr_bfd_endpoint *a,
                            const svr_bfd_endpoint *b)
{
    return a->port == b->port && svr_addr_equal(&a->addr, &b->addr);
}

static void launch(struct pnet *net, int from, const svr_pathway_message *m)
{
    struct pnet_link *l = &net->link[from];
    struct pnet_flight *f = malloc(sizeof(*f));
    cr_assert_lt(net->flights, PNET_FLIGHTS);
    *f = (struct pnet_flight){
        .at = net->now + l->delay, .order = net->order++, .to = !from, .m = *m};
    if (l->jitter)
        f->at += test_random(&net->random) % l->jitter;
    if (chance(net, l->reorder_ppm))
        f->at += l->delay;
    net->flight[net->flights++] = f;
}

/* Where a message goes on the way through NATs; false: nowhere. */
static bool translate(struct pnet *net, int from, svr_pathway_message *m)
{
    struct pnet_end *s = &net->end[from], *r = &net->end[!from];
    bool bfd = m->kind == SVR_PATHWAY_BFD;
    if (!svr_addr_is_none(&s->nat.addr))
        m->from = s->nat;
    if (!bfd)
        return true;
    return endpoints_equal(
        &m->to, svr_addr_is_none(&r->nat.addr) ? &r->settings.local : &r->nat);
}

/* As its bytes say it. Returns its size. */
static size_t recode(svr_pathway_message *m)
{
    static uint8_t buf[8192];
    svr_pathway_message in = *m;
    if (m->kind == SVR_PATHWAY_METRICS || m->kind == SVR_PATHWAY_KEEP_ALIVE)
        return 100;
    size_t overhead = PNET_OVERHEAD + (svr_addr_is_v4(&m->to.addr) ? 20u : 40u);
    ptrdiff_t len = svr_bfd_block_encode(NULL, 0, &m->block);
    cr_assert_geq(len, 0, "the block can be encoded");
    if (m->size) {
        cr_assert_geq(m->size, (size_t)len + SVR_BFD_SIZE + overhead);
        in.block.padding =
            (uint16_t)(m->size - (size_t)len - SVR_BFD_SIZE - overhead);
    }
    len = svr_bfd_block_encode(buf + SVR_BFD_SIZE, sizeof(buf) - SVR_BFD_SIZE,
                               &in.block);
    cr_assert_eq(svr_bfd_encode(buf, &in.bfd), 0);
    cr_assert_eq(svr_bfd_decode(&m->bfd, buf, SVR_BFD_SIZE), SVR_BFD_SIZE);
    cr_assert_eq(
        svr_bfd_block_decode(&m->block, buf + SVR_BFD_SIZE, (size_t)len), len);
    return (size_t)len + SVR_BFD_SIZE + overhead;
}

static void transmit(struct pnet *net, int from, svr_pathway_message m)
{
    struct pnet_link *l = &net->link[from];
    size_t size;
    if (net->end[from].settings.plain)
        svr_bfd_block_init(&m.block);
    size = recode(&m);
    if (m.size)
        cr_assert_eq(size, m.size);
    m.size = (uint16_t)size;
    l->messages++;
    l->bytes += size;
    if (!translate(net, from, &m) || (l->mtu && size > l->mtu))
        return;
    if (m.kind == SVR_PATHWAY_TCP_PROBE && l->tcp_blocked & 1u << m.tcp_probe)
        return;
    if (chance(net, l->loss_ppm))
        return;
    launch(net, from, &m);
    if (chance(net, l->duplicate_ppm))
        launch(net, from, &m);
}

/* A real packet: only a marked one is of interest. */
static void send_packet(struct pnet *net, int end)
{
    struct pnet_end *e = &net->end[end];
    struct pnet_link *l = &net->link[end];
    svr_pathway_message m = {.kind = SVR_PATHWAY_METRICS};
    e->next_packet = net->now + e->traffic;
    if (!svr_pathway_mark(e->p, &m.metrics, net->now + e->offset))
        return;
    l->marks++;
    if (chance(net, l->loss_ppm))
        l->marks_lost++;
    else
        launch(net, end, &m);
}

/* The two ends */

static void work(struct pnet *net, int end)
{
    struct pnet_end *e = &net->end[end];
    svr_time now = net->now + e->offset;
    unsigned count = 0;
    if (net->now < e->stopped || now < svr_pathway_due(e->p))
        return;
    note(net, e, svr_pathway_handle(e->p, now));
    while (svr_pathway_send(e->p, &e->last, now)) {
        e->kinds[e->last.kind]++;
        transmit(net, end, e->last);
        cr_assert_lt(++count, 100, "it stops sending");
    }
    cr_assert_gt(svr_pathway_due(e->p), now, "nothing is left to do");
}

static void arrive(struct pnet *net, int end, const svr_pathway_message *m)
{
    struct pnet_end *e = &net->end[end];
    svr_time now = net->now + e->offset;
    if (m->kind == SVR_PATHWAY_BFD)
        e->heard = net->now;
    if (m->kind == SVR_PATHWAY_METRICS)
        svr_pathway_marked(e->p, &m->metrics, now);
    else if (m->kind == SVR_PATHWAY_KEEP_ALIVE)
        svr_pathway_heard(e->p, m->to.port, &m->from);
    else
        note(net, e, svr_pathway_receive(e->p, m, now));
}

unsigned pnet_inject(struct pnet *net, int end, const svr_pathway_message *m)
{
    return svr_pathway_receive(net->end[end].p, m,
                               net->now + net->end[end].offset);
}

/* Time */

static svr_time flight_time(const struct pnet *net, const struct pnet_flight *f)
{
    svr_time stopped = net->end[f->to].stopped;
    return f->at > stopped ? f->at : stopped;
}

/* What comes first, of what comes at the same time what was sent first. */
static size_t next_flight(const struct pnet *net)
{
    size_t best = 0;
    for (size_t i = 1; i < net->flights; i++) {
        const struct pnet_flight *f = net->flight[i], *b = net->flight[best];
        svr_time at = flight_time(net, f), first = flight_time(net, b);
        if (at < first || (at == first && f->order < b->order))
            best = i;
    }
    return best;
}

static svr_time end_time(const struct pnet *net, int end)
{
    const struct pnet_end *e = &net->end[end];
    svr_time due = svr_pathway_due(e->p), at;
    if (due == SVR_NEVER)
        return SVR_NEVER;
    at = due > e->offset + net->now ? due - e->offset : net->now;
    if (e->traffic && e->next_packet < at)
        at = e->next_packet;
    return at > e->stopped ? at : e->stopped;
}

static svr_time next_time(const struct pnet *net)
{
    svr_time next = SVR_NEVER;
    for (int i = 0; i < 2; i++)
        if (end_time(net, i) < next)
            next = end_time(net, i);
    if (net->flights) {
        svr_time at = flight_time(net, net->flight[next_flight(net)]);
        if (at < next)
            next = at;
    }
    return next > net->now ? next : net->now;
}

static void land(struct pnet *net)
{
    while (net->flights) {
        size_t i = next_flight(net);
        struct pnet_flight *f = net->flight[i];
        if (flight_time(net, f) > net->now)
            return;
        net->flight[i] = net->flight[--net->flights];
        arrive(net, f->to, &f->m);
        free(f);
    }
}

static void step(struct pnet *net)
{
    land(net);
    for (int i = 0; i < 2; i++) {
        struct pnet_end *e = &net->end[i];
        work(net, i);
        if (e->traffic && e->next_packet <= net->now && net->now >= e->stopped)
            send_packet(net, i);
    }
}

void pnet_run(struct pnet *net, svr_time duration)
{
    svr_time until = net->now + duration;
    for (svr_time at = next_time(net); at <= until; at = next_time(net)) {
        net->now = at;
        step(net);
    }
    net->now = until;
}

svr_time pnet_wait(struct pnet *net, int end, uint8_t state, svr_time limit)
{
    svr_time began = net->now;
    while (pnet_info(net, end).state != state) {
        svr_time at = next_time(net);
        cr_assert_leq(at, began + limit, "it takes too long to be %s",
                      svr_bfd_state_name(state));
        net->now = at;
        step(net);
    }
    return net->now - began;
}

void pnet_settle(struct pnet *net)
{
    pnet_wait(net, 0, SVR_BFD_UP, 30 * SVR_SECOND);
    pnet_wait(net, 1, SVR_BFD_UP, 30 * SVR_SECOND);
    pnet_run(net, 90 * SVR_SECOND);
    cr_assert_eq(pnet_info(net, 0).state, SVR_BFD_UP);
    cr_assert_eq(pnet_info(net, 1).state, SVR_BFD_UP);
    net->end[0].changes = net->end[1].changes = 0;
}
