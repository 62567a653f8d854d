/* requests.h - what the control socket is asked. */
#ifndef SVR_ROUTER_REQUESTS_H
#define SVR_ROUTER_REQUESTS_H

#include "svrd.h"

/*
 * A control_handler with a struct svrd: {"command": "reload"}, "diff" with
 * "file", and with it the former, too, or "events", after which the client
 * listens; report_answer has the rest.
 */
void requests_handle(void *user, struct control_client *client,
                     const char *line, size_t len);

#endif
