/*
 * find.h - what finding and explaining share.
 */
#ifndef SVR__PATH_FIND_H
#define SVR__PATH_FIND_H

#include "path/rank.h"

/* 0, or SVR_ERR_ARGUMENT. In query.c. */
int svr__query_check(const svr_topology *t, const svr_path_query *q);

/* Fills in the first reason for which a vector is refused. In reason.c. */
void svr__vector_judge(const svr_topology *t, const svr_path_query *q,
                       svr_vector *v);

/* Puts equals into the order of the query's balance. In balance.c. */
void svr__balance(const svr_path_query *q, svr_vector *v, size_t count);

/* Which instance of the service counts at a router, or SVR_PATH_NONE. In
 * query.c. */
uint32_t svr__instance_at(const svr_topology *t, const svr_path_query *q,
                          uint32_t router);

#endif
