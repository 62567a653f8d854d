/*
 * find_svr - finds SVR in a packet loop of your own: which calls, in which
 * order, and what each answer means.
 *
 * A data plane has batches of packets in its own buffers. Here receive() stands
 * for it; look_at() is the part to take away. It copies nothing and allocates
 * nothing: all that svr_metadata says points into the packet.
 */
#include <stdio.h>
#include <string.h>
#include <svr/wire.h>

#define BATCH 8
#define TEXT "question"
#define ROOM (SVR_HEADROOM + 1500 + SVR_TAILROOM)

enum finding {
    NO_IP,     /* cannot be taken apart; fragments: reassemble them before */
    PLAIN,     /* no metadata; most packets of a session look like this */
    MALFORMED, /* the cookie, but no sound block behind it */
    BARE,      /* a mark only: the payload begins with the cookie by chance */
    SESSION,   /* says what session the packet belongs to */
    OTHER,     /* metadata that does not */
    FINDINGS,
};

static const char *const finding_names[FINDINGS] = {
    "no IP", "plain", "malformed", "bare header", "session", "other metadata",
};

/* What is SVR's in the packet, and what is left for the receiver. */
struct found {
    svr_metadata md;
    size_t block; /* bytes of SVR behind the L4 header; 0: none */
    svr_span
        payload; /* what follows, with the tag at its end if it is signed */
};

static enum finding look_at(struct found *f, svr_packet *p)
{
    svr_headers h;
    svr_block b;

    f->block = 0;
    f->payload = (svr_span){0};
    if (svr_packet_parse(&h, p) != 0)
        return NO_IP;
    f->payload = (svr_span){p->data + h.payload, p->len - h.payload};
    /* Only TCP and UDP carry metadata: all else travels within UDP. */
    if (h.tuple.proto != SVR_PROTO_TCP && h.tuple.proto != SVR_PROTO_UDP)
        return PLAIN;
    switch (svr_block_parse(&b, f->payload.data, f->payload.len)) {
    case 0:
        break;
    case SVR_ERR_NO_COOKIE:
        return PLAIN;
    default:
        return MALFORMED;
    }
    /* The header section is always clear. */
    svr_metadata_init(&f->md);
    if (svr_metadata_decode_header(&f->md, &b) != 0)
        return MALFORMED;
    /* A cookie proves nothing, and neither does a sound block. A router now
     * finds the key that security_id names, verifies the tag at the packet's
     * end and opens this section if it is encrypted (svr/crypto.h). Before
     * that nothing said here is true; this program only looks. */
    if (svr_metadata_decode_payload(&f->md, b.data + b.header_len,
                                    b.payload_len) != 0)
        return MALFORMED;
    f->block = (size_t)b.header_len + b.payload_len;
    f->payload.data += f->block;
    f->payload.len -= f->block;
    if (svr_block_is_bare(&b))
        return BARE;
    return svr_metadata_is_session(&f->md) ? SESSION : OTHER;
}

/* ---- what stands for your packet source ---- */

static size_t put_metadata(uint8_t *buf)
{
    static const uint8_t client[4] = {10, 1, 0, 66}, server[4] = {10, 2, 0, 10};
    svr_metadata md;

    svr_metadata_init(&md);
    md.present = SVR_HAS(FORWARD_CONTEXT_V4) | SVR_HAS(TENANT);
    md.forward = (svr_tuple){svr_addr_from_v4(client), svr_addr_from_v4(server),
                             40000, 53, SVR_PROTO_UDP};
    md.tenant = (svr_span){(const uint8_t *)"staff.corp", 10};
    return (size_t)svr_metadata_encode(buf, SVR_METADATA_MAX, &md);
}

/* Makes a packet of what is wanted to be found in it. */
static int make_packet(svr_packet *p, uint8_t *buf, enum finding kind)
{
    static const uint8_t from[4] = {203, 0, 113, 1}, to[4] = {203, 0, 113, 2};
    const svr_tuple waypoints = {svr_addr_from_v4(from), svr_addr_from_v4(to),
                                 16384, 16385, SVR_PROTO_UDP};
    uint8_t *payload = buf + SVR_HEADROOM;
    size_t len = 0;

    if (kind == SESSION)
        len = put_metadata(payload);
    if (kind == BARE || kind == MALFORMED) {
        svr_block_write_bare(payload);
        len = SVR_BASE_HEADER_SIZE;
    }
    memcpy(payload + len, TEXT, sizeof TEXT);
    len += sizeof TEXT - 1;
    if (svr_packet_init(p, buf, ROOM, len) != 0 ||
        svr_udp_wrap(p, &waypoints) != 0)
        return -1;
    if (kind == MALFORMED)
        payload[9] = 255; /* a header longer than the packet */
    return 0;
}

static size_t receive(svr_packet *batch)
{
    static const enum finding kinds[] = {PLAIN, SESSION, BARE, MALFORMED};
    static uint8_t buf[BATCH][ROOM];
    size_t count = 0;

    while (count < sizeof(kinds) / sizeof(kinds[0]) &&
           make_packet(&batch[count], buf[count], kinds[count]) == 0)
        count++;
    return count;
}

int main(void)
{
    svr_packet batch[BATCH];
    size_t seen[FINDINGS] = {0}, count = receive(batch);
    struct found f;

    for (size_t i = 0; i < count; i++) {
        enum finding what = look_at(&f, &batch[i]);
        seen[what]++;
        printf("%zu: %s, %zu bytes of SVR, %zu of payload\n", i + 1,
               finding_names[what], f.block, f.payload.len);
        /* Decoding refuses names with control characters. */
        if (what == SESSION && f.md.present & SVR_HAS(TENANT))
            printf("   tenant %.*s\n", (int)f.md.tenant.len,
                   (const char *)f.md.tenant.data);
    }
    printf("%zu of %zu packets say their session\n", seen[SESSION], count);
    return 0;
}
