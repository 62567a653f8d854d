/*
 * Metadata there and back: what was decoded, or put together field by field,
 * encodes to a block that decodes to the same fields and encodes to itself.
 * The first byte chooses where the fields come from.
 */
#include "fuzz.h"
#include "wire/cursor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <svr/metadata.h>

enum source {
    DECODED,
    MADE,
    MADE_OF_ANYTHING, /* also bits that mean no attribute */
    SOURCES,
};

enum kind {
    RAW,
    FLAG,
    V4,
    V6,
    EITHER, /* V4 or V6 */
    SPAN,
};

/* A field of an svr_metadata, and the attributes that it belongs to. */
struct member {
    uint64_t of;
    uint16_t at, size;
    enum kind kind;
};

#define M(name, member, kind)                            \
    {                                                    \
        SVR_HAS(name), offsetof(svr_metadata, member),   \
            sizeof(((svr_metadata *)NULL)->member), kind \
    }

#define CONTEXT(name, member, kind)                             \
    M(name, member.src, kind), M(name, member.dst, kind),       \
        M(name, member.sport, RAW), M(name, member.dport, RAW), \
        M(name, member.proto, RAW)

static const struct member members[] = {
    M(FRAGMENT, fragment.extended_id, RAW),
    M(FRAGMENT, fragment.original_id, RAW),
    M(FRAGMENT, fragment.dont_fragment, FLAG),
    M(FRAGMENT, fragment.more, FLAG),
    M(FRAGMENT, fragment.offset, RAW),
    M(FRAGMENT, fragment.largest, RAW),
    CONTEXT(FORWARD_CONTEXT_V4, forward, V4),
    CONTEXT(FORWARD_CONTEXT_V6, forward, V6),
    CONTEXT(REVERSE_CONTEXT_V4, reverse, V4),
    CONTEXT(REVERSE_CONTEXT_V6, reverse, V6),
    M(SESSION_UUID, uuid, RAW),
    M(TENANT, tenant, SPAN),
    M(INTERFACE_ID, interface_id, RAW),
    M(SERVICE, service, SPAN),
    M(SERVICE_SESSIONS, service_sessions, RAW),
    M(SOURCE_ROUTER, source_router, SPAN),
    M(SECURITY_POLICY, security_policy, SPAN),
    M(SECURITY_ID, security_id, RAW),
    M(DESTINATION_ROUTER, destination_router, SPAN),
    M(PATHWAY, pathway, SPAN),
    M(ICMP_LOCATION_V4, icmp_location, V4),
    M(ICMP_LOCATION_V6, icmp_location, V6),
    M(CONTROL, control, RAW),
    M(SOURCE_NAT, source_nat, V4),
    M(PATH_METRICS, metrics.tx_colour, RAW),
    M(PATH_METRICS, metrics.rx_colour, RAW),
    M(PATH_METRICS, metrics.tx_time, RAW),
    M(PATH_METRICS, metrics.rx_time, RAW),
    M(PATH_METRICS, metrics.drop, FLAG),
    M(PATH_METRICS, metrics.count, RAW),
    M(MODIFY, modify, SPAN),
    M(APPLICATION, application, SPAN),
    M(SESSION_TIME, session_time, RAW),
    M(HEALTH_OR_KEY, health, RAW),
    M(MULTICAST_GROUP, multicast.source, EITHER),
    M(MULTICAST_GROUP, multicast.group, EITHER),
    M(MULTICAST_GROUP, multicast.flags, RAW),
    M(MULTICAST_GROUP, multicast.proto, RAW),
    M(MULTICAST_EGRESS, multicast_egress, SPAN),
    M(EXCHANGE_NUMBER, exchange.own, RAW),
    M(EXCHANGE_NUMBER, exchange.echo, RAW),
    M(EXCHANGE_NUMBER, exchange.unechoed, FLAG),
    M(EXCHANGE_NUMBER, exchange.undecided, FLAG),
    M(EXCHANGE_NUMBER, exchange.asks, FLAG),
    M(PACKET_NUMBER, packet_number, RAW),
    M(COPY_NUMBER, copy_number, RAW),
    M(KEY_SALT, salt.b, RAW),
    M(KEY_SALT, salt.flags, RAW),
    M(RECOVERY_TOKEN, recovery_token, SPAN),
    M(ROUTE_RECORD, route_record, SPAN),
    M(SERVICE_CLASS, service_class, RAW),
    M(SESSION_KEY, session_key, SPAN),
};

#define EACH_MEMBER(m)                     \
    for (const struct member *m = members; \
         m < members + sizeof(members) / sizeof(members[0]); m++)

static svr_addr take_addr(svr__rd *in, bool v4)
{
    uint8_t b[16] = {0};

    svr__rd_copy(in, b, v4 ? 4 : 16);
    return v4 ? svr_addr_from_v4(b) : svr_addr_from_v6(b);
}

/* An address field holds an IPv4 address in mapped form, so that a V6 one can
 * be what its attribute cannot hold. */
static void fill(void *field, const struct member *m, svr__rd *in)
{
    size_t len;

    switch (m->kind) {
    case RAW:
        svr__rd_copy(in, field, m->size);
        break;
    case FLAG:
        *(bool *)field = svr__rd_u8(in) & 1;
        break;
    case V4:
    case V6:
        *(svr_addr *)field = take_addr(in, m->kind == V4);
        break;
    case EITHER:
        *(svr_addr *)field = take_addr(in, svr__rd_u8(in) & 1);
        break;
    case SPAN:
        len = svr__rd_u16(in);
        len = len < in->left ? len : in->left;
        *(svr_span *)field = (svr_span){svr__rd_bytes(in, len), len};
        break;
    }
}

static void make(svr_metadata *md, svr__rd *in, bool anything)
{
    svr_metadata_init(md);
    md->present = svr__rd_u64(in);
    if (!anything)
        md->present &= ((uint64_t)1 << SVR_ATTR_COUNT) - 1;
    EACH_MEMBER(m)
    {
        if (md->present & m->of)
            fill((char *)md + m->at, m, in);
    }
}

static bool same_field(const void *a, const void *b, const struct member *m)
{
    const svr_span *x = a, *y = b;

    if (m->kind != SPAN)
        return memcmp(a, b, m->size) == 0;
    return x->len == y->len && memcmp(x->data, y->data, x->len) == 0;
}

static void check_same(const svr_metadata *a, const svr_metadata *b)
{
    assert(a->present == b->present);
    EACH_MEMBER(m)
    {
        if (a->present & m->of)
            assert(same_field((const char *)a + m->at, (const char *)b + m->at,
                              m));
    }
}

/* In a block of its exact size. */
static uint8_t *encode(const svr_metadata *md, size_t len)
{
    uint8_t *buf = malloc(len);

    if (!buf)
        abort();
    assert(svr_metadata_encode(buf, len - 1, md) == SVR_ERR_NO_SPACE);
    assert(svr_metadata_encode(buf, len, md) == (ptrdiff_t)len);
    return buf;
}

static void check_there_and_back(const svr_metadata *md)
{
    ptrdiff_t len = svr_metadata_encode(NULL, 0, md);
    svr_metadata again;

    if (len < 0) {
        assert(len == SVR_ERR_ARGUMENT || len == SVR_ERR_LENGTH);
        return;
    }
    uint8_t *once = encode(md, (size_t)len);
    assert(svr_metadata_decode(&again, once, (size_t)len) == len);
    assert(again.unknown == 0);
    check_same(md, &again);
    uint8_t *twice = encode(&again, (size_t)len);
    assert(memcmp(once, twice, (size_t)len) == 0);
    free(twice);
    free(once);
}

void fuzz_one(const uint8_t *data, size_t len)
{
    svr__rd in = svr__rd_over(data, len);
    enum source source = svr__rd_u8(&in) % SOURCES;
    svr_metadata md;

    if (source != DECODED)
        make(&md, &in, source == MADE_OF_ANYTHING);
    else if (svr_metadata_decode(&md, in.at, in.left) < 0)
        return;
    check_there_and_back(&md);
}
