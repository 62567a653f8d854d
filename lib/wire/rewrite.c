#include <assert.h>

#include "wire/checksum.h"
#include "wire/headers.h"

/* The TTL shares its word with the protocol: what one less adds to a sum. */
#define TTL_DELTA 0xfeff

/* An IPv4 address sums up to the same as its mapped form: the prefix adds
 * 0xffff, which is zero in one's complement. */
static uint16_t sum_addresses(const svr_tuple *t)
{
    return svr__sum_fold((uint32_t)svr__sum(t->src.b, sizeof(t->src.b)) +
                         svr__sum(t->dst.b, sizeof(t->dst.b)));
}

void svr_rewrite_init(svr_rewrite *rw, const svr_tuple *from,
                      const svr_tuple *to)
{
    *rw = (svr_rewrite){
        .src = to->src,
        .dst = to->dst,
        .sport = to->sport,
        .dport = to->dport,
        .addr_delta = svr__sum_delta(sum_addresses(from), sum_addresses(to)),
        .port_delta =
            svr__sum_delta(svr__sum_fold((uint32_t)from->sport + from->dport),
                           svr__sum_fold((uint32_t)to->sport + to->dport)),
    };
}

static void rewrite_v4(uint8_t *ip, uint8_t ttl, const svr_rewrite *rw)
{
    uint16_t checksum = svr__load_be16(ip + IP4_CHECKSUM);

    checksum =
        svr__checksum_update(checksum, (uint32_t)rw->addr_delta + TTL_DELTA);
    svr__store_be16(ip + IP4_CHECKSUM, checksum);
    svr__store_v4(ip + IP4_SRC, &rw->src);
    svr__store_v4(ip + IP4_DST, &rw->dst);
    ip[IP4_TTL] = ttl;
}

static void rewrite_v6(uint8_t *ip, uint8_t ttl, const svr_rewrite *rw)
{
    memcpy(ip + IP6_SRC, rw->src.b, 16);
    memcpy(ip + IP6_DST, rw->dst.b, 16);
    ip[IP6_HOPS] = ttl;
}

void svr_packet_rewrite(svr_packet *p, const svr_headers *h,
                        const svr_rewrite *rw)
{
    uint8_t proto = h->tuple.proto;
    uint8_t *l4 = p->data + h->l4;
    uint8_t ttl = (uint8_t)(h->ttl - 1);

    assert(h->ttl > 0 && svr__has_ports(proto));
    if (svr__is_v6(p->data))
        rewrite_v6(p->data, ttl, rw);
    else
        rewrite_v4(p->data, ttl, rw);
    svr__store_be16(l4 + L4_SPORT, rw->sport);
    svr__store_be16(l4 + L4_DPORT, rw->dport);
    svr__l4_checksum_update(
        l4 + (proto == SVR_PROTO_TCP ? TCP_CHECKSUM : UDP_CHECKSUM), proto,
        p->checksum == SVR_CHECKSUM_PARTIAL, rw->addr_delta, rw->port_delta);
}
