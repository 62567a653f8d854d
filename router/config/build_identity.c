/* build_identity.c - who the router is, and its peers, where keys are
 * exchanged (S12.3). */
#include "build.h"
#include "check.h"
#include "common/hex.h"
#include "key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool build_peer_identity(struct builder *b, const struct value *peer,
                         svr_peer_config *out)
{
    const struct value *identity = value_of(peer, ROUTER_IDENTITY);
    uint8_t *copy;

    if (!identity->given)
        return true;
    copy = build_array(b, SVR_IDENTITY_SIZE, 1);
    if (!copy)
        return false;
    memcpy(copy, identity->identity, SVR_IDENTITY_SIZE);
    out->identity = copy;
    return true;
}

static bool is_needed(const struct builder *b)
{
    const struct value *list = value_of(b->router, ROUTER_PATHWAYS);

    for (size_t i = 0; i < list->count; i++) {
        if (pathway_is_exchanged(b->root, &list->items[i]))
            return true;
    }
    return false;
}

/* The private half makes the public one. */
static bool fits(struct builder *b, const char *path,
                 const uint8_t seed[SVR_IDENTITY_SEED_SIZE])
{
    const struct value *identity = value_of(b->router, ROUTER_IDENTITY);
    uint8_t public_key[SVR_IDENTITY_SIZE];
    uint8_t secret[SVR_ED25519_SECRET_SIZE];
    char found[2 * SVR_IDENTITY_SIZE + 1], expected[2 * SVR_IDENTITY_SIZE + 1];

    svr_ed25519_keypair(public_key, secret, seed);
    svr_wipe(secret, sizeof(secret));
    if (memcmp(public_key, identity->identity, sizeof(public_key)) == 0)
        return true;
    hex_encode(found, public_key, sizeof(public_key));
    hex_encode(expected, identity->identity, SVR_IDENTITY_SIZE);
    report_problem(b->report, identity->at,
                   "found in %s the private half of identity %s, expected that "
                   "of %s",
                   quote(path).s, found, expected);
    return false;
}

static bool read_seed(struct builder *b, const char *path)
{
    uint8_t *seed = svr_secret_alloc(SVR_IDENTITY_SEED_SIZE);

    b->out->identity = seed;
    b->out->config.identity = seed;
    return seed &&
           key_read_identity(seed, path, b->router->text, b->opener, b->report,
                             value_of(b->router, ROUTER_IDENTITY)->at) &&
           fits(b, path, seed);
}

bool build_identity(struct builder *b)
{
    char file[SVR_NAME_SEND_MAX + sizeof(".identity")];
    char *path;
    bool ok;

    b->out->config.node.rekey = value_of(b->root, ROOT_REKEY)->number;
    if (!b->secrets || !is_needed(b))
        return true;
    snprintf(file, sizeof(file), "%s.identity", b->router->text);
    path = build_key_path(b, file);
    ok = path && read_seed(b, path);
    free(path);
    return ok;
}
