/*
 * measure.h - what the benches of the library share: several ways of doing the
 * same work, timed in turns within one run, and a table of medians and ratios.
 *
 *   NAME [--json | --markdown] [--rounds N]
 *
 * In a round each cell of the table is timed once, so that a busy moment of
 * the machine hits all of them alike; a cell's figure is its median.
 */
#ifndef SVR_BENCH_MEASURE_H
#define SVR_BENCH_MEASURE_H

#include <stddef.h>

#define BENCH_WAYS_MAX 4
#define BENCH_RATIOS_MAX 3
#define BENCH_FACTS_MAX 8

/* One kind of work. run[i] does it in the i-th way, `operations` times; NULL
 * where this build has no such way. */
struct bench_row {
    const char *name;
    void (*run[BENCH_WAYS_MAX])(void *input);
    void *input;
    double ns[BENCH_WAYS_MAX]; /* of one operation, filled by bench_main */
};

/* A column with the quotient of two ways. */
struct bench_ratio {
    unsigned over, under;
};

/* A figure that is told beside the table. */
struct bench_fact {
    const char *name, *unit;
    double value;
};

struct bench {
    const char *name;
    size_t operations;
    const char *ways[BENCH_WAYS_MAX]; /* as many as are not NULL */
    struct bench_ratio ratios[BENCH_RATIOS_MAX];
    size_t ratio_count;
    struct bench_row *rows;
    size_t row_count;
    void (*finish)(struct bench *b); /* called behind the rounds, for facts
                                        that come last; NULL: none */
    struct bench_fact facts[BENCH_FACTS_MAX];
    size_t fact_count;
};

/* Reads the options, measures and prints. What main returns: 0, 1 without
 * memory, 2 for wrong usage. */
int bench_main(struct bench *b, int argc, char **argv);

void bench_fact(struct bench *b, const char *name, double value,
                const char *unit);

/* Memory, all zero; the program ends where there is none. */
void *bench_need(size_t count, size_t size);

/* Nanoseconds that this process has used: what others do on the machine does
 * not count. */
double bench_now(void);

/* Makes the compiler believe that what p points to is read here. */
static inline void bench_use(const void *p)
{
    __asm__ volatile("" ::"r"(p) : "memory");
}

#endif
