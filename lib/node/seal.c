/*
 * What a session's payloads are encrypted with (S11.5, S12.6).
 *
 * The ingress draws the session's key. Both ends draw a salt each, which makes
 * the key of what they send; metadata carries all three, in both directions,
 * and routers between pass them on. An end that has lost its state draws
 * another salt and asks for one: so no end goes on with a counter that it has
 * forgotten, and none accepts what was sent before it had.
 */
#include "node/waypoint.h"

#include "crypto/primitive.h"

#include <string.h>

/* A receiver has two keys of a direction, and what is late needs the old one:
 * for so long. */
#define REKEY_SPACING (30 * SVR_SECOND)

/* The side of an end's neighbour. */
static unsigned inner_side(const svr__session *s)
{
    return s->side[SVR__CLIENT].pathway == SVR__NO_PATHWAY ? SVR__SERVER
                                                           : SVR__CLIENT;
}

static const svr_security_config *
security_of(const svr_node *n, const svr__session *s, unsigned side)
{
    return &n->securities[n->pathways[s->side[side].pathway].security];
}

static svr_payload_scope scope_of(const svr__session *s, bool sends)
{
    bool ingress = inner_side(s) == SVR__SERVER;
    return (svr_payload_scope){
        .uuid = s->uuid,
        .direction = ingress == sends ? SVR_FORWARD : SVR_REVERSE,
    };
}

/* Another salt for what this end sends. */
static bool draw(svr_node *n, const svr__session *s, svr__sealing *z)
{
    svr_payload_scope scope = scope_of(s, true);
    return svr_payload_sender_init(&z->end->sender, z->cipher, &scope, z->key,
                                   &n->random) == 0;
}

bool svr__is_end(const svr__session *s)
{
    return s->side[SVR__CLIENT].pathway == SVR__NO_PATHWAY ||
           s->side[SVR__SERVER].pathway == SVR__NO_PATHWAY;
}

bool svr__is_sealing(const svr__session *s)
{
    return s->seal == SVR__SEALED && svr__is_end(s);
}

static bool learn(const svr__session *s, svr__sealing *z, const svr_salt *salt,
                  svr_time now)
{
    svr_payload_scope scope = scope_of(s, false);
    bool epoch = salt->flags & SVR_SALT_EPOCH;

    z->asks = false;
    z->end->old_until = z->end->receiver.slot[!epoch].cipher.cipher
                            ? now + REKEY_SPACING
                            : SVR_NEVER;
    return svr_payload_receiver_init(&z->end->receiver, z->cipher, &scope,
                                     z->key, salt->b, epoch) == 0;
}

svr_time svr__seal_due(const svr_node *n, const svr__session *s)
{
    return svr__is_sealing(s) ? svr__sealing_of(n, s)->end->old_until
                              : SVR_NEVER;
}

void svr__seal_expire(svr_node *n, const svr__session *s, svr_time now)
{
    if (svr__seal_due(n, s) > now)
        return;
    svr__sealing *z = svr__sealing_of(n, s);
    bool epoch = z->salt[inner_side(s)].flags & SVR_SALT_EPOCH;
    svr_payload_receiver_retire(&z->end->receiver, !epoch);
    z->end->old_until = SVR_NEVER;
}

/* One without keys, for the session's number. */
static void clear(svr_node *n, const svr__session *s, svr__sealing *z)
{
    memset(z, 0, sizeof(*z));
    if (svr__is_end(s))
        z->end = svr__sealing_take(n);
    z->asks = true;
}

bool svr__seal_begin(svr_node *n, svr__session *s, svr_time now)
{
    svr__sealing *z = svr__sealing_of(n, s);

    clear(n, s, z);
    z->cipher = security_of(n, s, SVR__SERVER)->cipher;
    z->keyed = now;
    z->drew_key = true;
    n->random.fill(n->random.user, z->key, SVR_KEY_SIZE);
    s->seal = SVR__SEALED;
    return draw(n, s, z);
}

bool svr__seal_join(svr_node *n, svr__session *s, unsigned side,
                    svr__told *told, svr_time now)
{
    svr__sealing *z = svr__sealing_of(n, s);
    bool ok = true;

    clear(n, s, z);
    z->keyed = now;
    z->salt[side] = told->salt;
    z->salted[side] = told->salted;
    memcpy(z->key, told->key, SVR_KEY_SIZE);
    svr_wipe(told->key, SVR_KEY_SIZE);
    s->seal = SVR__SEALED;
    z->cipher = svr__seal_cipher(n, told->salt.flags);
    if (!svr__is_end(s))
        return true;
    /* Where it does not ask it has sent before under this salt, and nothing
     * here would know what comes again. */
    if (told->salt.flags & SVR_SALT_ASKS)
        ok = learn(s, z, &told->salt, now);
    return draw(n, s, z) && ok;
}

/* What an end makes of a salt that it has not heard before. */
static void take_salt(svr_node *n, svr__session *s, unsigned side,
                      const svr__told *told, bool rekeyed, svr_time now)
{
    svr__sealing *z = svr__sealing_of(n, s);

    /* A failure leaves no key: packets are dropped then. */
    (void)learn(s, z, &told->salt, now);
    if (rekeyed || (told->salt.flags & SVR_SALT_ASKS)) {
        (void)draw(n, s, z);
        svr__session_renew(n, s, side, now);
    }
}

void svr__seal_hear(svr_node *n, svr__session *s, unsigned side,
                    svr__told *told, svr_time now)
{
    svr__sealing *z = svr__sealing_of(n, s);
    bool rekeyed = !svr__secret_equal(z->key, told->key, SVR_KEY_SIZE);

    if (rekeyed && side == SVR__CLIENT)
        memcpy(z->key, told->key, SVR_KEY_SIZE);
    svr_wipe(told->key, SVR_KEY_SIZE);
    /* The server's side has not heard of a new key yet. */
    if (!told->salted || (rekeyed && side == SVR__SERVER))
        return;
    bool fresh = !z->salted[side] ||
                 memcmp(z->salt[side].b, told->salt.b, SVR_SALT_SIZE) != 0;
    bool first = !z->salted[side];
    z->salt[side] = told->salt;
    z->salted[side] = true;
    if (!svr__is_end(s)) {
        /* It has the other one, and has answered it by its own. What it said
         * before tells nothing of one that is still on its way to it. */
        if (fresh && !(told->salt.flags & SVR_SALT_ASKS))
            z->salt[!side].flags &= (uint8_t)~SVR_SALT_ASKS;
        if (fresh && (!first || z->lacking[!side]))
            svr__session_renew(n, s, !side, now);
        return;
    }
    if (fresh && (!first || z->drew_key || (told->salt.flags & SVR_SALT_ASKS)))
        take_salt(n, s, side, told, rekeyed, now);
}

void svr__seal_describe(const svr_node *n, const svr__session *s, unsigned side,
                        svr_metadata *md)
{
    svr__sealing *z = svr__sealing_of(n, s);

    md->present |= SVR_HAS(ENCRYPTED) | SVR_HAS(SESSION_KEY);
    md->session_key = (svr_span){z->key, SVR_KEY_SIZE};
    if (svr__is_end(s)) {
        memcpy(md->salt.b, z->end->sender.salt, SVR_SALT_SIZE);
        md->salt.flags = (uint8_t)((z->asks ? SVR_SALT_ASKS : 0) |
                                   (z->end->sender.epoch ? SVR_SALT_EPOCH : 0) |
                                   svr_payload_cipher_number(z->cipher)
                                       << SVR_SALT_CIPHER_SHIFT);
        md->present |= SVR_HAS(KEY_SALT);
    } else if (z->salted[!side]) {
        md->salt = z->salt[!side];
        md->present |= SVR_HAS(KEY_SALT);
    } else {
        z->lacking[side] = true;
    }
}

int svr__seal_growth(const svr_node *n, const svr__session *s)
{
    const svr_cipher *c = svr__sealing_of(n, s)->cipher;
    return c ? (int)svr_payload_growth_max(c) : SVR_PAYLOAD_GROWTH_MAX;
}

/* Only the ingress draws keys. */
void svr__seal_refresh(svr_node *n, svr__session *s, svr_time now)
{
    if (!svr__is_sealing(s))
        return;
    svr__sealing *z = svr__sealing_of(n, s);
    svr_time age = now - z->keyed;

    if (inner_side(s) != SVR__SERVER || age < REKEY_SPACING ||
        (age < n->rekey && z->keyed >= n->rekeyed))
        return;
    n->random.fill(n->random.user, z->key, SVR_KEY_SIZE);
    z->keyed = now;
    if (draw(n, s, z))
        svr__session_renew(n, s, SVR__SERVER, now);
}

bool svr__seal(svr__work *w, svr__session *s)
{
    svr_node *n = w->node;
    svr__sealing *z = svr__sealing_of(n, s);
    size_t len = svr__payload_len(w);

    if (len == 0)
        return true;
    if (!svr__touch(w))
        return false;
    if (svr_packet_extend(w->packet, &w->headers,
                          (int)svr_payload_growth(z->cipher, len)) < 0) {
        svr__drop(w, SVR_DROP_NO_BUFFER);
        return false;
    }
    if (svr_payload_seal(&z->end->sender, NULL, &n->random,
                         w->packet->data + w->headers.payload, len) < 0) {
        svr__drop(w, SVR_DROP_NO_MEMORY);
        return false;
    }
    return true;
}

/* S11.9: a payload has come clear. It may where the session is so, and between
 * the ends, which judge for themselves, until the session is decided. */
static bool pass_clear(svr__work *w, svr__session *s)
{
    if (s->seal == SVR__CLEAR || (s->seal == SVR__UNDECIDED && !svr__is_end(s)))
        return true;
    svr__drop(w, SVR_DROP_NOT_SEALED);
    if (inner_side(s) == SVR__SERVER)
        svr__adapt_asked(w->node, s, w->now);
    return false;
}

bool svr__unseal(svr__work *w, svr__session *s)
{
    size_t len = svr__payload_len(w);

    if (len == 0)
        return true;
    if (!w->sealed)
        return pass_clear(w, s);
    if (!svr__is_sealing(s))
        return true;
    if (!svr__touch(w))
        return false;
    ptrdiff_t opened =
        svr_payload_open(&svr__sealing_of(w->node, s)->end->receiver, NULL,
                         w->packet->data + w->headers.payload, len);
    if (opened < 0 ||
        svr_packet_extend(w->packet, &w->headers, (int)opened - (int)len) < 0) {
        svr__drop(w, opened == SVR_ERR_REPLAY ? SVR_DROP_SEAL_REPLAY
                                              : SVR_DROP_WRONG_SEAL);
        return false;
    }
    w->packet->alone = true;
    return true;
}
