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
    svr_security_config *securities; /* these two in guarded memory */
    uint8_t *identity;
};

/* How the parts of a build find each other. */
struct builder {
    const struct value *root, *router;
    struct loaded *out;
    struct report *report;
    const char *file;                   /* its name */
    const char *keys;                   /* the folder of the key files */
    const struct config_opener *opener; /* or NULL */
    bool secrets; /* the router's private half is there to be read */
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
/* The names of vectors, which the policy and the pathways need. */
bool build_vectors(struct builder *b);
/* The place of the vector that a pathway has. */
uint16_t build_vector_of(const struct builder *b, const struct value *pathway);
/* What both directions of a pathway have in common: the lower place of theirs
 * among those of all routers. */
uint32_t build_link_of(const struct builder *b, const struct value *router,
                       const struct value *pathway);
/* The place of that name. */
uint16_t build_vector(const struct builder *b, const char *name);
/* Pathways of the other routers, and where services leave. */
bool build_topology(struct builder *b);

/* The router's identity, and how long keys that are exchanged are used. */
bool build_identity(struct builder *b);
/* That of a peer, which may have none. */
bool build_peer_identity(struct builder *b, const struct value *peer,
                         svr_peer_config *out);

/* Reads the keys of all security policies and forgets them. */
bool build_check_keys(struct builder *b);

/* An array or a text that lives as long as the configuration. */
void *build_array(struct builder *b, size_t count, size_t size);
const char *build_text(struct builder *b, const char *text);
/* The path of a file in the folder of keys, to be freed, or NULL. */
char *build_key_path(const struct builder *b, const char *file);

#endif
