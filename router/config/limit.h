/* limit.h - loading with less memory, for tests. */
#ifndef SVR_ROUTER_CONFIG_LIMIT_H
#define SVR_ROUTER_CONFIG_LIMIT_H

#include "config.h"

/* The arguments of config_load_text, and how many bytes a file's values may
 * take, and its result. */
struct load {
    const char *text;
    size_t len;
    const char *file, *router, *keys;
    size_t memory;
    const struct config_opener *opener; /* of key files, or NULL */
};

struct config *config_load_limited(const struct load *load, FILE *out);

#endif
