/*
 * build.h - from the values of a file without problems to what one
 * router needs.
 */
#ifndef SVR_ROUTER_CONFIG_BUILD_H
#define SVR_ROUTER_CONFIG_BUILD_H

#include "config.h"
#include "read.h"

/* What config_load returns, with what it lies in. */
struct loaded {
    struct config config; /* first */
    struct arena arena;
    svr_security_config *securities; /* guarded memory */
};

/* How the parts of a build find each other. */
struct builder {
    const struct value *root, *router;
    struct loaded *out;
    struct report *report;
    const char *file;                   /* its name */
    const char *keys;                   /* the folder of the key files */
    const struct config_opener *opener; /* or NULL */
};

/* Fills in out->config for the router. False without memory or with a problem
 * of a key file reported. */
bool build_config(struct builder *b);

/* The parts of it, likewise. */
bool build_policy(struct builder *b);
bool build_interfaces(struct builder *b);
/* Peers, securities and pathways. */
bool build_pathways(struct builder *b);
/* Needs the pathways. */
bool build_routes(struct builder *b);

/* Reads the keys of all security policies and forgets them. */
bool build_check_keys(struct builder *b);

/* An array or a text that lives as long as the configuration. */
void *build_array(struct builder *b, size_t count, size_t size);
const char *build_text(struct builder *b, const char *text);

#endif
