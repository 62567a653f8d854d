#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void table_init(struct table *t, const char *const *heads, size_t columns,
                unsigned right)
{
    memset(t, 0, sizeof *t);
    t->heads = heads;
    t->columns = columns;
    t->right = right;
    for (size_t i = 0; i < columns; i++)
        t->widths[i] = strlen(heads[i]);
}

static char **next_cell(struct table *t)
{
    if (t->count == t->cap) {
        size_t cap = t->cap == 0 ? 256 : t->cap * 2;
        char **cells = realloc(t->cells, cap * sizeof *cells);

        if (cells == NULL)
            abort();
        t->cells = cells;
        t->cap = cap;
    }
    return &t->cells[t->count++];
}

void table_add(struct table *t, const char *format, ...)
{
    size_t column = t->count % t->columns;
    char **cell = next_cell(t);
    va_list args;
    int len;

    va_start(args, format);
    len = vasprintf(cell, format, args);
    va_end(args);
    if (len < 0)
        abort();
    if ((size_t)len > t->widths[column])
        t->widths[column] = (size_t)len;
}

static void print_cell(const struct table *t, size_t column, const char *text,
                       FILE *out)
{
    int width = (int)t->widths[column];
    bool last = column + 1 == t->columns;

    if ((t->right >> column & 1) != 0)
        fprintf(out, "%*s", width, text);
    else if (last)
        fputs(text, out);
    else
        fprintf(out, "%-*s", width, text);
    fputs(last ? "\n" : "  ", out);
}

void table_print(const struct table *t, FILE *out)
{
    for (size_t i = 0; i < t->columns; i++)
        print_cell(t, i, t->heads[i], out);
    for (size_t row = 0; row < t->count; row += t->columns)
        for (size_t i = 0; i < t->columns; i++)
            print_cell(t, i, t->cells[row + i], out);
}

void table_free(struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->cells[i]);
    free(t->cells);
}
