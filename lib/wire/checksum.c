#include "wire/checksum.h"

#include "wire/headers.h"

static uint64_t load_word(const uint8_t *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    return word;
}

static uint16_t load_pair(const uint8_t *p)
{
    uint16_t pair;

    memcpy(&pair, p, sizeof(pair));
    return pair;
}

static uint64_t add_word(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word);
}

/* Sums in the machine's own byte order: a one's complement sum with its bytes
 * exchanged is the sum of words with their bytes exchanged (RFC 1071 2 B). */
static uint64_t sum_words(const uint8_t *buf, size_t len)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;

    for (; len >= 32; buf += 32, len -= 32) {
        a = add_word(a, load_word(buf));
        b = add_word(b, load_word(buf + 8));
        c = add_word(c, load_word(buf + 16));
        d = add_word(d, load_word(buf + 24));
    }
    for (; len >= 8; buf += 8, len -= 8)
        a = add_word(a, load_word(buf));
    for (; len >= 2; buf += 2, len -= 2)
        a = add_word(a, load_pair(buf));
    if (len > 0)
        a = add_word(a, load_pair((const uint8_t[2]){buf[0], 0}));
    return add_word(add_word(a, b), add_word(c, d));
}

static uint16_t fold_words(uint64_t sum)
{
    uint16_t folded;
    uint8_t bytes[2];

    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    folded = svr__sum_fold((uint32_t)sum);
    memcpy(bytes, &folded, sizeof(bytes));
    return svr__load_be16(bytes);
}

uint16_t svr__sum(const uint8_t *buf, size_t len)
{
    return fold_words(sum_words(buf, len));
}

uint16_t svr__sum_pseudo(const uint8_t *ip, uint8_t proto, size_t l4_len)
{
    uint32_t sum =
        svr__is_v6(ip) ? svr__sum(ip + IP6_SRC, 32) : svr__sum(ip + IP4_SRC, 8);

    return svr__sum_fold(sum + (uint32_t)l4_len + proto);
}

int svr__l4_checksum_at(uint8_t proto, bool v6)
{
    if (proto == SVR_PROTO_TCP)
        return TCP_CHECKSUM;
    if (proto == SVR_PROTO_UDP)
        return UDP_CHECKSUM;
    return svr__is_icmp(proto, v6) ? ICMP_CHECKSUM : -1;
}

/* The sum of all that an L4 checksum covers, itself included. */
static uint16_t sum_covered(const uint8_t *ip, size_t len, size_t l4,
                            uint8_t proto)
{
    uint32_t sum = svr__sum(ip + l4, len - l4);

    if (proto != SVR_PROTO_ICMP)
        sum += svr__sum_pseudo(ip, proto, len - l4);
    return svr__sum_fold(sum);
}

void svr__ip4_checksum_write(uint8_t *ip)
{
    svr__store_be16(ip + IP4_CHECKSUM, 0);
    svr__store_be16(ip + IP4_CHECKSUM,
                    (uint16_t)~svr__sum(ip, (size_t)(ip[0] & 15) * 4));
}

/* A UDP checksum of zero would say "none" (RFC 768). */
static void store_checksum(uint8_t *field, uint16_t sum, uint8_t proto)
{
    bool keep = sum == 0xffff && proto == SVR_PROTO_UDP;

    svr__store_be16(field, keep ? sum : (uint16_t)~sum);
}

void svr__l4_checksum_write(uint8_t *ip, size_t len, size_t l4, uint8_t proto)
{
    int at = svr__l4_checksum_at(proto, svr__is_v6(ip));

    if (at < 0)
        return;
    svr__store_be16(ip + l4 + at, 0);
    store_checksum(ip + l4 + at, sum_covered(ip, len, l4, proto), proto);
}

/* S4.6: allowed within IPv4 only. */
static bool is_unchecked(const svr_packet *p, const svr_headers *h)
{
    return h->tuple.proto == SVR_PROTO_UDP && !svr__is_v6(p->data) &&
           svr__load_be16(p->data + h->l4 + UDP_CHECKSUM) == 0;
}

bool svr_packet_checksum_ok(const svr_packet *p, const svr_headers *h)
{
    uint8_t proto = h->tuple.proto;
    int at = svr__l4_checksum_at(proto, svr__is_v6(p->data));

    if (p->checksum != SVR_CHECKSUM_FULL || at < 0 || is_unchecked(p, h))
        return true;
    if (proto == SVR_PROTO_UDP && svr__load_be16(p->data + h->l4 + at) == 0)
        return false;
    return sum_covered(p->data, p->len, h->l4, proto) == 0xffff;
}

void svr_packet_checksum_write(svr_packet *p, const svr_headers *h)
{
    uint8_t proto = h->tuple.proto;
    uint8_t *l4 = p->data + h->l4;

    if (!svr__is_v6(p->data))
        svr__ip4_checksum_write(p->data);
    if (p->checksum == SVR_CHECKSUM_PARTIAL && svr__has_ports(proto)) {
        svr__store_be16(l4 + svr__l4_checksum_at(proto, false),
                        svr__sum_pseudo(p->data, proto, p->len - h->l4));
        return;
    }
    p->checksum = SVR_CHECKSUM_FULL;
    if (!is_unchecked(p, h))
        svr__l4_checksum_write(p->data, p->len, h->l4, proto);
}

void svr_packet_checksum_complete(svr_packet *p, const svr_headers *h)
{
    uint8_t proto = h->tuple.proto;
    uint8_t *l4 = p->data + h->l4;

    if (p->checksum != SVR_CHECKSUM_PARTIAL)
        return;
    p->checksum = SVR_CHECKSUM_FULL;
    if (!svr__has_ports(proto))
        return;
    /* The field holds the pseudo header's sum, so it counts as it stands. */
    store_checksum(l4 + svr__l4_checksum_at(proto, false),
                   svr__sum(l4, p->len - h->l4), proto);
}
