#define _POSIX_C_SOURCE 200809L

#include "measure.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#define ROUNDS 101

enum form { TEXT, MARKDOWN, JSON };

double bench_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

void bench_fact(struct bench *b, const char *name, double value,
                const char *unit)
{
    assert(b->fact_count < BENCH_FACTS_MAX);
    b->facts[b->fact_count++] = (struct bench_fact){name, unit, value};
}

static size_t count_ways(const struct bench *b)
{
    size_t n = 0;

    while (n < BENCH_WAYS_MAX && b->ways[n])
        n++;
    return n;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* ---- measuring ---- */

/* Times each cell once; samples has `rounds` places for each. */
static void measure_round(struct bench *b, double *samples, size_t rounds)
{
    for (size_t r = 0; r < b->row_count; r++) {
        struct bench_row *row = &b->rows[r];
        for (size_t w = 0; w < count_ways(b); w++, samples += rounds) {
            double start = bench_now();
            if (row->run[w])
                row->run[w](row->input);
            *samples = (bench_now() - start) / (double)b->operations;
        }
    }
}

static int measure(struct bench *b, size_t rounds)
{
    size_t ways = count_ways(b), cells = b->row_count * ways;
    double *samples;

    assert(cells > 0);
    samples = calloc(cells * rounds, sizeof(*samples));
    if (!samples)
        return -1;
    measure_round(b, samples, rounds); /* code and data come into cache */
    for (size_t i = 0; i < rounds; i++)
        measure_round(b, samples + i, rounds);
    for (size_t i = 0; i < cells; i++) {
        double *cell = samples + i * rounds;
        qsort(cell, rounds, sizeof(*cell), compare);
        b->rows[i / ways].ns[i % ways] = cell[rounds / 2];
    }
    free(samples);
    return 0;
}

/* ---- the table ---- */

/* The model of the processor, or "unknown". */
static void read_cpu(char *out, size_t cap)
{
    FILE *f = fopen("/proc/cpuinfo", "re");
    char line[256];

    snprintf(out, cap, "unknown");
    while (f && fgets(line, sizeof(line), f)) {
        if (strncmp(line, "model name", 10) == 0 && strstr(line, ": ")) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(out, cap, "%s", strstr(line, ": ") + 2);
            break;
        }
    }
    if (f)
        fclose(f);
}

static void print_cell(enum form form, const char *text)
{
    printf(form == MARKDOWN ? " %s |" : " %20s", text);
}

static void print_name(enum form form, const char *name)
{
    printf(form == MARKDOWN ? "| %s |" : "%-28s", name);
}

static void print_head(const struct bench *b, enum form form)
{
    char text[64];

    print_name(form, form == MARKDOWN ? "" : b->name);
    for (size_t w = 0; w < count_ways(b); w++) {
        snprintf(text, sizeof(text), "%s ns", b->ways[w]);
        print_cell(form, text);
    }
    for (size_t i = 0; i < b->ratio_count; i++) {
        snprintf(text, sizeof(text), "%s / %s", b->ways[b->ratios[i].over],
                 b->ways[b->ratios[i].under]);
        print_cell(form, text);
    }
    putchar('\n');
    if (form == MARKDOWN) {
        printf("| --- |");
        for (size_t i = 0; i < count_ways(b) + b->ratio_count; i++)
            printf(" ---: |");
        putchar('\n');
    }
}

static void print_row(const struct bench *b, const struct bench_row *row,
                      enum form form)
{
    char text[64];

    print_name(form, row->name);
    for (size_t w = 0; w < count_ways(b); w++) {
        snprintf(text, sizeof(text), row->run[w] ? "%.1f" : "-", row->ns[w]);
        print_cell(form, text);
    }
    for (size_t i = 0; i < b->ratio_count; i++) {
        struct bench_ratio q = b->ratios[i];
        bool there = row->run[q.over] && row->run[q.under];
        snprintf(text, sizeof(text), there ? "%.2f %s" : "-",
                 there ? row->ns[q.over] / row->ns[q.under] : 0,
                 form == MARKDOWN ? "×" : "x");
        print_cell(form, text);
    }
    putchar('\n');
}

static void print_table(const struct bench *b, enum form form, size_t rounds)
{
    struct utsname system;
    char cpu[256];

    read_cpu(cpu, sizeof(cpu));
    if (uname(&system) != 0)
        snprintf(system.release, sizeof(system.release), "unknown");
    if (form == MARKDOWN)
        printf("Measured by `bench/%s`: one core of %s, Linux %s, %s;\n"
               "medians of %zu rounds.\n\n",
               b->name, cpu, system.release, BENCH_BUILD, rounds);
    print_head(b, form);
    for (size_t r = 0; r < b->row_count; r++)
        print_row(b, &b->rows[r], form);
    if (b->fact_count)
        putchar('\n');
    for (size_t i = 0; i < b->fact_count; i++) {
        const struct bench_fact *f = &b->facts[i];
        printf(form == MARKDOWN ? "- %s: %.1f %s\n" : "%-28s %20.1f %s\n",
               f->name, f->value, f->unit);
    }
}

static void print_json(const struct bench *b, size_t rounds)
{
    printf("{\"schema\": \"svr.bench/1\", \"data\": {\"bench\": \"%s\", "
           "\"build\": \"%s\", \"rounds\": %zu, \"ns\": {",
           b->name, BENCH_BUILD, rounds);
    for (size_t r = 0; r < b->row_count; r++) {
        const char *comma = "";
        printf("%s\"%s\": {", r > 0 ? ", " : "", b->rows[r].name);
        for (size_t w = 0; w < count_ways(b); w++) {
            if (!b->rows[r].run[w])
                continue;
            printf("%s\"%s\": %.2f", comma, b->ways[w], b->rows[r].ns[w]);
            comma = ", ";
        }
        printf("}");
    }
    printf("}, \"facts\": {");
    for (size_t i = 0; i < b->fact_count; i++)
        printf("%s\"%s\": {\"value\": %.2f, \"unit\": \"%s\"}",
               i > 0 ? ", " : "", b->facts[i].name, b->facts[i].value,
               b->facts[i].unit);
    puts("}}}");
}

/* ---- options ---- */

static int read_options(int argc, char **argv, enum form *form, size_t *rounds)
{
    for (int i = 1; i < argc; i++) {
        char *end = "x";

        if (strcmp(argv[i], "--json") == 0) {
            *form = JSON;
        } else if (strcmp(argv[i], "--markdown") == 0) {
            *form = MARKDOWN;
        } else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
            *rounds = strtoul(argv[++i], &end, 10);
            if (*end != '\0' || *rounds == 0 || *rounds > 1000000)
                return -1;
        } else {
            return -1;
        }
    }
    return 0;
}

int bench_main(struct bench *b, int argc, char **argv)
{
    enum form form = TEXT;
    size_t rounds = ROUNDS;

    if (read_options(argc, argv, &form, &rounds) != 0) {
        fprintf(stderr, "usage: %s [--json | --markdown] [--rounds N]\n",
                b->name);
        return 2;
    }
    if (measure(b, rounds) != 0) {
        fprintf(stderr, "%s: no memory\n", b->name);
        return 1;
    }
    if (b->finish)
        b->finish(b);
    if (form == JSON)
        print_json(b, rounds);
    else
        print_table(b, form, rounds);
    return 0;
}

void *bench_need(size_t count, size_t size)
{
    void *p = calloc(count, size);

    if (p)
        return p;
    fputs("bench: no memory\n", stderr);
    exit(1);
}
