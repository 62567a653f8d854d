/*
 * protection.h - keys, tags and encryption (S11, S12).
 */
#ifndef SVR_LIB_NODE_PROTECTION_H
#define SVR_LIB_NODE_PROTECTION_H

#include "node/state.h"

/* clock.c (S11.3) */
/* Time by the clock of this router's steps, and by that of a peer's. */
uint64_t svr__own_time(const svr_node *n, svr_time now);
uint64_t svr__peer_time(const svr_node *n, uint16_t peer, svr_time now);
/* The first Unix time that the node is told begins its clock. */
void svr__clock_start(svr_node *n, uint64_t unix_offset);
/* Echo stamps are sent by that clock, and pathways know the monotonic one. */
void svr__clock_stamp(const svr_node *n, svr_bfd_echo *e);
void svr__clock_read(const svr_node *n, svr_bfd_echo *e);
/* A peer's answer, as svr__clock_read leaves it, never seen before. */
void svr__clock_heard(svr_node *n, svr__peer *peer, const svr_bfd_echo *e,
                      svr_time now);

/* keyring.c (S11.6, S12): the keys of a pathway. */
/* For what belongs to no session, or for a session that begins: the generation
 * that peer and this router both use. NULL: there are no keys. */
svr__keys *svr__keys_now(const svr_node *n, const svr__pathway *pw);
/* Of one generation; NULL: it is not alive any more. */
svr__keys *svr__keys_of(const svr_node *n, const svr__pathway *pw,
                        uint32_t generation);
/* By the type 16 of what came, or NULL. */
svr__keys *svr__keys_received(svr_node *n, const svr__pathway *pw, uint32_t id,
                              svr_time now);
/* For messages about the pathway itself: from these the peer learns that this
 * router uses a new generation. */
svr__keys *svr__keys_bfd(const svr_node *n, const svr__pathway *pw);
/* The generation that a type 16 names, or 0; derives nothing. */
uint32_t svr__generation_of(const svr_node *n, const svr__pathway *pw,
                            uint32_t id);
/* The one of a session that begins on the pathway; 0: there are no keys. */
uint32_t svr__generation_now(const svr_node *n, const svr__pathway *pw);
/* Those of a session's tuple (S11.10). */
svr__keys *svr__side_keys(const svr_node *n, const svr__session *s,
                          unsigned side);
/* Before a new exchange (S6.8): where those are not alive at both ends any
 * more, newer ones take their place on the same tuple, which is built anew. */
void svr__side_freshen(svr_node *n, svr__session *s, unsigned side);
/* The peer has said the rest of its new keys. */
void svr__keys_learned(svr_node *n, uint16_t peer);
/* The association of a peer and a policy, made where there is none: its number.
 * 0, or an error of the library that keys a MAC or a cipher. */
int svr__associate(svr_node *n, const svr_node_config *c, uint16_t peer,
                   uint16_t security, uint16_t *number);
void svr__associations_free(svr_node *n);

/* keying.c (S12): an exchange with each peer that has an identity. */
int svr__keying_init(svr_node *n, const svr_node_config *c, svr_time now);
void svr__keying_free(svr_node *n);
/* What has been agreed on with a peer goes on under a new configuration. */
void svr__keying_carry(const svr__peer *from, svr__peer *to);
/* Peers are gone: what all peers share is renewed (S12.7). */
void svr__keying_renew(svr_node *n, svr_time now);
/* A message (S14.3) that nobody has signed: NONE where it was taken. */
enum svr_drop svr__keying_receive(svr__work *w, const svr_bfd_block *b);
/* An authentic packet of the peer came under that generation. */
void svr__keying_heard(svr_node *n, uint16_t number, uint32_t generation,
                       svr_time now);
/* Whether the peer, since its last start, uses the same keys as this router. */
bool svr__keying_ready(const svr_node *n, const svr__pathway *pw);
/* Sessions with the peer follow to the newest keys, unless they do. */
void svr__keying_follow(svr_node *n, uint16_t peer, svr_time now);
svr_time svr__keying_due(const svr_node *n);
void svr__keying_run(svr_node *n, svr_time now);

/* protect.c: tags (S11.1) of packets along a pathway. bind is NULL where they
 * are not TCP (S11.4b). */
int svr__tag_write(const svr_node *n, const svr__pathway *pw,
                   const svr_mac *mac, svr_span bytes, const svr_tcp_bind *bind,
                   svr_time now, uint8_t *tag);
/* The same for messages about the pathway itself, from which clock and boot
 * counter are learned: these have numbers of their own (S11.7). */
int svr__tag_write_bfd(const svr_node *n, const svr__pathway *pw,
                       const svr_mac *mac, svr_span bytes,
                       const svr_tcp_bind *bind, uint8_t *tag);
enum svr_drop svr__verify_bfd(svr__work *w, const svr__pathway *pw,
                              const svr_mac *mac);
/* What a tag binds of a packet's TCP header (S11.4b). */
static inline svr_tcp_bind svr__tcp_bind(const svr_packet *p,
                                         const svr_headers *h)
{
    const uint8_t *options = p->data + h->l4 + SVR__TCP_FIXED;

    return (svr_tcp_bind){
        .seq = h->tcp_seq,
        .ack = h->tcp_ack,
        .window = h->tcp_window,
        .flags = h->tcp_flags,
        .options = {options, (size_t)(p->data + h->payload - options)},
    };
}
/* Appends the tag to a packet. False: no room; the packet was dropped. */
bool svr__sign(svr__work *w, const svr__pathway *pw, const svr_mac *mac);
/* Verifies the tag and takes it off, or answers the reason. */
enum svr_drop svr__verify(svr__work *w, const svr__pathway *pw,
                          const svr_mac *mac);

/* sealings.c: the memory of encrypted sessions. */
/* As svr__protections_init. */
int svr__sealings_init(svr_node *n, const svr_node *setup);
void svr__sealings_fini(svr_node *n);
svr__sealing *svr__sealing_of(const svr_node *n, const svr__session *s);
/* Whether one more session may begin or end here encrypted. */
bool svr__seal_has_room(const svr_node *n);
/* An end without keys. There must be room: svr__seal_has_room. */
svr__sealing_end *svr__sealing_take(svr_node *n);
/* Wipes what a session had. */
void svr__seal_end(svr_node *n, const svr__session *s);

/* sealable.c (S11.9): which sessions may be encrypted. */
/* What a salt's flags name. Only ciphers that the configuration names are used,
 * whatever a neighbour says; NULL for others. */
const svr_cipher *svr__seal_cipher(const svr_node *n, uint8_t flags);
/* Reads what session metadata says, before md's views become invalid. */
enum svr_drop svr__seal_read(const svr_node *n, const svr__pathway *pw,
                             const svr_metadata *md, svr__told *out);
/* Whether the session of a plan may be as plan->told says. */
enum svr_drop svr__seal_plan(const svr_node *n, const svr__session_plan *plan);
/* Whether a session may go along a pathway, and whether one may that is
 * planned, as a session that is told of or a client's. */
bool svr__seal_may_use(const svr_node *n, const svr__session *s,
                       uint16_t pathway);
bool svr__seal_may_plan(const svr_node *n, const svr__session_plan *plan,
                        uint16_t pathway);
/* Why a client's session cannot: NOT_SEALED, SEALED_FULL, or NONE. */
enum svr_drop svr__seal_expect(const svr_node *n, int service,
                               uint16_t pathway);
/* Whether the session may be encrypted from now on as told, where metadata for
 * its client's side comes by a pathway. */
enum svr_drop svr__seal_may_turn(const svr_node *n, const svr__session *s,
                                 uint16_t pathway, const svr__told *told);

/* seal.c (S11.5, S12.6) */
/* Whether one side of the session is an own interface. */
bool svr__is_end(const svr__session *s);
/* Whether payloads are encrypted and decrypted here. */
bool svr__is_sealing(const svr__session *s);
/* The ingress encrypts its session from now on. False: there is no memory for
 * it. */
bool svr__seal_begin(svr_node *n, svr__session *s, svr_time now);
/* The session is encrypted from now on, as a neighbour says. Wipes told. */
bool svr__seal_join(svr_node *n, svr__session *s, unsigned side,
                    svr__told *told, svr_time now);
/* A neighbour says it again, or something new. Wipes told. */
void svr__seal_hear(svr_node *n, svr__session *s, unsigned side,
                    svr__told *told, svr_time now);
/* When an old key of the session is to be wiped, or SVR_NEVER; and that. */
svr_time svr__seal_due(const svr_node *n, const svr__session *s);
void svr__seal_expire(svr_node *n, const svr__session *s, svr_time now);
/* What metadata for a side says of it. */
void svr__seal_describe(const svr_node *n, const svr__session *s, unsigned side,
                        svr_metadata *md);
/* How much longer payloads of an encrypted session are at most. */
int svr__seal_growth(const svr_node *n, const svr__session *s);
/* S12.4: draws another key where this one is old, which metadata then tells. To
 * be called before it is known how long the packet becomes. */
void svr__seal_refresh(svr_node *n, svr__session *s, svr_time now);
/* Encrypts the payload, or decrypts one that came so. False: dropped. */
bool svr__seal(svr__work *w, svr__session *s);
bool svr__unseal(svr__work *w, svr__session *s);

/* adapt.c (S11.9): sessions that are encrypted unless they are so already. */
/* The first packet of a client's session: which of these it is. */
void svr__adapt_plan(const svr__work *w, svr__session_plan *plan);
/* A packet of a host is about to go on: what it says may decide. False: it was
 * dropped. */
bool svr__adapt(svr__work *w, const svr__passage *r);
/* A neighbour on the client's side says whether the session is decided. */
void svr__adapt_hear(svr_node *n, svr__session *s, unsigned side,
                     const svr__told *told, svr_time now);
/* The server has something to say that may not go clear, or what it said came
 * clear. Not while a packet of the session is on its way through this router:
 * the session may change its tuple. */
void svr__adapt_asked(svr_node *n, svr__session *s, svr_time now);

#endif
