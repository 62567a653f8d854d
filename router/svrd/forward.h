/*
 * forward.h - the data path: frames from the ports go to the node in batches,
 * and what the node answers goes to the ports.
 */
#ifndef SVR_ROUTER_FORWARD_H
#define SVR_ROUTER_FORWARD_H

#include "port.h"

struct forward {
    svr_node *node;
    struct port **ports; /* borrowed, as the array is */
    size_t port_count;
    uint8_t *memory; /* of the batch and of what else passes (forward.c) */
    svr_cut rest;    /* a super-packet that the batch has no more room for */
    bool has_rest;
    svr_packet packets[SVR_BATCH_MAX];
};

/* Takes open ports; gives those with Ethernet their neighbours. The node is set
 * by the caller before anything else is called. 0, or -1 where there is no
 * memory. */
int forward_init(struct forward *f, struct port **ports, size_t port_count,
                 const svr_random *random);
/* What a port needs beside its device, which is open. 0, or -1 where there is
 * no memory. forward_init does it for its ports. */
int forward_add(struct forward *f, struct port *p, const svr_random *random);
void forward_remove(struct port *p);
/* A table of neighbours for a port that is to have these addresses, or NULL. */
struct neighbours *forward_neighbours(struct port *p,
                                      const svr_interface_config *interface,
                                      const svr_random *random);
void forward_close(struct forward *f);

/* Sends what the node itself has to say. */
void forward_drain(struct forward *f, svr_time now);

/* To be called when a port can be used, first or again. */
void forward_announce(const struct port *p);

/* Takes what waits at a port, up to a bound, and in between does what is due.
 * False where the device failed. */
bool forward_receive(struct forward *f, struct port *p);
/* Takes only what waits at its second way in (express.h). */
void forward_receive_express(struct forward *f, struct port *p);

/* When forward_handle_expiry is due, or SVR_NEVER. */
svr_time forward_expiry(const struct forward *f);
/* Does what is due, once what came by the second ways is taken: after a halt
 * of this process, what waits there still counts as a sign of life. */
void forward_handle_expiry(struct forward *f);

#endif
