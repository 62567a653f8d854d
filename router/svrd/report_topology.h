/* report_topology.h - what the router knows of the network. */
#ifndef SVR_ROUTER_REPORT_TOPOLOGY_H
#define SVR_ROUTER_REPORT_TOPOLOGY_H

#include "report.h"

/* The next entry, a router or a direction of a pathway, or NULL: as
 * svr_node_session_next walks. */
json_t *report_topology(const struct report *r, size_t *cursor, svr_time now);

#endif
