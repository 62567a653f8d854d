/*
 * Keys are exchanged with peers (S12.2 to S12.5): what carries the messages of
 * each svr_exchange, and what follows from new keys.
 *
 * A message goes behind a BFD packet of its own, unsigned: it proves itself,
 * and nothing else of such a packet is looked at (S14.3). It leaves by one
 * pathway after the other, those that are up first.
 *
 * A new generation is used for messages about pathways at once, and for all
 * else as soon as the peer has used it, too. Sessions then follow on a tour,
 * each to new ports (S11.10).
 */
#include "node/node.h"

#include <string.h>

enum {
    /* What strangers may cost without a cookie. */
    MESSAGES_PER_SECOND = 50,
    MESSAGES_BURST = 100,
};

/* A session has a few old tuples at once, each for some time (S17). */
#define TOUR_SPACING (6 * SVR_SECOND)

static void init_peer(svr_node *n, const svr_node_config *c, size_t number,
                      svr_time now, int *err)
{
    svr__peer *peer = &n->peers[number];
    svr_exchange_settings s = {
        .identity = c->identity,
        .name = c->name,
        .peer = c->peers[number].name,
        .rekey = c->rekey,
        .random = n->random,
    };

    memcpy(s.peer_identity, c->peers[number].identity, SVR_IDENTITY_SIZE);
    memcpy(peer->identity, s.peer_identity, SVR_IDENTITY_SIZE);
    svr_exchange *x =
        (svr_exchange *)(void *)(n->exchanges + number * svr_exchange_size());
    *err = svr_exchange_init(x, &s, now);
    if (*err == 0)
        peer->exchange = x;
}

/* Whether a pathway to the peer wants its keys. */
static bool is_wanted(const svr_node_config *c, size_t peer)
{
    for (size_t i = 0; i < c->pathway_count; i++)
        if (c->pathways[i].peer == peer &&
            c->securities[c->pathways[i].security].exchanged)
            return true;
    return false;
}

int svr__keying_init(svr_node *n, const svr_node_config *c, svr_time now)
{
    int err = 0;

    for (size_t i = 0; err == 0 && i < n->peer_count; i++)
        if (is_wanted(c, i))
            init_peer(n, c, i, now, &err);
    return err;
}

void svr__keying_free(svr_node *n)
{
    for (size_t i = 0; n->peers && i < n->peer_count; i++)
        if (n->peers[i].exchange)
            svr_exchange_wipe(n->peers[i].exchange);
    svr_secret_free(n->exchanges);
}

void svr__keying_carry(const svr__peer *from, svr__peer *to)
{
    if (!from->exchange || !to->exchange ||
        memcmp(from->identity, to->identity, SVR_IDENTITY_SIZE) != 0)
        return;
    memcpy(to->exchange, from->exchange, svr_exchange_size());
    to->heard = from->heard;
    to->spoke = from->spoke;
    to->first = from->first;
    to->overdue = from->overdue;
    to->rekeys = from->rekeys;
}

void svr__keying_renew(svr_node *n, svr_time now)
{
    svr_identity_renew(n->identity, &n->random);
    for (size_t i = 0; i < n->peer_count; i++)
        if (n->peers[i].exchange)
            svr_exchange_request(n->peers[i].exchange, now);
    n->keying_due = now;
}

/* ---- messages ---- */

static bool is_carrier(const svr_node *n, const svr__pathway *pw, size_t peer)
{
    return pw->peer == peer && n->securities[pw->security].exchanged;
}

/* The next one in turn, of those that are up if there are any. */
static svr__pathway *next_carrier(svr_node *n, size_t peer)
{
    svr__pathway *found = NULL;

    for (size_t i = 1; i <= n->pathway_count; i++) {
        size_t at = (n->peers[peer].spoken + i) % n->pathway_count;
        svr__pathway *pw = &n->pathways[at];
        if (!is_carrier(n, pw, peer) || (found && !pw->up))
            continue;
        if (!found || pw->up)
            found = pw;
        if (pw->up)
            break;
    }
    return found;
}

static void send(svr_node *n, size_t number, svr_time now)
{
    svr__peer *peer = &n->peers[number];
    svr__pathway *pw = next_carrier(n, number);
    uint8_t message[SVR_EXCHANGE_MAX];
    svr_pathway_info info;
    size_t len;

    while (pw && n->outbox.count < SVR__OUTBOX &&
           (len = svr_exchange_send(peer->exchange, message, now)) > 0) {
        svr_pathway_describe(pw->watch, &info, now);
        svr__watch_post_keys(n, pw, &pw->settings.local, &info.peer,
                             (svr_span){message, len});
        peer->spoken = (uint16_t)(pw - n->pathways);
    }
    svr_wipe(message, sizeof(message));
}

static void schedule(svr_node *n, const svr__peer *peer)
{
    svr_time due = svr_exchange_due(peer->exchange);

    if (due < n->keying_due)
        n->keying_due = due;
}

static void serve(svr_node *n, size_t number, svr_time now)
{
    svr__peer *peer = &n->peers[number];
    svr_exchange_info info;

    svr_exchange_handle(peer->exchange, now);
    send(n, number, now);
    svr_exchange_describe(peer->exchange, &info, now);
    peer->overdue = info.overdue;
    schedule(n, peer);
}

svr_time svr__keying_due(const svr_node *n)
{
    return n->keying_due;
}

void svr__keying_run(svr_node *n, svr_time now)
{
    if (now < n->keying_due)
        return;
    n->keying_due = SVR_NEVER;
    for (size_t i = 0; i < n->peer_count; i++)
        if (n->peers[i].exchange)
            serve(n, i, now);
}

/* Where a message came to: a pathway that keys are exchanged on with the router
 * that it names. */
static svr__pathway *carrier_of(const svr__work *w, const svr_bfd_block *b)
{
    svr_node *n = w->node;
    const svr_tuple *t = &w->headers.tuple;
    int router = svr__names_find(&n->routers, b->router);

    for (size_t i = 0; router >= 0 && i < n->pathway_count; i++) {
        svr__pathway *pw = &n->pathways[i];
        if (n->peers[pw->peer].router == router &&
            is_carrier(n, pw, pw->peer) && pw->iface == w->packet->iface &&
            svr_addr_equal(&pw->local, &t->dst) && svr__watch_expects(pw, t))
            return pw;
    }
    return NULL;
}

static enum svr_drop reason_of(enum svr_exchange_verdict v)
{
    switch (v) {
    case SVR_EXCHANGE_ACCEPTED:
    case SVR_EXCHANGE_GLARE:
        return SVR_DROP_NONE;
    case SVR_EXCHANGE_STRANGER:
    case SVR_EXCHANGE_IDENTITY:
        return SVR_DROP_EXCHANGE_STRANGER;
    case SVR_EXCHANGE_RUN:
    case SVR_EXCHANGE_TICKET:
    case SVR_EXCHANGE_GENERATION:
        return SVR_DROP_EXCHANGE_OLD;
    case SVR_EXCHANGE_ALGORITHM:
    case SVR_EXCHANGE_POINT:
    case SVR_EXCHANGE_KEY:
    case SVR_EXCHANGE_SIGNATURE:
        return SVR_DROP_EXCHANGE_KEY;
    case SVR_EXCHANGE_LOADED:
    case SVR_EXCHANGE_FULL:
        return SVR_DROP_EXCHANGE_LOAD;
    default:
        return SVR_DROP_EXCHANGE_MALFORMED;
    }
}

static void answer(const svr__work *w, const svr__pathway *pw,
                   const svr_exchange_reply *reply)
{
    const svr_tuple *t = &w->headers.tuple;
    const svr_bfd_endpoint from = {t->dst, t->dport}, to = {t->src, t->sport};

    if (reply->len)
        svr__watch_post_keys(w->node, pw, &from, &to,
                             (svr_span){reply->bytes, reply->len});
}

static enum svr_drop take(svr__work *w, const svr__pathway *pw,
                          svr_span message)
{
    svr_node *n = w->node;
    const svr_tuple *t = &w->headers.tuple;
    svr__peer *peer = &n->peers[pw->peer];
    uint8_t from[sizeof(t->src.b) + sizeof(t->sport)];
    svr_exchange_reply reply = {.len = 0};

    memcpy(from, t->src.b, sizeof(t->src.b));
    memcpy(from + sizeof(t->src.b), &t->sport, sizeof(t->sport));
    const svr_exchange_source source = {
        .from = {from, sizeof(from)},
        .loaded = !svr__bucket_take(&n->messages, w->now, MESSAGES_PER_SECOND,
                                    MESSAGES_BURST),
    };
    enum svr_exchange_verdict v =
        svr_exchange_receive(peer->exchange, message, &source, w->now, &reply);
    n->counters.exchange[v]++;
    answer(w, pw, &reply);
    svr_wipe(&reply, sizeof(reply));
    if (v == SVR_EXCHANGE_ACCEPTED)
        svr__keys_learned(n, pw->peer);
    schedule(n, peer);
    return reason_of(v);
}

enum svr_drop svr__keying_receive(svr__work *w, const svr_bfd_block *b)
{
    const uint64_t all = SVR_BFD_HAS(ROUTER) | SVR_BFD_HAS(KEY_EXCHANGE);

    if (b->present != all)
        return SVR_DROP_EXCHANGE_MALFORMED;
    const svr__pathway *pw = carrier_of(w, b);
    if (!pw)
        return SVR_DROP_BFD_NO_PATHWAY;
    if (!svr_packet_checksum_ok(w->packet, &w->headers))
        return SVR_DROP_L4_CHECKSUM;
    return take(w, pw, b->key_exchange);
}

/* ---- new keys ---- */

/* What a peer has forgotten, it is told anew (resync.c). */
static bool lags(const svr_node *n, const svr__session *s, unsigned side)
{
    const svr__pathway *pw = &n->pathways[s->side[side].pathway];
    uint32_t generation = s->side[side].generation;

    return n->securities[pw->security].exchanged && pw->up &&
           generation != svr__generation_now(n, pw) &&
           generation >= n->peers[pw->peer].first;
}

/* The opener of a hop moves it (S17). */
static unsigned visit(svr_node *n, svr__tour *t, svr__session *s, unsigned side,
                      svr_time now)
{
    (void)t;
    if (side != SVR__SERVER || !lags(n, s, side) ||
        !svr__session_reopen(n, s, SVR_CAUSE_REKEYED, now))
        return 0;
    svr__send_metadata(n, s, side, now);
    return 1;
}

static void finish(svr_node *n, svr__tour *t, svr_time now);
static const svr__tour_plan following = {SVR__TOUR_PEER, visit, finish};

/* Not before the last tour's old tuples have gone. left: the generation that
 * they follow to; until: when they may follow to another one. */
static void begin(svr_node *n, svr__tour *t, size_t peer, svr_time now)
{
    svr_time when = t->until > now ? t->until : now;

    t->left = n->peers[peer].heard;
    t->until = when + TOUR_SPACING;
    svr__tour_start(n, t, &following, peer, when);
}

static void finish(svr_node *n, svr__tour *t, svr_time now)
{
    if (t->left != n->peers[t->of].heard)
        begin(n, t, t->of, now);
}

void svr__keying_follow(svr_node *n, uint16_t peer, svr_time now)
{
    svr__tour *t = &n->peers[peer].rekeys;

    if (n->peers[peer].exchange && !t->plan && n->table.count)
        begin(n, t, peer, now);
}

bool svr__keying_ready(const svr_node *n, const svr__pathway *pw)
{
    const svr__peer *peer = &n->peers[pw->peer];

    return !n->securities[pw->security].exchanged || peer->heard >= peer->first;
}

void svr__keying_heard(svr_node *n, uint16_t number, uint32_t generation,
                       svr_time now)
{
    svr__peer *peer = &n->peers[number];
    const svr_generation *current;

    if (!peer->exchange)
        return;
    peer->spoke = generation;
    if (generation <= peer->heard)
        return;
    current = svr_exchange_current(peer->exchange);
    if (!current || generation > current->number)
        return; /* it has not confirmed that it knows ours */
    svr_exchange_heard(peer->exchange, generation, now);
    peer->heard = generation;
    schedule(n, peer);
    svr__keying_follow(n, number, now);
}

/* ---- for the program ---- */

static bool encrypts(const svr_node *n)
{
    for (size_t i = 0; i < n->security_count; i++)
        if (n->securities[i].cipher)
            return true;
    return false;
}

int svr_node_rekey(svr_node *n, const char *peer, svr_time now)
{
    int err = SVR_ERR_NOT_FOUND;

    if (!peer && encrypts(n)) {
        n->rekeyed = now;
        err = 0;
    }

    for (size_t i = 0; i < n->peer_count; i++) {
        if (!n->peers[i].exchange ||
            (peer && strcmp(n->peers[i].name, peer) != 0))
            continue;
        svr_exchange_request(n->peers[i].exchange, now);
        schedule(n, &n->peers[i]);
        err = 0;
    }
    return err;
}

int svr_node_key_next(const svr_node *n, size_t *cursor, svr_node_key *out,
                      svr_time now)
{
    while (*cursor < n->peer_count) {
        const svr__peer *peer = &n->peers[(*cursor)++];
        if (!peer->exchange)
            continue;
        *out = (svr_node_key){
            .peer = peer->name,
            .keyed = svr_exchange_by_number(peer->exchange, peer->heard) &&
                     !peer->overdue,
        };
        svr_exchange_describe(peer->exchange, &out->info, now);
        return 1;
    }
    return 0;
}
