/* report_explain.h - what the control socket says of where a session would go.
 */
#ifndef SVR_ROUTER_REPORT_EXPLAIN_H
#define SVR_ROUTER_REPORT_EXPLAIN_H

#include "report.h"

/* {"command": "explain", "tenant": …, "address": …, "port": …, "protocol": …}:
 * tenant may be "none", protocol a name or a number. The answer's data has what
 * was asked, the service and its policy, the ways in the order in which they
 * would be tried, which of them is the choice, or why there is none. */
json_t *report_explain(const struct report *r, const json_t *request,
                       svr_time now);

#endif
