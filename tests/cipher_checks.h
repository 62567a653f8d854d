/*
 * cipher_checks.h - what must hold of every cipher and HMAC, whichever library
 * it is from.
 */
#ifndef SVR_TESTS_CIPHER_CHECKS_H
#define SVR_TESTS_CIPHER_CHECKS_H

#include <svr/crypto.h>

/* What is sealed opens, at every length up to 300 and some longer; a keyed
 * state does any number of packets, and can be keyed again. */
void check_round_trips(const svr_cipher *c);

/* An AEAD refuses every flipped bit of tag, nonce, associated data and
 * ciphertext, every cut, and what was moved from one to the other; its buffer
 * then holds nothing of the plaintext. */
void check_forgeries(const svr_cipher *c);

/* A CBC cipher refuses lengths that are no blocks, and every padding but the
 * right one, all in the same way. */
void check_paddings(const svr_cipher *c);

/* States that are not keyed, or for the other use, or for too much. */
void check_misuse(const svr_cipher *c);

/* Two of the same name do the same: sealed by one, opened by the other. */
void check_agreement(const svr_cipher *a, const svr_cipher *b);

#endif
