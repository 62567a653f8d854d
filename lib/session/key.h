/*
 * key.h - what flows are found by: a tuple and the interface that it arrives
 * on.
 */
#ifndef SVR_LIB_SESSION_KEY_H
#define SVR_LIB_SESSION_KEY_H

#include <svr/base.h>

/* No padding, so that it can be hashed and compared as bytes. */
typedef struct svr__flow_key {
    svr_addr src, dst;
    uint16_t sport, dport;
    uint16_t iface;
    uint8_t proto;
    uint8_t zero;
} svr__flow_key;

_Static_assert(sizeof(svr__flow_key) == 40, "a flow key has no padding");

static inline svr__flow_key svr__flow_key_of(const svr_tuple *t, uint16_t iface)
{
    return (svr__flow_key){
        .src = t->src,
        .dst = t->dst,
        .sport = t->sport,
        .dport = t->dport,
        .iface = iface,
        .proto = t->proto,
    };
}

static inline svr_tuple svr__flow_key_tuple(const svr__flow_key *k)
{
    return (svr_tuple){k->src, k->dst, k->sport, k->dport, k->proto};
}

#endif
