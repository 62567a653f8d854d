/* prometheus.h - counters and measurements in the text format of Prometheus,
 * version 0.0.4. */
#ifndef SVR_ROUTER_SVRCTL_PROMETHEUS_H
#define SVR_ROUTER_SVRCTL_PROMETHEUS_H

#include <jansson.h>
#include <stdio.h>

/* Takes the "data" of status, counters, all of paths and all of keys. */
void prometheus_print(const json_t *status, json_t *counters, json_t *paths,
                      json_t *keys, FILE *out);

#endif
