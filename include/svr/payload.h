/*
 * payload.h - encryption of a session's payloads, end to end, and of the
 * payload section of metadata (S11.5, S12.6).
 *
 * What stands behind the L4 header of a packet becomes, in place:
 *
 *    AEAD   ciphertext, 16 bytes tag, u64 counter
 *    CBC    ciphertext with PKCS#7 padding, 16 bytes initialisation vector
 *
 * The top bit of the counter, or of the vector, is the key's *epoch*: it tells
 * the packets of one key from those of the next, so that keys change without
 * losing a packet in flight. The other 63 bits of the counter begin with 1. An
 * AEAD's nonce is four zero bytes and the counter as it is sent. Its associated
 * data are
 *
 *    UUID (16), direction (1), counter as it is sent (8)
 *    and, where packets have no tag of their own, what that would bind of a
 *    TCP header (S11.4b): see crypto.h
 *
 * The key of a direction is made from the session's payload key and a salt of
 * its sender. A sender draws a new salt for each key, so that it cannot use a
 * counter twice under one key, whatever it has forgotten.
 */
#ifndef SVR_PAYLOAD_H
#define SVR_PAYLOAD_H

#include <svr/crypto.h>
#include <svr/metadata.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A sealed payload is longer than it was by this at most. */
#define SVR_PAYLOAD_GROWTH_MAX 32

enum svr_direction {
    SVR_FORWARD, /* from the session's client */
    SVR_REVERSE,
};

/* The number that names a payload's cipher in a salt's flags, shifted by
 * SVR_SALT_CIPHER_SHIFT: 1 aes-gcm-256, 2 aes-gcm-128, 3 chacha20-poly1305, 4
 * aes-cbc-256, 5 aes-cbc-128; 0: it has none. */
#define SVR_SALT_CIPHER_SHIFT 4
SVR_API uint8_t svr_payload_cipher_number(const svr_cipher *c);

/* Exactly how much longer len bytes become, and what any length can. */
SVR_API size_t svr_payload_growth(const svr_cipher *c, size_t len);
SVR_API size_t svr_payload_growth_max(const svr_cipher *c);

/* Whose payloads: the session, and the direction that they travel in. */
typedef struct svr_payload_scope {
    svr_uuid uuid;
    enum svr_direction direction;
} svr_payload_scope;

/* One direction's end that seals. Begins as zero; secret. Not to be copied
 * while it is keyed. */
typedef struct svr_payload_sender {
    svr_cipher_state cipher;
    svr_payload_scope scope;
    uint64_t next; /* counter of the next packet; 0: none is left */
    uint8_t salt[SVR_SALT_SIZE];
    bool epoch;
} svr_payload_sender;

/* Another key: draws a salt and changes the epoch, and both stand in s
 * afterwards. 0, or an error of svr_cipher_init: then s is without a key. */
SVR_API SVR_MUST_CHECK int
svr_payload_sender_init(svr_payload_sender *s, const svr_cipher *cipher,
                        const svr_payload_scope *scope,
                        const uint8_t key[SVR_KEY_SIZE],
                        const svr_random *random);
/*
 * Seals len bytes of buf in place, where svr_payload_growth(len) more have
 * room. bind: NULL, or what the associated data say of TCP, too; CBC has none.
 * Answers the new length, or SVR_ERR_NO_KEY (there is none, or all its counters
 * are used up) or an error of svr_cipher_seal; buf then holds nothing of use.
 */
SVR_API SVR_MUST_CHECK ptrdiff_t svr_payload_seal(svr_payload_sender *s,
                                                  const svr_tcp_bind *bind,
                                                  const svr_random *random,
                                                  uint8_t *buf, size_t len);
SVR_API void svr_payload_sender_wipe(svr_payload_sender *s);

/* AEAD: how far a packet may be behind the newest one. The window takes 2 KiB
 * for each epoch, of which only what was used is ever touched. CBC has no
 * counter: what keeps replays out there is the packet's tag alone. */
#define SVR_PAYLOAD_WINDOW 16384

/* One epoch. */
typedef struct svr_payload_slot {
    svr_cipher_state cipher;
    uint8_t salt[SVR_SALT_SIZE];
    uint64_t highest;
    uint64_t seen[SVR_PAYLOAD_WINDOW / 64];
} svr_payload_slot;

/* One direction's end that opens. Begins as zero, but for `seen`, which may
 * hold anything; secret. Not to be copied while it is keyed. */
typedef struct svr_payload_receiver {
    const svr_cipher *cipher; /* NULL: no key was ever given */
    svr_payload_scope scope;
    svr_payload_slot slot[2]; /* by epoch */
} svr_payload_receiver;

/* A receiver without keys. */
SVR_API void svr_payload_receiver_clear(svr_payload_receiver *r);
/* The sender's key with that salt, for packets of that epoch; another key of
 * the same epoch is forgotten. 0, or an error of svr_cipher_init: then there is
 * no key for the epoch. */
SVR_API SVR_MUST_CHECK int
svr_payload_receiver_init(svr_payload_receiver *r, const svr_cipher *cipher,
                          const svr_payload_scope *scope,
                          const uint8_t key[SVR_KEY_SIZE],
                          const uint8_t salt[SVR_SALT_SIZE], bool epoch);
/* Whether the epoch's key was made with this salt. */
SVR_API bool svr_payload_receiver_knows(const svr_payload_receiver *r,
                                        const uint8_t salt[SVR_SALT_SIZE],
                                        bool epoch);
/*
 * Opens len bytes of buf in place. Answers the length of the payload, or
 * SVR_ERR_REPLAY (the counter was seen before or is too old; nothing says who
 * sent it), or SVR_ERR_TAG for all else that can be wrong, with one outcome for
 * each of it; buf then holds nothing of use.
 */
SVR_API SVR_MUST_CHECK ptrdiff_t svr_payload_open(svr_payload_receiver *r,
                                                  const svr_tcp_bind *bind,
                                                  uint8_t *buf, size_t len);
/* Forgets the key of an epoch. */
SVR_API void svr_payload_receiver_retire(svr_payload_receiver *r, bool epoch);
SVR_API void svr_payload_receiver_wipe(svr_payload_receiver *r);

/*
 * The payload section of a metadata block, under the key of the router that
 * gets it (S12.2):
 *
 *    AEAD   XChaCha20-Poly1305: ciphertext, 16 bytes tag, 24 bytes random
 *           nonce; associated data: the header section with its base header,
 *           lengths as they are sent
 *    CBC    as above, with the security policy's cipher
 *
 * A block without payload attributes stays as it is.
 */
#define SVR_METADATA_GROWTH_MAX 40

/* The cipher of metadata where payloads have that one. */
SVR_API const svr_cipher *svr_metadata_cipher(const svr_cipher *payload);
SVR_API size_t svr_metadata_growth(const svr_cipher *c, size_t len);
/* The key of a router's metadata, from a static key (S12.2). */
SVR_API void svr_metadata_key_derive(uint8_t out[SVR_KEY_SIZE],
                                     const uint8_t shared[SVR_KEY_SIZE],
                                     const char *receiver, uint32_t generation);
/* Seals the payload section of the clear block of len bytes at buf, which has
 * room for cap. Answers the block's new length, SVR_ERR_NO_SPACE, or an error
 * of svr_cipher_seal; the block is then of no use. */
SVR_API SVR_MUST_CHECK ptrdiff_t svr_metadata_seal(svr_cipher_state *key,
                                                   const svr_random *random,
                                                   uint8_t *buf, size_t cap,
                                                   size_t len);
/* Opens the payload section of the block at buf, which b describes, in place.
 * Answers the length of its attributes, which stand where it begins, or
 * SVR_ERR_TAG for all that can be wrong. */
SVR_API SVR_MUST_CHECK ptrdiff_t svr_metadata_open(svr_cipher_state *key,
                                                   uint8_t *buf,
                                                   const svr_block *b);

#ifdef __cplusplus
}
#endif

#endif
