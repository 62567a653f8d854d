/* baseline.h - service policies that need no entry in the file. */
#ifndef SVR_ROUTER_CONFIG_BASELINE_H
#define SVR_ROUTER_CONFIG_BASELINE_H

#include <svr/policy.h>

struct baseline {
    const char *name;
    svr_service_policy policy;
};

/* The one of that name, or NULL. */
const struct baseline *baseline_find(const char *name);
size_t baseline_count(void);
const char *baseline_name(size_t i);

#endif
