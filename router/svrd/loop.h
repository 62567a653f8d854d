/* loop.h - the event loop: ports, timers, signals and the control socket. */
#ifndef SVR_ROUTER_LOOP_H
#define SVR_ROUTER_LOOP_H

#include "control.h"
#include "events.h"
#include "forward.h"
#include "pace.h"
#include "watch.h"

struct loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_timer_t expiry; /* for what forward_expiry says */
    uv_timer_t
        second; /* for Unix time, clients, ports that came back, the log */
    uv_signal_t signals[3];
    struct forward *forward;
    struct control *control;
    struct watch watch;
    struct pace pace;           /* of all ports together */
    struct events *events;      /* for the caller to set */
    svr_time armed;             /* what the timer is set to */
    bool closing;               /* it only waits for its handles */
    void (*hangup)(void *user); /* on SIGHUP, or NULL; for the caller to set */
    void *user;
};

/* What waits for the frames of a port. */
struct loop_polls {
    uv_poll_t frames, express; /* the latter where the port has a second way */
    unsigned open;             /* how many of both */
};

/* Starts everything; 0, or -1 after one line in the log. control may be without
 * a listener yet. */
int loop_init(struct loop *l, struct forward *forward, struct control *control,
              size_t pathways);
/* Waits for the frames of one more port, or of one less. loop_init does it for
 * those that there are. 0, or -1 after one line in the log. */
int loop_add_port(struct loop *l, struct port *p);
void loop_remove_port(struct port *p);
/* The port may have a second way now. */
int loop_renew_port(struct loop *l, struct port *p);
/* Runs until SIGTERM or SIGINT; closes all handles, those of control too. */
void loop_run(struct loop *l);
/* Instead of loop_run, where something else failed. */
void loop_close(struct loop *l);

#endif
