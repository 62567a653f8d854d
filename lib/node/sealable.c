/*
 * Which sessions may be encrypted, with what, and along which pathways (S11.9).
 */
#include "node/waypoint.h"

#include <string.h>

const svr_cipher *svr__seal_cipher(const svr_node *n, uint8_t flags)
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
    return is_usable(n, svr__seal_cipher(n, told->salt.flags),
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
