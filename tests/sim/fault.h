/*
 * fault.h - what goes wrong in a run, and what each fault excuses.
 */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include "net.h"
#include "queue.h"

struct world;

/* X(NAME, "name", "what happens"). */
#define FAULT_MAP(X)                                               \
    X(RESTART, "restart", "a router dies and starts again")        \
    X(DOWN, "down", "a router's line is cut for a while")          \
    X(FLAP, "flap", "a line comes and goes every second")          \
    X(ONEWAY, "oneway", "a line carries nothing in one direction") \
    X(PARTITION, "partition", "all lines of a router are cut")     \
    X(LOSS, "loss", "a line loses 1 to 50 %")                      \
    X(COPY, "copy", "a line delivers up to all packets twice")     \
    X(REORDER, "reorder", "a line delivers 25 % out of order")     \
    X(CORRUPT, "corrupt", "a line changes bytes of 1 %")           \
    X(DELAY, "delay", "a line gets slow")                          \
    X(RATE, "rate", "a line carries 1 to 10 Mbit/s")               \
    X(MTU, "mtu", "long packets vanish on a line")                 \
    X(NAT_PORT, "nat-port", "a NAT forgets its mappings")          \
    X(NAT_ADDRESS, "nat-address", "a NAT gets another address")    \
    X(CLOCK, "clock", "a router's wall clock is wrong by an hour") \
    X(PAUSE, "pause", "a router's process stands still")           \
    X(ADMIN, "admin", "an administrator takes a pathway down")     \
    X(REPLAY, "replay", "packets of before come again, from elsewhere, too")

enum fault_kind {
#define X(name, id, text) FAULT_##name,
    FAULT_MAP(X)
#undef X
        FAULT_KINDS
};

extern const char *const fault_names[FAULT_KINDS];
extern const char *const fault_texts[FAULT_KINDS];

struct fault {
    size_t number;
    enum fault_kind kind;
    svr_time begin, length;
    uint16_t router;         /* that it happens to, or whose line it is */
    uint16_t lane;           /* ADMIN */
    struct station *station; /* whose line it is */
    uint64_t size;           /* how bad: what it means depends on the kind */
    svr_time spread;         /* DELAY: what is added at random */
    unsigned beats;          /* FLAP: how often it has come or gone */
};

enum { RECORDED = 16 };

struct faults {
    struct fault *list;
    size_t count;
    struct buffer *recorded[RECORDED]; /* for REPLAY */
    size_t records;
};

/* It begins, or is over. */
void fault_apply(struct world *w, struct fault *f);
void fault_undo(struct world *w, struct fault *f);

/* Draws `count` faults, to happen from `from` to `until`, and enters their
 * excuses. Returns when all excuses are over. */
svr_time faults_plan(struct world *w, uint64_t count, svr_time from,
                     svr_time until);
/* Every router dies for a second, one after the other, so far apart. Returns as
 * faults_plan. */
svr_time faults_restart_all(struct world *w, svr_time from, svr_time apart);
void faults_free(struct world *w);

/* A packet passes somewhere: it may be kept for REPLAY. */
void faults_record(struct world *w, const struct buffer *b);

#endif
