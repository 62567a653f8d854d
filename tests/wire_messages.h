/* wire_messages.h - random metadata for tests of the codec, in plain C. */
#ifndef WIRE_MESSAGES_H
#define WIRE_MESSAGES_H

#include <svr/metadata.h>

/* Metadata and the memory that its spans point into. */
struct message {
    svr_metadata md;
    uint8_t bytes[12][256];
    uint8_t large[65531]; /* the longest value that a section holds */
    unsigned used;
};

/* Fills in every field with a value that its type allows, often one at the
 * edge, and presents a random set of them, sometimes as many as can stand
 * together. */
void message_draw(struct message *m, uint64_t *seed);

/* Whether a and b agree in what is present. */
bool metadata_equal(const svr_metadata *a, const svr_metadata *b);

/* The best value of len bytes for an attribute of that type: names of one
 * letter in lists. */
void value_fill(uint8_t *value, uint16_t type, size_t len);

#endif
