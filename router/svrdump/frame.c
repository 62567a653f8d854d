/* From the bytes of one packet to a struct dump_frame. */
#include "common/bytes.h"
#include "svrdump.h"

#include <stdlib.h>
#include <string.h>

enum {
    TCP_SIZE = 20,
    IPV4_SIZE = 20,
    IPV4_LEN = 2,
    IPV4_PROTO = 9,
    IPV4_SRC = 12,
    IPV4_DST = 16,
    IPV6_SIZE = 40,
    IPV6_LEN = 4,
    IPV6_NEXT = 6,
    IPV6_SRC = 8,
    IPV6_DST = 24,

    TLV_HEADER = 4,
};

static bool read_ipv4(struct dump_frame *f, svr_span ip)
{
    if (ip.len < IPV4_SIZE)
        return false;
    f->tuple.src = svr_addr_from_v4(ip.data + IPV4_SRC);
    f->tuple.dst = svr_addr_from_v4(ip.data + IPV4_DST);
    f->tuple.proto = ip.data[IPV4_PROTO];
    f->length = get_u16(ip.data + IPV4_LEN);
    return true;
}

static bool read_ipv6(struct dump_frame *f, svr_span ip)
{
    if (ip.len < IPV6_SIZE)
        return false;
    f->tuple.src = svr_addr_from_v6(ip.data + IPV6_SRC);
    f->tuple.dst = svr_addr_from_v6(ip.data + IPV6_DST);
    f->tuple.proto = ip.data[IPV6_NEXT];
    f->length = (uint32_t)get_u16(ip.data + IPV6_LEN) + IPV6_SIZE;
    return true;
}

/* What is worth knowing of packets that libsvr refuses, too: martians,
 * fragments. */
static bool read_ip(struct dump_frame *f, svr_span ip)
{
    if (ip.len == 0)
        return false;
    if (ip.data[0] >> 4 == 4)
        return read_ipv4(f, ip);
    return ip.data[0] >> 4 == 6 && read_ipv6(f, ip);
}

/* What stands behind the L4 header of a packet of len bytes. */
static void set_l4(struct dump_frame *f, const svr_headers *h, uint32_t len,
                   uint32_t captured)
{
    f->tuple = h->tuple;
    f->bind = (svr_tcp_bind){
        .seq = h->tcp_seq,
        .ack = h->tcp_ack,
        .window = h->tcp_window,
        .flags = h->tcp_flags,
    };
    if (h->tuple.proto == SVR_PROTO_TCP)
        f->bind.options = (svr_span){f->bytes + h->l4 + TCP_SIZE,
                                     (size_t)(h->payload - h->l4 - TCP_SIZE)};
    f->l4_len = f->payload_len = len - h->payload;
    f->l4_captured.data = f->bytes + h->payload;
    f->l4_captured.len = (captured < len ? captured : len) - h->payload;
}

/* Where the capture holds less than the packet had, zeros stand for the rest,
 * so that the headers can be read; `captured` says where they begin. */
static int parse_packet(struct dump_frame *f, uint32_t len, uint32_t captured)
{
    svr_packet p = {.data = f->bytes, .len = len};
    svr_headers h;
    int err = svr_packet_parse(&h, &p);

    if (captured < len && (err != 0 || h.payload > captured))
        return SVR_ERR_TRUNCATED;
    if (err == 0)
        set_l4(f, &h, p.len, captured);
    return err;
}

/* A payload section that is not sealed begins with something known. Without a
 * security id there is no key, so nothing can be sealed (S2.6). This is a
 * guess, as no router would make it. */
static bool looks_sealed(const svr_metadata *md, svr_span section)
{
    const svr_attribute_info *first;

    if (!(md->present & SVR_HAS(SECURITY_ID)) || section.len < TLV_HEADER)
        return false;
    first = svr_attribute_find(get_u16(section.data), SVR_SECTION_PAYLOAD);
    return !first || !(first->sections & SVR_SECTION_PAYLOAD);
}

static void set_malformed(struct dump_frame *f, int reason)
{
    f->status = DUMP_MALFORMED;
    f->reason = reason;
}

void dump_read_sections(struct dump_frame *f, size_t len)
{
    svr_span section = {f->block.data + f->block.header_len, len};
    svr_metadata whole;
    int err;

    svr_metadata_init(&f->md);
    err = svr_metadata_decode_header(&f->md, &f->block);
    if (err != 0) {
        svr_metadata_init(&f->md);
        set_malformed(f, err);
        return;
    }
    whole = f->md;
    err = svr_metadata_decode_payload(&whole, section.data, section.len);
    if (err == 0) {
        f->status = DUMP_OK;
        f->md = whole;
        f->clear_len = (uint16_t)len;
    } else if (looks_sealed(&f->md, section)) {
        f->status = DUMP_OPAQUE;
    } else {
        set_malformed(f, err);
    }
}

static void read_base_header(struct dump_frame *f, svr_span payload)
{
    uint16_t bits;

    if (payload.len < SVR_BASE_HEADER_SIZE)
        return;
    bits = get_u16(payload.data + SVR_COOKIE_SIZE);
    f->has_header = true;
    f->version = (uint8_t)(bits >> 12);
    f->header_section_len = bits & 0xfff;
    f->payload_section_len = get_u16(payload.data + SVR_COOKIE_SIZE + 2);
}

/* The block in a payload of which `captured` holds the beginning. */
static int parse_block(svr_block *b, svr_span captured, size_t len)
{
    svr_block found;
    int err;

    if (captured.len < SVR_BASE_HEADER_SIZE)
        return SVR_ERR_TRUNCATED;
    err = svr_block_parse(&found, captured.data, len);
    if (err != 0)
        return err;
    if ((size_t)found.header_len + found.payload_len > captured.len)
        return SVR_ERR_TRUNCATED;
    *b = found;
    return 0;
}

static void read_metadata(struct dump_frame *f, svr_span captured)
{
    int err;

    if (!svr_cookie_present(captured.data, captured.len))
        return;
    read_base_header(f, captured);
    err = parse_block(&f->block, captured, f->payload_len);
    if (err != 0) {
        set_malformed(f, err);
        return;
    }
    f->payload_len -= (uint32_t)f->block.header_len + f->block.payload_len;
    if (f->is_bfd)
        dump_bfd_read_block(f);
    else if (svr_block_is_bare(&f->block))
        f->status = DUMP_FALSE_POSITIVE;
    else
        dump_read_sections(f, f->block.payload_len);
}

static void read_payload(struct dump_frame *f)
{
    svr_span captured = f->l4_captured;

    /* Reports and keep-alives of a pathway come to that port as well. */
    if (dump_is_bfd(&f->tuple) &&
        !svr_cookie_present(captured.data, captured.len))
        captured = dump_bfd_take(f, captured);
    read_metadata(f, captured);
}

/* A copy of its exact size, with zeros for what was not captured. */
static uint8_t *copy_packet(svr_span ip, uint32_t len)
{
    uint8_t *bytes = calloc(1, len);

    if (bytes)
        memcpy(bytes, ip.data, ip.len < len ? ip.len : len);
    return bytes;
}

bool dump_frame_read(struct dump_frame *f, svr_span ip)
{
    uint32_t captured, len;

    f->is_ip = read_ip(f, ip);
    if (!f->is_ip)
        return true;
    captured = ip.len < SVR_PACKET_MAX ? (uint32_t)ip.len : SVR_PACKET_MAX;
    len = f->length > captured && f->length <= SVR_PACKET_MAX ? f->length
                                                              : captured;
    f->bytes = copy_packet(ip, len);
    if (!f->bytes)
        return false;
    f->error = parse_packet(f, len, captured);
    if (f->error == 0 &&
        (f->tuple.proto == SVR_PROTO_TCP || f->tuple.proto == SVR_PROTO_UDP))
        read_payload(f);
    return true;
}

const char *dump_tag_name(enum dump_tag tag)
{
    switch (tag) {
    case DUMP_TAG_OK:
        return "ok";
    case DUMP_TAG_WRONG:
        return "wrong";
    case DUMP_TAG_NO_KEY:
        return "no-key";
    case DUMP_TAG_NO_BOOT:
        return "no-boot-counter";
    case DUMP_TAG_NOT_CAPTURED:
        return "not-captured";
    default:
        return NULL;
    }
}

bool dump_is_plain(const struct dump_frame *f)
{
    return f->status == DUMP_NONE || f->status == DUMP_FALSE_POSITIVE;
}

bool dump_is_own(const struct dump_frame *f)
{
    return f->is_bfd ||
           (f->md.present &
            (SVR_HAS(CONTROL) | SVR_HAS(FRAGMENT) | SVR_HAS(DISABLE_FORWARD) |
             SVR_HAS(ICMP_LOCATION_V4) | SVR_HAS(ICMP_LOCATION_V6)));
}

const char *dump_seal_name(enum dump_seal seal)
{
    switch (seal) {
    case DUMP_SEAL_OPENED:
        return "opened";
    case DUMP_SEAL_WRONG:
        return "wrong";
    case DUMP_SEAL_NO_KEY:
        return "no-key";
    case DUMP_SEAL_NOT_CAPTURED:
        return "not-captured";
    default:
        return NULL;
    }
}

void dump_frame_free(struct dump_frame *f)
{
    free(f->bytes);
    f->bytes = NULL;
}

static void visit_section(svr_span rest, enum svr_section section,
                          dump_visitor *visit, void *user)
{
    svr_tlv tlv;

    while (svr_tlv_next(&tlv, &rest) == 1)
        visit(user, &tlv, section);
}

void dump_visit(const struct dump_frame *f, dump_visitor *visit, void *user)
{
    const svr_block *b = &f->block;

    if (!b->data)
        return;
    visit_section((svr_span){b->data + SVR_BASE_HEADER_SIZE,
                             b->header_len - SVR_BASE_HEADER_SIZE},
                  f->is_bfd ? SVR_SECTION_BFD : SVR_SECTION_HEADER, visit,
                  user);
    if (f->status != DUMP_OPAQUE)
        visit_section((svr_span){b->data + b->header_len,
                                 f->status == DUMP_OK && !f->is_bfd
                                     ? f->clear_len
                                     : b->payload_len},
                      SVR_SECTION_PAYLOAD, visit, user);
}
