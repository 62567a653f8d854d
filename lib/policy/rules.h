/*
 * rules.h - finds the service of a destination (S5.4).
 *
 * A rule is one prefix and one transport of one service. Rules are sorted by
 * prefix length, then by network, then by how exactly they name a transport.
 * A search looks once into the rules of each length that occurs, the longest
 * first, and takes the first rule of the network that fits.
 */
#ifndef SVR__RULES_H
#define SVR__RULES_H

#include <svr/policy.h>

typedef struct svr__rule {
    svr_addr net; /* host bits are zero */
    uint8_t bits; /* length of the prefix in the mapped form: 96 and more for
                     IPv4 */
    uint8_t proto;
    uint16_t first, last;
    uint32_t service;
} svr__rule;

/* All rules of one family and one length. */
typedef struct svr__rule_level {
    bool v4;
    uint8_t bits;
    uint32_t first, count;
} svr__rule_level;

/* Lengths of IPv4 and of IPv6. */
#define SVR__RULE_LEVELS_MAX (33 + 129)

typedef struct svr__rules {
    svr__rule *rules;
    uint32_t count;
    uint32_t level_count;
    svr__rule_level levels[SVR__RULE_LEVELS_MAX];
} svr__rules;

/* Makes room for count rules. 0, or SVR_ERR_NO_MEMORY. */
int svr__rules_init(svr__rules *r, size_t count, const svr_allocator *alloc);
void svr__rules_fini(svr__rules *r, const svr_allocator *alloc);

/* Rules are put in by index, then sorted once. The prefix and the transport
 * are valid. 0, or SVR_ERR_CONFLICT: two services with one rule. */
void svr__rules_put(svr__rules *r, size_t index, const svr_prefix *prefix,
                    const svr_transport *transport, size_t service);
int svr__rules_sort(svr__rules *r);

/* The service, or SVR_ERR_NO_SERVICE. */
int svr__rules_match(const svr__rules *r, const svr_tuple *t);

#endif
