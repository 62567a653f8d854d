#include "unseal.h"

#include "config/suites.h"
#include "follow.h"

#include <stdlib.h>
#include <string.h>

enum {
    HIDDEN = 8,        /* bytes of a TCP header that UDP's take the place of */
    TCP_OFFSET_AT = 4, /* in the rest of it */
    TCP_SIZE = 20,
};

static const svr_cipher *cipher_of(uint8_t flags)
{
    static const char *const names[] = {"aes-gcm-256", "aes-gcm-128",
                                        "chacha20-poly1305", "aes-cbc-256",
                                        "aes-cbc-128"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const svr_cipher *c = svr_cipher_find(suites_more(), names[i]);
        if (c && svr_payload_cipher_number(c) ==
                     (flags & SVR_SALT_CIPHER) >> SVR_SALT_CIPHER_SHIFT)
            return c;
    }
    return NULL;
}

/* A salt is used with one key, so what is known of it stays: a router between
 * the ends may tell a new key before the salt that goes with it. */
void unseal_learn(struct unseal *u, const struct dump_frame *f, bool reverse)
{
    const svr_metadata *md = &f->md;
    const uint64_t needed = SVR_HAS(SESSION_KEY) | SVR_HAS(KEY_SALT);
    struct unseal_key *k =
        &u->key[reverse][(md->salt.flags & SVR_SALT_EPOCH) != 0];

    u->sealed = md->present & SVR_HAS(ENCRYPTED);
    if ((md->present & needed) != needed ||
        md->session_key.len != SVR_KEY_SIZE ||
        (k->cipher && memcmp(k->salt, md->salt.b, SVR_SALT_SIZE) == 0))
        return;
    k->cipher = cipher_of(md->salt.flags);
    memcpy(k->key, md->session_key.data, SVR_KEY_SIZE);
    memcpy(k->salt, md->salt.b, SVR_SALT_SIZE);
}

static bool is_masked(const struct dump_frame *f)
{
    return f->tuple.proto == SVR_PROTO_UDP &&
           f->flow->context.proto == SVR_PROTO_TCP;
}

/* S4.4: the rest of the TCP header, which is not encrypted. */
static size_t hidden_header_len(const uint8_t *at, size_t len)
{
    size_t whole =
        len > TCP_OFFSET_AT ? (size_t)4 * (at[TCP_OFFSET_AT] >> 4) : TCP_SIZE;

    whole = whole < TCP_SIZE ? TCP_SIZE : whole;
    return whole - HIDDEN < len ? whole - HIDDEN : len;
}

/* Keys each direction's receiver as an end would. A capture may hold a packet
 * twice, so nothing is a replay. */
static bool key_receiver(svr_payload_receiver *r, const struct dump_frame *f)
{
    const svr_payload_scope scope = {
        .uuid = f->flow->uuid,
        .direction = f->reverse ? SVR_REVERSE : SVR_FORWARD,
    };
    bool keyed = false;

    svr_payload_receiver_clear(r);
    for (int epoch = 0; epoch < 2; epoch++) {
        const struct unseal_key *k = &f->flow->unseal.key[f->reverse][epoch];
        keyed |=
            k->cipher && svr_payload_receiver_init(r, k->cipher, &scope, k->key,
                                                   k->salt, epoch) == 0;
    }
    return keyed;
}

/* Where packets have no tag their seal binds what that would have bound. */
static ptrdiff_t open_either(svr_payload_receiver *r,
                             const struct dump_frame *f, uint8_t *at,
                             size_t len)
{
    uint8_t *copy = malloc(len);
    ptrdiff_t opened;

    if (!copy)
        return SVR_ERR_NO_MEMORY;
    memcpy(copy, at, len);
    opened = svr_payload_open(r, NULL, at, len);
    if (opened < 0 && f->tuple.proto == SVR_PROTO_TCP) {
        memcpy(at, copy, len);
        opened = svr_payload_open(r, &f->bind, at, len);
    }
    free(copy);
    return opened;
}

static enum dump_seal open_payload(struct dump_frame *f, uint8_t *at,
                                   size_t len)
{
    svr_payload_receiver *r = calloc(1, sizeof(*r));
    enum dump_seal seal = DUMP_SEAL_NO_KEY;
    ptrdiff_t opened;

    if (!r)
        return seal;
    if (key_receiver(r, f)) {
        opened = open_either(r, f, at, len);
        seal = opened < 0 ? DUMP_SEAL_WRONG : DUMP_SEAL_OPENED;
        if (opened >= 0)
            f->clear = (svr_span){at, (size_t)opened};
    }
    svr_payload_receiver_wipe(r);
    free(r);
    return seal;
}

/* Control packets, pieces and ICMP errors are between routers. */
static bool has_payload(const struct dump_frame *f)
{
    return f->flow && !dump_is_own(f) && f->payload_len > 0 &&
           (dump_is_plain(f) || f->status == DUMP_OK);
}

void unseal_frame(struct dump_frame *f)
{
    size_t skip =
        f->block.data ? (size_t)f->block.header_len + f->block.payload_len : 0;
    size_t len = f->payload_len;
    uint8_t *at;

    if (!has_payload(f) || !f->flow->unseal.sealed)
        return;
    at = f->bytes + (f->l4_captured.data - f->bytes) + skip;
    if (f->l4_captured.len < f->l4_len) {
        f->seal = DUMP_SEAL_NOT_CAPTURED;
        return;
    }
    if (is_masked(f)) {
        size_t header = hidden_header_len(at, len);
        at += header;
        len -= header;
    }
    if (len > 0)
        f->seal = f->tag == DUMP_TAG_WRONG ? DUMP_SEAL_WRONG
                                           : open_payload(f, at, len);
}
