/* name.h - which names metadata may carry (S3). */
#ifndef SVR__NAME_H
#define SVR__NAME_H

#include <svr/base.h>

/* Whether name is valid UTF-8 without control characters (C0, DEL, C1). Its
 * length is not looked at. */
bool svr__name_printable(svr_span name);

#endif
