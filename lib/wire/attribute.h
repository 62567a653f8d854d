/* attribute.h - the registry of attributes, S3 and S14.3, as a table. */
#ifndef SVR__ATTRIBUTE_H
#define SVR__ATTRIBUTE_H

#include "wire/cursor.h"

#include <svr/bfd.h>

/*
 * One attribute. Its place in the table is its enum svr_attr_index or
 * svr_bfd_attr_index. read and write get the address of its field in an
 * svr_metadata or svr_bfd_block. Both refuse a value that the type forbids,
 * with SVR_ERR_TLV_VALUE; read leaves what it does not understand in rd.
 * Lengths are checked by the caller.
 */
typedef struct svr__attribute {
    _Alignas(64) svr_attribute_info info; /* a cache line each */
    uint16_t field;
    int (*read)(void *field, svr__rd *rd);
    int (*write)(svr__wr *wr, const void *field);
} svr__attribute;

extern const svr__attribute svr__attributes[SVR_BFD_INDEX_END];

/* No two known types share one: compilers warn of a place that is set twice. */
#define SVR__SLOT(type) ((uint8_t)((type) ^ (type) >> 8))

/* For each section, the place in svr__attributes of the type that has this
 * slot, if any. */
extern const uint8_t svr__attribute_places[3][256];

/* The place of the attribute of a type in a section, or -1 for an unknown type.
 */
static inline int svr__attribute_place(uint16_t type, enum svr_section section)
{
    int place = svr__attribute_places[section >> 1][SVR__SLOT(type)];

    return svr__attributes[place].info.type == type ? place : -1;
}

#endif
