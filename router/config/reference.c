#include "reference.h"

#include "report.h"

#include <stdio.h>
#include <string.h>

typedef void visit_fn(FILE *out, const struct schema_mapping *m,
                      const char *path);

static void walk(visit_fn *visit, FILE *out, const struct schema_mapping *m,
                 const char *path)
{
    char below[256];

    visit(out, m, path);
    for (size_t i = 0; i < m->count; i++) {
        const struct schema_key *key = &m->keys[i];

        if (key->type != SCHEMA_MAPPING)
            continue;
        snprintf(below, sizeof(below), "%s%s%s%s", path, path[0] ? "." : "",
                 key->name, key->shape == SCHEMA_NAMED ? ".NAME" : "");
        walk(visit, out, key->mapping, below);
    }
}

void reference_walk(visit_fn *visit, FILE *out)
{
    walk(visit, out, &schema_root, "");
}

static void write_words(FILE *out, const struct schema_key *key,
                        const char *before_last)
{
    for (size_t i = 0; i < key->choice_count; i++) {
        if (i > 0)
            fputs(i + 1 < key->choice_count ? ", " : before_last, out);
        fprintf(out, "`%s`", key->choices[i].name);
    }
}

/* What a single value of the key is. */
static void write_single(FILE *out, const struct schema_key *key)
{
    switch (key->type) {
    case SCHEMA_MAPPING:
        fputs(key->mapping->name, out);
        break;
    case SCHEMA_CHOICE:
        write_words(out, key, " or ");
        break;
    case SCHEMA_PROTOCOL:
        write_words(out, key, ", ");
        fputs(" or a number", out);
        break;
    case SCHEMA_NUMBER:
        fprintf(out, "%llu to %llu", (unsigned long long)key->min,
                (unsigned long long)key->max);
        break;
    case SCHEMA_DURATION:
    case SCHEMA_INTERVAL:
        fprintf(out, "duration, %s to %s%s", duration_text(key->min).s,
                duration_text(key->max).s,
                key->type == SCHEMA_INTERVAL ? ", or `" SCHEMA_NEVER "`" : "");
        break;
    default:
        fputs(schema_types[key->type].name, out);
    }
}

void reference_value(FILE *out, const struct schema_key *key)
{
    switch (key->shape) {
    case SCHEMA_ONE:
        if (key->type == SCHEMA_MAPPING)
            fputs("mapping", out);
        else
            write_single(out, key);
        return;
    case SCHEMA_LIST:
        fputs("list: each ", out);
        break;
    case SCHEMA_ONE_OR_LIST:
        fputs("one or a list: ", out);
        break;
    case SCHEMA_NAMED:
        fputs("mapping from names: each ", out);
        break;
    }
    write_single(out, key);
    fprintf(out, "; at most %u", key->most);
}

void reference_default(FILE *out, const struct schema_key *key)
{
    if (key->required)
        fputs("required", out);
    else if (key->fallback)
        fprintf(out, "`%s`", key->fallback);
    else if (key->alternative)
        fputs("exactly one of these keys is required", out);
    else
        fputs(key->otherwise, out);
}

/* A placeholder for a value in the outline. */
static void write_placeholder(FILE *out, const struct schema_key *key)
{
    if (key->type == SCHEMA_BOOLEAN) {
        fputs("true | false", out);
        return;
    }
    if (key->type == SCHEMA_CHOICE) {
        for (size_t i = 0; i < key->choice_count; i++)
            fprintf(out, "%s%s", i > 0 ? " | " : "", key->choices[i].name);
        return;
    }
    for (const char *p = schema_types[key->type].name; *p; p++)
        fputc(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p, out);
}

static void outline(FILE *out, const struct schema_mapping *m,
                    const char *indentation, int depth);

/* The keys of a mapping within a list, in one line. */
static void write_inline(FILE *out, const struct schema_mapping *m)
{
    fputs(" [{ ", out);
    for (size_t i = 0; i < m->count; i++) {
        fprintf(out, "%s%s: ", i > 0 ? ", " : "", m->keys[i].name);
        write_placeholder(out, &m->keys[i]);
    }
    fputs(" }]\n", out);
}

static void write_scalar(FILE *out, const struct schema_key *key)
{
    bool list = key->shape != SCHEMA_ONE;

    fputs(list ? " [" : " ", out);
    write_placeholder(out, key);
    fputs(list ? "]\n" : "\n", out);
}

static void outline_key(FILE *out, const struct schema_key *key,
                        const char *indentation, int depth)
{
    fprintf(out, "%s%*s%s:", indentation, 2 * depth, "", key->name);
    if (key->type != SCHEMA_MAPPING) {
        write_scalar(out, key);
    } else if (key->shape == SCHEMA_LIST) {
        write_inline(out, key->mapping);
    } else if (key->shape == SCHEMA_NAMED) {
        fprintf(out, "\n%s%*sNAME:\n", indentation, 2 * depth + 2, "");
        outline(out, key->mapping, indentation, depth + 2);
    } else {
        fputc('\n', out);
        outline(out, key->mapping, indentation, depth + 1);
    }
}

static void outline(FILE *out, const struct schema_mapping *m,
                    const char *indentation, int depth)
{
    for (size_t i = 0; i < m->count; i++)
        outline_key(out, &m->keys[i], indentation, depth);
}

void reference_outline(FILE *out, const char *indentation)
{
    outline(out, &schema_root, indentation, 0);
}
