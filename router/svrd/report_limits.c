#include "report_limits.h"

static bool is_beyond(const svr_service_policy *p, const svr_quality *q)
{
    return q->latency_us > p->max_latency_us ||
           q->jitter_us > p->max_jitter_us || q->loss_ppm > p->max_loss_ppm ||
           q->mos < p->min_mos;
}

json_t *report_beyond(const struct report *r, const svr_pathway_info *info)
{
    const svr_policy_config *policy = &r->config->node.policy;
    json_t *list = json_array();
    bool limited = false;

    for (size_t i = 0; i < policy->service_count; i++) {
        const svr_service_config *service = &policy->services[i];

        if (!service->policy.quality_filter)
            continue;
        limited = true;
        if (is_beyond(&service->policy, &info->quality) &&
            json_array_size(list) < REPORT_LIMITS_MAX)
            json_array_append_new(list, json_string(service->name));
    }
    if (limited && info->measured)
        return list;
    json_decref(list);
    return json_null();
}
