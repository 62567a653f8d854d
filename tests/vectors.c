#include "vectors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_ROOM = 1024,
};

static _Noreturn void give_up(unsigned line, const char *why)
{
    fprintf(stderr, "vectors: line %u: %s\n", line, why);
    exit(2);
}

static void reserve(struct text *t, size_t more)
{
    if (t->cap - t->len > more)
        return;
    t->cap = 2 * (t->len + more) + 64;
    t->buf = realloc(t->buf, t->cap);
    if (!t->buf)
        abort();
}

void text_add(struct text *t, const char *format, ...)
{
    va_list args, again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    reserve(t, (size_t)len);
    vsnprintf(t->buf + t->len, (size_t)len + 1, format, again);
    t->len += (size_t)len;
    va_end(again);
    va_end(args);
}

const char *vector_given(const struct vector *v, const char *key)
{
    size_t len = strlen(key);

    for (const char *at = v->given; *at; at = strchr(at, '\n') + 1) {
        if (strncmp(at, key, len) == 0 && at[len] == ' ')
            return at + len + 1;
    }
    return NULL;
}

static char *copy(const char *s)
{
    char *to = malloc(strlen(s) + 1);

    if (!to)
        abort();
    return strcpy(to, s);
}

/* What is read of one vector. */
struct reading {
    struct vector v;
    struct text bytes, given, expected;
};

static unsigned hex_digit(char c, unsigned line)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a' + 10);
    give_up(line, "not a hexadecimal digit");
}

/* Digits in pairs, with blanks anywhere. */
static void add_bytes(struct text *out, const char *hex, unsigned line)
{
    unsigned high = 0;
    size_t digits = 0;

    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        if (digits++ % 2 == 0) {
            high = hex_digit(*hex, line) << 4;
            continue;
        }
        reserve(out, 1);
        out->buf[out->len++] = (char)(high | hex_digit(*hex, line));
    }
    if (digits % 2)
        give_up(line, "half a byte");
}

static void read_given(struct reading *r, const char *text, unsigned line)
{
    if (strncmp(text, "bytes ", 6) == 0) {
        add_bytes(&r->bytes, text + 6, line);
    } else if (strncmp(text, "times ", 6) == 0) {
        char *hex;
        unsigned long count = strtoul(text + 6, &hex, 10);

        while (count-- > 0)
            add_bytes(&r->bytes, hex, line);
    } else if (strncmp(text, "piece ", 6) == 0) {
        text_add(&r->given, "piece %zu\n", r->bytes.len);
        add_bytes(&r->bytes, text + 6, line);
    } else {
        text_add(&r->given, "%s\n", text);
    }
}

static void begin(struct reading *r, char *text, unsigned line)
{
    char *name = strchr(text, ' ');

    if (!name)
        give_up(line, "a vector begins with its kind and its name");
    *name++ = '\0';
    *r = (struct reading){
        .v = {.kind = copy(text), .name = copy(name), .line = line}};
    text_add(&r->given, "%s", "");
    text_add(&r->expected, "%s", "");
}

static void finish(struct reading *r,
                   void (*seen)(void *user, const struct vector *v,
                                const char *got),
                   void *user)
{
    struct vector *v = &r->v;
    struct text got = {0};

    v->len = r->bytes.len;
    v->bytes = malloc(v->len ? v->len : 1);
    if (!v->bytes)
        abort();
    if (v->len)
        memcpy(v->bytes, r->bytes.buf, v->len);
    v->given = r->given.buf;
    v->expected = r->expected.buf;
    text_add(&got, "%s", "");
    vector_run(v, &got);
    seen(user, v, got.buf);
    free(got.buf);
    free(v->bytes);
    free(r->bytes.buf);
    free(v->given);
    free(v->expected);
    free(v->kind);
    free(v->name);
    *r = (struct reading){0};
}

static void read_line(struct reading *r, char *text, unsigned line)
{
    if (!r->v.kind)
        begin(r, text, line);
    else if (strncmp(text, "< ", 2) == 0 && !r->expected.len)
        read_given(r, text + 2, line);
    else if (strncmp(text, "> ", 2) == 0)
        text_add(&r->expected, "%s\n", text + 2);
    else
        give_up(line, "neither what goes in nor what comes out");
}

unsigned vectors_replay(const char *path,
                        void (*seen)(void *user, const struct vector *v,
                                     const char *got),
                        void *user)
{
    FILE *f = fopen(path, "r");
    char text[LINE_ROOM];
    struct reading r = {0};
    unsigned line = 0, count = 0;

    if (!f)
        give_up(0, path);
    while (fgets(text, sizeof(text), f)) {
        size_t len = strcspn(text, "\n");

        line++;
        if (text[len] != '\n')
            give_up(line, "too long, or without an end");
        text[len] = '\0';
        if (text[0] == '#')
            continue;
        if (len > 0) {
            read_line(&r, text, line);
        } else if (r.v.kind) {
            finish(&r, seen, user);
            count++;
        }
    }
    if (r.v.kind)
        give_up(line, "a vector ends with an empty line");
    fclose(f);
    return count;
}
