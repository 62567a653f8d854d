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

/* As many ends as sessions, or fewer. */
static size_t count_ends(const svr_node *n, const svr_limits *limits)
{
    return limits->sealed && limits->sealed < n->table.cap ? limits->sealed
                                                           : n->table.cap;
}

static void free_all(svr_node *n)
{
    svr__sealing_ends *e = &n->sealing_ends;

    if (e->end)
        n->alloc.free(n->alloc.user, e->end, e->cap * sizeof(svr__sealing_end));
    if (n->sealings)
        n->alloc.free(n->alloc.user, n->sealings,
                      (size_t)n->table.cap * sizeof(svr__sealing));
    e->end = NULL;
    n->sealings = NULL;
}

int svr__sealings_init(svr_node *n, const svr_node *setup)
{
    bool wanted = false;
    for (size_t i = 0; i < setup->security_count; i++)
        wanted |= setup->securities[i].cipher != NULL;
    if (!wanted || n->sealings)
        return 0;
    svr__sealing_ends *e = &n->sealing_ends;
    *e = (svr__sealing_ends){.cap = (uint32_t)count_ends(n, &setup->limits),
                             .free = SVR__NO_END};
    /* Not cleared, so that only what is used becomes resident. */
    e->end = n->alloc.alloc(n->alloc.user, e->cap * sizeof(svr__sealing_end));
    n->sealings = n->alloc.alloc(n->alloc.user,
                                 (size_t)n->table.cap * sizeof(svr__sealing));
    if (e->end && n->sealings)
        return 0;
    free_all(n);
    return SVR_ERR_NO_MEMORY;
}

void svr__sealings_fini(svr_node *n)
{
    if (!n->sealings)
        return;
    for (uint32_t i = 0; i < n->table.cap; i++)
        if (n->table.sessions[i].alive)
            svr__seal_end(n, &n->table.sessions[i]);
    free_all(n);
}

bool svr__seal_has_room(const svr_node *n)
{
    const svr__sealing_ends *e = &n->sealing_ends;
    size_t limit = count_ends(n, &n->limits);

    if (limit > e->cap)
        limit = e->cap;
    /* One for each session is never too few: the table is full before, and
     * that can make room. */
    return e->count < limit || limit == n->table.cap;
}

/* An end without keys. */
static svr__sealing_end *take_end(svr_node *n)
{
    svr__sealing_ends *e = &n->sealing_ends;
    uint32_t number = e->free == SVR__NO_END ? e->used++ : e->free;
    svr__sealing_end *end = &e->end[number];

    if (number == e->free)
        e->free = end->next;
    e->count++;
    memset(&end->sender, 0, sizeof(end->sender));
    svr_payload_receiver_clear(&end->receiver);
    end->old_until = SVR_NEVER;
    return end;
}

static void give_back(svr_node *n, svr__sealing_end *end)
{
    svr__sealing_ends *e = &n->sealing_ends;

    svr_payload_sender_wipe(&end->sender);
    svr_payload_receiver_wipe(&end->receiver);
    end->next = e->free;
    e->free = (uint32_t)(end - e->end);
    e->count--;
}

svr__sealing *svr__sealing_of(const svr_node *n, const svr__session *s)
{
    return &n->sealings[svr__session_number(&n->table, s)];
}

void svr__seal_end(svr_node *n, const svr__session *s)
{
    if (s->seal != SVR__SEALED)
        return;
    svr__sealing *z = svr__sealing_of(n, s);
    if (z->end)
        give_back(n, z->end);
    svr_wipe(z, sizeof(*z));
}

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

/* Only ciphers that the configuration names are used, whatever a neighbour
 * says. */
static const svr_cipher *find_cipher(const svr_node *n, uint8_t flags)
{
    for (size_t i = 0; i < n->security_count; i++) {
        const svr_cipher *c = n->securities[i].cipher;
        if (c && svr_payload_cipher_number(c) ==
                     (flags & SVR_SALT_CIPHER) >> SVR_SALT_CIPHER_SHIFT)
            return c;
    }
    return NULL;
}

enum svr_drop svr__seal_read(const svr_node *n, const svr__pathway *pw,
                             const svr_metadata *md, svr__told *out)
{
    const svr_cipher *hidden = n->securities[pw->security].cipher;

    *out = (svr__told){.sealed = svr__md_has(md, SVR_HAS(ENCRYPTED))};
    if (!out->sealed && svr__md_has(md, SVR_HAS(EXCHANGE_NUMBER))) {
        out->undecided = md->exchange.undecided;
        out->asks = md->exchange.asks;
    }
    if (svr__md_has(md, SVR_HAS(SESSION_KEY)) && !hidden)
        return SVR_DROP_NOT_SEALED; /* S11.9: for everyone to read */
    if (!out->sealed)
        return SVR_DROP_NONE;
    if (!svr__md_has(md, SVR_HAS(SESSION_KEY)) ||
        md->session_key.len != SVR_KEY_SIZE)
        return SVR_DROP_MD_INCOMPLETE;
    memcpy(out->key, md->session_key.data, SVR_KEY_SIZE);
    if (svr__md_has(md, SVR_HAS(KEY_SALT))) {
        out->salted = true;
        out->salt = md->salt;
    }
    return SVR_DROP_NONE;
}

/* S11.4: CBC proves nothing by itself. */
static bool is_usable(const svr_node *n, const svr_cipher *c, uint16_t pathway)
{
    return c && (c->kind != SVR_CIPHER_CBC ||
                 n->securities[n->pathways[pathway].security].per_packet);
}

/* A session's key is told under a cipher only. */
static bool has_cipher(const svr_node *n, uint16_t pathway)
{
    return n->securities[n->pathways[pathway].security].cipher;
}

bool svr__seal_may_use(const svr_node *n, const svr__session *s,
                       uint16_t pathway)
{
    return s->seal == SVR__CLEAR ||
           (has_cipher(n, pathway) &&
            (!svr__is_sealing(s) ||
             is_usable(n, svr__sealing_of(n, s)->cipher, pathway)));
}

bool svr__seal_may_plan(const svr_node *n, const svr__session_plan *plan,
                        uint16_t pathway)
{
    if (has_cipher(n, pathway))
        return true;
    if (plan->side[SVR__CLIENT].pathway != SVR__NO_PATHWAY)
        return !plan->told.sealed && !plan->told.undecided;
    return svr__seal_expect(n, plan->service, pathway) == SVR_DROP_NONE;
}

enum svr_drop svr__seal_expect(const svr_node *n, int service, uint16_t pathway)
{
    if (pathway == SVR__NO_PATHWAY ||
        svr_policy_of_service(n->policy, service)->encryption !=
            SVR_ENCRYPT_ALWAYS)
        return SVR_DROP_NONE;
    if (!has_cipher(n, pathway))
        return SVR_DROP_NOT_SEALED;
    return svr__seal_has_room(n) ? SVR_DROP_NONE : SVR_DROP_SEALED_FULL;
}

/* Whether a session between these pathways may be, or become, encrypted. */
static enum svr_drop may_seal(const svr_node *n, const uint16_t pathway[2],
                              const svr__told *told)
{
    bool end = false;

    if (!n->sealings)
        return SVR_DROP_NOT_SEALED;
    for (unsigned side = 0; side < 2; side++) {
        end |= pathway[side] == SVR__NO_PATHWAY;
        if (pathway[side] != SVR__NO_PATHWAY && !has_cipher(n, pathway[side]))
            return SVR_DROP_NOT_SEALED; /* S11.9: nor is the key told there */
    }
    if (!end || told->undecided)
        return SVR_DROP_NONE;
    if (!svr__seal_has_room(n))
        return SVR_DROP_SEALED_FULL;
    if (!told->salted)
        return SVR_DROP_MD_INCOMPLETE;
    return is_usable(n, find_cipher(n, told->salt.flags),
                     pathway[pathway[0] == SVR__NO_PATHWAY])
               ? SVR_DROP_NONE
               : SVR_DROP_NOT_SEALED;
}

enum svr_drop svr__seal_plan(const svr_node *n, const svr__session_plan *plan)
{
    const uint16_t pathway[] = {plan->side[SVR__CLIENT].pathway,
                                plan->side[SVR__SERVER].pathway};
    bool always = svr_policy_of_service(n->policy, plan->service)->encryption ==
                  SVR_ENCRYPT_ALWAYS;
    bool end = pathway[0] == SVR__NO_PATHWAY || pathway[1] == SVR__NO_PATHWAY;

    if (!plan->told.sealed && always && end)
        return SVR_DROP_NOT_SEALED;
    return plan->told.sealed || plan->told.undecided
               ? may_seal(n, pathway, &plan->told)
               : SVR_DROP_NONE;
}

enum svr_drop svr__seal_may_turn(const svr_node *n, const svr__session *s,
                                 uint16_t pathway, const svr__told *told)
{
    const uint16_t pathways[] = {pathway, s->side[SVR__SERVER].pathway};
    return may_seal(n, pathways, told);
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
        z->end = take_end(n);
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
    z->cipher = find_cipher(n, told->salt.flags);
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
