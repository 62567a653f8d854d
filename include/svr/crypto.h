/*
 * crypto.h - message authentication, encryption, key derivation, signatures,
 * replay windows (S11, S12).
 *
 * Algorithms are const descriptors. Those of libsvr come from libsodium, which
 * one file of the library calls; svr/openssl.h has more.
 *
 * A packet's tag is its last bytes (S11.1). The HMAC's input is, in this order,
 * and only the first of it is sent:
 *
 *    all bytes behind the L4 header up to the tag
 *    on TCP, unless the policy leaves it out (S11.4b): the options, with 0 for
 *        the MSS of a SYN, and then, as in the header, sequence number u32,
 *        acknowledgement number u32, window u16 and flags u8, and the length of
 *        the options u8
 *    in the time-based mode: u64 count of SVR_TIME_STEPs, by the clock of the
 *        router that signs (S11.3)
 *    where the two routers speak BFD: boot counter u32 of the router that
 *        verifies (S11.7)
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

/* One HMAC. The functions are for svr_mac_init and its companions to call. */
typedef struct svr_hmac {
    const char *name;     /* as in S11.2 */
    const char *provider; /* "libsodium", "libcrypto" */
    const void *impl;     /* the provider's own */
    size_t tag_len;
    /* Keys a state, which is all zero before. 0 or SVR_ERR_NO_MEMORY, and then
     * the state is zero. */
    int (*init)(const struct svr_hmac *h, uint8_t *state,
                const uint8_t key[SVR_KEY_SIZE]);
    /* Gives back what a state refers to; NULL: nothing. Zero is allowed. */
    void (*fini)(uint8_t *state);
    /* The first tag_len bytes of the HMAC over the parts in their order. 0 or
     * SVR_ERR_NO_MEMORY. */
    int (*sign)(const uint8_t *state, const svr_span *parts, size_t count,
                uint8_t *tag, size_t tag_len);
} svr_hmac;

/* A keyed HMAC, ready to sign any number of messages. Secret. It may refer to
 * memory of its library, so it is moved at most, never copied, and ends by
 * svr_mac_wipe. */
typedef struct svr_mac {
    const svr_hmac *hmac;
    _Alignas(16) uint8_t state[SVR_MAC_STATE_SIZE];
} svr_mac;

extern SVR_API const svr_hmac svr_hmac_sha256;
extern SVR_API const svr_hmac svr_hmac_sha256_128;
extern SVR_API const svr_hmac svr_hmac_sha512;

/* Keys m, which holds nothing before. 0 or SVR_ERR_NO_MEMORY, which libsodium's
 * never answer; m is then safe: nothing is signed, nothing verified. */
SVR_API int svr_mac_init(svr_mac *m, const svr_hmac *hmac,
                         const uint8_t key[SVR_KEY_SIZE]);
/* Writes m->hmac->tag_len bytes to tag. 0 or SVR_ERR_NO_MEMORY, which
 * libsodium's never answer; they are then zero and no tag. */
SVR_API int svr_mac_sign(const svr_mac *m, const svr_span *parts, size_t count,
                         uint8_t *tag);
/* Compares in constant time. False, too, where there is no memory. */
SVR_API SVR_MUST_CHECK bool svr_mac_verify(const svr_mac *m,
                                           const svr_span *parts, size_t count,
                                           const uint8_t *tag);
/* Zero is allowed. */
SVR_API void svr_mac_wipe(svr_mac *m);

/* Room for any cipher's keyed state. */
#define SVR_CIPHER_STATE_SIZE 512
#define SVR_NONCE_MAX 24
#define SVR_SEAL_TAG_SIZE 16
/* CBC: how much longer a ciphertext can be. */
#define SVR_CBC_BLOCK 16
/* More is refused by svr_cipher_seal and svr_cipher_open. */
#define SVR_CIPHER_LEN_MAX ((size_t)1 << 20)

enum svr_cipher_kind {
    SVR_CIPHER_AEAD, /* tag of SVR_SEAL_TAG_SIZE; binds associated data */
    SVR_CIPHER_CBC,  /* PKCS#7 padding; proves nothing by itself (S11.4) */
};

/* A key is used in one direction. */
enum svr_cipher_use {
    SVR_CIPHER_SEAL,
    SVR_CIPHER_OPEN,
};

/* One cipher. The functions are for svr_cipher_init and its companions to
 * call; what they do is said there. */
typedef struct svr_cipher {
    const char *name;     /* as in S11.5 */
    const char *provider; /* "libsodium", "libcrypto" */
    const void *impl;     /* the provider's own */
    enum svr_cipher_kind kind;
    size_t key_len;   /* 16 or 32 */
    size_t nonce_len; /* CBC: its IV */
    /* Whether this machine can do it; NULL: every machine. */
    bool (*available)(void);
    /* Keys a state that is zero, or keyed by this cipher for this use. */
    int (*init)(const struct svr_cipher *c, uint8_t *state,
                enum svr_cipher_use use, const uint8_t *key);
    /* Gives back what a state refers to; NULL: nothing. Zero is allowed. */
    void (*fini)(uint8_t *state);
    ptrdiff_t (*seal)(uint8_t *state, const uint8_t *nonce, svr_span ad,
                      uint8_t *buf, size_t len, uint8_t *tag);
    ptrdiff_t (*open)(uint8_t *state, const uint8_t *nonce, svr_span ad,
                      uint8_t *buf, size_t len, const uint8_t *tag);
} svr_cipher;

/* A keyed cipher, for any number of packets of one direction. Secret. Begins as
 * zero. It may refer to memory of its library, so it is moved at most, never
 * copied, and ends by svr_cipher_wipe. */
typedef struct svr_cipher_state {
    const svr_cipher *cipher; /* NULL: not keyed */
    enum svr_cipher_use use;
    _Alignas(16) uint8_t state[SVR_CIPHER_STATE_SIZE];
} svr_cipher_state;

extern SVR_API const svr_cipher svr_cipher_aes_gcm_256; /* with AES-NI only */
extern SVR_API const svr_cipher svr_cipher_chacha20_poly1305;
extern SVR_API const svr_cipher svr_cipher_xchacha20_poly1305; /* metadata */

/* Keys s with the first cipher->key_len bytes of key, where the machine has the
 * cipher. s is zero, wiped or keyed before; keyed for the same cipher and use
 * it is keyed again without new memory. 0; or SVR_ERR_NO_MEMORY or
 * SVR_ERR_UNSUPPORTED, and then s is wiped. */
SVR_API SVR_MUST_CHECK int svr_cipher_init(svr_cipher_state *s,
                                           const svr_cipher *cipher,
                                           enum svr_cipher_use use,
                                           const uint8_t key[SVR_KEY_SIZE]);
/*
 * Encrypts len bytes of buf in place, under a nonce of cipher->nonce_len bytes
 * that was never used with this key (CBC: that nobody could foresee).
 * AEAD: writes SVR_SEAL_TAG_SIZE bytes to tag, which bind ad and nonce too.
 * CBC: buf has room for SVR_CBC_BLOCK bytes more; ad is empty, tag unused.
 * Answers the length of the ciphertext; SVR_ERR_ARGUMENT where s is not keyed
 * for it, SVR_ERR_LENGTH, or SVR_ERR_NO_MEMORY, where the library fails; then
 * buf holds nothing of use, and must not be sent.
 */
SVR_API SVR_MUST_CHECK ptrdiff_t svr_cipher_seal(svr_cipher_state *s,
                                                 const uint8_t *nonce,
                                                 svr_span ad, uint8_t *buf,
                                                 size_t len, uint8_t *tag);
/*
 * The reverse. Answers the length of the plaintext; SVR_ERR_ARGUMENT where s is
 * not keyed for it; SVR_ERR_TAG for everything else that can be wrong, after
 * which buf holds nothing of use.
 */
SVR_API SVR_MUST_CHECK ptrdiff_t svr_cipher_open(svr_cipher_state *s,
                                                 const uint8_t *nonce,
                                                 svr_span ad, uint8_t *buf,
                                                 size_t len,
                                                 const uint8_t *tag);
SVR_API void svr_cipher_wipe(svr_cipher_state *s);

/* Algorithms beside those of libsvr. They live as long as anything that is
 * keyed by them. */
typedef struct svr_suites {
    const svr_hmac *const *hmacs;
    size_t hmac_count;
    const svr_cipher *const *ciphers;
    size_t cipher_count;
} svr_suites;

/* By name ("sha256-128", "aes-gcm-256"): of `more`, which may be NULL, else of
 * libsvr; NULL where neither has it or this machine cannot do it. */
SVR_API const svr_hmac *svr_hmac_find(const svr_suites *more, const char *name);
SVR_API const svr_cipher *svr_cipher_find(const svr_suites *more,
                                          const char *name);

/* X25519 (RFC 7748). A secret is any 32 random bytes. */
#define SVR_X25519_SIZE 32

SVR_API void svr_x25519_public(uint8_t public_key[SVR_X25519_SIZE],
                               const uint8_t secret[SVR_X25519_SIZE]);
/* What both ends get from their own secret and the other's public key; to be
 * hashed before use. SVR_ERR_VALUE where it would be zero: the other key was
 * chosen so that it does not depend on the secret. */
SVR_API SVR_MUST_CHECK int
svr_x25519_shared(uint8_t shared[SVR_X25519_SIZE],
                  const uint8_t secret[SVR_X25519_SIZE],
                  const uint8_t public_key[SVR_X25519_SIZE]);

/* Ed25519 (RFC 8032). */
#define SVR_ED25519_PUBLIC_SIZE 32
#define SVR_ED25519_SEED_SIZE 32
#define SVR_ED25519_SECRET_SIZE 64
#define SVR_ED25519_SIGNATURE_SIZE 64

/* Both keys from a seed of random bytes; the secret one holds the seed. */
SVR_API void svr_ed25519_keypair(uint8_t public_key[SVR_ED25519_PUBLIC_SIZE],
                                 uint8_t secret[SVR_ED25519_SECRET_SIZE],
                                 const uint8_t seed[SVR_ED25519_SEED_SIZE]);
SVR_API void svr_ed25519_sign(uint8_t signature[SVR_ED25519_SIGNATURE_SIZE],
                              svr_span message,
                              const uint8_t secret[SVR_ED25519_SECRET_SIZE]);
/* Keys of small order are never right. */
SVR_API SVR_MUST_CHECK bool
svr_ed25519_verify(const uint8_t signature[SVR_ED25519_SIGNATURE_SIZE],
                   svr_span message,
                   const uint8_t public_key[SVR_ED25519_PUBLIC_SIZE]);

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

/* What a tag binds of a TCP header (S11.4b). Of a SYN the MSS is left out:
 * networks lower it. */
typedef struct svr_tcp_bind {
    uint32_t seq, ack;
    uint16_t window;
    uint8_t flags;
    svr_span options; /* all bytes behind the first 20; at most 40 */
} svr_tcp_bind;

/* What a tag covers besides the bytes in front of it. */
typedef struct svr_tag_scope {
    const svr_tcp_bind *bind; /* NULL: not TCP, or not bound */
    bool timed;               /* the time-based mode (S11.3) */
    uint64_t step; /* the signer's time / SVR_TIME_STEP, where timed */
    uint32_t boot; /* of the router that verifies (S11.7), or 0 */
} svr_tag_scope;

/* Writes the tag of a packet, m->hmac->tag_len bytes. `bytes` are all between
 * the L4 header and the tag (S11.1). Answers as svr_mac_sign. */
SVR_API int svr_tag_write(const svr_mac *m, svr_span bytes,
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
