#include "forward.h"

#include "express.h"
#include "neighbour.h"

#include <stdlib.h>
#include <uv.h>

/* Distance of two buffers: an odd number of cache lines, so that the headers of
 * a batch do not fall into the same few cache sets. */
#define STRIDE (((PORT_BUFFER + 63) / 64 | 1) * (size_t)64)

/* A batch of super-packets ends here, so that it stays in the cache. */
#define BATCH_BYTES ((size_t)256 * 1024)

/* Batches in a row from one port, before the others have their turn. */
#define ROUNDS 4

/* Batches in a row from a second way in: more than its buffer holds. */
#define EXPRESS_ROUNDS 256

/* Packets to and from the ports */

/* The station that a packet goes to: *to stays NULL without Ethernet. False
 * where it is not known: then the packet waits, or is lost. */
static bool find_station(struct forward *f, const svr_packet *pkt,
                         const uint8_t **to, svr_time now)
{
    struct port *p = f->ports[pkt->iface];
    enum svr_drop reason;

    *to = NULL;
    if (p->neighbours == NULL)
        return true;
    *to = neighbours_find(p->neighbours, &pkt->next_hop);
    if (*to != NULL)
        return true;
    reason = neighbours_wait(p->neighbours, pkt, now);
    if (reason == SVR_DROP_NONE)
        svr_node_held(f->node, pkt, 1);
    else
        svr_node_lost(f->node, pkt, reason);
    return false;
}

static void send_packet(struct forward *f, const svr_packet *pkt, svr_time now)
{
    const uint8_t *to;

    if (find_station(f, pkt, &to, now) &&
        !port_write(f->ports[pkt->iface], pkt, to))
        svr_node_lost(f->node, pkt, SVR_DROP_TRANSMIT);
}

static bool same_way(const svr_packet *a, const svr_packet *b)
{
    return b->verdict == SVR_VERDICT_FORWARD && b->alone &&
           a->iface == b->iface && svr_addr_equal(&a->next_hop, &b->next_hop);
}

/* Joins to the first packet those of the batch that follow it, where its device
 * takes super-packets; only those that the other router may have cut (S4.8).
 * Returns how many packets it is now, itself included. */
static size_t join_run(const struct forward *f, svr_packet *first,
                       const svr_packet *end)
{
    const svr_packet *next = first + 1;
    svr_join join;

    if (next == end || !first->alone || !same_way(first, next) ||
        !f->ports[first->iface]->interface->offload ||
        !svr_join_begin(&join, first))
        return 1;
    while (next < end && same_way(first, next) && svr_join_add(&join, next))
        next++;
    svr_join_end(&join);
    return (size_t)(next - first);
}

/* Sends the first packet and what can be joined to it; returns how many packets
 * those are. */
static size_t send_run(struct forward *f, svr_packet *first,
                       const svr_packet *end, svr_time now)
{
    const uint8_t *to;
    size_t count;

    if (!find_station(f, first, &to, now))
        return 1;
    count = join_run(f, first, end);
    if (!port_write(f->ports[first->iface], first, to))
        for (size_t i = 0; i < count; i++)
            svr_node_lost(f->node, &first[i], SVR_DROP_TRANSMIT);
    return count;
}

static void send_batch(struct forward *f, size_t count, svr_time now)
{
    svr_packet *end = f->packets + count;

    for (svr_packet *pkt = f->packets; pkt < end;)
        if (pkt->verdict == SVR_VERDICT_FORWARD)
            pkt += send_run(f, pkt, end, now);
        else
            pkt++;
}

static uint8_t *buffer(const struct forward *f, size_t index)
{
    return f->memory + index * STRIDE;
}

void forward_drain(struct forward *f, svr_time now)
{
    uint8_t *buf = buffer(f, SVR_BATCH_MAX) + PORT_FRONT;
    svr_packet pkt;

    while (svr_node_output(f->node, &pkt, buf, PORT_BUFFER - PORT_FRONT, now) >
           0)
        send_packet(f, &pkt, now);
}

/* Whether a frame holds a packet for the node; the rest is dealt with here. */
static bool take_frame(struct port *p, svr_packet *frame, svr_time now)
{
    if (!p->ethernet)
        return true;
    switch (ether_classify(frame->data, frame->len, p->mac)) {
    case ETHER_KIND_IP:
        ether_pull(frame);
        return true;
    case ETHER_KIND_NEIGHBOUR:
        neighbours_input(p->neighbours, frame->data, frame->len, now);
        break;
    case ETHER_KIND_FOREIGN:
        p->counters.foreign++;
        break;
    case ETHER_KIND_UNKNOWN:
        p->counters.unknown++;
        break;
    case ETHER_KIND_RUNT:
        p->counters.short_frames++;
        break;
    }
    return false;
}

/* Reads one frame of a port: port_read or express_read. */
typedef int read_fn(struct port *p, svr_packet *frame, uint8_t *buf);

/* Reads a batch. Returns what the last read answered: 1 where more may wait. */
static int read_batch(struct forward *f, struct port *p, read_fn *read,
                      size_t *count, svr_time now)
{
    size_t bytes = 0;
    size_t frames = 0;
    int got = 1;

    *count = 0;
    while (frames++ < SVR_BATCH_MAX && bytes < BATCH_BYTES) {
        svr_packet *frame = &f->packets[*count];

        got = read(p, frame, buffer(f, *count));
        if (got <= 0)
            break;
        bytes += frame->len;
        if (take_frame(p, frame, now))
            ++*count;
    }
    return got;
}

/* Reads a batch and sends what becomes of it; returns as read_batch. */
static int pass_batch(struct forward *f, struct port *p, read_fn *read)
{
    svr_time now = uv_hrtime();
    size_t count;
    int got = read_batch(f, p, read, &count, now);

    if (count == 0)
        return got;
    svr_node_input(f->node, f->packets, count, now);
    send_batch(f, count, now);
    forward_drain(f, now);
    return got;
}

void forward_receive_express(struct forward *f, struct port *p)
{
    int round = 0;

    while (round++ < EXPRESS_ROUNDS && pass_batch(f, p, express_read) > 0)
        ;
}

bool forward_receive(struct forward *f, struct port *p)
{
    int got = 1;

    for (int round = 0; round < ROUNDS && got > 0; round++) {
        forward_receive_express(f, p);
        got = pass_batch(f, p, port_read);
        if (forward_expiry(f) <= uv_hrtime())
            forward_handle_expiry(f);
    }
    return got >= 0;
}

void forward_announce(const struct port *p)
{
    if (p->neighbours != NULL)
        neighbours_announce(p->neighbours);
}

/* What the neighbours want done */

static void neighbour_send(void *user, const uint8_t *frame, size_t len)
{
    port_write_frame(user, frame, len);
}

static void neighbour_ready(void *user, svr_packet *pkt,
                            const uint8_t mac[ETHER_ADDR])
{
    struct port *p = user;

    svr_node_held(p->forward->node, pkt, -1);
    if (!port_write(p, pkt, mac))
        svr_node_lost(p->forward->node, pkt, SVR_DROP_TRANSMIT);
}

static void neighbour_lost(void *user, const svr_packet *pkt,
                           enum svr_drop reason)
{
    struct port *p = user;

    svr_node_held(p->forward->node, pkt, -1);
    svr_node_lost(p->forward->node, pkt, reason);
}

/* Time */

svr_time forward_expiry(const struct forward *f)
{
    svr_time due = svr_node_expiry(f->node);

    for (size_t i = 0; i < f->port_count; i++) {
        struct neighbours *t = f->ports[i]->neighbours;

        if (t != NULL && neighbours_expiry(t) < due)
            due = neighbours_expiry(t);
    }
    return due;
}

void forward_handle_expiry(struct forward *f)
{
    svr_time now;

    for (size_t i = 0; i < f->port_count; i++)
        forward_receive_express(f, f->ports[i]);
    now = uv_hrtime();
    for (size_t i = 0; i < f->port_count; i++)
        if (f->ports[i]->neighbours != NULL)
            neighbours_handle_expiry(f->ports[i]->neighbours, now);
    if (svr_node_expiry(f->node) <= now)
        svr_node_handle_expiry(f->node, now);
    forward_drain(f, now);
}

/* Life */

struct neighbours *forward_neighbours(struct port *p,
                                      const svr_interface_config *interface,
                                      const svr_random *random)
{
    struct neighbour_actions actions = {
        .send = neighbour_send,
        .ready = neighbour_ready,
        .lost = neighbour_lost,
        .user = p,
    };

    return neighbours_create(p->mac, interface->addresses,
                             interface->address_count, &actions, random);
}

int forward_add(struct forward *f, struct port *p, const svr_random *random)
{
    p->forward = f;
    if (!p->ethernet)
        return 0;
    p->neighbours = forward_neighbours(p, p->interface, random);
    return p->neighbours != NULL ? 0 : -1;
}

int forward_init(struct forward *f, struct port **ports, size_t port_count,
                 const svr_random *random)
{
    f->ports = ports;
    f->port_count = port_count;
    f->node = NULL;
    f->memory = aligned_alloc(64, STRIDE * (SVR_BATCH_MAX + 1));
    if (f->memory == NULL)
        return -1;
    for (size_t i = 0; i < port_count; i++)
        if (forward_add(f, ports[i], random) < 0)
            return -1;
    return 0;
}

void forward_remove(struct port *p)
{
    neighbours_destroy(p->neighbours);
    p->neighbours = NULL;
}

void forward_close(struct forward *f)
{
    for (size_t i = 0; i < f->port_count; i++)
        forward_remove(f->ports[i]);
    free(f->memory);
    f->memory = NULL;
}
