#include "identity.h"

#include "random.h"

#include <string.h>

static int refuse(const struct config *config, FILE *problems, const char *why)
{
    fprintf(problems, "router %s: %s\n", config->router, why);
    return -1;
}

static int make(struct svrd *d, const struct config *config, FILE *problems)
{
    const svr_random random = random_system();

    d->identity = svr_secret_alloc(sizeof *d->identity);
    if (d->identity == NULL)
        return refuse(config, problems, "no memory");
    svr_identity_init(d->identity, config->identity, &random);
    return 0;
}

static bool is_same(const svr_identity *identity, const uint8_t *seed)
{
    uint8_t public_key[SVR_ED25519_PUBLIC_SIZE];
    uint8_t secret[SVR_ED25519_SECRET_SIZE];

    svr_ed25519_keypair(public_key, secret, seed);
    svr_wipe(secret, sizeof secret);
    return memcmp(public_key, identity->public_key, sizeof public_key) == 0;
}

int identity_assign(struct svrd *d, struct config *config, FILE *problems)
{
    if (config->identity == NULL)
        return 0;
    if (d->identity == NULL && make(d, config, problems) < 0)
        return -1;
    if (!is_same(d->identity, config->identity))
        return refuse(config, problems,
                      "found another identity, expected the same until svrd "
                      "is started again");
    config->node.identity = d->identity;
    return 0;
}
