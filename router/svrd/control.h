/*
 * control.h - the control socket: one line of JSON asks, one line of JSON
 * answers. A client may also listen: it gets what is published until it leaves.
 * Clients are bounded in number, in the length of a request, in what waits for
 * them and in time, and never hold the loop.
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
/* What waits for a client that listens. */
#define CONTROL_BACKLOG ((size_t)256 << 10)

struct control;
struct control_client;

/* Takes a request, whose line is valid during the call. Each is answered by
 * control_reply or control_listen_on, now or later. */
typedef void control_handler(void *user, struct control_client *client,
                             const char *line, size_t len);
/* The line that tells a listener of lines that it has missed, in memory from
 * malloc, or NULL. */
typedef char *control_gap(uint64_t lines);

/* Makes the socket, but nobody can connect before control_listen. The socket of
 * a router that is dead is replaced. Where path lies in PATHS_RUN, that folder
 * is made; it and the socket are given to owner. NULL after one line in the
 * log. */
struct control *control_open(const char *path, const struct privileges *owner);
/* 0, or -1 after one line in the log. */
int control_listen(struct control *c, uv_loop_t *loop, control_handler *handler,
                   void *user);

/* The answer: one line with its newline, in memory from malloc, which is taken;
 * NULL ends the client. */
void control_reply(struct control_client *client, char *line);
/* The client is sent this line, as by control_reply, and from then on what is
 * published; it cannot ask any more. */
void control_listen_on(struct control_client *client, char *line,
                       control_gap *gap);
/* Whether anybody would get what is published. */
bool control_has_listeners(const struct control *c);
/* One line with its newline for all who listen. A listener that is behind by
 * more than CONTROL_BACKLOG misses lines, and is told how many. */
void control_publish(struct control *c, const char *line, size_t len);
/* So many lines that were never made are missing for all who listen. */
void control_publish_gap(struct control *c, uint64_t lines);

/* Ends clients that took too long. To be called every second or so. */
void control_tick(struct control *c, svr_time now);
/* Removes the socket and closes all handles. */
void control_close(struct control *c);
/* To be called when the loop has ended. NULL is allowed. */
void control_free(struct control *c);

#endif
