/*
 * exchange.h - what the files of the key exchange share.
 *
 *   exchange.c          the object, its timers and what it sends
 *   exchange_start.c    the initiator's side: answers, confirmations, cookies
 *   exchange_answer.c   the responder's side: starts and finishes
 *   exchange_keys.c     transcripts, key schedule, proofs of identity
 *   generations.c       the keys that come of it
 */
#ifndef SVR__EXCHANGE_H
#define SVR__EXCHANGE_H

#include "wire/exchange.h"

#include <stdalign.h>
#include <svr/exchange.h>

enum {
    /* X25519, Ed25519, BLAKE2b, ChaCha20-Poly1305: the only set there is. */
    SVR__ALGORITHM = 1,
    SVR__TRANSCRIPT = 32,
    SVR__SIGNATURE = 64,
    /* Generations behind this are not counted on to. */
    SVR__GENERATION_MAX = UINT32_MAX - 4,
};

/* What both ends of one run derive. Secret. */
typedef struct svr__exchange_keys {
    uint8_t transcript[SVR__TRANSCRIPT];
    uint8_t answer[SVR_KEY_SIZE], answer_mac[SVR_KEY_SIZE];
    uint8_t finish[SVR_KEY_SIZE], finish_mac[SVR_KEY_SIZE];
    uint8_t confirm[SVR_KEY_SIZE];
    uint8_t peer[SVR_KEY_SIZE];
} svr__exchange_keys;

/* The run that this side has begun. */
typedef struct svr__run {
    enum {
        SVR__RUN_NONE,
        SVR__RUN_STARTED,   /* START is out */
        SVR__RUN_FINISHING, /* FINISH is out: its generation is accepted */
    } state;
    uint32_t index;
    uint32_t number;    /* FINISHING: of its generation */
    uint8_t secret[32]; /* STARTED: of the ephemeral key */
    uint8_t confirm[SVR_KEY_SIZE], transcript[SVR__TRANSCRIPT]; /* FINISHING */
    uint8_t message[SVR_EXCHANGE_MAX];
    size_t len;
    svr_time since; /* without an answer, whatever was tried */
    svr_time send_at, last_sent;
    unsigned sent;     /* since then */
    unsigned finishes; /* of them, this FINISH */
    bool hurried;      /* a cookie has made it be sent at once */
    uint8_t cookie[SVR__EXCHANGE_MAC];
    svr_time cookie_until; /* 0: there is none */
} svr__run;

struct svr_exchange {
    alignas(max_align_t) svr_identity *identity;
    svr_random random;
    uint8_t peer_identity[SVR_IDENTITY_SIZE];
    /* Of both identities and names in the order initiator, responder: of runs
     * that this side begins, and of those that the peer does. */
    uint8_t starting[SVR_KEY_SIZE], answering[SVR_KEY_SIZE];
    bool lower; /* the own identity is the lower one */
    svr_time interval;
    svr_time start_at; /* where no run is open; SVR_NEVER: not by itself */
    svr__run run;
    /* What answers are derived from, so that none has to be remembered; the
     * former goes on for what is on its way. */
    uint8_t secrets[2][SVR_KEY_SIZE];
    svr_time turn_at;
    uint32_t current;
    svr_generation live[SVR_EXCHANGE_LIVE]; /* number 0: free */
};

static inline svr_span svr__key_span(const uint8_t *key)
{
    return (svr_span){key, SVR_KEY_SIZE};
}

/* exchange.c */
/* Another run takes the place of this one. */
void svr__run_begin(svr_exchange *x, svr_time now);
void svr__run_end(svr_exchange *x);
/* The own message goes out as soon as it may, once in a second at most. */
void svr__run_hurry(svr_exchange *x, svr_time now);
/* There are new keys: the next are due so much later. */
void svr__exchange_renewed(svr_exchange *x, svr_time lag, svr_time now);

/* exchange_start.c */
enum svr_exchange_verdict svr__exchange_answered(svr_exchange *x,
                                                 const svr__exchange_message *m,
                                                 svr_time now);
enum svr_exchange_verdict
svr__exchange_confirmed(svr_exchange *x, const svr__exchange_message *m,
                        svr_time now);
enum svr_exchange_verdict svr__exchange_cookie(svr_exchange *x,
                                               const svr__exchange_message *m,
                                               svr_time now);

/* exchange_answer.c */
void svr__secrets_turn(svr_exchange *x, svr_time now);
enum svr_exchange_verdict
svr__exchange_started(svr_exchange *x, const svr__exchange_message *m,
                      svr_span bytes, const svr_exchange_source *source,
                      svr_time now, svr_exchange_reply *reply);
enum svr_exchange_verdict svr__exchange_finished(svr_exchange *x,
                                                 const svr__exchange_message *m,
                                                 svr_time now,
                                                 svr_exchange_reply *reply);

/* exchange_keys.c */
/* Of a pair: initiator, responder. */
void svr__pair_hash(uint8_t out[SVR_KEY_SIZE], const uint8_t *initiator,
                    const uint8_t *responder, const char *initiator_name,
                    const char *responder_name);
/* The MACs of a START of len bytes. */
void svr__exchange_mac1(uint8_t out[SVR__EXCHANGE_MAC],
                        const uint8_t pair[SVR_KEY_SIZE], const uint8_t *start,
                        size_t len);
void svr__exchange_mac2(uint8_t out[SVR__EXCHANGE_MAC],
                        const uint8_t cookie[SVR__EXCHANGE_MAC],
                        const uint8_t *start, size_t len);
/* Encrypts or opens a cookie, which goes with the mac1 of its START. */
void svr__cookie_seal(uint8_t out[32], const uint8_t pair[SVR_KEY_SIZE],
                      const uint8_t nonce[16], const uint8_t mac1[16],
                      const uint8_t cookie[16]);
SVR_MUST_CHECK bool svr__cookie_open(uint8_t out[16],
                                     const uint8_t pair[SVR_KEY_SIZE],
                                     const uint8_t nonce[16],
                                     const uint8_t mac1[16],
                                     const uint8_t sealed[32]);
/* All keys of a run. `start` is that of the initiator's START; answer has the
 * clear fields of ANSWER. False: the peer's ephemeral is unfit. */
SVR_MUST_CHECK bool
svr__exchange_derive(svr__exchange_keys *k, const uint8_t pair[SVR_KEY_SIZE],
                     svr_span start, const svr__exchange_message *answer,
                     const uint8_t secret[32], const uint8_t *peer_ephemeral);
/* The sealed parts. What opens none of its outputs has a verdict that is not
 * ACCEPTED, or false. */
void svr__answer_seal(uint8_t *out, const svr__exchange_keys *k,
                      const svr_identity *own);
SVR_MUST_CHECK enum svr_exchange_verdict
svr__answer_open(const svr__exchange_keys *k, const uint8_t *peer_identity,
                 svr_span sealed);
void svr__finish_seal(uint8_t *out, const svr__exchange_keys *k,
                      const svr_identity *own, uint32_t id,
                      const uint8_t metadata[SVR_KEY_SIZE]);
SVR_MUST_CHECK enum svr_exchange_verdict
svr__finish_open(const svr__exchange_keys *k, const uint8_t *peer_identity,
                 svr_span sealed, uint32_t *id, uint8_t metadata[SVR_KEY_SIZE]);
void svr__confirm_seal(uint8_t *out, const uint8_t key[SVR_KEY_SIZE],
                       const uint8_t transcript[SVR__TRANSCRIPT], uint32_t id,
                       const uint8_t metadata[SVR_KEY_SIZE]);
SVR_MUST_CHECK bool svr__confirm_open(const uint8_t key[SVR_KEY_SIZE],
                                      const uint8_t transcript[SVR__TRANSCRIPT],
                                      svr_span sealed, uint32_t *id,
                                      uint8_t metadata[SVR_KEY_SIZE]);

/* generations.c */
svr_generation *svr__generation_find(svr_exchange *x, uint32_t number);
/* A free place, or that of the oldest generation that was never confirmed,
 * which the peer may use until there is a newer one; NULL: there is none. */
svr_generation *svr__generation_place(svr_exchange *x);
/* The newest alive; 0: none. */
uint32_t svr__generation_newest(const svr_exchange *x);
/* The next number of a run that one of the two begins: those of the lower
 * identity are even, so that two runs at once do not meet. */
uint32_t svr__generation_next(uint32_t after, bool by_lower);
/* Fills a place. */
void svr__generation_make(svr_exchange *x, svr_generation *g, uint32_t number,
                          const uint8_t peer_key[SVR_KEY_SIZE], svr_time now);
/* It is used for what is sent from now on. */
void svr__generation_use(svr_exchange *x, const svr_generation *g);
svr_time svr__generations_due(const svr_exchange *x);
void svr__generations_expire(svr_exchange *x, svr_time now);

#endif
