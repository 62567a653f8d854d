/*
 * vectors.h - the named vectors of tests/vectors, whose form stands in the
 * head of wire.txt. Plain C: a Criterion test and the replay program read them
 * alike.
 */
#ifndef VECTORS_H
#define VECTORS_H

#include <stddef.h>
#include <stdint.h>

struct vector {
    char *kind, *name;
    unsigned line;  /* of the file, where it begins */
    uint8_t *bytes; /* a heap block of exactly len bytes */
    size_t len;
    char *given;    /* the other lines that go in; for a piece "piece" and
                       where among the bytes it begins */
    char *expected; /* the lines that must come out */
};

/* A growing text. */
struct text {
    char *buf; /* ends in NUL; NULL while empty */
    size_t len, cap;
};

void text_add(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The value behind key in v->given up to its line's end, or NULL. */
const char *vector_given(const struct vector *v, const char *key);

/* What the library makes of v, in the notation of the file (vector_kinds.c).
 * Ends the process where v is of no known kind. */
void vector_run(const struct vector *v, struct text *got);

/* Runs every vector of the file and calls seen for each; the vector passes if
 * got equals v->expected. Returns how many there were. Ends the process with a
 * message where the file is not in its form. */
unsigned vectors_replay(const char *path,
                        void (*seen)(void *user, const struct vector *v,
                                     const char *got),
                        void *user);

#endif
