/* What stands in front of the IP header, by the capture's link type. */
#include "common/bytes.h"
#include "svrdump.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_SERVICE_VLAN 0x88a8
#define VLAN_TAG_SIZE 4
#define NO_TYPE SIZE_MAX

struct link {
    int datalink;
    size_t size;    /* of the link header */
    size_t type_at; /* the EtherType within it */
};

static const struct link links[] = {
    {DLT_EN10MB, 14, 12},  {DLT_LINUX_SLL, 16, 14}, {DLT_LINUX_SLL2, 20, 0},
    {DLT_RAW, 0, NO_TYPE}, {DLT_IPV4, 0, NO_TYPE},  {DLT_IPV6, 0, NO_TYPE},
};

static const struct link *find_link(int datalink)
{
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        if (links[i].datalink == datalink)
            return &links[i];
    }
    return NULL;
}

bool dump_link_supported(int datalink)
{
    return find_link(datalink) != NULL;
}

static bool is_vlan(uint16_t type)
{
    return type == ETHERTYPE_VLAN || type == ETHERTYPE_SERVICE_VLAN;
}

svr_span dump_link_strip(int datalink, const uint8_t *frame, size_t len)
{
    const struct link *link = find_link(datalink);
    const svr_span none = {NULL, 0};
    uint16_t type;
    size_t at;

    if (!link || len < link->size)
        return none;
    at = link->size;
    if (link->type_at == NO_TYPE)
        return (svr_span){frame, len};
    type = get_u16(frame + link->type_at);
    if (is_vlan(type) && len - at >= VLAN_TAG_SIZE) {
        type = get_u16(frame + at + 2);
        at += VLAN_TAG_SIZE;
    }
    if (type != ETHERTYPE_IPV4 && type != ETHERTYPE_IPV6)
        return none;
    return (svr_span){frame + at, len - at};
}
