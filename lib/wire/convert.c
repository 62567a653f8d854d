/*
 * convert.c - packets that change more than addresses and ports: the address
 * family (S4.7), and protocols without ports that travel behind a UDP header
 * (S4.2, S4.3).
 *
 * All is checked before the first byte changes. The new packet ends where the
 * old one ended; only its front moves.
 */
#include <assert.h>

#include "wire/checksum.h"
#include "wire/headers.h"

enum change { KEEP, WRAP, UNWRAP };

struct plan {
    enum change change;
    bool from_v6, to_v6;
    uint16_t ip_size; /* of the new IP header with all that belongs to it */
    int grow;         /* bytes added in front; negative: taken away */
};

static int find_change(enum change *out, uint8_t from, bool from_v6, uint8_t to,
                       bool to_v6)
{
    if (from == to && (svr__has_ports(from) || from_v6 == to_v6))
        *out = KEEP;
    else if (to == SVR_PROTO_UDP && svr__is_portless(from, from_v6))
        *out = WRAP;
    else if (from == SVR_PROTO_UDP && svr__is_portless(to, to_v6))
        *out = UNWRAP;
    else
        return SVR_ERR_UNSUPPORTED;
    return 0;
}

/* What stands behind a UDP header must be the L4 header that `to` names. */
static int check_inner(const svr_packet *p, const svr_headers *h,
                       const struct plan *plan, uint8_t proto)
{
    int payload =
        svr__l4_check(p->data, p->len, h->payload, proto, plan->to_v6);

    return payload < 0 ? payload : 0;
}

static int make_plan(struct plan *plan, const svr_packet *p,
                     const svr_headers *h, const svr_tuple *to)
{
    int err;

    plan->from_v6 = svr__is_v6(p->data);
    plan->to_v6 = !svr_addr_is_v4(&to->dst);
    if (svr_addr_is_v4(&to->src) == plan->to_v6)
        return SVR_ERR_UNSUPPORTED;
    err = find_change(&plan->change, h->tuple.proto, plan->from_v6, to->proto,
                      plan->to_v6);
    if (err != 0)
        return err;
    plan->ip_size = h->l4;
    if (plan->from_v6 != plan->to_v6) {
        if (h->l4 != (plan->from_v6 ? IP6_SIZE : IP4_SIZE))
            return SVR_ERR_UNSUPPORTED;
        plan->ip_size = plan->to_v6 ? IP6_SIZE : IP4_SIZE;
    }
    plan->grow = plan->ip_size - h->l4;
    if (plan->change == WRAP)
        plan->grow += UDP_SIZE;
    if (plan->change == UNWRAP)
        plan->grow -= UDP_SIZE;
    if ((int64_t)p->len + plan->grow > SVR_PACKET_MAX)
        return SVR_ERR_LENGTH;
    if (plan->grow > p->headroom)
        return SVR_ERR_NO_SPACE;
    if (plan->change == UNWRAP)
        return check_inner(p, h, plan, to->proto);
    return 0;
}

/* The IP header of the same family, its options and extension headers kept. */
static void move_ip(svr_packet *p, const svr_headers *h, const uint8_t *old,
                    const svr_tuple *to, bool v6)
{
    uint8_t *ip = p->data;

    memmove(ip, old, h->l4);
    ip[h->l4_proto_at] = to->proto;
    if (v6) {
        ip[IP6_HOPS] = h->ttl;
        memcpy(ip + IP6_SRC, to->src.b, 16);
        memcpy(ip + IP6_DST, to->dst.b, 16);
    } else {
        ip[IP4_TTL] = h->ttl;
        svr__store_v4(ip + IP4_SRC, &to->src);
        svr__store_v4(ip + IP4_DST, &to->dst);
    }
}

static void move_front(svr_packet *p, const svr_headers *h,
                       const struct plan *plan, const svr_tuple *to)
{
    const uint8_t *old = p->data;

    p->data -= plan->grow;
    p->len = (uint32_t)((int64_t)p->len + plan->grow);
    p->headroom = svr__room(p->headroom, -plan->grow);
    if (plan->from_v6 == plan->to_v6)
        move_ip(p, h, old, to, plan->to_v6);
    else
        svr__ip_write(p->data, &to->src, &to->dst, to->proto, p->len, h->tos,
                      h->ttl);
}

static void write_ports(uint8_t *l4, const svr_tuple *to)
{
    svr__store_be16(l4 + L4_SPORT, to->sport);
    svr__store_be16(l4 + L4_DPORT, to->dport);
}

static void keep_ports(svr_packet *p, const svr_rewrite *rw, uint16_t l4_at,
                       const svr_tuple *to, bool from_v6)
{
    uint8_t *l4 = p->data + l4_at;
    uint8_t *field = l4 + svr__l4_checksum_at(to->proto, false);
    bool none = to->proto == SVR_PROTO_UDP && !from_v6 &&
                p->checksum != SVR_CHECKSUM_PARTIAL &&
                svr__load_be16(field) == 0;

    write_ports(l4, to);
    if (none && svr__is_v6(p->data))
        svr__l4_checksum_write(p->data, p->len, l4_at, to->proto); /* S4.7 */
    else
        svr__l4_checksum_update(field, to->proto,
                                p->checksum == SVR_CHECKSUM_PARTIAL,
                                rw->addr_delta, rw->port_delta);
}

/* An echo's identifier is its ports (S4.3); only ICMPv6 covers addresses. A
 * message that is nothing but zeros has the sum of zero that an incremental
 * update never gives (RFC 1624 section 3). */
static void keep_icmp(svr_packet *p, const svr_rewrite *rw, uint16_t l4_at,
                      const svr_tuple *to, bool echo)
{
    uint8_t *l4 = p->data + l4_at;
    uint16_t checksum = svr__load_be16(l4 + ICMP_CHECKSUM);
    uint16_t id = svr__load_be16(l4 + ICMP_ID);
    uint32_t delta = svr__is_v6(p->data) ? rw->addr_delta : 0;

    if (echo) {
        delta += svr__sum_delta(id, to->sport);
        svr__store_be16(l4 + ICMP_ID, to->sport);
    }
    checksum = svr__checksum_update(checksum, delta);
    svr__store_be16(l4 + ICMP_CHECKSUM, checksum);
    if (checksum == 0 && svr__sum(l4, p->len - l4_at) == 0)
        svr__store_be16(l4 + ICMP_CHECKSUM, 0xffff);
}

static void change_l4(svr_packet *p, const svr_headers *h,
                      const struct plan *plan, const svr_tuple *to)
{
    svr_rewrite rw;

    switch (plan->change) {
    case KEEP:
        svr_rewrite_init(&rw, &h->tuple, to);
        if (svr__has_ports(to->proto))
            keep_ports(p, &rw, plan->ip_size, to, plan->from_v6);
        else if (svr__is_icmp(to->proto, plan->to_v6))
            keep_icmp(p, &rw, plan->ip_size, to, h->icmp_echo);
        break;
    case WRAP:
        write_ports(p->data + plan->ip_size, to);
        svr__l4_checksum_write(p->data, p->len, plan->ip_size, to->proto);
        p->checksum = SVR_CHECKSUM_FULL;
        break;
    case UNWRAP:
        p->checksum = SVR_CHECKSUM_FULL;
        break;
    }
}

static void read_again(svr_headers *h, const svr_packet *p,
                       const struct plan *plan, const svr_tuple *to)
{
    h->tuple = *to;
    h->l4 = plan->ip_size;
    if (plan->from_v6 != plan->to_v6)
        h->l4_proto_at = plan->to_v6 ? IP6_NEXT : IP4_PROTO;
    h->payload =
        (uint16_t)svr__l4_check(p->data, p->len, h->l4, to->proto, plan->to_v6);
    svr__l4_read(h, p->data, plan->to_v6);
}

int svr_packet_convert(svr_packet *p, svr_headers *h, const svr_tuple *to)
{
    struct plan plan;
    int err = make_plan(&plan, p, h, to);

    if (err != 0)
        return err;
    assert(h->ttl > 0);
    h->ttl--;
    move_front(p, h, &plan, to);
    svr__lengths_write(p->data, p->len, plan.ip_size, to->proto);
    if (!plan.to_v6)
        svr__ip4_checksum_write(p->data);
    change_l4(p, h, &plan, to);
    read_again(h, p, &plan, to);
    return 0;
}
