#include "path/loss.h"

#include <stddef.h>

/* ln 2 in units of 2^-32, rounded. */
#define LN2 UINT64_C(2977044472)
#define SMALL_PPM 15000
/* More than of any loss below a million; that one is 13.8. */
#define TOTAL (UINT64_C(16) << 32)

/* 2 atanh(n/d), which is ln((d+n)/(d-n)), for n/d up to a third. */
static uint64_t log_quotient(uint64_t n, uint64_t d)
{
    uint64_t t = ((n << 32) + d / 2) / d, square = t * t >> 32, sum = 0;

    for (uint64_t power = t, k = 1; power > 0; k += 2) {
        sum += power / k;
        power = power * square >> 32;
    }
    return 2 * sum;
}

/* -ln(1 - x) by its series, for x below 2^-6 in units of 2^-32. */
static uint64_t log_small(uint64_t x)
{
    uint64_t square = x * x >> 32, cube = square * x >> 32;

    return x + square / 2 + cube / 3 + (square * square >> 32) / 4;
}

uint64_t svr__attenuation(uint32_t loss_ppm)
{
    uint64_t whole = SVR__PPM_ALL, halvings = 0, left;

    if (loss_ppm >= SVR__PPM_ALL)
        return TOTAL;
    if (loss_ppm < SMALL_PPM)
        return log_small(((uint64_t)loss_ppm << 32) / SVR__PPM_ALL);
    left = SVR__PPM_ALL - loss_ppm;
    /* what is left, between a half and one of the whole */
    while (2 * left <= whole) {
        left *= 2;
        halvings++;
    }
    return halvings * LN2 + log_quotient(whole - left, whole + left);
}

/* Where one loss ends and the next begins: half way to the one before. */
static uint64_t border(uint32_t loss_ppm)
{
    return (svr__attenuation(loss_ppm - 1) + svr__attenuation(loss_ppm) + 1) /
           2;
}

/* 1 - e^-a by its series, near the answer for small attenuations. */
static uint32_t guess(uint64_t a)
{
    uint64_t square = a * a >> 32, cube = square * a >> 32;

    return (uint32_t)((a - square / 2 + cube / 6) * SVR__PPM_ALL >> 32);
}

static uint32_t bisect(uint64_t a)
{
    uint32_t low = 0, high = SVR__PPM_ALL;

    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        if (border(middle) <= a)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

uint32_t svr__attenuation_loss(uint64_t attenuation)
{
    uint32_t loss;

    if (attenuation >> 28 != 0) /* a sixteenth */
        return bisect(attenuation);
    loss = guess(attenuation);
    while (loss > 0 && border(loss) > attenuation)
        loss--;
    while (border(loss + 1) <= attenuation)
        loss++;
    return loss;
}

uint64_t svr__attenuation_max(uint32_t loss_ppm)
{
    if (loss_ppm >= SVR__PPM_ALL)
        return UINT64_MAX;
    return border(loss_ppm + 1) - 1;
}
