/* The tokens of sessions (S8.5): those that this router makes, and those that
 * it keeps for its neighbours. */
#include "node/node.h"

#include "base/memory.h"

#include <string.h>

enum {
    /* Tokens made in one of these periods of Unix time end together, two whole
     * ones later; by then newer ones have been given out. */
    PERIOD_SECONDS = 12 * 3600,
    PERIODS = 3,
};

_Static_assert((uint64_t)PERIODS *PERIOD_SECONDS == SVR__TOKEN_LIFE,
               "the longest");

static bool is_zero(const uint8_t key[SVR_KEY_SIZE])
{
    uint8_t any = 0;

    for (size_t i = 0; i < SVR_KEY_SIZE; i++)
        any |= key[i];
    return any == 0;
}

int svr__token_init(svr_node *n, const svr_node_config *c)
{
    n->recovery_key = svr_secret_alloc(SVR_KEY_SIZE);
    if (!n->recovery_key)
        return SVR_ERR_NO_MEMORY;
    memcpy(n->recovery_key, c->recovery_key, SVR_KEY_SIZE);
    if (is_zero(n->recovery_key))
        n->random.fill(n->random.user, n->recovery_key, SVR_KEY_SIZE);
    n->tokens = svr__reserve(&n->alloc, n->table.cap, sizeof(svr__kept_token));
    return n->tokens ? 0 : SVR_ERR_NO_MEMORY;
}

void svr__token_fini(svr_node *n)
{
    svr_secret_free(n->recovery_key);
    svr__free(&n->alloc, n->tokens, n->table.cap, sizeof(svr__kept_token));
}

static uint32_t id_of(const svr_node *n, enum svr__token_name kind,
                      const char *name)
{
    return svr__token_id(n->recovery_key, kind, name);
}

int svr__token_names(svr_node *n)
{
    n->tenant_ids = svr__alloc(&n->alloc, n->tenant_count, sizeof(uint32_t));
    n->service_ids = svr__alloc(&n->alloc, n->service_count, sizeof(uint32_t));
    if (!n->tenant_ids || !n->service_ids)
        return SVR_ERR_NO_MEMORY;
    for (size_t i = 0; i < n->interface_count; i++)
        n->interfaces[i].token_id =
            id_of(n, SVR__TOKEN_INTERFACE, n->interfaces[i].config.name);
    for (size_t i = 0; i < n->peer_count; i++)
        n->peers[i].token_id = id_of(n, SVR__TOKEN_PEER, n->peers[i].name);
    for (size_t i = 0; i < n->pathway_count; i++)
        n->pathways[i].token_id =
            id_of(n, SVR__TOKEN_PATHWAY, n->pathways[i].name);
    for (size_t i = 0; i < n->tenant_count; i++)
        n->tenant_ids[i] = id_of(n, SVR__TOKEN_TENANT,
                                 svr_policy_tenant_name(n->policy, (int)i));
    for (size_t i = 0; i < n->service_count; i++)
        n->service_ids[i] = id_of(n, SVR__TOKEN_SERVICE,
                                  svr_policy_service_name(n->policy, (int)i));
    return 0;
}

void svr__token_names_free(svr_node *n)
{
    svr__free(&n->alloc, n->tenant_ids, n->tenant_count, sizeof(uint32_t));
    svr__free(&n->alloc, n->service_ids, n->service_count, sizeof(uint32_t));
}

static uint32_t period_of(const svr_node *n, svr_time now)
{
    uint64_t seconds = (n->unix_offset + now) / SVR_SECOND;

    return (uint32_t)(seconds / PERIOD_SECONDS);
}

bool svr__token_age(svr_node *n, svr_time now)
{
    uint32_t expiry = (period_of(n, now) + PERIODS) * PERIOD_SECONDS;

    /* A clock that falls makes no older ones, unless it has been so far ahead
     * that those would not be good. */
    if (expiry <= n->token_expiry && n->token_expiry - expiry < SVR__TOKEN_LIFE)
        return false;
    n->token_expiry = expiry;
    return true;
}

static svr__token token_of(const svr_node *n, const svr__session *s)
{
    const svr__side *client = &s->side[SVR__CLIENT];
    const svr__pathway *next = &n->pathways[s->side[SVR__SERVER].pathway];
    svr__token t = {
        .boot = n->boot,
        .expiry = n->token_expiry,
        .origin = n->interfaces[client->iface].token_id,
        .tenant = s->tenant == SVR_TENANT_NONE ? 0 : n->tenant_ids[s->tenant],
        .service = n->service_ids[s->service],
        .next = n->peers[next->peer].token_id,
    };
    if (client->pathway == SVR__NO_PATHWAY)
        return t;
    svr_tuple back = svr__side_tuple(n, s, SVR__CLIENT);
    t.transit = true;
    t.origin = n->pathways[client->pathway].token_id;
    t.remote = back.dst;
    t.remote_port = back.dport;
    t.own_port = back.sport;
    t.proto = back.proto;
    return t;
}

svr_span svr__token_make(const svr_node *n, const svr__session *s, uint8_t *buf)
{
    svr__token t = token_of(n, s);
    size_t len =
        buf ? svr__token_seal(buf, n->recovery_key, &t, &s->uuid, &s->context)
            : svr__token_len(&t);

    return (svr_span){buf, len};
}

void svr__token_keep(svr__kept_token *k, svr_span token)
{
    k->len = token.len <= sizeof(k->bytes) ? (uint8_t)token.len : 0;
    if (k->len)
        memcpy(k->bytes, token.data, k->len);
}

svr__kept_token *svr__token_of(const svr_node *n, const svr__session *s)
{
    return &n->tokens[svr__session_number(&n->table, s)];
}

svr_span svr__token_kept(const svr_node *n, const svr__session *s)
{
    const svr__kept_token *k = svr__token_of(n, s);

    return (svr_span){k->bytes, k->len};
}
