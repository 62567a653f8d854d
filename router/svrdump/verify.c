#include "verify.h"

#include "config/config.h"
#include "follow.h"

#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 1024,
    POOL_KEYS = 128,
};

struct router {
    char name[SVR_NAME_SEND_MAX + 1];
    uint32_t boot; /* as its last block behind BFD said; 0: none was seen */
    struct router *next;
};

/* How one router signs to another under one security policy. */
struct verify_key {
    const struct router *to;
    svr_direction_key direction;
    const svr_hmac *hmac;
    const svr_cipher *cipher; /* of metadata; NULL: it is clear */
    svr_cipher_state open;    /* what is for the router `to` */
    bool timed, bind_tcp;
    bool tells_boot;         /* the routers speak BFD with blocks (S11.7) */
    bool signs_plain;        /* packets without metadata too (S11.4) */
    struct verify_key *next; /* in its bucket */
};

/* Guarded memory. */
struct pool {
    struct verify_key keys[POOL_KEYS];
    size_t count;
    struct pool *next;
};

struct verify_keys {
    struct pool *pools; /* the one with room first */
    struct verify_key *by_id[BUCKETS];
    struct router *routers;
};

struct verify_keys *verify_keys_new(void)
{
    return svr_crypto_init() == 0 ? calloc(1, sizeof(struct verify_keys))
                                  : NULL;
}

void verify_keys_free(struct verify_keys *keys)
{
    struct router *next_router;
    struct pool *next;

    if (!keys)
        return;
    for (struct pool *p = keys->pools; p; p = next) {
        next = p->next;
        for (size_t i = 0; i < p->count; i++)
            svr_cipher_wipe(&p->keys[i].open);
        svr_secret_free(p);
    }
    for (struct router *r = keys->routers; r; r = next_router) {
        next_router = r->next;
        free(r);
    }
    free(keys);
}

static struct router *find_router(const struct verify_keys *keys, svr_span name)
{
    struct router *r = keys->routers;

    while (r && (strlen(r->name) != name.len ||
                 memcmp(r->name, name.data, name.len) != 0))
        r = r->next;
    return r;
}

/* Makes it where it is not there yet. NULL: no memory. */
static struct router *the_router(struct verify_keys *keys, const char *name)
{
    size_t len = strlen(name);
    struct router *r =
        find_router(keys, (svr_span){(const uint8_t *)name, len});

    if (r || len > SVR_NAME_SEND_MAX)
        return r;
    r = calloc(1, sizeof(*r));
    if (r) {
        memcpy(r->name, name, len);
        r->next = keys->routers;
        keys->routers = r;
    }
    return r;
}

static struct verify_key *new_key(struct verify_keys *keys)
{
    struct pool *p = keys->pools;

    if (!p || p->count == POOL_KEYS) {
        p = svr_secret_alloc(sizeof(*p));
        if (!p)
            return NULL;
        p->count = 0;
        p->next = keys->pools;
        keys->pools = p;
    }
    return &p->keys[p->count++];
}

/* The first of the keys with that security id, or NULL. Behind it there may be
 * more: two policies may share a key file. */
static struct verify_key *find(const struct verify_keys *keys, uint32_t id)
{
    struct verify_key *k = keys->by_id[id % BUCKETS];

    while (k && k->direction.security_id != id)
        k = k->next;
    return k;
}

static struct verify_key *find_next(struct verify_key *k)
{
    uint32_t id = k->direction.security_id;

    do {
        k = k->next;
    } while (k && k->direction.security_id != id);
    return k;
}

static bool is_same(const struct verify_key *a, const struct verify_key *b)
{
    return memcmp(a->direction.key, b->direction.key, SVR_KEY_SIZE) == 0 &&
           a->hmac == b->hmac && a->cipher == b->cipher &&
           a->timed == b->timed && a->bind_tcp == b->bind_tcp &&
           a->tells_boot == b->tells_boot && a->signs_plain == b->signs_plain;
}

/* Every pathway between two routers asks for the same keys. */
static bool is_known(const struct verify_keys *keys,
                     const struct verify_key *wanted)
{
    struct verify_key *k = find(keys, wanted->direction.security_id);

    while (k && !is_same(k, wanted))
        k = find_next(k);
    return k != NULL;
}

/* S12.2: metadata is under the key of the router that gets it. */
static bool key_metadata(struct verify_key *k,
                         const svr_security_config *policy)
{
    uint8_t key[SVR_KEY_SIZE];
    bool ok;

    if (!k->cipher)
        return true;
    svr_metadata_key_derive(key, policy->key, k->to->name, 1);
    ok = svr_cipher_init(&k->open, k->cipher, SVR_CIPHER_OPEN, key) == 0;
    svr_wipe(key, sizeof(key));
    return ok;
}

static bool add_direction(struct verify_keys *keys, const char *from,
                          const char *to, const svr_security_config *policy,
                          bool tells_boot)
{
    struct verify_key wanted = {
        .to = the_router(keys, to),
        .hmac = policy->hmac,
        .cipher = policy->cipher ? svr_metadata_cipher(policy->cipher) : NULL,
        .timed = policy->mode == SVR_HMAC_TIME_BASED,
        .bind_tcp = policy->bind_tcp,
        .tells_boot = tells_boot,
        .signs_plain = policy->per_packet && policy->mode != SVR_HMAC_DISABLED,
    };
    struct verify_key **bucket;
    struct verify_key *k = NULL;
    bool known;

    if (!wanted.to)
        return false;

    svr_direction_key_derive(&wanted.direction, policy->key, from, to, 1);
    bucket = &keys->by_id[wanted.direction.security_id % BUCKETS];
    wanted.next = *bucket;
    known = is_known(keys, &wanted);
    if (!known)
        k = new_key(keys);
    if (k) {
        *k = wanted;
        known = key_metadata(k, policy);
        *bucket = k;
    }
    svr_wipe(&wanted, sizeof(wanted));
    return known;
}

bool verify_keys_add(struct verify_keys *keys, const char *router,
                     const char *peer, const svr_security_config *policy,
                     bool tells_boot)
{
    return add_direction(keys, router, peer, policy, tells_boot) &&
           add_direction(keys, peer, router, policy, tells_boot);
}

static bool add_router(void *user, const struct config *c)
{
    const svr_node_config *node = &c->node;

    for (size_t i = 0; i < node->pathway_count; i++) {
        const svr_pathway_config *pw = &node->pathways[i];

        /* No file has those that are exchanged. */
        if (node->securities[pw->security].exchanged)
            continue;
        if (!verify_keys_add(user, node->name, node->peers[pw->peer].name,
                             &node->securities[pw->security],
                             !pw->unwatched && !pw->watch.plain)) {
            fprintf(stderr, "svrdump: out of memory\n");
            return false;
        }
    }
    return true;
}

struct verify_keys *verify_keys_load(const char *file, const char *folder)
{
    struct verify_keys *keys = verify_keys_new();

    if (!keys) {
        fprintf(stderr, "svrdump: out of memory\n");
        return NULL;
    }
    if (config_visit(file, folder, add_router, keys, stderr))
        return keys;
    verify_keys_free(keys);
    return NULL;
}

static bool tag_is_right(const struct dump_frame *f, const svr_mac *mac,
                         const svr_tag_scope *scope)
{
    size_t len = f->l4_len - mac->hmac->tag_len;

    return svr_tag_verify(mac, (svr_span){f->l4_captured.data, len}, scope,
                          f->l4_captured.data + len);
}

/* Messages about a pathway are signed without clock and boot counter, and so is
 * all that travels along one without such messages. */
static enum dump_tag verify(const struct dump_frame *f,
                            const struct verify_key *k,
                            const uint8_t key[SVR_KEY_SIZE])
{
    svr_tag_scope scope = {
        .bind =
            f->tuple.proto == SVR_PROTO_TCP && k->bind_tcp ? &f->bind : NULL,
        .timed = k->timed && !f->is_bfd,
        .step = f->sec / (SVR_TIME_STEP / SVR_SECOND),
    };
    svr_mac mac;
    bool ok;

    if (f->payload_len < k->hmac->tag_len)
        return DUMP_TAG_WRONG;
    if (f->l4_captured.len < f->l4_len)
        return DUMP_TAG_NOT_CAPTURED;
    svr_mac_init(&mac, k->hmac, key);
    ok = tag_is_right(f, &mac, &scope);
    if (!ok && !f->is_bfd && k->to->boot) {
        scope.boot = k->to->boot;
        ok = tag_is_right(f, &mac, &scope);
    }
    svr_mac_wipe(&mac);
    if (ok)
        return DUMP_TAG_OK;
    return f->is_bfd || k->to->boot || !k->tells_boot ? DUMP_TAG_WRONG
                                                      : DUMP_TAG_NO_BOOT;
}

static void set_signer(struct dump_frame *f, const struct verify_key *k)
{
    f->signer = k;
    if (f->payload_len >= k->hmac->tag_len)
        f->payload_len -= (uint32_t)k->hmac->tag_len;
}

/* The security id that the block names: true where it names one. */
static bool named_key(const struct dump_frame *f, uint32_t *id)
{
    if (f->is_bfd) {
        *id = f->bfd_block.security_id;
        return f->status == DUMP_OK &&
               f->bfd_block.present & SVR_BFD_HAS(SECURITY_ID);
    }
    *id = f->md.security_id;
    return f->md.present & SVR_HAS(SECURITY_ID);
}

static void learn_boot(const struct verify_keys *keys,
                       const struct dump_frame *f)
{
    const svr_bfd_block *b = &f->bfd_block;
    struct router *r;

    if (!f->is_bfd || !(b->present & SVR_BFD_HAS(ROUTER)) ||
        !(b->present & SVR_BFD_HAS(BOOT_COUNTER)))
        return;
    r = find_router(keys, b->router);
    if (r)
        r->boot = b->boot_counter;
}

/* What a router would read of an authentic block (S11.1). */
static void open_metadata(struct verify_key *k, struct dump_frame *f)
{
    uint8_t *block = f->bytes + (f->block.data - f->bytes);
    ptrdiff_t len;

    if (!k->cipher || f->block.payload_len == 0)
        return;
    len = svr_metadata_open(&k->open, block, &f->block);
    f->opened = len >= 0;
    if (f->opened)
        dump_read_sections(f, (size_t)len);
    else
        f->status = DUMP_OPAQUE;
}

void verify_metadata(struct verify_keys *keys, struct dump_frame *f)
{
    struct verify_key *k, *last = NULL;
    uint32_t id;

    if (!named_key(f, &id))
        return;
    f->tag = DUMP_TAG_NO_KEY;
    for (k = find(keys, id); k; k = find_next(k)) {
        last = k;
        f->tag = verify(f, k, k->direction.key);
        if (f->tag != DUMP_TAG_WRONG)
            break;
    }
    if (last)
        set_signer(f, last);
    if (f->tag != DUMP_TAG_OK)
        return;
    learn_boot(keys, f);
    if (last && !f->is_bfd && f->block.data)
        open_metadata(last, f);
}

void verify_plain(struct dump_frame *f)
{
    const struct verify_key *k;
    uint8_t key[SVR_KEY_SIZE];

    if (!f->flow || !dump_is_plain(f))
        return;
    k = f->flow->signer[f->reverse];
    if (!k) {
        f->tag = DUMP_TAG_NO_KEY;
    } else if (k->signs_plain) {
        svr_session_key_derive(key, &k->direction, &f->flow->uuid);
        f->tag = verify(f, k, key);
        svr_wipe(key, sizeof(key));
        set_signer(f, k);
    }
}
