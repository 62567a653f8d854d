/*
 * crypto.h - message authentication, key derivation, replay windows (S11, S12).
 *
 * Primitives come from libsodium, which one file of the library calls.
 *
 * A packet's tag is its last bytes (S11.1). The HMAC's input is, in this order,
 * and only the first of it is sent:
 *
 *    all bytes behind the L4 header up to the tag
 *    on TCP, unless the policy leaves it out: sequence number u32,
 *        acknowledgement number u32, flags u8, as in the header (S11.4b)
 *    in the time-based mode: u64 count of SVR_TIME_STEPs since 1970 (S11.3)
 *
 * The key is that of the direction between the two routers for packets with
 * metadata, which name it by its security id, and one derived from it for the
 * session's other packets (S12.7).
 */
#ifndef SVR_CRYPTO_H
#define SVR_CRYPTO_H

#include <svr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVR_KEY_SIZE 32
#define SVR_TAG_MAX 64
#define SVR_HASH_KEY_SIZE 16

/* Prepares libsodium; safe to call again. Must come before every other function
 * here; svr_node_create calls it. 0, or SVR_ERR_NO_ENTROPY. */
SVR_API SVR_MUST_CHECK int svr_crypto_init(void);

/* Overwrites len bytes in a way that no compiler leaves out. */
SVR_API void svr_wipe(void *buf, size_t len);

/* Guarded memory for keys: aligned for any type, locked where the system
 * allows, followed by a page that faults, wiped when freed. NULL where there is
 * none left. */
SVR_API void *svr_secret_alloc(size_t len);
SVR_API void svr_secret_free(void *ptr); /* NULL is allowed */

/* Room for any HMAC's state between its key and its message. */
#define SVR_MAC_STATE_SIZE 416

/* A keyed HMAC, ready to sign any number of messages. Secret: wipe it. */
typedef struct svr_mac {
    const struct svr_hmac *hmac;
    _Alignas(16) uint8_t state[SVR_MAC_STATE_SIZE];
} svr_mac;

/* One HMAC: names as in S11.2. */
typedef struct svr_hmac {
    const char *name;
    size_t tag_len;
    /* Keys the state. */
    void (*init)(uint8_t *state, const uint8_t key[SVR_KEY_SIZE]);
    /* The first tag_len bytes of the HMAC over the parts in their order. */
    void (*sign)(const uint8_t *state, const svr_span *parts, size_t count,
                 uint8_t *tag, size_t tag_len);
} svr_hmac;

extern SVR_API const svr_hmac svr_hmac_sha256;
extern SVR_API const svr_hmac svr_hmac_sha256_128;

/* By name ("sha256-128"), or NULL. */
SVR_API const svr_hmac *svr_hmac_find(const char *name);

SVR_API void svr_mac_init(svr_mac *m, const svr_hmac *hmac,
                          const uint8_t key[SVR_KEY_SIZE]);
/* Writes m->hmac->tag_len bytes to tag. */
SVR_API void svr_mac_sign(const svr_mac *m, const svr_span *parts, size_t count,
                          uint8_t *tag);
/* Compares in constant time. */
SVR_API SVR_MUST_CHECK bool svr_mac_verify(const svr_mac *m,
                                           const svr_span *parts, size_t count,
                                           const uint8_t *tag);
SVR_API void svr_mac_wipe(svr_mac *m);

/*
 * Derives a key from a key: BLAKE2b-256 keyed with `key` over the label and
 * the parts, each preceded by its length as u32 (S12.7). out may be key. label
 * is a constant text.
 */
SVR_API void svr_kdf(uint8_t out[SVR_KEY_SIZE], const uint8_t key[SVR_KEY_SIZE],
                     const char *label, const svr_span *parts, size_t count);

/* SipHash-2-4: a hash that a stranger cannot aim. */
SVR_API uint64_t svr_hash(const uint8_t key[SVR_HASH_KEY_SIZE],
                          const void *data, size_t len);

/*
 * How two routers sign to each other under one security policy (S12.7): one
 * key for each direction, derived from the shared key and both names, and the
 * security id that names it (S11.6). Secret.
 */
typedef struct svr_direction_key {
    uint8_t key[SVR_KEY_SIZE];
    uint32_t security_id;
} svr_direction_key;

/* The key for packets that router `from` sends to router `to`. generation is 1
 * for static keys. The security id is derived too, so that both ends know it
 * without a message. */
SVR_API void svr_direction_key_derive(svr_direction_key *out,
                                      const uint8_t shared[SVR_KEY_SIZE],
                                      const char *from, const char *to,
                                      uint32_t generation);

/* The key for the packets of one session in that direction. */
SVR_API void svr_session_key_derive(uint8_t out[SVR_KEY_SIZE],
                                    const svr_direction_key *k,
                                    const svr_uuid *uuid);

/* Signing modes of a security policy (S11.3). */
enum svr_hmac_mode {
    SVR_HMAC_TIME_BASED, /* the default */
    SVR_HMAC_REGULAR,
    SVR_HMAC_DISABLED, /* plain packets carry no tag; metadata still does */
};

/* Length of the time steps of the time-based mode. */
#define SVR_TIME_STEP ((uint64_t)2 * SVR_SECOND)

/* What a tag binds of a TCP header (S11.4b). */
typedef struct svr_tcp_bind {
    uint32_t seq, ack;
    uint8_t flags;
} svr_tcp_bind;

/* What a tag covers besides the bytes in front of it. */
typedef struct svr_tag_scope {
    const svr_tcp_bind *bind; /* NULL: not TCP, or not bound */
    bool timed;               /* the time-based mode (S11.3) */
    uint64_t step;            /* Unix time / SVR_TIME_STEP, where timed */
} svr_tag_scope;

/* Writes the tag of a packet, m->hmac->tag_len bytes. `bytes` are all between
 * the L4 header and the tag (S11.1). */
SVR_API void svr_tag_write(const svr_mac *m, svr_span bytes,
                           const svr_tag_scope *scope, uint8_t *tag);
/* Whether a packet's tag is right, in the time-based mode for the step given or
 * the one before or behind it. Compares in constant time. */
SVR_API SVR_MUST_CHECK bool svr_tag_verify(const svr_mac *m, svr_span bytes,
                                           const svr_tag_scope *scope,
                                           const uint8_t *tag);

/* Replay window over 64-bit packet numbers (S11.7). All zero is empty; number 0
 * is never accepted. */
#define SVR_REPLAY_WINDOW 65536

typedef struct svr_replay {
    uint64_t highest;
    uint64_t seen[SVR_REPLAY_WINDOW / 64];
} svr_replay;

/* Whether number may be accepted; nothing changes. */
SVR_API SVR_MUST_CHECK bool svr_replay_check(const svr_replay *r,
                                             uint64_t number);
/* Marks it as seen; nothing where it is 0 or too old. Only after its tag was
 * verified. */
SVR_API void svr_replay_commit(svr_replay *r, uint64_t number);

#ifdef __cplusplus
}
#endif

#endif
