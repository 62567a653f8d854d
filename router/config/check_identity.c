/* check_identity.c - who exchanges keys has an identity (S12.3). */
#include "check.h"

#include <string.h>

bool security_is_exchanged(const struct value *security)
{
    return strcmp(value_of(security, SECURITY_KEY)->text, SCHEMA_EXCHANGED) ==
           0;
}

bool pathway_is_exchanged(const struct value *root, const struct value *pathway)
{
    const struct value *security =
        value_find(value_of(root, ROOT_SECURITY),
                   value_of(pathway, PATHWAY_SECURITY)->text);

    return security && !security->broken && security_is_exchanged(security);
}

/* The exchange travels in the block. */
static void check_form(struct checker *c, const struct value *pathway)
{
    const struct value *form =
        value_of(value_of(pathway, PATHWAY_BFD), BFD_FORM);

    if (form->number == FORM_PLAIN)
        report_problem(c->report, form->at,
                       "found BFD form \"plain\" in a pathway whose keys are "
                       "exchanged, expected form \"block\" or a key file");
}

static void report_missing(struct checker *c, const struct value *router,
                           const struct value *pathway)
{
    report_problem(c->report, router->at,
                   "found router %s without \"identity\", expected one, for "
                   "pathway %s has keys that are exchanged (line %u): "
                   "svrctl keygen %s makes one",
                   quote(router->text).s, quote(pathway->text).s,
                   value_of(pathway, PATHWAY_SECURITY)->at.line,
                   shell_word(router->text, "NAME"));
}

static void check_router(struct checker *c, const struct value *router)
{
    const struct value *list = value_of(router, ROUTER_PATHWAYS);
    const struct value *identity = value_of(router, ROUTER_IDENTITY);
    bool missing = !identity->given && !router->lost;

    for (size_t i = 0; i < list->count; i++) {
        const struct value *pathway = &list->items[i];

        if (pathway->broken || !pathway_is_exchanged(c->root, pathway))
            continue;
        check_form(c, pathway);
        if (missing)
            report_missing(c, router, pathway);
        missing = false; /* it is told once */
    }
}

bool check_identities(struct checker *c)
{
    const struct value *routers = value_of(c->root, ROOT_ROUTERS);
    struct claim *claims = check_claims(c, routers->count);
    size_t n = 0;

    if (!claims)
        return false;
    for (size_t i = 0; i < routers->count; i++) {
        const struct value *router = &routers->items[i];
        const struct value *identity = value_of(router, ROUTER_IDENTITY);

        check_router(c, router);
        if (identity->given && !identity->broken)
            claims[n++] = (struct claim){identity->identity,
                                         sizeof(identity->identity), identity};
    }
    check_distinct(c, claims, n, "the identity");
    return true;
}
