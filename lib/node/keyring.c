/*
 * The keys of associations (S11.6, S12).
 *
 * A policy with static keys has one generation for ever. Where keys are
 * exchanged, those of the peer's svr_exchange are derived when they are first
 * asked for, and those used lately are at hand. Which of them protects a tuple
 * is settled when its session begins or moves there (S11.10); what belongs to
 * no session goes under the newest one that both routers use.
 */
#include "node/node.h"

#include <string.h>

enum {
    /* A block that nobody has signed may name any generation that is alive, and
     * each may have to be derived. */
    DERIVATIONS_PER_SECOND = 200,
    DERIVATIONS_BURST = 100,
};

/* What a generation gives to one policy. Secret. */
struct source {
    uint8_t shared[SVR_KEY_SIZE];
    uint8_t own_metadata[SVR_KEY_SIZE];
    uint8_t peer_metadata[SVR_KEY_SIZE];
};

static bool is_exchanged(const svr_node *n, const svr__pathway *pw)
{
    return n->securities[pw->security].exchanged;
}

/* S12.2: metadata is under the key of the router that gets it. */
static int key_metadata(const svr_node *n, const svr__association *a,
                        svr__keys *k, const svr_cipher *cipher,
                        const struct source *from)
{
    const svr_cipher *c = svr_metadata_cipher(cipher);
    uint8_t key[SVR_KEY_SIZE];

    svr_metadata_key_derive(key, from->peer_metadata, n->peers[a->peer].name,
                            SVR__STATIC_KEYS);
    int err = svr_cipher_init(&k->seal, c, SVR_CIPHER_SEAL, key);
    svr_metadata_key_derive(key, from->own_metadata, n->name, SVR__STATIC_KEYS);
    if (err == 0)
        err = svr_cipher_init(&k->open, c, SVR_CIPHER_OPEN, key);
    svr_wipe(key, sizeof(key));
    return err;
}

/* S12.7 */
static int fill(const svr_node *n, const svr__association *a, svr__keys *k,
                const struct source *from, uint32_t generation)
{
    const svr_security_config *sec = &n->securities[a->security];
    const char *peer = n->peers[a->peer].name;

    k->generation = generation;
    svr_direction_key_derive(&k->send, from->shared, n->name, peer, generation);
    svr_direction_key_derive(&k->receive, from->shared, peer, n->name,
                             generation);
    int err = svr_mac_init(&k->send_mac, sec->hmac, k->send.key);
    int err_in = svr_mac_init(&k->receive_mac, sec->hmac, k->receive.key);
    if (err == 0)
        err = err_in;
    return err < 0 || !sec->cipher ? err
                                   : key_metadata(n, a, k, sec->cipher, from);
}

static void wipe(svr__keys *k)
{
    svr_mac_wipe(&k->send_mac);
    svr_mac_wipe(&k->receive_mac);
    svr_cipher_wipe(&k->seal);
    svr_cipher_wipe(&k->open);
    svr_wipe(k, sizeof(*k));
}

int svr__associate(svr_node *n, const svr_node_config *c, uint16_t peer,
                   uint16_t security, uint16_t *number)
{
    for (size_t i = 0; i < n->association_count; i++)
        if (n->associations[i].peer == peer &&
            n->associations[i].security == security) {
            *number = (uint16_t)i;
            return 0;
        }
    svr__association *a = &n->associations[n->association_count];
    const svr_security_config *sec = &c->securities[security];
    struct source from;

    *a = (svr__association){.peer = peer, .security = security};
    *number = (uint16_t)n->association_count++;
    if (sec->exchanged)
        return 0;
    memcpy(from.shared, sec->key, SVR_KEY_SIZE);
    memcpy(from.own_metadata, sec->key, SVR_KEY_SIZE);
    memcpy(from.peer_metadata, sec->key, SVR_KEY_SIZE);
    int err = fill(n, a, &a->keys[0], &from, SVR__STATIC_KEYS);
    svr_wipe(&from, sizeof(from));
    return err;
}

void svr__associations_free(svr_node *n)
{
    for (size_t i = 0; i < n->association_count; i++)
        for (size_t k = 0; k < SVR__KEYS_READY; k++)
            wipe(&n->associations[i].keys[k]);
    svr_secret_free(n->associations);
}

/* Two policies of one peer have nothing in common. */
static void of_policy(uint8_t out[SVR_KEY_SIZE], const uint8_t *key,
                      const char *policy)
{
    const svr_span part = {(const uint8_t *)policy, strlen(policy)};

    svr_kdf(out, key, "svr policy", &part, 1);
}

/* In the place of the oldest ones at hand. NULL: a library has no memory. */
static svr__keys *derive(const svr_node *n, svr__association *a,
                         const svr_generation *g)
{
    const char *policy = n->securities[a->security].name;
    svr__keys *k = &a->keys[0];
    struct source from;

    for (size_t i = 1; i < SVR__KEYS_READY; i++)
        if (a->keys[i].generation < k->generation)
            k = &a->keys[i];
    wipe(k);
    of_policy(from.shared, g->peer_key, policy);
    of_policy(from.own_metadata, g->own_metadata, policy);
    of_policy(from.peer_metadata, g->peer_metadata, policy);
    int err = fill(n, a, k, &from, g->number);
    svr_wipe(&from, sizeof(from));
    k->send.security_id = g->send_id;
    k->receive.security_id = g->receive_id;
    if (err == 0)
        return k;
    wipe(k);
    return NULL;
}

static svr__keys *at_hand(svr__association *a, uint32_t generation)
{
    for (size_t i = 0; i < SVR__KEYS_READY; i++)
        if (a->keys[i].generation == generation)
            return &a->keys[i];
    return NULL;
}

svr__keys *svr__keys_of(const svr_node *n, const svr__pathway *pw,
                        uint32_t generation)
{
    svr__association *a = &n->associations[pw->association];

    if (!is_exchanged(n, pw))
        return &a->keys[0];
    const svr_exchange *x = n->peers[pw->peer].exchange;
    const svr_generation *g = svr_exchange_by_number(x, generation);
    if (!g)
        return NULL;
    svr__keys *k = at_hand(a, generation);
    return k ? k : derive(n, a, g);
}

/* What a peer said before it confirmed the keys is not all of them. */
void svr__keys_learned(svr_node *n, uint16_t peer)
{
    for (size_t i = 0; i < n->association_count; i++) {
        svr__association *a = &n->associations[i];
        for (size_t k = 0; a->peer == peer && k < SVR__KEYS_READY; k++)
            if (a->keys[k].generation && a->keys[k].send.security_id == 0)
                wipe(&a->keys[k]);
    }
}

uint32_t svr__generation_now(const svr_node *n, const svr__pathway *pw)
{
    const svr__peer *peer = &n->peers[pw->peer];

    if (!is_exchanged(n, pw))
        return SVR__STATIC_KEYS;
    return svr_exchange_by_number(peer->exchange, peer->heard) ? peer->heard
                                                               : 0;
}

svr__keys *svr__keys_now(const svr_node *n, const svr__pathway *pw)
{
    return svr__keys_of(n, pw, svr__generation_now(n, pw));
}

/* S12.4: a peer that has been silent about new keys for too long is told
 * nothing, so that the pathway goes out of service. */
svr__keys *svr__keys_bfd(const svr_node *n, const svr__pathway *pw)
{
    const svr__peer *peer = &n->peers[pw->peer];

    if (!is_exchanged(n, pw))
        return svr__keys_now(n, pw);
    const svr_generation *g = svr_exchange_current(peer->exchange);
    return g && !peer->overdue ? svr__keys_of(n, pw, g->number) : NULL;
}

uint32_t svr__generation_of(const svr_node *n, const svr__pathway *pw,
                            uint32_t id)
{
    const svr__association *a = &n->associations[pw->association];

    if (!is_exchanged(n, pw))
        return a->keys[0].receive.security_id == id ? SVR__STATIC_KEYS : 0;
    const svr_generation *g =
        svr_exchange_by_id(n->peers[pw->peer].exchange, id);
    return g ? g->number : 0;
}

svr__keys *svr__keys_received(svr_node *n, const svr__pathway *pw, uint32_t id,
                              svr_time now)
{
    svr__association *a = &n->associations[pw->association];
    uint32_t generation = svr__generation_of(n, pw, id);

    if (generation == 0)
        return NULL;
    svr__keys *k = at_hand(a, generation);
    if (k || !svr__bucket_take(&n->derivations, now, DERIVATIONS_PER_SECOND,
                               DERIVATIONS_BURST))
        return k;
    return svr__keys_of(n, pw, generation);
}

svr__keys *svr__side_keys(const svr_node *n, const svr__session *s,
                          unsigned side)
{
    return svr__keys_of(n, &n->pathways[s->side[side].pathway],
                        s->side[side].generation);
}

/* Whether the neighbour knows those, too. */
static bool is_known(const svr_node *n, const svr__session *s, unsigned side)
{
    const svr__pathway *pw = &n->pathways[s->side[side].pathway];
    uint32_t generation = s->side[side].generation;
    const svr__peer *peer = &n->peers[pw->peer];

    return !is_exchanged(n, pw) ||
           (generation >= peer->first &&
            svr_exchange_by_number(peer->exchange, generation));
}

void svr__side_freshen(svr_node *n, svr__session *s, unsigned side)
{
    if (s->side[side].pathway == SVR__NO_PATHWAY || is_known(n, s, side))
        return;
    const svr__pathway *pw = &n->pathways[s->side[side].pathway];
    uint32_t generation = svr__generation_now(n, pw);
    if (generation)
        svr__session_rekey(n, s, side, generation);
}
