/* svrdump.h - what the parts of svrdump hand to each other. */
#ifndef SVR_ROUTER_SVRDUMP_H
#define SVR_ROUTER_SVRDUMP_H

#include <jansson.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <svr/svr.h>

struct dump_options {
    const char *file; /* NULL: a live capture on iface */
    const char *iface;
    char *filter;        /* BPF expression, or NULL */
    unsigned long count; /* frames to print, 0: all */
    bool all;            /* frames without metadata too */
    bool verbose;        /* a line for each attribute */
    bool json;
    struct verify_keys *keys; /* to verify tags with, or NULL */
    struct restore *restore;  /* where packets of hosts go, or NULL */
};

/* What became of the search for metadata in a frame. */
enum dump_status {
    DUMP_NONE, /* no cookie behind the L4 header */
    DUMP_OK,
    DUMP_OPAQUE, /* the payload section is sealed */
    DUMP_FALSE_POSITIVE,
    DUMP_MALFORMED,
};

/* What became of a tag. */
enum dump_tag {
    DUMP_TAG_NONE, /* there is none, or nothing to verify it with */
    DUMP_TAG_OK,
    DUMP_TAG_WRONG,
    DUMP_TAG_NO_KEY,
    DUMP_TAG_NO_BOOT,      /* of the router that would verify it */
    DUMP_TAG_NOT_CAPTURED, /* not all of what it covers */
};

/* What became of an encrypted payload. */
enum dump_seal {
    DUMP_SEAL_NONE, /* it is not encrypted, or nothing says so */
    DUMP_SEAL_OPENED,
    DUMP_SEAL_WRONG,
    DUMP_SEAL_NO_KEY,
    DUMP_SEAL_NOT_CAPTURED,
};

/* One frame, read as far as it could be. */
struct dump_frame {
    uint64_t number; /* in the capture, from 1 */
    uint64_t sec;
    uint32_t nsec;

    bool is_ip;           /* addresses, protocol and length are known */
    int error;            /* why libsvr refuses the packet, or 0 */
    svr_tuple tuple;      /* ports only where error is 0 */
    uint32_t length;      /* as the IP header says */
    uint32_t l4_len;      /* behind the L4 header */
    svr_span l4_captured; /* what there is of it */
    svr_tcp_bind bind;    /* of TCP */
    uint32_t payload_len; /* behind the L4 header and the metadata, without the
                             tag where its length is known */

    bool is_bfd;   /* the block is the one behind this, and md is empty */
    int bfd_error; /* why the BFD packet is malformed, or 0 */
    svr_bfd_packet bfd;
    svr_bfd_block bfd_block; /* where status is OK */

    enum dump_status status;
    int reason;      /* why the metadata is malformed */
    bool has_header; /* the base header is there: the next three are known */
    uint8_t version;
    uint16_t header_section_len; /* header length as the base header says */
    uint16_t payload_section_len;
    uint16_t clear_len; /* of the payload section's attributes, once they are
                           known to be clear */
    bool opened;        /* they were encrypted, and a key opened them */
    svr_block block;    /* where the base header is right, else data is NULL */
    svr_metadata md; /* all of it where OK, nothing where the header section is
                        malformed, else the header section */

    enum dump_tag tag;
    const struct verify_key *signer; /* whose tag it has, or NULL */

    const struct follow_flow *flow; /* what it belongs to, or NULL; until the
                                       next frame is read */
    bool reverse;                   /* its direction */

    enum dump_seal seal;
    svr_span clear; /* the payload, where that was opened; in bytes */

    uint8_t *bytes; /* the packet from its IP header on */
};

/* The packet within a captured frame, from its IP header on; empty where there
 * is none. */
svr_span dump_link_strip(int datalink, const uint8_t *frame, size_t len);
bool dump_link_supported(int datalink);

/* Reads the sections of the frame's block, whose payload section begins with
 * len bytes of clear attributes. */
void dump_read_sections(struct dump_frame *f, size_t len);
/* Reads the packet `ip`, all that was captured of it, into f, whose number and
 * time are set. False where there is no memory. */
bool dump_frame_read(struct dump_frame *f, svr_span ip);
void dump_frame_free(struct dump_frame *f);

/* One attribute's value, or {"hex": …} where it cannot be read. The caller owns
 * it. */
json_t *dump_value(const svr_tlv *tlv, enum svr_section section);

/* A context as {src, dst, sport, dport, proto}; the caller owns it. */
json_t *dump_tuple_value(const svr_tuple *t);

/* Parts that values are made of. */
json_t *dump_hex_value(const svr_span *bytes);
json_t *dump_addr_value(const svr_addr *a);
json_t *dump_name_value(const svr_span *name);
json_t *dump_number_value(uint64_t v);
/* A value as text for people. */
void dump_print_value(FILE *out, json_t *value);

/* All attributes that stand in clear, in their order. */
typedef void dump_visitor(void *user, const svr_tlv *tlv,
                          enum svr_section section);
void dump_visit(const struct dump_frame *f, dump_visitor *visit, void *user);

/* What became of the frame's tag: "ok", "wrong", …; NULL where there is none.
 */
const char *dump_tag_name(enum dump_tag tag);
/* Whether the frame has no metadata of its own, so that its tag is a plain
 * packet's. */
bool dump_is_plain(const struct dump_frame *f);

/* Whether it is between routers: nothing behind its metadata is a host's. */
bool dump_is_own(const struct dump_frame *f);
/* What became of its payload: "opened", "wrong", …; NULL where it is clear. */
const char *dump_seal_name(enum dump_seal seal);

bool dump_is_bfd(const svr_tuple *t);
/* Reads the BFD packet at the beginning of a payload; what follows it, nothing
 * where it is malformed. */
svr_span dump_bfd_take(struct dump_frame *f, svr_span captured);
/* Checks the block behind it, whose base header has been read. */
void dump_bfd_read_block(struct dump_frame *f);
json_t *dump_bfd_value(const svr_tlv *tlv);
void dump_bfd_print(FILE *out, const struct dump_frame *f);
/* Takes the block's object over. */
json_t *dump_bfd_object(const struct dump_frame *f, json_t *block);

void dump_print_text(FILE *out, const struct dump_frame *f, bool verbose);
void dump_print_json(FILE *out, const struct dump_frame *f);

/* Prints the frames of an open capture. 0, or -1 with a line on stderr. */
int dump_capture(pcap_t *pcap, const struct dump_options *options, FILE *out);

#endif
