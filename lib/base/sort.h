/*
 * sort.h - sorting in place: libc's qsort may allocate.
 */
#ifndef SVR__SORT_H
#define SVR__SORT_H

#include <stddef.h>

/* Below, equal to or above 0 as a belongs before, with or behind b. */
typedef int svr__compare(const void *a, const void *b, const void *context);

/* Sorts count elements of size bytes. Elements that compare equal end in any
 * order. n log n steps in the worst case, no recursion. */
void svr__sort(void *array, size_t count, size_t size, svr__compare *compare,
               const void *context);

#endif
