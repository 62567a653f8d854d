/*
 * control.h - the control socket: one line of JSON asks, one line of JSON
 * answers. Clients are bounded in number, in the length of a request and in
 * time, and never hold the loop.
 */
#ifndef SVR_ROUTER_CONTROL_H
#define SVR_ROUTER_CONTROL_H

#include "privileges.h"

#include <svr/svr.h>
#include <uv.h>

#define CONTROL_CLIENTS 16
#define CONTROL_REQUEST 1024
/* A client that is silent, or does not take its answer, for this long. */
#define CONTROL_PATIENCE (10 * SVR_SECOND)

struct control;

/* The answer to a request, one line in memory from malloc, or NULL. */
typedef char *control_answer(void *user, const char *line, size_t len);

/* Makes the socket, but nobody can connect before control_listen. The socket of
 * a router that is dead is replaced. Where path lies in PATHS_RUN, that folder
 * is made; it and the socket are given to owner. NULL after one line in the
 * log. */
struct control *control_open(const char *path, const struct privileges *owner);
/* 0, or -1 after one line in the log. */
int control_listen(struct control *c, uv_loop_t *loop, control_answer *answer,
                   void *user);
/* Ends clients that took too long. To be called every second or so. */
void control_tick(struct control *c, svr_time now);
/* Removes the socket and closes all handles. */
void control_close(struct control *c);
/* To be called when the loop has ended. NULL is allowed. */
void control_free(struct control *c);

#endif
