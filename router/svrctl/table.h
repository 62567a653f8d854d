/* table.h - aligned columns of text. */
#ifndef SVR_ROUTER_TABLE_H
#define SVR_ROUTER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 16

struct table {
    const char *const *heads;
    size_t columns;
    unsigned right; /* bit i: column i is aligned to the right */
    size_t widths[TABLE_COLUMNS_MAX];
    char **cells;
    size_t count, cap;
};

/* heads are borrowed. */
void table_init(struct table *t, const char *const *heads, size_t columns,
                unsigned right);
/* Adds the next cell, row by row; ends the program where there is no memory.
 * The format's result is printed as it is. */
__attribute__((format(printf, 2, 3))) void table_add(struct table *t,
                                                     const char *format, ...);
void table_print(const struct table *t, FILE *out);
void table_free(struct table *t);

#endif
