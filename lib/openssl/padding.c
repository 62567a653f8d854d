#include "openssl/parts.h"

enum {
    BLOCK = SVR_CBC_BLOCK,
};

/* All ones where a < b, else zero; both are below 2^31. */
static uint32_t mask_below(uint32_t a, uint32_t b)
{
    return 0 - ((a - b) >> 31);
}

uint32_t svr__cbc_padding(const uint8_t *block)
{
    uint32_t pad = block[BLOCK - 1];
    uint32_t wrong = mask_below(pad, 1) | mask_below(BLOCK, pad);
    for (uint32_t i = 0; i < BLOCK; i++)
        wrong |= mask_below(i, pad) & (block[BLOCK - 1 - i] ^ pad);
    return pad & mask_below(wrong & 0x7fffffff, 1);
}
