/*
 * express.h - a port's second way in, for what must not wait behind data, nor
 * be lost with it: BFD and its probes, and the neighbour discovery without
 * which no answer goes out. Only ports with pathways have one.
 *
 * It is a packet socket on the port's device, with a filter and a buffer of its
 * own. The device still delivers what comes by it, and the port passes over
 * that.
 */
#ifndef SVR_ROUTER_EXPRESS_H
#define SVR_ROUTER_EXPRESS_H

#include "port.h"

/* Opens the way for a port that is open. A port does without one where that
 * fails, after one line in the log. */
void express_open(struct port *p, const svr_node_config *node);
/* The same for another configuration, in which the port has other pathways; a
 * way that is open stays. */
void express_renew(struct port *p, const svr_node_config *node);
void express_close(struct port *p);

/* Reads one frame, as port_read; 1, or 0 where there is none now. */
int express_read(struct port *p, svr_packet *frame, uint8_t *buf);

/* Whether a frame of the device comes by this way as well. */
bool express_takes(const struct port *p, const svr_packet *frame);

#endif
