#include "nd.h"

#include "common/bytes.h"

#include <string.h>

#define V6_SIZE 16
#define HOP_LIMIT 255
#define TYPE_SOLICITATION 135
#define TYPE_ADVERTISEMENT 136
#define FLAG_SOLICITED 0x40
#define FLAG_OVERRIDE 0x20
#define FLAG_ROUTER 0x80
#define OPTION_SOURCE_MAC 1
#define OPTION_TARGET_MAC 2
#define OPTION_UNIT 8

/* Offsets in the IPv6 packet. */
enum {
    PAYLOAD_LEN_AT = 4,
    NEXT_HEADER_AT = 6,
    HOP_LIMIT_AT = 7,
    SOURCE_AT = 8,
    DESTINATION_AT = 24,
    ICMP_AT = 40,
    CODE_AT = ICMP_AT + 1,
    CHECKSUM_AT = ICMP_AT + 2,
    FLAGS_AT = ICMP_AT + 4,
    TARGET_AT = ICMP_AT + 8,
    OPTIONS_AT = TARGET_AT + V6_SIZE,
};

static const uint8_t all_nodes[V6_SIZE] = {0xff, 0x02, [15] = 1};
static const uint8_t solicited_node[13] = {0xff, 0x02, [11] = 1, [12] = 0xff};

bool nd_is_message(const uint8_t *packet, size_t len)
{
    return len > ICMP_AT && packet[0] >> 4 == 6 &&
           packet[NEXT_HEADER_AT] == SVR_PROTO_ICMPV6 &&
           (packet[ICMP_AT] == TYPE_SOLICITATION ||
            packet[ICMP_AT] == TYPE_ADVERTISEMENT);
}

static uint32_t sum_message(const uint8_t *packet, size_t icmp_len)
{
    uint32_t sum = sum_add(0, packet + SOURCE_AT, (size_t)2 * V6_SIZE);

    sum += (uint32_t)icmp_len + SVR_PROTO_ICMPV6;
    return sum_add(sum, packet + ICMP_AT, icmp_len);
}

static bool is_group(const uint8_t *addr)
{
    return addr[0] == 0xff;
}

static bool is_zero(const uint8_t *addr)
{
    static const uint8_t zero[V6_SIZE];

    return memcmp(addr, zero, V6_SIZE) == 0;
}

/* Walks the options; false where one has no length or passes the end. */
static bool read_options(struct nd_message *m, const uint8_t *p, size_t len)
{
    uint8_t wanted = m->solicitation ? OPTION_SOURCE_MAC : OPTION_TARGET_MAC;

    m->has_mac = false;
    while (len > 0) {
        size_t size;

        if (len < OPTION_UNIT)
            return false;
        size = (size_t)p[1] * OPTION_UNIT;
        if (size == 0 || size > len)
            return false;
        if (p[0] == wanted && size == OPTION_UNIT) {
            if (!ether_is_station(p + 2))
                return false;
            memcpy(m->mac, p + 2, ETHER_ADDR);
            m->has_mac = true;
        }
        p += size;
        len -= size;
    }
    return true;
}

/* What differs between the two messages (RFC 4861 7.1.1, 7.1.2). */
static bool addresses_fit(const struct nd_message *m, const uint8_t *packet)
{
    const uint8_t *destination = packet + DESTINATION_AT;
    bool probe = is_zero(packet + SOURCE_AT);

    if (!m->solicitation)
        return !probe && !(m->solicited && is_group(destination));
    if (!probe)
        return true;
    return !m->has_mac &&
           memcmp(destination, solicited_node, sizeof solicited_node) == 0;
}

bool nd_parse(struct nd_message *m, const uint8_t *frame, size_t len)
{
    const uint8_t *packet = frame + ETHER_HEADER;
    struct nd_message read;
    size_t icmp_len;

    if (len < ETHER_HEADER + OPTIONS_AT ||
        get_u16(frame + ETHER_TYPE_AT) != ETHER_TYPE_IPV6 ||
        !ether_is_station(frame + ETHER_FROM_AT) ||
        !nd_is_message(packet, len - ETHER_HEADER))
        return false;
    icmp_len = get_u16(packet + PAYLOAD_LEN_AT);
    if (icmp_len > len - ETHER_HEADER - ICMP_AT ||
        icmp_len < OPTIONS_AT - ICMP_AT)
        return false;
    if (packet[HOP_LIMIT_AT] != HOP_LIMIT || packet[CODE_AT] != 0 ||
        sum_finish(sum_message(packet, icmp_len)) != 0)
        return false;
    if (is_group(packet + TARGET_AT) || is_group(packet + SOURCE_AT))
        return false;
    read.solicitation = packet[ICMP_AT] == TYPE_SOLICITATION;
    read.solicited = (packet[FLAGS_AT] & FLAG_SOLICITED) != 0;
    read.override = (packet[FLAGS_AT] & FLAG_OVERRIDE) != 0;
    read.source = svr_addr_from_v6(packet + SOURCE_AT);
    read.target = svr_addr_from_v6(packet + TARGET_AT);
    memcpy(read.from, frame + ETHER_FROM_AT, ETHER_ADDR);
    if (svr_addr_is_v4(&read.source) || svr_addr_is_v4(&read.target))
        return false; /* mapped: not for the wire */
    if (!read_options(&read, packet + OPTIONS_AT,
                      ICMP_AT + icmp_len - OPTIONS_AT) ||
        !addresses_fit(&read, packet))
        return false;
    *m = read;
    return true;
}

/* Writes all but the flags and the checksum. */
static void write_message(uint8_t *frame, uint8_t type,
                          const uint8_t mac[ETHER_ADDR], const svr_addr *source,
                          const uint8_t *destination, const svr_addr *target)
{
    uint8_t *packet = frame + ETHER_HEADER;
    uint8_t *option = packet + OPTIONS_AT;

    memset(packet, 0, ND_FRAME_SIZE - ETHER_HEADER);
    packet[0] = 6 << 4;
    put_u16(packet + PAYLOAD_LEN_AT, OPTIONS_AT - ICMP_AT + OPTION_UNIT);
    packet[NEXT_HEADER_AT] = SVR_PROTO_ICMPV6;
    packet[HOP_LIMIT_AT] = HOP_LIMIT;
    memcpy(packet + SOURCE_AT, source->b, V6_SIZE);
    memcpy(packet + DESTINATION_AT, destination, V6_SIZE);
    packet[ICMP_AT] = type;
    memcpy(packet + TARGET_AT, target->b, V6_SIZE);
    option[0] =
        type == TYPE_SOLICITATION ? OPTION_SOURCE_MAC : OPTION_TARGET_MAC;
    option[1] = 1;
    memcpy(option + 2, mac, ETHER_ADDR);
}

static void write_checksum(uint8_t *packet)
{
    size_t icmp_len = OPTIONS_AT - ICMP_AT + OPTION_UNIT;

    put_u16(packet + CHECKSUM_AT, sum_finish(sum_message(packet, icmp_len)));
}

void nd_write_solicitation(uint8_t *frame, const uint8_t *to,
                           const uint8_t mac[ETHER_ADDR], const svr_addr *own,
                           const svr_addr *target)
{
    uint8_t group[V6_SIZE];
    uint8_t group_mac[ETHER_ADDR] = {0x33, 0x33, 0xff};

    memcpy(group, solicited_node, sizeof solicited_node);
    memcpy(group + sizeof solicited_node, target->b + 13, 3);
    memcpy(group_mac + 3, target->b + 13, 3);
    ether_write(frame, to != NULL ? to : group_mac, mac, ETHER_TYPE_IPV6);
    write_message(frame, TYPE_SOLICITATION, mac, own,
                  to != NULL ? target->b : group, target);
    write_checksum(frame + ETHER_HEADER);
}

void nd_write_advertisement(uint8_t *frame, const uint8_t mac[ETHER_ADDR],
                            const struct nd_message *m)
{
    static const uint8_t all_nodes_mac[ETHER_ADDR] = {0x33, 0x33, [5] = 1};
    bool probe = svr_addr_is_none(&m->source);
    const uint8_t *to = m->has_mac ? m->mac : m->from;

    ether_write(frame, probe ? all_nodes_mac : to, mac, ETHER_TYPE_IPV6);
    write_message(frame, TYPE_ADVERTISEMENT, mac, &m->target,
                  probe ? all_nodes : m->source.b, &m->target);
    frame[ETHER_HEADER + FLAGS_AT] =
        (uint8_t)(FLAG_ROUTER | FLAG_OVERRIDE | (probe ? 0 : FLAG_SOLICITED));
    write_checksum(frame + ETHER_HEADER);
}

svr_addr nd_link_local(const uint8_t mac[ETHER_ADDR])
{
    svr_addr a = {{0xfe, 0x80}};

    memcpy(a.b + 8, mac, 3);
    a.b[8] ^= 2;
    a.b[11] = 0xff;
    a.b[12] = 0xfe;
    memcpy(a.b + 13, mac + 3, 3);
    return a;
}

bool nd_is_link_local(const svr_addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}
