#include "loop.h"

#include "log.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

static void tell_unix_time(const struct loop *l)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    svr_node_set_unix_time(
        l->forward->node,
        (uint64_t)now.tv_sec * SVR_SECOND + (uint64_t)now.tv_nsec, uv_hrtime());
}

/* Ports */

static void stop_port(uv_poll_t *poll, struct port *p)
{
    uv_poll_stop(poll);
    p->failed = true;
    log_error("interface %s: %s is down or gone", p->interface->name,
              p->config->device);
}

static void rest(svr_time time)
{
    const struct timespec t = {.tv_nsec = (long)time};

    if (time > 0)
        nanosleep(&t, NULL);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct loop *l = poll->loop->data;
    struct port *p = poll->data;
    const struct port_counters before = p->counters;

    (void)events;
    if (status < 0 || !forward_receive(l->forward, p)) {
        stop_port(poll, p);
        return;
    }
    rest(pace_rest(
        &l->pace, p->counters.received_frames - before.received_frames,
        p->counters.received_bytes - before.received_bytes, uv_hrtime()));
}

/* The error that ends a poll is cleared by reading. A device that is down says
 * nothing until it is up again. */
static void on_express(uv_poll_t *poll, int status, int events)
{
    const struct loop *l = poll->loop->data;

    (void)events;
    forward_receive_express(l->forward, poll->data);
    if (status < 0)
        uv_poll_start(poll, UV_READABLE, on_express);
}

static void revive_ports(struct loop *l)
{
    for (size_t i = 0; i < l->forward->port_count; i++) {
        struct port *p = l->forward->ports[i];

        if (!p->failed || !port_usable(p) ||
            uv_poll_start(&p->polls->frames, UV_READABLE, on_readable) < 0)
            continue;
        p->failed = false;
        forward_announce(p);
        log_info("interface %s: %s is back", p->interface->name,
                 p->config->device);
    }
}

/* Time */

static void on_expiry(uv_timer_t *timer)
{
    struct loop *l = timer->loop->data;

    l->armed = SVR_NEVER;
    forward_handle_expiry(l->forward);
}

/* Sets the timer before the loop sleeps, if what is due has changed. A timer of
 * the loop counts milliseconds. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct loop *l = prepare->loop->data;
    svr_time due = forward_expiry(l->forward);
    svr_time now, wait;

    if (due == l->armed)
        return;
    l->armed = due;
    if (due == SVR_NEVER) {
        uv_timer_stop(&l->expiry);
        return;
    }
    now = uv_hrtime();
    wait = due > now ? due - now : 0;
    uv_timer_start(&l->expiry, on_expiry,
                   (wait + SVR_MILLISECOND - 1) / SVR_MILLISECOND, 0);
}

static void on_second(uv_timer_t *timer)
{
    struct loop *l = timer->loop->data;

    tell_unix_time(l);
    control_tick(l->control, uv_hrtime());
    if (l->events != NULL)
        events_tick(l->events, uv_hrtime());
    watch_tick(&l->watch, l->forward->node, uv_hrtime());
    revive_ports(l);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    const struct loop *l = handle->loop->data;

    (void)number;
    if (l->hangup != NULL)
        l->hangup(l->user);
}

static void on_signal(uv_signal_t *handle, int number)
{
    log_info("stopping on signal %d", number);
    uv_stop(handle->loop);
}

/* Life */

static int start_poll(struct loop *l, uv_poll_t *poll, struct port *p, int fd,
                      uv_poll_cb callback)
{
    int status = uv_poll_init(&l->uv, poll, fd);

    if (status < 0) {
        log_error("interface %s: %s", p->interface->name, uv_strerror(status));
        return -1;
    }
    poll->data = p;
    uv_poll_start(poll, UV_READABLE, callback);
    return 0;
}

int loop_renew_port(struct loop *l, struct port *p)
{
    struct loop_polls *polls = p->polls;

    if (p->express < 0 || polls->open > 1)
        return 0;
    if (start_poll(l, &polls->express, p, p->express, on_express) < 0)
        return -1;
    polls->open++;
    return 0;
}

int loop_add_port(struct loop *l, struct port *p)
{
    struct loop_polls *polls = calloc(1, sizeof *polls);
    int status;

    p->polls = polls;
    if (polls == NULL) {
        log_error("no memory");
        return -1;
    }
    status = start_poll(l, &polls->frames, p, p->fd, on_readable);
    polls->open += status == 0;
    if (status < 0 || loop_renew_port(l, p) < 0) {
        loop_remove_port(p);
        return -1;
    }
    forward_announce(p);
    return 0;
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct loop_polls *polls = handle->data;

    if (--polls->open == 0)
        free(polls);
}

static void close_poll(struct loop_polls *polls, uv_poll_t *poll)
{
    poll->data = polls;
    uv_close((uv_handle_t *)poll, on_poll_closed);
}

void loop_remove_port(struct port *p)
{
    struct loop_polls *polls = p->polls;
    unsigned open = polls != NULL ? polls->open : 0;

    p->polls = NULL;
    if (open == 0)
        free(polls);
    if (open > 1)
        close_poll(polls, &polls->express);
    if (open > 0)
        close_poll(polls, &polls->frames);
}

static int start_ports(struct loop *l)
{
    for (size_t i = 0; i < l->forward->port_count; i++)
        if (loop_add_port(l, l->forward->ports[i]) < 0)
            return -1;
    return 0;
}

static void start_rest(struct loop *l)
{
    const int numbers[] = {SIGTERM, SIGINT};

    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&l->uv, &l->signals[i]);
        uv_signal_start(&l->signals[i], on_signal, numbers[i]);
    }
    uv_signal_init(&l->uv, &l->signals[2]);
    uv_signal_start(&l->signals[2], on_hangup, SIGHUP);
    uv_prepare_init(&l->uv, &l->prepare);
    uv_prepare_start(&l->prepare, on_prepare);
    uv_timer_init(&l->uv, &l->expiry);
    uv_timer_init(&l->uv, &l->second);
    uv_timer_start(&l->second, on_second, 1000, 1000);
}

int loop_init(struct loop *l, struct forward *forward, struct control *control,
              size_t pathways)
{
    int status;

    memset(l, 0, sizeof *l);
    l->forward = forward;
    l->control = control;
    l->armed = SVR_NEVER;
    status = uv_loop_init(&l->uv);
    if (status < 0) {
        log_error("event loop: %s", uv_strerror(status));
        return -1;
    }
    l->uv.data = l;
    if (watch_init(&l->watch, pathways) < 0) {
        log_error("no memory");
        loop_close(l);
        return -1;
    }
    if (start_ports(l) < 0) {
        loop_close(l);
        return -1;
    }
    start_rest(l);
    tell_unix_time(l);
    return 0;
}

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void loop_close(struct loop *l)
{
    l->closing = true;
    control_close(l->control);
    for (size_t i = 0; i < l->forward->port_count; i++)
        loop_remove_port(l->forward->ports[i]);
    uv_walk(&l->uv, close_handle, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    uv_loop_close(&l->uv);
    watch_free(&l->watch);
}

void loop_run(struct loop *l)
{
    /* A rest is not to last for half as long again. */
    prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    loop_close(l);
}
