/*
 * block.h - the one engine behind both kinds of block: that of metadata.h and
 * the one behind BFD (bfd.h). What an attribute is stands in the registry; here
 * are the rules that hold for each of them (S2.4, S2.5).
 */
#ifndef SVR__BLOCK_H
#define SVR__BLOCK_H

#include "wire/attribute.h"

/* Decodes a section into `fields`, the struct that the section's attributes
 * belong to, adds their bits to *present and the number of those of unknown
 * types to *unknown. 0, or an error of svr_metadata_decode_header. */
int svr__section_decode(void *fields, uint64_t *present, uint16_t *unknown,
                        svr_span bytes, enum svr_section section);

/* Encodes the attributes in `present` as a whole block, whose header section is
 * of the kind `header`. Returns its length or an error of svr_metadata_encode.
 */
ptrdiff_t svr__block_encode(svr__wr *wr, const void *fields, uint64_t present,
                            enum svr_section header);

#endif
