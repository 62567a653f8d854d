/* Sessions begin, change sides and end: their flows and what protects them. */
#include "node/node.h"

#include "wire/headers.h"

#include <assert.h>
#include <string.h>

enum {
    /* After a restart, packets of sessions of before it may be about. */
    DOUBT_SECONDS = 10,
    EXCHANGES_PER_SECOND = 1024,
    /* Old tuples of one session (S17). */
    OLD_MAX = 4,
};

svr__protection *svr__protection_of(const svr_node *n, const svr__session *s,
                                    unsigned side)
{
    size_t number = svr__session_number(&n->table, s);
    return &n->protections[2 * number + side];
}

svr_tuple svr__side_tuple(const svr_node *n, const svr__session *s,
                          unsigned side)
{
    const svr__flow *to_side = svr__session_flow(&n->table, s, !side);
    return (svr_tuple){
        .src = to_side->rewrite.src,
        .dst = to_side->rewrite.dst,
        .sport = to_side->rewrite.sport,
        .dport = to_side->rewrite.dport,
        .proto = to_side->flags & SVR__FLOW_MASKED_OUT ? SVR_PROTO_UDP
                                                       : to_side->out_proto,
    };
}

/* The flags of packets that arrive as `from` and leave as `to`. */
static uint8_t flags_of(const svr__session *s, const svr_tuple *from,
                        const svr_tuple *to)
{
    bool convert = from->proto != to->proto || !svr__has_ports(from->proto) ||
                   svr_addr_is_v4(&from->src) != svr_addr_is_v4(&to->src);
    uint8_t flags = convert ? SVR__FLOW_CONVERT : 0;

    if (svr__is_masked(&s->context, from->proto))
        flags |= SVR__FLOW_MASKED_IN;
    if (svr__is_masked(&s->context, to->proto))
        flags |= SVR__FLOW_MASKED_OUT;
    return flags;
}

static bool is_measured(const svr_node *n, const svr__side *side)
{
    return side->pathway != SVR__NO_PATHWAY &&
           n->pathways[side->pathway].watch &&
           !n->pathways[side->pathway].plain;
}

bool svr__flow_direct(svr_node *n, const svr__session *s, unsigned side)
{
    const svr__side *out = &s->side[!side];
    const svr_interface_config *c = &n->interfaces[out->iface].config;
    svr__flow *f = svr__session_flow(&n->table, s, side);

    f->out_iface = out->iface;
    f->mtu = out->pathway == SVR__NO_PATHWAY ? c->mtu
                                             : n->pathways[out->pathway].mtu;
    f->flags &= (uint8_t) ~(SVR__FLOW_OFFLOAD | SVR__FLOW_MEASURED);
    if (c->offload)
        f->flags |= SVR__FLOW_OFFLOAD;
    if (is_measured(n, out))
        f->flags |= SVR__FLOW_MEASURED;
    if (out->pathway != SVR__NO_PATHWAY) {
        f->next_hop = svr__pathway_hop(n, out->pathway);
        return true;
    }
    return svr__next_hop(n, out->iface, &f->rewrite.dst, &f->next_hop);
}

/* One direction: packets that arrive as `from` on side's interface leave as
 * `to` on the other's. */
static bool fill_flow(svr_node *n, svr__session *s, unsigned side,
                      const svr_tuple *from, const svr_tuple *to)
{
    svr__flow *f = svr__session_flow(&n->table, s, side);

    f->key = svr__flow_key_of(from, s->side[side].iface);
    f->flags = flags_of(s, from, to);
    f->out_proto = f->flags & SVR__FLOW_MASKED_OUT ? SVR_PROTO_TCP : to->proto;
    if (f->flags & SVR__FLOW_CONVERT)
        f->rewrite = (svr_rewrite){.src = to->src,
                                   .dst = to->dst,
                                   .sport = to->sport,
                                   .dport = to->dport};
    else
        svr_rewrite_init(&f->rewrite, from, to);
    return svr__flow_direct(n, s, side);
}

/* Whether plain packets on this side are signed (S11.4). */
static bool side_signed(const svr_node *n, const svr__side *side)
{
    return side->pathway != SVR__NO_PATHWAY &&
           n->securities[n->pathways[side->pathway].security].per_packet;
}

static bool derive_protection(svr_node *n, svr__session *s, unsigned side)
{
    const svr__pathway *pw = &n->pathways[s->side[side].pathway];
    const svr__keys *keys = svr__side_keys(n, s, side);
    const svr_hmac *hmac = n->securities[pw->security].hmac;
    svr__protection *prot = svr__protection_of(n, s, side);
    uint8_t key[SVR_KEY_SIZE];
    bool ok = keys != NULL;

    if (ok)
        svr_session_key_derive(key, &keys->send, &s->uuid);
    else /* nobody has that one */
        n->random.fill(n->random.user, key, sizeof(key));
    ok &= svr_mac_init(&prot->send, hmac, key) == 0;
    if (keys)
        svr_session_key_derive(key, &keys->receive, &s->uuid);
    ok &= svr_mac_init(&prot->receive, hmac, key) == 0;
    svr_wipe(key, sizeof(key));
    return ok;
}

static void flag_protection(svr_node *n, svr__session *s, unsigned side)
{
    if (!side_signed(n, &s->side[side]))
        return;
    svr__session_flow(&n->table, s, side)->flags |= SVR__FLOW_SIGNED_IN;
    svr__session_flow(&n->table, s, !side)->flags |= SVR__FLOW_SIGNED_OUT;
}

/* Where there is no memory for it, packets of the side are refused. */
static bool fill_protection(svr_node *n, svr__session *s, unsigned side)
{
    bool ok = !side_signed(n, &s->side[side]) || derive_protection(n, s, side);

    flag_protection(n, s, side);
    return ok;
}

/* Nothing of it stays behind where it is of no use any more. */
static void wipe_protection(svr_node *n, const svr__session *s, unsigned side)
{
    if (!side_signed(n, &s->side[side]))
        return;
    svr_mac_wipe(&svr__protection_of(n, s, side)->send);
    svr_mac_wipe(&svr__protection_of(n, s, side)->receive);
}

void svr__protection_wipe(svr_node *n, const svr__session *s)
{
    wipe_protection(n, s, SVR__CLIENT);
    wipe_protection(n, s, SVR__SERVER);
}

void svr__session_rekey(svr_node *n, svr__session *s, unsigned side,
                        uint32_t generation)
{
    wipe_protection(n, s, side);
    s->side[side].generation = generation;
    fill_protection(n, s, side);
}

static void fill_side(svr__session *s, unsigned number,
                      const svr__side_plan *plan)
{
    svr__side *side = &s->side[number];
    side->pathway = plan->pathway;
    side->iface = plan->iface;
    side->generation = plan->generation;
}

/* S6.9: each session begins above those before it, and above all that a session
 * of the same UUID, or of the same hosts and ports, can have reached here
 * before: its neighbours judge by the number which of two they hear of is the
 * later one.
 */
static uint64_t first_exchange(svr_node *n, svr_time now)
{
    uint64_t time = ((uint64_t)n->boot << SVR__EXCHANGE_BITS) + 1 +
                    (now - n->started) / (SVR_SECOND / EXCHANGES_PER_SECOND);
    n->exchange = time > n->exchange ? time : n->exchange + 1;
    return n->exchange;
}

static void start_machine(svr_node *n, svr__session *s, svr_time now)
{
    svr_session_init(&s->machine, svr_session_kind_of(&s->context),
                     s->side[SVR__CLIENT].pathway != SVR__NO_PATHWAY,
                     s->side[SVR__SERVER].pathway != SVR__NO_PATHWAY,
                     first_exchange(n, now));
    if (n->boot > 1 && now - n->started < DOUBT_SECONDS * SVR_SECOND)
        svr_session_doubt(&s->machine);
}

static enum svr_drop bind_flows(svr_node *n, svr__session *s,
                                const svr__session_plan *plan)
{
    const svr_tuple *client = &plan->side[SVR__CLIENT].tuple;
    const svr_tuple *server = &plan->side[SVR__SERVER].tuple;
    svr_tuple client_back = svr_tuple_reverse(client);
    svr_tuple server_back = svr_tuple_reverse(server);

    if (!fill_flow(n, s, SVR__CLIENT, client, server) ||
        !fill_flow(n, s, SVR__SERVER, &server_back, &client_back))
        return SVR_DROP_NO_ROUTE;
    if (!svr__flow_bind(&n->table, svr__session_flow(&n->table, s, 0)) ||
        !svr__flow_bind(&n->table, svr__session_flow(&n->table, s, 1)))
        return SVR_DROP_TUPLE_IN_USE;
    return SVR_DROP_NONE;
}

static void count_on_pathways(svr_node *n, const svr__session *s, int change)
{
    for (unsigned side = 0; side < 2; side++)
        if (s->side[side].pathway != SVR__NO_PATHWAY)
            n->pathways[s->side[side].pathway].sessions += (uint64_t)change;
}

/* A session has few aliases, though its neighbour may move it again and again:
 * one leg on a pathway, and a few old tuples. What goes for another one, or
 * NULL. */
static svr__alias *surplus_alias(const svr_node *n, const svr__alias *another)
{
    const svr__aliases *all = &n->table.aliases;
    svr__alias *oldest = NULL;
    unsigned count = 0;

    for (svr__alias *a = svr__alias_first(all, another->session); a;
         a = svr__alias_next(all, a)) {
        if (a->kind != another->kind)
            continue;
        if (a->kind == SVR__ALIAS_OLD) {
            count++;
            if (!oldest || a->until <= oldest->until)
                oldest = a;
        } else if (a->side == another->side && a->pathway == another->pathway) {
            return a;
        }
    }
    return count < OLD_MAX ? NULL : oldest;
}

/* S17: the tuple that the side has now lives on as an alias, if there is room.
 */
static void keep_tuple(svr_node *n, svr__session *s, unsigned side,
                       svr_time now)
{
    svr__flow *f = svr__session_flow(&n->table, s, side);
    svr__alias old = {
        .key = f->key,
        .session = svr__session_number(&n->table, s),
        .pathway = s->side[side].pathway,
        .side = (uint8_t)side,
        .generation = s->side[side].generation,
        .kind = svr__is_duplicated(n, s) ? SVR__ALIAS_LEG : SVR__ALIAS_OLD,
        .flags = f->flags & (SVR__FLOW_SIGNED_IN | SVR__FLOW_MASKED_IN),
        .sealed = s->seal == SVR__SEALED,
    };
    svr__alias *surplus = surplus_alias(n, &old);

    if (surplus)
        svr__alias_drop(n, surplus, now);
    svr__flow_unbind(&n->table, f);
    svr__alias_bind(&n->table, old, now);
}

/* Both flows anew, from the tuples that arrive on the two sides. */
static void refill_flows(svr_node *n, svr__session *s, const svr_tuple in[2])
{
    for (unsigned side = 0; side < 2; side++) {
        svr_tuple out = svr_tuple_reverse(&in[!side]);
        bool ok = fill_flow(n, s, side, &in[side], &out);
        assert(ok); /* the one that moves has a pathway, the other one was
                       there */
        (void)ok;
    }
    flag_protection(n, s, SVR__CLIENT);
    flag_protection(n, s, SVR__SERVER);
}

enum svr_drop svr__session_rebind(svr_node *n, svr__session *s, unsigned side,
                                  const svr__side_plan *to,
                                  enum svr_cause cause, svr_time now)
{
    svr__flow *f = svr__session_flow(&n->table, s, side);
    svr__flow *other = svr__session_flow(&n->table, s, !side);
    svr_tuple in[2];
    in[side] = svr__arriving(side, &to->tuple);
    in[!side] = svr__flow_key_tuple(&other->key);
    svr__flow_key key = svr__flow_key_of(&in[side], to->iface);

    if (svr__key_taken(&n->table, &key))
        return SVR_DROP_TUPLE_IN_USE;
    keep_tuple(n, s, side, now);
    count_on_pathways(n, s, -1);
    svr__admit_count(n, s, -1);  /* it may be another peer's now */
    wipe_protection(n, s, side); /* late packets have keys of their own */
    fill_side(s, side, to);
    svr__admit_count(n, s, 1);
    count_on_pathways(n, s, 1);
    refill_flows(n, s, in);
    fill_protection(n, s, side);
    bool bound = svr__flow_bind(&n->table, f);
    assert(bound); /* the key was free, and there is a place */
    (void)bound;
    svr__health_watch(n, s, side);
    svr__session_settle(n, s);
    if (cause == SVR_CAUSE_NONE)
        return SVR_DROP_NONE;
    n->counters.sessions_moved++;
    svr__notify_session(n, s, SVR_EVENT_SESSION_MOVED, cause);
    return SVR_DROP_NONE;
}

void svr__alias_drop(svr_node *n, svr__alias *a, svr_time now)
{
    svr_tuple in = svr__flow_key_tuple(&a->key);
    svr_tuple out = svr_tuple_reverse(&in);
    svr__tuple_guard(n, a->pathway, &out, now);
    svr__alias_remove(&n->table.aliases, a);
}

/* An ingress draws the key, any other router was told it. */
static bool seal_first(svr_node *n, svr__session *s,
                       const svr__session_plan *plan, svr_time now)
{
    svr__told told = plan->told;

    if (told.undecided) {
        s->seal = SVR__UNDECIDED;
        s->asked = told.asks;
    }
    if (!told.sealed)
        return true;
    if (!plan->recovered && plan->side[SVR__CLIENT].pathway == SVR__NO_PATHWAY)
        return svr__seal_begin(n, s, now);
    return svr__seal_join(n, s, plan->recovered ? SVR__SERVER : SVR__CLIENT,
                          &told, now);
}

static bool is_end_of(const svr__session_plan *plan)
{
    return plan->side[SVR__CLIENT].pathway == SVR__NO_PATHWAY ||
           plan->side[SVR__SERVER].pathway == SVR__NO_PATHWAY;
}

enum svr_drop svr__session_open(svr_node *n, const svr__session_plan *plan,
                                svr_time now, svr__flow **forward)
{
    if (plan->told.sealed && is_end_of(plan) && !svr__seal_has_room(n))
        return SVR_DROP_SEALED_FULL;
    svr__make_room(n, now);
    svr__session *s = svr__session_create(&n->table, &plan->uuid);
    if (!s)
        return SVR_DROP_SESSIONS_FULL;
    s->context = plan->context;
    s->tenant = (int16_t)plan->tenant;
    s->service = (uint16_t)plan->service;
    memset(svr__copies_of(n, s, SVR__CLIENT), 0, 2 * sizeof(svr__copies));
    s->created = now;
    *svr__token_of(n, s) = plan->token;
    fill_side(s, SVR__CLIENT, &plan->side[SVR__CLIENT]);
    fill_side(s, SVR__SERVER, &plan->side[SVR__SERVER]);
    start_machine(n, s, now);
    s->passed = plan->passed;
    *svr__versions_of(n, s) = plan->versions;
    svr__versions_of(n, s)->own =
        svr_session_exchange(&s->machine, SVR__SERVER).own;
    enum svr_drop reason = bind_flows(n, s, plan);
    if (reason != SVR_DROP_NONE) {
        svr__session_end(&n->table, s);
        return reason;
    }
    bool client = fill_protection(n, s, SVR__CLIENT);
    bool server = fill_protection(n, s, SVR__SERVER);
    bool seal = seal_first(n, s, plan, now);
    if (!client || !server || !seal) {
        svr__protection_wipe(n, s);
        svr__seal_end(n, s);
        svr__session_end(&n->table, s);
        return SVR_DROP_NO_MEMORY;
    }
    svr__health_watch(n, s, SVR__CLIENT);
    svr__health_watch(n, s, SVR__SERVER);
    count_on_pathways(n, s, 1);
    svr__admit_count(n, s, 1);
    *forward = svr__session_flow(&n->table, s, SVR__CLIENT);
    (*forward)->seen = now;
    svr__session_settle(n, s);
    n->counters.sessions_created++;
    svr__notify_session(n, s,
                        plan->recovered ? SVR_EVENT_SESSION_RECOVERED
                                        : SVR_EVENT_SESSION_STARTED,
                        SVR_CAUSE_NONE);
    return SVR_DROP_NONE;
}

void svr__tuple_guard(svr_node *n, uint16_t pathway, const svr_tuple *t,
                      svr_time now)
{
    svr__ports_guard(&n->pathways[pathway].ports, now, t->sport, t->dport);
}

void svr__session_close(svr_node *n, svr__session *s, enum svr_cause cause,
                        svr_time now)
{
    svr__notify_session(n, s, SVR_EVENT_SESSION_ENDED, cause);
    for (unsigned side = 0; side < 2; side++) {
        svr_tuple t = svr__side_tuple(n, s, side);
        if (s->side[side].pathway != SVR__NO_PATHWAY)
            svr__tuple_guard(n, s->side[side].pathway, &t, now);
    }
    svr__protection_wipe(n, s);
    svr__seal_end(n, s);
    svr__alias *a;
    while ((a = svr__alias_first(&n->table.aliases,
                                 svr__session_number(&n->table, s))))
        svr__alias_drop(n, a, now);
    count_on_pathways(n, s, -1);
    svr__admit_count(n, s, -1);
    svr__session_end(&n->table, s);
    n->counters.sessions_ended++;
}
