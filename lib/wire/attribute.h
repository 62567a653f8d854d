/* attribute.h - the registry of attributes, S3, as a table. */
#ifndef SVR__ATTRIBUTE_H
#define SVR__ATTRIBUTE_H

#include "wire/cursor.h"

#include <svr/metadata.h>

/*
 * One attribute. Its place in the table is its enum svr_attr_index. read and
 * write get the address of its field in an svr_metadata. Both refuse a value
 * that the type forbids, with SVR_ERR_TLV_VALUE; read leaves what it does not
 * understand in rd. Lengths are checked by the caller.
 */
typedef struct svr__attribute {
    svr_attribute_info info;
    uint16_t field;
    int (*read)(void *field, svr__rd *rd);
    int (*write)(svr__wr *wr, const void *field);
} svr__attribute;

extern const svr__attribute svr__attributes[SVR_ATTR_COUNT];

/* The attribute of a type in a section, or NULL for an unknown type. */
const svr__attribute *svr__attribute_find(uint16_t type,
                                          enum svr_section section);

#endif
