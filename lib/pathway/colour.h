/*
 * colour.h - measuring with real packets (S15): a sample of them is marked with
 * type 26, at most 100 in an interval of 10 s, and the colour changes with each
 * interval, as in RFC 9341.
 *
 * Each end counts the marks of the colour that comes in, and of the one before,
 * for which late packets still count. A mark carries back what came in: the
 * colour received last, its time with the holding time taken out, and the count
 * of the colour before it. What the peer has said last about a colour when the
 * next one has been in use for SVR__ROUND_PATIENCE is its loss.
 *
 * Colours go from 1 to 15 and around; 0 is none: no mark in the packet, or
 * nothing to carry back. Where no packet of ours goes out for a second, the
 * report wants one of its own, with the drop flag.
 *
 * Times are whole milliseconds, far too coarse for what is wanted. They are
 * rounded with a triangular dither, which makes the error of a stamp zero on
 * average and its variance a quarter of a square millisecond, whatever the
 * time: averages are right, and what the dither adds to the jitter is known and
 * taken off.
 */
#ifndef SVR__PATHWAY_COLOUR_H
#define SVR__PATHWAY_COLOUR_H

#include "pathway/quality.h"

#include <svr/metadata.h>

enum {
    SVR__COLOUR_MARKS = 100, /* of one colour */
    SVR__COLOUR_LEAST = 10,  /* fewer say nothing */
};

/* How long a result is preferred over that of the link test. */
#define SVR__COLOUR_FRESH (3 * SVR__ROUND_TIME)
/* How long a report waits for a packet to carry it. */
#define SVR__COLOUR_PATIENCE (1 * SVR_SECOND)

typedef struct svr__colour {
    /* as sender */
    svr_time started; /* the interval; SVR_NEVER: there was none */
    svr_time next;    /* no mark before */
    uint8_t colour;
    uint16_t sent, sent_before; /* of this colour and the one before */
    uint16_t reported;          /* of the one before */
    bool is_reported;
    bool is_closed; /* the round of the one before */
    bool has_trip;
    int64_t trip; /* the last round trip, ns */
    svr__sample round;
    svr__average average;
    svr_time fresh_until;
    /* as receiver */
    uint8_t rx_colour;
    uint32_t rx_time;             /* of the last mark */
    svr_time rx_at;               /* when it came */
    svr_time waiting;             /* since when a report waits, or SVR_NEVER */
    uint16_t rx_count, rx_before; /* of this colour and the one before */
} svr__colour;

void svr__colour_init(svr__colour *c);
/* The pathway came up, or packets of ours go out again after a pause: what was
 * sent and measured before says nothing now. */
void svr__colour_start(svr__colour *c);
/* The peer was restarted: its colours and times begin anew. */
void svr__colour_forget(svr__colour *c);

/* A packet is about to be sent: true where it shall carry *out. */
bool svr__colour_mark(svr__colour *c, svr_path_metrics *out,
                      const svr_random *random, svr_time now);
/* True where a packet of its own shall carry *out. */
bool svr__colour_report(svr__colour *c, svr_path_metrics *out,
                        const svr_random *random, svr_time now);
svr_time svr__colour_due(const svr__colour *c);

/* A packet with *m has come, which is authentic and not a duplicate. */
void svr__colour_marked(svr__colour *c, const svr_path_metrics *m,
                        svr_time now);

/* Whether c->average is preferred over other results at now. */
bool svr__colour_is_fresh(const svr__colour *c, svr_time now);

#endif
