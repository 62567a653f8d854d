/* show.h - what svrctl prints for people. */
#ifndef SVR_ROUTER_SVRCTL_SHOW_H
#define SVR_ROUTER_SVRCTL_SHOW_H

#include "table.h"

#include <jansson.h>

/* Each takes the "data" of one answer. What is missing there prints as "-". */
void svrctl_print_status(json_t *data, FILE *out);
void svrctl_print_counters(json_t *data, FILE *out);
void svrctl_print_diff(json_t *data, FILE *out);
void svrctl_print_explain(json_t *data, FILE *out);
void svrctl_print_reload(json_t *data, FILE *out);

/* Sessions and pathways come in several answers and become one table. */
void svrctl_sessions_init(struct table *t);
void svrctl_sessions_add(struct table *t, json_t *data);
void svrctl_keys_init(struct table *t);
void svrctl_keys_add(struct table *t, json_t *data);
void svrctl_paths_init(struct table *t);
void svrctl_paths_add(struct table *t, json_t *data);

#endif
