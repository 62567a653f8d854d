/*
 * pressure.h - room in a table that is nearly full (S24).
 *
 * From nine tenths on, a session that is not established may be idle for less
 * than its time, the less the fuller the table is: all of it at nine tenths, a
 * second when it is full. They are looked for when a new session wants a place,
 * by a hand that goes round the table a few places at a time, so the work is
 * bounded and grows with the demand. Sessions that are established never make
 * room for others.
 */
#ifndef SVR_LIB_SESSION_PRESSURE_H
#define SVR_LIB_SESSION_PRESSURE_H

#include "session/table.h"

/* Places looked at in one call. */
#define SVR__PRESSURE_PLACES 16

/* The time that is left of idle at the table's present fullness. */
svr_time svr__pressure_idle(const svr__table *t, svr_time idle);

/* The next session that should make room, or NULL: none of those looked at. */
svr__session *svr__pressure_next(svr__table *t, const svr_lifetimes *lifetimes,
                                 svr_time now);

#endif
