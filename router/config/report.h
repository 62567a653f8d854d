/*
 * report.h - how the problems of an authority file are told: one line
 * each, "file:line:column: what was found, what was expected".
 */
#ifndef SVR_ROUTER_CONFIG_REPORT_H
#define SVR_ROUTER_CONFIG_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <svr/base.h>

/* After this many problems the rest is not looked for. */
#define REPORT_MAX 20

/* A place in the file, from 1. Line 0: the file as a whole. */
struct mark {
    unsigned line, column;
};

struct report {
    FILE *out;
    const char *file;
    unsigned count;
};

/* The words that would have been right. */
struct words {
    const char *(*get)(const void *list, size_t i);
    const void *list;
    size_t count;
};

/* Texts returned by value, so that they can stand among printf's arguments. */
struct short_text {
    char s[160];
};

bool report_full(const struct report *r);

__attribute__((format(printf, 3, 4))) void
report_problem(struct report *r, struct mark at, const char *format, ...);

/* "found KIND "word", expected WHAT: one of ...; did you mean ...?" kind may be
 * empty ("the key "); what may be NULL. */
void report_unknown(struct report *r, struct mark at, const char *kind,
                    const char *word, const char *what,
                    const struct words *words);

/* text in double quotes, cut where it is long, with anything that could harm a
 * terminal as \xNN. */
struct short_text quote(const char *text);

/* word as it may stand in a command that is proposed, or what, where a shell
 * would take it apart. */
const char *shell_word(const char *word, const char *what);

struct short_text addr_text(const svr_addr *a);
struct short_text prefix_text(const svr_prefix *p);
/* In the largest unit that leaves no fraction, milliseconds at the least. */
struct short_text duration_text(svr_time ns);

#endif
