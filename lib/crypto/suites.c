#include <string.h>

#include <svr/crypto.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* S11.2 */
static const svr_hmac *const hmacs[] = {
    &svr_hmac_sha256,
    &svr_hmac_sha256_128,
    &svr_hmac_sha512,
};

/* S11.5 */
static const svr_cipher *const ciphers[] = {
    &svr_cipher_aes_gcm_256,
    &svr_cipher_chacha20_poly1305,
    &svr_cipher_xchacha20_poly1305,
};

static const svr_hmac *find_hmac(const svr_hmac *const *list, size_t count,
                                 const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i]->name, name) == 0)
            return list[i];
    return NULL;
}

static const svr_cipher *find_cipher(const svr_cipher *const *list,
                                     size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i]->name, name) == 0 &&
            (!list[i]->available || list[i]->available()))
            return list[i];
    return NULL;
}

const svr_hmac *svr_hmac_find(const svr_suites *more, const char *name)
{
    const svr_hmac *found =
        more ? find_hmac(more->hmacs, more->hmac_count, name) : NULL;
    return found ? found : find_hmac(hmacs, COUNT(hmacs), name);
}

const svr_cipher *svr_cipher_find(const svr_suites *more, const char *name)
{
    const svr_cipher *found =
        more ? find_cipher(more->ciphers, more->cipher_count, name) : NULL;
    return found ? found : find_cipher(ciphers, COUNT(ciphers), name);
}
