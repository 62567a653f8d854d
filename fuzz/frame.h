/*
 * frame.h - what the targets on packets share: a packet out of an input, in a
 * block of its exact size, and what must hold of any packet.
 *
 * An input begins with FRAME_ARGS bytes: which of the target's cases, one of
 * enum frame_option, and numbers for the case to take. The rest is the packet.
 */
#ifndef SVR_FUZZ_FRAME_H
#define SVR_FUZZ_FRAME_H

#include "wire/cursor.h"

#include <svr/packet.h>

#define FRAME_ARGS 20

enum frame_option {
    /* Checksums are made right: no fuzzer finds the right one by itself. */
    FRAME_RIGHT_IP4 = 1,
    FRAME_RIGHT_L4 = 2,
    FRAME_VALID = 4,
    FRAME_PARTIAL = 8,
    FRAME_TIGHT = 16, /* a byte of the numbers is all the room at either end */
};

struct frame {
    uint8_t *block;
    size_t size;
    svr_packet p;
    svr_headers h; /* once it is parsed */
    svr__rd args;  /* numbers; zeros when they are used up */
    uint8_t which;
    bool write_l4;
};

/* False where the input is too short. */
bool frame_open(struct frame *f, const uint8_t *data, size_t len);
/* Parses it and, if asked for, writes the L4 checksum. False where that fails;
 * then nothing has changed. */
bool frame_parse(struct frame *f);
void frame_close(struct frame *f);

/* Another one with the same bytes in a block of its own. */
void frame_copy(struct frame *to, const struct frame *f);
/* Whether packet, headers and the whole block are the same. */
bool frame_is_same(const struct frame *f, const struct frame *copy);

/* An address that is no martian, from the numbers. */
svr_addr frame_take_addr(struct frame *f, bool v6);
svr_tuple frame_take_tuple(struct frame *f, bool v6, uint8_t proto);

/* Whether writing all checksums anew would change nothing. */
bool frame_is_exact(const svr_packet *p, const svr_headers *h);
/* The packet parses, as long as it is, to these headers. */
void frame_check(const svr_packet *p, const svr_headers *h);

/* Runs f, parsed, through the case that it names, and closes it. */
typedef void frame_case(struct frame *f);
void frame_run(const uint8_t *data, size_t len, frame_case *const *cases,
               size_t count);

#endif
