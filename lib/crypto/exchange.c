/* The exchange as a whole: its timers, and what it sends by itself. */
#include "crypto/exchange.h"

#include "base/bytes.h"
#include "crypto/primitive.h"

#include <string.h>

enum {
    LONGEST_WAIT = 30, /* S12.4 */
    FINISHES = 3,      /* then the answer is too old */
};

static const char *const verdict_names[] = {
#define X(name, id, text) [SVR_EXCHANGE_##name] = id,
    SVR_EXCHANGE_MAP(X)
#undef X
};

const char *svr_exchange_verdict_name(enum svr_exchange_verdict v)
{
    return (unsigned)v < SVR_EXCHANGE_VERDICTS ? verdict_names[v] : "unknown";
}

void svr_identity_init(svr_identity *id,
                       const uint8_t seed[SVR_IDENTITY_SEED_SIZE],
                       const svr_random *random)
{
    svr_ed25519_keypair(id->public_key, id->private_key, seed);
    random->fill(random->user, &id->next_id, sizeof(id->next_id));
    svr_identity_renew(id, random);
}

void svr_identity_renew(svr_identity *id, const svr_random *random)
{
    random->fill(random->user, id->metadata_key, sizeof(id->metadata_key));
}

size_t svr_exchange_size(void)
{
    return sizeof(svr_exchange);
}

int svr_exchange_init(svr_exchange *x, const svr_exchange_settings *s,
                      svr_time now)
{
    const uint8_t *own = s->identity->public_key, *peer = s->peer_identity;
    int order = memcmp(own, peer, SVR_IDENTITY_SIZE);

    if (order == 0)
        return SVR_ERR_ARGUMENT;
    *x = (svr_exchange){
        .identity = s->identity,
        .random = s->random,
        .lower = order < 0,
        .interval = s->rekey,
        .start_at = now,
        .turn_at = now,
    };
    memcpy(x->peer_identity, peer, SVR_IDENTITY_SIZE);
    svr__pair_hash(x->starting, own, peer, s->name, s->peer);
    svr__pair_hash(x->answering, peer, own, s->peer, s->name);
    x->random.fill(x->random.user, x->secrets, sizeof(x->secrets));
    svr__secrets_turn(x, now);
    return 0;
}

void svr_exchange_wipe(svr_exchange *x)
{
    svr_wipe(x, sizeof(*x));
}

static svr_time later(svr_time when, svr_time by)
{
    return by < SVR_NEVER - when ? when + by : SVR_NEVER;
}

void svr__exchange_renewed(svr_exchange *x, svr_time lag, svr_time now)
{
    x->start_at = later(later(now, x->interval), lag);
}

void svr_exchange_set_rekey(svr_exchange *x, svr_time rekey)
{
    const svr_generation *g = svr_exchange_current(x);

    x->interval = rekey;
    if (g)
        x->start_at = later(g->made, rekey);
}

void svr_exchange_request(svr_exchange *x, svr_time now)
{
    const svr_generation *g = svr_exchange_current(x);
    svr_time at = now;

    if (g && at < g->made + SVR_EXCHANGE_SPACING)
        at = g->made + SVR_EXCHANGE_SPACING;
    if (at < x->start_at)
        x->start_at = at;
}

/* Writes the START of a run whose ephemeral key is new. */
static void write_start(svr_exchange *x)
{
    static const uint8_t algorithms[] = {SVR__ALGORITHM};
    svr__run *r = &x->run;
    uint8_t salt[SVR__EXCHANGE_SALT], ephemeral[SVR__EXCHANGE_EPHEMERAL];
    const svr__exchange_message m = {
        .kind = SVR__EXCHANGE_START,
        .index = r->index,
        .highest = svr__generation_newest(x),
        .salt = salt,
        .ephemeral = ephemeral,
        .algorithms = {algorithms, sizeof(algorithms)},
    };
    x->random.fill(x->random.user, salt, sizeof(salt));
    svr_x25519_public(ephemeral, r->secret);
    r->len = svr__exchange_encode(r->message, sizeof(r->message), &m);
    svr__exchange_mac1(r->message + r->len - (size_t)2 * SVR__EXCHANGE_MAC,
                       x->starting, r->message, r->len);
}

void svr__run_begin(svr_exchange *x, svr_time now)
{
    svr__run *r = &x->run;

    if (r->state == SVR__RUN_NONE)
        *r = (svr__run){.since = now, .last_sent = now};
    r->state = SVR__RUN_STARTED;
    r->number = 0;
    r->hurried = false;
    r->send_at = now;
    x->random.fill(x->random.user, &r->index, sizeof(r->index));
    x->random.fill(x->random.user, r->secret, sizeof(r->secret));
    write_start(x);
}

void svr__run_end(svr_exchange *x)
{
    svr_wipe(&x->run, sizeof(x->run));
}

void svr__run_hurry(svr_exchange *x, svr_time now)
{
    svr__run *r = &x->run;
    svr_time at = r->sent > 0 ? r->last_sent + SVR_EXCHANGE_SPACING : now;

    if (at < now)
        at = now;
    if (at < r->send_at)
        r->send_at = at;
}

enum svr_exchange_verdict
svr_exchange_receive(svr_exchange *x, svr_span message,
                     const svr_exchange_source *source, svr_time now,
                     svr_exchange_reply *reply)
{
    svr__exchange_message m;
    int err = svr__exchange_decode(&m, message);

    reply->len = 0;
    if (err != 0)
        return err == SVR_ERR_VERSION ? SVR_EXCHANGE_VERSION
                                      : SVR_EXCHANGE_MALFORMED;
    svr_exchange_handle(x, now);
    switch (m.kind) {
    case SVR__EXCHANGE_START:
        return svr__exchange_started(x, &m, message, source, now, reply);
    case SVR__EXCHANGE_ANSWER:
        return svr__exchange_answered(x, &m, now);
    case SVR__EXCHANGE_FINISH:
        return svr__exchange_finished(x, &m, now, reply);
    case SVR__EXCHANGE_CONFIRM:
        return svr__exchange_confirmed(x, &m, now);
    default:
        return svr__exchange_cookie(x, &m, now);
    }
}

/* S12.4: 1, 2, 4 ... 30 s, whatever is sent. */
static svr_time wait_after(unsigned sent)
{
    unsigned seconds = sent < 6 ? 1u << (sent - 1) : LONGEST_WAIT;

    return seconds * SVR_SECOND;
}

static void add_cookie(svr_exchange *x, svr_time now)
{
    svr__run *r = &x->run;
    uint8_t *mac2 = r->message + r->len - SVR__EXCHANGE_MAC;

    if (now < r->cookie_until)
        svr__exchange_mac2(mac2, r->cookie, r->message, r->len);
    else
        memset(mac2, 0, SVR__EXCHANGE_MAC);
}

size_t svr_exchange_send(svr_exchange *x, uint8_t *buf, svr_time now)
{
    svr__run *r = &x->run;

    if (r->state == SVR__RUN_NONE || now < r->send_at)
        return 0;
    if (r->state == SVR__RUN_FINISHING && r->finishes == FINISHES)
        svr__run_begin(x, now);
    if (r->state == SVR__RUN_STARTED)
        add_cookie(x, now);
    else
        r->finishes++;
    r->sent++;
    r->last_sent = now;
    r->send_at = now + wait_after(r->sent);
    memcpy(buf, r->message, r->len);
    return r->len;
}

void svr_exchange_handle(svr_exchange *x, svr_time now)
{
    svr__secrets_turn(x, now);
    svr__generations_expire(x, now);
    if (x->run.state != SVR__RUN_NONE || now < x->start_at)
        return;
    if (svr__generation_place(x))
        svr__run_begin(x, now);
    else
        x->start_at = svr__generations_due(x);
}

svr_time svr_exchange_due(const svr_exchange *x)
{
    svr_time due = svr__generations_due(x);
    svr_time own = x->run.state == SVR__RUN_NONE ? x->start_at : x->run.send_at;

    if (own < due)
        due = own;
    return x->turn_at < due ? x->turn_at : due;
}

void svr_exchange_describe(const svr_exchange *x, svr_exchange_info *out,
                           svr_time now)
{
    const svr_generation *g = svr_exchange_current(x);

    *out = (svr_exchange_info){
        .current = x->current,
        .generation = svr__generation_newest(x),
        .since = g ? g->made : 0,
        .rekey = x->run.state == SVR__RUN_NONE ? x->start_at : now,
        .running = x->run.state != SVR__RUN_NONE,
        .sent = x->run.sent,
    };
    for (size_t i = 0; i < SVR_EXCHANGE_LIVE; i++)
        out->live += x->live[i].number != 0;
    out->overdue = out->running && now - x->run.since >= SVR_EXCHANGE_PATIENCE;
}
