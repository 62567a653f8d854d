/*
 * waypoint.h - what the files share that act on metadata from a neighbour.
 *
 *   waypoint.c   opens a block and finds what it is about
 *   offer.c      a session that is new here
 *   follow.c     a session that is known
 */
#ifndef SVR_LIB_NODE_WAYPOINT_H
#define SVR_LIB_NODE_WAYPOINT_H

#include "node/node.h"

#include <string.h>

#define SVR__FORWARD_CONTEXT \
    (SVR_HAS(FORWARD_CONTEXT_V4) | SVR_HAS(FORWARD_CONTEXT_V6))
#define SVR__REVERSE_CONTEXT \
    (SVR_HAS(REVERSE_CONTEXT_V4) | SVR_HAS(REVERSE_CONTEXT_V6))
#define SVR__ICMP_LOCATION \
    (SVR_HAS(ICMP_LOCATION_V4) | SVR_HAS(ICMP_LOCATION_V6))

static inline bool svr__md_has(const svr_metadata *md, uint64_t bits)
{
    return (md->present & bits) == bits;
}

static inline bool svr__same_text(svr_span a, const char *b)
{
    return b && a.len == strlen(b) && memcmp(a.data, b, a.len) == 0;
}

/* waypoint.c */
/* Takes off the block and the mask. False: dropped. */
bool svr__strip(svr__work *w, size_t block_len, bool masked);
/* The same for a packet of a session, which then stands on the session's tuple.
 */
bool svr__strip_for(svr__work *w, const svr__flow *flow, size_t block_len);
/* The machine has heard of the packet. It goes on as its neighbour got it; what
 * came by itself (S6.6) was for this router alone. */
void svr__go_on(svr__work *w, svr__flow *flow, unsigned actions, bool alone);
/* S17: of the copies of a packet only the first goes on. False: dropped. */
bool svr__is_first_copy(svr__work *w, const svr__flow *flow,
                        const svr_metadata *md);
/* Something has come by a leg (S17). */
static inline void svr__note_leg(const svr__work *w)
{
    if (w->alias)
        w->alias->heard = 1;
}

/* The packet's tuple becomes free for the session that it is about, and that is
 * sure to take it. old: the session that has it, or NULL. */
void svr__clear_tuple(svr__work *w, svr__session *old);
/* S6.7: whether metadata says of the session what the session is. */
bool svr__agrees(const svr_node *n, const svr__session *s, unsigned side,
                 const svr_metadata *md);
/* Whether a packet of this protocol can belong to the context: TCP comes as TCP
 * or as UDP, all else as UDP (S4.2, S4.4). */
bool svr__context_fits(const svr__work *w, const svr_tuple *context);
/* What metadata says to the machine (S6.9). */
unsigned svr__hear(const svr__work *w, svr__session *s, unsigned side,
                   const svr_metadata *md);

/* offer.c */
/* A new session from a neighbour; old: the one whose tuple it takes, or NULL.
 */
void svr__offer(svr__work *w, svr__pathway *pw, svr__session *old,
                const svr_metadata *md, size_t block_len);

/* follow.c */
/* The session goes on where the packet came. old: the session whose tuple that
 * was, or NULL. */
void svr__follow(svr__work *w, svr__pathway *pw, svr__session *s,
                 svr__session *old, const svr_metadata *md, size_t block_len);
/* S6.7: metadata of the session on its own tuple. An exchange that is older
 * says nothing (S6.9), but the packet that carries it is as good as any. */
void svr__update(svr__work *w, svr__flow *flow, const svr_metadata *md,
                 size_t block_len);
/* A copy of a packet comes by another pathway for the first time (S17). */
void svr__join(svr__work *w, svr__pathway *pw, svr__session *s,
               const svr_metadata *md, size_t block_len);

#endif
