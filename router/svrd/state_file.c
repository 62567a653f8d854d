/* state_file.c - files that are whole or not there, whatever happens. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(const char *path, const void *bytes, size_t len,
                      mode_t mode)
{
    int fd;
    bool ok;

    /* What a crash left may have another mode. */
    if (unlink(path) < 0 && errno != ENOENT)
        return false;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return false;
    ok = write(fd, bytes, len) == (ssize_t)len && fsync(fd) == 0;
    return close(fd) == 0 && ok;
}

static bool sync_directory(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok;

    if (fd < 0)
        return false;
    ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

int state_write(const char *path, const char *directory, const void *bytes,
                size_t len, mode_t mode)
{
    char temporary[PATH_MAX];

    if (snprintf(temporary, sizeof temporary, "%s.new", path) >=
        (int)sizeof temporary) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return write_all(temporary, bytes, len, mode) &&
                   rename(temporary, path) == 0 && sync_directory(directory)
               ? 0
               : -1;
}
