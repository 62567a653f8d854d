#include "control_socket.h"

#include "common/paths.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *path, const char *what)
{
    log_error("control socket %s: %s", path, what);
    return -1;
}

/* The default folder, of the user that later has to remove the socket. */
static int make_folder(const char *path, const struct privileges *owner)
{
    const char *rest = path + strlen(PATHS_RUN);

    if (strncmp(path, PATHS_RUN "/", strlen(PATHS_RUN) + 1) != 0 ||
        strchr(rest + 1, '/') != NULL)
        return 0;
    if (mkdir(PATHS_RUN, 0755) < 0 && errno != EEXIST) {
        log_error("cannot make the folder " PATHS_RUN ": %s; start svrd as "
                  "root or through svrd@.service, or use --socket PATH",
                  strerror(errno));
        return -1;
    }
    if (owner->change && chown(PATHS_RUN, owner->uid, owner->gid) < 0)
        return fail(PATHS_RUN, strerror(errno));
    return 0;
}

/* Makes way for the socket where a dead router has left one. */
static int remove_stale(const struct sockaddr_un *address)
{
    const char *path = address->sun_path;
    struct stat st;
    int fd, status;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : fail(path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return fail(path, "there is a file that is not a socket");
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(path, strerror(errno));
    status = connect(fd, (const struct sockaddr *)address, sizeof *address);
    close(fd);
    if (status == 0 || errno == EAGAIN)
        return fail(path, "a router is already running there; stop it first, "
                          "or use --socket PATH");
    if (errno != ECONNREFUSED)
        return fail(path, strerror(errno));
    return unlink(path) < 0 ? fail(path, strerror(errno)) : 0;
}

static int bind_private(int fd, const struct sockaddr_un *address,
                        const struct privileges *owner)
{
    mode_t mask = umask(0177);
    int status = bind(fd, (const struct sockaddr *)address, sizeof *address);
    int error = errno;

    umask(mask);
    if (status < 0)
        return fail(address->sun_path, strerror(error));
    if (owner->change && chown(address->sun_path, owner->uid, owner->gid) < 0) {
        error = errno;
        unlink(address->sun_path);
        return fail(address->sun_path, strerror(error));
    }
    return 0;
}

int control_socket_bind(const char *path, const struct privileges *owner)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof address.sun_path)
        return fail(path, "the path is too long for a socket");
    memcpy(address.sun_path, path, strlen(path));
    if (make_folder(path, owner) < 0 || remove_stale(&address) < 0)
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(path, strerror(errno));
    if (bind_private(fd, &address, owner) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}
