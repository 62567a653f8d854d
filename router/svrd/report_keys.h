/* report_keys.h - what the control socket says of keys that are exchanged:
 * which there are, never what they are. */
#ifndef SVR_ROUTER_REPORT_KEYS_H
#define SVR_ROUTER_REPORT_KEYS_H

#include "report.h"

json_t *report_key(const svr_node_key *key, svr_time now);
/* A number for each verdict on messages of the exchange. */
json_t *report_exchange(const svr_counters *c);
/* Answers {"command": "rekey"}, with "peer" for one alone. */
json_t *report_rekey(const struct report *r, const json_t *request,
                     svr_time now);

#endif
