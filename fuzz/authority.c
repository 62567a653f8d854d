/* The authority file: any text is refused with a reason or loaded whole. */
#include "config/limit.h"
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_MAX ((size_t)1 << 20)

/* A good key in a file without a name. */
static int make_key_file(void)
{
    static const char digits[] =
        "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef\n";
    int fd = memfd_create("key", MFD_CLOEXEC);

    if (fd < 0 || fchmod(fd, 0600) != 0 ||
        write(fd, digits, strlen(digits)) != (ssize_t)strlen(digits))
        abort();
    return fd;
}

/* The target is linked so that the loader's open is this one: whatever an input
 * names, no file of the machine is opened but always the same key. */
int __wrap_open64(const char *path, int flags, ...);
int __real_open64(const char *path, int flags, ...);

int __wrap_open64(const char *path, int flags, ...)
{
    static int key;
    char name[32];

    assert(path[0] == '/');
    if (key == 0)
        key = make_key_file();
    snprintf(name, sizeof(name), "/proc/self/fd/%d", key);
    return __real_open64(name, flags);
}

static FILE *report_file(char *text, size_t cap)
{
    static FILE *report;

    if (!report)
        report = fmemopen(text, cap, "w");
    if (!report)
        abort();
    rewind(report);
    return report;
}

/* Nothing from the file reaches a terminal as it is. */
static void check_report(const char *text, size_t len)
{
    assert(len == 0 || text[len - 1] == '\n');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        assert(c == '\n' || (c >= 0x20 && c != 0x7f));
    }
}

void fuzz_one(const uint8_t *data, size_t len)
{
    static char text[1 << 16];
    FILE *report = report_file(text, sizeof(text));
    struct load load = {
        .text = (const char *)data,
        .len = len,
        .file = "fuzz",
        .keys = "/",
        .memory = MEMORY_MAX,
    };
    struct config *config = config_load_limited(&load, report);

    fflush(report);
    long told = ftell(report);
    assert(told >= 0 && !ferror(report));
    assert(!config == (told > 0));
    check_report(text, (size_t)told);
    config_free(config);
}
