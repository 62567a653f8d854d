/*
 * forward.h - the data path: frames from the ports go to the node in batches,
 * and what the node answers goes to the ports.
 */
#ifndef SVR_ROUTER_FORWARD_H
#define SVR_ROUTER_FORWARD_H

#include "port.h"

struct forward {
    svr_node *node;
    struct port *ports;
    size_t port_count;
    uint8_t *memory; /* of the batch, and one buffer for the node's output */
    svr_packet packets[SVR_BATCH_MAX];
};

/* Takes open ports; gives those with Ethernet their neighbours. The node is set
 * by the caller before anything else is called. 0, or -1 where there is no
 * memory. */
int forward_init(struct forward *f, struct port *ports, size_t port_count,
                 const svr_random *random);
void forward_close(struct forward *f);

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
