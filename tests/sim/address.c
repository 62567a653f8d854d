/* Who has which address in a planned network. */
#include "topology.h"

/* Segments have 11.0.0.0/16 and up; LANs 10.ROUTER.0.0/16 and, from the 257th
 * on, 9.ROUTER.0.0/16 and down. */

static svr_addr v4(unsigned a, unsigned b, unsigned c, unsigned d)
{
    const uint8_t bytes[4] = {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d};

    return svr_addr_from_v4(bytes);
}

svr_addr address_station(const struct topology *t, size_t segment,
                         unsigned station)
{
    if (!t->segments[segment].v6)
        return v4((unsigned)(11 + segment / 256), segment % 256, station / 256,
                  station % 256);
    return svr_addr_from_v6((const uint8_t[16]){
        0x20, 0x01, 0x0d, 0xb8, 0, 0, (uint8_t)(segment / 256),
        (uint8_t)(segment % 256), 0, 0, 0, 0, 0, 0, (uint8_t)(station / 256),
        (uint8_t)(station % 256)});
}

unsigned address_station_of(const struct topology *t, size_t segment,
                            const svr_addr *a)
{
    unsigned station = a->b[14] * 256u + a->b[15];
    svr_addr that = address_station(t, segment, station);

    return svr_addr_equal(a, &that) ? station : 0;
}

svr_addr address_inside(size_t segment)
{
    return v4(172, (unsigned)(16 + segment / 256), segment % 256, 1);
}

svr_addr address_inside_gateway(size_t segment)
{
    return v4(172, (unsigned)(16 + segment / 256), segment % 256, 254);
}

svr_addr address_gateway(size_t segment)
{
    return v4((unsigned)(11 + segment / 256), segment % 256, 255, 254);
}

svr_addr address_lan(size_t router, bool v6)
{
    if (!v6)
        return v4((unsigned)(10 - router / 256), router % 256, 0, 1);
    return svr_addr_from_v6(
        (const uint8_t[16]){0xfd, 0, 0, 0, 0, 0, (uint8_t)(router / 256),
                            (uint8_t)(router % 256), 0, 0, 0, 0, 0, 0, 0, 1});
}
