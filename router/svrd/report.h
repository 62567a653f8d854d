/* report.h - the answers of the control socket, as JSON. */
#ifndef SVR_ROUTER_REPORT_H
#define SVR_ROUTER_REPORT_H

#include "port.h"

#include <jansson.h>

/* Sessions or pathways in one answer: it names where the next one goes on, so
 * that a full table does not hold the loop. */
#define REPORT_PIECE 32

/* What there is to report on; all borrowed. */
struct report {
    const struct config *config;
    svr_node *node;
    struct port *const *ports;
    size_t port_count;
    svr_time started;
    svr_time loaded; /* the configuration */
};

/*
 * Answers one request: {"command": "status"}, "counters", or "sessions",
 * "paths", "topology" or "keys", these with "cursor": the "next" of the answer
 * before; or "pathway" with "name" and "down", which takes a pathway down or
 * lets it come up; or "rekey", of one "peer" or of all, which asks for new
 * keys. The answer is {"schema": "svr.COMMAND/1", "data": …}, with "next" where
 * there are more; or {"schema": "svr.error/1", "data": {"message": …}}. One
 * line in memory from malloc, or NULL where there is none.
 */
char *report_answer(const struct report *r, const char *line, size_t len,
                    svr_time now);

/* The parts of such answers. */
json_t *report_session(const svr_session_info *s, svr_time now);
json_t *report_path(const svr_node_pathway *p, svr_time now);
json_t *report_document(const char *schema, json_t *data);
json_t *report_error(const char *message);
/* Which file a configuration comes from, and that file's hash. */
json_t *report_configuration(const struct config *c);
/* A document as one line with its newline, in memory from malloc, or NULL. */
char *report_line(const json_t *o);

#endif
