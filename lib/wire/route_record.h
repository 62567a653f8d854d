/* route_record.h - the value of attribute 0x8006: the routers that a session
 * has passed, and those to come (S20). */
#ifndef SVR__ROUTE_RECORD_H
#define SVR__ROUTE_RECORD_H

#include <svr/metadata.h>

/* Bytes of a record of count names, at most. */
#define SVR__ROUTE_RECORD_SIZE(count) \
    (2 + (count) * (1 + SVR_NAME_SEND_MAX + sizeof(uint64_t)))

/* The names of the routers passed, in order, then of those to come, as views
 * into the record, which the codec has accepted. How many were passed, or
 * SVR_ERR_NO_SPACE where those are more than max; *coming: how many of the
 * others there was room for. */
int svr__route_record_read(svr_span record, svr_span *names, size_t max,
                           size_t *coming);

/* The versions behind the names, of so many routers passed, of which there are
 * names for at least as many. False: there are none, and those are all 0. */
bool svr__route_record_versions(svr_span record, uint64_t *versions,
                                size_t passed);

/* A record with so many routers passed and so many to come, in buf. versions:
 * of those passed, or NULL. The record. */
svr_span svr__route_record_write(uint8_t *buf, size_t cap,
                                 const svr_span *names, size_t passed,
                                 size_t coming, const uint64_t *versions);

#endif
