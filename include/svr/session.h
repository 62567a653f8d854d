/* session.h - the session machine (S6 to S9). */
#ifndef SVR_SESSION_H
#define SVR_SESSION_H

#include <svr/base.h>

#endif
