/*
 * fragment.h - packets that travel in pieces (S18): splitting them, and
 * putting them together again.
 *
 * There are two kinds of pieces. Between routers a piece is a packet with the
 * IP and L4 headers of the whole one and, behind these, a block with attribute
 * 1 (fabric fragmentation). Between hosts and routers it is an IP fragment.
 * Offsets count from where the headers that every piece has end, in units of 8
 * bytes; all pieces but the last are a multiple of that long.
 */
#ifndef SVR_FRAGMENT_H
#define SVR_FRAGMENT_H

#include <svr/metadata.h>
#include <svr/packet.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A TCP or UDP packet on its way into pieces for another router. It must stay
 * untouched until the last piece is taken. */
typedef struct svr_split {
    const uint8_t *data; /* the packet, borrowed */
    uint32_t len;
    uint32_t next; /* bytes behind the headers taken so far */
    uint16_t headers;
    uint16_t l4;
    uint16_t size;
    uint16_t iface;
    uint8_t proto;
} svr_split;

/* p has been parsed into h; each piece gets size bytes of what stands behind
 * its L4 header. 0, or SVR_ERR_ARGUMENT: neither TCP nor UDP, a super-packet,
 * nothing behind the L4 header, or size no multiple of 8 or 0. */
SVR_API SVR_MUST_CHECK int svr_split_begin(svr_split *split,
                                           const svr_packet *p,
                                           const svr_headers *h, uint16_t size);

/* Whether pieces are left. */
SVR_API bool svr_split_more(const svr_split *split);

/*
 * Writes the next piece to buf with SVR_HEADROOM before it and initialises out:
 * the headers, a block of md with attribute 1 added, the bytes. The caller has
 * set md->fragment but for offset and more. An IPv4 piece is not to be
 * fragmented further. Its lengths and the IPv4 header checksum are right, the
 * L4 checksum is not until svr_packet_checksum_write, so that a tag can be
 * added before. 0, or SVR_ERR_NO_SPACE (cap), NOT_FOUND (none left), or as
 * svr_metadata_encode.
 */
SVR_API SVR_MUST_CHECK int svr_split_next(svr_split *split, svr_metadata *md,
                                          svr_packet *out, uint8_t *buf,
                                          size_t cap);

/* A packet on its way into IP fragments. It must stay untouched until the last
 * one is taken. */
typedef struct svr_ip_split {
    const uint8_t *data; /* the packet, borrowed */
    uint32_t len;
    uint32_t next;    /* bytes behind the headers taken so far */
    uint32_t id;      /* the identification of the fragments */
    uint16_t headers; /* IPv4: with options; IPv6: those that each one has */
    uint16_t front;   /* what a later fragment has in front of its bytes */
    uint16_t next_at; /* IPv6: where the header behind those is named */
    uint16_t size;
    uint16_t iface;
} svr_ip_split;

/* The least size of a fragment: what every network carries. */
#define SVR_IP4_FRAGMENT_MIN 68
#define SVR_IP6_FRAGMENT_MIN 1280

/*
 * p has been parsed; its checksum is complete (svr_packet_checksum_complete).
 * No fragment will be longer than size. id is their identification; an IPv4
 * packet has the low 16 bits of it, or its own where it may be fragmented.
 * 0, or SVR_ERR_ARGUMENT: a size under the least, or a super-packet;
 * UNSUPPORTED: an IPv6 packet that has a fragment header already, or whose
 * headers leave no room for 8 bytes.
 */
SVR_API SVR_MUST_CHECK int svr_ip_split_begin(svr_ip_split *split,
                                              const svr_packet *p,
                                              uint16_t size, uint32_t id);

/* Whether fragments are left. */
SVR_API bool svr_ip_split_more(const svr_ip_split *split);

/* Writes the next fragment to buf with SVR_HEADROOM before it and initialises
 * out. Of IPv4 options the later ones have those that are to be copied (RFC
 * 791 3.1). 0, or SVR_ERR_NO_SPACE (cap), NOT_FOUND (none left). */
SVR_API SVR_MUST_CHECK int svr_ip_split_next(svr_ip_split *split,
                                             svr_packet *out, uint8_t *buf,
                                             size_t cap);

/* What pieces of one packet have in common and no others. No padding, so that
 * it can be compared as bytes. */
typedef struct svr_piece_key {
    svr_addr src, dst;
    uint32_t id; /* extended id, or the IP identification */
    uint16_t sport, dport;
    uint16_t iface; /* where they arrive */
    uint8_t proto;  /* 0 for fragments of IPv6 */
    uint8_t fabric; /* 1: pieces from a router */
} svr_piece_key;

/* One piece. front and bytes point into the packet that it came in. */
typedef struct svr_piece {
    svr_span front; /* the whole packet's headers, as this piece has them */
    svr_span bytes;
    uint16_t offset; /* in units of 8 bytes */
    bool more;
    bool broken;   /* the first one, and without all headers up to L4's */
    uint8_t proto; /* from a router: of the L4 header at l4 in front; else 0 */
    uint16_t l4;
    uint16_t size; /* what it says of the whole packet's fragment_size */
} svr_piece;

/*
 * Reads the IP fragment that p is: what svr_packet_parse answers
 * SVR_ERR_FRAGMENT for. The marks of a fragment are taken off p's IP header,
 * from which `front` is then made; p is of no other use after that.
 * 0, or SVR_ERR_NOT_FOUND where p is no fragment, or TRUNCATED, VERSION,
 * LENGTH, CHECKSUM, MARTIAN, UNSUPPORTED as svr_packet_parse; p is then as it
 * was.
 */
SVR_API SVR_MUST_CHECK int
svr_ip_fragment_parse(svr_piece_key *key, svr_piece *piece, svr_packet *p);

/* Reads the piece from a router in p: parsed into h, with a block of block_len
 * bytes behind the L4 header that holds the attribute f, no tag. What the
 * attribute says of the whole packet's IP header is put into p's. */
SVR_API void svr_fabric_piece(svr_piece_key *key, svr_piece *piece,
                              svr_packet *p, const svr_headers *h,
                              const svr_fragment *f, size_t block_len);

/*
 * A pool in which packets are put together. All its memory is allocated at
 * creation, some 9.6 MB, of which what is used becomes resident.
 *
 * A slot holds one packet, at its place, until all of it is there or its time
 * is over. Half of the slots are for packets that are not complete; complete
 * ones wait in the other half for the caller, who must take them out before
 * SVR_REASSEMBLY_MAX more can have become complete. When there is no slot the
 * new packet is refused. One sender has at most a quarter of the slots: its
 * next packet takes the place of its own oldest one, which has most likely lost
 * a piece.
 *
 * Pieces that overlap or contradict others spoil the whole packet: whatever
 * comes of it is refused until its time is over (RFC 5722). A piece that comes
 * once more, byte for byte, is only ignored (RFC 8200 4.5).
 */
typedef struct svr_reassembly svr_reassembly;

/* How many packets can be incomplete, and of these from one sender. */
#define SVR_REASSEMBLY_MAX 64
#define SVR_REASSEMBLY_SENDER_MAX (SVR_REASSEMBLY_MAX / 4)
/* The longest headers of a packet that is put together. */
#define SVR_REASSEMBLY_HEADERS 512

/* timeout is how long a packet may take from its first piece on. 0, or
 * SVR_ERR_NO_MEMORY. */
SVR_API SVR_MUST_CHECK int svr_reassembly_create(svr_reassembly **out,
                                                 svr_time timeout,
                                                 const svr_allocator *alloc);
SVR_API void svr_reassembly_destroy(svr_reassembly *r); /* NULL is allowed */

/*
 * Copies a piece to its place. 1 where its packet is complete, 0 where more is
 * awaited, or SVR_ERR_FULL (no slot), EXISTS (it came before), CONFLICT (it
 * overlaps or contradicts another, or its packet is spoilt), LENGTH (it is
 * empty or too short, not the last and no multiple of 8 bytes long, broken, or
 * passes SVR_PACKET_MAX; or its headers SVR_REASSEMBLY_HEADERS). CONFLICT and
 * LENGTH spoil the packet; a piece that is refused with LENGTH does not occupy
 * a slot of its own.
 */
SVR_API SVR_MUST_CHECK int svr_reassembly_add(svr_reassembly *r,
                                              const svr_piece_key *key,
                                              const svr_piece *piece,
                                              svr_time now);

/* The packet that is complete for the longest time, or NULL: as if it had
 * arrived whole, with at least SVR_HEADROOM and SVR_TAILROOM around it,
 * fragment_size set, congestion marks of all pieces kept (RFC 3168 5.3). The
 * L4 checksum is written anew where pieces came from a router, and as the host
 * computed it where they are IP fragments. It is the caller's until
 * svr_reassembly_release gives up its slot. */
SVR_API svr_packet *svr_reassembly_first(svr_reassembly *r);
SVR_API void svr_reassembly_release(svr_reassembly *r);

/* Interfaces have other numbers from now on: numbers[old], for `count` of them.
 * What came in on one that has become UINT16_MAX is given up. No packet waits
 * to be taken out. */
SVR_API void svr_reassembly_renumber(svr_reassembly *r, const uint16_t *numbers,
                                     size_t count);

/* When the oldest incomplete packet's time is over, or SVR_NEVER. */
SVR_API svr_time svr_reassembly_expiry(const svr_reassembly *r);
/* Gives up those whose time is over. */
SVR_API void svr_reassembly_handle_expiry(svr_reassembly *r, svr_time now);
/* How many incomplete packets have been given up so far. */
SVR_API uint64_t svr_reassembly_lost(const svr_reassembly *r);

#ifdef __cplusplus
}
#endif

#endif
