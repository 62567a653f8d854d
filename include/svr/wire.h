/*
 * wire.h - everything about bytes on the wire: packets and metadata.
 *
 * Between two routers a session's packet keeps its payload and its TCP sequence
 * numbers; addresses and ports are those of the pathway (S4). To take one apart
 * (examples/find_svr.c does):
 *
 *  1. svr_packet_parse finds the L4 header and what follows it. TCP and UDP of
 *     clients stay what they are; a protocol without ports has a UDP header in
 *     front of its own L4 header, and the context says its number (S4.3).
 *     Sessions use ports 16384 to 65534 unless a router restricts its own.
 *  2. svr_block_parse looks for a block behind the L4 header. Without a cookie
 *     the packet is plain: most packets of a session are, and nothing in them
 *     says SVR. With one it may still be somebody's payload: what fails to
 *     decode is refused whole (S2.5).
 *  3. svr_metadata_decode_header reads the section that is always clear.
 *  4. A router verifies the tag now. Its length follows from the key, 16 bytes
 *     for sha256-128; no field says that it is there. Blocks with a context or
 *     a control message are always signed, plain packets if the policy says so
 *     (S11.4).
 *  5. svr_metadata_decode_payload reads the other section, if it is clear. This
 *     version sends it clear.
 *  6. The client's payload begins header_len + payload_len bytes behind the L4
 *     header and ends where the tag begins.
 */
#ifndef SVR_WIRE_H
#define SVR_WIRE_H

#include <svr/bfd.h>
#include <svr/fragment.h>
#include <svr/metadata.h>
#include <svr/packet.h>

#endif
