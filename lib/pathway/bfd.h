/*
 * bfd.h - one BFD session (RFC 5880, asynchronous mode, active role): whether
 * packets pass between two waypoints, and how soon their absence is noticed
 * (S14.1).
 *
 * A plain value: packets and the time go in, a state and a deadline come out.
 * Numbers in brackets are sections of RFC 5880. Intervals are microseconds, as
 * in the packet; times are svr_time.
 */
#ifndef SVR__PATHWAY_BFD_H
#define SVR__PATHWAY_BFD_H

#include <svr/bfd.h>

typedef struct svr__bfd_config {
    uint32_t discriminator; /* not 0; chosen at random */
    uint32_t desired_tx;    /* at least 1 */
    uint32_t required_rx;   /* 0: the peer shall send nothing periodically */
    uint8_t multiplier;     /* at least 1 */
    bool peer_multiplier;   /* detection by the peer's multiplier [6.8.4], not
                               by the own one (S14.1) */
} svr__bfd_config;

typedef struct svr__bfd {
    svr__bfd_config config;
    uint8_t state, diag; /* enum svr_bfd_state, enum svr_bfd_diag */
    uint8_t peer_state;
    uint8_t peer_multiplier; /* 0: no packet has come yet */
    bool peer_demand;
    bool poll;      /* a poll sequence runs: P is set until F comes */
    bool poll_next; /* another one follows it: values changed meanwhile */
    bool final;     /* an answer to P is owed */
    bool urgent;    /* what the last packet said is no longer true */
    uint8_t jitter; /* drawn for the interval that runs */
    uint32_t peer_discriminator; /* 0: not known */
    uint32_t peer_tx, peer_rx;   /* what the peer desires and requires */
    uint32_t tx;    /* own interval in use, which waits for a poll to grow */
    uint32_t rx;    /* own requirement in use, which waits for one to shrink */
    svr_time sent;  /* the last periodic packet */
    svr_time heard; /* the last packet of the peer; SVR_NEVER: none, or its
                       detection time has passed */
} svr__bfd;

/* A session that is down and sends its first packet at once. */
void svr__bfd_init(svr__bfd *b, const svr__bfd_config *config);

/* Whether a packet can be of this session [6.8.6]: it names our discriminator
 * or none, and is not our own packet come back. */
bool svr__bfd_is_ours(const svr__bfd *b, const svr_bfd_packet *p);

/* Takes a packet of this session [6.8.6], which svr_bfd_decode accepts. True
 * where the state changed. */
bool svr__bfd_receive(svr__bfd *b, const svr_bfd_packet *p, svr_time now);

/* Does what the detection time asks for [6.8.4]. True where the state
 * changed. */
bool svr__bfd_expire(svr__bfd *b, svr_time now);

/* The next packet of the session, if one is due at now. jitter is a random
 * byte for the interval after it, which is shortened by up to a quarter
 * [6.8.7]. */
bool svr__bfd_send(svr__bfd *b, svr_bfd_packet *out, uint8_t jitter,
                   svr_time now);

/* A packet that says what the session's last one said, for a message that goes
 * for another reason. Changes nothing. */
void svr__bfd_describe(const svr__bfd *b, svr_bfd_packet *out);

/* When svr__bfd_send has a packet, 0 for at once, and svr__bfd_expire something
 * to do. SVR_NEVER: not before something happens. */
svr_time svr__bfd_due(const svr__bfd *b);
svr_time svr__bfd_expiry(const svr__bfd *b);

/* Other intervals and another multiplier; the discriminator stays. Starts a
 * poll sequence where a peer is known [6.8.3]. */
void svr__bfd_change(svr__bfd *b, const svr__bfd_config *config);

/* Takes the session down until it is enabled again [6.8.16]. True where the
 * state changed. */
bool svr__bfd_admin(svr__bfd *b, bool down);

/* How long silence lasts before the session is down; 0 while no packet has
 * come. */
uint64_t svr__bfd_detection_time(const svr__bfd *b);

/* Between two packets of ours, without jitter; 0: the peer wants none. */
uint32_t svr__bfd_tx_interval(const svr__bfd *b);

#endif
