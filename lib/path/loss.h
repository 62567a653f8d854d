/*
 * loss.h - losses that can be added up.
 *
 * A vector loses 1 - product of (1 - loss), and products of whole numbers must
 * be rounded at each step, so that the order of steps would show. Sums of
 * logarithms are exact: an attenuation is -ln(1 - loss) in units of 2^-32,
 * rounded once for each pathway.
 */
#ifndef SVR__PATH_LOSS_H
#define SVR__PATH_LOSS_H

#include <stdint.h>

enum {
    SVR__PPM_ALL = 1000000,
};

/* Of a loss; more than a million counts as a million. Grows with the loss. A
 * sum of 2^20 of them fits. */
uint64_t svr__attenuation(uint32_t loss_ppm);

/* The loss whose attenuation is nearest; never falls. */
uint32_t svr__attenuation_loss(uint64_t attenuation);

/* The largest attenuation whose loss is not above this. */
uint64_t svr__attenuation_max(uint32_t loss_ppm);

#endif
