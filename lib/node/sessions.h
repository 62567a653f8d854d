/*
 * sessions.h - the node's sessions: where they go, how they begin, move and
 * end, and what neighbours tell each other of them.
 */
#ifndef SVR_LIB_NODE_SESSIONS_H
#define SVR_LIB_NODE_SESSIONS_H

#include "node/state.h"

/* route.c: a side along a pathway, with waypoint ports of its own (S10). */
enum svr_drop svr__plan_pathway(svr_node *n, const svr_tuple *context,
                                uint16_t number, svr__side_plan *side,
                                svr_time now);
/* The same for a route: out of an interface, or along a pathway that is up. */
enum svr_drop svr__plan_try(svr_node *n, svr__session_plan *plan,
                            const svr__route *r, svr_time now);
/* Chooses where the service's sessions go next: fills in side[SVR__SERVER] of
 * the plan, with waypoint ports where that is a pathway. avoid: a pathway that
 * the packet came by, or SVR__NO_PATHWAY. Where it answers SVR_DROP_NONE, there
 * is a next hop. */
enum svr_drop svr__plan_route(svr_node *n, svr__session_plan *plan,
                              uint16_t avoid, svr_time now);
/* admit.c: whether the new session of a plan keeps within the limits.
 * replaced: the one whose place it takes, or NULL. */
enum svr_drop svr__admit(svr_node *n, const svr__session_plan *plan,
                         const svr__session *replaced, svr_time now);
/* A session has begun (+1) or ends (-1). */
void svr__admit_count(svr_node *n, const svr__session *s, int change);
/* Before a new session: in a table that is nearly full, one that is not
 * established may end. */
void svr__make_room(svr_node *n, svr_time now);
/* Makes the session and binds its flows. Nothing is left behind on failure. */
enum svr_drop svr__session_open(svr_node *n, const svr__session_plan *plan,
                                svr_time now, svr__flow **forward);
void svr__session_close(svr_node *n, svr__session *s, enum svr_cause cause,
                        svr_time now);
/* A session has left this tuple along a pathway, as packets left by it: its
 * ports are not chosen again at once (S9). */
void svr__tuple_guard(svr_node *n, uint16_t pathway, const svr_tuple *t,
                      svr_time now);
/* Points the flow of packets from `side` to where that session's other side is
 * now: way out, next hop, MTU, what its device and its pathway are able to.
 * False: there is no next hop. */
bool svr__flow_direct(svr_node *n, const svr__session *s, unsigned side);
/* The next hop for an address on an interface's side, as its number. False:
 * there is none. */
bool svr__next_hop(const svr_node *n, uint16_t iface, const svr_addr *to,
                   uint16_t *number);
/* The number of a pathway's next hop: behind both gateways of each interface.
 */
static inline uint16_t svr__pathway_hop(const svr_node *n, size_t pathway)
{
    return (uint16_t)(2 * n->interface_count + pathway);
}

static inline const svr__pathway *svr__pathway_of_hop(const svr_node *n,
                                                      uint16_t hop)
{
    return &n->pathways[hop - 2 * n->interface_count];
}

/* The address that a number stands for, for packets to `to`. */
const svr_addr *svr__next_hop_addr(const svr_node *n, uint16_t number,
                                   const svr_addr *to);
svr__protection *svr__protection_of(const svr_node *n, const svr__session *s,
                                    unsigned side);
void svr__protection_wipe(svr_node *n, const svr__session *s);
/* S4.4: whether packets of such a session are masked on a side where they have
 * this protocol. */
static inline bool svr__is_masked(const svr_tuple *context, uint8_t proto)
{
    return context->proto == SVR_PROTO_TCP && proto == SVR_PROTO_UDP;
}

/* What arrives from a side whose forward packets have this tuple. */
static inline svr_tuple svr__arriving(unsigned side, const svr_tuple *forward)
{
    return side == SVR__CLIENT ? *forward : svr_tuple_reverse(forward);
}

/* A side's tuple as packets leave to it. */
svr_tuple svr__side_tuple(const svr_node *n, const svr__session *s,
                          unsigned side);

/* record.c (S20) */
#define SVR__RECORD_MAX SVR__ROUTE_RECORD_SIZE(SVR__PASSED_MAX + 1)
/* The names of routers, and which of them are this one and its peers. 0, or
 * SVR_ERR_NO_MEMORY, ARGUMENT, EXISTS. */
int svr__record_init(svr_node *n, const svr_node_config *c);
/* Room for what is known of sessions' records beside svr__session.passed. */
int svr__versions_init(svr_node *n);
void svr__versions_fini(svr_node *n);
svr__versions *svr__versions_of(const svr_node *n, const svr__session *s);
/* What a route record says of the routers passed and to come, or why it is
 * refused. */
enum svr_drop svr__record_read(const svr_node *n, svr_span record,
                               svr__passed *out, svr__versions *versions);
/* The route record of a session's forward metadata, in buf. versions NULL: it
 * has none. */
svr_span svr__record_write(const svr_node *n, const svr__passed *passed,
                           const svr__versions *versions,
                           uint8_t buf[SVR__RECORD_MAX]);
/* Whether the session comes by the new way later than by the one it has: the
 * last router that both ways have in common chose it later (S16.4). */
bool svr__record_is_later(const svr_node *n, const svr__session *s,
                          const svr__passed *passed,
                          const svr__versions *versions);
/* The session comes by that way now; where it goes to is its own. */
void svr__record_take(svr_node *n, svr__session *s, const svr__passed *passed,
                      const svr__versions *versions);
/* Whether the record has room in forward metadata. */
bool svr__record_fits(const svr_node *n, const svr__session *s);
/* Likewise; those to come are left out where that helps. */
bool svr__record_fits_plan(const svr_node *n, svr__session_plan *plan);
/* Whether the router, or the peer, is among those passed. */
bool svr__record_holds(const svr__passed *passed, uint16_t router);
bool svr__record_has(const svr_node *n, const svr__passed *passed,
                     uint16_t peer);
/* Replaces those to come, as far as there is room. */
void svr__record_set_coming(svr__passed *passed, const uint16_t *routers,
                            size_t count);

/* S17: one side gets another tuple, maybe on another pathway; the old one lives
 * on as an alias. TUPLE_IN_USE: something has the new one, nothing changed.
 * cause NONE: it is no move that anybody is told of. */
enum svr_drop svr__session_rebind(svr_node *n, svr__session *s, unsigned side,
                                  const svr__side_plan *to,
                                  enum svr_cause cause, svr_time now);
/* The side's tuple goes on under other keys (S11.10: a rebuild). */
void svr__session_rekey(svr_node *n, svr__session *s, unsigned side,
                        uint32_t generation);
void svr__alias_drop(svr_node *n, svr__alias *a, svr_time now);

/* legs.c (S17): sessions whose packets are copied. */
int svr__copies_init(svr_node *n);
void svr__copies_fini(svr_node *n);
svr__copies *svr__copies_of(const svr_node *n, const svr__session *s,
                            unsigned side);
bool svr__is_duplicated(const svr_node *n, const svr__session *s);
/* Whether packets to that side are copied now. */
bool svr__has_legs(const svr_node *n, const svr__session *s, unsigned side);
/* The opener makes the legs that it lacks. */
void svr__legs_make(svr_node *n, svr__session *s, svr_time now);
/* Another configuration: legs come, or go where there are to be none. */
void svr__legs_adjust(svr_node *n, svr__session *s, svr_time now);
/* Packets go by no leg of that side any more; what is late comes as from a
 * tuple that was left. */
void svr__legs_retire(svr_node *n, const svr__session *s, unsigned side,
                      svr_time now);
/* A copy with metadata came on a tuple that becomes a leg, and w->alias. */
bool svr__leg_join(svr__work *w, const svr__pathway *pw, svr__session *s,
                   unsigned side);
/* The side's pathway is down: a leg takes its place. */
bool svr__leg_promote(svr_node *n, svr__session *s, unsigned side,
                      svr_time now);
/* Gives the packet its number, and sends its copies. It stands as it leaves,
 * but for block and tag. */
void svr__send_copies(const svr__work *w, const svr__passage *r);

/* move.c (S17) */
/* Moves the server's side if there is a reason and a pathway to move to. */
bool svr__session_move(svr_node *n, svr__session *s, svr_time now);
/* Moves the server's side to new ports of the pathway that it has, through a
 * pinhole if need be. False: not yet. */
bool svr__session_reopen(svr_node *n, svr__session *s, enum svr_cause cause,
                         svr_time now);
/* redirect.c (S16.4, S17) */
/* The server's side goes by another next router, if there is a reason and such
 * a router. */
bool svr__session_redirect(svr_node *n, svr__session *s, svr_time now);
/* Whether packets may go on by a side: its pathway is up, and leads to no
 * router that the session comes by (S20): another one may have brought it here
 * since.
 */
bool svr__session_leads_on(const svr_node *n, const svr__session *s,
                           unsigned side);
/* The side has another neighbour than before. */
void svr__session_turn(svr_node *n, svr__session *s, unsigned side,
                       svr_time now);
/* Whether the packet came from a neighbour that the session has left. */
bool svr__is_former(const svr__work *w, const svr__session *s, unsigned side);
/* An alias has had its time: a neighbour that the session has left is told. */
void svr__session_part(svr_node *n, const svr__alias *a, svr_time now);
/* A pathway went down, came up, or is out of its hold-down: its peer's sessions
 * are looked at, a few at a time. */
void svr__moves_begin(svr_node *n, const svr__pathway *pw, svr_time now);
/* Any pathway of the network did: sessions may have lost their way far off, or
 * found one by another peer. */
void svr__moves_begin_all(svr_node *n, svr_time now);
/* A packet goes to a side whose pathway is down: true where it may go now. */
bool svr__session_detour(svr_node *n, svr__session *s, unsigned side,
                         svr_time now);
/* The session that a neighbour's control 2 on no tuple of ours is about: it
 * cannot reach us by the pathway that the session has. Or NULL. */
svr__session *svr__session_asking(const svr_node *n, const svr__pathway *pw,
                                  const svr_metadata *md);
void svr__session_asked(svr_node *n, svr__session *s, const svr__pathway *pw,
                        svr_time now);
/* A packet that came on an alias, stripped, becomes one that came on the flow.
 * False: it was dropped. */
bool svr__relocate(svr__work *w, const svr__flow *flow);
/* svr__verify for a plain packet on an alias, which may have had other keys. */
enum svr_drop svr__verify_late(svr__work *w, const svr__alias *a);

/* How the packet's tag and mask are: SVR__FLOW_SIGNED_IN, SVR__FLOW_MASKED_IN.
 */
static inline uint8_t svr__arrival_flags(const svr__work *w,
                                         const svr__flow *flow)
{
    return w->alias ? w->alias->flags : flow->flags;
}

/* S11.10: whether its payload is encrypted. */
static inline bool svr__arrives_sealed(const svr__work *w,
                                       const svr__session *s)
{
    return w->alias ? w->alias->sealed : s->seal == SVR__SEALED;
}

/* describe.c: the block for a side, signed afterwards. Returns its length, or
 * 0: it does not fit. */
size_t svr__describe(svr_node *n, const svr__session *s, unsigned side,
                     uint64_t extra, uint8_t buf[SVR_METADATA_MAX],
                     svr_time now);
/* An upper bound of what svr__describe writes. */
size_t svr__describe_len(const svr_node *n, const svr__session *s,
                         unsigned side, uint64_t extra, svr_time now);
/* The same of the forward metadata of a session that is planned. */
size_t svr__describe_plan_len(const svr_node *n, const svr__session_plan *plan);
/* What every block has, for control packets, ICMP errors and the like; it has
 * no packet number yet. */
void svr__describe_bare(svr_metadata *md);
/* S11.7: of the packet that is being made. Each is for one packet; it does no
 * harm that a number is not sent. */
uint64_t svr__number_take(svr_node *n, const svr__pathway *pw);
/* Gives md its packet number and the id of its keys, and writes it; 0: it does
 * not fit, or there are no keys. */
size_t svr__describe_write(svr_node *n, const svr__pathway *pw, svr__keys *keys,
                           svr_metadata *md, uint8_t buf[SVR_METADATA_MAX]);
/* A block with the number of the packet that travels more than once (S17). */
size_t svr__describe_copy(svr_node *n, const svr__pathway *pw,
                          const svr__session *s, unsigned side,
                          uint8_t buf[SVR_METADATA_MAX]);
/* The length of such a block with these attributes, of fixed lengths, too. */
size_t svr__describe_bare_len(const svr_node *n, const svr__pathway *pw,
                              uint64_t extra);

/* resync.c (S8.4) */
/* An authentic message of the peer, at its present place in its numbers, has
 * this boot counter. */
void svr__resync_heard(svr_node *n, const svr__pathway *pw, uint32_t boot,
                       svr_time now);
/* A peer says that it has told all to the router that started so. */
void svr__resync_ended(svr_node *n, uint16_t peer, uint32_t boot);
/* Whether this router was started so lately that it may not know sessions that
 * its peers know. */
bool svr__resync_quiet(const svr_node *n, svr_time now);
/* S6.8 b: tells the peer of all sessions along the pathway. */
void svr__resync_pathway(svr_node *n, svr__pathway *pw, svr_time now);
/* Gives new tokens to all peers (S8.5). */
void svr__resync_tokens(svr_node *n, svr_time now);

/* recover.c (S8.5): the plan of a session that reverse metadata speaks of and
 * that is not known: both sides are where they were. */
enum svr_drop svr__recover_plan(const svr__work *w, const svr__pathway *pw,
                                const svr_metadata *md,
                                svr__session_plan *plan);

/* token.c (S8.5) */
int svr__token_init(svr_node *n, const svr_node_config *c);
void svr__token_fini(svr_node *n);
/* The ids of all that has a name; part of what derives from the configuration.
 */
int svr__token_names(svr_node *n);
void svr__token_names_free(svr_node *n);
/* Time passes: true where the tokens that were given out should be replaced by
 * newer ones. */
bool svr__token_age(svr_node *n, svr_time now);
/* The token for the peer on the session's server side, in buf, which has room
 * for SVR__TOKEN_MAX bytes; NULL: only its length. */
svr_span svr__token_make(const svr_node *n, const svr__session *s,
                         uint8_t *buf);
/* Copies what the peer on the client side has sent; one without bytes, or too
 * long to be one of ours: none. */
void svr__token_keep(svr__kept_token *k, svr_span token);
/* That of a session, which is returned to the peer. */
svr__kept_token *svr__token_of(const svr_node *n, const svr__session *s);
svr_span svr__token_kept(const svr_node *n, const svr__session *s);

/* control.c */
/* flow NULL: for no session. */
void svr__control_received(svr__work *w, svr__pathway *pw, svr__flow *flow,
                           const svr_metadata *md);
/* Whether it is session metadata in a packet of its own (S6.6, S6.8): control 3
 * with a context. */
bool svr__is_alone(const svr_metadata *md);
/* Sends that to a side. */
void svr__send_metadata(svr_node *n, svr__session *s, unsigned side,
                        svr_time now);
/* What the machine has to say to a side: or'ed enum svr_session_action. */
void svr__session_act(svr_node *n, svr__session *s, unsigned side,
                      unsigned actions, svr_time now);
/* Signs a block that belongs to no session and sends it by itself. */
void svr__send_alone(svr_node *n, const svr__pathway *pw, const svr_tuple *t,
                     svr_metadata *md, svr_time now);
/* Control 6: to a side of a session, or, for a session that this router does
 * not have, to where w's authentic metadata came from, within limits (S6.10):
 * whether it was sent. */
void svr__send_delete(svr_node *n, const svr__session *s, unsigned side,
                      svr_time now);
bool svr__refuse(svr__work *w, svr__pathway *pw, const svr_uuid *uuid);
/* What is said of a session, or done for it, once in a second. */
enum svr__telling {
    SVR__TELL_ASK,    /* S17: its neighbour is asked by another pathway */
    SVR__TELL_FOLLOW, /* S7: it goes where it is asked for */
    SVR__TELL_GLARE,  /* S6.11: that it stays */
    SVR__TELL_SEAL,   /* S11.9: that the server has something to say */
    SVR__TELL_AGAIN,  /* S17: where it is, which may not have been heard */
};
/* Whether that was so in the last second; from now on it was. */
bool svr__told_lately(svr_node *n, const svr__session *s,
                      enum svr__telling what, svr_time now);
/* S8.2: a plain packet of no session asks for metadata, within limits. */
void svr__send_enable(svr__work *w, svr__pathway *pw);

/* health.c (S8.1, S8.2) */
/* A session's side has got a pathway, or something of that is new. */
void svr__health_watch(svr_node *n, svr__session *s, unsigned side);
/* A packet of the session has come from a side: it is answered if it asks. */
void svr__health_asked(svr__work *w, svr__session *s, unsigned side,
                       const svr_metadata *md);
/* Which type 46 a packet carries where the machine says so: 0, 1 or 2. */
static inline uint8_t svr__health_of(unsigned actions)
{
    if (actions & SVR_SESSION_ADD_HEALTH_AGAIN)
        return 2;
    return actions & SVR_SESSION_ADD_HEALTH ? 1 : 0;
}

/* expiry.c */
/* When the session ends if no packet comes. */
svr_time svr__session_idle_due(const svr_node *n, const svr__session *s);
/* Sets its timer to the first thing that will be due. */
void svr__session_arm(svr_node *n, svr__session *s);

#endif
