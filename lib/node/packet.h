/*
 * packet.h - the way of a packet, from where it comes in to where it leaves, is
 * dropped, or is answered.
 */
#ifndef SVR_LIB_NODE_PACKET_H
#define SVR_LIB_NODE_PACKET_H

#include "node/state.h"

/* input.c: exactly one of these ends each packet. */
void svr__drop(svr__work *w, enum svr_drop reason);
void svr__consume(svr__work *w);
void svr__forward(svr__work *w, uint16_t iface, const svr_addr *next_hop);
/* Parses and handles one packet that has not been counted yet. */
void svr__handle(svr__work *w);

/* Before bytes of the packet come or go: a wrong checksum must not be made
 * right (S4.6). False: it was wrong and the packet has been dropped. */
bool svr__touch(svr__work *w);

/* Bytes behind the L4 header. */
static inline size_t svr__payload_len(const svr__work *w)
{
    return w->packet->len - w->headers.payload;
}

static inline bool svr__has_cookie(const svr__work *w)
{
    return svr_cookie_present(w->packet->data + w->headers.payload,
                              svr__payload_len(w));
}

/* The same for any of the packets that a super-packet stands for (S2.3). */
bool svr__segment_has_cookie(const svr__work *w);

/* Whether it begins with metadata that is more than a false-positive mark. */
bool svr__has_block(const svr__work *w);

/* first.c */
/* The tenant of a host on an interface (S5.3). */
int svr__tenant_of(const svr_interface_config *c, const svr_addr *source);
bool svr__owns_address(const svr_node *n, const svr_addr *a);
void svr__first(svr__work *w);
/* A new session's. */
svr_uuid svr__uuid_new(svr_node *n);

/* waypoint.c: metadata arrives on a pathway; flow NULL: for no session. */
void svr__waypoint_block(svr__work *w, svr__pathway *pw, svr__flow *flow);
/* By its waypoints; remote: as configured, or where the peer is now. */
svr__pathway *svr__pathway_find(svr_node *n, const svr_addr *local,
                                const svr_addr *remote);
/* The peer is at another address now (S14.4). */
void svr__pathway_move(svr_node *n, svr__pathway *pw, const svr_addr *remote);

/* relay.c */
void svr__relay(svr__work *w, svr__flow *flow);
/* S4.4: TCP that came as UDP is TCP again. False: it was none; dropped. */
bool svr__unmask(svr__work *w);
/* What comes once a packet stands as its neighbour meant it: life, size,
 * rewrite, metadata, tag. */
void svr__send_on(svr__work *w, svr__flow *flow);
/* Sets the flags of both flows after the machine moved, and the timer. */
void svr__session_settle(svr_node *n, svr__session *s);
/* S6.8: the neighbour on a side has to hear of the session anew: by the next
 * packet, or in one of its own within 20 ms (svr__send_metadata: now). */
void svr__session_renew(svr_node *n, svr__session *s, unsigned side,
                        svr_time now);

/* fragment.c (S18) */
int svr__reassembly_init(svr_node *n);
/* An IP fragment of a host. */
void svr__ip_fragment(svr__work *w);
/* A piece from another router, whose block has been verified. */
void svr__fabric_piece(svr__work *w, const svr_metadata *md, size_t block_len);
/* Whether its sender allows it to be fragmented. */
bool svr__may_fragment(const svr_packet *p);
/* The finished packet goes on by iface, along the pathway `to` or to a host
 * (NULL): as it is, or in pieces. */
void svr__leave(svr__work *w, const svr__pathway *to, uint16_t iface,
                const svr_addr *next_hop);
/* Makes w's packet the next part of one that is not being cut, and ends it. 0,
 * or SVR_ERR_NO_SPACE: then there is no packet. */
int svr__next_part(svr__work *w, svr__parts *parts, uint8_t *buf, size_t cap);

/* What every host of that family can be expected to send or take (RFC 791, RFC
 * 8200): the least that it is told. */
static inline uint16_t svr__least_mtu(bool v4)
{
    return v4 ? 576 : 1280;
}

/* fit.c: false where the packet was cut or dropped. */
bool svr__fit(svr__work *w, const svr__passage *r);
/* S4.8: MSS is lowered by what every packet gains. */
void svr__clamp_mss(svr__work *w, const svr__passage *r);

/* depart.c (S11.1): the mask of UDP, metadata or a false-positive mark, then
 * the tag. False: dropped. */
bool svr__depart(svr__work *w, svr__passage *r);
/* What the block on this packet says besides the session (S4.4). */
uint64_t svr__extra(const svr__work *w, const svr__passage *r);

/* refuse.c (S6.10) */
/* The host that sent w's packet is told that its session is refused. */
void svr__refuse_host(svr__work *w, int service);
/* Whether the session that w's packet would open was refused further on, a
 * moment ago. */
bool svr__refused_lately(const svr__work *w);
/* The host of a side that is an own interface: its session is about to end. */
void svr__session_tell_host(svr_node *n, const svr__session *s, unsigned side,
                            svr_time now);
/* A router further on has refused a session whose client is a host of ours,
 * which is told. The session is about to end. */
void svr__session_refused(svr_node *n, const svr__session *s, svr_time now);

/* icmp.c */
/* Tells the packet's sender why it cannot go on. flow NULL: it belongs to no
 * session. The packet must be unchanged or restored; it is dropped after. */
void svr__raise(svr__work *w, svr__flow *flow, enum svr_icmp_kind kind,
                uint16_t mtu);
/* Answers an echo request to an own address. */
void svr__answer_echo(svr__work *w);
/* S9: answers a segment of no session with a reset. */
void svr__reset(svr__work *w);
/* An ICMP error from an own interface: its session carries it on. */
void svr__icmp_from_host(svr__work *w);
/* One that a neighbour carried here (S19); f: the flow that it came on, or
 * NULL. */
void svr__icmp_from_pathway(svr__work *w, svr__flow *f, const svr_metadata *md,
                            size_t block_len);

/* output.c */
/* A free place for a packet of len bytes, or NULL: then it is not sent. */
svr_packet *svr__outbox_open(svr_node *n, size_t len);
/* The place that the last svr__outbox_open gave is sent. */
void svr__outbox_post(svr_node *n, uint16_t iface, const svr_addr *next_hop);
/* The place of the next packet that is taken apart, or NULL; svr__parts_post
 * enters it. The packet is consumed. */
svr__parts *svr__parts_open(svr_node *n);
void svr__parts_post(svr__work *w, enum svr__parts_kind kind, uint16_t iface,
                     const svr_addr *next_hop);
/* The packet is consumed; its pieces come back as packets of their own. bare:
 * as svr__work has it, for each piece. */
void svr__cut(svr__work *w, size_t size, bool bare);
/* Whether pieces of its flow that came before it have yet to go out. */
bool svr__is_behind(const svr__work *w);

#endif
