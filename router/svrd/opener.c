#include "opener.h"

#include "common/paths.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FOLDERS = 2, /* of the authority file, of the keys */
    FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
};

struct opener {
    pid_t pid;
    int fd;                /* to the other process */
    uid_t owner;           /* whom it runs as */
    char *folder[FOLDERS]; /* without symbolic links */
};

/* The other process */

/* A file beneath the folder, whatever links lie on the way. */
static int open_beneath(const char *folder, const char *path)
{
    struct open_how how = {
        .flags = FLAGS,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd, error;

    if (at < 0)
        return -1;
    fd = (int)syscall(SYS_openat2, at, path, &how, sizeof how);
    error = errno;
    close(at);
    errno = error;
    return fd;
}

/* What svrd asks for: the number of a folder, and a path in it. */
static int open_asked(const struct opener *o, const char *text, size_t len)
{
    unsigned folder = len > 0 ? (unsigned)text[0] - '0' : FOLDERS;

    errno = EACCES;
    return len > 1 && folder < FOLDERS && text[len - 1] == '\0'
               ? open_beneath(o->folder[folder], text + 1)
               : -1;
}

/* Answers with errno, or with 0 and the file. */
static void answer(int to, int file)
{
    int error = file >= 0 ? 0 : errno;
    struct iovec part = {&error, sizeof error};
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
                          .cmsg_level = SOL_SOCKET,
                          .cmsg_type = SCM_RIGHTS}};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};

    if (file >= 0) {
        memcpy(CMSG_DATA(&control.head), &file, sizeof file);
        m.msg_control = &control;
        m.msg_controllen = sizeof control;
    }
    sendmsg(to, &m, MSG_NOSIGNAL);
}

static void give_up_capabilities(void)
{
    struct __user_cap_header_struct header = {.version =
                                                  _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};

    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &header, data) < 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        _exit(EXIT_FAILURE);
}

/* Signals that a terminal or a script sends to all are for svrd; this process
 * ends with the socket. */
static _Noreturn void serve(const struct opener *o, int fd)
{
    char text[PATH_MAX + 2];
    ssize_t len;

    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    prctl(PR_SET_NAME, "svrd-opener");
    give_up_capabilities();
    while ((len = recv(fd, text, sizeof text, 0)) > 0) {
        int file = open_asked(o, text, (size_t)len);

        answer(fd, file);
        if (file >= 0)
            close(file);
    }
    _exit(EXIT_SUCCESS);
}

/* svrd */

static struct opener *refuse(struct opener *o, const char *what)
{
    log_error("no process to open files: %s: %s", what, strerror(errno));
    opener_end(o);
    return NULL;
}

struct opener *opener_start(const char *file, const char *keys)
{
    struct opener *o = calloc(1, sizeof *o);
    int pair[2];

    if (o == NULL)
        return refuse(o, file);
    o->fd = -1;
    o->owner = geteuid();
    o->folder[0] = paths_folder(file);
    o->folder[1] = keys != NULL ? realpath(keys, NULL) : paths_folder(file);
    if (o->folder[0] == NULL || o->folder[1] == NULL)
        return refuse(o, keys != NULL && o->folder[0] != NULL ? keys : file);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return refuse(o, "socketpair");
    o->fd = pair[0];
    o->pid = fork();
    if (o->pid == 0) {
        close(pair[0]);
        serve(o, pair[1]);
    }
    close(pair[1]);
    return o->pid > 0 ? o : refuse(o, "fork");
}

void opener_end(struct opener *o)
{
    if (o == NULL)
        return;
    if (o->fd >= 0)
        close(o->fd);
    if (o->pid > 0)
        waitpid(o->pid, NULL, 0);
    for (size_t i = 0; i < FOLDERS; i++)
        free(o->folder[i]);
    free(o);
}

/* The rest of the path behind a folder, or NULL. */
static const char *rest_of(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && path[len] == '/' ? path + len + 1
                                                               : NULL;
}

static int receive(int from)
{
    int error = EIO, file = -1;
    struct iovec part = {&error, sizeof error};
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    const struct cmsghdr *head;

    if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) != sizeof error)
        error = EIO;
    head = CMSG_FIRSTHDR(&m);
    if (error == 0 && head != NULL && head->cmsg_type == SCM_RIGHTS)
        memcpy(&file, CMSG_DATA(head), sizeof file);
    errno = error;
    return file;
}

static int ask(const struct opener *o, unsigned folder, const char *path)
{
    char text[PATH_MAX + 2];
    int len = snprintf(text, sizeof text, "%u%s", folder, path);

    if ((size_t)len >= sizeof text) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (send(o->fd, text, (size_t)len + 1, MSG_NOSIGNAL) < 0)
        return -1;
    return receive(o->fd);
}

static int open_file(void *user, const char *path)
{
    const struct opener *o = user;
    int fd = open(path, FLAGS);

    for (unsigned i = 0; fd < 0 && errno == EACCES && i < FOLDERS; i++) {
        const char *rest = rest_of(path, o->folder[i]);

        if (rest != NULL)
            fd = ask(o, i, rest);
    }
    return fd;
}

struct config_opener opener_of(struct opener *o)
{
    return (struct config_opener){open_file, o, o->owner};
}
