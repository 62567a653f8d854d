/* The metadata that this router writes (S5, S6.5, S7). */
#include "node/node.h"

#include "base/text.h"

#include <string.h>

void svr__describe_bare(svr_metadata *md)
{
    svr_metadata_init(md);
    md->present = SVR_HAS(SECURITY_ID) | SVR_HAS(PACKET_NUMBER);
}

uint64_t svr__number_take(svr_node *n, const svr__pathway *pw)
{
    return n->peers[pw->peer].next_number++;
}

size_t svr__describe_write(svr_node *n, const svr__pathway *pw, svr__keys *keys,
                           svr_metadata *md, uint8_t buf[SVR_METADATA_MAX])
{
    if (!keys)
        return 0;
    md->security_id = keys->send.security_id;
    md->packet_number = svr__number_take(n, pw);
    ptrdiff_t len = svr_metadata_encode(buf, SVR_METADATA_MAX, md);
    if (len > 0 && keys->seal.cipher)
        len = svr_metadata_seal(&keys->seal, &n->random, buf, SVR_METADATA_MAX,
                                (size_t)len);
    return len < 0 ? 0 : (size_t)len;
}

static size_t measure(const svr_node *n, const svr__pathway *pw,
                      const svr_metadata *md)
{
    const svr_cipher *c = n->securities[pw->security].cipher;
    ptrdiff_t len = svr_metadata_encode(NULL, 0, md);
    if (len < 0)
        return 0;
    /* A context or a UUID stands in each payload section. */
    bool hidden = c && (md->present & SVR_HAS(SESSION_UUID));
    return (size_t)len + (hidden ? SVR_METADATA_GROWTH_MAX : 0);
}

size_t svr__describe_copy(svr_node *n, const svr__pathway *pw,
                          const svr__session *s, unsigned side,
                          uint8_t buf[SVR_METADATA_MAX])
{
    svr_metadata md;

    svr__describe_bare(&md);
    md.present |= SVR_HAS(COPY_NUMBER);
    md.copy_number = svr__copies_of(n, s, side)->sent;
    return svr__describe_write(n, pw, svr__side_keys(n, s, side), &md, buf);
}

size_t svr__describe_bare_len(const svr_node *n, const svr__pathway *pw,
                              uint64_t extra)
{
    svr_metadata md;

    svr_metadata_init(&md);
    md.present = SVR_HAS(SECURITY_ID) | SVR_HAS(PACKET_NUMBER) | extra;
    return measure(n, pw, &md);
}

/* What forward metadata is about: a session, or one that is planned. */
struct subject {
    const svr_uuid *uuid;
    const svr_tuple *context;
    int tenant, service;
    const svr__passed *passed;
    const svr__versions *versions; /* NULL: nobody asks */
    const svr__pathway *pathway;
    svr_span token;
};

/* Only sessions whose way is chosen go by another router (S17). */
static const svr__versions *versions_told(const svr_node *n, int service,
                                          const svr__versions *versions)
{
    return svr__is_chosen(&n->choices, service) ? versions : NULL;
}

/* S5.9: what the next router needs to build the session. */
static void describe_forward(const svr_node *n, const struct subject *s,
                             svr_metadata *md, uint8_t record[SVR__RECORD_MAX])
{
    const svr__pathway *pw = s->pathway;

    md->present |= svr_addr_is_v4(&s->context->src)
                       ? SVR_HAS(FORWARD_CONTEXT_V4)
                       : SVR_HAS(FORWARD_CONTEXT_V6);
    md->present |= SVR_HAS(SESSION_UUID) | SVR_HAS(SERVICE) |
                   SVR_HAS(SOURCE_ROUTER) | SVR_HAS(SECURITY_POLICY) |
                   SVR_HAS(PATHWAY) | SVR_HAS(RECOVERY_TOKEN) |
                   SVR_HAS(ROUTE_RECORD);
    md->forward = *s->context;
    md->uuid = *s->uuid;
    md->service = svr__text(svr_policy_service_name(n->policy, s->service));
    md->source_router = svr__text(n->name);
    md->security_policy = svr__text(n->securities[pw->security].name);
    md->pathway = svr__text(pw->name);
    md->recovery_token = s->token;
    md->route_record = svr__record_write(n, s->passed, s->versions, record);
    if (s->tenant != SVR_TENANT_NONE) {
        md->present |= SVR_HAS(TENANT);
        md->tenant = svr__text(svr_policy_tenant_name(n->policy, s->tenant));
    }
}

/* S6.5 */
static void describe_reverse(const svr_node *n, const svr__session *s,
                             svr_metadata *md, svr_time now)
{
    md->present |= svr_addr_is_v4(&s->context.src)
                       ? SVR_HAS(REVERSE_CONTEXT_V4)
                       : SVR_HAS(REVERSE_CONTEXT_V6);
    md->present |= SVR_HAS(SESSION_UUID);
    md->reverse = svr_tuple_reverse(&s->context);
    md->uuid = s->uuid;
    md->recovery_token = svr__token_kept(n, s);
    if (md->recovery_token.len)
        md->present |= SVR_HAS(RECOVERY_TOKEN);
    svr__load_describe(n, s, md, now);
}

/* record: where a route record stands as long as md is used. */
static void describe(const svr_node *n, const svr__session *s, unsigned side,
                     uint64_t extra, svr_metadata *md, uint8_t *token,
                     uint8_t record[SVR__RECORD_MAX], svr_time now)
{
    const svr__pathway *pw = &n->pathways[s->side[side].pathway];
    svr__describe_bare(md);
    if (side == SVR__SERVER)
        describe_forward(n,
                         &(struct subject){
                             .uuid = &s->uuid,
                             .context = &s->context,
                             .tenant = s->tenant,
                             .service = s->service,
                             .passed = &s->passed,
                             .versions = versions_told(n, s->service,
                                                       svr__versions_of(n, s)),
                             .pathway = pw,
                             .token = svr__token_make(n, s, token),
                         },
                         md, record);
    else
        describe_reverse(n, s, md, now);
    if (s->seal == SVR__SEALED)
        svr__seal_describe(n, s, side, md);
    md->exchange = svr_session_exchange(&s->machine, side);
    md->exchange.undecided = s->seal == SVR__UNDECIDED;
    md->exchange.asks =
        md->exchange.undecided && side == SVR__CLIENT && s->asked;
    md->present |= SVR_HAS(EXCHANGE_NUMBER) | extra;
    if (extra & SVR_HAS(COPY_NUMBER))
        md->copy_number = svr__copies_of(n, s, side)->sent;
    md->control = SVR_CONTROL_DISABLE_METADATA; /* where extra asks for it */
}

size_t svr__describe(svr_node *n, const svr__session *s, unsigned side,
                     uint64_t extra, uint8_t buf[SVR_METADATA_MAX],
                     svr_time now)
{
    uint8_t token[SVR__TOKEN_MAX];
    svr_metadata md;
    uint8_t record[SVR__RECORD_MAX];
    describe(n, s, side, extra, &md, token, record, now);
    return svr__describe_write(n, &n->pathways[s->side[side].pathway],
                               svr__side_keys(n, s, side), &md, buf);
}

/* What the encryption of a session takes, or will take once it is decided. */
static void add_seal(svr_metadata *md)
{
    static const uint8_t key[SVR_KEY_SIZE];

    md->present |=
        SVR_HAS(ENCRYPTED) | SVR_HAS(SESSION_KEY) | SVR_HAS(KEY_SALT);
    md->session_key = (svr_span){key, SVR_KEY_SIZE};
}

size_t svr__describe_len(const svr_node *n, const svr__session *s,
                         unsigned side, uint64_t extra, svr_time now)
{
    svr_metadata md;
    uint8_t record[SVR__RECORD_MAX];
    describe(n, s, side, extra, &md, NULL, record, now);
    if (s->seal == SVR__UNDECIDED)
        add_seal(&md);
    return measure(n, &n->pathways[s->side[side].pathway], &md);
}

size_t svr__describe_plan_len(const svr_node *n, const svr__session_plan *plan)
{
    bool transit = plan->side[SVR__CLIENT].pathway != SVR__NO_PATHWAY;
    svr__token token = {.transit = transit};
    const struct subject subject = {
        .uuid = &plan->uuid,
        .context = &plan->context,
        .tenant = plan->tenant,
        .service = plan->service,
        .passed = &plan->passed,
        .versions = versions_told(n, plan->service, &plan->versions),
        .pathway = &n->pathways[plan->side[SVR__SERVER].pathway],
        .token = {.len = svr__token_len(&token)},
    };
    uint8_t record[SVR__RECORD_MAX];
    svr_metadata md;

    svr__describe_bare(&md);
    describe_forward(n, &subject, &md, record);
    md.present |= SVR_HAS(EXCHANGE_NUMBER) | SVR_HAS(TCP_SYN);
    if (plan->told.sealed || plan->told.undecided)
        add_seal(&md);
    return measure(n, subject.pathway, &md);
}
