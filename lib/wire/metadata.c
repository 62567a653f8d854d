/* metadata.c - the metadata block: base header and two sections (S2). */
#include "wire/block.h"

void svr_metadata_init(svr_metadata *md)
{
    /* Of a constant length gcc makes "rep stos", which costs as much as the
     * decoding of two attributes. */
    volatile size_t len = sizeof(*md);

    memset(md, 0, len);
}

bool svr_metadata_is_session(const svr_metadata *md)
{
    return md->present &
           (SVR_HAS(FORWARD_CONTEXT_V4) | SVR_HAS(FORWARD_CONTEXT_V6) |
            SVR_HAS(REVERSE_CONTEXT_V4) | SVR_HAS(REVERSE_CONTEXT_V6));
}

static int decode_section(svr_metadata *md, const uint8_t *buf, size_t len,
                          enum svr_section section)
{
    return svr__section_decode(md, &md->present, &md->unknown,
                               (svr_span){buf, len}, section);
}

int svr_metadata_decode_header(svr_metadata *md, const svr_block *b)
{
    if (b->header_len < SVR_BASE_HEADER_SIZE)
        return SVR_ERR_LENGTH;
    return decode_section(md, b->data + SVR_BASE_HEADER_SIZE,
                          b->header_len - SVR_BASE_HEADER_SIZE,
                          SVR_SECTION_HEADER);
}

int svr_metadata_decode_payload(svr_metadata *md, const uint8_t *buf,
                                size_t len)
{
    return decode_section(md, buf, len, SVR_SECTION_PAYLOAD);
}

ptrdiff_t svr_metadata_decode(svr_metadata *md, const uint8_t *buf, size_t len)
{
    svr_block b;
    int err = svr_block_parse(&b, buf, len);

    if (err != 0)
        return err;
    svr_metadata_init(md);
    err = svr_metadata_decode_header(md, &b);
    if (err == 0)
        err = svr_metadata_decode_payload(md, b.data + b.header_len,
                                          b.payload_len);
    return err != 0 ? err : b.header_len + b.payload_len;
}

ptrdiff_t svr_metadata_encode(uint8_t *buf, size_t cap, const svr_metadata *md)
{
    svr__wr wr = svr__wr_over(buf, cap);

    if (md->present >> SVR_ATTR_COUNT)
        return SVR_ERR_ARGUMENT;
    return svr__block_encode(&wr, md, md->present, SVR_SECTION_HEADER);
}
