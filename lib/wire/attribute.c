/*
 * attribute.c - every attribute of S3 and S14.3: where it stands, how long it
 * may be, how its value is read and written.
 */
#include "wire/attribute.h"
#include "wire/headers.h"
#include "wire/name.h"

static int read_flag(void *field, svr__rd *rd)
{
    (void)field;
    (void)rd;
    return 0;
}

static int write_flag(svr__wr *wr, const void *field)
{
    (void)wr;
    (void)field;
    return 0;
}

static int read_u8(void *field, svr__rd *rd)
{
    *(uint8_t *)field = svr__rd_u8(rd);
    return 0;
}

static int write_u8(svr__wr *wr, const void *field)
{
    svr__wr_u8(wr, *(const uint8_t *)field);
    return 0;
}

static int read_u32(void *field, svr__rd *rd)
{
    *(uint32_t *)field = svr__rd_u32(rd);
    return 0;
}

static int write_u32(svr__wr *wr, const void *field)
{
    svr__wr_u32(wr, *(const uint32_t *)field);
    return 0;
}

static int read_u64(void *field, svr__rd *rd)
{
    *(uint64_t *)field = svr__rd_u64(rd);
    return 0;
}

static int write_u64(svr__wr *wr, const void *field)
{
    svr__wr_u64(wr, *(const uint64_t *)field);
    return 0;
}

/* Challenges and answers to them. */
static int read_b8(void *field, svr__rd *rd)
{
    svr__rd_copy(rd, field, 8);
    return 0;
}

static int write_b8(svr__wr *wr, const void *field)
{
    svr__wr_bytes(wr, field, 8);
    return 0;
}

/* UUID. */
static int read_b16(void *field, svr__rd *rd)
{
    svr__rd_copy(rd, field, 16);
    return 0;
}

static int write_b16(svr__wr *wr, const void *field)
{
    svr__wr_bytes(wr, field, 16);
    return 0;
}

static int read_salt(void *field, svr__rd *rd)
{
    svr_salt *salt = field;

    svr__rd_copy(rd, salt->b, sizeof(salt->b));
    salt->flags = svr__rd_u8(rd);
    return 0;
}

static int write_salt(svr__wr *wr, const void *field)
{
    const svr_salt *salt = field;

    svr__wr_bytes(wr, salt->b, sizeof(salt->b));
    svr__wr_u8(wr, salt->flags);
    return 0;
}

/* Bytes whose meaning is not the codec's business. */
static int read_bytes(void *field, svr__rd *rd)
{
    *(svr_span *)field = svr__rd_rest(rd);
    return 0;
}

static int write_bytes(svr__wr *wr, const void *field)
{
    const svr_span *bytes = field;

    svr__wr_span(wr, bytes);
    return 0;
}

static int read_name(void *field, svr__rd *rd)
{
    svr_span name = svr__rd_rest(rd);

    if (!svr__name_printable(name))
        return SVR_ERR_TLV_VALUE;
    *(svr_span *)field = name;
    return 0;
}

static int write_name(svr__wr *wr, const void *field)
{
    const svr_span *name = field;

    if (!svr__name_printable(*name))
        return SVR_ERR_TLV_VALUE;
    return write_bytes(wr, field);
}

static int read_v4(void *field, svr__rd *rd)
{
    const uint8_t *b = svr__rd_bytes(rd, 4);

    if (b)
        svr__load_v4(field, b);
    return 0;
}

static int write_v4(svr__wr *wr, const void *field)
{
    const svr_addr *addr = field;

    if (!svr_addr_is_v4(addr))
        return SVR_ERR_TLV_VALUE;
    svr__wr_bytes(wr, addr->b + 12, 4);
    return 0;
}

/* A mapped address would turn into an IPv4 one on its way (base.h). */
static int read_v6(void *field, svr__rd *rd)
{
    svr_addr *addr = field;

    svr__rd_copy(rd, addr->b, 16);
    return svr_addr_is_v4(addr) ? SVR_ERR_TLV_VALUE : 0;
}

static int write_v6(svr__wr *wr, const void *field)
{
    const svr_addr *addr = field;

    if (svr_addr_is_v4(addr))
        return SVR_ERR_TLV_VALUE;
    svr__wr_bytes(wr, addr->b, 16);
    return 0;
}

typedef int read_function(void *field, svr__rd *rd);
typedef int write_function(svr__wr *wr, const void *field);

static int read_context(svr_tuple *t, svr__rd *rd, read_function *read_addr)
{
    int err = read_addr(&t->src, rd);

    if (err == 0)
        err = read_addr(&t->dst, rd);
    t->sport = svr__rd_u16(rd);
    t->dport = svr__rd_u16(rd);
    t->proto = svr__rd_u8(rd);
    return err;
}

static int write_context(svr__wr *wr, const svr_tuple *t,
                         write_function *write_addr)
{
    int err = write_addr(wr, &t->src);

    if (err == 0)
        err = write_addr(wr, &t->dst);
    svr__wr_u16(wr, t->sport);
    svr__wr_u16(wr, t->dport);
    svr__wr_u8(wr, t->proto);
    return err;
}

static int read_context_v4(void *field, svr__rd *rd)
{
    return read_context(field, rd, read_v4);
}

static int write_context_v4(svr__wr *wr, const void *field)
{
    return write_context(wr, field, write_v4);
}

static int read_context_v6(void *field, svr__rd *rd)
{
    return read_context(field, rd, read_v6);
}

static int write_context_v6(svr__wr *wr, const void *field)
{
    return write_context(wr, field, write_v6);
}

/* S18: flags and offset share 16 bits, as in the IPv4 header. */
enum {
    FRAGMENT_DONT = 0x4000,
    FRAGMENT_MORE = 0x2000,
    FRAGMENT_OFFSET = 0x1fff,
};

static int read_fragment(void *field, svr__rd *rd)
{
    svr_fragment *f = field;
    uint16_t bits;

    f->extended_id = svr__rd_u32(rd);
    f->original_id = svr__rd_u16(rd);
    bits = svr__rd_u16(rd);
    f->dont_fragment = bits & FRAGMENT_DONT;
    f->more = bits & FRAGMENT_MORE;
    f->offset = bits & FRAGMENT_OFFSET;
    f->largest = svr__rd_u16(rd);
    return 0;
}

static int write_fragment(svr__wr *wr, const void *field)
{
    const svr_fragment *f = field;

    if (f->offset > FRAGMENT_OFFSET)
        return SVR_ERR_TLV_VALUE;
    svr__wr_u32(wr, f->extended_id);
    svr__wr_u16(wr, f->original_id);
    svr__wr_u16(wr, (uint16_t)((f->dont_fragment ? FRAGMENT_DONT : 0) |
                               (f->more ? FRAGMENT_MORE : 0) | f->offset));
    svr__wr_u16(wr, f->largest);
    return 0;
}

/* S15: a colour above 28 bits of time, the drop flag above 15 bits of count. */
enum {
    METRICS_TIME_BITS = 28,
    METRICS_TIME = (1 << METRICS_TIME_BITS) - 1,
    METRICS_COLOUR = 15,
    METRICS_DROP = 0x8000,
    METRICS_COUNT = 0x7fff,
};

static int read_metrics(void *field, svr__rd *rd)
{
    svr_path_metrics *m = field;
    uint32_t tx = svr__rd_u32(rd);
    uint32_t rx = svr__rd_u32(rd);
    uint16_t bits = svr__rd_u16(rd);

    m->tx_colour = (uint8_t)(tx >> METRICS_TIME_BITS);
    m->tx_time = tx & METRICS_TIME;
    m->rx_colour = (uint8_t)(rx >> METRICS_TIME_BITS);
    m->rx_time = rx & METRICS_TIME;
    m->drop = bits & METRICS_DROP;
    m->count = bits & METRICS_COUNT;
    return 0;
}

static int write_metrics(svr__wr *wr, const void *field)
{
    const svr_path_metrics *m = field;

    if (m->tx_colour > METRICS_COLOUR || m->rx_colour > METRICS_COLOUR ||
        m->tx_time > METRICS_TIME || m->rx_time > METRICS_TIME ||
        m->count > METRICS_COUNT)
        return SVR_ERR_TLV_VALUE;
    svr__wr_u32(wr, (uint32_t)m->tx_colour << METRICS_TIME_BITS | m->tx_time);
    svr__wr_u32(wr, (uint32_t)m->rx_colour << METRICS_TIME_BITS | m->rx_time);
    svr__wr_u16(wr, (uint16_t)((m->drop ? METRICS_DROP : 0) | m->count));
    return 0;
}

enum {
    EXCHANGE_UNECHOED = 1,
    EXCHANGE_UNDECIDED = 2,
    EXCHANGE_ASKS = 4,
};

static int read_exchange(void *field, svr__rd *rd)
{
    svr_exchange *e = field;

    e->own = svr__rd_u64(rd);
    e->echo = svr__rd_u64(rd);
    uint8_t flags = svr__rd_u8(rd);
    e->unechoed = flags & EXCHANGE_UNECHOED;
    e->undecided = flags & EXCHANGE_UNDECIDED;
    e->asks = flags & EXCHANGE_ASKS;
    return 0;
}

static int write_exchange(svr__wr *wr, const void *field)
{
    const svr_exchange *e = field;

    svr__wr_u64(wr, e->own);
    svr__wr_u64(wr, e->echo);
    svr__wr_u8(wr, (uint8_t)((e->unechoed ? EXCHANGE_UNECHOED : 0) |
                             (e->undecided ? EXCHANGE_UNDECIDED : 0) |
                             (e->asks ? EXCHANGE_ASKS : 0)));
    return 0;
}

static int read_multicast(void *field, svr__rd *rd)
{
    svr_multicast *m = field;
    uint8_t family = svr__rd_u8(rd);
    read_function *read_addr = family == 4 ? read_v4 : read_v6;
    int err;

    if (family != 4 && family != 6)
        return SVR_ERR_TLV_VALUE;
    m->flags = svr__rd_u8(rd);
    err = read_addr(&m->source, rd);
    if (err == 0)
        err = read_addr(&m->group, rd);
    m->proto = svr__rd_u8(rd);
    return err;
}

static int write_multicast(svr__wr *wr, const void *field)
{
    const svr_multicast *m = field;
    bool v4 = svr_addr_is_v4(&m->group);
    write_function *write_addr = v4 ? write_v4 : write_v6;
    int err;

    svr__wr_u8(wr, v4 ? 4 : 6);
    svr__wr_u8(wr, m->flags);
    err = write_addr(wr, &m->source);
    if (err == 0)
        err = write_addr(wr, &m->group);
    svr__wr_u8(wr, m->proto);
    return err;
}

static int read_endpoint_v4(void *field, svr__rd *rd)
{
    svr_bfd_endpoint *e = field;
    int err = read_v4(&e->addr, rd);

    e->port = svr__rd_u16(rd);
    return err;
}

static int write_endpoint_v4(svr__wr *wr, const void *field)
{
    const svr_bfd_endpoint *e = field;
    int err = write_v4(wr, &e->addr);

    svr__wr_u16(wr, e->port);
    return err;
}

static int read_endpoint_v6(void *field, svr__rd *rd)
{
    svr_bfd_endpoint *e = field;
    int err = read_v6(&e->addr, rd);

    e->port = svr__rd_u16(rd);
    return err;
}

static int write_endpoint_v6(svr__wr *wr, const void *field)
{
    const svr_bfd_endpoint *e = field;
    int err = write_v6(wr, &e->addr);

    svr__wr_u16(wr, e->port);
    return err;
}

static int read_numbers(void *field, svr__rd *rd)
{
    svr_bfd_numbers *n = field;

    n->own = svr__rd_u64(rd);
    n->peer = svr__rd_u64(rd);
    return 0;
}

static int write_numbers(svr__wr *wr, const void *field)
{
    const svr_bfd_numbers *n = field;

    svr__wr_u64(wr, n->own);
    svr__wr_u64(wr, n->peer);
    return 0;
}

static int read_echo(void *field, svr__rd *rd)
{
    svr_bfd_echo *e = field;

    e->own = svr__rd_u64(rd);
    e->peer = svr__rd_u64(rd);
    e->held = svr__rd_u64(rd);
    return 0;
}

static int write_echo(svr__wr *wr, const void *field)
{
    const svr_bfd_echo *e = field;

    svr__wr_u64(wr, e->own);
    svr__wr_u64(wr, e->peer);
    svr__wr_u64(wr, e->held);
    return 0;
}

static int read_pinhole(void *field, svr__rd *rd)
{
    svr_bfd_pinhole *p = field;

    p->local = svr__rd_u16(rd);
    p->remote = svr__rd_u16(rd);
    return 0;
}

static int write_pinhole(svr__wr *wr, const void *field)
{
    const svr_bfd_pinhole *p = field;

    svr__wr_u16(wr, p->local);
    svr__wr_u16(wr, p->remote);
    return 0;
}

static int read_padded(void *field, svr__rd *rd)
{
    svr_bfd_padded *p = field;

    p->number = svr__rd_u64(rd);
    p->size = svr__rd_u16(rd);
    return 0;
}

static int write_padded(svr__wr *wr, const void *field)
{
    const svr_bfd_padded *p = field;

    svr__wr_u64(wr, p->number);
    svr__wr_u16(wr, p->size);
    return 0;
}

static int read_probe(void *field, svr__rd *rd)
{
    svr_bfd_probe *p = field;

    p->round = svr__rd_u8(rd);
    p->kind = svr__rd_u8(rd);
    p->heard_round = svr__rd_u8(rd);
    p->heard = svr__rd_u8(rd);
    return 0;
}

static int write_probe(svr__wr *wr, const void *field)
{
    const svr_bfd_probe *p = field;

    svr__wr_u8(wr, p->round);
    svr__wr_u8(wr, p->kind);
    svr__wr_u8(wr, p->heard_round);
    svr__wr_u8(wr, p->heard);
    return 0;
}

/* Only its length says something (S14.6). */
static int read_padding(void *field, svr__rd *rd)
{
    *(uint16_t *)field = (uint16_t)svr__rd_rest(rd).len;
    return 0;
}

static int write_padding(svr__wr *wr, const void *field)
{
    uint16_t len = *(const uint16_t *)field;
    uint8_t *p = svr__wr_room(wr, len);

    if (p)
        memset(p, 0, len);
    return 0;
}

/* Router names, each behind a byte with its length. */
static int read_name_list(svr__rd *rd, unsigned count)
{
    for (; count > 0 && !rd->overrun; count--) {
        uint8_t len = svr__rd_u8(rd);
        svr__rd name;

        svr__rd_sub(rd, len, &name);
        if (rd->overrun)
            break;
        if (len == 0 || !svr__name_printable(svr__rd_rest(&name)))
            return SVR_ERR_TLV_VALUE;
    }
    return 0;
}

static int read_egress_list(void *field, svr__rd *rd)
{
    svr_span whole = {.data = rd->at, .len = rd->left};
    int err = read_name_list(rd, svr__rd_u16(rd));

    if (err == 0)
        *(svr_span *)field = whole;
    return err;
}

/* S20: routers passed, routers to come; behind them there may be a version of
 * each that was passed. */
static int read_route_record(void *field, svr__rd *rd)
{
    svr_span whole = {.data = rd->at, .len = rd->left};
    unsigned passed = svr__rd_u8(rd);
    int err = read_name_list(rd, passed + svr__rd_u8(rd));

    if (err != 0)
        return err;
    if (rd->left)
        svr__rd_bytes(rd, passed * sizeof(uint64_t));
    *(svr_span *)field = whole;
    return 0;
}

/* Both are sent as they are if they can be read. */
static int write_checked(svr__wr *wr, const void *field, read_function *read)
{
    const svr_span *whole = field;
    svr__rd rd = svr__rd_over(whole->data, whole->len);
    svr_span ignored;

    if (read(&ignored, &rd) != 0 || rd.overrun || rd.left > 0)
        return SVR_ERR_TLV_VALUE;
    return write_bytes(wr, field);
}

static int write_egress_list(svr__wr *wr, const void *field)
{
    return write_checked(wr, field, read_egress_list);
}

static int write_route_record(svr__wr *wr, const void *field)
{
    return write_checked(wr, field, read_route_record);
}

#define X(name, number, text) static const char text_##name[] = text;
SVR_ATTR_MAP(X)
#undef X
#define X(name, number, text) static const char text_BFD_##name[] = text;
SVR_BFD_ATTR_MAP(X)
#undef X

#define H SVR_SECTION_HEADER
#define P SVR_SECTION_PAYLOAD
#define B SVR_SECTION_BFD
#define NAME_MAX SVR_NAME_ACCEPT_MAX
#define ANY UINT16_MAX

#define FIELD(type, member, kind) \
    .field = offsetof(type, member), .read = read_##kind, .write = write_##kind
#define VALUE(member, kind) FIELD(svr_metadata, member, kind)

/* Accepted in, sent in, lengths; the field and the functions for its value. */
#define ROW(name, accepted, sent, min, max, member, kind)         \
    [SVR_ATTR_INDEX_##name] = {                                   \
        {SVR_ATTR_##name, text_##name, accepted, sent, min, max}, \
        VALUE(member, kind),                                      \
    }

#define BFD_ROW(name, min, max, member, kind)                   \
    [SVR_BFD_INDEX_##name] = {                                  \
        {SVR_BFD_ATTR_##name, text_BFD_##name, B, B, min, max}, \
        FIELD(svr_bfd_block, member, kind),                     \
    }

_Static_assert(SVR_BFD_INDEX_END <= 64, "more attributes than bits in a set");

/* clang-format off */
const svr__attribute svr__attributes[SVR_BFD_INDEX_END] = {
    ROW(FRAGMENT,           H,     H, 10, 10,       fragment, fragment),
    ROW(FORWARD_CONTEXT_V4, P,     P, 13, 13,       forward, context_v4),
    ROW(FORWARD_CONTEXT_V6, P,     P, 37, 37,       forward, context_v6),
    ROW(REVERSE_CONTEXT_V4, P,     P, 13, 13,       reverse, context_v4),
    ROW(REVERSE_CONTEXT_V6, P,     P, 37, 37,       reverse, context_v6),
    ROW(SESSION_UUID,       P,     P, 16, 16,       uuid, b16),
    ROW(TENANT,             P,     P, 1,  NAME_MAX, tenant, name),
    ROW(INTERFACE_ID,       P | H, P, 4,  4,        interface_id, u32),
    ROW(SERVICE,            P,     P, 1,  NAME_MAX, service, name),
    ROW(ENCRYPTED,          P,     P, 0,  0,        present, flag),
    ROW(TCP_SYN,            P,     P, 0,  0,        present, flag),
    ROW(SERVICE_SESSIONS,   P | H, P, 8,  8,        service_sessions, u64),
    ROW(SOURCE_ROUTER,      P,     P, 1,  NAME_MAX, source_router, name),
    ROW(SECURITY_POLICY,    P | H, P, 1,  NAME_MAX, security_policy, name),
    ROW(SECURITY_ID,        H,     H, 4,  4,        security_id, u32),
    ROW(DESTINATION_ROUTER, P | H, P, 1,  NAME_MAX, destination_router, name),
    ROW(DISABLE_FORWARD,    H | P, H, 0,  0,        present, flag),
    ROW(PATHWAY,            P,     P, 1,  NAME_MAX, pathway, name),
    ROW(ICMP_LOCATION_V4,   H,     H, 4,  4,        icmp_location, v4),
    ROW(ICMP_LOCATION_V6,   H,     H, 16, 16,       icmp_location, v6),
    ROW(CONTROL,            H,     H, 1,  1,        control, u8),
    ROW(SOURCE_NAT,         P,     P, 4,  4,        source_nat, v4),
    ROW(PATH_METRICS,       H,     H, 10, 10,       metrics, metrics),
    ROW(MODIFY,             P | H, P, 2,  ANY,      modify, bytes),
    ROW(APPLICATION,        P,     P, 1,  NAME_MAX, application, name),
    ROW(SESSION_TIME,       P,     P, 4,  4,        session_time, u32),
    ROW(HEALTH_OR_KEY,      H,     H, 1,  1,        health, u8),
    ROW(MULTICAST_GROUP,    P,     P, 11, 35,       multicast, multicast),
    ROW(MULTICAST_EGRESS,   P,     P, 2,  ANY, multicast_egress, egress_list),
    ROW(EXCHANGE_NUMBER,    H,     H, 17, 17,       exchange, exchange),
    ROW(PACKET_NUMBER,      H,     H, 8,  8,        packet_number, u64),
    ROW(COPY_NUMBER,        H,     H, 4,  4,        copy_number, u32),
    ROW(KEY_SALT,           P,     P, 17, 17,       salt, salt),
    ROW(RECOVERY_TOKEN,     P,     P, 1,  ANY,      recovery_token, bytes),
    ROW(ROUTE_RECORD,       P,     P, 2,  ANY,      route_record, route_record),
    ROW(SERVICE_CLASS,      P,     P, 1,  1,        service_class, u8),
    /* The other attribute of type 46 (S2.5). */
    [SVR_ATTR_INDEX_SESSION_KEY] = {
        {SVR_ATTR_HEALTH_OR_KEY, "session-encryption-key", P, P, 2, ANY},
        VALUE(session_key, bytes),
    },
    /* S14.3 */
    BFD_ROW(ROUTER,       1,  NAME_MAX, router, name),
    BFD_ROW(BOOT_COUNTER, 4,  4,        boot_counter, u32),
    BFD_ROW(SOURCE_V4,    6,  6,        source, endpoint_v4),
    BFD_ROW(SOURCE_V6,    18, 18,       source, endpoint_v6),
    BFD_ROW(NUMBERS,      16, 16,       numbers, numbers),
    BFD_ROW(ECHO,         24, 24,       echo, echo),
    BFD_ROW(OBSERVED_V4,  6,  6,        observed, endpoint_v4),
    BFD_ROW(OBSERVED_V6,  18, 18,       observed, endpoint_v6),
    BFD_ROW(CHALLENGE,    8,  8,        challenge, b8),
    BFD_ROW(ANSWER,       8,  8,        answer, b8),
    BFD_ROW(PINHOLE,      4,  4,        pinhole, pinhole),
    BFD_ROW(PADDED,       10, 10,       padded, padded),
    BFD_ROW(PADDING,      0,  ANY,      padding, padding),
    BFD_ROW(KEY_EXCHANGE, 1,  ANY,      key_exchange, bytes),
    BFD_ROW(LOAD,         1,  ANY,      load, bytes),
    BFD_ROW(TOPOLOGY,     1,  ANY,      topology, bytes),
    BFD_ROW(PROBE,        4,  4,        probe, probe),
    BFD_ROW(RESYNC_END,   4,  4,        resync_end, u32),
    [SVR_BFD_INDEX_SECURITY_ID] = {
        {SVR_ATTR_SECURITY_ID, text_SECURITY_ID, B, B, 4, 4},
        FIELD(svr_bfd_block, security_id, u32),
    },
};
/* clang-format on */

#define PLACE(number, index) [SVR__SLOT(number)] = (index),
#define IN_HEADER(name, number, text) PLACE(number, SVR_ATTR_INDEX_##name)
#define IN_PAYLOAD(name, number, text)               \
    PLACE(number, (number) == SVR_ATTR_HEALTH_OR_KEY \
                      ? SVR_ATTR_INDEX_SESSION_KEY   \
                      : SVR_ATTR_INDEX_##name)
#define BEHIND_BFD(name, number, text)                                         \
    PLACE(number, (number) == SVR_ATTR_SECURITY_ID ? SVR_BFD_INDEX_SECURITY_ID \
                                                   : SVR_ATTR_INDEX_##name)
#define BFD(name, number, text) PLACE(number, SVR_BFD_INDEX_##name)

/* Of the two attributes of type 46 (S2.5), and of type 16, each has its
 * section. */
const uint8_t svr__attribute_places[3][256] = {
    [SVR_SECTION_HEADER >> 1] = {SVR_ATTR_MAP(IN_HEADER) SVR_BFD_ATTR_MAP(BFD)},
    [SVR_SECTION_PAYLOAD >> 1] = {SVR_ATTR_MAP(IN_PAYLOAD)
                                      SVR_BFD_ATTR_MAP(BFD)},
    [SVR_SECTION_BFD >> 1] = {SVR_ATTR_MAP(BEHIND_BFD) SVR_BFD_ATTR_MAP(BFD)},
};

const svr_attribute_info *svr_attribute_find(uint16_t type,
                                             enum svr_section section)
{
    int place = svr__attribute_place(type, section);

    return place < 0 ? NULL : &svr__attributes[place].info;
}
