/*
 * primitive.h - what the rest of lib/crypto/ needs from libsodium and the
 * public header does not show.
 */
#ifndef SVR__PRIMITIVE_H
#define SVR__PRIMITIVE_H

#include <svr/crypto.h>

/* BLAKE2b-256 with a key, fed piece by piece. Secret; final wipes it. */
typedef struct svr__blake2b {
    _Alignas(64) uint8_t state[384];
} svr__blake2b;

void svr__blake2b_init(svr__blake2b *b, const uint8_t key[SVR_KEY_SIZE]);
void svr__blake2b_update(svr__blake2b *b, svr_span piece);
void svr__blake2b_final(svr__blake2b *b, uint8_t out[SVR_KEY_SIZE]);

/* Takes the same time wherever the first difference is. */
bool svr__secret_equal(const uint8_t *a, const uint8_t *b, size_t len);

#endif
