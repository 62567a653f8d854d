/* mos.c - the mean opinion score (S14.7). */
#include "base/mos.h"

enum {
    MILLION = 1000000,
    CODEC_DELAY_US = 10000,
    KNEE_US = 160000,
    STEEP_FROM_US = 120000,
};

int64_t svr__mos_delay_cost(uint64_t delay_us)
{
    int64_t e = (int64_t)delay_us + CODEC_DELAY_US;

    return e < KNEE_US ? e : 4 * (e - STEEP_FROM_US);
}

uint16_t svr__mos(uint64_t delay_us, uint32_t loss_ppm)
{
    /* The rating R in thousandths; 2.5 for each per cent of loss, 10,000
     * millionths. */
    int64_t r =
        93200 - svr__mos_delay_cost(delay_us) / 40 - (int64_t)loss_ppm / 4;
    int64_t linear, cubic;

    if (r <= 0)
        return 1000;
    /* 1 + 0.035 R + 7e-6 R (R - 60) (100 - R), in units of 1e-15 */
    linear = r * 35 * MILLION * 1000;
    cubic = r * (r - 60000) * (100000 - r) * 7;
    if (linear + cubic <= 0)
        return 1000;
    return (uint16_t)(1000 + (linear + cubic) / ((int64_t)MILLION * MILLION));
}
