#include "report.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

/* The most words that a problem lists, and the longest word that is compared
 * to find out what was meant. */
#define WORDS_LISTED 16
#define WORD_MAX 64

/* A line under construction; what does not fit is left out. */
struct line {
    char s[1024];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void
line_add(struct line *l, const char *format, ...)
{
    size_t room = sizeof(l->s) - l->len;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(l->s + l->len, room, format, args);
    va_end(args);
    if (n > 0)
        l->len += (size_t)n < room ? (size_t)n : room - 1;
}

bool report_full(const struct report *r)
{
    return r->count >= REPORT_MAX;
}

void report_problem(struct report *r, struct mark at, const char *format, ...)
{
    va_list args;

    if (report_full(r))
        return;
    r->count++;
    if (at.line > 0)
        fprintf(r->out, "%s:%u:%u: ", r->file, at.line, at.column);
    else
        fprintf(r->out, "%s: ", r->file);
    va_start(args, format);
    vfprintf(r->out, format, args);
    va_end(args);
    fputc('\n', r->out);
    if (report_full(r))
        fprintf(r->out, "%s: stopped after %u problems\n", r->file, r->count);
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;

    return ab < c ? ab : c;
}

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * The number of letters to insert, leave out, change or exchange with their
 * neighbour to make b of a (optimal string alignment); capitals count as small
 * letters. Longer words than WORD_MAX are far from everything.
 */
static unsigned distance(const char *a, const char *b)
{
    unsigned rows[3][WORD_MAX + 1];
    size_t alen = strlen(a), blen = strlen(b);

    if (alen > WORD_MAX || blen > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= blen; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= alen; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3];
        const unsigned *above2 = rows[(i + 1) % 3];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= blen; j++) {
            unsigned change = !same_letter(a[i - 1], b[j - 1]);

            row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + change);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                same_letter(a[i - 2], b[j - 1]) && above2[j - 2] + 1 < row[j])
                row[j] = above2[j - 2] + 1;
        }
    }
    return rows[alen % 3][blen];
}

/* The word that was probably meant, or NULL. */
static const char *nearest(const char *word, const struct words *words)
{
    unsigned limit = strlen(word) <= 3 ? 1 : 2;
    const char *best = NULL;

    for (size_t i = 0; i < words->count; i++) {
        const char *w = words->get(words->list, i);
        unsigned d = distance(word, w);

        if (d <= limit && d < strlen(w)) {
            best = w;
            if (d == 0)
                break;
            limit = d - 1;
        }
    }
    return best;
}

static void list_words(struct line *l, const struct words *words)
{
    size_t n = words->count < WORDS_LISTED ? words->count : WORDS_LISTED;

    for (size_t i = 0; i < n; i++)
        line_add(l, "%s%s", i > 0 ? ", " : "", words->get(words->list, i));
    if (n < words->count)
        line_add(l, ", …");
}

void report_unknown(struct report *r, struct mark at, const char *kind,
                    const char *word, const char *what,
                    const struct words *words)
{
    const char *meant = nearest(word, words);
    struct line l = {.len = 0};

    line_add(&l, "found %s%s, expected ", kind, quote(word).s);
    if (words->count == 0) {
        line_add(&l, "%s, but the file names none", what ? what : "nothing");
    } else {
        line_add(&l, "%s%sone of ", what ? what : "", what ? ": " : "");
        list_words(&l, words);
    }
    if (meant)
        line_add(&l, "; did you mean %s?", quote(meant).s);
    report_problem(r, at, "%s", l.s);
}

/* The length of the character at s that may be printed as it is, or 0. The
 * parser has seen to it that the text is valid UTF-8. */
static size_t printable(const unsigned char *s)
{
    if (s[0] < 0x80)
        return s[0] >= 0x20 && s[0] < 0x7f && s[0] != '"' && s[0] != '\\';
    if (s[0] == 0xc2 && s[1] < 0xa0) /* C1 controls */
        return 0;
    if (s[0] == 0xe2 && (s[1] == 0x80 || s[1] == 0x81)) /* U+2000-U+207F: */
        return 0; /* spaces, joiners, marks that turn the direction */
    if (s[0] < 0xc2)
        return 0;
    return s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
}

struct short_text quote(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    struct short_text out;
    size_t len = 0;

    out.s[len++] = '"';
    while (*p && len < 100) {
        size_t n = printable(p);

        if (n > 0) {
            for (size_t i = 0; i < n && *p; i++)
                out.s[len++] = (char)*p++;
        } else {
            len += (size_t)snprintf(out.s + len, sizeof(out.s) - len, "\\x%02x",
                                    (unsigned)*p++);
        }
    }
    snprintf(out.s + len, sizeof(out.s) - len, "%s\"", *p ? "…" : "");
    return out;
}

struct short_text addr_text(const svr_addr *a)
{
    struct short_text out;

    if (svr_addr_is_v4(a))
        inet_ntop(AF_INET, a->b + 12, out.s, sizeof(out.s));
    else
        inet_ntop(AF_INET6, a->b, out.s, sizeof(out.s));
    return out;
}

struct short_text prefix_text(const svr_prefix *p)
{
    struct short_text out = addr_text(&p->addr);
    size_t len = strlen(out.s);

    snprintf(out.s + len, sizeof(out.s) - len, "/%u", (unsigned)p->len);
    return out;
}

struct short_text duration_text(svr_time ns)
{
    static const struct {
        svr_time length;
        const char *unit;
    } units[] = {
        {3600 * SVR_SECOND, "h"},
        {60 * SVR_SECOND, "m"},
        {SVR_SECOND, "s"},
        {SVR_MILLISECOND, "ms"},
    };
    struct short_text out;
    size_t i = 0;

    while (i < 3 && (ns < units[i].length || ns % units[i].length != 0))
        i++;
    snprintf(out.s, sizeof(out.s), "%llu%s",
             (unsigned long long)(ns / units[i].length), units[i].unit);
    return out;
}

const char *shell_word(const char *word, const char *what)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789/._-+@";

    return word[0] != '-' && word[strspn(word, safe)] == '\0' ? word : what;
}
