/* bfd.c - BFD control packets (RFC 5880 section 4.1) and the block behind them
 * (S14.3). */
#include "wire/block.h"

enum {
    VERSION = 1,
    VERSION_SHIFT = 5,
    DIAG = 0x1f,

    STATE_SHIFT = 6,
    POLL = 0x20,
    FINAL = 0x10,
    INDEPENDENT = 0x08,
    AUTHENTICATED = 0x04,
    DEMAND = 0x02,
    MULTIPOINT = 0x01,

    AUTHENTICATED_SIZE = 26,
};

const char *svr_bfd_state_name(uint8_t state)
{
    switch (state) {
#define X(name, number, text) \
    case number:              \
        return text;
        SVR_BFD_STATE_MAP(X)
#undef X
    default:
        return "reserved";
    }
}

const char *svr_bfd_diag_name(uint8_t diag)
{
    switch (diag) {
#define X(name, number, text) \
    case number:              \
        return text;
        SVR_BFD_DIAG_MAP(X)
#undef X
    default:
        return "reserved";
    }
}

static bool are_values_allowed(const svr_bfd_packet *p)
{
    return p->multiplier != 0 && p->my_discriminator != 0 &&
           (p->your_discriminator != 0 || p->state == SVR_BFD_DOWN ||
            p->state == SVR_BFD_ADMIN_DOWN);
}

static void set_bits(svr_bfd_packet *p, uint8_t bits)
{
    p->state = bits >> STATE_SHIFT;
    p->poll = bits & POLL;
    p->final = bits & FINAL;
    p->control_plane_independent = bits & INDEPENDENT;
    p->demand = bits & DEMAND;
}

static uint8_t bits_of(const svr_bfd_packet *p)
{
    return (uint8_t)(p->state << STATE_SHIFT | (p->poll ? POLL : 0) |
                     (p->final ? FINAL : 0) |
                     (p->control_plane_independent ? INDEPENDENT : 0) |
                     (p->demand ? DEMAND : 0));
}

ptrdiff_t svr_bfd_decode(svr_bfd_packet *p, const uint8_t *buf, size_t len)
{
    svr__rd rd = svr__rd_over(buf, len);
    uint8_t version_and_diag = svr__rd_u8(&rd);
    uint8_t bits = svr__rd_u8(&rd);
    svr_bfd_packet got = {.diag = version_and_diag & DIAG};
    size_t size;

    set_bits(&got, bits);
    got.multiplier = svr__rd_u8(&rd);
    size = svr__rd_u8(&rd);
    got.my_discriminator = svr__rd_u32(&rd);
    got.your_discriminator = svr__rd_u32(&rd);
    got.desired_min_tx = svr__rd_u32(&rd);
    got.required_min_rx = svr__rd_u32(&rd);
    got.required_min_echo_rx = svr__rd_u32(&rd);
    if (rd.overrun)
        return SVR_ERR_TRUNCATED;
    if (version_and_diag >> VERSION_SHIFT != VERSION)
        return SVR_ERR_VERSION;
    if (size < (bits & AUTHENTICATED ? AUTHENTICATED_SIZE : SVR_BFD_SIZE) ||
        size > len)
        return SVR_ERR_LENGTH;
    if (bits & MULTIPOINT || !are_values_allowed(&got))
        return SVR_ERR_VALUE;
    if (bits & AUTHENTICATED)
        return SVR_ERR_UNSUPPORTED;
    *p = got;
    return (ptrdiff_t)size;
}

int svr_bfd_encode(uint8_t *buf, const svr_bfd_packet *p)
{
    svr__wr wr = svr__wr_over(buf, SVR_BFD_SIZE);

    if (p->diag > DIAG || p->state > SVR_BFD_UP || !are_values_allowed(p))
        return SVR_ERR_ARGUMENT;
    svr__wr_u8(&wr, (uint8_t)(VERSION << VERSION_SHIFT | p->diag));
    svr__wr_u8(&wr, bits_of(p));
    svr__wr_u8(&wr, p->multiplier);
    svr__wr_u8(&wr, SVR_BFD_SIZE);
    svr__wr_u32(&wr, p->my_discriminator);
    svr__wr_u32(&wr, p->your_discriminator);
    svr__wr_u32(&wr, p->desired_min_tx);
    svr__wr_u32(&wr, p->required_min_rx);
    svr__wr_u32(&wr, p->required_min_echo_rx);
    return 0;
}

void svr_bfd_block_init(svr_bfd_block *b)
{
    *b = (svr_bfd_block){0};
}

ptrdiff_t svr_bfd_block_decode(svr_bfd_block *b, const uint8_t *buf, size_t len)
{
    svr_block block;
    svr_span header;
    int err = svr_block_parse(&block, buf, len);

    if (err != 0)
        return err;
    if (block.payload_len != 0)
        return SVR_ERR_LENGTH;
    svr_bfd_block_init(b);
    header = (svr_span){buf + SVR_BASE_HEADER_SIZE,
                        block.header_len - SVR_BASE_HEADER_SIZE};
    err = svr__section_decode(b, &b->present, &b->unknown, header,
                              SVR_SECTION_BFD);
    return err != 0 ? err : block.header_len;
}

ptrdiff_t svr_bfd_block_encode(uint8_t *buf, size_t cap, const svr_bfd_block *b)
{
    const uint64_t ours = SVR_BFD_HAS(END) - SVR_BFD_HAS(SECURITY_ID);
    svr__wr wr = svr__wr_over(buf, cap);

    if (b->present & ~ours)
        return SVR_ERR_ARGUMENT;
    return svr__block_encode(&wr, b, b->present, SVR_SECTION_BFD);
}
