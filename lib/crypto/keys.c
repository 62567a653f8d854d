#include <string.h>

#include "base/bytes.h"
#include "crypto/primitive.h"

static svr_span text_span(const char *text)
{
    return (svr_span){(const uint8_t *)text, strlen(text)};
}

/* A piece with its length in front, so that no two lists of pieces are the
 * same input. */
static void update_framed(svr__blake2b *b, svr_span piece)
{
    uint8_t len[4];
    svr__store_be32(len, (uint32_t)piece.len);
    svr__blake2b_update(b, (svr_span){len, sizeof(len)});
    svr__blake2b_update(b, piece);
}

/*
 * Our own layout (S12.7): BLAKE2b-256, keyed, over
 *   u32 length of the label, the label, and for each part
 *   u32 length of the part, the part
 */
void svr_kdf(uint8_t out[SVR_KEY_SIZE], const uint8_t key[SVR_KEY_SIZE],
             const char *label, const svr_span *parts, size_t count)
{
    svr__blake2b b;
    svr__blake2b_init(&b, key);
    update_framed(&b, text_span(label));
    for (size_t i = 0; i < count; i++)
        update_framed(&b, parts[i]);
    svr__blake2b_final(&b, out);
}

/*
 * Our own layout (S12.7), from the shared key, with the parts
 *   name of the sender, name of the receiver, u32 generation:
 *   "svr mac"  the direction's key
 *   "svr id"   its security id: the first four bytes; 0, which a receiver
 *              could take for "none", becomes 1
 */
void svr_direction_key_derive(svr_direction_key *out,
                              const uint8_t shared[SVR_KEY_SIZE],
                              const char *from, const char *to,
                              uint32_t generation)
{
    uint8_t number[4], id[SVR_KEY_SIZE];
    const svr_span parts[] = {
        text_span(from), text_span(to), {number, sizeof(number)}};
    svr__store_be32(number, generation);
    svr_kdf(id, shared, "svr id", parts, 3);
    svr_kdf(out->key, shared, "svr mac", parts, 3);
    out->security_id = svr__load_be32(id);
    out->security_id += out->security_id == 0;
    svr_wipe(id, sizeof(id));
}

/* Our own layout (S12.7): label "svr session", one part, the UUID. */
void svr_session_key_derive(uint8_t out[SVR_KEY_SIZE],
                            const svr_direction_key *k, const svr_uuid *uuid)
{
    const svr_span part = {uuid->b, sizeof(uuid->b)};
    svr_kdf(out, k->key, "svr session", &part, 1);
}
