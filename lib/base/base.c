#include <svr/base.h>
#include <svr/version.h>

const char *svr_version(void)
{
    return SVR_VERSION;
}
