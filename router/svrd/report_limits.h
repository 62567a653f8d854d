/* report_limits.h - which limits of service policies a pathway breaks. */
#ifndef SVR_ROUTER_REPORT_LIMITS_H
#define SVR_ROUTER_REPORT_LIMITS_H

#include "report.h"

/* How many services are named at most. */
#define REPORT_LIMITS_MAX 16

/* The names of the services for which the pathway is by itself beyond a limit
 * (S16.2), or null where it is not measured or no service has limits. */
json_t *report_beyond(const struct report *r, const svr_pathway_info *info);

#endif
