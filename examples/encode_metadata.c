/*
 * encode_metadata - prints, as hex, the metadata that a router puts on the
 * first packet of a session (S5), without its tag:
 *
 *   encode_metadata | decode_metadata
 *
 * The bytes go behind the L4 header, the packet's own payload follows them, and
 * the tag over all of that comes last (svr/crypto.h, forge_first_packet.c).
 */
#include <stdio.h>
#include <string.h>
#include <svr/metadata.h>

/* Names are not copied: the text must live as long as the struct. */
static svr_span name(const char *text)
{
    return (svr_span){(const uint8_t *)text, strlen(text)};
}

static svr_metadata forward_metadata(void)
{
    static const uint8_t client[4] = {10, 1, 0, 66};
    static const uint8_t server[4] = {10, 2, 0, 10};
    svr_metadata md;

    svr_metadata_init(&md);
    /* Only what is named here is encoded, each attribute in its section. */
    md.present = SVR_HAS(SECURITY_ID) | SVR_HAS(EXCHANGE_NUMBER) |
                 SVR_HAS(PACKET_NUMBER) | SVR_HAS(FORWARD_CONTEXT_V4) |
                 SVR_HAS(SESSION_UUID) | SVR_HAS(TENANT) | SVR_HAS(SERVICE) |
                 SVR_HAS(SOURCE_ROUTER) | SVR_HAS(SECURITY_POLICY) |
                 SVR_HAS(PATHWAY);
    md.security_id = 0x5a17c0de;
    /* The boot counter above 32 bits of count (S6.9). */
    md.exchange =
        (svr_exchange){.own = (uint64_t)3 << 32 | 17, .unechoed = true};
    md.packet_number = 4711;
    md.forward = (svr_tuple){.src = svr_addr_from_v4(client),
                             .dst = svr_addr_from_v4(server),
                             .sport = 40000,
                             .dport = 443,
                             .proto = SVR_PROTO_TCP};
    /* A program takes a random UUID; an example prints the same each time. */
    md.uuid = (svr_uuid){{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x41, 0xd1, 0x80,
                          0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}};
    md.tenant = name("staff.corp");
    md.service = name("web");
    md.source_router = name("branch1");
    md.security_policy = name("default");
    md.pathway = name("wan0-dc1");
    return md;
}

int main(void)
{
    uint8_t buf[SVR_METADATA_MAX];
    svr_metadata md = forward_metadata();
    ptrdiff_t len = svr_metadata_encode(buf, sizeof buf, &md);

    if (len < 0) {
        fprintf(stderr, "encode_metadata: %s\n", svr_strerror((int)len));
        return 1;
    }
    for (ptrdiff_t i = 0; i < len; i++)
        printf("%02x", buf[i]);
    putchar('\n');
    return 0;
}
