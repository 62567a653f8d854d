#include "read.h"

#include <stdlib.h>
#include <string.h>

static const char *value_name(const void *items, size_t i)
{
    return ((const struct value *)items)[i].text;
}

struct words value_words(const struct value *list)
{
    return (struct words){value_name, list->items, list->count};
}

static int compare_entries(const void *a, const void *b)
{
    const struct value *x = *(const struct value *const *)a;
    const struct value *y = *(const struct value *const *)b;
    int order;

    if (x->key->shape == SCHEMA_NAMED)
        order = strcmp(x->text, y->text);
    else
        order = scalar_compare(x, y);
    return order ? order : (x > y) - (x < y);
}

static bool same_entry(const struct value *a, const struct value *b)
{
    if (a->key->shape == SCHEMA_NAMED)
        return strcmp(a->text, b->text) == 0;
    return scalar_compare(a, b) == 0;
}

bool value_sort(struct value *v, struct arena *arena, struct report *report)
{
    size_t n = 0;

    for (size_t i = 0; i < v->count; i++) {
        if (v->items[i].text &&
            (v->key->shape == SCHEMA_NAMED || !v->items[i].broken))
            v->items[n++] = v->items[i];
    }
    v->lost |= n < v->count;
    v->count = n;
    v->sorted = arena_array(arena, n, sizeof(struct value *));
    if (!v->sorted)
        return false;
    for (size_t i = 0; i < n; i++)
        v->sorted[i] = &v->items[i];
    qsort(v->sorted, n, sizeof(struct value *), compare_entries);
    for (size_t i = 1; i < n; i++) {
        if (!same_entry(v->sorted[i - 1], v->sorted[i]))
            continue;
        report_problem(report, v->sorted[i]->at,
                       "found %s a second time, first at line %u",
                       quote(v->sorted[i]->text).s, v->sorted[i - 1]->at.line);
        v->broken = true;
    }
    return !report_full(report);
}

static int compare_name(const void *name, const void *entry)
{
    return strcmp(name, (*(const struct value *const *)entry)->text);
}

const struct value *value_find(const struct value *list, const char *name)
{
    const struct value **found;

    if (list->count == 0)
        return NULL;
    found = bsearch(name, list->sorted, list->count, sizeof(struct value *),
                    compare_name);
    return found ? *found : NULL;
}

size_t value_index(const struct value *list, const char *name)
{
    return (size_t)(value_find(list, name) - list->items);
}
