#include "keygen.h"

#include "common/hex.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <svr/exchange.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS ((size_t)2 * SVR_IDENTITY_SEED_SIZE)
#define LINE (DIGITS + 1) /* with its newline */

static int fail(const char *path, const char *why)
{
    char text[512];

    fprintf(stderr, "svrctl: %s: %s\n",
            text_escape(text, sizeof text, path, strlen(path)), why);
    return SVRCTL_ERROR;
}

/* Names of routers become names of files, and stand in YAML. */
static bool is_file_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

static int fill(uint8_t seed[SVR_IDENTITY_SEED_SIZE], const char *path)
{
    size_t len = 0;

    while (len < SVR_IDENTITY_SEED_SIZE) {
        ssize_t got = getrandom(seed + len, SVR_IDENTITY_SEED_SIZE - len, 0);

        if (got < 0 && errno != EINTR)
            return fail(path, strerror(errno));
        if (got > 0)
            len += (size_t)got;
    }
    return SVRCTL_DONE;
}

static bool write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
    return fsync(fd) == 0;
}

/* Whoever has the private half is the router: a file that is there stays. */
static int write_seed(const char *path,
                      const uint8_t seed[SVR_IDENTITY_SEED_SIZE])
{
    char line[LINE + 1];
    int error = 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                  S_IRUSR | S_IWUSR);

    if (fd < 0 && errno == EEXIST)
        return fail(path, "it is there already and stays; --public prints its "
                          "public half");
    if (fd < 0)
        return fail(path, strerror(errno));
    hex_encode(line, seed, SVR_IDENTITY_SEED_SIZE);
    line[DIGITS] = '\n';
    if (!write_all(fd, line, LINE))
        error = errno;
    svr_wipe(line, sizeof line);
    if (close(fd) < 0 && error == 0)
        error = errno;
    if (error == 0)
        return SVRCTL_DONE;
    unlink(path);
    return fail(path, strerror(error));
}

static int read_seed(const char *path, uint8_t seed[SVR_IDENTITY_SEED_SIZE])
{
    char line[LINE + 1]; /* one more than is right */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, line, sizeof line) : -1;
    int status = SVRCTL_DONE;

    if (len < 0)
        status = fail(path, strerror(errno));
    else if ((len != DIGITS && (len != LINE || line[DIGITS] != '\n')) ||
             hex_decode(seed, SVR_IDENTITY_SEED_SIZE, line) > 0)
        status = fail(path, "not an identity: expected one line of 64 "
                            "hexadecimal digits");
    svr_wipe(line, sizeof line);
    if (fd >= 0)
        close(fd);
    return status;
}

static void print_public(const struct options *o, const char *router,
                         const char *path,
                         const uint8_t seed[SVR_IDENTITY_SEED_SIZE])
{
    uint8_t public_key[SVR_IDENTITY_SIZE];
    uint8_t private_key[SVR_ED25519_SECRET_SIZE];
    char digits[2 * sizeof public_key + 1];

    svr_ed25519_keypair(public_key, private_key, seed);
    svr_wipe(private_key, sizeof private_key);
    hex_encode(digits, public_key, sizeof public_key);
    if (o->json) {
        json_t *document = json_pack("{s:s, s:{s:s, s:s, s:s}}", "schema",
                                     "svr.keygen/1", "data", "router", router,
                                     "file", path, "identity", digits);

        json_dumpf(document, stdout, JSON_INDENT(2));
        json_decref(document);
        putchar('\n');
    } else {
        printf("identity: %s\n", digits);
    }
}

int keygen_run(const struct options *o, const char *router)
{
    uint8_t seed[SVR_IDENTITY_SEED_SIZE] = {0};
    char path[PATH_MAX];
    int status;

    if (!is_file_name(router))
        return fail(router, "not a router's name: files are named after it");
    if (snprintf(path, sizeof path, "%s/%s.identity",
                 o->keys != NULL ? o->keys : ".", router) >= (int)sizeof path)
        return fail(router, strerror(ENAMETOOLONG));
    if (svr_crypto_init() < 0)
        return fail(path, "there is no source of randomness");
    if (o->public_only) {
        status = read_seed(path, seed);
    } else {
        status = fill(seed, path);
        if (status == SVRCTL_DONE)
            status = write_seed(path, seed);
    }
    if (status == SVRCTL_DONE)
        print_public(o, router, path, seed);
    svr_wipe(seed, sizeof seed);
    return status;
}
