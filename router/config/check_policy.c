#include "baseline.h"
#include "check.h"

#include <string.h>

/* The file's policies, then the ready-made ones. */
static const char *policy_name(const void *list, size_t i)
{
    const struct value *own = list;

    return i < own->count ? own->items[i].text : baseline_name(i - own->count);
}

void check_policy_of(struct checker *c, const struct value *service)
{
    const struct value *policy = value_of(service, SERVICE_POLICY);
    const struct value *list = value_of(c->root, ROOT_SERVICE_POLICIES);
    const struct words words = {policy_name, list,
                                list->count + baseline_count()};

    if (policy->given && !value_find(list, policy->text) &&
        !baseline_find(policy->text) && !list->lost)
        report_unknown(c->report, policy->at, "", policy->text,
                       "a service policy", &words);
}

/* The vectors that pathways have, each once, in no order. */
struct names {
    const char **list;
    size_t count;
    bool lost; /* there are others that could not be read */
};

static void note(struct names *n, const struct value *name)
{
    if (!name->given)
        return;
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->list[i], name->text) == 0)
            return;
    n->list[n->count++] = name->text;
}

static size_t count_pathways(const struct value *routers)
{
    size_t count = 0;

    for (size_t i = 0; i < routers->count; i++)
        if (!routers->items[i].broken)
            count += value_of(&routers->items[i], ROUTER_PATHWAYS)->count;
    return count;
}

static bool collect(struct checker *c, struct names *n)
{
    const struct value *routers = value_of(c->root, ROOT_ROUTERS);

    *n = (struct names){.lost = routers->lost};
    n->list = arena_array(c->arena, count_pathways(routers), sizeof(char *));
    if (!n->list)
        return false;
    for (size_t i = 0; i < routers->count; i++) {
        const struct value *router = &routers->items[i];
        if (router->broken) {
            n->lost = true;
            continue;
        }
        const struct value *list = value_of(router, ROUTER_PATHWAYS);
        for (size_t j = 0; j < list->count; j++)
            note(n, value_of(&list->items[j], PATHWAY_VECTOR));
    }
    return true;
}

static const char *name_at(const void *list, size_t i)
{
    return ((const char *const *)list)[i];
}

static void check_name(struct checker *c, const struct names *known,
                       const struct value *name)
{
    const struct words words = {name_at, known->list, known->count};

    for (size_t i = 0; i < known->count; i++)
        if (strcmp(known->list[i], name->text) == 0)
            return;
    if (!known->lost)
        report_unknown(c->report, name->at, "", name->text,
                       "the vector of a pathway", &words);
}

static bool check_vectors(struct checker *c, const struct names *known,
                          const struct value *policy)
{
    const struct value *list = value_of(policy, SERVICE_POLICY_VECTORS);
    struct claim *claims = check_claims(c, list->count);

    if (!claims)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const struct value *name = value_of(&list->items[i], VECTOR_NAME);

        check_name(c, known, name);
        claims[i] = (struct claim){name->text, strlen(name->text), name};
    }
    check_distinct(c, claims, list->count, "the vector");
    return true;
}

/* Pathways in the order of the file have no rank, and nothing leaves them for a
 * limit. */
static void check_order(struct checker *c, const struct value *policy)
{
    const struct value *best = value_of(policy, SERVICE_POLICY_BEST_PATH);

    if (!best->given || best->number != SVR_BEST_ORDER)
        return;
    for (unsigned key = SERVICE_POLICY_VECTORS; key <= SERVICE_POLICY_BALANCE;
         key++) {
        const struct value *v = value_of(policy, key);
        if (v->given)
            report_problem(c->report, v->at,
                           "found %s beside \"best-path: order\", expected "
                           "\"best-path: vector\", \"latency\" or \"mos\"",
                           v->key->name);
    }
}

bool check_policies(struct checker *c)
{
    const struct value *list = value_of(c->root, ROOT_SERVICE_POLICIES);
    struct names known;

    if (!collect(c, &known))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const struct value *policy = &list->items[i];
        if (policy->broken)
            continue;
        check_order(c, policy);
        if (!check_vectors(c, &known, policy))
            return false;
    }
    return true;
}
