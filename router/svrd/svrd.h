/* svrd.h - one router and what it consists of, in the order in which it is
 * built. */
#ifndef SVR_ROUTER_SVRD_H
#define SVR_ROUTER_SVRD_H

#include "config/config.h"
#include "control.h"
#include "events.h"
#include "forward.h"
#include "loop.h"
#include "opener.h"
#include "options.h"
#include "privileges.h"
#include "report.h"

struct reload;

struct svrd {
    const struct options *options;
    char *file, *keys; /* of the options, whole; keys may be NULL */
    struct privileges privileges;
    struct opener *opener;  /* NULL: svrd stays who it is */
    struct config *config;  /* what runs */
    svr_identity *identity; /* in guarded memory; NULL: it needed none yet */
    struct port **ports;    /* each from malloc */
    size_t port_count;
    struct forward forward;
    struct control *control;
    svr_node *node;
    struct loop loop;
    struct report report;
    struct events events;
    struct reload *reload; /* under way, or NULL */
};

#endif
