/* diff.h - what one configuration changes of another, as JSON. */
#ifndef SVR_ROUTER_DIFF_H
#define SVR_ROUTER_DIFF_H

#include "config/config.h"

#include <jansson.h>

/*
 * A list of {"part": "interface", "name": "lan0", "change": "changed", "what":
 * ["mtu"]}; a part that was added or removed has no "what". Both are for the
 * same router: of the authority's other routers only the names count. Keys are
 * compared and never shown.
 */
json_t *diff_configs(const struct config *old, const struct config *new);

#endif
