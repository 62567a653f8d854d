/* cell.h - members of JSON as text that is safe for a terminal. */
#ifndef SVR_ROUTER_SVRCTL_CELL_H
#define SVR_ROUTER_SVRCTL_CELL_H

#include <jansson.h>
#include <stdint.h>

#define CELL_SIZE 256

struct cell {
    char text[CELL_SIZE];
};

/* Text, escaped, or a number; "-" where there is neither. */
struct cell cell_of(const json_t *value);
struct cell cell_get(const json_t *o, const char *key);
uint64_t cell_number(const json_t *o, const char *key);
/* "1d 02:03:04", without days where there are none. */
struct cell cell_duration(uint64_t seconds);
/* Appends to a list "a, b, c", unless there is no room. */
void cell_append(struct cell *list, const char *item);
/* All that stands in a JSON array. */
struct cell cell_join(const json_t *list);

#endif
