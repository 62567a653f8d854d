#include "node_audit.h"

#include "node/node.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* Of one session: old tuples, and a leg for each side and pathway. */
    ALIASES_MAX = 4 + 2 * 8,
};

/* What is counted while the sessions are gone through. */
struct tally {
    uint32_t alive, bound, aliases;
    uint64_t *pathways;
    size_t *peers, *tenants; /* tenants: the last is none */
};

static const char *check_ledger(const svr_node *n)
{
    const svr_counters *c = &n->counters;
    uint64_t sum = c->forwarded + c->consumed + c->held;

    for (int i = 0; i < SVR_DROP_COUNT; i++)
        sum += c->dropped[i];
    if (c->received != sum)
        return "the ledger is not exact";
    if (c->dropped[SVR_DROP_NONE] != 0)
        return "a packet was dropped without a reason";
    if (c->sessions_created - c->sessions_ended != n->table.count)
        return "sessions created are not those ended and alive";
    if (c->originated_lost > c->originated)
        return "more packets of its own were lost than made";
    return NULL;
}

static const char *check_flow(const svr__table *t, const svr__flow *f,
                              struct tally *sum)
{
    if (!f->bound)
        return "a flow of a session is not bound";
    sum->bound++;
    uint64_t hash = svr__flow_hash(t, &f->key);
    if (svr__flow_find(t, &f->key, hash) != f)
        return "a flow is not found by its key";
    if (svr__alias_find(&t->aliases, &f->key, hash))
        return "a tuple stands in two tables";
    return NULL;
}

static const char *check_aliases(const svr__table *t, const svr__session *s,
                                 struct tally *sum)
{
    uint32_t number = svr__session_number(t, s);
    unsigned own = 0;

    for (svr__alias *a = svr__alias_first(&t->aliases, number); a;
         a = svr__alias_next(&t->aliases, a)) {
        if (++sum->aliases > t->aliases.cap)
            return "aliases run in a circle";
        if (++own > ALIASES_MAX)
            return "a session has too many aliases";
        if (a->session != number)
            return "an alias belongs to another session";
        if (svr__alias_find(&t->aliases, &a->key, svr__flow_hash(t, &a->key)) !=
            a)
            return "an alias is not found by its key";
    }
    return NULL;
}

static const char *check_sides(const svr_node *n, const svr__session *s,
                               struct tally *sum)
{
    for (unsigned side = 0; side < 2; side++) {
        uint16_t pathway = s->side[side].pathway;
        bool host = s->machine.hop[side].state == SVR_HOP_HOST;
        if (s->side[side].iface >= n->interface_count)
            return "a side has no interface";
        if (host != (pathway == SVR__NO_PATHWAY))
            return "a side is a hop for the machine only, or for the node only";
        if (host)
            continue;
        if (pathway >= n->pathway_count)
            return "a side has no pathway";
        sum->pathways[pathway]++;
        if (side == SVR__CLIENT)
            sum->peers[n->pathways[pathway].peer]++;
    }
    if (s->tenant != SVR_TENANT_NONE && (size_t)s->tenant >= n->tenant_count)
        return "a session has no tenant";
    sum->tenants[s->tenant == SVR_TENANT_NONE ? n->tenant_count
                                              : (size_t)s->tenant]++;
    if (s->service >= n->service_count)
        return "a session has no service";
    return NULL;
}

static const char *check_session(const svr_node *n, const svr__session *s,
                                 struct tally *sum)
{
    const svr__table *t = &n->table;
    uint32_t number = svr__session_number(t, s);
    const char *wrong;

    sum->alive++;
    if (svr__session_find(t, &s->uuid) != s)
        return "a session is not found by its UUID";
    if (!svr__wheel_armed(&t->wheel, number) &&
        svr__session_idle_due(n, s) != SVR_NEVER)
        return "a session has no timer";
    wrong = check_flow(t, svr__session_flow(t, s, SVR__CLIENT), sum);
    if (!wrong)
        wrong = check_flow(t, svr__session_flow(t, s, SVR__SERVER), sum);
    if (!wrong)
        wrong = check_aliases(t, s, sum);
    return wrong ? wrong : check_sides(n, s, sum);
}

static const char *check_dead(const svr__table *t, const svr__session *s)
{
    uint32_t number = svr__session_number(t, s);

    if (svr__session_flow(t, s, SVR__CLIENT)->bound ||
        svr__session_flow(t, s, SVR__SERVER)->bound)
        return "a flow is bound to no session";
    if (svr__wheel_armed(&t->wheel, number))
        return "a timer runs for no session";
    if (svr__alias_first(&t->aliases, number))
        return "an alias belongs to no session";
    return NULL;
}

static const char *check_free(const svr__table *t)
{
    uint32_t free = 0;

    for (uint32_t i = t->free; i != SVR__MAP_NONE;
         i = t->sessions[i].next_free) {
        if (i >= t->cap || t->sessions[i].alive)
            return "the list of free places leads elsewhere";
        if (++free > t->cap)
            return "the list of free places is a circle";
    }
    return free == t->cap - t->count ? NULL : "a place is lost";
}

static const char *check_sums(const svr_node *n, const struct tally *sum)
{
    const svr__table *t = &n->table;

    if (sum->alive != t->count || t->by_uuid.count != t->count)
        return "the number of sessions is wrong";
    if (sum->bound != t->by_key.count)
        return "a tuple stands for a flow that is not there";
    if (sum->aliases != t->aliases.by_key.count)
        return "a tuple stands for an alias that is not there";
    for (size_t i = 0; i < n->pathway_count; i++)
        if (n->pathways[i].sessions != sum->pathways[i])
            return "a pathway miscounts its sessions";
    for (size_t i = 0; i < n->peer_count; i++)
        if (n->peers[i].share.sessions != sum->peers[i])
            return "a peer miscounts its sessions";
    for (size_t i = 0; i < n->tenant_count; i++)
        if (n->tenants[i].sessions != sum->tenants[i])
            return "a tenant miscounts its sessions";
    if (n->no_tenant.sessions != sum->tenants[n->tenant_count])
        return "sessions without a tenant are miscounted";
    return NULL;
}

static const char *check_table(const svr_node *n, struct tally *sum)
{
    const svr__table *t = &n->table;

    for (uint32_t i = 0; i < t->cap; i++) {
        const svr__session *s = &t->sessions[i];
        const char *wrong =
            s->alive ? check_session(n, s, sum) : check_dead(t, s);
        if (wrong)
            return wrong;
    }
    const char *wrong = check_free(t);
    return wrong ? wrong : check_sums(n, sum);
}

const char *node_audit(const svr_node *n)
{
    struct tally sum = {
        .pathways = calloc(n->pathway_count + 1, sizeof(uint64_t)),
        .peers = calloc(n->peer_count + 1, sizeof(size_t)),
        .tenants = calloc(n->tenant_count + 1, sizeof(size_t)),
    };
    const char *wrong = check_ledger(n);

    if (!wrong)
        wrong = check_table(n, &sum);
    free(sum.pathways);
    free(sum.peers);
    free(sum.tenants);
    return wrong;
}
