/* Route records: which routers a session has passed (S20). */
#include "node/node.h"

#include "base/memory.h"
#include "base/text.h"

#include <string.h>

/* Where the configuration names no routers: this one and its peers. */
static int name_neighbours(svr_node *n)
{
    int err = svr__names_init(&n->routers, n->peer_count + 1, &n->alloc);
    if (err < 0)
        return err;
    svr__names_put(&n->routers, 0, n->name);
    for (size_t i = 0; i < n->peer_count; i++)
        svr__names_put(&n->routers, i + 1, n->peers[i].name);
    return svr__names_sort(&n->routers);
}

static int name_all(svr_node *n, const svr_node_config *c)
{
    int err = svr__names_init(&n->routers, c->router_count, &n->alloc);
    if (err < 0)
        return err;
    for (size_t i = 0; i < c->router_count; i++)
        svr__names_put(&n->routers, i, c->routers[i]);
    return svr__names_sort(&n->routers);
}

int svr__record_init(svr_node *n, const svr_node_config *c)
{
    int err = c->router_count ? name_all(n, c) : name_neighbours(n);
    if (err < 0)
        return err;
    int self = svr__names_find(&n->routers, svr__text(n->name));
    if (self < 0)
        return SVR_ERR_ARGUMENT;
    n->self = (uint16_t)self;
    for (size_t i = 0; i < n->peer_count; i++) {
        int router = svr__names_find(&n->routers, svr__text(n->peers[i].name));
        if (router < 0)
            return SVR_ERR_ARGUMENT;
        n->peers[i].router = (uint16_t)router;
    }
    return 0;
}

/* Routers to come that are not known here say nothing (S16.4): the way is
 * found anew from there. */
static void read_coming(const svr_node *n, const svr_span *names, size_t count,
                        svr__passed *out)
{
    for (size_t i = 0; i < count; i++) {
        int router = svr__names_find(&n->routers, names[i]);
        if (router < 0 || router == n->self)
            return;
        out->router[out->count + out->coming++] = (uint16_t)router;
    }
}

int svr__versions_init(svr_node *n)
{
    n->versions = svr__reserve(&n->alloc, n->table.cap, sizeof(*n->versions));
    return n->versions ? 0 : SVR_ERR_NO_MEMORY;
}

void svr__versions_fini(svr_node *n)
{
    svr__free(&n->alloc, n->versions, n->table.cap, sizeof(*n->versions));
}

svr__versions *svr__versions_of(const svr_node *n, const svr__session *s)
{
    return &n->versions[svr__session_number(&n->table, s)];
}

enum svr_drop svr__record_read(const svr_node *n, svr_span record,
                               svr__passed *out, svr__versions *versions)
{
    svr_span names[SVR__PASSED_MAX];
    svr__passed passed = {{0}};
    size_t coming;
    int count = svr__route_record_read(record, names, SVR__PASSED_MAX, &coming);
    if (count < 0)
        return SVR_DROP_LOOP;
    for (int i = 0; i < count; i++) {
        int router = svr__names_find(&n->routers, names[i]);
        if (router < 0)
            return SVR_DROP_MD_ROUTER;
        if (router == n->self)
            return SVR_DROP_LOOP;
        passed.router[passed.count++] = (uint16_t)router;
    }
    read_coming(n, names + count, coming, &passed);
    *out = passed;
    svr__route_record_versions(record, versions->passed, passed.count);
    return SVR_DROP_NONE;
}

svr_span svr__record_write(const svr_node *n, const svr__passed *passed,
                           const svr__versions *versions,
                           uint8_t buf[SVR__RECORD_MAX])
{
    svr_span names[SVR__PASSED_MAX + 1];
    uint64_t said[SVR__PASSED_MAX + 1];
    size_t own = passed->count, all = own + passed->coming;
    for (size_t i = 0; versions && i <= own; i++)
        said[i] = i < own ? versions->passed[i] : versions->own;
    for (size_t i = 0; i < all; i++)
        names[i + (i >= own)] =
            svr__text(svr__names_at(&n->routers, passed->router[i]));
    names[own] = svr__text(n->name);
    return svr__route_record_write(buf, SVR__RECORD_MAX, names, own + 1,
                                   passed->coming, versions ? said : NULL);
}

bool svr__record_is_later(const svr_node *n, const svr__session *s,
                          const svr__passed *passed,
                          const svr__versions *versions)
{
    const svr__versions *had = svr__versions_of(n, s);

    if (!svr__is_chosen(&n->choices, s->service))
        return false;
    if (s->passed.count == 0) /* built anew from the other side */
        return passed->count > 0;
    for (unsigned i = 0; i < passed->count && i < s->passed.count; i++) {
        if (passed->router[i] != s->passed.router[i])
            return false;
        if (versions->passed[i] != had->passed[i])
            return versions->passed[i] > had->passed[i];
    }
    return false;
}

void svr__record_take(svr_node *n, svr__session *s, const svr__passed *passed,
                      const svr__versions *versions)
{
    uint64_t own = svr__versions_of(n, s)->own;

    s->passed = *passed;
    *svr__versions_of(n, s) = *versions;
    svr__versions_of(n, s)->own = own;
}

bool svr__record_holds(const svr__passed *passed, uint16_t router)
{
    for (unsigned i = 0; i < passed->count; i++)
        if (passed->router[i] == router)
            return true;
    return false;
}

bool svr__record_has(const svr_node *n, const svr__passed *passed,
                     uint16_t peer)
{
    return svr__record_holds(passed, n->peers[peer].router);
}

void svr__record_set_coming(svr__passed *passed, const uint16_t *routers,
                            size_t count)
{
    passed->coming = 0;
    while (passed->coming < count &&
           passed->count + passed->coming < SVR__PASSED_MAX) {
        passed->router[passed->count + passed->coming] =
            routers[passed->coming];
        passed->coming++;
    }
}

/* With long names a record can be full before it has all its places (S2.8). One
 * that this router begins always has room. */
bool svr__record_fits(const svr_node *n, const svr__session *s)
{
    return !(s->passed.count + s->passed.coming) ||
           s->side[SVR__SERVER].pathway == SVR__NO_PATHWAY ||
           svr__describe_len(n, s, SVR__SERVER, SVR_HAS(TCP_SYN), 0) <=
               SVR_METADATA_MAX;
}

static bool fits_plan(const svr_node *n, const svr__session_plan *plan)
{
    return !(plan->passed.count + plan->passed.coming) ||
           plan->side[SVR__SERVER].pathway == SVR__NO_PATHWAY ||
           svr__describe_plan_len(n, plan) <= SVR_METADATA_MAX;
}

bool svr__record_fits_plan(const svr_node *n, svr__session_plan *plan)
{
    if (!fits_plan(n, plan))
        plan->passed.coming = 0; /* the next router finds out itself */
    return fits_plan(n, plan);
}
