/* reason.c - why a vector is refused. */
#include "path/find.h"

static const struct {
    const char *name, *text;
} reasons[SVR_PATH_REASONS] = {
#define X(name, id, text) {id, text},
    SVR_PATH_REASON_MAP(X)
#undef X
};

const char *svr_path_reason_name(enum svr_path_reason r)
{
    return (unsigned)r < SVR_PATH_REASONS ? reasons[r].name : "unknown";
}

const char *svr_path_reason_text(enum svr_path_reason r)
{
    return (unsigned)r < SVR_PATH_REASONS ? reasons[r].text : "unknown";
}

typedef struct verdict {
    const svr_topology *t;
    const svr_path_query *q;
    svr_vector *v;
} verdict;

static bool refuse(verdict *j, enum svr_path_reason reason, uint32_t where,
                   uint64_t value, uint64_t bound)
{
    j->v->reason = reason;
    j->v->where = where;
    j->v->value = value;
    j->v->bound = bound;
    return true;
}

static bool was_passed(const svr_path_query *q, uint32_t router)
{
    for (size_t i = 0; i < q->passed_count; i++)
        if (q->passed[i] == router)
            return router != q->from;
    return false;
}

/* Whether one pathway is to blame, for this reason. */
static bool refuses_edge(verdict *j, enum svr_path_reason reason, uint32_t edge)
{
    const svr_path_query *q = j->q;
    const svr_path_edge *e = &j->t->edges[edge];
    uint32_t demand = q->demand ? q->demand : 1;
    uint32_t room = svr__room(e->capacity, e->load);

    switch (reason) {
    case SVR_PATH_REASON_DOWN:
        return !e->up && refuse(j, reason, edge, 0, 0);
    case SVR_PATH_REASON_DEAD:
        return e->loss_ppm >= SVR__PPM_ALL &&
               refuse(j, reason, edge, e->loss_ppm, SVR__PPM_ALL - 1);
    case SVR_PATH_REASON_NEVER:
        return svr__priority(e, q->priorities, q->priority_count) ==
                   SVR_PATH_NEVER &&
               refuse(j, reason, edge, e->vector, 0);
    case SVR_PATH_REASON_PASSED:
        return was_passed(q, e->to) && refuse(j, reason, edge, e->to, 0);
    default:
        return room < demand && refuse(j, reason, edge, room, demand);
    }
}

static bool refuses_edges(verdict *j, enum svr_path_reason reason)
{
    for (uint32_t i = 0; i < j->v->hops; i++)
        if (refuses_edge(j, reason, j->v->edges[i]))
            return true;
    return false;
}

static bool refuses_instance(verdict *j)
{
    const svr_path_instance *at;
    uint32_t demand = j->q->demand ? j->q->demand : 1, room;

    if (j->v->instance == SVR_PATH_NONE)
        return false;
    at = &j->t->instances[j->v->instance];
    room = svr__room(at->capacity, at->load);
    return room < demand &&
           refuse(j, SVR_PATH_REASON_SERVICE_FULL, SVR_PATH_NONE, room, demand);
}

static bool passes_limit(verdict *j, enum svr_path_reason reason,
                         uint64_t value, uint32_t limit)
{
    return limit != SVR_PATH_NO_LIMIT && value > limit &&
           refuse(j, reason, SVR_PATH_NONE, value, limit);
}

static bool passes_limits(verdict *j)
{
    const svr_path_query *q = j->q;
    const svr_vector *v = j->v;

    if (passes_limit(j, SVR_PATH_REASON_LATENCY, v->latency_us,
                     q->max_latency_us) ||
        passes_limit(j, SVR_PATH_REASON_JITTER, v->jitter_us,
                     q->max_jitter_us) ||
        passes_limit(j, SVR_PATH_REASON_LOSS, v->loss_ppm, q->max_loss_ppm))
        return true;
    return v->mos < q->min_mos &&
           refuse(j, SVR_PATH_REASON_MOS, SVR_PATH_NONE, v->mos, q->min_mos);
}

void svr__vector_judge(const svr_topology *t, const svr_path_query *q,
                       svr_vector *v)
{
    verdict j = {t, q, v};

    if (refuses_edges(&j, SVR_PATH_REASON_DOWN) ||
        refuses_edges(&j, SVR_PATH_REASON_DEAD) ||
        refuses_edges(&j, SVR_PATH_REASON_NEVER) ||
        refuses_edges(&j, SVR_PATH_REASON_PASSED) ||
        passes_limit(&j, SVR_PATH_REASON_HOPS, v->hops, q->max_hops) ||
        refuses_edges(&j, SVR_PATH_REASON_FULL) || refuses_instance(&j) ||
        (q->quality_filter && passes_limits(&j)))
        return;
    refuse(&j, SVR_PATH_REASON_NONE, SVR_PATH_NONE, 0, 0);
}
