/*
 * Metadata of sessions that this router has: on their own tuple (S6.7), on
 * another one that they have moved to (S17, S6.8), or on a further one that
 * copies travel by.
 */
#include "node/waypoint.h"

#include <string.h>

/* S6.9: whether it belongs to an exchange before the last one. */
static bool is_older(const svr__session *s, unsigned side,
                     const svr_metadata *md)
{
    return svr__md_has(md, SVR_HAS(EXCHANGE_NUMBER)) &&
           svr_session_is_older(&s->machine, side, md->exchange.own);
}

/* The token that the session returns from now on. They age within an exchange,
 * too. */
static svr__kept_token new_token(const svr_node *n, const svr__session *s,
                                 unsigned side, const svr_metadata *md,
                                 bool older)
{
    svr__kept_token token = *svr__token_of(n, s);

    if (side == SVR__CLIENT && svr__md_has(md, SVR_HAS(RECOVERY_TOKEN)) &&
        !older)
        svr__token_keep(&token, md->recovery_token);
    return token;
}

static bool moves(const svr__session *s, unsigned side, const svr_metadata *md)
{
    return svr__md_has(md, SVR_HAS(EXCHANGE_NUMBER)) &&
           svr_session_may_move(&s->machine, side, &md->exchange);
}

/* The way by which metadata came. */
struct way {
    svr__passed passed;
    svr__versions versions;
    bool later;   /* than the session's (S16.4) */
    bool another; /* by another neighbour than the side has */
};

/* S20: the routers that the session comes by now. Only the client's side knows
 * them. */
static enum svr_drop read_record(const svr_node *n, const svr__session *s,
                                 unsigned side, const svr_metadata *md,
                                 struct way *by)
{
    *by =
        (struct way){.passed = s->passed, .versions = *svr__versions_of(n, s)};
    if (side != SVR__CLIENT || !svr__md_has(md, SVR_HAS(ROUTE_RECORD)))
        return SVR_DROP_NONE;
    enum svr_drop reason =
        svr__record_read(n, md->route_record, &by->passed, &by->versions);
    if (reason != SVR_DROP_NONE)
        return reason;
    /* It has begun its way from here already (S16.4). */
    svr__record_set_coming(&by->passed, s->passed.router + s->passed.count,
                           s->passed.coming);
    by->later = svr__record_is_later(n, s, &by->passed, &by->versions);
    return SVR_DROP_NONE;
}

/* Routers further on are told of it. */
static void take_way(svr_node *n, svr__session *s, const struct way *by,
                     svr_time now)
{
    svr__record_take(n, s, &by->passed, &by->versions);
    if (by->another)
        svr__session_turn(n, s, SVR__CLIENT, now);
    if (by->later && s->side[SVR__SERVER].pathway != SVR__NO_PATHWAY)
        svr__session_renew(n, s, SVR__SERVER, now);
}

static bool takes_record(const svr_node *n, svr__session *s,
                         const svr__passed *passed)
{
    const svr__passed before = s->passed;
    s->passed = *passed;
    bool fits = svr__record_fits(n, s);
    s->passed = before;
    return fits;
}

/* S13, S16.4: from another neighbour it comes where a router before both has
 * chosen so, and the service's sessions may leave their way. */
static bool comes_round(const svr_node *n, const svr__session *s,
                        const svr_metadata *md, const struct way *by)
{
    return by->later && svr__md_has(md, SVR_HAS(EXCHANGE_NUMBER)) &&
           svr_policy_of_service(n->policy, s->service)->resiliency !=
               SVR_RESILIENCY_NONE;
}

/* S17: whether metadata of a session that came on no tuple of its side moves it
 * there. Only the opener moves; the answerer's tuple may change by a NAT (S6.8
 * b). What is late, or was sent before, moves nothing (S6.9). */
static enum svr_drop may_follow(const svr__work *w, const svr__pathway *pw,
                                svr__session *s, unsigned side,
                                const svr_metadata *md, struct way *by)
{
    const svr_node *n = w->node;
    uint16_t from = s->side[side].pathway;
    enum svr_drop reason = read_record(n, s, side, md, by);

    if (reason == SVR_DROP_LOOP) /* by whatever router it has come back */
        return reason;
    if (from == SVR__NO_PATHWAY || !svr__agrees(n, s, side, md) ||
        !svr__context_fits(w, &s->context))
        return SVR_DROP_MD_CONFLICT;
    by->another = n->pathways[from].peer != pw->peer;
    if (by->another ? !comes_round(n, s, md, by)
                    : !moves(s, side, md) ||
                          (side == SVR__SERVER && &n->pathways[from] != pw))
        return SVR_DROP_MD_CONFLICT;
    if (reason == SVR_DROP_NONE && !takes_record(n, s, &by->passed))
        reason = SVR_DROP_LOOP;
    return reason;
}

static svr__side_plan plan_of_arrival(const svr__work *w,
                                      const svr__pathway *pw, unsigned side)
{
    const svr_tuple *t = &w->headers.tuple;
    return (svr__side_plan){
        .pathway = (uint16_t)(pw - w->node->pathways),
        .iface = w->packet->iface,
        .generation = w->generation,
        .tuple = side == SVR__CLIENT ? *t : svr_tuple_reverse(t),
    };
}

/* The side of a session that metadata comes from. */
static unsigned side_of(const svr_metadata *md)
{
    return md->present & SVR__FORWARD_CONTEXT ? SVR__CLIENT : SVR__SERVER;
}

/* Whether the answer came to the end that this router has chosen. */
static bool at_own_end(const svr_node *n, const svr__session *s,
                       const svr__side_plan *to)
{
    svr_tuple own = svr__side_tuple(n, s, SVR__SERVER);
    return svr_addr_equal(&own.src, &to->tuple.src) &&
           own.sport == to->tuple.sport && own.proto == to->tuple.proto;
}

/* After its own loss of state an opener may have chosen other ports than its
 * neighbour still answers to. Only the opener moves: it says where it is. */
static void say_where(svr__work *w, svr__session *s)
{
    if (!svr_session_renews(&s->machine, SVR__SERVER))
        svr__session_renew(w->node, s, SVR__SERVER, w->now);
}

/* S11.9, S11.10: whether metadata says of the session's encryption what is true
 * of the tuple that it came on. */
static enum svr_drop may_seal(const svr__work *w, const svr__pathway *pw,
                              const svr__session *s, unsigned side,
                              const svr_metadata *md, svr__told *told)
{
    const svr_node *n = w->node;
    enum svr_drop reason = svr__seal_read(n, pw, md, told);

    if (reason != SVR_DROP_NONE || told->sealed == (s->seal == SVR__SEALED))
        return reason;
    return told->sealed && side == SVR__CLIENT
               ? svr__seal_may_turn(n, s, (uint16_t)(pw - n->pathways), told)
               : SVR_DROP_NOT_SEALED;
}

/* S11.9: the session is encrypted from now on, on other ports of both sides
 * (S11.10). A router between its ends leaves the server's before it takes the
 * client's: there it is told again where that is not possible yet. */
static bool turn_server(svr__work *w, svr__session *s)
{
    if (s->side[SVR__SERVER].pathway == SVR__NO_PATHWAY ||
        svr__session_reopen(w->node, s, SVR_CAUSE_NONE, w->now))
        return true;
    svr__drop(w, SVR_DROP_SEAL_PENDING);
    return false;
}

static bool turn(svr__work *w, svr__session *s, svr__told *told)
{
    svr_node *n = w->node;

    svr__legs_retire(n, s, SVR__CLIENT, w->now);
    svr__legs_retire(n, s, SVR__SERVER, w->now);
    if (svr__seal_join(n, s, SVR__CLIENT, told, w->now))
        return true;
    svr__drop(w, SVR_DROP_NO_MEMORY);
    return false;
}

/* What is told of the session's encryption, which may begin another exchange;
 * told NULL: it is heeded already. */
static void heed(svr_node *n, svr__session *s, unsigned side, svr__told *told,
                 svr_time now)
{
    if (told && told->sealed)
        svr__seal_hear(n, s, side, told, now);
    else if (told)
        svr__adapt_hear(n, s, side, told, now);
}

void svr__follow(svr__work *w, svr__pathway *pw, svr__session *s,
                 svr__session *old, const svr_metadata *md, size_t block_len)
{
    svr_node *n = w->node;
    unsigned side = side_of(md);
    bool alone = svr__is_alone(md);
    svr__side_plan to = plan_of_arrival(w, pw, side);
    bool masked = svr__is_masked(&s->context, to.tuple.proto);
    struct way by;

    svr__told told = {0};
    enum svr_drop reason = may_follow(w, pw, s, side, md, &by);
    svr__kept_token token =
        new_token(n, s, side, md, !by.another && is_older(s, side, md));
    if (reason == SVR_DROP_NONE)
        reason = may_seal(w, pw, s, side, md, &told);
    if (reason == SVR_DROP_NOT_SEALED && side == SVR__SERVER && told.sealed)
        svr__adapt_asked(n, s, w->now); /* the other end knows more */
    if (reason == SVR_DROP_NONE && side == SVR__SERVER &&
        !at_own_end(n, s, &to)) {
        say_where(w, s);
        reason = SVR_DROP_MD_CONFLICT;
    }
    if (reason != SVR_DROP_NONE) {
        svr__drop(w, reason);
        return;
    }
    bool turns = told.sealed && s->seal != SVR__SEALED;
    /* From here on md's views point into nothing. */
    if (!alone && !svr__strip(w, block_len, masked))
        return;
    svr__clear_tuple(w, old);
    if (turns && !turn_server(w, s))
        return;
    reason = svr__session_rebind(
        n, s, side, &to, turns ? SVR_CAUSE_NONE : SVR_CAUSE_FOLLOWED, w->now);
    if (reason != SVR_DROP_NONE) {
        svr__drop(w, reason);
        return;
    }
    take_way(n, s, &by, w->now);
    *svr__token_of(n, s) = token;
    svr__flow *flow = svr__session_flow(&n->table, s, side);
    w->sealed = told.sealed;
    if ((turns && !turn(w, s, &told)) || !svr__is_first_copy(w, flow, md))
        return;
    unsigned actions = svr__hear(w, s, side, md);
    heed(n, s, side, turns ? NULL : &told, w->now);
    svr__go_on(w, flow, actions, alone);
    if (side == SVR__SERVER && told.asks)
        svr__adapt_asked(n, s, w->now);
}

/* S6.9: the boot counter is the number's upper part. */
static bool has_restarted(const svr__session *s, unsigned side,
                          const svr_metadata *md)
{
    return svr__md_has(md, SVR_HAS(EXCHANGE_NUMBER)) &&
           md->exchange.own >> SVR__EXCHANGE_BITS >
               svr_session_exchange(&s->machine, side).echo >>
               SVR__EXCHANGE_BITS;
}

/* A neighbour that the session has left is heard no more, but what it had on
 * its way goes on; unless the session comes by it again. */
static void from_former(svr__work *w, svr__flow *flow, const svr_metadata *md,
                        size_t block_len, const struct way *by)
{
    svr_node *n = w->node;
    svr__session *s = svr__flow_session(&n->table, flow);

    if (svr__flow_side(&n->table, flow) == SVR__CLIENT &&
        comes_round(n, s, md, by))
        svr__follow(w, &n->pathways[w->alias->pathway], s, NULL, md, block_len);
    else if (svr__is_alone(md))
        svr__consume(w);
    else if (svr__strip_for(w, flow, block_len))
        svr__go_on(w, flow, 0, false);
}

void svr__update(svr__work *w, svr__flow *flow, const svr_metadata *md,
                 size_t block_len)
{
    svr_node *n = w->node;
    svr__session *s = svr__flow_session(&n->table, flow);
    unsigned side = svr__flow_side(&n->table, flow);
    bool alone = svr__is_alone(md);

    if (!svr__agrees(n, s, side, md)) {
        svr__drop(w, SVR_DROP_MD_CONFLICT);
        return;
    }
    svr__told told;
    struct way by;
    bool older = is_older(s, side, md);
    bool late = w->alias;
    enum svr_drop reason = svr__seal_read(
        n, &n->pathways[w->alias ? w->alias->pathway : s->side[side].pathway],
        md, &told);
    if (reason == SVR_DROP_NONE && told.sealed != svr__arrives_sealed(w, s))
        reason = SVR_DROP_NOT_SEALED;
    if (reason == SVR_DROP_NONE &&
        read_record(n, s, side, md, &by) == SVR_DROP_LOOP)
        reason = SVR_DROP_LOOP;
    if (reason != SVR_DROP_NONE) {
        svr__drop(w, reason);
        return;
    }
    if (w->alias && svr__is_former(w, s, side)) {
        from_former(w, flow, md, block_len, &by);
        return;
    }
    svr__kept_token token = new_token(n, s, side, md, older);
    bool later = by.later && !older && takes_record(n, s, &by.passed);
    svr__note_leg(w);
    if (side == SVR__SERVER && !older)
        svr__load_heard(n, s, md, w->now);
    /* From here on md's views point into nothing. */
    if (!alone && !svr__strip_for(w, flow, block_len))
        return;
    if (has_restarted(s, side, md)) /* and numbers its packets anew */
        svr__copies_forget(svr__copies_of(n, s, side));
    if (!svr__is_first_copy(w, flow, md))
        return;
    svr__health_asked(w, s, side, md);
    *svr__token_of(n, s) = token;
    unsigned actions = svr__hear(w, s, side, md);
    if (later)
        take_way(n, s, &by, w->now);
    if (!older && !late && w->generation > s->side[side].generation)
        svr__session_rekey(n, s, side, w->generation); /* it was rebuilt */
    heed(n, s, side, older ? NULL : &told, w->now);
    svr__go_on(w, flow, actions, alone);
    if (side == SVR__SERVER && told.asks && !older)
        svr__adapt_asked(n, s, w->now);
}

void svr__join(svr__work *w, svr__pathway *pw, svr__session *s,
               const svr_metadata *md, size_t block_len)
{
    const svr_node *n = w->node;
    unsigned side = side_of(md);
    uint16_t from = s->side[side].pathway;

    if (from != SVR__NO_PATHWAY && n->pathways[from].peer != pw->peer)
        svr__follow(w, pw, s, NULL, md, block_len);
    else if (from == SVR__NO_PATHWAY || !svr__agrees(n, s, side, md) ||
             !svr__context_fits(w, &s->context) || is_older(s, side, md) ||
             !svr__leg_join(w, pw, s, side))
        svr__drop(w, SVR_DROP_MD_CONFLICT);
    else
        svr__update(w, svr__session_flow(&n->table, s, side), md, block_len);
}
