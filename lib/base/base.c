#include <svr/base.h>
#include <svr/version.h>

#include <string.h>

#define V4_LEN 4
#define V4_AT 12 /* where a mapped address holds its IPv4 address */

static const uint8_t mapped[V4_AT] = {[10] = 0xff, [11] = 0xff};

const char *svr_version(void)
{
    return SVR_VERSION;
}

const char *svr_strerror(int err)
{
    if (err >= 0)
        return "success";
    switch (err) {
#define X(name, number, id, text) \
    case SVR_ERR_##name:          \
        return text;
        SVR_ERR_MAP(X)
#undef X
    default:
        return "unknown error";
    }
}

const char *svr_err_name(int err)
{
    switch (err) {
#define X(name, number, id, text) \
    case SVR_ERR_##name:          \
        return id;
        SVR_ERR_MAP(X)
#undef X
    default:
        return "unknown";
    }
}

svr_addr svr_addr_from_v4(const uint8_t b[4])
{
    svr_addr a;
    memcpy(a.b, mapped, V4_AT);
    memcpy(a.b + V4_AT, b, V4_LEN);
    return a;
}

svr_addr svr_addr_from_v6(const uint8_t b[16])
{
    svr_addr a;
    memcpy(a.b, b, sizeof(a.b));
    return a;
}

bool svr_addr_is_none(const svr_addr *a)
{
    return svr_addr_equal(a, &SVR_ADDR_NONE);
}

bool svr_addr_is_v4(const svr_addr *a)
{
    return memcmp(a->b, mapped, V4_AT) == 0;
}

bool svr_addr_equal(const svr_addr *a, const svr_addr *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    unsigned rest = bits % 8;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool svr_prefix_contains(const svr_prefix *p, const svr_addr *a)
{
    bool v4 = svr_addr_is_v4(&p->addr);
    unsigned len = p->len + (v4 ? V4_AT * 8u : 0);
    if (len > 128 || svr_addr_is_v4(a) != v4)
        return false;
    return bits_equal(p->addr.b, a->b, len);
}

bool svr_tuple_equal(const svr_tuple *a, const svr_tuple *b)
{
    return a->proto == b->proto && a->sport == b->sport &&
           a->dport == b->dport && svr_addr_equal(&a->src, &b->src) &&
           svr_addr_equal(&a->dst, &b->dst);
}

svr_tuple svr_tuple_reverse(const svr_tuple *t)
{
    return (svr_tuple){
        .src = t->dst,
        .dst = t->src,
        .sport = t->dport,
        .dport = t->sport,
        .proto = t->proto,
    };
}
