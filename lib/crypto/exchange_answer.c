/*
 * The responder's side. It keeps nothing of a START: all that it answers
 * derives from a secret that turns every two minutes and from the START, whose
 * fields FINISH repeats. So a stranger costs it no memory, and a message that
 * is lost, doubled or late cannot confuse it.
 */
#include "crypto/exchange.h"

#include "base/bytes.h"
#include "crypto/primitive.h"

#include <string.h>

/* S12.3 */
#define TURN (120 * SVR_SECOND)
/* The responder waits so much longer before it begins a run itself. */
#define LAG (60 * SVR_SECOND)

void svr__secrets_turn(svr_exchange *x, svr_time now)
{
    if (now < x->turn_at)
        return;
    /* Whatever came before is too old by now. */
    if (now - x->turn_at >= TURN)
        x->random.fill(x->random.user, x->secrets[0], SVR_KEY_SIZE);
    memcpy(x->secrets[1], x->secrets[0], SVR_KEY_SIZE);
    x->random.fill(x->random.user, x->secrets[0], SVR_KEY_SIZE);
    x->turn_at = now + TURN;
}

/* What this side says in one run, clear, and its secret. */
struct answer {
    svr__exchange_message message;
    uint8_t secret[32];
    uint8_t salt[SVR_KEY_SIZE], ticket[SVR_KEY_SIZE]; /* the first 16 bytes */
    uint8_t ephemeral[SVR__EXCHANGE_EPHEMERAL];
};

/* All but the ephemeral key, which costs more. */
static void derive_answer(struct answer *a, const svr_exchange *x,
                          const uint8_t turning[SVR_KEY_SIZE],
                          const svr__exchange_message *m, uint32_t generation)
{
    uint8_t number[4], root[SVR_KEY_SIZE];
    const svr_span parts[] = {
        svr__key_span(x->answering), m->start, {number, sizeof(number)}};

    svr__store_be32(number, generation);
    svr_kdf(root, turning, "svr responder", parts, 3);
    svr_kdf(a->secret, root, "svr ephemeral", NULL, 0);
    svr_kdf(a->salt, root, "svr salt", NULL, 0);
    svr_kdf(a->ticket, root, "svr ticket", NULL, 0);
    svr_wipe(root, sizeof(root));
    a->message = (svr__exchange_message){
        .kind = SVR__EXCHANGE_ANSWER,
        .index = m->index,
        .generation = generation,
        .algorithm = SVR__ALGORITHM,
        .salt = a->salt,
        .ephemeral = a->ephemeral,
        .ticket = a->ticket,
    };
}

static bool derive_keys(svr__exchange_keys *k, struct answer *a,
                        const svr_exchange *x, const svr__exchange_message *m)
{
    svr_x25519_public(a->ephemeral, a->secret);
    return svr__exchange_derive(k, x->answering, m->start, &a->message,
                                a->secret, m->ephemeral);
}

static void derive_cookie(uint8_t out[SVR_KEY_SIZE], const svr_exchange *x,
                          unsigned turn, svr_span from)
{
    svr_kdf(out, x->secrets[turn], "svr cookie of", &from, 1);
}

static bool has_cookie(const svr_exchange *x, const svr__exchange_message *m,
                       svr_span bytes, svr_span from)
{
    for (unsigned turn = 0; turn < 2; turn++) {
        uint8_t cookie[SVR_KEY_SIZE], mac[SVR__EXCHANGE_MAC];
        derive_cookie(cookie, x, turn, from);
        svr__exchange_mac2(mac, cookie, bytes.data, bytes.len);
        if (svr__secret_equal(mac, m->mac2, sizeof(mac)))
            return true;
    }
    return false;
}

static void give_cookie(const svr_exchange *x, const svr__exchange_message *m,
                        svr_span from, svr_exchange_reply *reply)
{
    uint8_t cookie[SVR_KEY_SIZE], nonce[SVR__EXCHANGE_SALT], sealed[32];

    derive_cookie(cookie, x, 0, from);
    x->random.fill(x->random.user, nonce, sizeof(nonce));
    svr__cookie_seal(sealed, x->answering, nonce, m->mac1, cookie);
    const svr__exchange_message out = {
        .kind = SVR__EXCHANGE_COOKIE,
        .index = m->index,
        .nonce = nonce,
        .sealed = {sealed, sizeof(sealed)},
    };
    reply->len = svr__exchange_encode(reply->bytes, sizeof(reply->bytes), &out);
}

static bool is_for_us(const svr_exchange *x, const svr__exchange_message *m,
                      svr_span bytes)
{
    uint8_t mac[SVR__EXCHANGE_MAC];

    svr__exchange_mac1(mac, x->answering, bytes.data, bytes.len);
    return svr__secret_equal(mac, m->mac1, sizeof(mac));
}

static enum svr_exchange_verdict give_answer(svr_exchange *x,
                                             const svr__exchange_message *m,
                                             svr_exchange_reply *reply)
{
    uint32_t newest = svr__generation_newest(x);
    uint8_t sealed[SVR_EXCHANGE_MAX];
    svr__exchange_keys k;
    struct answer a;

    if (m->highest > newest)
        newest = m->highest;
    derive_answer(&a, x, x->secrets[0], m,
                  svr__generation_next(newest, !x->lower));
    bool ok = derive_keys(&k, &a, x, m);
    if (ok) {
        svr__answer_seal(sealed, &k, x->identity);
        a.message.sealed.data = sealed;
        reply->len = svr__exchange_encode(reply->bytes, sizeof(reply->bytes),
                                          &a.message);
    }
    svr_wipe(&k, sizeof(k));
    svr_wipe(&a, sizeof(a));
    return ok ? SVR_EXCHANGE_ACCEPTED : SVR_EXCHANGE_POINT;
}

static bool has_algorithm(svr_span list)
{
    for (size_t i = 0; i < list.len; i++)
        if (list.data[i] == SVR__ALGORITHM)
            return true;
    return false;
}

enum svr_exchange_verdict
svr__exchange_started(svr_exchange *x, const svr__exchange_message *m,
                      svr_span bytes, const svr_exchange_source *source,
                      svr_time now, svr_exchange_reply *reply)
{
    if (!is_for_us(x, m, bytes))
        return SVR_EXCHANGE_STRANGER;
    if (x->run.state == SVR__RUN_STARTED && x->lower) {
        svr__run_hurry(x, now);
        return SVR_EXCHANGE_GLARE;
    }
    if (source->loaded && !has_cookie(x, m, bytes, source->from)) {
        give_cookie(x, m, source->from, reply);
        return SVR_EXCHANGE_LOADED;
    }
    if (!has_algorithm(m->algorithms))
        return SVR_EXCHANGE_ALGORITHM;
    if (m->highest > SVR__GENERATION_MAX)
        return SVR_EXCHANGE_GENERATION;
    if (!svr__generation_place(x))
        return SVR_EXCHANGE_FULL;
    return give_answer(x, m, reply);
}

/* Which of the two secrets the ticket was made with. */
static bool has_ticket(struct answer *a, const svr_exchange *x,
                       const svr__exchange_message *m)
{
    for (unsigned turn = 0; turn < 2; turn++) {
        derive_answer(a, x, x->secrets[turn], m, m->generation);
        if (svr__secret_equal(a->ticket, m->ticket, SVR__EXCHANGE_MAC))
            return true;
    }
    return false;
}

static void confirm(const svr__exchange_message *m, const svr__exchange_keys *k,
                    const svr_generation *g, svr_exchange_reply *reply)
{
    uint8_t sealed[64];
    const svr__exchange_message out = {
        .kind = SVR__EXCHANGE_CONFIRM,
        .index = m->index,
        .generation = g->number,
        .sealed = {sealed, 0},
    };
    svr__confirm_seal(sealed, k->confirm, k->transcript, g->receive_id,
                      g->own_metadata);
    reply->len = svr__exchange_encode(reply->bytes, sizeof(reply->bytes), &out);
}

/* Keys of the peer's run have come. The own one is done with, unless it makes
 * newer ones, or has left newer ones behind that only the peer may know to be
 * in use: then both agree by another. */
static void settle_run(svr_exchange *x, uint32_t number)
{
    const svr__run *r = &x->run;
    bool started = r->state == SVR__RUN_STARTED;

    if (number > r->number && !(started && number < svr__generation_newest(x)))
        svr__run_end(x);
}

/* The peer has proved who it is and that it has the keys. One of its messages
 * that came twice finds them made, and the same confirmation is sent. */
static enum svr_exchange_verdict agree(svr_exchange *x,
                                       const svr__exchange_message *m,
                                       const svr__exchange_keys *k, uint32_t id,
                                       const uint8_t metadata[SVR_KEY_SIZE],
                                       svr_time now, svr_exchange_reply *reply)
{
    svr_generation *g = svr__generation_find(x, m->generation);

    if (g && !svr__secret_equal(g->peer_key, k->peer, SVR_KEY_SIZE))
        return SVR_EXCHANGE_GENERATION;
    if (!g) {
        if (m->generation <= x->current)
            return SVR_EXCHANGE_GENERATION;
        g = svr__generation_place(x);
        if (!g)
            return SVR_EXCHANGE_FULL;
        svr__generation_make(x, g, m->generation, k->peer, now);
        g->send_id = id;
        memcpy(g->peer_metadata, metadata, SVR_KEY_SIZE);
        svr__generation_use(x, g);
        settle_run(x, g->number);
        svr__exchange_renewed(x, LAG, now);
    }
    confirm(m, k, g, reply);
    return SVR_EXCHANGE_ACCEPTED;
}

enum svr_exchange_verdict svr__exchange_finished(svr_exchange *x,
                                                 const svr__exchange_message *m,
                                                 svr_time now,
                                                 svr_exchange_reply *reply)
{
    uint8_t metadata[SVR_KEY_SIZE];
    enum svr_exchange_verdict v;
    svr__exchange_keys k;
    struct answer a;
    uint32_t id;

    if (!has_ticket(&a, x, m))
        v = SVR_EXCHANGE_TICKET;
    else if (m->algorithm != SVR__ALGORITHM)
        v = SVR_EXCHANGE_ALGORITHM;
    else if (!derive_keys(&k, &a, x, m))
        v = SVR_EXCHANGE_POINT;
    else {
        v = svr__finish_open(&k, x->peer_identity, m->sealed, &id, metadata);
        if (v == SVR_EXCHANGE_ACCEPTED)
            v = agree(x, m, &k, id, metadata, now, reply);
        svr_wipe(&k, sizeof(k));
        svr_wipe(metadata, sizeof(metadata));
    }
    svr_wipe(&a, sizeof(a));
    return v;
}
