/*
 * quote.c - the packets that ICMP errors quote (S19).
 *
 * A quote is the start of a packet: what stood behind the first bytes of its
 * L4 header may be missing, and its lengths and checksums speak of that too.
 * So nothing is checked but what says where the fields stand.
 */
#include "wire/checksum.h"
#include "wire/headers.h"

/* How much of a quoted L4 header is needed. */
enum {
    PORTS_SIZE = 4,
    ECHO_SIZE = 6,
};

/* Offsets count from the quoted IP header. */
struct quote {
    uint16_t proto_at;
    uint16_t l4;
    uint8_t proto;
    bool v6;
    bool icmp, echo;
};

static int find_l4_v4(struct quote *q, const uint8_t *ip, size_t len)
{
    if (len < IP4_SIZE)
        return SVR_ERR_TRUNCATED;
    q->l4 = (uint16_t)((ip[0] & 15) * 4);
    q->proto_at = IP4_PROTO;
    if (q->l4 < IP4_SIZE)
        return SVR_ERR_UNSUPPORTED;
    if (svr__load_be16(ip + IP4_FRAGMENT) & IP4_FRAGMENT_OFFSET)
        return SVR_ERR_UNSUPPORTED;
    return q->l4 > len ? SVR_ERR_TRUNCATED : 0;
}

static bool is_mapped(const uint8_t *b)
{
    svr_addr addr = svr_addr_from_v6(b);

    return svr_addr_is_v4(&addr);
}

/* A mapped address would make it a quote of an IPv4 session (base.h). */
static int find_l4_v6(struct quote *q, const uint8_t *ip, size_t len)
{
    int err;

    if (len < IP6_SIZE)
        return SVR_ERR_TRUNCATED;
    if (is_mapped(ip + IP6_SRC) || is_mapped(ip + IP6_DST))
        return SVR_ERR_UNSUPPORTED;
    err = svr__ip6_walk(ip, len, &q->l4, &q->proto_at);
    return err == SVR_ERR_FRAGMENT ? SVR_ERR_UNSUPPORTED : err;
}

static size_t needed(const struct quote *q)
{
    if (svr__has_ports(q->proto))
        return PORTS_SIZE;
    return q->icmp ? ECHO_SIZE : 0;
}

static int find_quote(struct quote *q, const uint8_t *msg, size_t len, bool v6)
{
    const uint8_t *ip = msg + ICMP_SIZE;
    int err;

    if (len <= ICMP_SIZE)
        return SVR_ERR_TRUNCATED;
    if (!svr__icmp_is_error(msg[ICMP_TYPE], v6))
        return SVR_ERR_UNSUPPORTED;
    if (ip[0] >> 4 != (v6 ? 6 : 4))
        return SVR_ERR_VERSION;
    len -= ICMP_SIZE;
    err = v6 ? find_l4_v6(q, ip, len) : find_l4_v4(q, ip, len);
    if (err != 0)
        return err;
    q->proto = ip[q->proto_at];
    q->v6 = v6;
    q->icmp = svr__is_icmp(q->proto, v6);
    if (len - q->l4 < needed(q))
        return SVR_ERR_TRUNCATED;
    q->echo = q->icmp && svr__icmp_is_echo(ip[q->l4 + ICMP_TYPE], v6);
    return 0;
}

int svr_icmp_quote_parse(svr_tuple *quoted, const uint8_t *msg, size_t len,
                         bool v6)
{
    const uint8_t *ip = msg + ICMP_SIZE;
    struct quote q;
    int err = find_quote(&q, msg, len, v6);

    if (err != 0)
        return err;
    *quoted = (svr_tuple){.proto = q.proto};
    if (v6) {
        memcpy(quoted->src.b, ip + IP6_SRC, 16);
        memcpy(quoted->dst.b, ip + IP6_DST, 16);
    } else {
        svr__load_v4(&quoted->src, ip + IP4_SRC);
        svr__load_v4(&quoted->dst, ip + IP4_DST);
    }
    if (svr__has_ports(q.proto)) {
        quoted->sport = svr__load_be16(ip + q.l4 + L4_SPORT);
        quoted->dport = svr__load_be16(ip + q.l4 + L4_DPORT);
    } else if (q.echo) {
        quoted->sport = svr__load_be16(ip + q.l4 + ICMP_ID);
        quoted->dport = quoted->sport;
    }
    return 0;
}

void svr__icmp_quote_place(const uint8_t *msg, size_t len, bool v6,
                           uint32_t *seq, uint32_t *ack)
{
    const uint8_t *ip = msg + ICMP_SIZE;
    struct quote q;

    if (find_quote(&q, msg, len, v6) < 0 || q.proto != SVR_PROTO_TCP)
        return;
    len -= (size_t)ICMP_SIZE + q.l4;
    if (len >= TCP_SEQ + 4)
        *seq = svr__load_be32(ip + q.l4 + TCP_SEQ);
    if (len >= TCP_ACK + 4)
        *ack = svr__load_be32(ip + q.l4 + TCP_ACK);
}

/* A protocol without ports is never quoted as another one. */
static int check_change(const struct quote *q, const svr_tuple *to)
{
    if (svr_addr_is_v4(&to->src) != svr_addr_is_v4(&to->dst))
        return SVR_ERR_UNSUPPORTED;
    if (svr__has_ports(q->proto) && svr__has_ports(to->proto))
        return 0;
    return q->proto == to->proto ? 0 : SVR_ERR_UNSUPPORTED;
}

static uint16_t sum_changing(const uint8_t *ip)
{
    return svr__sum_fold((uint32_t)svr__sum(ip + IP4_SRC, 8) + ip[IP4_PROTO]);
}

static void write_v4(uint8_t *ip, const svr_addr *src, const svr_addr *dst,
                     uint8_t proto)
{
    uint16_t checksum = svr__load_be16(ip + IP4_CHECKSUM);
    uint16_t before = sum_changing(ip);

    svr__store_v4(ip + IP4_SRC, src);
    svr__store_v4(ip + IP4_DST, dst);
    ip[IP4_PROTO] = proto;
    svr__store_be16(ip + IP4_CHECKSUM,
                    svr__checksum_update(
                        checksum, svr__sum_delta(before, sum_changing(ip))));
}

static void write_ip(uint8_t *ip, const struct quote *q, const svr_tuple *to)
{
    static const svr_addr none;
    bool other = svr_addr_is_v4(&to->src) == q->v6;
    const svr_addr *src = other ? &none : &to->src;
    const svr_addr *dst = other ? &none : &to->dst;

    if (!q->v6) {
        write_v4(ip, src, dst, to->proto);
        return;
    }
    memcpy(ip + IP6_SRC, src->b, 16);
    memcpy(ip + IP6_DST, dst->b, 16);
    ip[q->proto_at] = to->proto;
}

static void write_l4(uint8_t *l4, const struct quote *q, const svr_tuple *to)
{
    if (svr__has_ports(q->proto)) {
        svr__store_be16(l4 + L4_SPORT, to->sport);
        svr__store_be16(l4 + L4_DPORT, to->dport);
    } else if (q->echo) {
        svr__store_be16(l4 + ICMP_ID, to->sport);
    }
}

int svr_icmp_quote_rewrite(uint8_t *msg, size_t len, bool v6,
                           const svr_tuple *to)
{
    uint8_t *ip = msg + ICMP_SIZE;
    struct quote q;
    int err = find_quote(&q, msg, len, v6);

    if (err == 0)
        err = check_change(&q, to);
    if (err != 0)
        return err;
    write_l4(ip + q.l4, &q, to);
    write_ip(ip, &q, to);
    return 0;
}
