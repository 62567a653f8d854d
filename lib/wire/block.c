/* block.c - a block's base header (S2.2) and the attributes of its sections. */
#include "wire/block.h"

static const uint8_t cookie[SVR_COOKIE_SIZE] = {0x4c, 0x48, 0xdb, 0xc6,
                                                0xdd, 0xf6, 0x67, 0x0c};

enum {
    VERSION_SHIFT = 12,
    HEADER_LEN_MAX = 0xfff,
    PAYLOAD_LEN_MAX = 0xffff,
    TLV_HEADER_SIZE = 4,
};

bool svr_cookie_present(const uint8_t *buf, size_t len)
{
    return len >= sizeof(cookie) && memcmp(buf, cookie, sizeof(cookie)) == 0;
}

bool svr_block_is_bare(const svr_block *b)
{
    return b->header_len == SVR_BASE_HEADER_SIZE && b->payload_len == 0;
}

/* S2.2 */
int svr_block_parse(svr_block *b, const uint8_t *buf, size_t len)
{
    svr__rd rd = svr__rd_over(buf, len);
    uint16_t version_and_len, header_len, payload_len;

    if (!svr_cookie_present(buf, len))
        return SVR_ERR_NO_COOKIE;
    svr__rd_bytes(&rd, sizeof(cookie));
    version_and_len = svr__rd_u16(&rd);
    payload_len = svr__rd_u16(&rd);
    if (rd.overrun)
        return SVR_ERR_TRUNCATED;
    if (version_and_len >> VERSION_SHIFT != SVR_METADATA_VERSION)
        return SVR_ERR_VERSION;
    header_len = version_and_len & HEADER_LEN_MAX;
    if (header_len < SVR_BASE_HEADER_SIZE ||
        (size_t)header_len + payload_len > len)
        return SVR_ERR_LENGTH;
    *b = (svr_block){buf, header_len, payload_len};
    return 0;
}

/* Takes one attribute. S2.4 */
static inline int take_tlv(svr__rd *rd, uint16_t *type, svr__rd *value)
{
    const uint8_t *head = svr__rd_bytes(rd, TLV_HEADER_SIZE);

    if (!head)
        return SVR_ERR_TLV_OVERRUN;
    *type = svr__load_be16(head);
    svr__rd_sub(rd, svr__load_be16(head + 2), value);
    return rd->overrun ? SVR_ERR_TLV_OVERRUN : 0;
}

int svr_tlv_next(svr_tlv *tlv, svr_span *rest)
{
    svr__rd rd = svr__rd_over(rest->data, rest->len);
    svr__rd value;
    uint16_t type;

    if (rd.left == 0)
        return 0;
    if (take_tlv(&rd, &type, &value) != 0)
        return SVR_ERR_TLV_OVERRUN;
    tlv->type = type;
    tlv->value = svr__rd_rest(&value);
    *rest = svr__rd_rest(&rd);
    return 1;
}

/* Both families of an attribute share a field, so one of them at most. */
static bool has_both_families(uint64_t present)
{
    const uint64_t v4 = SVR_HAS(FORWARD_CONTEXT_V4) |
                        SVR_HAS(REVERSE_CONTEXT_V4) |
                        SVR_HAS(ICMP_LOCATION_V4) | SVR_BFD_HAS(SOURCE_V4) |
                        SVR_BFD_HAS(OBSERVED_V4);

    _Static_assert(
        SVR_HAS(FORWARD_CONTEXT_V6) == SVR_HAS(FORWARD_CONTEXT_V4) << 1 &&
            SVR_HAS(REVERSE_CONTEXT_V6) == SVR_HAS(REVERSE_CONTEXT_V4) << 1 &&
            SVR_HAS(ICMP_LOCATION_V6) == SVR_HAS(ICMP_LOCATION_V4) << 1 &&
            SVR_BFD_HAS(SOURCE_V6) == SVR_BFD_HAS(SOURCE_V4) << 1 &&
            SVR_BFD_HAS(OBSERVED_V6) == SVR_BFD_HAS(OBSERVED_V4) << 1,
        "the families of an attribute are not neighbours");
    return present & v4 & present >> 1;
}

/* S2.5, for one attribute. 1 where its type is unknown. */
static int decode_attribute(void *fields, uint64_t *present, uint16_t type,
                            enum svr_section section, svr__rd *value)
{
    int place = svr__attribute_place(type, section);
    const svr__attribute *a;
    uint64_t bit;
    int err;

    if (place < 0)
        return 1;
    a = &svr__attributes[place];
    bit = (uint64_t)1 << place;
    if (!(a->info.sections & section))
        return SVR_ERR_TLV_SECTION;
    if (*present & bit)
        return SVR_ERR_TLV_DUPLICATE;
    if (value->left < a->info.min_len || value->left > a->info.max_len)
        return SVR_ERR_TLV_LENGTH;
    err = a->read((char *)fields + a->field, value);
    if (err != 0)
        return err;
    if (value->overrun || value->left > 0)
        return SVR_ERR_TLV_LENGTH;
    *present |= bit;
    return 0;
}

int svr__section_decode(void *fields, uint64_t *present, uint16_t *unknown,
                        svr_span bytes, enum svr_section section)
{
    svr__rd rd = svr__rd_over(bytes.data, bytes.len);

    while (rd.left > 0) {
        svr__rd value;
        uint16_t type;
        int got = take_tlv(&rd, &type, &value);
        if (got == 0)
            got = decode_attribute(fields, present, type, section, &value);
        if (got < 0)
            return got;
        *unknown += (uint16_t)got;
    }
    return has_both_families(*present) ? SVR_ERR_TLV_DUPLICATE : 0;
}

static void write_base_header(svr__wr *wr)
{
    svr__wr_bytes(wr, cookie, sizeof(cookie));
    svr__wr_u16(wr,
                SVR_METADATA_VERSION << VERSION_SHIFT | SVR_BASE_HEADER_SIZE);
    svr__wr_u16(wr, 0);
}

void svr_block_write_bare(uint8_t *buf)
{
    svr__wr wr = svr__wr_over(buf, SVR_BASE_HEADER_SIZE);

    write_base_header(&wr);
}

static int encode_attribute(svr__wr *wr, const void *fields,
                            const svr__attribute *a)
{
    uint8_t *head = svr__wr_room(wr, TLV_HEADER_SIZE);
    size_t start = wr->len, len;

    if (a->write(wr, (const char *)fields + a->field) != 0)
        return SVR_ERR_ARGUMENT;
    if (wr->overrun)
        return SVR_ERR_NO_SPACE;
    len = wr->len - start;
    if (len < a->info.min_len || len > a->info.max_len)
        return SVR_ERR_ARGUMENT;
    if (head)
        svr__store_be32(head, (uint32_t)a->info.type << 16 | (uint32_t)len);
    return 0;
}

static int encode_section(svr__wr *wr, const void *fields, uint64_t present,
                          enum svr_section section)
{
    for (uint64_t left = present; left != 0; left &= left - 1) {
        const svr__attribute *a = &svr__attributes[__builtin_ctzll(left)];
        int err = 0;
        if (a->info.sent_in == section)
            err = encode_attribute(wr, fields, a);
        if (err != 0)
            return err;
    }
    return 0;
}

ptrdiff_t svr__block_encode(svr__wr *wr, const void *fields, uint64_t present,
                            enum svr_section header)
{
    size_t header_len, payload_len;
    int err;

    if (has_both_families(present))
        return SVR_ERR_ARGUMENT;
    write_base_header(wr);
    err = encode_section(wr, fields, present, header);
    if (err != 0)
        return err;
    header_len = wr->len;
    err = encode_section(wr, fields, present, SVR_SECTION_PAYLOAD);
    if (err != 0)
        return err;
    if (wr->overrun)
        return SVR_ERR_NO_SPACE;
    payload_len = wr->len - header_len;
    if (header_len > HEADER_LEN_MAX || payload_len > PAYLOAD_LEN_MAX)
        return SVR_ERR_LENGTH;
    svr__wr_patch_u16(
        wr, sizeof(cookie),
        (uint16_t)(SVR_METADATA_VERSION << VERSION_SHIFT | header_len));
    svr__wr_patch_u16(wr, sizeof(cookie) + 2, (uint16_t)payload_len);
    return (ptrdiff_t)wr->len;
}
