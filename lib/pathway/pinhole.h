/*
 * pinhole.h - opening a session toward a peer behind a NAT (S14.9): the outside
 * router asks for a packet from a pair of ports, the inside one sends it, and
 * with that the NAT has a mapping. Ports as the asker sees them: `local` is its
 * own.
 */
#ifndef SVR__PATHWAY_PINHOLE_H
#define SVR__PATHWAY_PINHOLE_H

#include <svr/pathway.h>

enum {
    SVR__PINHOLES = 4, /* at a time */
    SVR__PINHOLE_TRIES = 3,
};

#define SVR__PINHOLE_RETRY (1 * SVR_SECOND)

/* One that was asked for. */
typedef struct svr__pinhole {
    svr_pinhole result;
    svr_time due; /* of the next try */
    uint8_t tries;
} svr__pinhole;

typedef struct svr__pinholes {
    svr__pinhole asked[SVR__PINHOLES];   /* the oldest first */
    svr_bfd_pinhole owed[SVR__PINHOLES]; /* keep-alives that the peer wants */
    uint8_t asked_count, owed_count;
} svr__pinholes;

/* Outside. Pinholes are told apart by the own port, since the NAT changes the
 * other one. 0, or SVR_ERR_FULL, EXISTS. */
int svr__pinhole_ask(svr__pinholes *p, const svr_bfd_pinhole *ports,
                     svr_time now);
/* A request that is due. */
bool svr__pinhole_send(svr__pinholes *p, svr_bfd_pinhole *out, svr_time now);
/* Gives those up that were asked for often enough, or all. True where there was
 * one. */
bool svr__pinhole_expire(svr__pinholes *p, svr_time now);
bool svr__pinhole_give_up(svr__pinholes *p);
svr_time svr__pinhole_due(const svr__pinholes *p);
/* A keep-alive came to that own port from `seen`. True where it was waited for.
 */
bool svr__pinhole_heard(svr__pinholes *p, uint16_t local,
                        const svr_bfd_endpoint *seen);
/* Takes the next one out that is open or given up. */
bool svr__pinhole_take(svr__pinholes *p, svr_pinhole *out);

/* Inside: a request, which is refused while SVR__PINHOLES others wait, and the
 * keep-alive that goes for it. */
void svr__pinhole_wanted(svr__pinholes *p, const svr_bfd_pinhole *ports);
bool svr__pinhole_keep_alive(svr__pinholes *p, svr_bfd_pinhole *out);

#endif
