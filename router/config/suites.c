#include "suites.h"

#ifdef HAVE_OPENSSL
#include <svr/openssl.h>

const svr_suites *suites_more(void)
{
    static const svr_suites *suites;

    if (!suites)
        suites = svr_openssl_open();
    return suites;
}
#else
const svr_suites *suites_more(void)
{
    return NULL;
}
#endif
