/* Events for the program around the node. */
#include "node/node.h"

const char *svr_event_name(enum svr_event_kind kind)
{
    switch (kind) {
#define X(name, id)        \
    case SVR_EVENT_##name: \
        return id;
        SVR_EVENT_MAP(X)
#undef X
    case SVR_EVENT_COUNT:
        break;
    }
    return "unknown";
}

const char *svr_cause_name(enum svr_cause cause)
{
    switch (cause) {
#define X(name, id, text)  \
    case SVR_CAUSE_##name: \
        return id;
        SVR_CAUSE_MAP(X)
#undef X
    case SVR_CAUSE_COUNT:
        break;
    }
    return "unknown";
}

const char *svr_cause_text(enum svr_cause cause)
{
    switch (cause) {
#define X(name, id, text)  \
    case SVR_CAUSE_##name: \
        return text;
        SVR_CAUSE_MAP(X)
#undef X
    case SVR_CAUSE_COUNT:
        break;
    }
    return "unknown";
}

static void tell(const svr_node *n, const svr_event *event)
{
    n->notify.event(n->notify.user, event);
}

void svr__notify_session(const svr_node *n, const svr__session *s,
                         enum svr_event_kind kind, enum svr_cause cause)
{
    svr_session_info info;

    if (!n->notify.event)
        return;
    svr__session_info(n, s, &info);
    tell(n, &(svr_event){.kind = kind, .cause = cause, .session = &info});
}

void svr__notify_refused(const svr_node *n, const svr__session_plan *plan,
                         enum svr_drop reason)
{
    svr_session_info info = {.uuid = plan->uuid, .context = plan->context};

    if (!n->notify.event)
        return;
    info.tenant = svr_policy_tenant_name(n->policy, plan->tenant);
    info.service = svr_policy_service_name(n->policy, plan->service);
    tell(n, &(svr_event){.kind = SVR_EVENT_SESSION_REFUSED,
                         .drop = reason,
                         .session = &info});
}

void svr__notify_pathway(const svr_node *n, const svr__pathway *pw,
                         svr_time now)
{
    svr_node_pathway info;

    if (!n->notify.event)
        return;
    svr__pathway_info(n, pw, &info, now);
    tell(n, &(svr_event){.kind = SVR_EVENT_PATHWAY, .pathway = &info});
}
