/* scalar.h - what the readers of single values share. */
#ifndef SVR_ROUTER_CONFIG_SCALAR_H
#define SVR_ROUTER_CONFIG_SCALAR_H

#include "read.h"

/* A value whose text is to be understood. */
struct scalar {
    struct report *report;
    const struct schema_key *key;
    struct value *v;
};

/* Report "found this, expected" what the format says, or what the type is. Both
 * return false. */
__attribute__((format(printf, 2, 3))) bool
scalar_refuse(const struct scalar *s, const char *format, ...);
bool scalar_refuse_type(const struct scalar *s);

/* Decimal digits and nothing else, without leading zeros, up to max. */
bool scalar_parse_whole(uint64_t *out, const char *text, uint64_t max);

/* Readers of one type each: fill in s->v, or report a problem. */
bool scalar_read_address(const struct scalar *s);
bool scalar_read_interface_address(const struct scalar *s);
bool scalar_read_prefix(const struct scalar *s);
bool scalar_read_mac(const struct scalar *s);

#endif
