/*
 * probe.h - whether a firewall on the way lets our TCP through (S14.8): every
 * 300 s four TCP packets of different kinds (enum svr_tcp_probe), and what the
 * peer says of them.
 *
 * Kinds that are not reported are sent again after a second, three times in
 * all. One that has not come through then turns TCP-as-UDP on; a round in which
 * all came through turns it off.
 */
#ifndef SVR__PATHWAY_PROBE_H
#define SVR__PATHWAY_PROBE_H

#include <svr/pathway.h>

enum {
    SVR__PROBE_TRIES = 3,
};

#define SVR__PROBE_PATIENCE (1 * SVR_SECOND)
#define SVR__PROBE_INTERVAL (300 * SVR_SECOND)

typedef struct svr__probe {
    svr_time due;    /* of the next try or round; SVR_NEVER: none */
    svr_time began;  /* the round */
    uint8_t round;   /* 1 to 255 and around; 0: there was none */
    uint8_t missing; /* a bit for each kind that was not reported */
    uint8_t to_send; /* a bit for each kind that goes now */
    uint8_t tries;
    bool tcp_as_udp;
    svr_bfd_probe heard; /* only the peer's round and what came of it */
} svr__probe;

void svr__probe_init(svr__probe *p);
void svr__probe_start(svr__probe *p, svr_time now);
void svr__probe_stop(svr__probe *p);

/* The next probe that is due; its round is p->round. */
bool svr__probe_send(svr__probe *p, enum svr_tcp_probe *kind, svr_time now);
svr_time svr__probe_due(const svr__probe *p);
/* Ends a round whose time is over. True where the verdict changed. */
bool svr__probe_expire(svr__probe *p, svr_time now);

/* The peer's report of our probes. True where the verdict changed. */
bool svr__probe_reported(svr__probe *p, const svr_bfd_probe *report);
/* A probe of the peer has come. */
void svr__probe_came(svr__probe *p, const svr_bfd_probe *probe);

#endif
