/*
 * mos.h - what latency, jitter and loss mean for a voice (S14.7).
 *
 * Whole numbers throughout, so that every machine comes to the same answer.
 */
#ifndef SVR__MOS_H
#define SVR__MOS_H

#include <stdint.h>

/* What latency and jitter take from the rating, in 1/40000 of a point: grows
 * with both. delay is the latency and twice the jitter, in microseconds, below
 * 2^58. */
int64_t svr__mos_delay_cost(uint64_t delay_us);

/* Mean opinion score in thousandths, 1000 to 4404. Never grows with any of the
 * figures. */
uint16_t svr__mos(uint64_t delay_us, uint32_t loss_ppm);

#endif
