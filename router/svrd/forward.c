#include "forward.h"

#include "express.h"
#include "neighbour.h"
#include "offload.h"
#include "send.h"

#include <stdlib.h>
#include <string.h>
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

/* Buffers beside those of the batch */
enum {
    HELD = SVR_BATCH_MAX, /* two for what the node says, in turn */
    REST = HELD + 2,      /* one for a super-packet of UDP */
    BUFFERS,
};

/* Packets to and from the ports */

static uint8_t *buffer(const struct forward *f, size_t index)
{
    return f->memory + index * STRIDE;
}

static void send_batch(struct forward *f, size_t count, svr_time now)
{
    struct send s;

    send_begin(&s, f, now);
    for (size_t i = 0; i < count; i++)
        if (f->packets[i].verdict == SVR_VERDICT_FORWARD)
            send_add(&s, &f->packets[i]);
    send_end(&s);
}

void forward_drain(struct forward *f, svr_time now)
{
    svr_packet pkt[2];
    struct send s;
    size_t at = 0;

    send_begin(&s, f, now);
    while (svr_node_output(f->node, &pkt[at], buffer(f, HELD + at) + PORT_FRONT,
                           PORT_BUFFER - PORT_FRONT, now) > 0)
        if (send_add(&s, &pkt[at]))
            at = !at;
    send_end(&s);
}

/* The datagrams of a super-packet: the node knows no such. */
static bool take_apart(struct forward *f, svr_packet *pkt)
{
    uint8_t *bytes = buffer(f, REST) + PORT_IP_AT;
    svr_headers h;

    if (pkt->segment_size == 0 || !offload_is_udp(pkt) ||
        svr_packet_parse(&h, pkt) < 0)
        return false;
    memcpy(bytes, pkt->data, pkt->len);
    pkt->data = bytes;
    f->has_rest = svr_cut_begin(&f->rest, pkt, &h, pkt->segment_size) == 0;
    return f->has_rest;
}

/* Datagrams of the rest that the batch has room for. */
static void take_rest(struct forward *f, size_t *count)
{
    while (f->has_rest && *count < SVR_BATCH_MAX) {
        uint8_t *buf = buffer(f, *count);

        if (svr_cut_next(&f->rest, &f->packets[*count], buf + PORT_FRONT,
                         PORT_BUFFER - PORT_FRONT) == 0)
            ++*count;
        f->has_rest = svr_cut_more(&f->rest);
    }
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

    while (frames++ < SVR_BATCH_MAX && *count < SVR_BATCH_MAX &&
           bytes < BATCH_BYTES) {
        svr_packet *frame = &f->packets[*count];

        got = read(p, frame, buffer(f, *count));
        if (got <= 0)
            break;
        bytes += frame->len;
        if (!take_frame(p, frame, now))
            continue;
        if (take_apart(f, frame))
            take_rest(f, count);
        else
            ++*count;
    }
    return got;
}

/* Reads a batch and sends what becomes of it; returns as read_batch. */
static int pass_batch(struct forward *f, struct port *p, read_fn *read)
{
    svr_time now = uv_hrtime();
    size_t count = 0;
    int got = read_batch(f, p, read, &count, now);

    while (count > 0) {
        svr_node_input(f->node, f->packets, count, now);
        send_batch(f, count, now);
        forward_drain(f, now);
        count = 0;
        take_rest(f, &count);
    }
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
    f->has_rest = false;
    f->memory = aligned_alloc(64, STRIDE * BUFFERS);
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
