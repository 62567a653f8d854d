/*
 * send.h - packets on their way from the node to the ports. Those that follow
 * each other leave as one super-packet where the device takes such (S4.8), so
 * that they cost what one does.
 */
#ifndef SVR_ROUTER_SEND_H
#define SVR_ROUTER_SEND_H

#include "forward.h"

/* Packets are added in the order in which they leave. What was added last is
 * held until the next one, or the end, shows whether more can be joined to it:
 * so long it and its bytes have to stay. */
struct send {
    struct forward *forward;
    svr_time now;
    svr_packet *first; /* what is held, or NULL */
    svr_join join;
    size_t count; /* packets that it stands for */
    bool joins;
};

void send_begin(struct send *s, struct forward *f, svr_time now);
/* Whether pkt is held now; otherwise it was joined to what is, and is not
 * needed any more. */
bool send_add(struct send *s, svr_packet *pkt);
void send_end(struct send *s);

#endif
