/* tls.h - what begins a TLS connection (S11.9). */
#ifndef SVR_LIB_WIRE_TLS_H
#define SVR_LIB_WIRE_TLS_H

#include <svr/base.h>

/* Whether a client that says this first speaks TLS: the bytes begin with a
 * record of a ClientHello (RFC 8446 4, 5.1), of which no more than its first 6
 * bytes need be there. */
bool svr__tls_is_hello(svr_span first);

#endif
