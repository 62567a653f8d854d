#include "wire_messages.h"

#include "wire_packets.h"

#define ALL (((uint64_t)1 << SVR_ATTR_COUNT) - 1)

void value_fill(uint8_t *value, uint16_t type, size_t len)
{
    size_t names = len > 2 ? (len - 2) / 2 : 0;

    memset(value, 'a', len);
    if (type == SVR_ATTR_MULTICAST_GROUP && len > 0)
        value[0] = len < 35 ? 4 : 6;
    if (type != SVR_ATTR_MULTICAST_EGRESS && type != SVR_ATTR_ROUTE_RECORD)
        return;
    for (size_t i = 2; i < len; i += 2)
        value[i] = 1;
    if (len < 2)
        return;
    put16(value, names);
    if (type == SVR_ATTR_ROUTE_RECORD) {
        value[0] = (uint8_t)(names / 2);
        value[1] = (uint8_t)(names - names / 2);
    }
}

static bool spans_equal(const svr_span *a, const svr_span *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

bool metadata_equal(const svr_metadata *a, const svr_metadata *b)
{
#define SAME(name, expression) (!(a->present & SVR_HAS(name)) || (expression))
#define SAME_VALUE(name, member) SAME(name, a->member == b->member)
#define SAME_SPAN(name, member) SAME(name, spans_equal(&a->member, &b->member))
#define SAME_ADDR(name, m) SAME(name, svr_addr_equal(&a->m, &b->m))
#define SAME_TUPLE(name, m) SAME(name, svr_tuple_equal(&a->m, &b->m))
    return a->present == b->present && a->unknown == b->unknown &&
           SAME_VALUE(FRAGMENT, fragment.extended_id) &&
           SAME_VALUE(FRAGMENT, fragment.original_id) &&
           SAME_VALUE(FRAGMENT, fragment.dont_fragment) &&
           SAME_VALUE(FRAGMENT, fragment.more) &&
           SAME_VALUE(FRAGMENT, fragment.offset) &&
           SAME_VALUE(FRAGMENT, fragment.largest) &&
           SAME_TUPLE(FORWARD_CONTEXT_V4, forward) &&
           SAME_TUPLE(FORWARD_CONTEXT_V6, forward) &&
           SAME_TUPLE(REVERSE_CONTEXT_V4, reverse) &&
           SAME_TUPLE(REVERSE_CONTEXT_V6, reverse) &&
           SAME(SESSION_UUID, memcmp(&a->uuid, &b->uuid, 16) == 0) &&
           SAME_SPAN(TENANT, tenant) &&
           SAME_VALUE(INTERFACE_ID, interface_id) &&
           SAME_SPAN(SERVICE, service) &&
           SAME_VALUE(SERVICE_SESSIONS, service_sessions) &&
           SAME_SPAN(SOURCE_ROUTER, source_router) &&
           SAME_SPAN(SECURITY_POLICY, security_policy) &&
           SAME_VALUE(SECURITY_ID, security_id) &&
           SAME_SPAN(DESTINATION_ROUTER, destination_router) &&
           SAME_SPAN(PATHWAY, pathway) &&
           SAME_ADDR(ICMP_LOCATION_V4, icmp_location) &&
           SAME_ADDR(ICMP_LOCATION_V6, icmp_location) &&
           SAME_VALUE(CONTROL, control) && SAME_ADDR(SOURCE_NAT, source_nat) &&
           SAME_VALUE(PATH_METRICS, metrics.tx_colour) &&
           SAME_VALUE(PATH_METRICS, metrics.rx_colour) &&
           SAME_VALUE(PATH_METRICS, metrics.tx_time) &&
           SAME_VALUE(PATH_METRICS, metrics.rx_time) &&
           SAME_VALUE(PATH_METRICS, metrics.drop) &&
           SAME_VALUE(PATH_METRICS, metrics.count) &&
           SAME_SPAN(MODIFY, modify) && SAME_SPAN(APPLICATION, application) &&
           SAME_VALUE(SESSION_TIME, session_time) &&
           SAME_VALUE(HEALTH_OR_KEY, health) &&
           SAME_SPAN(SESSION_KEY, session_key) &&
           SAME_ADDR(MULTICAST_GROUP, multicast.source) &&
           SAME_ADDR(MULTICAST_GROUP, multicast.group) &&
           SAME_VALUE(MULTICAST_GROUP, multicast.flags) &&
           SAME_VALUE(MULTICAST_GROUP, multicast.proto) &&
           SAME_SPAN(MULTICAST_EGRESS, multicast_egress) &&
           SAME_VALUE(EXCHANGE_NUMBER, exchange.own) &&
           SAME_VALUE(EXCHANGE_NUMBER, exchange.echo) &&
           SAME_VALUE(EXCHANGE_NUMBER, exchange.unechoed) &&
           SAME_VALUE(EXCHANGE_NUMBER, exchange.undecided) &&
           SAME_VALUE(EXCHANGE_NUMBER, exchange.asks) &&
           SAME_VALUE(PACKET_NUMBER, packet_number) &&
           SAME_VALUE(COPY_NUMBER, copy_number) &&
           SAME(KEY_SALT, memcmp(&a->salt, &b->salt, 17) == 0) &&
           SAME_SPAN(RECOVERY_TOKEN, recovery_token) &&
           SAME_SPAN(ROUTE_RECORD, route_record) &&
           SAME_VALUE(SERVICE_CLASS, service_class);
}

/* A random number of bits, so that small and great ones are met alike. */
static uint64_t draw_number(uint64_t *seed)
{
    switch (draw(seed) % 4) {
    case 0:
        return UINT64_MAX;
    case 1:
        return draw(seed) >> (draw(seed) & 63);
    default:
        return draw(seed);
    }
}

static bool draw_bit(uint64_t *seed)
{
    return draw(seed) & 1;
}

static size_t draw_length(uint64_t *seed, size_t min)
{
    const size_t edges[] = {min, min + 1, 63, 64, 254, 255};

    return draw_bit(seed) ? edges[draw_below(seed, 6)]
                          : min + draw_below(seed, 256 - min);
}

static svr_span draw_span(struct message *m, uint64_t *seed, size_t min)
{
    uint8_t *at = m->bytes[m->used++];
    size_t len = draw_length(seed, min);

    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = draw(seed);
        for (size_t j = 0; j < 8; j++)
            at[i + j] = (uint8_t)(word >> 8 * j);
    }
    return (svr_span){at, len};
}

/* ASCII, with a longer letter here and there. */
static svr_span draw_name(struct message *m, uint64_t *seed)
{
    static const char letters[][5] = {"\xc2\xa0", "\xc3\xb6", "\xe2\x82\xac",
                                      "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"};
    svr_span s = draw_span(m, seed, 1);
    uint8_t *at = m->bytes[m->used - 1];

    for (size_t i = 0; i < s.len; i++)
        at[i] = (uint8_t)(' ' + at[i] % 95);
    for (size_t n = draw_below(seed, 3); n > 0; n--) {
        const char *letter = letters[draw_below(seed, 5)];
        size_t len = strlen(letter);
        if (s.len >= len) {
            memcpy(at + s.len - len, letter, len);
            break;
        }
    }
    return s;
}

static svr_span draw_list(struct message *m, uint64_t *seed, uint16_t type)
{
    uint8_t *at = m->bytes[m->used++];
    size_t len = 2 + 2 * draw_below(seed, 120);

    value_fill(at, type, len);
    return (svr_span){at, len};
}

/* 0x8005 alone takes as much as a section holds. */
static svr_span draw_token(struct message *m, uint64_t *seed)
{
    if (draw_below(seed, 1000) != 0)
        return draw_span(m, seed, 1);
    draw_bytes(seed, m->large + draw_below(seed, sizeof(m->large)), 1);
    return (svr_span){m->large, sizeof(m->large) - draw_below(seed, 2)};
}

static uint64_t draw_present(uint64_t *seed)
{
    uint64_t present = draw(seed) & draw(seed) & ALL;

    if (draw_below(seed, 8) == 0)
        present = ALL;
    present &= ~(draw_bit(seed) ? SVR_HAS(FORWARD_CONTEXT_V4)
                                : SVR_HAS(FORWARD_CONTEXT_V6));
    present &= ~(draw_bit(seed) ? SVR_HAS(REVERSE_CONTEXT_V4)
                                : SVR_HAS(REVERSE_CONTEXT_V6));
    present &= ~(draw_bit(seed) ? SVR_HAS(ICMP_LOCATION_V4)
                                : SVR_HAS(ICMP_LOCATION_V6));
    return present;
}

static void draw_spans(struct message *m, uint64_t *seed)
{
    svr_metadata *md = &m->md;

    md->tenant = draw_name(m, seed);
    md->service = draw_name(m, seed);
    md->source_router = draw_name(m, seed);
    md->destination_router = draw_name(m, seed);
    md->security_policy = draw_name(m, seed);
    md->pathway = draw_name(m, seed);
    md->application = draw_name(m, seed);
    md->modify = draw_span(m, seed, 2);
    md->session_key = draw_span(m, seed, 2);
    md->multicast_egress = draw_list(m, seed, SVR_ATTR_MULTICAST_EGRESS);
    md->route_record = draw_list(m, seed, SVR_ATTR_ROUTE_RECORD);
    md->recovery_token = draw_token(m, seed);
    if (md->recovery_token.len > 255)
        md->present = SVR_HAS(RECOVERY_TOKEN) | SVR_HAS(SECURITY_ID);
}

static void draw_addresses(svr_metadata *md, uint64_t *seed)
{
    bool group_v6 = draw_bit(seed);

    md->forward = draw_tuple(seed, md->present & SVR_HAS(FORWARD_CONTEXT_V6),
                             (uint8_t)draw_number(seed));
    md->reverse = draw_tuple(seed, md->present & SVR_HAS(REVERSE_CONTEXT_V6),
                             (uint8_t)draw_number(seed));
    md->icmp_location =
        draw_addr(seed, md->present & SVR_HAS(ICMP_LOCATION_V6));
    md->source_nat = draw_addr(seed, false);
    md->multicast.source = draw_addr(seed, group_v6);
    md->multicast.group = draw_addr(seed, group_v6);
    md->multicast.flags = (uint8_t)draw_number(seed);
    md->multicast.proto = (uint8_t)draw_number(seed);
    draw_bytes(seed, md->uuid.b, sizeof(md->uuid.b));
    draw_bytes(seed, md->salt.b, sizeof(md->salt.b));
    draw_bytes(seed, &md->salt.flags, 1);
}

static void draw_numbers(svr_metadata *md, uint64_t *seed)
{
    md->fragment.extended_id = (uint32_t)draw_number(seed);
    md->fragment.original_id = (uint16_t)draw_number(seed);
    md->fragment.dont_fragment = draw_bit(seed);
    md->fragment.more = draw_bit(seed);
    md->fragment.offset = draw_number(seed) & 0x1fff;
    md->fragment.largest = (uint16_t)draw_number(seed);
    md->metrics.tx_colour = draw_number(seed) & 15;
    md->metrics.rx_colour = draw_number(seed) & 15;
    md->metrics.tx_time = draw_number(seed) & 0xfffffff;
    md->metrics.rx_time = draw_number(seed) & 0xfffffff;
    md->metrics.drop = draw_bit(seed);
    md->metrics.count = draw_number(seed) & 0x7fff;
    md->exchange.own = draw_number(seed);
    md->exchange.echo = draw_number(seed);
    md->exchange.unechoed = draw_bit(seed);
    md->exchange.undecided = draw_bit(seed);
    md->exchange.asks = draw_bit(seed);
    md->interface_id = (uint32_t)draw_number(seed);
    md->security_id = (uint32_t)draw_number(seed);
    md->service_sessions = draw_number(seed);
    md->session_time = (uint32_t)draw_number(seed);
    md->packet_number = draw_number(seed);
    md->copy_number = (uint32_t)draw_number(seed);
    md->control = (uint8_t)draw_number(seed);
    md->health = (uint8_t)draw_number(seed);
    md->service_class = (uint8_t)draw_number(seed);
}

void message_draw(struct message *m, uint64_t *seed)
{
    m->used = 0;
    svr_metadata_init(&m->md);
    m->md.present = draw_present(seed);
    draw_addresses(&m->md, seed);
    draw_numbers(&m->md, seed);
    draw_spans(m, seed);
}
