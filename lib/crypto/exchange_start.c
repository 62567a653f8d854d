/* The initiator's side: what comes back for the run that this end has begun. */
#include "crypto/exchange.h"

#include <string.h>

/* A cookie is good for as long as the secret that it was made with is the
 * newer one, at least; then the next refusal brings another. */
#define COOKIE_LIFE (120 * SVR_SECOND)

/* Against what the run has said so far. */
static enum svr_exchange_verdict check_answer(const svr_exchange *x,
                                              const svr__exchange_message *m)
{
    if (x->run.state != SVR__RUN_STARTED || m->index != x->run.index)
        return SVR_EXCHANGE_RUN;
    if (m->algorithm != SVR__ALGORITHM)
        return SVR_EXCHANGE_ALGORITHM;
    if (m->generation <= svr__generation_newest(x) ||
        m->generation > SVR__GENERATION_MAX ||
        (m->generation % 2 == 0) != x->lower)
        return SVR_EXCHANGE_GENERATION;
    return SVR_EXCHANGE_ACCEPTED;
}

/* The run's START, as it was sent. */
static void own_start(const svr_exchange *x, svr__exchange_message *start)
{
    const svr_span bytes = {x->run.message, x->run.len};

    if (svr__exchange_decode(start, bytes) < 0)
        *start = (svr__exchange_message){0};
}

/* S11.6: the keys are accepted before they are announced. */
static void finish(svr_exchange *x, const svr__exchange_message *start,
                   const svr__exchange_message *m, svr_generation *place,
                   const svr__exchange_keys *k, svr_time now)
{
    svr__run *r = &x->run;
    uint8_t sealed[SVR_EXCHANGE_MAX], message[SVR_EXCHANGE_MAX];
    svr__exchange_message out = *start;

    svr__generation_make(x, place, m->generation, k->peer, now);
    svr__finish_seal(sealed, k, x->identity, place->receive_id,
                     place->own_metadata);
    out.kind = SVR__EXCHANGE_FINISH;
    out.generation = m->generation;
    out.algorithm = m->algorithm;
    out.ticket = m->ticket;
    out.sealed.data = sealed;
    r->len = svr__exchange_encode(message, sizeof(message), &out);
    memcpy(r->message, message, r->len); /* which held the START until now */
    memcpy(r->confirm, k->confirm, sizeof(r->confirm));
    memcpy(r->transcript, k->transcript, sizeof(r->transcript));
    svr_wipe(r->secret, sizeof(r->secret));
    r->state = SVR__RUN_FINISHING;
    r->number = m->generation;
    r->finishes = 0;
    r->send_at = now;
}

enum svr_exchange_verdict svr__exchange_answered(svr_exchange *x,
                                                 const svr__exchange_message *m,
                                                 svr_time now)
{
    enum svr_exchange_verdict v = check_answer(x, m);
    svr_generation *place = svr__generation_place(x);
    svr__exchange_message start;
    svr__exchange_keys k;

    if (v != SVR_EXCHANGE_ACCEPTED)
        return v;
    if (!place)
        return SVR_EXCHANGE_FULL;
    own_start(x, &start);
    if (!svr__exchange_derive(&k, x->starting, start.start, m, x->run.secret,
                              m->ephemeral))
        return SVR_EXCHANGE_POINT;
    v = svr__answer_open(&k, x->peer_identity, m->sealed);
    if (v == SVR_EXCHANGE_ACCEPTED)
        finish(x, &start, m, place, &k, now);
    svr_wipe(&k, sizeof(k));
    return v;
}

enum svr_exchange_verdict
svr__exchange_confirmed(svr_exchange *x, const svr__exchange_message *m,
                        svr_time now)
{
    const svr__run *r = &x->run;
    uint8_t metadata[SVR_KEY_SIZE];
    uint32_t id;

    if (r->state != SVR__RUN_FINISHING || m->index != r->index ||
        m->generation != r->number)
        return SVR_EXCHANGE_RUN;
    if (!svr__confirm_open(r->confirm, r->transcript, m->sealed, &id, metadata))
        return SVR_EXCHANGE_KEY;
    svr_generation *g = svr__generation_find(x, r->number);
    if (g) {
        g->send_id = id;
        memcpy(g->peer_metadata, metadata, SVR_KEY_SIZE);
        svr__generation_use(x, g);
        svr_exchange_heard(x, g->number, now);
    }
    svr_wipe(metadata, sizeof(metadata));
    svr__run_end(x);
    svr__exchange_renewed(x, 0, now);
    return SVR_EXCHANGE_ACCEPTED;
}

enum svr_exchange_verdict svr__exchange_cookie(svr_exchange *x,
                                               const svr__exchange_message *m,
                                               svr_time now)
{
    svr__run *r = &x->run;
    svr__exchange_message start;

    if (r->state != SVR__RUN_STARTED || m->index != r->index)
        return SVR_EXCHANGE_RUN;
    own_start(x, &start);
    if (!svr__cookie_open(r->cookie, x->starting, m->nonce, start.mac1,
                          m->sealed.data))
        return SVR_EXCHANGE_KEY;
    r->cookie_until = now + COOKIE_LIFE;
    if (!r->hurried)
        r->send_at = now;
    r->hurried = true;
    return SVR_EXCHANGE_ACCEPTED;
}
