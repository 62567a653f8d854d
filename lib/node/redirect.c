/*
 * Sessions go on by another router (S16.4, S17).
 *
 * A move within a hop ends at the same peer (move.c). Where that, or what comes
 * behind it, cannot be reached any more, or the way is beyond its limits and
 * another one is not, the opener of the hop goes by another next router, with
 * the session's UUID: there it is new, or comes by another neighbour than
 * before.
 *
 * Whether a router does so is decided by the way that begins with its present
 * next hop. As long as there is one, what broke further on is for a router
 * further on to mend. So one router mends it, the last that can.
 *
 * Who hears of the session from two neighbours goes by the route record: up to
 * a router both ways are the same, and that router says by the number of its
 * exchange which way it chose later. What was left ends by itself.
 */
#include "node/node.h"

bool svr__session_leads_on(const svr_node *n, const svr__session *s,
                           unsigned side)
{
    const svr__pathway *pw = &n->pathways[s->side[side].pathway];

    return pw->up &&
           (side != SVR__SERVER || !svr__record_has(n, &s->passed, pw->peer));
}

static bool may_redirect(const svr_node *n, const svr__session *s)
{
    return svr__is_chosen(&n->choices, s->service) &&
           svr_policy_of_service(n->policy, s->service)->resiliency !=
               SVR_RESILIENCY_NONE &&
           s->side[SVR__SERVER].pathway != SVR__NO_PATHWAY;
}

bool svr__session_redirect(svr_node *n, svr__session *s, svr_time now)
{
    svr__session_plan plan;
    enum svr_cause cause;

    if (!may_redirect(n, s) || !svr__choose_other(n, s, &plan, &cause, now) ||
        svr__session_rebind(n, s, SVR__SERVER, &plan.side[SVR__SERVER], cause,
                            now) != SVR_DROP_NONE)
        return false;
    s->passed = plan.passed;
    if (!svr__record_fits(n, s))
        s->passed.coming = 0;
    svr__session_turn(n, s, SVR__SERVER, now);
    svr__versions_of(n, s)->own =
        svr_session_exchange(&s->machine, SVR__SERVER).own;
    return true;
}

void svr__session_turn(svr_node *n, svr__session *s, unsigned side,
                       svr_time now)
{
    svr__legs_retire(n, s, side, now);
    svr__copies_forget(svr__copies_of(n, s, side));
    svr_session_turn(&s->machine, side, now);
    svr__session_settle(n, s);
}

bool svr__is_former(const svr__work *w, const svr__session *s, unsigned side)
{
    const svr__pathway *all = w->node->pathways;
    uint16_t present = s->side[side].pathway;

    return w->alias && (present == SVR__NO_PATHWAY ||
                        all[w->alias->pathway].peer != all[present].peer);
}

/* S7: toward the client alone. In the other direction it could end at a host,
 * which goes on by another router. */
void svr__session_part(svr_node *n, const svr__alias *a, svr_time now)
{
    const svr__session *s = &n->table.sessions[a->session];
    const svr__pathway *pw = &n->pathways[a->pathway];
    uint16_t present = s->side[a->side].pathway;
    svr_tuple in = svr__flow_key_tuple(&a->key);
    svr_tuple out = svr_tuple_reverse(&in);
    svr_metadata md;

    if (a->side != SVR__CLIENT || present == SVR__NO_PATHWAY || !pw->up ||
        n->pathways[present].peer == pw->peer)
        return;
    svr__describe_bare(&md);
    md.present |= SVR_HAS(CONTROL) | SVR_HAS(SESSION_UUID);
    md.control = SVR_CONTROL_DELETE_SESSION;
    md.uuid = s->uuid;
    svr__send_alone(n, pw, &out, &md, now);
}
