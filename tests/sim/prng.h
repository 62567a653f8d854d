/*
 * prng.h - repeatable random numbers: SplitMix64.
 *
 * A run has one seed. Each part of the simulator forks a stream of its own from
 * it, so that another choice of faults leaves the topology as it was.
 *
 * What draws stands in a statement of its own: in which order a compiler
 * evaluates arguments, or initializers, is its own business.
 */
#ifndef SIM_PRNG_H
#define SIM_PRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prng {
    uint64_t state;
};

static inline uint64_t prng_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline uint64_t prng_next(struct prng *p)
{
    return prng_mix(p->state += UINT64_C(0x9e3779b97f4a7c15));
}

/* 0 <= answer < n; n is not 0. */
static inline uint64_t prng_below(struct prng *p, uint64_t n)
{
    return prng_next(p) % n;
}

/* low <= answer <= high. */
static inline uint64_t prng_between(struct prng *p, uint64_t low, uint64_t high)
{
    return low + prng_below(p, high - low + 1);
}

/* True in ppm cases of a million; draws nothing where that is 0. */
static inline bool prng_chance(struct prng *p, uint32_t ppm)
{
    return ppm != 0 && prng_below(p, 1000000) < ppm;
}

/* A stream that has nothing to do with p or with those of other labels. */
static inline struct prng prng_fork(uint64_t seed, uint64_t label)
{
    return (struct prng){
        prng_mix(prng_mix(seed) ^ label * UINT64_C(0xd6e8feb86659fd93))};
}

#endif
