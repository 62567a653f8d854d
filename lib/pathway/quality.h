/*
 * quality.h - averages over the last minute (S14.2).
 *
 * Whole numbers throughout, so that every machine comes to the same answer.
 */
#ifndef SVR__PATHWAY_QUALITY_H
#define SVR__PATHWAY_QUALITY_H

#include <svr/pathway.h>

/* One round of measurement. Sums, so that rounds can be added up. */
typedef struct svr__sample {
    int64_t latency;  /* microseconds, one way, summed over `latencies` */
    int64_t variance; /* squares of the change of the one-way time from one
                         packet to the next, summed over `changes` */
    uint16_t sent, received;
    uint16_t latencies, changes;
} svr__sample;

/* Adds a latency in nanoseconds. */
void svr__sample_latency(svr__sample *s, int64_t ns);
/* Adds the square of a change in nanoseconds. */
void svr__sample_change(svr__sample *s, int64_t ns);

/* The last rounds, the oldest of which makes way for the newest. */
enum {
    SVR__ROUNDS = 6, /* of 10 s each: a minute */
};

#define SVR__ROUND_TIME (10 * SVR_SECOND)
/* How long a round waits for what was sent in it, after its end. */
#define SVR__ROUND_PATIENCE (5 * SVR_SECOND)

typedef struct svr__average {
    svr__sample round[SVR__ROUNDS];
    uint8_t next;
} svr__average;

/* A round ends. Where the last two have latencies far above those before, the
 * earlier ones count as if they had been as slow: a minute is too long to learn
 * that, and one round too short. */
void svr__average_add(svr__average *a, const svr__sample *s);

/* Loss, latency, jitter and MOS over the rounds held. False, with *q as it was,
 * where no packet was sent yet. */
bool svr__average_quality(const svr__average *a, svr_quality *q);

#endif
