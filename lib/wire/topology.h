/*
 * topology.h - what routers tell each other of the network, as bytes: the value
 * of the attribute TOPOLOGY of a block behind BFD (S14.3).
 *
 * Integers are big-endian. A message is a head and items:
 *
 *   version u8 (1), flags u8 (bit 0: unheard), own u64, peer u64
 *   item: kind u8, length u16, value
 *     1 part  origin u64, number u16, sequence u64, age u16, entries
 *     2 seen  origin u64, number u16, sequence u64
 *   entry: kind u8, length u8, value
 *     1 pathway  id u64, flags u8 (bit 0 up, bit 1 measured), latency u32,
 *                jitter u32, loss u32
 *     2 service  id u64, load u32
 *
 * Items and entries of other kinds are passed over. What it means is
 * svr/topology.h's business.
 */
#ifndef SVR__TOPOLOGY_WIRE_H
#define SVR__TOPOLOGY_WIRE_H

#include "wire/cursor.h"

enum {
    SVR__TOPOLOGY_HEAD = 18,
    SVR__TOPOLOGY_SEEN_ITEM = 21,
    SVR__TOPOLOGY_PART_ITEM = 23, /* and its entries */
    SVR__TOPOLOGY_BODY = 200,     /* entries of a part, at most */
    SVR__TOPOLOGY_PATHWAY_ENTRY = 23,
    SVR__TOPOLOGY_SERVICE_ENTRY = 14,
};

/* Sequences from here on are refused, so that each has one above it. */
#define SVR__TOPOLOGY_SEQUENCE_END (UINT64_MAX - UINT32_MAX)

typedef struct svr__topology_head {
    uint64_t own, peer; /* incarnations; peer 0: not known */
    bool unheard;       /* the peer has not yet shown that it knows own */
} svr__topology_head;

enum svr__topology_kind {
    SVR__TOPOLOGY_PART = 1,
    SVR__TOPOLOGY_SEEN,
};

typedef struct svr__topology_item {
    uint8_t kind; /* enum svr__topology_kind */
    uint64_t origin;
    uint16_t number;
    uint64_t sequence;
    uint16_t age;  /* of a part: seconds */
    svr_span body; /* of a part: its entries */
} svr__topology_item;

enum svr__topology_entry_kind {
    SVR__TOPOLOGY_PATHWAY = 1,
    SVR__TOPOLOGY_SERVICE,
};

typedef struct svr__topology_entry {
    uint8_t kind; /* enum svr__topology_entry_kind */
    uint64_t id;
    bool up, measured;                        /* of a pathway, */
    uint32_t latency_us, jitter_us, loss_ppm; /* and its figures */
    uint32_t load;                            /* of a service */
} svr__topology_entry;

/* Reads the head of a message of which all has been looked at, with *rd behind
 * it. 0, or SVR_ERR_TRUNCATED, VERSION, LENGTH (an item or an entry that is
 * shorter or longer than its kind, or a part longer than SVR__TOPOLOGY_BODY),
 * VALUE (an incarnation or sequence of 0, or beyond its end; a loss of more
 * than all). */
int svr__topology_open(svr__topology_head *head, svr__rd *rd, svr_span message);

/* The next item, or the next entry of a part's body, of a kind that is known;
 * false at the end. */
bool svr__topology_next(svr__rd *rd, svr__topology_item *out);
bool svr__topology_next_entry(svr__rd *rd, svr__topology_entry *out);

void svr__topology_put_head(svr__wr *wr, const svr__topology_head *head);
void svr__topology_put(svr__wr *wr, const svr__topology_item *item);
void svr__topology_put_entry(svr__wr *wr, const svr__topology_entry *entry);

#endif
