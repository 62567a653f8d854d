/*
 * chart.h - what the files of a chart share.
 *
 *   create.c     what is copied and looked up, all memory
 *   parts.c      what routers have said, and what follows for the graph
 *   own.c        what this router says of itself, and when
 *   flood.c      messages, what neighbours lack, and when it is sent again
 *   adopt.c      out of an older chart into a newer one
 */
#ifndef SVR__CHART_H
#define SVR__CHART_H

#include "wire/topology.h"

#include <svr/topology.h>

#define SVR__CHART_NONE UINT32_MAX

/* What a router has said last under one of its numbers. */
typedef struct svr__part {
    uint64_t sequence; /* 0: nothing yet */
    svr_time dies;     /* if alive */
    uint32_t router;   /* whose it is */
    bool alive;
    uint8_t len;
    uint8_t body[SVR__TOPOLOGY_BODY];
} svr__part;

typedef struct svr__chart_router {
    uint64_t id;
    uint32_t first_part, parts;
    uint32_t first_edge, edges; /* in svr_chart.out */
} svr__chart_router;

/* What stands under an id, in order of router and id. */
typedef struct svr__chart_named {
    uint64_t id;
    uint32_t router, number;
} svr__chart_named;

/* What the beginning of an edge said, and where; it holds as long as that part
 * is alive and has that sequence. */
typedef struct svr__chart_edge {
    svr_chart_figures figures;
    uint64_t sequence; /* 0: nothing */
    uint32_t part;
    uint32_t other; /* direction; SVR__CHART_NONE */
    uint32_t item;  /* of an own one; SVR__CHART_NONE */
} svr__chart_edge;

/* Something that this router tells of. */
typedef struct svr__chart_item {
    svr_chart_figures now, told;
    uint32_t load, told_load;
    uint32_t number; /* of an edge, or an instance */
    uint16_t part;   /* the own one that it stands in */
    bool service;
} svr__chart_item;

/* What is the matter with a part for one neighbour. */
enum {
    SVR__LACKING = 1,   /* it has to be sent */
    SVR__SENT = 2,      /* since the last tick, and not yet seen there */
    SVR__SENT_LATE = 4, /* or before that */
};

enum {
    SVR__SEEN_MAX = 32, /* parts that one neighbour can be told of at once */
};

typedef struct svr__seen {
    uint64_t origin, sequence;
    uint16_t number;
} svr__seen;

typedef struct svr__neighbour {
    uint32_t router;
    uint64_t incarnation;      /* the highest heard; 0: none */
    uint8_t *flags;            /* of each part */
    uint32_t lacking, waiting; /* how many have to be sent, have been */
    uint32_t cursor;
    svr_time tick, interval; /* for what has to be sent again */
    svr_time seen_due;
    svr_time full; /* when it may be sent the whole burst again */
    bool up;
    bool knows;  /* our incarnation */
    bool greet;  /* it shall get a message */
    bool heeded; /* something was seen there since the last tick */
    uint8_t seen_count;
    svr__seen seen[SVR__SEEN_MAX]; /* here */
} svr__neighbour;

struct svr_chart {
    svr_allocator alloc;
    svr_topology graph;
    svr_path_edge *edges;
    svr_path_instance *instances;
    svr_time *load_said; /* of each instance; 0: never */
    char *text;          /* all names */
    size_t text_len;
    const char **names;
    uint64_t *service_ids;
    size_t service_count;
    uint32_t self;
    uint64_t version, states;

    svr__chart_router *routers;
    uint32_t *by_id; /* routers */
    svr__part *parts;
    uint32_t part_count;
    svr__chart_edge *said;
    svr__chart_named *out, *services;

    svr__chart_item *items;
    size_t item_count;
    bool *stale;       /* own parts that have to be told whatever they say */
    uint64_t sequence; /* of the last own part */
    svr_time own_due;
    svr_time told_at;   /* SVR_NEVER: never */
    svr_time told_full; /* when ten large changes may follow each other again */
    svr_time scan_due;
    svr_chart_limit *limits;
    size_t limit_count;

    svr__neighbour *neighbours;
    size_t neighbour_count;
    uint8_t *flags; /* of all of them */
    uint64_t incarnation;
    uint32_t rate, burst;
    svr_time due;
    svr_chart_counters counters;
};

/* create.c */
/* FNV-1a: of names of the authority alone, which no stranger chooses. */
uint64_t svr__chart_id(const char *name);
/* A router, or SVR__CHART_NONE. */
uint32_t svr__chart_router_of(const svr_chart *c, uint64_t id);
/* What stands under an id at a router, or NULL: the first, others follow. */
const svr__chart_named *svr__chart_find(const svr__chart_named *among,
                                        size_t count, uint32_t router,
                                        uint64_t id);

/* parts.c */
/* A part becomes this, for the graph and for all neighbours but `from`. */
void svr__part_take(svr_chart *c, uint32_t part, const svr__topology_item *item,
                    svr__neighbour *from, svr_time now);
/* Reads its entries; what they are about is as they say. */
void svr__part_apply(svr_chart *c, uint32_t part);
/* It is not renewed any more. */
void svr__part_end(svr_chart *c, uint32_t part);
uint16_t svr__part_age(const svr__part *p, svr_time now); /* in seconds */

/* own.c */
/* Items, each in its part. 0, or SVR_ERR_NO_MEMORY. */
int svr__own_init(svr_chart *c, svr_time now);
/* An own part has to be told again. */
void svr__own_renew(svr_chart *c, uint32_t number, svr_time now);
/* Somebody has that part of ours, from another start perhaps. */
void svr__own_heard(svr_chart *c, const svr__topology_item *item, svr_time now);
void svr__own_handle(svr_chart *c, svr_time now);

/* flood.c */
/* The neighbour gets the part, or (false) has it. */
void svr__flood_mark(svr_chart *c, svr__neighbour *nb, uint32_t part,
                     bool lacking);
void svr__flood_handle(svr_chart *c, svr_time now);
/* Computes svr_chart.due anew. */
void svr__flood_settle(svr_chart *c);

#endif
