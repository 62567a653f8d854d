/*
 * check.h - what the file's values must be to each other.
 *
 * Values in which a problem was found already are passed over, so that one
 * mistake is told once.
 */
#ifndef SVR_ROUTER_CONFIG_CHECK_H
#define SVR_ROUTER_CONFIG_CHECK_H

#include "read.h"

#include <svr/svr.h>

struct checker {
    const struct value *root;
    struct arena *arena; /* for what is needed on the way */
    struct report *report;
};

/* Checks the whole authority. False without memory; problems only show in the
 * report. */
bool check_values(struct checker *c);

/* The parts of it, likewise. */
bool check_routers(struct checker *c);
bool check_pathways(struct checker *c);
bool check_identities(struct checker *c);
bool check_services(struct checker *c);
bool check_policies(struct checker *c);
/* What a service names as its policy. */
void check_policy_of(struct checker *c, const struct value *service);

/* Reports text as no entry of list, unless it is one or the list is broken.
 * what is what was expected ("a tenant"). */
const struct value *check_reference(struct checker *c,
                                    const struct value *reference,
                                    const struct value *list, const char *what);

/* Something that may be claimed once: a key of len bytes, and by whom. */
struct claim {
    const void *key;
    size_t len;
    const struct value *by;
};

/* count claims that are all different; NULL without memory. */
struct claim *check_claims(struct checker *c, size_t count);
/* Reports each claim whose key an earlier one has. what names the thing that
 * is claimed ("the device"). Sorts the claims. */
void check_distinct(struct checker *c, struct claim *claims, size_t count,
                    const char *what);

/* Whether the interface reaches the address without a gateway. */
bool interface_reaches(const struct value *iface, const svr_addr *a);
/* The interface's own address that is a, or NULL. */
const struct value *interface_address(const struct value *iface,
                                      const svr_addr *a);
/* Its first address or gateway (key) of a family, or NULL. */
const struct value *interface_of_family(const struct value *iface, unsigned key,
                                        bool v4);

/* The waypoint of a pathway's own end: `local`, or the first address of the
 * family of `remote` that the interface has. NULL: there is none. */
const struct value *pathway_local(const struct value *router,
                                  const struct value *pathway);
/* The peer's entry for the same pathway, in a file without problems. */
const struct value *pathway_reverse(const struct value *root,
                                    const struct value *router,
                                    const struct value *pathway);

/* Whether two routers exchange their keys, by a security policy, and on a
 * pathway, which is not broken. */
bool security_is_exchanged(const struct value *security);
bool pathway_is_exchanged(const struct value *root,
                          const struct value *pathway);

/* A service's protocols and ports, each range of ports by itself; without any
 * one that is everything. Returns their number; out may be NULL. */
size_t service_transports(const struct value *service, svr_transport *out);

#endif
