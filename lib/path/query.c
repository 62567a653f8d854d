/* query.c - what a query may say, and where its vectors end. */
#include "path/find.h"

void svr_path_query_init(svr_path_query *q)
{
    *q = (svr_path_query){
        .to = SVR_PATH_NONE,
        .criterion = SVR_PATH_VECTOR,
        .max_hops = SVR_PATH_NO_LIMIT,
        .max_latency_us = 250000,
        .max_jitter_us = 100000,
        .max_loss_ppm = 5000,
        .best_effort = true,
        .count = 1,
    };
}

int svr__query_check(const svr_topology *t, const svr_path_query *q)
{
    if (!t->index || q->from >= t->router_count || q->count == 0 ||
        q->count > SVR_PATH_COUNT_MAX || q->labels > SVR_PATH_LABELS_MAX ||
        (q->to != SVR_PATH_NONE && q->to >= t->router_count) ||
        (unsigned)q->criterion > SVR_PATH_MOS ||
        (unsigned)q->balance > SVR_PATH_PROPORTIONAL ||
        (unsigned)q->disjoint > SVR_PATH_DISJOINT_ROUTERS)
        return SVR_ERR_ARGUMENT;
    for (size_t i = 0; i < q->passed_count; i++)
        if (q->passed[i] >= t->router_count)
            return SVR_ERR_ARGUMENT;
    return 0;
}

uint32_t svr__instance_at(const svr_topology *t, const svr_path_query *q,
                          uint32_t router)
{
    uint32_t best = SVR_PATH_NONE, most = 0;

    if (q->to != SVR_PATH_NONE)
        return SVR_PATH_NONE;
    for (uint32_t i = 0; i < t->instance_count; i++) {
        const svr_path_instance *at = &t->instances[i];
        uint32_t room = svr__room(at->capacity, at->load);
        if (at->service == q->service && at->router == router &&
            (best == SVR_PATH_NONE || room > most)) {
            best = i;
            most = room;
        }
    }
    return best;
}
