/*
 * Secrets decide nothing that takes time: what the library does with keys and
 * plaintext, under valgrind, with all of them undefined. Any report is a
 * failure; tests/constant_time/run starts it.
 *
 *   constant_time            everything
 *   constant_time branch     plants a branch on a key, which is reported
 *   constant_time address    plants a table's place that a key chooses
 *   constant_time compare    plants a memcmp of a tag
 */
#include "taint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svr/crypto.h>
#include <valgrind/memcheck.h>

void taint_secret(void *at, size_t len)
{
    VALGRIND_MAKE_MEM_UNDEFINED(at, len);
}

void taint_public(const void *at, size_t len)
{
    VALGRIND_MAKE_MEM_DEFINED(at, len);
}

bool taint_is_secret(const void *at, size_t len)
{
    uint8_t bits[512];
    bool any = false;

    if (len > sizeof(bits) || VALGRIND_GET_VBITS(at, bits, len) != 1)
        abort();
    for (size_t i = 0; i < len; i++)
        any |= bits[i] != 0;
    return any;
}

void taint_fill(void *user, void *buf, size_t len)
{
    uint64_t *state = user;
    uint8_t *out = buf;

    for (size_t i = 0; i < len; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(*state >> 56);
    }
    if (len > 4)
        taint_secret(buf, len);
}

void taint_expect(bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: %s: does not hold\n", file, line, what);
    exit(1);
}

/* What a mistake would look like. Nothing here may be known when it is
 * compiled. */
static volatile unsigned sink;

static void plant(const char *what)
{
    static uint8_t key[SVR_KEY_SIZE], tag[SVR_KEY_SIZE];

    taint_secret(key, sizeof(key));
    if (strcmp(what, "branch") == 0) {
        if (key[3] & 1)
            sink = 1;
    } else if (strcmp(what, "address") == 0) {
        static volatile uint8_t table[256];
        sink = table[key[0]];
    } else if (strcmp(what, "compare") == 0) {
        volatile size_t len =
            sizeof(key); /* or it is xor, for some compilers */
        sink = memcmp(key, tag, len) == 0;
    } else {
        exit(2);
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"tags", run_macs},
    {"ciphers", run_ciphers},
    {"payloads", run_payloads},
    {"metadata", run_metadata},
    {"derived keys", run_keys},
    {"recovery tokens", run_tokens},
    {"key exchange", run_exchange},
};

int main(int argc, char **argv)
{
    if (!RUNNING_ON_VALGRIND) {
        fprintf(stderr, "it means nothing without valgrind\n");
        return 2;
    }
    EXPECT(svr_crypto_init() == 0);
    if (argc == 2) {
        plant(argv[1]);
        return 0;
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned before = VALGRIND_COUNT_ERRORS;
        cases[i].run();
        printf("%s: %u reports\n", cases[i].name,
               VALGRIND_COUNT_ERRORS - before);
    }
    return 0;
}
