/* events.h - what happens in the router, for clients that listen. */
#ifndef SVR_ROUTER_EVENTS_H
#define SVR_ROUTER_EVENTS_H

#include "control.h"

#include <jansson.h>

/* More than this in a second are counted and not made. */
#define EVENTS_PER_SECOND 5000

struct events {
    struct control *control;
    svr_time second; /* that the count is of */
    unsigned count;
    uint64_t missed; /* not made in it */
};

/* To be told of: svr_notify.event with a struct events. */
void events_notify(void *user, const svr_event *event);

/* {"event": NAME, "time": …} with the members of data, which is taken. Nothing
 * is made of it where nobody listens. */
void events_tell(struct events *e, const char *name, json_t *data);

/* To be called every second: says what is missing. */
void events_tick(struct events *e, svr_time now);

/* The client is told all that happens from now on. */
void events_listen(struct control_client *client);

#endif
