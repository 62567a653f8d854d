/*
 * search_memory - counts a secret in the memory of a process that runs:
 *
 *     search_memory PID FILE
 *
 * The first line of FILE is the secret, in hexadecimal digits. It is looked for
 * as bytes and as digits of either case. Prints "open N guarded M": how often
 * it is in memory that a core file would have, and in memory that is kept out
 * of it. Memory that not even its owner may read at the moment is searched,
 * too. Exits 1 where anything stands in the way.
 */
#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)
#define LONGEST 256
/* Larger areas are a sanitizer's own, nearly empty, and take minutes. */
#define LARGEST ((uint64_t)1 << 30)

struct secret {
    char forms[3][LONGEST]; /* bytes, digits, and in upper case */
    size_t len[3];
};

struct area {
    uint64_t from, to;
    bool left_out;  /* of core files */
    bool has_pages; /* that are not those of a file, in memory or swapped */
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void read_secret(struct secret *s, const char *path)
{
    FILE *f = fopen(path, "r");
    size_t len;

    if (!f || !fgets(s->forms[1], LONGEST, f))
        fail(path);
    fclose(f);
    len = strcspn(s->forms[1], "\n");
    for (size_t i = 0; i < len; i++)
        s->forms[2][i] = (char)toupper((unsigned char)s->forms[1][i]);
    for (size_t i = 0; i < len / 2; i++) {
        char digits[3] = {s->forms[1][2 * i], s->forms[1][2 * i + 1], 0};

        s->forms[0][i] = (char)strtoul(digits, NULL, 16);
    }
    s->len[0] = len / 2;
    s->len[1] = s->len[2] = len;
    if (len < 32) {
        fprintf(stderr, "%s: a secret of %zu digits\n", path, len);
        exit(1);
    }
}

static unsigned long count(const struct secret *s, const char *data, size_t len)
{
    unsigned long n = 0;

    for (int k = 0; k < 3; k++) {
        const char *at = data;

        while ((at = memmem(at, len - (size_t)(at - data), s->forms[k],
                            s->len[k])) != NULL) {
            n++;
            at++;
        }
    }
    return n;
}

/* Pieces overlap by the longest form but one byte, so that none is counted
 * twice unless it is short. */
static unsigned long search(int mem, const struct secret *s,
                            const struct area *a)
{
    static char buf[PIECE + LONGEST];
    size_t kept = 0;
    unsigned long n = 0;

    for (uint64_t at = a->from; at < a->to;) {
        size_t want = a->to - at < PIECE ? (size_t)(a->to - at) : PIECE;
        ssize_t got = pread(mem, buf + kept, want, (off_t)at);
        size_t len;

        if (got <= 0)
            break; /* such as [vvar], which nobody can read */
        len = kept + (size_t)got;
        n += count(s, buf, len);
        kept = len < s->len[1] - 1 ? len : s->len[1] - 1;
        memmove(buf, buf + len - kept, kept);
        if (kept >= s->len[0])
            n -= count(s, buf, kept);
        at += (uint64_t)got;
    }
    return n;
}

static bool starts_area(const char *line, struct area *a)
{
    uint64_t from, to;

    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &from, &to) != 2)
        return false;
    *a = (struct area){.from = from, .to = to};
    return true;
}

int main(int argc, char **argv)
{
    static struct secret s;
    unsigned long found[2] = {0};
    struct area a = {0};
    char path[64], line[1024];
    FILE *maps;
    int mem;

    if (argc != 3)
        return 2;
    read_secret(&s, argv[2]);
    snprintf(path, sizeof path, "/proc/%s/mem", argv[1]);
    mem = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%s/smaps", argv[1]);
    maps = fopen(path, "re");
    if (mem < 0 || !maps)
        fail(path);
    while (fgets(line, sizeof line, maps)) {
        unsigned long kilobytes;

        if (starts_area(line, &a))
            continue;
        if (sscanf(line, "Anonymous: %lu", &kilobytes) == 1 ||
            sscanf(line, "Swap: %lu", &kilobytes) == 1)
            a.has_pages |= kilobytes > 0;
        if (strncmp(line, "VmFlags:", 8) == 0 && a.has_pages &&
            a.to - a.from <= LARGEST) {
            a.left_out = strstr(line, " dd") != NULL;
            found[a.left_out] += search(mem, &s, &a);
        }
    }
    printf("open %lu guarded %lu\n", found[0], found[1]);
    return 0;
}
