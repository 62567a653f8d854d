#include "key.h"

#include "common/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS ((size_t)2 * SVR_KEY_SIZE)

/* In examples/demo.key, for all the world to see. */
static const char demo_key[SVR_KEY_SIZE + 1] =
    "libsvr demo key, not a secret!!!";

struct key_file {
    const char *path;
    const struct config_opener *opener; /* or NULL */
    struct report *report;
    struct mark at;
};

/* The path within a command that is proposed; what a shell would take apart is
 * left to the reader. */
static const char *shell_word(const char *path)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789/._-+@";

    return path[0] != '-' && path[strspn(path, safe)] == '\0' ? path : "FILE";
}

static bool check_status(const struct key_file *f, int fd)
{
    uid_t owner = f->opener ? f->opener->owner : geteuid();
    struct stat st;
    unsigned mode;

    if (fstat(fd, &st) != 0) {
        report_problem(f->report, f->at, "key file %s cannot be read: %s",
                       quote(f->path).s, strerror(errno));
        return false;
    }
    mode = (unsigned)st.st_mode & 07777;
    if (!S_ISREG(st.st_mode))
        report_problem(f->report, f->at,
                       "key file %s is not a file, expected a regular file",
                       quote(f->path).s);
    else if (st.st_uid != owner)
        report_problem(f->report, f->at,
                       "key file %s belongs to user %u, expected user %u: "
                       "chown %u %s",
                       quote(f->path).s, (unsigned)st.st_uid, (unsigned)owner,
                       (unsigned)owner, shell_word(f->path));
    else if (mode != 0600 && mode != 0400)
        report_problem(f->report, f->at,
                       "key file %s has mode %04o, expected 0600: "
                       "chmod 600 %s",
                       quote(f->path).s, mode, shell_word(f->path));
    else
        return true;
    return false;
}

/* Up to cap bytes of the file; the number, or negative. */
static ssize_t read_bytes(int fd, char *buf, size_t cap)
{
    size_t len = 0;

    while (len < cap) {
        ssize_t n = read(fd, buf + len, cap - len);

        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static bool parse_line(uint8_t key[SVR_KEY_SIZE], const struct key_file *f,
                       const char *line, size_t len)
{
    size_t wrong;

    if (len > 0 && line[len - 1] == '\n')
        len--;
    if (len != DIGITS) {
        report_problem(f->report, f->at,
                       "key file %s has %s than %zu characters, expected one "
                       "line of %zu hexadecimal digits",
                       quote(f->path).s, len < DIGITS ? "fewer" : "more",
                       DIGITS, DIGITS);
        return false;
    }
    wrong = hex_decode(key, SVR_KEY_SIZE, line);
    if (wrong > 0)
        report_problem(f->report, f->at,
                       "key file %s has no hexadecimal digit as character %zu, "
                       "expected one line of %zu",
                       quote(f->path).s, wrong, DIGITS);
    return wrong == 0;
}

static bool is_equal(const uint8_t *a, const uint8_t *b)
{
    unsigned different = 0;

    for (size_t i = 0; i < SVR_KEY_SIZE; i++)
        different |= a[i] ^ b[i];
    return different == 0;
}

/* Keys that are none. */
static bool check_key(const uint8_t key[SVR_KEY_SIZE], const struct key_file *f,
                      const char *authority)
{
    static const uint8_t zero[SVR_KEY_SIZE];

    if (is_equal(key, zero))
        report_problem(f->report, f->at,
                       "key file %s is all zero, expected a random key: "
                       "openssl rand -hex 32",
                       quote(f->path).s);
    else if (is_equal(key, (const uint8_t *)demo_key) &&
             strcmp(authority, KEY_DEMO_AUTHORITY) != 0)
        report_problem(f->report, f->at,
                       "key file %s is the demo's, which everyone knows, "
                       "expected a random key: openssl rand -hex 32",
                       quote(f->path).s);
    else
        return true;
    return false;
}

static bool read_line(uint8_t key[SVR_KEY_SIZE], const struct key_file *f,
                      int fd)
{
    char line[DIGITS + 2]; /* one more than is right */
    ssize_t len = read_bytes(fd, line, sizeof(line));
    bool ok = false;

    if (len < 0)
        report_problem(f->report, f->at, "key file %s cannot be read: %s",
                       quote(f->path).s, strerror(errno));
    else
        ok = parse_line(key, f, line, (size_t)len);
    svr_wipe(line, sizeof(line));
    return ok;
}

static int open_file(const struct key_file *f)
{
    /* Not waiting, should the name be that of a FIFO. */
    int fd = f->opener
                 ? f->opener->open(f->opener->user, f->path)
                 : open(f->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        report_problem(f->report, f->at,
                       "key file %s does not exist; a new one: (umask 077; "
                       "openssl rand -hex 32 > %s)",
                       quote(f->path).s, shell_word(f->path));
    else if (fd < 0)
        report_problem(f->report, f->at, "key file %s cannot be opened: %s",
                       quote(f->path).s, strerror(errno));
    return fd;
}

bool key_read(uint8_t key[SVR_KEY_SIZE], const char *path,
              const char *authority, const struct config_opener *opener,
              struct report *report, struct mark at)
{
    struct key_file f = {path, opener, report, at};
    uint8_t found[SVR_KEY_SIZE] = {0};
    int fd = open_file(&f);
    bool ok;

    if (fd < 0)
        return false;
    ok = check_status(&f, fd) && read_line(found, &f, fd) &&
         check_key(found, &f, authority);
    close(fd);
    if (ok)
        memcpy(key, found, sizeof(found));
    svr_wipe(found, sizeof(found));
    return ok;
}
