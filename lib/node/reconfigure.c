/*
 * A running node is given another configuration.
 *
 * All that derives from it is built beside what there is, in a draft: a node
 * of which there is nothing else. What can fail fails there. Then sessions
 * that cannot stay are ended, what has gathered at peers and pathways is
 * carried over, both change places, and the sessions' numbers are put right.
 */
#include "node/change.h"

#include "base/memory.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* What derives from the configuration stands in front of what runs. */
#define SETUP_LEN offsetof(struct svr_node, alloc)

static svr_node *make_draft(const svr_node *n)
{
    svr_node *draft = svr__alloc(&n->alloc, 1, sizeof(*draft));

    if (!draft)
        return NULL;
    draft->alloc = n->alloc;
    draft->random = n->random;
    draft->boot = n->boot;
    draft->first_number = n->first_number;
    draft->recovery_key = n->recovery_key;
    memcpy(draft->table.hash_key, n->table.hash_key,
           sizeof(draft->table.hash_key));
    return draft;
}

static void free_draft(const svr_node *n, svr_node *draft)
{
    svr__setup_free(draft);
    svr_wipe(draft, sizeof(*draft));
    svr__free(&n->alloc, draft, 1, sizeof(*draft));
}

static void swap_setup(svr_node *a, svr_node *b)
{
    uint8_t bytes[SETUP_LEN];

    memcpy(bytes, a, SETUP_LEN);
    memcpy(a, b, SETUP_LEN);
    memcpy(b, bytes, SETUP_LEN);
}

/* What becomes of pathways. */
static void count_pathways(const svr__change *c, svr_reconfiguration *out)
{
    for (size_t i = 0; i < c->pathway_count; i++) {
        uint16_t number = c->pathways[i];
        if (number == SVR__GONE)
            out->pathways_ended++;
        else if (svr__carry_fits(&c->from->pathways[i],
                                 &c->to->pathways[number]))
            out->pathways_kept++;
        else
            out->pathways_restarted++;
    }
}

/* S7: the neighbours of a session that ends, and its hosts, need not wait until
 * it is idle. As many are told as the outbox holds, and of hosts as many as of
 * other errors; the others find out with their next packet. */
static void tell_ends(const svr__change *c, svr_node *n, const svr__session *s,
                      svr_time now)
{
    for (unsigned side = 0; side < 2; side++) {
        if (c->interfaces[s->side[side].iface] == SVR__GONE)
            continue;
        if (s->side[side].pathway != SVR__NO_PATHWAY)
            svr__send_delete(n, s, side, now);
        else
            svr__session_tell_host(n, s, side, now);
    }
}

/* What becomes of sessions; those that cannot stay are ended, or only counted.
 */
static void judge_sessions(const svr__change *c, svr_node *n, bool count_only,
                           svr_time now, svr_reconfiguration *out)
{
    for (uint32_t i = 0; i < n->table.cap; i++) {
        svr__session *s = &n->table.sessions[i];
        if (!s->alive)
            continue;
        enum svr_cause cause = svr__change_judge(c, s);
        if (cause == SVR_CAUSE_NONE) {
            out->sessions_kept++;
            continue;
        }
        out->sessions_ended++;
        if (count_only)
            continue;
        tell_ends(c, n, s, now);
        svr__session_close(n, s, cause, now);
    }
}

/* Tuples that nothing can arrive on any more. */
static void end_aliases(const svr__change *c, svr_node *n,
                        const svr__session *s)
{
    svr__aliases *all = &n->table.aliases;
    svr__alias *next;

    for (svr__alias *a =
             svr__alias_first(all, svr__session_number(&n->table, s));
         a; a = next) {
        next = svr__alias_next(all, a);
        if (c->pathways[a->pathway] == SVR__GONE)
            svr__alias_remove(all, a);
    }
}

static bool is_renumbered(const svr__change *c, const svr__flow_key *key)
{
    return c->interfaces[key->iface] != key->iface;
}

/* The keys of flows name interfaces by number. All leave the table before the
 * first one comes back, for one may get the key that another had. */
static void hide_keys(const svr__change *c, svr_node *n, const svr__session *s)
{
    svr__aliases *all = &n->table.aliases;

    for (unsigned side = 0; side < 2; side++) {
        svr__flow *f = svr__session_flow(&n->table, s, side);
        if (is_renumbered(c, &f->key))
            svr__flow_unbind(&n->table, f);
    }
    for (const svr__alias *a =
             svr__alias_first(all, svr__session_number(&n->table, s));
         a; a = svr__alias_next(all, a))
        if (is_renumbered(c, &a->key))
            svr__alias_hide(all, a);
}

static void detach_sessions(const svr__change *c, svr_node *n)
{
    for (uint32_t i = 0; i < n->table.cap; i++) {
        const svr__session *s = &n->table.sessions[i];
        if (!s->alive)
            continue;
        end_aliases(c, n, s);
        if (c->renumbered)
            hide_keys(c, n, s);
    }
}

static void adjust_aliases(const svr__change *c, svr_node *n,
                           const svr__session *s)
{
    svr__aliases *all = &n->table.aliases;

    for (svr__alias *a =
             svr__alias_first(all, svr__session_number(&n->table, s));
         a; a = svr__alias_next(all, a)) {
        svr__flow_key key = a->key;
        a->pathway = c->pathways[a->pathway];
        key.iface = c->interfaces[key.iface];
        if (is_renumbered(c, &a->key))
            svr__alias_show(all, a, &key, svr__flow_hash(&n->table, &key));
    }
}

/* The flow of packets from a side, once the session has its new numbers. */
static void adjust_flow(svr_node *n, const svr__session *s, unsigned side)
{
    svr__flow *f = svr__session_flow(&n->table, s, side);
    uint16_t to = s->side[!side].pathway;
    bool ok = svr__flow_direct(n, s, side);

    f->key.iface = s->side[side].iface;
    if (!f->bound)
        ok &= svr__flow_bind(&n->table, f);
    assert(ok); /* the session has been judged, and keys stay different */
    (void)ok;
    if (to != SVR__NO_PATHWAY && !n->pathways[to].up)
        f->flags |= SVR__FLOW_SLOW;
}

static void adjust_sessions(const svr__change *c, svr_node *n)
{
    for (uint32_t i = 0; i < n->table.cap; i++) {
        svr__session *s = &n->table.sessions[i];
        if (!s->alive)
            continue;
        svr__change_session(c, s);
        adjust_flow(n, s, SVR__CLIENT);
        adjust_flow(n, s, SVR__SERVER);
        adjust_aliases(c, n, s);
        svr__health_watch(n, s, SVR__CLIENT);
        svr__health_watch(n, s, SVR__SERVER);
    }
}

/* Lifetimes and resiliency may be others. All tuples that there are must be
 * known, so that new ones are none of them. */
static void settle_sessions(svr_node *n, svr_time now)
{
    for (uint32_t i = 0; i < n->table.cap; i++) {
        svr__session *s = &n->table.sessions[i];
        if (!s->alive)
            continue;
        svr__legs_adjust(n, s, now);
        svr__session_settle(n, s);
    }
}

/* Of those that began again, sessions move away if they may (S17). before: of
 * which there are the old pathways. */
static void follow_pathways(const svr__change *c, svr_node *n,
                            const svr_node *before, svr_time now)
{
    for (size_t i = 0; i < c->pathway_count; i++) {
        uint16_t number = c->pathways[i];
        if (number == SVR__GONE ||
            before->pathways[i].up == n->pathways[number].up)
            continue;
        svr__moves_begin(n, &n->pathways[number], now);
        svr__notify_pathway(n, &n->pathways[number], now);
    }
}

/* What neighbours are told leaves by the same interfaces. */
static void adjust_outbox(const svr__change *c, svr_node *n)
{
    for (unsigned i = 0; i < n->outbox.count; i++) {
        svr_packet *p = &n->outbox.packet[(n->outbox.first + i) % SVR__OUTBOX];
        p->iface = c->interfaces[p->iface];
    }
}

/* S12.7: one that keys were exchanged with. */
static bool loses_peer(const svr__change *c, const svr_node *n)
{
    for (size_t i = 0; i < n->peer_count; i++)
        if (c->peers[i] == SVR__GONE && n->peers[i].exchange)
            return true;
    return false;
}

/* Nothing fails from here on. */
static void commit(const svr__change *c, svr_node *n, svr_node *draft,
                   svr_time now)
{
    bool lost = loses_peer(c, n);

    svr__carry_over(c, n, draft, now);
    detach_sessions(c, n);
    if (c->renumbered) {
        svr_reassembly_renumber(n->fabric, c->interfaces, n->interface_count);
        svr_reassembly_renumber(n->clients, c->interfaces, n->interface_count);
    }
    adjust_outbox(c, n);
    swap_setup(n, draft);
    svr__wishes_forget(n);
    n->keying_due = n->identity ? now : SVR_NEVER;
    if (lost)
        svr__keying_renew(n, now);
    adjust_sessions(c, n);
    svr__load_recount(n);
    settle_sessions(n, now);
    follow_pathways(c, n, draft, now);
}

/* The same node, and nothing under way that names parts by number. */
static bool may_change(const svr_node *n, const svr_node_config *config)
{
    return strcmp(n->name, config->name) == 0 &&
           n->table.cap == config->limits.sessions && n->outbox.count == 0 &&
           (!n->identity || !config->identity ||
            n->identity == config->identity) &&
           n->apart.count == 0 && !svr_reassembly_first(n->fabric) &&
           !svr_reassembly_first(n->clients);
}

static int draft_change(svr__change *c, svr_node *n, svr_node *draft,
                        const svr_node_config *config, svr_time now)
{
    int err = svr__setup_build(draft, config, now);

    if (err != 0)
        return err;
    err = svr__change_init(c, n, draft);
    if (err != 0)
        return err;
    err = svr__protections_init(n, draft);
    if (err == 0)
        err = svr__sealings_init(n, draft);
    if (err < 0)
        svr__change_fini(c);
    return err;
}

static int change(svr_node *n, const svr_node_config *config, svr_time now,
                  bool try_only, svr_reconfiguration *out)
{
    svr__change c;
    svr_reconfiguration counts = {0};
    int err = svr__config_check(config);

    if (err == 0 && !may_change(n, config))
        err = SVR_ERR_ARGUMENT;
    if (err < 0)
        return err;
    svr_node *draft = make_draft(n);
    if (!draft)
        return SVR_ERR_NO_MEMORY;
    err = draft_change(&c, n, draft, config, now);
    if (err == 0) {
        count_pathways(&c, &counts);
        judge_sessions(&c, n, try_only, now, &counts);
        if (!try_only)
            commit(&c, n, draft, now);
        svr__change_fini(&c);
        if (out)
            *out = counts;
    }
    free_draft(n, draft);
    return err;
}

int svr_node_reconfigure(svr_node *n, const svr_node_config *config,
                         svr_time now, svr_reconfiguration *out)
{
    return change(n, config, now, false, out);
}

int svr_node_reconfigure_try(svr_node *n, const svr_node_config *config,
                             svr_time now, svr_reconfiguration *out)
{
    return change(n, config, now, true, out);
}
