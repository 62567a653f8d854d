#include <assert.h>

#include "wire/checksum.h"
#include "wire/headers.h"

#define DEFAULT_TTL 64

/* How long an error may be: RFC 1812 4.3.2.3, RFC 4443 2.4 (c). */
enum {
    ERROR4_MAX = 576,
    ERROR6_MAX = 1280,
};

struct message {
    uint8_t type, code;
};

static const struct message messages[][2] = {
    /*                         ICMP      ICMPv6 */
    [SVR_ICMP_TIME_EXCEEDED] = {{11, 0}, {3, 0}},
    [SVR_ICMP_TOO_BIG] = {{3, 4}, {2, 0}},
    [SVR_ICMP_PROHIBITED] = {{3, 13}, {1, 1}},
    [SVR_ICMP_NO_ROUTE] = {{3, 0}, {1, 0}},
};

/* RFC 1122 3.2.2 and RFC 4443 2.4 (e): redirects and source quenches count as
 * errors here. */
static bool may_answer(const svr_headers *h, bool v6)
{
    if (!svr__is_icmp(h->tuple.proto, v6))
        return true;
    if (v6)
        return h->icmp_type >= 128 && h->icmp_type != 137;
    return !h->icmp_error && h->icmp_type != 4 && h->icmp_type != 5;
}

int svr_icmp_error(svr_packet *out, uint8_t *buf, size_t cap,
                   enum svr_icmp_kind kind, uint16_t mtu, const svr_addr *src,
                   const svr_packet *about, const svr_headers *h)
{
    bool v6 = svr__is_v6(about->data);
    uint8_t proto = v6 ? SVR_PROTO_ICMPV6 : SVR_PROTO_ICMP;
    size_t l4 = v6 ? IP6_SIZE : IP4_SIZE;
    size_t room = (v6 ? ERROR6_MAX : ERROR4_MAX) - l4 - ICMP_SIZE;
    size_t quote = about->len < room ? about->len : room;
    uint8_t *icmp;

    assert(kind <= SVR_ICMP_NO_ROUTE);
    if (svr_addr_is_v4(src) == v6 || !may_answer(h, v6))
        return SVR_ERR_DENIED;
    if (svr_packet_init(out, buf, cap, l4 + ICMP_SIZE + quote) != 0)
        return SVR_ERR_NO_SPACE;
    svr__ip_write(out->data, src, &h->tuple.src, proto, out->len, 0,
                  DEFAULT_TTL);
    icmp = out->data + l4;
    memset(icmp, 0, ICMP_SIZE);
    icmp[ICMP_TYPE] = messages[kind][v6].type;
    icmp[ICMP_CODE] = messages[kind][v6].code;
    if (kind == SVR_ICMP_TOO_BIG)
        svr__store_be16(icmp + ICMP_MTU, mtu);
    memcpy(icmp + ICMP_SIZE, about->data, quote);
    svr__l4_checksum_write(out->data, out->len, l4, proto);
    return 0;
}
