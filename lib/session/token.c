/* token.c - recovery tokens (S8.5). */
#include "session/token.h"

#include "crypto/primitive.h"
#include "wire/cursor.h"

#include <string.h>

enum {
    VERSION = 2,
    FIXED = 2 + 6 * 4,
    PREVIOUS = 1 + 16 + 2 + 2,
    MAC = 16,
    CONTEXT = 16 + 16 + 2 + 2 + 1,
};

_Static_assert(SVR__TOKEN_MAX == FIXED + PREVIOUS + MAC, "the longest token");

uint32_t svr__token_id(const uint8_t key[SVR_KEY_SIZE],
                       enum svr__token_name kind, const char *name)
{
    const uint8_t number = (uint8_t)kind;
    const svr_span parts[] = {{&number, 1},
                              {(const uint8_t *)name, strlen(name)}};
    uint8_t hash[SVR_KEY_SIZE];

    svr_kdf(hash, key, "svr token name", parts, 2);
    svr__rd rd = svr__rd_over(hash, sizeof(hash));
    uint32_t id = svr__rd_u32(&rd);
    return id + (id == 0);
}

static void write_context(uint8_t out[CONTEXT], const svr_tuple *c)
{
    svr__wr wr = svr__wr_over(out, CONTEXT);

    svr__wr_bytes(&wr, c->src.b, sizeof(c->src.b));
    svr__wr_bytes(&wr, c->dst.b, sizeof(c->dst.b));
    svr__wr_u16(&wr, c->sport);
    svr__wr_u16(&wr, c->dport);
    svr__wr_u8(&wr, c->proto);
}

static void authenticate(uint8_t mac[MAC], const uint8_t key[SVR_KEY_SIZE],
                         svr_span content, const svr_uuid *uuid,
                         const svr_tuple *context)
{
    uint8_t whole[SVR_KEY_SIZE], tuple[CONTEXT];
    const svr_span parts[] = {
        {uuid->b, sizeof(uuid->b)}, {tuple, sizeof(tuple)}, content};

    write_context(tuple, context);
    svr_kdf(whole, key, "svr token", parts, 3);
    memcpy(mac, whole, MAC);
    svr_wipe(whole, sizeof(whole));
}

static size_t content_len(bool transit)
{
    return FIXED + (transit ? PREVIOUS : 0);
}

size_t svr__token_len(const svr__token *t)
{
    return content_len(t->transit) + MAC;
}

static void write_content(svr__wr *wr, const svr__token *t)
{
    svr__wr_u8(wr, VERSION);
    svr__wr_u8(wr, t->transit);
    svr__wr_u32(wr, t->boot);
    svr__wr_u32(wr, t->expiry);
    svr__wr_u32(wr, t->origin);
    svr__wr_u32(wr, t->tenant);
    svr__wr_u32(wr, t->service);
    svr__wr_u32(wr, t->next);
    if (!t->transit)
        return;
    svr__wr_u8(wr, t->proto);
    svr__wr_bytes(wr, t->remote.b, sizeof(t->remote.b));
    svr__wr_u16(wr, t->remote_port);
    svr__wr_u16(wr, t->own_port);
}

size_t svr__token_seal(uint8_t out[SVR__TOKEN_MAX],
                       const uint8_t key[SVR_KEY_SIZE], const svr__token *t,
                       const svr_uuid *uuid, const svr_tuple *context)
{
    size_t len = content_len(t->transit);
    svr__wr wr = svr__wr_over(out, len);

    write_content(&wr, t);
    authenticate(out + len, key, (svr_span){out, len}, uuid, context);
    return len + MAC;
}

/* False where these are not the bytes of a token. */
static bool read_content(svr__token *t, svr_span content)
{
    svr__rd rd = svr__rd_over(content.data, content.len);
    uint8_t version = svr__rd_u8(&rd), kind = svr__rd_u8(&rd);

    *t = (svr__token){.transit = kind == 1};
    t->boot = svr__rd_u32(&rd);
    t->expiry = svr__rd_u32(&rd);
    t->origin = svr__rd_u32(&rd);
    t->tenant = svr__rd_u32(&rd);
    t->service = svr__rd_u32(&rd);
    t->next = svr__rd_u32(&rd);
    if (t->transit) {
        t->proto = svr__rd_u8(&rd);
        svr__rd_copy(&rd, t->remote.b, sizeof(t->remote.b));
        t->remote_port = svr__rd_u16(&rd);
        t->own_port = svr__rd_u16(&rd);
    }
    return version == VERSION && kind <= 1 && !rd.overrun &&
           content.len == content_len(t->transit);
}

bool svr__token_open(svr__token *t, const uint8_t key[SVR_KEY_SIZE],
                     svr_span token, const svr_uuid *uuid,
                     const svr_tuple *context)
{
    uint8_t mac[MAC];
    svr__token found;

    if (token.len < MAC)
        return false;
    svr_span content = {token.data, token.len - MAC};
    if (!read_content(&found, content))
        return false;
    authenticate(mac, key, content, uuid, context);
    if (!svr__secret_equal(mac, token.data + content.len, MAC))
        return false;
    *t = found;
    return true;
}
