/* state.h - what a router remembers over restarts: its boot counter. */
#ifndef SVR_ROUTER_STATE_H
#define SVR_ROUTER_STATE_H

#include <stdint.h>

#define STATE_DIRECTORY "/var/lib/svr"

/* Raises the counter in directory/router.boot and makes sure that it is on the
 * disk before anything uses it. 0, or -1 after one line in the log. */
int state_next_boot(uint32_t *boot, const char *directory, const char *router);

#endif
