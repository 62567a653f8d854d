#include "random.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define POOL 4096

static struct {
    uint8_t bytes[POOL];
    size_t used;
} pool = {.used = POOL};

static void read_system(uint8_t *buf, size_t len)
{
    while (len > 0) {
        ssize_t got = getrandom(buf, len, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            log_error("getrandom: %s", strerror(errno));
            abort();
        }
        buf += got;
        len -= (size_t)got;
    }
}

/* Bytes that were given out are wiped, so that none is found here later. */
static void fill(void *user, void *buf, size_t len)
{
    (void)user;
    if (len > POOL / 4) {
        read_system(buf, len);
        return;
    }
    if (len > POOL - pool.used) {
        read_system(pool.bytes, POOL);
        pool.used = 0;
    }
    memcpy(buf, pool.bytes + pool.used, len);
    svr_wipe(pool.bytes + pool.used, len);
    pool.used += len;
}

svr_random random_system(void)
{
    return (svr_random){.fill = fill, .user = NULL};
}
