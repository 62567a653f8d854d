/*
 * exchange.h - the messages of the key exchange as bytes (S12.3). What stands
 * in their encrypted parts, and what all of it means, is lib/crypto's business.
 *
 * Each begins with its kind and a version, 1 byte each, and the index of the
 * initiator's run, u32. Then:
 *
 *   START    highest u32, salt 16, ephemeral 32, count u8, that many
 *            algorithms u8; then mac1 16, mac2 16
 *   ANSWER   generation u32, algorithm u8, salt 16, ephemeral 32, ticket 16,
 *            sealed 128
 *   FINISH   what START has up to its MACs; generation u32, algorithm u8,
 *            ticket 16, sealed 164
 *   CONFIRM  generation u32, sealed 52
 *   COOKIE   nonce 16, sealed 32
 */
#ifndef SVR__EXCHANGE_WIRE_H
#define SVR__EXCHANGE_WIRE_H

#include <svr/base.h>

enum svr__exchange_kind {
    SVR__EXCHANGE_START = 1,
    SVR__EXCHANGE_ANSWER,
    SVR__EXCHANGE_FINISH,
    SVR__EXCHANGE_CONFIRM,
    SVR__EXCHANGE_COOKIE,
};

enum {
    SVR__EXCHANGE_VERSION = 1,
    SVR__EXCHANGE_SALT = 16,
    SVR__EXCHANGE_EPHEMERAL = 32,
    SVR__EXCHANGE_MAC = 16,
    SVR__EXCHANGE_ALGORITHMS = 4, /* at most, and at least one */
};

/* One message. Pointers are views; a field that its kind does not have has no
 * meaning. */
typedef struct svr__exchange_message {
    uint8_t kind;
    uint32_t index;
    uint32_t highest;    /* the newest generation that the initiator has */
    uint32_t generation; /* that this run makes */
    uint8_t algorithm;
    const uint8_t *salt, *ephemeral;
    svr_span algorithms;
    const uint8_t *ticket, *nonce, *mac1, *mac2;
    svr_span sealed;
    svr_span start; /* decoded: the bytes from index to algorithms, which START
                       and FINISH have in common */
} svr__exchange_message;

/* 0, or SVR_ERR_TRUNCATED, LENGTH (bytes too many, or a count out of range),
 * VERSION, VALUE (no such kind). */
SVR_MUST_CHECK int svr__exchange_decode(svr__exchange_message *m,
                                        svr_span bytes);
/* Writes a message and returns its length. The MACs of START are written as
 * zeros: they are its last 32 bytes. Asserts that there is room in cap. */
size_t svr__exchange_encode(uint8_t *buf, size_t cap,
                            const svr__exchange_message *m);

#endif
