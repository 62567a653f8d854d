/*
 * Sessions whose packets travel more than once (S17).
 *
 * Beside its present tuple a side has a *leg* on each other pathway to the same
 * peer that has the same keys: an alias. The opener of the hop makes them; the
 * answerer learns them from copies that carry session metadata. Each packet
 * gets a number (0x8003) in a signed block, and so does each of its copies,
 * which are made once the packet itself is ready for its tag. The receiver lets
 * the first of them through.
 */
#include "node/node.h"

#include "base/memory.h"

#include <string.h>

enum {
    /* Legs of one side of a session. */
    LEGS_MAX = 7,
};

bool svr__is_duplicated(const svr_node *n, const svr__session *s)
{
    return svr_policy_of_service(n->policy, s->service)->resiliency ==
           SVR_RESILIENCY_DUPLICATE;
}

int svr__copies_init(svr_node *n)
{
    n->copy_windows =
        svr__reserve(&n->alloc, 2 * (size_t)n->table.cap, sizeof(svr__copies));
    return n->copy_windows ? 0 : SVR_ERR_NO_MEMORY;
}

void svr__copies_fini(svr_node *n)
{
    svr__free(&n->alloc, n->copy_windows, 2 * (size_t)n->table.cap,
              sizeof(svr__copies));
}

svr__copies *svr__copies_of(const svr_node *n, const svr__session *s,
                            unsigned side)
{
    return &n->copy_windows[2 * (size_t)svr__session_number(&n->table, s) +
                            side];
}

static svr__alias *first_of(const svr_node *n, const svr__session *s)
{
    return svr__alias_first(&n->table.aliases,
                            svr__session_number(&n->table, s));
}

static bool is_leg(const svr__alias *a, unsigned side)
{
    return a->kind == SVR__ALIAS_LEG && a->side == side;
}

/* A leg that copies can take now. */
static bool is_usable(const svr_node *n, const svr__session *s,
                      const svr__alias *a, unsigned side)
{
    uint16_t present = s->side[side].pathway;
    return is_leg(a, side) && a->pathway != present &&
           n->pathways[a->pathway].up &&
           n->pathways[a->pathway].association ==
               n->pathways[present].association;
}

static svr__alias *leg_on(const svr_node *n, const svr__session *s,
                          unsigned side, uint16_t pathway)
{
    svr__alias *a = first_of(n, s);
    while (a && !(is_leg(a, side) && a->pathway == pathway))
        a = svr__alias_next(&n->table.aliases, a);
    return a;
}

bool svr__has_legs(const svr_node *n, const svr__session *s, unsigned side)
{
    if (s->side[side].pathway == SVR__NO_PATHWAY || !svr__is_duplicated(n, s))
        return false;
    svr__alias *a = first_of(n, s);
    while (a && !is_usable(n, s, a, side))
        a = svr__alias_next(&n->table.aliases, a);
    return a != NULL;
}

/* Whether the opener wants a leg there: a route of the service to the same
 * peer, under the same keys. */
static bool is_wanted(const svr_node *n, const svr__session *s,
                      const svr__route *r)
{
    uint16_t present = s->side[SVR__SERVER].pathway;
    return r->pathway != SVR__NO_PATHWAY && r->pathway != present &&
           n->pathways[r->pathway].up &&
           n->pathways[r->pathway].association ==
               n->pathways[present].association &&
           !leg_on(n, s, SVR__SERVER, r->pathway);
}

static void bind_leg(svr_node *n, svr__session *s, unsigned side,
                     uint16_t pathway, const svr__flow_key *key, svr_time now)
{
    svr__alias leg = {
        .key = *key,
        .session = svr__session_number(&n->table, s),
        .pathway = pathway,
        .side = (uint8_t)side,
        .generation = s->side[side].generation,
        .kind = SVR__ALIAS_LEG,
        .sealed = s->seal == SVR__SEALED,
    };
    if (svr__is_masked(&s->context, key->proto))
        leg.flags |= SVR__FLOW_MASKED_IN;
    if (n->securities[n->pathways[pathway].security].per_packet)
        leg.flags |= SVR__FLOW_SIGNED_IN;
    svr__alias_bind(&n->table, leg, now);
}

void svr__legs_make(svr_node *n, svr__session *s, svr_time now)
{
    const svr__route_range *range = &n->service_routes[s->service];
    svr_tuple present = svr__side_tuple(n, s, SVR__SERVER);
    svr__side_plan plan;

    if (s->side[SVR__SERVER].pathway == SVR__NO_PATHWAY ||
        !svr__is_duplicated(n, s))
        return;
    for (uint32_t i = 0; i < range->count; i++) {
        const svr__route *r = &n->routes[range->first + i];
        if (!is_wanted(n, s, r) || /* without room, no ports are used up */
            !svr__aliases_has_room(&n->table.aliases) ||
            svr__plan_pathway(n, &s->context, r->pathway, &plan, now) !=
                SVR_DROP_NONE)
            continue;
        plan.tuple.proto = present.proto; /* copies differ in nothing else */
        svr_tuple back = svr_tuple_reverse(&plan.tuple);
        svr__flow_key key = svr__flow_key_of(&back, plan.iface);
        bind_leg(n, s, SVR__SERVER, r->pathway, &key, now);
    }
}

void svr__legs_adjust(svr_node *n, svr__session *s, svr_time now)
{
    svr__alias *next;

    svr__legs_make(n, s, now);
    if (svr__is_duplicated(n, s))
        return;
    for (svr__alias *a = first_of(n, s); a; a = next) {
        next = svr__alias_next(&n->table.aliases, a);
        if (a->kind == SVR__ALIAS_LEG)
            svr__alias_drop(n, a, now);
    }
}

void svr__legs_retire(svr_node *n, const svr__session *s, unsigned side,
                      svr_time now)
{
    svr__alias *next;

    for (svr__alias *a = first_of(n, s); a; a = next) {
        svr__alias old = *a;
        next = svr__alias_next(&n->table.aliases, a);
        if (!is_leg(a, side))
            continue;
        svr__alias_remove(&n->table.aliases, a);
        old.kind = SVR__ALIAS_OLD;
        svr__alias_bind(&n->table, old, now);
    }
}

bool svr__leg_join(svr__work *w, const svr__pathway *pw, svr__session *s,
                   unsigned side)
{
    svr_node *n = w->node;
    uint16_t pathway = (uint16_t)(pw - n->pathways);
    svr__alias *old = leg_on(n, s, side, pathway);
    unsigned count = 0;

    for (svr__alias *a = first_of(n, s); a;
         a = svr__alias_next(&n->table.aliases, a))
        count += a != old && is_leg(a, side);
    if (count >= LEGS_MAX || !svr__is_duplicated(n, s))
        return false;
    if (old)
        svr__alias_drop(n, old, w->now);
    if (w->alias && w->alias != old) /* of a session that has left it */
        svr__alias_drop(n, w->alias, w->now);
    bind_leg(n, s, side, pathway, &w->key, w->now);
    w->alias = svr__alias_find(&n->table.aliases, &w->key,
                               svr__flow_hash(&n->table, &w->key));
    return w->alias != NULL;
}

bool svr__leg_promote(svr_node *n, svr__session *s, unsigned side, svr_time now)
{
    svr__alias *a = svr__is_duplicated(n, s) ? first_of(n, s) : NULL;
    while (a && !is_usable(n, s, a, side))
        a = svr__alias_next(&n->table.aliases, a);
    if (!a)
        return false;
    svr_tuple in = svr__flow_key_tuple(&a->key);
    svr__side_plan to = {
        .pathway = a->pathway,
        .iface = a->key.iface,
        .generation = s->side[side].generation,
        .tuple = side == SVR__CLIENT ? in : svr_tuple_reverse(&in),
    };
    svr__alias_remove(&n->table.aliases, a);
    return svr__session_rebind(n, s, side, &to, SVR_CAUSE_FAILED, now) ==
           SVR_DROP_NONE;
}

/* The block of a copy: session metadata, or its numbers alone. */
static size_t block_of_copy(const svr__work *w, const svr__passage *r,
                            const svr__pathway *pw, bool metadata,
                            uint8_t block[SVR_METADATA_MAX])
{
    svr_node *n = w->node;

    if (metadata)
        return svr__describe(n, r->session, r->out,
                             svr__extra(w, r) | SVR_HAS(COPY_NUMBER), block,
                             w->now);
    return svr__describe_copy(n, pw, r->session, r->out, block);
}

/* A copy of the packet in the outbox, on the leg's tuple and with a block.
 * False where there is no room, or it would not fit. */
static bool make_copy(svr__work *c, const svr__work *w, const svr__passage *r,
                      const svr__alias *leg)
{
    svr_node *n = w->node;
    const svr__pathway *pw = &n->pathways[leg->pathway];
    svr_tuple in = svr__flow_key_tuple(&leg->key), to = svr_tuple_reverse(&in);
    size_t tag_len = n->securities[pw->security].hmac->tag_len;
    uint8_t block[SVR_METADATA_MAX];

    if (w->packet->len + SVR_METADATA_MAX + SVR_TAG_MAX > SVR__OUTBOX_BYTES)
        return false;
    *c = (svr__work){.node = n,
                     .packet = svr__outbox_open(n, w->packet->len),
                     .headers = w->headers,
                     .now = w->now};
    if (!c->packet)
        return false;
    memcpy(c->packet->data, w->packet->data, w->packet->len);
    c->packet->checksum = SVR_CHECKSUM_FULL; /* it is written at the end */
    c->packet->segment_size = 0;
    if (c->headers.ttl < UINT8_MAX)
        c->headers.ttl++; /* it has passed this router once */
    if (svr_packet_convert(c->packet, &c->headers, &to) < 0)
        return false;
    size_t len = block_of_copy(w, r, pw, r->metadata || !leg->heard, block);
    if (len == 0 || c->packet->len + len + tag_len > pw->mtu ||
        svr_packet_insert(c->packet, &c->headers, len) < 0)
        return false;
    memcpy(c->packet->data + c->headers.payload, block, len);
    return true;
}

static void send_copy(const svr__work *w, const svr__passage *r,
                      const svr__alias *leg)
{
    svr_node *n = w->node;
    const svr__pathway *pw = &n->pathways[leg->pathway];
    svr__work c;

    if (!make_copy(&c, w, r, leg) ||
        !svr__sign(&c, pw, &svr__side_keys(n, r->session, r->out)->send_mac))
        return;
    svr_packet_checksum_write(c.packet, &c.headers);
    svr__outbox_post(n, pw->iface,
                     &n->next_hops[svr__pathway_hop(n, leg->pathway)]);
    n->counters.copies_sent++;
}

void svr__send_copies(const svr__work *w, const svr__passage *r)
{
    svr__copies_number(svr__copies_of(w->node, r->session, r->out));
    for (svr__alias *a = first_of(w->node, r->session); a;
         a = svr__alias_next(&w->node->table.aliases, a))
        if (is_usable(w->node, r->session, a, r->out))
            send_copy(w, r, a);
}
