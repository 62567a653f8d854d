/*
 * pathways.h - the node's pathways: that they are alive and how good they are
 * (S14, S15), and what is known of those of others (S16.1).
 */
#ifndef SVR_LIB_NODE_PATHWAYS_H
#define SVR_LIB_NODE_PATHWAYS_H

#include "node/state.h"

/* watch.c (S14, S15) */
/* The wheel of pathways turns 16 times as fast as time: its ticks are then a
 * millisecond, and it reaches over 36 years. */
enum {
    SVR__WATCH_BITS = 4,
};

static inline svr_time svr__watch_time(svr_time t)
{
    return t < SVR_NEVER >> SVR__WATCH_BITS ? t << SVR__WATCH_BITS : SVR_NEVER;
}

/* How often a packet of a session leaves the straight way, so that it can be
 * marked if its pathway wants that (S15). */
#define SVR__MARK_SPACING (10 * SVR_MILLISECOND)

/* The pathway's svr_pathway, unless it goes unwatched, and what follows from
 * it. 0, or SVR_ERR_ARGUMENT. */
int svr__watch_init(svr_node *n, svr__pathway *pw, const svr_pathway_config *c,
                    svr_time now);
/* The pathway does what is due; changes: or'ed enum svr_pathway_change that
 * has happened before. */
void svr__watch_serve(svr_node *n, svr__pathway *pw, unsigned changes,
                      svr_time now);
/* Sets its deadline anew. */
void svr__watch_arm(svr_node *n, const svr__pathway *pw);
/* Whether the packet may be for a pathway: by its port alone. */
static inline bool svr__watch_wants(const svr__work *w)
{
    const svr_node *n = w->node;
    return (uint16_t)(w->headers.tuple.dport - n->watch_port) < n->watch_ports;
}

/* watch_receive.c: such a packet. False: it is for none, and untouched. */
bool svr__watch_input(svr__work *w);
/* Whether the ICMP error says that a packet was too big for a watched pathway
 * (S14.6), which then is told. */
bool svr__watch_too_big(const svr__work *w);
/* watch_send.c: puts the message into the outbox. */
void svr__watch_post(svr_node *n, const svr__pathway *pw,
                     const svr_pathway_message *m, svr_time now);
/* S14.3: the same with a message of the key exchange, between two ends. */
void svr__watch_post_keys(svr_node *n, const svr__pathway *pw,
                          const svr_bfd_endpoint *from,
                          const svr_bfd_endpoint *to, svr_span message);
/* Whether the pathway takes such packets. */
bool svr__watch_expects(const svr__pathway *pw, const svr_tuple *t);
/* S15: a packet along the pathway is about to be sent: true where it shall
 * carry *out. */
bool svr__watch_mark(svr_node *n, svr__pathway *pw, svr_path_metrics *out,
                     svr_time now);
/* An authentic packet with type 26 has come (S15). */
void svr__watch_marked(svr_node *n, svr__pathway *pw, const svr_path_metrics *m,
                       svr_time now);
/* When svr__watch_expire has something to do. */
svr_time svr__watch_expiry(const svr_node *n);
void svr__watch_expire(svr_node *n, svr_time now);

/* learn.c (S14.3, S16.1) */
/* The chart. Pathways are there by then, and the policy. */
int svr__learn_init(svr_node *n, const svr_node_config *c, svr_time now);
void svr__learn_free(svr_node *n);
/* What is known goes over to another configuration. */
void svr__learn_carry(const svr_node *from, svr_node *to, svr_time now);
/* Something about the pathway is new. */
void svr__learn_follow(svr_node *n, const svr__pathway *pw, svr_time now);
/* The attribute TOPOLOGY of an authentic message, never seen before. */
void svr__learn_heard(svr_node *n, uint16_t peer, svr_span message,
                      svr_time now);
/* The pathway by which a peer is told, or NULL. */
const svr__pathway *svr__learn_pathway(const svr_node *n, uint16_t peer);
/* What is known of an edge, own pathways first, then links: up where nobody
 * says that it is not. Nothing without a chart. */
void svr__learn_edge(const svr_node *n, uint32_t edge, svr_path_edge *out);
/* Makes the loss and jitter of an own pathway as bad as its peer says that they
 * are on the way back. */
void svr__learn_back(const svr_node *n, uint32_t edge, svr_path_edge *out);
/* The load of an instance; 0 where nothing is known. */
uint32_t svr__learn_load(const svr_node *n, uint32_t instance);
/* When svr__learn_run has something to do. */
svr_time svr__learn_due(const svr_node *n);
void svr__learn_run(svr_node *n, svr_time now);

/* load.c (S16.1) */
int svr__load_init(svr_node *n);
void svr__load_free(svr_node *n);
/* The instances of the topology are there. */
void svr__load_index(svr_node *n);
/* A session has begun (+1) or ends (-1). */
void svr__load_session(svr_node *n, const svr__session *s, int change);
/* The sessions that there are, under another configuration. */
void svr__load_recount(svr_node *n);
/* What a session's reverse metadata says of it (type 13). */
void svr__load_describe(const svr_node *n, const svr__session *s,
                        svr_metadata *md, svr_time now);
/* And what it heard: believed of the router where the session's vector ends. */
void svr__load_heard(svr_node *n, const svr__session *s, const svr_metadata *md,
                     svr_time now);
/* The load of an instance as it is known best. */
uint32_t svr__load_of(const svr_node *n, uint32_t instance, svr_time now);
/* When something of that is too old, or SVR_NEVER. */
svr_time svr__loads_due(const svr_node *n, svr_time now);

/* wish.c (S14.9) */
/* side: as planned toward a peer behind a NAT. NONE where the NAT is open now:
 * then side is where it is. PINHOLE: the peer has been asked, and the packet
 * should come again; PATHWAY_DOWN: it does not answer. */
enum svr_drop svr__wish_plan(svr_node *n, const svr_tuple *context,
                             svr__side_plan *side, svr_time now);
/* What the pathway says has become of it. */
void svr__wish_result(svr_node *n, uint16_t pathway, const svr_pinhole *got,
                      svr_time now);
/* The peer's NAT has changed, or the pathway came up again: what was found out
 * along it is not true any more. */
void svr__wishes_doubt(svr_node *n, uint16_t pathway);
/* Pathways have other numbers now. */
void svr__wishes_forget(svr_node *n);
/* An authentic keep-alive of no session. False: none was asked for there. */
bool svr__wish_heard(svr__work *w, svr__pathway *pw);

#endif
