/*
 * token.h - recovery tokens (S8.5): what a router needs to build a session anew
 * from reverse metadata, which any peer could invent.
 *
 * The router that opens a hop makes one and sends it in forward metadata; the
 * peer returns it unchanged in reverse metadata. It is not secret: it says
 * nothing that the metadata does not say. What counts is that nobody else can
 * make one, and that one made for a session is good for no other.
 *
 * Names stand in it as ids, 32-bit hashes under the same key, so that it
 * outlives a changed configuration. On the wire, big-endian:
 *
 *     u8 version 2, u8 kind (0: the client is on an own interface, 1: behind
 *     another router), u32 boot counter, u32 expiry, u32 ids of origin, tenant,
 *     service and next;
 *     kind 1: u8 protocol, 16 bytes of remote address, u16 remote port, u16 own
 *     port of the previous hop;
 *     16 bytes: BLAKE2b keyed with the router's recovery key, over UUID,
 *     context and all of the above
 */
#ifndef SVR_LIB_SESSION_TOKEN_H
#define SVR_LIB_SESSION_TOKEN_H

#include <svr/crypto.h>

/* The longest token. */
#define SVR__TOKEN_MAX 63

/* No token is good for longer than this when it is made, in seconds. */
#define SVR__TOKEN_LIFE UINT64_C(129600) /* 36 hours */

/* What an id is of. */
enum svr__token_name {
    SVR__TOKEN_INTERFACE,
    SVR__TOKEN_PATHWAY,
    SVR__TOKEN_TENANT,
    SVR__TOKEN_SERVICE,
    SVR__TOKEN_PEER,
};

typedef struct svr__token {
    bool transit;             /* the client is behind another router */
    uint32_t boot;            /* boot counter of the router that made it */
    uint32_t expiry;          /* Unix time, seconds: the last that it is good */
    uint32_t origin;          /* id of the client's interface, or if transit of
                                 the pathway of the previous hop */
    uint32_t tenant, service; /* ids; 0: no tenant */
    uint32_t next;            /* id of the peer that it is given to */
    svr_addr remote;          /* transit: the previous router's waypoint */
    uint16_t remote_port, own_port;
    uint8_t proto; /* of packets on that hop */
} svr__token;

/* The id of a name; never 0. */
uint32_t svr__token_id(const uint8_t key[SVR_KEY_SIZE],
                       enum svr__token_name kind, const char *name);

/* The length of such a token. */
size_t svr__token_len(const svr__token *t);

/* Writes the token of a session. Returns its length. */
size_t svr__token_seal(uint8_t out[SVR__TOKEN_MAX],
                       const uint8_t key[SVR_KEY_SIZE], const svr__token *t,
                       const svr_uuid *uuid, const svr_tuple *context);

/* Reads one that has come back for a session. False, and *t is as it was, where
 * it is not exactly one that svr__token_seal wrote for this session under this
 * key. Boot counter and expiry are the caller's to look at. */
bool svr__token_open(svr__token *t, const uint8_t key[SVR_KEY_SIZE],
                     svr_span token, const svr_uuid *uuid,
                     const svr_tuple *context);

#endif
