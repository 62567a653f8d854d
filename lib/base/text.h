/* text.h - text as bytes, without its NUL. */
#ifndef SVR__TEXT_H
#define SVR__TEXT_H

#include <string.h>

#include <svr/base.h>

static inline svr_span svr__text(const char *s)
{
    return (svr_span){(const uint8_t *)s, strlen(s)};
}

#endif
