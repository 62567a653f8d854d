#include <svr/policy.h>

#include <string.h>

#include "base/memory.h"
#include "policy/names.h"
#include "policy/rules.h"

typedef struct service {
    uint32_t access_first, access_count;
    bool public_scope;
    enum svr_denial denial;
    bool tcp_midstream;
    svr_service_policy policy;
} service;

struct svr_policy {
    svr_allocator alloc;
    svr__names tenants, services, vectors;
    svr__rules rules;
    service *service;   /* services.count of them */
    svr_access *access; /* of all services, each service's in a row */
    uint32_t access_count;
    svr_vector_rank *ranks; /* likewise */
    uint32_t rank_count;
};

void svr_service_policy_init(svr_service_policy *p)
{
    *p = (svr_service_policy){
        .max_latency_us = 250000,
        .max_jitter_us = 100000,
        .max_loss_ppm = 5000,
    };
}

/* Indexes are ints. */
#define COUNT_MAX INT32_MAX

static bool prefix_valid(const svr_prefix *p)
{
    return p->len <= (svr_addr_is_v4(&p->addr) ? 32 : 128);
}

static bool tenant_valid(int tenant, size_t count)
{
    return tenant == SVR_TENANT_NONE || (tenant >= 0 && (size_t)tenant < count);
}

static bool prefixes_valid(const svr_service_config *s)
{
    for (size_t i = 0; i < s->prefix_count; i++) {
        if (!prefix_valid(&s->prefixes[i]))
            return false;
    }
    return s->prefix_count <= COUNT_MAX;
}

static bool transports_valid(const svr_service_config *s)
{
    for (size_t i = 0; i < s->transport_count; i++) {
        if (s->transports[i].first > s->transports[i].last)
            return false;
    }
    return s->transport_count <= COUNT_MAX;
}

static bool access_valid(const svr_service_config *s, size_t tenant_count)
{
    for (size_t i = 0; i < s->access_count; i++) {
        if (!prefix_valid(&s->access[i].source) ||
            !tenant_valid(s->access[i].tenant, tenant_count))
            return false;
    }
    return s->access_count <= COUNT_MAX;
}

static bool vectors_valid(const svr_service_policy *p, size_t count)
{
    for (size_t i = 0; i < p->vector_count; i++) {
        uint16_t priority = p->vectors[i].priority;
        if (p->vectors[i].vector >= count ||
            (priority > SVR_VECTOR_PRIORITY_MAX &&
             priority != SVR_VECTOR_NEVER))
            return false;
    }
    return true;
}

static bool policy_valid(const svr_service_policy *p, size_t vector_count)
{
    return (unsigned)p->resiliency <= SVR_RESILIENCY_DUPLICATE &&
           (unsigned)p->encryption <= SVR_ENCRYPT_NEVER &&
           (unsigned)p->best_path <= SVR_BEST_MOS &&
           (unsigned)p->balance <= SVR_BALANCE_PROPORTIONAL &&
           vectors_valid(p, vector_count);
}

static bool service_valid(const svr_service_config *s,
                          const svr_policy_config *c)
{
    return svr__names_valid(s->name) && prefixes_valid(s) &&
           transports_valid(s) && access_valid(s, c->tenant_count) &&
           (unsigned)s->denial <= SVR_DENIAL_PROHIBITED &&
           policy_valid(&s->policy, c->vector_count);
}

/* A vector that a policy ranks twice has no rank. */
static bool ranks_differ(const svr_service_policy *p)
{
    for (size_t i = 0; i < p->vector_count; i++)
        for (size_t j = 0; j < i; j++)
            if (p->vectors[i].vector == p->vectors[j].vector)
                return false;
    return true;
}

/* A service without transports has one that is every protocol and port. */
static size_t transport_count(const svr_service_config *s)
{
    return s->transport_count ? s->transport_count : 1;
}

static const svr_transport *transport_at(const svr_service_config *s, size_t i)
{
    static const svr_transport every = {0, 0, UINT16_MAX};
    return s->transport_count ? &s->transports[i] : &every;
}

/* Some number above COUNT_MAX where there are more. */
static uint64_t count_rules(const svr_policy_config *c)
{
    uint64_t count = 0;
    for (size_t i = 0; i < c->service_count && count <= COUNT_MAX; i++)
        count += (uint64_t)c->services[i].prefix_count *
                 transport_count(&c->services[i]);
    return count;
}

static uint64_t count_access(const svr_policy_config *c)
{
    uint64_t count = 0;
    for (size_t i = 0; i < c->service_count; i++)
        count += c->services[i].access_count;
    return count;
}

static uint64_t count_ranks(const svr_policy_config *c)
{
    uint64_t count = 0;
    for (size_t i = 0; i < c->service_count; i++)
        count += c->services[i].policy.vector_count;
    return count;
}

static bool names_valid(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!svr__names_valid(names[i]))
            return false;
    }
    return true;
}

static bool config_valid(const svr_policy_config *c)
{
    if (c->tenant_count > COUNT_MAX || c->service_count > COUNT_MAX ||
        c->vector_count >= SVR_VECTOR_NONE ||
        !names_valid(c->tenants, c->tenant_count) ||
        !names_valid(c->vectors, c->vector_count))
        return false;
    for (size_t i = 0; i < c->service_count; i++) {
        if (!service_valid(&c->services[i], c))
            return false;
    }
    return count_rules(c) <= COUNT_MAX && count_access(c) <= COUNT_MAX &&
           count_ranks(c) <= COUNT_MAX;
}

static int allocate(svr_policy *p, const svr_policy_config *c)
{
    size_t rules = (size_t)count_rules(c), access = (size_t)count_access(c);
    p->access_count = (uint32_t)access;
    p->access = svr__alloc(&p->alloc, access, sizeof(*p->access));
    p->service = svr__alloc(&p->alloc, c->service_count, sizeof(*p->service));
    p->rank_count = (uint32_t)count_ranks(c);
    p->ranks = svr__alloc(&p->alloc, p->rank_count, sizeof(*p->ranks));
    int names = svr__names_init(&p->tenants, c->tenant_count, &p->alloc);
    int more = svr__names_init(&p->services, c->service_count, &p->alloc);
    int last = svr__names_init(&p->vectors, c->vector_count, &p->alloc);
    int rest = svr__rules_init(&p->rules, rules, &p->alloc);
    bool all = p->access && p->service && p->ranks && !names && !more &&
               !last && !rest;
    return all ? 0 : SVR_ERR_NO_MEMORY;
}

static int fill_names(svr_policy *p, const svr_policy_config *c)
{
    for (size_t i = 0; i < c->tenant_count; i++)
        svr__names_put(&p->tenants, i, c->tenants[i]);
    for (size_t i = 0; i < c->service_count; i++)
        svr__names_put(&p->services, i, c->services[i].name);
    for (size_t i = 0; i < c->vector_count; i++)
        svr__names_put(&p->vectors, i, c->vectors[i]);
    int err = svr__names_sort(&p->tenants);
    if (!err)
        err = svr__names_sort(&p->services);
    return err ? err : svr__names_sort(&p->vectors);
}

/* The policy's own copy of what it says of vectors. */
static svr_service_policy keep_policy(svr_policy *p, uint32_t *next,
                                      const svr_service_policy *from)
{
    svr_service_policy kept = *from;

    kept.vectors = p->ranks + *next;
    for (size_t i = 0; i < from->vector_count; i++)
        p->ranks[(*next)++] = from->vectors[i];
    return kept;
}

static void fill_services(svr_policy *p, const svr_policy_config *c)
{
    uint32_t next = 0, rank = 0;
    for (size_t i = 0; i < c->service_count; i++) {
        const svr_service_config *s = &c->services[i];
        p->service[i] = (service){
            .access_first = next,
            .access_count = (uint32_t)s->access_count,
            .public_scope = s->public_scope,
            .denial = s->denial,
            .tcp_midstream = s->tcp_midstream,
            .policy = keep_policy(p, &rank, &s->policy),
        };
        for (size_t a = 0; a < s->access_count; a++)
            p->access[next++] = s->access[a];
    }
}

static int fill_rules(svr_policy *p, const svr_policy_config *c)
{
    size_t next = 0;
    for (size_t i = 0; i < c->service_count; i++) {
        const svr_service_config *s = &c->services[i];
        for (size_t a = 0; a < s->prefix_count; a++) {
            for (size_t b = 0; b < transport_count(s); b++)
                svr__rules_put(&p->rules, next++, &s->prefixes[a],
                               transport_at(s, b), i);
        }
    }
    return svr__rules_sort(&p->rules);
}

static int build(svr_policy *p, const svr_policy_config *c)
{
    int err = allocate(p, c);
    if (!err)
        err = fill_names(p, c);
    if (!err)
        err = fill_rules(p, c);
    if (!err)
        fill_services(p, c);
    return err;
}

int svr_policy_create(svr_policy **out, const svr_policy_config *config,
                      const svr_allocator *alloc)
{
    if (!config_valid(config))
        return SVR_ERR_ARGUMENT;
    for (size_t i = 0; i < config->service_count; i++) {
        if (!ranks_differ(&config->services[i].policy))
            return SVR_ERR_EXISTS;
    }
    svr_policy *p = svr__alloc(alloc, 1, sizeof(*p));
    if (!p)
        return SVR_ERR_NO_MEMORY;
    p->alloc = *alloc;
    int err = build(p, config);
    if (err)
        svr_policy_destroy(p);
    else
        *out = p;
    return err;
}

void svr_policy_destroy(svr_policy *p)
{
    if (!p)
        return;
    svr_allocator alloc = p->alloc;
    svr__free(&alloc, p->service, p->services.count, sizeof(*p->service));
    svr__free(&alloc, p->access, p->access_count, sizeof(*p->access));
    svr__free(&alloc, p->ranks, p->rank_count, sizeof(*p->ranks));
    svr__rules_fini(&p->rules, &alloc);
    svr__names_fini(&p->vectors, &alloc);
    svr__names_fini(&p->services, &alloc);
    svr__names_fini(&p->tenants, &alloc);
    svr__free(&alloc, p, 1, sizeof(*p));
}

int svr_policy_tenant_find(const svr_policy *p, svr_span name)
{
    return svr__names_find(&p->tenants, name);
}

int svr_policy_service_find(const svr_policy *p, svr_span name)
{
    return svr__names_find(&p->services, name);
}

int svr_policy_service_nearest(const svr_policy *p, svr_span name)
{
    return svr__names_nearest(&p->services, name);
}

const char *svr_policy_tenant_name(const svr_policy *p, int tenant)
{
    return svr__names_at(&p->tenants, tenant);
}

const char *svr_policy_service_name(const svr_policy *p, int index)
{
    return svr__names_at(&p->services, index);
}

const char *svr_policy_vector_name(const svr_policy *p, int index)
{
    return svr__names_at(&p->vectors, index);
}

static const service *service_at(const svr_policy *p, int index)
{
    if (index < 0 || (uint32_t)index >= p->services.count)
        return NULL;
    return &p->service[index];
}

enum svr_denial svr_policy_denial(const svr_policy *p, int index)
{
    const service *s = service_at(p, index);
    return s ? s->denial : SVR_DENIAL_SILENT;
}

bool svr_policy_tcp_midstream(const svr_policy *p, int index)
{
    const service *s = service_at(p, index);
    return s && s->tcp_midstream;
}

const svr_service_policy *svr_policy_of_service(const svr_policy *p, int index)
{
    static const svr_service_policy none;
    const service *s = service_at(p, index);
    return s ? &s->policy : &none;
}

int svr_policy_service_match(const svr_policy *p, const svr_tuple *t)
{
    return svr__rules_match(&p->rules, t);
}

static bool access_fits(const svr_policy *p, const svr_access *line, int tenant,
                        const svr_addr *source)
{
    if (!svr_addr_is_none(&line->source.addr) &&
        !svr_prefix_contains(&line->source, source))
        return false;
    if (line->tenant == SVR_TENANT_NONE)
        return true;
    return tenant != SVR_TENANT_NONE &&
           svr__names_covers(&p->tenants, line->tenant, tenant);
}

int svr_policy_access(const svr_policy *p, int index, int tenant,
                      const svr_addr *source)
{
    const service *s = service_at(p, index);
    if (!s || !tenant_valid(tenant, p->tenants.count))
        return SVR_ERR_DENIED;
    bool allowed = s->public_scope && tenant == SVR_TENANT_NONE;
    const svr_access *line = p->access + s->access_first;
    for (uint32_t i = 0; i < s->access_count; i++, line++) {
        if (!access_fits(p, line, tenant, source))
            continue;
        if (!line->allow)
            return SVR_ERR_DENIED;
        allowed = true;
    }
    return allowed ? 0 : SVR_ERR_DENIED;
}
