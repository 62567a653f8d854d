/*
 * node.h - what the files of a node share: state.h has what it consists of, the
 * other headers what each file does for the others.
 *
 * The way of a packet:
 *
 *   input.c      parse, look up; plain packets of quiet sessions leave here
 *   first.c      no flow: from a client (S5) or on a waypoint (S6.1)
 *   waypoint.c   metadata from a neighbour (S6): offer.c, where its session is
 *                new here, follow.c, where it is known
 *   relay.c      packets of sessions that need more than a rewrite
 *   move.c       sessions that change pathways, and packets of theirs that are
 *                late (S17); redirect.c: to other routers; legs.c: packets that
 *                travel more than once
 *   fragment.c   packets that travel in pieces (S18)
 *   output.c     pieces of packets, packets out of pieces, and what the node
 *                itself sends
 *
 * watch.c keeps the pathways alive, with watch_send.c and watch_receive.c; what
 * comes for that is taken before all else (S14, S15). keying.c exchanges keys
 * with peers that way.
 *
 * learn.c hears from peers how the network is doing, and tells them; load.c
 * counts sessions of services, here and elsewhere.
 *
 * beside it: token.c makes and keeps recovery tokens (S8.5), recover.c
 * builds sessions with them, resync.c tells peers of sessions after a restart
 * (S8.4), on tours (tour.c), open.c makes sessions and their flows, route.c
 * says where they go, choose.c, select.c and leave.c by which of several ways
 * (S16), fit.c looks at sizes, depart.c adds what a neighbour needs,
 * describe.c writes metadata, keyring.c has the keys, protect.c signs and
 * verifies, seal.c encrypts, sealings.c has the memory for it, sealable.c and
 * adapt.c say which sessions (S11.9), clock.c knows the time for that,
 * record.c keeps sessions from circling (S20), control.c speaks to neighbours
 * (S7, S8.2), health.c watches them, refuse.c tells hosts what they refuse
 * (S6.10), icmp.c raises and carries errors (S19), expiry.c ends what is idle
 * (S9). create.c makes a node, setup.c and config.c what derives from its
 * configuration, reconfigure.c gives it another one. info.c and explain.c tell
 * about it, notify.c tells of what happens.
 */
#ifndef SVR_LIB_NODE_NODE_H
#define SVR_LIB_NODE_NODE_H

#include "node/packet.h"
#include "node/pathways.h"
#include "node/protection.h"
#include "node/sessions.h"
#include "node/setup.h"
#include "node/state.h"

#endif
