/* route_record.h - the value of attribute 0x8006: the routers that a session
 * has passed, and those to come (S20). */
#ifndef SVR__ROUTE_RECORD_H
#define SVR__ROUTE_RECORD_H

#include <svr/metadata.h>

/* Bytes of a record of count names, at most. */
#define SVR__ROUTE_RECORD_SIZE(count) (2 + (count) * (1 + SVR_NAME_SEND_MAX))

/* The names of the routers passed, in order, as views into the record, which
 * the codec has accepted. Their number, or SVR_ERR_NO_SPACE where there are
 * more than max. */
int svr__route_record_read(svr_span record, svr_span *names, size_t max);

/* A record with these routers passed, and none to come, in buf. The record. */
svr_span svr__route_record_write(uint8_t *buf, size_t cap,
                                 const svr_span *names, size_t count);

#endif
