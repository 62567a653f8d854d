/* options.h - svrd's command line. */
#ifndef SVR_ROUTER_OPTIONS_H
#define SVR_ROUTER_OPTIONS_H

#include <stdbool.h>

struct options {
    const char *file;
    const char *router; /* NULL: the host's name, or with check all routers */
    const char *keys;   /* NULL: the file's folder */
    const char *socket; /* NULL: /run/svr/ROUTER.sock */
    const char *state;
    const char *user; /* NULL: svr or nobody, when started as root */
    bool check;
};

/* What options_read answers. */
enum options_result {
    OPTIONS_RUN,
    OPTIONS_DONE,  /* help or version was printed */
    OPTIONS_WRONG, /* usage was printed to standard error */
};

/* Reads the command line; sets the log level. */
enum options_result options_read(struct options *o, int argc, char **argv);

#endif
