/* What reverse metadata can build anew, and what it cannot (S8.5). */
#include "node/node.h"
#include "node_net.h"

#include <criterion/criterion.h>
#include <string.h>

/* A session of the hub's, or of the branch's, and what its peer would return
 * after the router's next start. */
struct given {
    struct net net;
    svr_node *n;
    svr__session *s;
    uint8_t token[SVR__TOKEN_MAX];
    svr_metadata md;
    svr__pathway *from;
    svr__work w;
};

static void open_given(struct given *g, bool transit)
{
    net_open(&g->net, &(struct net_options){.hub = transit, .forever = true});
    trip(&g->net, false, frame_udp(CLIENT, 5000, SERVER, 7, "a", 1));
    trip(&g->net, true, frame_udp(SERVER, 7, CLIENT, 5000, "a", 1));
    g->n = transit ? g->net.hub : g->net.branch;
    g->s = &g->n->table.sessions[0];
    while (!g->s->alive)
        g->s++;
    svr_metadata_init(&g->md);
    g->md.uuid = g->s->uuid;
    g->md.reverse = svr_tuple_reverse(&g->s->context);
    g->md.recovery_token = svr__token_make(g->n, g->s, g->token);
    g->n->boot++;
    g->from = &g->n->pathways[g->s->side[SVR__SERVER].pathway];
    svr_tuple t = svr__side_tuple(g->n, g->s, SVR__SERVER);
    g->w = (svr__work){.node = g->n, .now = g->net.now};
    g->w.headers.tuple = svr_tuple_reverse(&t);
}

static enum svr_drop recover(struct given *g, svr__session_plan *plan)
{
    return svr__recover_plan(&g->w, g->from, &g->md, plan);
}

static void each_role(void (*check)(struct given *g))
{
    for (int transit = 0; transit < 2; transit++) {
        struct given g;
        open_given(&g, transit);
        check(&g);
        net_close(&g.net);
    }
}

static void expect_as_it_was(struct given *g)
{
    svr__session_plan plan;
    cr_assert_eq(recover(g, &plan), SVR_DROP_NONE);
    cr_expect(plan.recovered);
    cr_expect_eq(memcmp(&plan.uuid, &g->s->uuid, sizeof(plan.uuid)), 0);
    cr_expect(svr_tuple_equal(&plan.context, &g->s->context));
    cr_expect_eq(plan.tenant, g->s->tenant);
    cr_expect_eq(plan.service, g->s->service);
    for (unsigned side = 0; side < 2; side++) {
        const svr__flow *f = svr__session_flow(&g->n->table, g->s, side);
        svr_tuple in = {f->key.src, f->key.dst, f->key.sport, f->key.dport,
                        f->key.proto};
        svr_tuple expected = side == SVR__SERVER ? svr_tuple_reverse(&in) : in;
        cr_expect(svr_tuple_equal(&plan.side[side].tuple, &expected), "%u",
                  side);
        cr_expect_eq(plan.side[side].pathway, g->s->side[side].pathway);
        cr_expect_eq(plan.side[side].iface, g->s->side[side].iface);
    }
}

Test(node_recover, both_sides_as_they_were)
{
    each_role(expect_as_it_was);
}

static void expect_refused(struct given *g)
{
    svr__session_plan plan;
    svr_metadata good = g->md;

    for (size_t bit = 0; bit < 8 * good.recovery_token.len; bit++) {
        g->token[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_eq(recover(g, &plan), SVR_DROP_TOKEN, "bit %zu", bit);
        g->token[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    g->md.recovery_token.len--;
    cr_expect_eq(recover(g, &plan), SVR_DROP_TOKEN, "cut");
    g->md = good;
    g->md.uuid.b[3] ^= 1;
    cr_expect_eq(recover(g, &plan), SVR_DROP_TOKEN, "another session");
    g->md = good;
    g->md.reverse.dst.b[15] ^= 1;
    cr_expect_eq(recover(g, &plan), SVR_DROP_TOKEN, "another client");
    g->md = good;
    g->md.reverse = g->s->context;
    cr_expect_eq(recover(g, &plan), SVR_DROP_TOKEN, "the other way round");
    g->md = good;
    g->n->recovery_key[0] ^= 1;
    cr_expect_eq(recover(g, &plan), SVR_DROP_TOKEN, "another key");
    g->n->recovery_key[0] ^= 1;
    cr_expect_eq(recover(g, &plan), SVR_DROP_NONE, "the control");
}

Test(node_recover, forged_and_foreign_tokens)
{
    each_role(expect_refused);
}

static void expect_expired(struct given *g)
{
    svr__session_plan plan;

    g->w.now = g->net.now + 24 * 3600 * SVR_SECOND;
    cr_expect_eq(recover(g, &plan), SVR_DROP_NONE, "good for a day");
    g->w.now = g->net.now + 37 * 3600 * SVR_SECOND;
    cr_expect_eq(recover(g, &plan), SVR_DROP_TOKEN);
}

Test(node_recover, old_tokens)
{
    each_role(expect_expired);
}

/* What this start of the router has known is not lost, but ended. */
static void expect_earlier_start(struct given *g)
{
    static const struct {
        int later;
        enum svr_drop expected;
    } rows[] = {
        {-1, SVR_DROP_TOKEN},
        {0, SVR_DROP_TOKEN},
        {1, SVR_DROP_NONE},
        {1000, SVR_DROP_NONE},
    };
    const uint32_t made = g->n->boot - 1;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        svr__session_plan plan;
        g->n->boot = made + (uint32_t)rows[i].later;
        cr_expect_eq(recover(g, &plan), rows[i].expected, "%d starts later",
                     rows[i].later);
    }
}

Test(node_recover, only_of_an_earlier_start)
{
    each_role(expect_earlier_start);
}

/* A clock that was ahead has made it; some difference is allowed for. */
static void expect_not_from_the_future(struct given *g)
{
    const svr_time hour = 3600 * SVR_SECOND;
    const uint64_t offset = g->n->unix_offset;
    svr__session_plan plan;

    g->n->unix_offset = offset - 36 * hour;
    cr_expect_eq(recover(g, &plan), SVR_DROP_NONE, "36 hours ahead");
    g->n->unix_offset = offset - 49 * hour;
    cr_expect_eq(recover(g, &plan), SVR_DROP_TOKEN, "49 hours ahead");
    g->n->unix_offset = offset - 365 * 24 * hour;
    cr_expect_eq(recover(g, &plan), SVR_DROP_TOKEN, "a year ahead");
}

Test(node_recover, tokens_from_the_future)
{
    each_role(expect_not_from_the_future);
}

/* The previous hop of the hub's session, and the same pathway later. */
Test(node_recover, pathway_that_leads_elsewhere)
{
    static const struct {
        const char *configured, *now;
        bool peer_nat;
        enum svr_drop expected;
    } rows[] = {
        {"203.0.113.99", "203.0.113.99", false, SVR_DROP_TOKEN},
        {"203.0.113.99", "203.0.113.98", false, SVR_DROP_TOKEN},
        {"203.0.113.99", "203.0.113.99", true, SVR_DROP_NONE},
        {NULL, "203.0.113.99", false, SVR_DROP_NONE},
        {"203.0.113.99", NULL, false, SVR_DROP_NONE},
    };
    struct given g;

    open_given(&g, true);
    svr__pathway *previous = &g.n->pathways[g.s->side[SVR__CLIENT].pathway];
    const svr__pathway as_it_was = *previous;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        svr__session_plan plan;
        if (rows[i].configured)
            previous->configured = addr(rows[i].configured);
        if (rows[i].now)
            previous->remote = addr(rows[i].now);
        previous->peer_nat = rows[i].peer_nat;
        cr_expect_eq(recover(&g, &plan), rows[i].expected, "row %zu", i);
        *previous = as_it_was;
    }
    svr__session_plan plan;
    previous->local = addr("2001:db8::3");
    previous->peer_nat = true;
    cr_expect_eq(recover(&g, &plan), SVR_DROP_TOKEN, "another family");
    net_close(&g.net);
}

/* The token that dc has is no good for the branch. */
Test(node_recover, another_peer_than_it_was_given_to)
{
    struct given g;
    svr__session_plan plan;

    open_given(&g, true);
    g.from = &g.n->pathways[g.s->side[SVR__CLIENT].pathway];
    cr_expect_eq(recover(&g, &plan), SVR_DROP_TOKEN);
    net_close(&g.net);
}

/* What has changed since the token was made. Ids take the place of names. */
static void expect_no_access(struct given *g)
{
    svr__session_plan plan;
    uint32_t *const ids[] = {
        &g->n->tenant_ids[g->s->tenant],
        &g->n->service_ids[g->s->service],
        g->s->side[SVR__CLIENT].pathway == SVR__NO_PATHWAY
            ? &g->n->interfaces[g->s->side[SVR__CLIENT].iface].token_id
            : &g->n->pathways[g->s->side[SVR__CLIENT].pathway].token_id,
    };
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        *ids[i] ^= 1;
        cr_expect_eq(recover(g, &plan), SVR_DROP_ACCESS, "%zu is gone", i);
        *ids[i] ^= 1;
    }
    cr_expect_eq(recover(g, &plan), SVR_DROP_NONE, "the control");
}

Test(node_recover, names_that_are_gone)
{
    each_role(expect_no_access);
}

static void deny(struct net_plan *p)
{
    p->access[0].allow = false;
}

static void other_service(struct net_plan *p)
{
    p->server_prefixes[0].addr = addr("10.22.0.0");
}

/* The client's interface belongs to others now. */
static void other_tenant(struct net_plan *p)
{
    p->interfaces[NET_LAN].tenant = 0;
}

Test(node_recover, access_revoked_in_between)
{
    const struct {
        void (*change)(struct net_plan *p);
        enum svr_drop at_ingress, at_transit;
    } rows[] = {
        {deny, SVR_DROP_ACCESS, SVR_DROP_ACCESS},
        {other_service, SVR_DROP_MD_CONTEXT, SVR_DROP_NONE},
        {other_tenant, SVR_DROP_ACCESS, SVR_DROP_NONE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int transit = 0; transit < 2; transit++) {
            struct given g;
            svr__session_plan plan;
            open_given(&g, transit);
            struct net_plan p;
            net_plan(&g.net, g.n, &p);
            rows[i].change(&p);
            cr_assert_eq(svr_node_reconfigure(g.n, &p.config, g.net.now, NULL),
                         0);
            g.from = &g.n->pathways[transit ? 1 : 0];
            cr_expect_eq(recover(&g, &plan),
                         transit ? rows[i].at_transit : rows[i].at_ingress,
                         "row %zu, %d: %s", i, transit,
                         svr_drop_name(recover(&g, &plan)));
            net_close(&g.net);
        }
}
