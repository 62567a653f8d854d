/*
 * openssl.h - algorithms of OpenSSL's libcrypto, for a program that links
 * libsvr-openssl beside libsvr:
 *
 *    sha1 sha256 sha256-128 sha384 sha512
 *    aes-cbc-128 aes-cbc-256 aes-gcm-128 aes-gcm-256 chacha20-poly1305
 *
 * A keyed MAC or cipher of theirs refers to memory of libcrypto, which is taken
 * when it is keyed and given back when it is wiped. Ciphers take none for a
 * packet. HMACs take and give back two pieces for each message: libcrypto 3.0
 * works so. What it takes is not counted by an svr_allocator.
 */
#ifndef SVR_OPENSSL_H
#define SVR_OPENSSL_H

#include <svr/crypto.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Looks all algorithms up, once for a program. What this libcrypto lacks is
 * left out. NULL where there is no memory. */
SVR_API const svr_suites *svr_openssl_open(void);

/* After all that was keyed by them is wiped. NULL is allowed. */
SVR_API void svr_openssl_close(const svr_suites *suites);

#ifdef __cplusplus
}
#endif

#endif
