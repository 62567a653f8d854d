/*
 * Sessions that are encrypted unless they are so already (S11.9).
 *
 * ESP stays clear, all but TCP is encrypted at once. A TCP session begins clear
 * and *undecided*: only segments without payload pass, so nothing of it is ever
 * seen. Its ingress decides by the first payload of the client. A TLS
 * ClientHello leaves the session clear for good. Anything else turns it: it
 * goes to other ports of its pathway, encrypted (S11.10), and that payload is
 * the first that goes there; each router on the way does the same with its next
 * hop when it is told.
 *
 * A server that speaks first is not heard: its egress keeps that back, and asks
 * the ingress to turn the session. Its TCP says it again.
 *
 * Metadata says whether the session is undecided, and asks (0x8001). So routers
 * that forget the session know it again.
 */
#include "node/node.h"

#include "wire/tls.h"

enum {
    ESP = 50,
};

static bool is_hello(const svr__work *w)
{
    const svr_packet *p = w->packet;
    return svr__tls_is_hello(
        (svr_span){p->data + w->headers.payload, svr__payload_len(w)});
}

static bool is_syn(const svr__work *w)
{
    return (w->headers.tcp_flags & (SVR_TCP_SYN | SVR_TCP_ACK)) == SVR_TCP_SYN;
}

void svr__adapt_plan(const svr__work *w, svr__session_plan *plan)
{
    bool says = svr__payload_len(w) > 0;

    if (plan->context.proto != SVR_PROTO_TCP || !is_syn(w))
        plan->told.sealed = plan->context.proto != ESP;
    else if (says)
        plan->told.sealed = !is_hello(w);
    else
        plan->told.undecided = true;
}

/* The ingress encrypts the session from now on. */
static enum svr_drop turn(svr_node *n, svr__session *s, svr_time now)
{
    if (!svr__seal_has_room(n))
        return SVR_DROP_SEALED_FULL;
    if (!svr__session_reopen(n, s, SVR_CAUSE_NONE, now))
        return SVR_DROP_SEAL_PENDING;
    svr__legs_retire(n, s, SVR__SERVER, now);
    bool ok = svr__seal_begin(n, s, now);
    svr__session_settle(n, s);
    return ok ? SVR_DROP_NONE : SVR_DROP_NO_MEMORY;
}

static void ask(svr_node *n, svr__session *s, svr_time now)
{
    s->asked = true;
    if (svr__told_lately(n, s, SVR__TELL_SEAL, now))
        return;
    svr__session_renew(n, s, SVR__CLIENT, now);
    svr__send_metadata(n, s, SVR__CLIENT, now);
}

void svr__adapt_asked(svr_node *n, svr__session *s, svr_time now)
{
    if (s->seal != SVR__UNDECIDED)
        return;
    if (s->side[SVR__CLIENT].pathway != SVR__NO_PATHWAY)
        ask(n, s, now);
    else if (turn(n, s, now) == SVR_DROP_NONE)
        svr__send_metadata(n, s, SVR__SERVER, now);
}

/* A client begins another connection before the last one is forgotten, and may
 * say something else there. */
static bool begins_anew(const svr__work *w, const svr__passage *r)
{
    const svr_node *n = w->node;

    return r->in == SVR__CLIENT && r->session->seal == SVR__CLEAR &&
           r->session->context.proto == SVR_PROTO_TCP && is_syn(w) &&
           n->securities[r->to->security].cipher &&
           svr_policy_of_service(n->policy, r->session->service)->encryption ==
               SVR_ENCRYPT_ADAPTIVE;
}

/* What is not the beginning of what a client says is not taken for one. */
static bool is_first(const svr__work *w, const svr__passage *r)
{
    return is_syn(w) ||
           w->headers.tcp_seq == r->session->side[SVR__CLIENT].tcp_ack;
}

bool svr__adapt(svr__work *w, const svr__passage *r)
{
    svr_node *n = w->node;
    svr__session *s = r->session;
    enum svr_drop reason = SVR_DROP_NONE;

    if (r->from || !r->to || w->headers.ttl <= 1)
        return true;
    if (begins_anew(w, r)) {
        s->seal = SVR__UNDECIDED;
        svr__session_renew(n, s, SVR__SERVER, w->now);
    }
    if (s->seal != SVR__UNDECIDED || svr__payload_len(w) == 0)
        return true;
    if (r->in == SVR__SERVER) {
        ask(n, s, w->now);
        reason = SVR_DROP_SEAL_PENDING;
    } else if (is_first(w, r) && is_hello(w)) {
        s->seal = SVR__CLEAR;
        svr__session_renew(n, s, SVR__SERVER, w->now);
    } else {
        reason = turn(n, s, w->now);
    }
    if (reason != SVR_DROP_NONE)
        svr__drop(w, reason);
    return reason == SVR_DROP_NONE;
}

void svr__adapt_hear(svr_node *n, svr__session *s, unsigned side,
                     const svr__told *told, svr_time now)
{
    enum svr__seal seal =
        told->undecided && n->sealings ? SVR__UNDECIDED : SVR__CLEAR;

    if (side == SVR__SERVER || s->seal == SVR__SEALED || s->seal == seal)
        return;
    s->seal = (uint8_t)seal;
    s->asked = false;
    if (s->side[SVR__SERVER].pathway != SVR__NO_PATHWAY)
        svr__session_renew(n, s, SVR__SERVER, now);
}
