#include "baseline.h"
#include "build.h"
#include "check.h"

#include <string.h>

static bool build_tenants(struct builder *b)
{
    const struct value *list = value_of(b->root, ROOT_TENANTS);
    const char **names = build_array(b, list->count, sizeof(*names));

    if (!names)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        names[i] = build_text(b, list->items[i].text);
        if (!names[i])
            return false;
    }
    b->out->config.node.policy.tenants = names;
    b->out->config.node.policy.tenant_count = list->count;
    return true;
}

static bool build_prefixes(struct builder *b, const struct value *list,
                           svr_service_config *out)
{
    svr_prefix *prefixes = build_array(b, list->count, sizeof(*prefixes));

    if (!prefixes)
        return false;
    for (size_t i = 0; i < list->count; i++)
        prefixes[i] = list->items[i].prefix;
    out->prefixes = prefixes;
    out->prefix_count = list->count;
    return true;
}

static bool build_transports(struct builder *b, const struct value *service,
                             svr_service_config *out)
{
    size_t count = service_transports(service, NULL);
    svr_transport *transports = build_array(b, count, sizeof(*transports));

    if (!transports)
        return false;
    service_transports(service, transports);
    out->transports = transports;
    out->transport_count = count;
    return true;
}

/* In an svr_access a prefix of zeros is any source of either family, and so
 * would ::/0 be; a bit that the length leaves out tells them apart. */
static svr_prefix access_source(const struct value *from)
{
    svr_prefix p = from->prefix;

    if (from->given && svr_addr_is_none(&p.addr))
        p.addr.b[15] |= p.len < 128;
    return p;
}

static void build_line(const struct builder *b, const struct value *line,
                       svr_access *out)
{
    const struct value *allow = value_of(line, ACCESS_ALLOW);
    const struct value *tenant =
        allow->given ? allow : value_of(line, ACCESS_DENY);

    out->allow = allow->given;
    out->source = access_source(value_of(line, ACCESS_FROM));
    out->tenant = SVR_TENANT_NONE;
    if (strcmp(tenant->text, SCHEMA_ANY) != 0)
        out->tenant =
            (int)value_index(value_of(b->root, ROOT_TENANTS), tenant->text);
}

static bool build_access(struct builder *b, const struct value *list,
                         svr_service_config *out)
{
    svr_access *access = build_array(b, list->count, sizeof(*access));

    if (!access)
        return false;
    for (size_t i = 0; i < list->count; i++)
        build_line(b, &list->items[i], &access[i]);
    out->access = access;
    out->access_count = list->count;
    return true;
}

static bool build_ranks(struct builder *b, const struct value *list,
                        svr_service_policy *out)
{
    svr_vector_rank *ranks = build_array(b, list->count, sizeof(*ranks));

    if (!ranks)
        return false;
    for (size_t i = 0; i < list->count; i++)
        ranks[i] = (svr_vector_rank){
            build_vector(b, value_of(&list->items[i], VECTOR_NAME)->text),
            (uint16_t)value_of(&list->items[i], VECTOR_PRIORITY)->number,
        };
    out->vectors = ranks;
    out->vector_count = list->count;
    return true;
}

/* Whether the entry has one of the keys from first to last. */
static bool has_key(const struct value *policy, unsigned first, unsigned last)
{
    for (unsigned key = first; key <= last; key++)
        if (value_of(policy, key)->given)
            return true;
    return false;
}

static void build_limits(const struct value *policy, svr_service_policy *out)
{
    const uint64_t us = SVR_MILLISECOND / 1000;
    const struct value *filter = value_of(policy, SERVICE_POLICY_QUALITY);

    out->quality_filter = filter->given
                              ? filter->number
                              : has_key(policy, SERVICE_POLICY_MAX_LATENCY,
                                        SERVICE_POLICY_MIN_MOS);
    out->max_latency_us =
        (uint32_t)(value_of(policy, SERVICE_POLICY_MAX_LATENCY)->number / us);
    out->max_jitter_us =
        (uint32_t)(value_of(policy, SERVICE_POLICY_MAX_JITTER)->number / us);
    out->max_loss_ppm =
        (uint32_t)value_of(policy, SERVICE_POLICY_MAX_LOSS)->number;
    out->min_mos = (uint16_t)value_of(policy, SERVICE_POLICY_MIN_MOS)->number;
    out->no_best_effort = !value_of(policy, SERVICE_POLICY_BEST_EFFORT)->number;
}

static enum svr_best_path best_path(const struct value *policy)
{
    const struct value *given = value_of(policy, SERVICE_POLICY_BEST_PATH);

    if (given->given)
        return (enum svr_best_path)given->number;
    return has_key(policy, SERVICE_POLICY_VECTORS, SERVICE_POLICY_BALANCE)
               ? SVR_BEST_VECTOR
               : SVR_BEST_ORDER;
}

static bool build_policy_entry(struct builder *b, const struct value *policy,
                               svr_service_policy *out)
{
    *out = (svr_service_policy){
        .resiliency =
            (enum svr_resiliency)value_of(policy, SERVICE_POLICY_RESILIENCY)
                ->number,
        .encryption =
            (enum svr_encryption)value_of(policy, SERVICE_POLICY_ENCRYPT)
                ->number,
        .best_path = best_path(policy),
        .balance =
            (enum svr_balance)value_of(policy, SERVICE_POLICY_BALANCE)->number,
    };
    build_limits(policy, out);
    return build_ranks(b, value_of(policy, SERVICE_POLICY_VECTORS), out);
}

static bool build_service_policy(struct builder *b, const struct value *name,
                                 svr_service_policy *out)
{
    const struct value *list = value_of(b->root, ROOT_SERVICE_POLICIES);
    const struct value *policy =
        name->given ? value_find(list, name->text) : NULL;

    if (policy)
        return build_policy_entry(b, policy, out);
    if (name->given)
        *out = baseline_find(name->text)->policy;
    return true;
}

static bool build_service(struct builder *b, const struct value *service,
                          svr_service_config *out)
{
    out->name = build_text(b, service->text);
    out->public_scope =
        value_of(service, SERVICE_SCOPE)->number == SCOPE_PUBLIC;
    out->tcp_midstream = value_of(service, SERVICE_TCP_MIDSTREAM)->number;
    out->denial = (enum svr_denial)value_of(service, SERVICE_DENIAL)->number;
    return out->name &&
           build_service_policy(b, value_of(service, SERVICE_POLICY),
                                &out->policy) &&
           build_prefixes(b, value_of(service, SERVICE_PREFIXES), out) &&
           build_transports(b, service, out) &&
           build_access(b, value_of(service, SERVICE_ACCESS), out);
}

bool build_policy(struct builder *b)
{
    const struct value *list = value_of(b->root, ROOT_SERVICES);
    svr_service_config *services =
        build_array(b, list->count, sizeof(*services));

    if (!services || !build_tenants(b))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if (!build_service(b, &list->items[i], &services[i]))
            return false;
    }
    b->out->config.node.policy.services = services;
    b->out->config.node.policy.service_count = list->count;
    return true;
}
