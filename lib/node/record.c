/* Route records: which routers a session has passed (S20). */
#include "node/node.h"

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

enum svr_drop svr__record_read(const svr_node *n, svr_span record,
                               svr__passed *out)
{
    svr_span names[SVR__PASSED_MAX];
    svr__passed passed = {{0}};
    int count = svr__route_record_read(record, names, SVR__PASSED_MAX);
    if (count < 0)
        return SVR_DROP_LOOP;
    for (int i = 0; i < count; i++) {
        int router = svr__names_find(&n->routers, names[i]);
        if (router < 0)
            return SVR_DROP_MD_ROUTER;
        if (router == n->self)
            return SVR_DROP_LOOP;
        passed.router[i] = (uint16_t)(router + 1);
    }
    *out = passed;
    return SVR_DROP_NONE;
}

svr_span svr__record_write(const svr_node *n, const svr__passed *passed,
                           uint8_t buf[SVR__RECORD_MAX])
{
    svr_span names[SVR__PASSED_MAX + 1];
    size_t count = 0;
    for (; count < SVR__PASSED_MAX && passed->router[count]; count++)
        names[count] =
            svr__text(svr__names_at(&n->routers, passed->router[count] - 1));
    names[count++] = svr__text(n->name);
    return svr__route_record_write(buf, SVR__RECORD_MAX, names, count);
}

bool svr__record_has(const svr_node *n, const svr__passed *passed,
                     uint16_t peer)
{
    uint16_t router = (uint16_t)(n->peers[peer].router + 1);
    for (unsigned i = 0; i < SVR__PASSED_MAX; i++)
        if (passed->router[i] == router)
            return true;
    return false;
}

/* With long names a record can be full before it has all its places (S2.8). One
 * that this router begins always has room. */
bool svr__record_fits(const svr_node *n, const svr__session *s)
{
    return !s->passed.router[0] ||
           s->side[SVR__SERVER].pathway == SVR__NO_PATHWAY ||
           svr__describe_len(n, s, SVR__SERVER, SVR_HAS(TCP_SYN)) <=
               SVR_METADATA_MAX;
}

bool svr__record_fits_plan(const svr_node *n, const svr__session_plan *plan)
{
    return !plan->passed.router[0] ||
           plan->side[SVR__SERVER].pathway == SVR__NO_PATHWAY ||
           svr__describe_plan_len(n, plan) <= SVR_METADATA_MAX;
}
