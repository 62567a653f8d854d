/* state_key.c - the key of recovery tokens (S8.5): 32 bytes, nothing else. */
#include "state.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_status(const char *path, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        log_error("%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        log_error("%s: not a file", path);
    else if (st.st_uid != geteuid())
        log_error("%s: belongs to user %u, expected user %u", path,
                  (unsigned)st.st_uid, (unsigned)geteuid());
    else if (st.st_mode & 077)
        log_error("%s: mode %04o, expected 0600", path,
                  (unsigned)st.st_mode & 07777);
    else
        return 0;
    return -1;
}

static int read_key(uint8_t key[SVR_KEY_SIZE], const char *path, int fd)
{
    static const uint8_t zero[SVR_KEY_SIZE];
    uint8_t found[SVR_KEY_SIZE + 1]; /* one more than is right */
    ssize_t len = read(fd, found, sizeof found);
    int result = -1;

    if (len == SVR_KEY_SIZE && memcmp(found, zero, SVR_KEY_SIZE) != 0) {
        memcpy(key, found, SVR_KEY_SIZE);
        result = 0;
    } else {
        log_error("%s: not a recovery key; remove it, and sessions that have "
                  "begun here are lost with this start",
                  path);
    }
    svr_wipe(found, sizeof found);
    return result;
}

static int make_key(uint8_t key[SVR_KEY_SIZE], const svr_random *random,
                    const char *path, const char *directory)
{
    random->fill(random->user, key, SVR_KEY_SIZE);
    if (state_write(path, directory, key, SVR_KEY_SIZE, 0600) == 0)
        return 0;
    svr_wipe(key, SVR_KEY_SIZE);
    log_error("cannot keep the recovery key in %s: %s; use a folder that svrd "
              "may write, with --state DIR",
              path, strerror(errno));
    return -1;
}

int state_recovery_key(uint8_t key[SVR_KEY_SIZE], const svr_random *random,
                       const char *directory, const char *router)
{
    char path[PATH_MAX];
    int fd, result;

    if (snprintf(path, sizeof path, "%s/%s.recovery.key", directory, router) >=
        (int)sizeof path) {
        log_error("%s: the path is too long", directory);
        return -1;
    }
    /* Not waiting, should the name be that of a FIFO. */
    fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return make_key(key, random, path, directory);
    if (fd < 0) {
        log_error("%s: %s", path, strerror(errno));
        return -1;
    }
    result = check_status(path, fd);
    if (result == 0)
        result = read_key(key, path, fd);
    close(fd);
    return result;
}
