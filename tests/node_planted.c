/* The audit of a node finds what it looks for: faults planted in a node that is
 * all right are told, each in its words. */
#include "node_audit.h"
#include "node_net.h"

#include "node/node.h"

#include <criterion/criterion.h>
#include <string.h>

static svr__session *session(svr_node *n)
{
    svr__session *s = n->table.sessions;
    while (!s->alive)
        s++;
    return s;
}

static svr__flow *flow(svr_node *n)
{
    return svr__session_flow(&n->table, session(n), SVR__SERVER);
}

static void lose_a_packet(svr_node *n)
{
    n->counters.received++;
}

static void drop_without_reason(svr_node *n)
{
    n->counters.received++;
    n->counters.dropped[SVR_DROP_NONE]++;
}

static void miscount(svr_node *n)
{
    n->counters.sessions_ended++;
}

static void unbind(svr_node *n)
{
    svr__flow_unbind(&n->table, flow(n));
}

static void change_key(svr_node *n)
{
    flow(n)->key.sport ^= 1;
}

static void change_uuid(svr_node *n)
{
    session(n)->uuid.b[0] ^= 1;
}

static void stop_timer(svr_node *n)
{
    svr__wheel_disarm(&n->table.wheel,
                      svr__session_number(&n->table, session(n)));
}

static void forget(svr_node *n)
{
    session(n)->alive = 0;
}

static void end_behind_its_back(svr_node *n)
{
    svr__session_end(&n->table, session(n));
    n->counters.sessions_ended++;
}

static void lose_a_place(svr_node *n)
{
    n->table.free = n->table.sessions[n->table.free].next_free;
}

static void become_a_host(svr_node *n)
{
    session(n)->side[SVR__SERVER].pathway = SVR__NO_PATHWAY;
}

static void miscount_pathway(svr_node *n)
{
    n->pathways[0].sessions--;
}

static void miscount_tenant(svr_node *n)
{
    n->tenants[session(n)->tenant].sessions++;
}

static void miscount_peer(svr_node *n)
{
    n->peers[0].share.sessions++;
}

static void plant_alias(svr_node *n)
{
    svr__alias a = {.key = flow(n)->key,
                    .session = svr__session_number(&n->table, session(n))};
    a.hash = svr__flow_hash(&n->table, &a.key);
    cr_assert_not_null(svr__alias_add(&n->table.aliases, &a, 1));
}

static void plant_map_entry(svr_node *n)
{
    cr_assert_eq(svr__map_insert(&n->table.by_key, 7, 3), 0);
}

Test(node_planted, each_is_found)
{
    static const struct {
        void (*plant)(svr_node *n);
        const char *told;
    } rows[] = {
        {lose_a_packet, "the ledger is not exact"},
        {drop_without_reason, "a packet was dropped without a reason"},
        {miscount, "sessions created are not those ended and alive"},
        {unbind, "a flow of a session is not bound"},
        {change_key, "a flow is not found by its key"},
        {change_uuid, "a session is not found by its UUID"},
        {stop_timer, "a session has no timer"},
        {forget, "a flow is bound to no session"},
        {end_behind_its_back, "a pathway miscounts its sessions"},
        {lose_a_place, "a place is lost"},
        {become_a_host, "a side is a hop for the machine only, or for the node "
                        "only"},
        {miscount_pathway, "a pathway miscounts its sessions"},
        {miscount_tenant, "a tenant miscounts its sessions"},
        {miscount_peer, "a peer miscounts its sessions"},
        {plant_alias, "a tuple stands in two tables"},
        {plant_map_entry, "a tuple stands for a flow that is not there"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net net;
        net_open(&net, NULL);
        trip(&net, false, frame_udp(CLIENT, 1, SERVER, 9, "x", 1));
        trip(&net, false, frame_udp(CLIENT, 2, SERVER, 9, "x", 1));
        cr_assert_null(node_audit(net.branch));
        rows[i].plant(net.branch);
        const char *told = node_audit(net.branch);
        cr_assert_not_null(told, "row %zu", i);
        cr_assert_str_eq(told, rows[i].told, "row %zu: %s", i, told);
        net_close(&net);
    }
}
