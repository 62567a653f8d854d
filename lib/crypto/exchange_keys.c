/*
 * Transcripts, keys and proofs of the exchange (S12.3). Our own layout
 * throughout; docs/security.md has it.
 *
 * All hashing is svr_kdf, which frames its label and its parts, so that no two
 * inputs are the same. Each sealing key seals one text in its life, hence the
 * nonce of zeros.
 */
#include "crypto/exchange.h"

#include "base/bytes.h"
#include "crypto/primitive.h"

#include <string.h>

#define SUITE "svr exchange 1: X25519 Ed25519 BLAKE2b ChaCha20-Poly1305"

enum {
    MAC = SVR__EXCHANGE_MAC,
    ANSWER_LEN = SVR_IDENTITY_SIZE + SVR__SIGNATURE + MAC,
    FINISH_LEN = SVR_IDENTITY_SIZE + 4 + SVR_KEY_SIZE + SVR__SIGNATURE + MAC,
    CONFIRM_LEN = 4 + SVR_KEY_SIZE,
};

static const uint8_t no_key[SVR_KEY_SIZE], no_nonce[12];

static svr_span text_span(const char *text)
{
    return (svr_span){(const uint8_t *)text, strlen(text)};
}

/* Encrypts len bytes of text in place and puts a tag behind them. */
static void seal_once(const uint8_t key[SVR_KEY_SIZE], svr_span ad,
                      uint8_t *text, size_t len)
{
    svr_cipher_state s = {0};

    if (svr_cipher_init(&s, &svr_cipher_chacha20_poly1305, SVR_CIPHER_SEAL,
                        key) < 0 ||
        svr_cipher_seal(&s, no_nonce, ad, text, len, text + len) < 0)
        svr_wipe(text, len);
    svr_cipher_wipe(&s);
}

/* The reverse, into text; sealed ends with the tag. */
static bool open_once(const uint8_t key[SVR_KEY_SIZE], svr_span ad,
                      uint8_t *text, svr_span sealed)
{
    size_t len = sealed.len - SVR_SEAL_TAG_SIZE;
    svr_cipher_state s = {0};

    memcpy(text, sealed.data, len);
    bool ok =
        svr_cipher_init(&s, &svr_cipher_chacha20_poly1305, SVR_CIPHER_OPEN,
                        key) == 0 &&
        svr_cipher_open(&s, no_nonce, ad, text, len, sealed.data + len) >= 0;
    svr_cipher_wipe(&s);
    return ok;
}

/* The first 16 bytes of a derived key. */
static void derive_mac(uint8_t out[MAC], const uint8_t key[SVR_KEY_SIZE],
                       const char *label, const svr_span *parts, size_t count)
{
    uint8_t whole[SVR_KEY_SIZE];

    svr_kdf(whole, key, label, parts, count);
    memcpy(out, whole, MAC);
    svr_wipe(whole, sizeof(whole));
}

void svr__pair_hash(uint8_t out[SVR_KEY_SIZE], const uint8_t *initiator,
                    const uint8_t *responder, const char *initiator_name,
                    const char *responder_name)
{
    const svr_span parts[] = {
        svr__key_span(initiator),
        svr__key_span(responder),
        text_span(initiator_name),
        text_span(responder_name),
    };
    svr_kdf(out, no_key, SUITE, parts, 4);
}

void svr__exchange_mac1(uint8_t out[MAC], const uint8_t pair[SVR_KEY_SIZE],
                        const uint8_t *start, size_t len)
{
    const svr_span part = {start, len - (size_t)2 * MAC};

    derive_mac(out, pair, "svr mac1", &part, 1);
}

void svr__exchange_mac2(uint8_t out[MAC], const uint8_t cookie[MAC],
                        const uint8_t *start, size_t len)
{
    const svr_span parts[] = {{cookie, MAC}, {start, len - MAC}};

    derive_mac(out, no_key, "svr mac2", parts, 2);
}

static void cookie_key(uint8_t out[SVR_KEY_SIZE],
                       const uint8_t pair[SVR_KEY_SIZE],
                       const uint8_t nonce[16])
{
    const svr_span part = {nonce, 16};

    svr_kdf(out, pair, "svr cookie", &part, 1);
}

void svr__cookie_seal(uint8_t out[32], const uint8_t pair[SVR_KEY_SIZE],
                      const uint8_t nonce[16], const uint8_t mac1[16],
                      const uint8_t cookie[16])
{
    uint8_t key[SVR_KEY_SIZE];

    cookie_key(key, pair, nonce);
    memcpy(out, cookie, MAC);
    seal_once(key, (svr_span){mac1, MAC}, out, MAC);
    svr_wipe(key, sizeof(key));
}

bool svr__cookie_open(uint8_t out[16], const uint8_t pair[SVR_KEY_SIZE],
                      const uint8_t nonce[16], const uint8_t mac1[16],
                      const uint8_t sealed[32])
{
    uint8_t key[SVR_KEY_SIZE];

    cookie_key(key, pair, nonce);
    bool ok = open_once(key, (svr_span){mac1, MAC}, out,
                        (svr_span){sealed, (size_t)2 * MAC});
    svr_wipe(key, sizeof(key));
    return ok;
}

/* Who speaks with whom, and all that both have said in the clear. */
static void derive_transcript(uint8_t out[SVR__TRANSCRIPT],
                              const uint8_t pair[SVR_KEY_SIZE], svr_span start,
                              const svr__exchange_message *answer)
{
    uint8_t generation[4];
    const svr_span parts[] = {
        svr__key_span(pair),
        start,
        {generation, sizeof(generation)},
        {&answer->algorithm, 1},
        {answer->salt, SVR__EXCHANGE_SALT},
        {answer->ephemeral, SVR__EXCHANGE_EPHEMERAL},
        {answer->ticket, MAC},
    };
    svr__store_be32(generation, answer->generation);
    svr_kdf(out, no_key, "svr transcript", parts, 7);
}

bool svr__exchange_derive(svr__exchange_keys *k,
                          const uint8_t pair[SVR_KEY_SIZE], svr_span start,
                          const svr__exchange_message *answer,
                          const uint8_t secret[32],
                          const uint8_t *peer_ephemeral)
{
    const svr_span transcript = {k->transcript, SVR__TRANSCRIPT};
    uint8_t shared[32], root[SVR_KEY_SIZE];

    if (svr_x25519_shared(shared, secret, peer_ephemeral) < 0)
        return false;
    derive_transcript(k->transcript, pair, start, answer);
    svr_kdf(root, shared, "svr exchange", &transcript, 1);
    svr_kdf(k->answer, root, "svr answer", NULL, 0);
    svr_kdf(k->answer_mac, root, "svr answer mac", NULL, 0);
    svr_kdf(k->finish, root, "svr finish", NULL, 0);
    svr_kdf(k->finish_mac, root, "svr finish mac", NULL, 0);
    svr_kdf(k->confirm, root, "svr confirm", NULL, 0);
    svr_kdf(k->peer, root, "svr peer key", NULL, 0);
    svr_wipe(shared, sizeof(shared));
    svr_wipe(root, sizeof(root));
    return true;
}

/* What is signed, and what the MAC over the own identity covers: the
 * transcript, and what the message says besides. */
static void derive_claim(uint8_t out[SVR_KEY_SIZE], const char *label,
                         const svr__exchange_keys *k, svr_span besides)
{
    const svr_span parts[] = {{k->transcript, SVR__TRANSCRIPT}, besides};

    svr_kdf(out, no_key, label, parts, 2);
}

static void bind_identity(uint8_t out[MAC], const uint8_t key[SVR_KEY_SIZE],
                          const uint8_t *identity)
{
    const svr_span part = svr__key_span(identity);

    derive_mac(out, key, "svr identity", &part, 1);
}

/* Signature and MAC, behind what stands in the text already. */
static void write_proof(uint8_t *out, const char *label,
                        const svr__exchange_keys *k, const uint8_t *mac_key,
                        const svr_identity *own, svr_span besides)
{
    uint8_t claim[SVR_KEY_SIZE];

    derive_claim(claim, label, k, besides);
    svr_ed25519_sign(out, svr__key_span(claim), own->private_key);
    bind_identity(out + SVR__SIGNATURE, mac_key, own->public_key);
}

/* The text begins with an identity, then comes what is besides, then the proof.
 */
static enum svr_exchange_verdict
check_proof(const uint8_t *text, const char *label, const svr__exchange_keys *k,
            const uint8_t *mac_key, const uint8_t *identity, size_t besides)
{
    const uint8_t *proof = text + SVR_IDENTITY_SIZE + besides;
    uint8_t claim[SVR_KEY_SIZE], mac[MAC];

    if (!svr__secret_equal(text, identity, SVR_IDENTITY_SIZE))
        return SVR_EXCHANGE_IDENTITY;
    bind_identity(mac, mac_key, identity);
    if (!svr__secret_equal(mac, proof + SVR__SIGNATURE, MAC))
        return SVR_EXCHANGE_IDENTITY;
    derive_claim(claim, label, k,
                 (svr_span){text + SVR_IDENTITY_SIZE, besides});
    if (!svr_ed25519_verify(proof, svr__key_span(claim), identity))
        return SVR_EXCHANGE_SIGNATURE;
    return SVR_EXCHANGE_ACCEPTED;
}

static svr_span transcript_of(const svr__exchange_keys *k)
{
    return (svr_span){k->transcript, SVR__TRANSCRIPT};
}

void svr__answer_seal(uint8_t *out, const svr__exchange_keys *k,
                      const svr_identity *own)
{
    memcpy(out, own->public_key, SVR_IDENTITY_SIZE);
    write_proof(out + SVR_IDENTITY_SIZE, "svr answer signature", k,
                k->answer_mac, own, (svr_span){0});
    seal_once(k->answer, transcript_of(k), out, ANSWER_LEN);
}

enum svr_exchange_verdict svr__answer_open(const svr__exchange_keys *k,
                                           const uint8_t *peer_identity,
                                           svr_span sealed)
{
    uint8_t text[ANSWER_LEN];

    if (!open_once(k->answer, transcript_of(k), text, sealed))
        return SVR_EXCHANGE_KEY;
    return check_proof(text, "svr answer signature", k, k->answer_mac,
                       peer_identity, 0);
}

void svr__finish_seal(uint8_t *out, const svr__exchange_keys *k,
                      const svr_identity *own, uint32_t id,
                      const uint8_t metadata[SVR_KEY_SIZE])
{
    uint8_t *besides = out + SVR_IDENTITY_SIZE;
    const size_t len = 4 + SVR_KEY_SIZE;

    memcpy(out, own->public_key, SVR_IDENTITY_SIZE);
    svr__store_be32(besides, id);
    memcpy(besides + 4, metadata, SVR_KEY_SIZE);
    write_proof(besides + len, "svr finish signature", k, k->finish_mac, own,
                (svr_span){besides, len});
    seal_once(k->finish, transcript_of(k), out, FINISH_LEN);
}

enum svr_exchange_verdict svr__finish_open(const svr__exchange_keys *k,
                                           const uint8_t *peer_identity,
                                           svr_span sealed, uint32_t *id,
                                           uint8_t metadata[SVR_KEY_SIZE])
{
    uint8_t text[FINISH_LEN];

    if (!open_once(k->finish, transcript_of(k), text, sealed))
        return SVR_EXCHANGE_KEY;
    enum svr_exchange_verdict v =
        check_proof(text, "svr finish signature", k, k->finish_mac,
                    peer_identity, 4 + SVR_KEY_SIZE);
    if (v == SVR_EXCHANGE_ACCEPTED) {
        *id = svr__load_be32(text + SVR_IDENTITY_SIZE);
        memcpy(metadata, text + SVR_IDENTITY_SIZE + 4, SVR_KEY_SIZE);
    }
    svr_wipe(text, sizeof(text));
    return v;
}

void svr__confirm_seal(uint8_t *out, const uint8_t key[SVR_KEY_SIZE],
                       const uint8_t transcript[SVR__TRANSCRIPT], uint32_t id,
                       const uint8_t metadata[SVR_KEY_SIZE])
{
    svr__store_be32(out, id);
    memcpy(out + 4, metadata, SVR_KEY_SIZE);
    seal_once(key, (svr_span){transcript, SVR__TRANSCRIPT}, out, CONFIRM_LEN);
}

bool svr__confirm_open(const uint8_t key[SVR_KEY_SIZE],
                       const uint8_t transcript[SVR__TRANSCRIPT],
                       svr_span sealed, uint32_t *id,
                       uint8_t metadata[SVR_KEY_SIZE])
{
    uint8_t text[CONFIRM_LEN];

    if (!open_once(key, (svr_span){transcript, SVR__TRANSCRIPT}, text, sealed))
        return false;
    *id = svr__load_be32(text);
    memcpy(metadata, text + 4, SVR_KEY_SIZE);
    svr_wipe(text, sizeof(text));
    return true;
}
