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
    const char *kind; /* "key file" */
    const char *path;
    const char *router;                 /* of an identity, or NULL */
    const struct config_opener *opener; /* or NULL */
    struct report *report;
    struct mark at;
};

static bool check_status(const struct key_file *f, int fd)
{
    uid_t owner = f->opener ? f->opener->owner : geteuid();
    struct stat st;
    unsigned mode;

    if (fstat(fd, &st) != 0) {
        report_problem(f->report, f->at, "%s %s cannot be read: %s", f->kind,
                       quote(f->path).s, strerror(errno));
        return false;
    }
    mode = (unsigned)st.st_mode & 07777;
    if (!S_ISREG(st.st_mode))
        report_problem(f->report, f->at,
                       "%s %s is not a file, expected a regular file", f->kind,
                       quote(f->path).s);
    else if (st.st_uid != owner)
        report_problem(f->report, f->at,
                       "%s %s belongs to user %u, expected user %u: "
                       "chown %u %s",
                       f->kind, quote(f->path).s, (unsigned)st.st_uid,
                       (unsigned)owner, (unsigned)owner,
                       shell_word(f->path, "FILE"));
    else if (mode != 0600 && mode != 0400)
        report_problem(f->report, f->at,
                       "%s %s has mode %04o, expected 0600: "
                       "chmod 600 %s",
                       f->kind, quote(f->path).s, mode,
                       shell_word(f->path, "FILE"));
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
                       "%s %s has %s than %zu characters, expected one "
                       "line of %zu hexadecimal digits",
                       f->kind, quote(f->path).s,
                       len < DIGITS ? "fewer" : "more", DIGITS, DIGITS);
        return false;
    }
    wrong = hex_decode(key, SVR_KEY_SIZE, line);
    if (wrong > 0)
        report_problem(f->report, f->at,
                       "%s %s has no hexadecimal digit as character %zu, "
                       "expected one line of %zu",
                       f->kind, quote(f->path).s, wrong, DIGITS);
    return wrong == 0;
}

static bool is_equal(const uint8_t *a, const uint8_t *b)
{
    unsigned different = 0;

    for (size_t i = 0; i < SVR_KEY_SIZE; i++)
        different |= a[i] ^ b[i];
    return different == 0;
}

/* How another one is made. */
static struct short_text cure(const struct key_file *f)
{
    struct short_text t = {"openssl rand -hex 32"};

    if (f->router)
        snprintf(t.s, sizeof(t.s), "svrctl keygen %s",
                 shell_word(f->router, "NAME"));
    return t;
}

static bool check_zero(const uint8_t key[SVR_KEY_SIZE],
                       const struct key_file *f)
{
    static const uint8_t zero[SVR_KEY_SIZE];

    if (!is_equal(key, zero))
        return true;
    report_problem(f->report, f->at,
                   "%s %s is all zero, expected a random key: %s", f->kind,
                   quote(f->path).s, cure(f).s);
    return false;
}

static bool check_demo(const uint8_t key[SVR_KEY_SIZE],
                       const struct key_file *f, const char *authority)
{
    if (!is_equal(key, (const uint8_t *)demo_key) ||
        strcmp(authority, KEY_DEMO_AUTHORITY) == 0)
        return true;
    report_problem(f->report, f->at,
                   "key file %s is the demo's, which everyone knows, "
                   "expected a random key: %s",
                   quote(f->path).s, cure(f).s);
    return false;
}

static bool read_line(uint8_t key[SVR_KEY_SIZE], const struct key_file *f,
                      int fd)
{
    char line[DIGITS + 2]; /* one more than is right */
    ssize_t len = read_bytes(fd, line, sizeof(line));
    bool ok = false;

    if (len < 0)
        report_problem(f->report, f->at, "%s %s cannot be read: %s", f->kind,
                       quote(f->path).s, strerror(errno));
    else
        ok = parse_line(key, f, line, (size_t)len);
    svr_wipe(line, sizeof(line));
    return ok;
}

static void report_absent(const struct key_file *f)
{
    if (f->router)
        report_problem(f->report, f->at,
                       "identity file %s does not exist, expected the private "
                       "half of this identity, or a new one: %s",
                       quote(f->path).s, cure(f).s);
    else
        report_problem(f->report, f->at,
                       "key file %s does not exist; a new one: (umask 077; "
                       "%s > %s)",
                       quote(f->path).s, cure(f).s,
                       shell_word(f->path, "FILE"));
}

static int open_file(const struct key_file *f)
{
    /* Not waiting, should the name be that of a FIFO. */
    int fd = f->opener
                 ? f->opener->open(f->opener->user, f->path)
                 : open(f->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        report_absent(f);
    else if (fd < 0)
        report_problem(f->report, f->at, "%s %s cannot be opened: %s", f->kind,
                       quote(f->path).s, strerror(errno));
    return fd;
}

/* found is wiped by the caller. */
static bool read_file(uint8_t found[SVR_KEY_SIZE], const struct key_file *f)
{
    int fd = open_file(f);
    bool ok;

    if (fd < 0)
        return false;
    ok = check_status(f, fd) && read_line(found, f, fd) && check_zero(found, f);
    close(fd);
    return ok;
}

bool key_read(uint8_t key[SVR_KEY_SIZE], const char *path,
              const char *authority, const struct config_opener *opener,
              struct report *report, struct mark at)
{
    struct key_file f = {"key file", path, NULL, opener, report, at};
    uint8_t found[SVR_KEY_SIZE] = {0};
    bool ok = read_file(found, &f) && check_demo(found, &f, authority);

    if (ok)
        memcpy(key, found, sizeof(found));
    svr_wipe(found, sizeof(found));
    return ok;
}

bool key_read_identity(uint8_t seed[SVR_IDENTITY_SEED_SIZE], const char *path,
                       const char *router, const struct config_opener *opener,
                       struct report *report, struct mark at)
{
    struct key_file f = {"identity file", path, router, opener, report, at};
    uint8_t found[SVR_IDENTITY_SEED_SIZE] = {0};
    bool ok = read_file(found, &f);

    if (ok)
        memcpy(seed, found, sizeof(found));
    svr_wipe(found, sizeof(found));
    return ok;
}
