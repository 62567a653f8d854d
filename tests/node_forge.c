#include "node_forge.h"

#include "base/text.h"

#include <criterion/criterion.h>
#include <string.h>

struct frame forge_signed(const char *from, const char *to,
                          const svr_metadata *md, const svr_tuple *t)
{
    /* S11.4b: 0, 0, the window and the flags of frame_tcp_tuple */
    static const uint8_t bind[12] = {[8] = 0xff, [10] = SVR_TCP_ACK};
    uint8_t shared[SVR_KEY_SIZE], bytes[SVR_METADATA_MAX + SVR_TAG_MAX + 12];
    svr_direction_key key;
    svr_metadata out = *md;
    svr_mac mac;
    bool tcp = t->proto == SVR_PROTO_TCP;
    memset(shared, 0x42, sizeof(shared));
    svr_direction_key_derive(&key, shared, from, to, 1);
    svr_mac_init(&mac, &svr_hmac_sha256_128, key.key);
    out.security_id = key.security_id;
    ptrdiff_t len = svr_metadata_encode(bytes, SVR_METADATA_MAX, &out);
    cr_assert_gt(len, 0);
    memcpy(bytes + len, "something", 9);
    len += 9;
    svr_mac_sign(&mac, (svr_span[]){{bytes, (size_t)len}, {bind, 12}},
                 tcp ? 2 : 1, bytes + len);
    len += (ptrdiff_t)mac.hmac->tag_len;
    return tcp ? frame_tcp_tuple(t, SVR_TCP_ACK, 0, 0, bytes, (size_t)len)
               : frame_udp_tuple(t, bytes, (size_t)len);
}

struct frame forge_from_branch(const svr_metadata *md, uint16_t sport,
                               uint8_t proto)
{
    svr_tuple t = {addr("203.0.113.1"), addr("203.0.113.2"), sport, 20001,
                   proto};
    return forge_signed("branch", "dc", md, &t);
}

svr_metadata forge_metadata(void)
{
    svr_metadata md;
    svr_metadata_init(&md);
    md.present = SVR_HAS(SECURITY_ID) | SVR_HAS(PACKET_NUMBER) |
                 SVR_HAS(FORWARD_CONTEXT_V4) | SVR_HAS(SESSION_UUID) |
                 SVR_HAS(TENANT) | SVR_HAS(SERVICE) | SVR_HAS(SOURCE_ROUTER);
    md.packet_number = 1;
    md.forward = (svr_tuple){addr(CLIENT), addr(SERVER), 50, 9, SVR_PROTO_UDP};
    md.uuid.b[0] = 1;
    md.tenant = svr__text("staff.corp");
    md.service = svr__text("apps");
    md.source_router = svr__text("branch");
    return md;
}

void forge_record(svr_metadata *md, const char *bytes, size_t len)
{
    md->present |= SVR_HAS(ROUTE_RECORD);
    md->route_record = (svr_span){(const uint8_t *)bytes, len};
}
