/* BFD packets and the block behind them: what is accepted encodes to itself. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <svr/bfd.h>

enum {
    BLOCK_MAX = 4095,
    LENGTH = 3,
};

static void check(int holds)
{
    if (!holds)
        abort();
}

/* Only the length may differ: it is sent as SVR_BFD_SIZE always. */
static void check_packet(const svr_bfd_packet *p, const uint8_t *data)
{
    uint8_t written[SVR_BFD_SIZE];

    check(svr_bfd_encode(written, p) == 0);
    check(memcmp(written, data, LENGTH) == 0);
    check(written[LENGTH] == SVR_BFD_SIZE);
    check(memcmp(written + LENGTH + 1, data + LENGTH + 1,
                 SVR_BFD_SIZE - LENGTH - 1) == 0);
}

/* The attributes of a whole block. */
static svr_span section_of(const uint8_t *block, ptrdiff_t len)
{
    return (svr_span){block + SVR_BASE_HEADER_SIZE,
                      (size_t)len - SVR_BASE_HEADER_SIZE};
}

/* Each attribute has its like, in another order perhaps; of padding only the
 * length is kept. */
static void check_found(svr_tlv tlv, svr_span rest)
{
    svr_tlv like;

    do
        check(svr_tlv_next(&like, &rest) == 1);
    while (like.type != tlv.type);
    check(like.value.len == tlv.value.len);
    check(tlv.type == SVR_BFD_ATTR_PADDING || tlv.value.len == 0 ||
          memcmp(like.value.data, tlv.value.data, tlv.value.len) == 0);
}

static void check_block(const svr_bfd_block *b, const uint8_t *data,
                        ptrdiff_t len)
{
    static uint8_t written[BLOCK_MAX];
    svr_span rest = section_of(data, len);
    svr_tlv tlv;

    check(svr_bfd_block_encode(NULL, 0, b) == len);
    check(svr_bfd_block_encode(written, sizeof(written), b) == len);
    while (svr_tlv_next(&tlv, &rest) == 1)
        check_found(tlv, section_of(written, len));
}

void fuzz_one(const uint8_t *data, size_t len)
{
    svr_bfd_packet p;
    svr_bfd_block b;
    ptrdiff_t size = svr_bfd_decode(&p, data, len);
    ptrdiff_t block_len;

    if (size < 0)
        return;
    check(size >= SVR_BFD_SIZE && (size_t)size <= len);
    check_packet(&p, data);
    block_len = svr_bfd_block_decode(&b, data + size, len - (size_t)size);
    if (block_len < 0)
        return;
    check((size_t)block_len <= len - (size_t)size);
    if (b.unknown == 0)
        check_block(&b, data + size, block_len);
}
