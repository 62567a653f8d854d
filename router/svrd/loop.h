/* loop.h - the event loop: ports, timers, signals and the control socket. */
#ifndef SVR_ROUTER_LOOP_H
#define SVR_ROUTER_LOOP_H

#include "control.h"
#include "forward.h"
#include "watch.h"

struct loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_timer_t expiry; /* for what forward_expiry says */
    uv_timer_t
        second; /* for Unix time, clients, ports that came back, the log */
    uv_signal_t signals[2];
    uv_poll_t *polls; /* of each port, then of each one's second way in */
    struct forward *forward;
    struct control *control;
    struct watch watch;
    svr_time armed; /* what the timer is set to */
};

/* Starts everything; 0, or -1 after one line in the log. control may be without
 * a listener yet. */
int loop_init(struct loop *l, struct forward *forward, struct control *control,
              size_t pathways);
/* Runs until SIGTERM or SIGINT; closes all handles, those of control too. */
void loop_run(struct loop *l);
/* Instead of loop_run, where something else failed. */
void loop_close(struct loop *l);

#endif
