/* commands.h - what svrctl can be told to do. */
#ifndef SVR_ROUTER_COMMANDS_H
#define SVR_ROUTER_COMMANDS_H

#include "client.h"

#include <stdbool.h>

struct options {
    const char *router, *socket;
    bool json;
    bool prometheus;  /* of counters alone */
    bool dot, svg;    /* of topology alone */
    const char *keys; /* these two of keygen */
    bool public_only;
};

struct command {
    const char *name;
    const char *usage; /* behind the name */
    int least, most;   /* arguments behind it */
    bool alone;        /* no router is asked: c is NULL */
    /* args ends with NULL. An exit code. */
    int (*run)(struct client *c, const struct options *o, char **args);
};

/* NULL: there is none of that name. */
const struct command *command_find(const char *name);

#endif
