/* client.h - asking a running svrd. */
#ifndef SVR_ROUTER_SVRCTL_CLIENT_H
#define SVR_ROUTER_SVRCTL_CLIENT_H

#include <jansson.h>
#include <stdio.h>

/* Exit codes of svrctl. */
enum {
    SVRCTL_DONE = 0,
    SVRCTL_ERROR = 1,
    SVRCTL_USAGE = 2,
    SVRCTL_NOT_RUNNING = 3,
};

struct client {
    FILE *stream;
    char *line;
    size_t cap;
};

/* Finds the socket: `socket`, or that of `router`, or where both are NULL the
 * only one there is; writes its path to buf. An exit code; where it is not
 * DONE, the reason was printed. */
int client_find(char *buf, size_t cap, const char *router, const char *socket);

int client_open(struct client *c, const char *path);
void client_close(struct client *c);

/* Sends a request, which is released, and reads the answer. NULL after the
 * reason was printed, also where the answer is an error. */
json_t *client_ask(struct client *c, json_t *request);
/* Reads one more document, likewise. */
json_t *client_next(struct client *c);
/* How long the router may take for a document; 0: for ever. 10 s at first. */
void client_patience(struct client *c, unsigned seconds);

#endif
