/*
 * world.h - one simulated network, from its seed to its end.
 *
 * A run: routers start; when all pathways are up, hosts talk and faults happen;
 * when the last session is over, time passes until nothing may be left; then
 * everything is counted. The first thing that is wrong ends it.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "authority.h"
#include "change.h"
#include "excuse.h"
#include "fault.h"
#include "host.h"
#include "journal.h"
#include "lanes.h"
#include "load.h"
#include "net.h"
#include "plant.h"
#include "queue.h"
#include "router.h"
#include "row.h"
#include "secrecy.h"
#include "topology.h"

/* What is to be shown. */
enum world_plan {
    PLAN_SEED,    /* whatever the seed says, with all its faults */
    PLAN_RESTART, /* 2,000 sessions over three routers; each restarts in turn */
    PLAN_CROWD,   /* many routers and sessions, and little else */
    PLAN_DAYS,    /* few of both, for long */
    PLAN_VECTORS, /* many routers, several ways, and policies (change.h) */
    PLAN_ROW,     /* one fault of one link under one policy (row.h) */
};

struct world_options {
    uint64_t seed;
    size_t routers;  /* 0: the seed says */
    size_t sessions; /* 0: the seed says */
    unsigned faults; /* bits of enum fault_kind that may happen */
    enum world_plan plan;
    unsigned days;         /* PLAN_DAYS: how many */
    const struct row *row; /* PLAN_ROW: which */
    const char *cipher;    /* of all pathways; NULL: none */
    enum plant plant;      /* a mistake that must be found */
    bool log;              /* every event to stdout */
    bool quiet;            /* nothing is printed */
};

/* What is told at the end. */
struct tally {
    uint64_t events;
    uint64_t datagrams, datagrams_lost;
    uint64_t reset;  /* sessions that something else than their ends ended */
    uint64_t spoilt; /* packets that were not what was sent */
    uint64_t late;   /* packets for sessions that were over */
    uint64_t received, dropped[SVR_DROP_COUNT]; /* of all routers */
    uint64_t made;                              /* sessions at all routers */
    uint64_t traced;      /* times that a router sent a host's packet on */
    unsigned most_passed; /* routers by one packet */
    struct change_tally change;
};

enum phase {
    PHASE_START, /* pathways come up */
    PHASE_LOAD,
    PHASE_LINGER,  /* no more sessions begin */
    PHASE_SILENCE, /* no host says anything */
    PHASE_OVER,
};

struct world {
    struct world_options options;
    svr_time now;
    enum phase phase;
    struct load load;
    bool failed;
    struct prng traffic, trouble, noise;
    struct queue queue;
    struct journal journal;
    struct buffers buffers;
    struct topology topology;
    struct authority authority;
    struct net net;
    struct router *routers;
    struct hosts hosts;
    struct faults faults;
    struct changes changes;
    struct lanes lanes;
    struct excuses excuses;
    struct tally tally;
};

/* The world's clock begins there: a time of 0 would hide mistakes. */
#define WORLD_BEGIN (1000 * SVR_SECOND)

/* Everything from the seed to the end. False: something was wrong, and has been
 * printed with the command that repeats it. *hash: of all events. */
bool world_run(const struct world_options *options, uint64_t *hash,
               struct tally *tally);

/* Something is wrong. Printed at once, if it is the first. */
__attribute__((format(printf, 2, 3))) void world_fail(struct world *w,
                                                      const char *format, ...);

/* The counters of a node that is about to go. */
void world_count(struct world *w, const svr_node *n);

#endif
