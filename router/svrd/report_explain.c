#include "report_explain.h"

#include "common/text.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static json_t *text(const char *s)
{
    return s != NULL ? json_string(s) : json_null();
}

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* ---- the question ---- */

struct question {
    int tenant;
    svr_tuple context;
};

static bool read_tenant(const struct report *r, const json_t *request,
                        struct question *q)
{
    const svr_policy_config *p = &r->config->node.policy;
    const char *name = json_string_value(json_object_get(request, "tenant"));

    q->tenant = SVR_TENANT_NONE;
    if (name == NULL)
        return false;
    if (strcmp(name, "none") == 0)
        return true;
    for (size_t i = 0; i < p->tenant_count; i++)
        if (strcmp(p->tenants[i], name) == 0)
            q->tenant = (int)i;
    return q->tenant != SVR_TENANT_NONE;
}

static bool read_address(const json_t *request, struct question *q)
{
    const char *s = json_string_value(json_object_get(request, "address"));
    uint8_t b[16];

    if (s == NULL)
        return false;
    if (inet_pton(AF_INET, s, b) == 1)
        q->context.dst = svr_addr_from_v4(b);
    else if (inet_pton(AF_INET6, s, b) == 1)
        q->context.dst = svr_addr_from_v6(b);
    else
        return false;
    return true;
}

static bool read_protocol(const json_t *request, struct question *q)
{
    const char *s = json_string_value(json_object_get(request, "protocol"));
    char name[TEXT_PROTO];

    for (unsigned i = 1; s != NULL && i <= UINT8_MAX; i++) {
        char digits[8];
        snprintf(digits, sizeof(digits), "%u", i);
        if (strcmp(text_proto(name, (uint8_t)i), s) == 0 ||
            strcmp(digits, s) == 0) {
            q->context.proto = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static bool read_port(const json_t *request, struct question *q)
{
    const json_t *port = json_object_get(request, "port");

    if (!json_is_integer(port) || json_integer_value(port) < 0 ||
        json_integer_value(port) > UINT16_MAX)
        return false;
    q->context.dport = (uint16_t)json_integer_value(port);
    return true;
}

/* What is wrong with it, or NULL. */
static const char *read_question(const struct report *r, const json_t *request,
                                 struct question *q)
{
    *q = (struct question){0};
    if (!read_tenant(r, request, q))
        return "tenant must be one of the authority, or none";
    if (!read_address(request, q))
        return "address must be an IPv4 or IPv6 address";
    if (!read_port(request, q))
        return "port must be a number from 0 to 65535";
    return read_protocol(request, q) ? NULL
                                     : "protocol must be tcp, udp, icmp, "
                                       "icmpv6, gre, esp or a number";
}

/* ---- the question about a service ---- */

static int find_service(const svr_policy_config *p, const char *name)
{
    for (size_t i = 0; i < p->service_count; i++)
        if (strcmp(p->services[i].name, name) == 0)
            return (int)i;
    return SVR_ERR_NOT_FOUND;
}

static bool is_denied(const svr_explanation *e)
{
    return e->refused == SVR_DROP_ACCESS || e->refused == SVR_DROP_NO_TENANT;
}

/* By the first address and port of a prefix and transport; false where that is
 * another service or the router itself. */
static bool explain_part(const struct report *r, int service,
                         const svr_prefix *prefix, const svr_transport *t,
                         svr_explanation *e, svr_time now)
{
    const svr_policy_config *p = &r->config->node.policy;
    svr_tuple context = {.dst = prefix->addr,
                         .dport = t->first,
                         .proto = t->proto ? t->proto : IPPROTO_TCP};
    int tenant = SVR_TENANT_NONE;

    /* Whoever may reach it, so that no way is refused for who asks. */
    do {
        if (svr_node_explain(r->node, tenant, &context, e, now) < 0 ||
            e->service != service)
            return false;
    } while (is_denied(e) && ++tenant < (int)p->tenant_count);
    return e->refused != SVR_DROP_NOT_FOR_US;
}

static bool explain_service(const struct report *r, int service,
                            svr_explanation *e, svr_time now)
{
    static const svr_transport any = {0};
    const svr_service_config *s = &r->config->node.policy.services[service];
    size_t count = s->transport_count ? s->transport_count : 1;

    for (size_t i = 0; i < s->prefix_count; i++)
        for (size_t k = 0; k < count; k++)
            if (explain_part(r, service, &s->prefixes[i],
                             s->transport_count ? &s->transports[k] : &any, e,
                             now))
                return true;
    return false;
}

/* ---- the answer ---- */

static const char *best_path_name(enum svr_best_path b)
{
    static const char *const names[] = {"order", "vector", "latency", "mos"};

    return names[b];
}

static json_t *limits(const svr_service_policy *p)
{
    json_t *o;

    if (!p->quality_filter)
        return json_null();
    o = json_pack("{s:o, s:o, s:o}", "max_latency_us",
                  number(p->max_latency_us), "max_jitter_us",
                  number(p->max_jitter_us), "max_loss_ppm",
                  number(p->max_loss_ppm));
    json_object_set_new(o, "min_mos",
                        p->min_mos ? json_real(p->min_mos / 1000.0)
                                   : json_null());
    return o;
}

static json_t *policy(const svr_service_policy *p)
{
    return json_pack(
        "{s:s, s:s, s:b, s:o}", "best_path", best_path_name(p->best_path),
        "balance", p->balance == SVR_BALANCE_HUNT ? "hunt" : "proportional",
        "best_effort", (int)!p->no_best_effort, "limits", limits(p));
}

static const char *state_of(const svr_node_way *w)
{
    if (!w->up)
        return "down";
    return w->ready ? "up" : "held-down";
}

static json_t *coming(const svr_node_way *w)
{
    json_t *list = json_array();

    for (size_t i = 0; i < w->coming_count; i++)
        json_array_append_new(list, text(w->coming[i]));
    return list;
}

static json_t *count_or_null(uint32_t n)
{
    return n == UINT32_MAX ? json_null() : number(n);
}

static void add_vector(json_t *o, const svr_node_way *w)
{
    const svr_vector *v = &w->vector;
    bool named = v->priority < SVR_PATH_UNNAMED;

    json_object_set_new(o, "rank", text(svr_way_rank_name(w->rank)));
    json_object_set_new(o, "rank_text", text(svr_way_rank_text(w->rank)));
    json_object_set_new(o, "reason", text(svr_path_reason_name(v->reason)));
    json_object_set_new(o, "reason_text",
                        text(svr_path_reason_text(v->reason)));
    json_object_set_new(o, "value", number(v->value));
    json_object_set_new(o, "bound", number(v->bound));
    json_object_set_new(o, "routers_to_come", coming(w));
    json_object_set_new(o, "hops", number(v->hops));
    json_object_set_new(o, "latency_us", number(v->latency_us));
    json_object_set_new(o, "jitter_us", number(v->jitter_us));
    json_object_set_new(o, "loss_ppm", number(v->loss_ppm));
    json_object_set_new(o, "mos", json_real(v->mos / 1000.0));
    json_object_set_new(o, "priority",
                        named ? number(v->priority) : json_null());
    json_object_set_new(o, "cost", number(v->cost));
    json_object_set_new(o, "room", count_or_null(v->room));
    json_object_set_new(o, "full", json_boolean(w->full));
}

static json_t *refusal(enum svr_drop reason)
{
    if (reason == SVR_DROP_NONE)
        return json_null();
    return json_pack("{s:s, s:s}", "reason", svr_drop_name(reason), "text",
                     svr_drop_text(reason));
}

static json_t *way(const svr_node_way *w)
{
    json_t *o = json_object();

    json_object_set_new(o, "pathway", text(w->pathway));
    json_object_set_new(o, "peer", text(w->peer));
    json_object_set_new(o, "interface", text(w->interface));
    json_object_set_new(o, "state", text(state_of(w)));
    json_object_set_new(o, "sessions", number(w->sessions));
    json_object_set_new(o, "passed_over", refusal(w->passed_over));
    if (w->known)
        add_vector(o, w);
    return o;
}

static json_t *ways(const struct report *r, const svr_explanation *e,
                    svr_time now)
{
    json_t *list = json_array();
    svr_node_way w;

    for (size_t i = 0; i < e->ways; i++) {
        svr_node_explained(r->node, e, i, &w, now);
        json_array_append_new(list, way(&w));
    }
    return list;
}

static json_t *data_of(const struct report *r, const json_t *request,
                       const svr_explanation *e, svr_time now)
{
    static const char *const asked[] = {"tenant", "address", "port",
                                        "protocol"};
    const svr_service_config *service =
        e->service < 0 ? NULL : &r->config->node.policy.services[e->service];
    json_t *o = json_object();

    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
        json_object_set(o, asked[i], json_object_get(request, asked[i]));
    json_object_set_new(o, "router", text(r->config->router));
    json_object_set_new(o, "service", text(service ? service->name : NULL));
    json_object_set_new(o, "policy",
                        service ? policy(&service->policy) : json_null());
    json_object_set_new(o, "refused", refusal(e->refused));
    json_object_set_new(o, "choice",
                        e->refused == SVR_DROP_NONE ? number(e->choice)
                                                    : json_null());
    json_object_set_new(o, "ways", service ? ways(r, e, now) : json_array());
    return o;
}

static json_t *service_document(const struct report *r, const json_t *request,
                                svr_time now)
{
    const char *name = json_string_value(json_object_get(request, "service"));
    svr_explanation e;
    int service;

    if (name == NULL)
        return report_error("service must be a name");
    service = find_service(&r->config->node.policy, name);
    if (service < 0)
        return report_error("there is no service of that name");
    if (!explain_service(r, service, &e, now))
        return report_error("other services, or the router itself, have "
                            "the addresses of this service");
    return report_document("svr.explain/1", data_of(r, request, &e, now));
}

json_t *report_explain(const struct report *r, const json_t *request,
                       svr_time now)
{
    struct question q;
    svr_explanation e;
    const char *wrong;

    if (json_object_get(request, "service") != NULL)
        return service_document(r, request, now);
    wrong = read_question(r, request, &q);
    if (wrong != NULL)
        return report_error(wrong);
    if (svr_node_explain(r->node, q.tenant, &q.context, &e, now) < 0)
        return report_error("the router does not know this tenant");
    return report_document("svr.explain/1", data_of(r, request, &e, now));
}
