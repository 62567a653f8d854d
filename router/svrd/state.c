#include "state.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads a decimal number with a newline and nothing else. */
static bool parse_boot(const char *text, uint32_t *out)
{
    unsigned long long value;
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || value > UINT32_MAX)
        return false;
    if (*end == '\n')
        end++;
    *out = (uint32_t)value;
    return *end == '\0';
}

/* The number in the file; 0 where there is no file yet. */
static int read_boot(uint32_t *out, const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0 && errno == ENOENT) {
        *out = 0;
        return 0;
    }
    if (fd < 0) {
        log_error("%s: %s", path, strerror(errno));
        return -1;
    }
    got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got < 0 || strlen(text) != (size_t)got || !parse_boot(text, out)) {
        log_error("%s: not a boot counter; write the last one there, or any "
                  "higher number",
                  path);
        return -1;
    }
    return 0;
}

static int write_boot(uint32_t boot, const char *path, const char *directory)
{
    char text[16];

    snprintf(text, sizeof text, "%u\n", boot);
    if (state_write(path, directory, text, strlen(text), 0644) == 0)
        return 0;
    log_error("cannot keep the boot counter in %s: %s; use a folder that svrd "
              "may write, with --state DIR",
              path, strerror(errno));
    return -1;
}

int state_next_boot(uint32_t *boot, const char *directory, const char *router)
{
    char path[PATH_MAX];
    uint32_t last;

    if (mkdir(directory, 0755) < 0 && errno != EEXIST) {
        log_error("cannot make the folder %s: %s; make it, or name another "
                  "with --state DIR",
                  directory, strerror(errno));
        return -1;
    }
    if (snprintf(path, sizeof path, "%s/%s.boot", directory, router) >=
        (int)sizeof path) {
        log_error("%s: the path is too long", directory);
        return -1;
    }
    if (read_boot(&last, path) < 0)
        return -1;
    if (last == UINT32_MAX) {
        log_error("%s: the boot counter has reached its end", path);
        return -1;
    }
    if (write_boot(last + 1, path, directory) < 0)
        return -1;
    *boot = last + 1;
    return 0;
}
