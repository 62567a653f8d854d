/* What a tag or a seal binds of a TCP header (S11.4b), as bytes. */
#ifndef SVR_LIB_CRYPTO_BIND_H
#define SVR_LIB_CRYPTO_BIND_H

#include <svr/crypto.h>

/* Options and 12 bytes more; see crypto.h. */
#define SVR__BIND_MAX 52

/* Answers how many it wrote. The last one says how long the options are, so no
 * two headers give the same bytes. */
size_t svr__bind_write(uint8_t out[SVR__BIND_MAX], const svr_tcp_bind *b);

#endif
