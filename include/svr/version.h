/* version.h - the version of the library, at compile time and at run time. */
#ifndef SVR_VERSION_H
#define SVR_VERSION_H

#include <svr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVR_VERSION_MAJOR 0
#define SVR_VERSION_MINOR 1
#define SVR_VERSION_PATCH 0
#define SVR_VERSION "0.1.0"

/* The version of the library that is linked, as SVR_VERSION. */
SVR_API const char *svr_version(void);

#ifdef __cplusplus
}
#endif

#endif
