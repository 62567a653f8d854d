/* What paths are computed from: names of vectors, the pathways of the other
 * routers, and the routers where services leave. */
#include "build.h"
#include "check.h"

#include <string.h>

/* Names in the order in which the file's pathways first have them. */
static bool has_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

typedef bool visit_fn(struct builder *b, const struct value *router,
                      const struct value *pathway);

/* All pathways of all routers; false where a visit was. */
static bool for_pathways(struct builder *b, visit_fn *visit)
{
    const struct value *routers = value_of(b->root, ROOT_ROUTERS);

    for (size_t i = 0; i < routers->count; i++) {
        const struct value *router = &routers->items[i];
        const struct value *list = value_of(router, ROUTER_PATHWAYS);

        for (size_t j = 0; j < list->count; j++)
            if (!visit(b, router, &list->items[j]))
                return false;
    }
    return true;
}

static size_t count_pathways(const struct builder *b)
{
    const struct value *routers = value_of(b->root, ROOT_ROUTERS);
    size_t count = 0;

    for (size_t i = 0; i < routers->count; i++)
        count += value_of(&routers->items[i], ROUTER_PATHWAYS)->count;
    return count;
}

static bool add_vector(struct builder *b, const struct value *router,
                       const struct value *pathway)
{
    const struct value *name = value_of(pathway, PATHWAY_VECTOR);
    svr_policy_config *p = &b->out->config.node.policy;
    const char **names = (const char **)p->vectors;

    (void)router;
    if (!name->given || has_name(names, p->vector_count, name->text))
        return true;
    names[p->vector_count] = build_text(b, name->text);
    return names[p->vector_count++] != NULL;
}

bool build_vectors(struct builder *b)
{
    b->out->config.node.policy.vectors =
        build_array(b, count_pathways(b), sizeof(const char *));
    return b->out->config.node.policy.vectors && for_pathways(b, add_vector);
}

uint16_t build_vector(const struct builder *b, const char *name)
{
    const svr_policy_config *p = &b->out->config.node.policy;
    size_t i = 0;

    while (strcmp(p->vectors[i], name) != 0)
        i++;
    return (uint16_t)i;
}

uint16_t build_vector_of(const struct builder *b, const struct value *pathway)
{
    const struct value *name = value_of(pathway, PATHWAY_VECTOR);

    return name->given ? build_vector(b, name->text) : SVR_VECTOR_NONE;
}

/* The place of a pathway among all of them. */
static size_t number_of(const struct builder *b, const struct value *router,
                        const struct value *pathway)
{
    const struct value *routers = value_of(b->root, ROOT_ROUTERS);
    size_t before = 0;

    for (const struct value *r = routers->items; r != router; r++)
        before += value_of(r, ROUTER_PATHWAYS)->count;
    return before +
           (size_t)(pathway - value_of(router, ROUTER_PATHWAYS)->items);
}

uint32_t build_link_of(const struct builder *b, const struct value *router,
                       const struct value *pathway)
{
    const struct value *peer = value_find(
        value_of(b->root, ROOT_ROUTERS), value_of(pathway, PATHWAY_PEER)->text);
    size_t there = number_of(b, router, pathway);
    size_t back = number_of(b, peer, pathway_reverse(b->root, router, pathway));

    return (uint32_t)(there < back ? there : back);
}

static bool add_link(struct builder *b, const struct value *router,
                     const struct value *pathway)
{
    const struct value *routers = value_of(b->root, ROOT_ROUTERS);
    svr_node_config *node = &b->out->config.node;
    svr_link_config *links = (svr_link_config *)node->links;

    if (router == b->router)
        return true;
    links[node->link_count++] = (svr_link_config){
        .name = build_text(b, pathway->text),
        .from = (uint16_t)(router - routers->items),
        .to = (uint16_t)value_index(routers,
                                    value_of(pathway, PATHWAY_PEER)->text),
        .vector = build_vector_of(b, pathway),
        .cost = (uint32_t)value_of(pathway, PATHWAY_COST)->number,
        .capacity = (uint32_t)value_of(pathway, PATHWAY_CAPACITY)->number,
        .link = build_link_of(b, router, pathway),
    };
    return links[node->link_count - 1].name != NULL;
}

static void add_instances(struct builder *b, uint16_t service)
{
    const struct value *routers = value_of(b->root, ROOT_ROUTERS);
    const struct value *routes = value_of(
        &value_of(b->root, ROOT_SERVICES)->items[service], SERVICE_ROUTES);
    svr_node_config *node = &b->out->config.node;
    svr_instance_config *out = (svr_instance_config *)node->instances;

    for (size_t i = 0; i < routes->count; i++) {
        const struct value *r = &routes->items[i];

        out[node->instance_count++] = (svr_instance_config){
            .service = service,
            .router =
                (uint16_t)value_index(routers, value_of(r, ROUTE_ROUTER)->text),
            .capacity = (uint32_t)value_of(r, ROUTE_CAPACITY)->number,
        };
    }
}

static bool build_instances(struct builder *b)
{
    const struct value *services = value_of(b->root, ROOT_SERVICES);
    size_t count = 0;

    for (size_t i = 0; i < services->count; i++)
        count += value_of(&services->items[i], SERVICE_ROUTES)->count;
    b->out->config.node.instances =
        build_array(b, count, sizeof(svr_instance_config));
    if (!b->out->config.node.instances)
        return false;
    for (size_t i = 0; i < services->count; i++)
        add_instances(b, (uint16_t)i);
    return true;
}

bool build_topology(struct builder *b)
{
    b->out->config.node.learn = true;
    b->out->config.node.links =
        build_array(b, count_pathways(b), sizeof(svr_link_config));
    return b->out->config.node.links && for_pathways(b, add_link) &&
           build_instances(b);
}
