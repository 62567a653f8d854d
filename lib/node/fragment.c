/*
 * Packets that travel in pieces (S18).
 *
 * What SVR adds to a packet never makes it too big: where it does not fit a
 * pathway, it is finished first, metadata and tag included, and then split into
 * signed pieces. The next router puts these together before it looks for a
 * session. IP fragments of hosts are put together on arrival; such a packet
 * tells the routers behind how long the IP fragments may be that it ends in.
 */
#include "node/node.h"

#include "wire/headers.h"

/* A packet that is not complete after this time has lost a piece: it is as long
 * as the longest packet takes at 100 kbit/s. */
#define REASSEMBLY_TIMEOUT (5 * SVR_SECOND)

int svr__reassembly_init(svr_node *n)
{
    int err = svr_reassembly_create(&n->fabric, REASSEMBLY_TIMEOUT, &n->alloc);

    if (err == 0)
        err = svr_reassembly_create(&n->clients, REASSEMBLY_TIMEOUT, &n->alloc);
    if (err == 0)
        n->random.fill(n->random.user, &n->extended_id, sizeof(n->extended_id));
    return err;
}

/* Arriving */

static enum svr_drop drop_of_piece(int err)
{
    switch (err) {
    case SVR_ERR_FULL:
        return SVR_DROP_REASSEMBLY_FULL;
    case SVR_ERR_EXISTS:
        return SVR_DROP_FRAGMENT_DUPLICATE;
    case SVR_ERR_CONFLICT:
        return SVR_DROP_FRAGMENT_CONFLICT;
    default:
        return SVR_DROP_FRAGMENT_MALFORMED;
    }
}

/* The piece is in the pool now, or dropped. */
static void add_piece(svr__work *w, svr_reassembly *pool,
                      const svr_piece_key *key, const svr_piece *piece)
{
    int result = svr_reassembly_add(pool, key, piece, w->now);

    if (result < 0) {
        svr__drop(w, drop_of_piece(result));
        return;
    }
    w->node->counters.reassembled += (uint64_t)result;
    svr__consume(w);
}

void svr__ip_fragment(svr__work *w)
{
    svr_node *n = w->node;
    svr_piece_key key;
    svr_piece piece;
    int err = svr_ip_fragment_parse(&key, &piece, w->packet);

    if (err < 0)
        svr__drop(w, svr__drop_of_error(err));
    else if (n->interfaces[w->packet->iface].has_waypoints)
        svr__drop(w, SVR_DROP_FRAGMENT); /* a stranger must not fill the pool */
    else
        add_piece(w, n->clients, &key, &piece);
}

void svr__fabric_piece(svr__work *w, const svr_metadata *md, size_t block_len)
{
    svr_piece_key key;
    svr_piece piece;

    if (w->whole) { /* pieces of pieces: nobody sends them */
        svr__drop(w, SVR_DROP_FRAGMENT_MALFORMED);
        return;
    }
    svr_fabric_piece(&key, &piece, w->packet, &w->headers, &md->fragment,
                     block_len);
    add_piece(w, w->node->fabric, &key, &piece);
}

/* Leaving */

bool svr__may_fragment(const svr_packet *p)
{
    return p->fragment_size ||
           (!svr__is_v6(p->data) &&
            !(svr__load_be16(p->data + IP4_FRAGMENT) & IP4_DF));
}

/* What a piece may hold of what stands behind the L4 header. */
static int piece_room(const svr__work *w, const svr__pathway *to)
{
    const svr_node *n = w->node;

    return (int)to->mtu - w->headers.payload -
           (int)svr__describe_bare_len(n, to, SVR_HAS(FRAGMENT)) -
           (int)n->securities[to->security].hmac->tag_len;
}

static void split(svr__work *w, const svr__pathway *to,
                  const svr_addr *next_hop)
{
    svr_node *n = w->node;
    const svr_packet *p = w->packet;
    svr__parts *parts = svr__parts_open(n);
    int room = piece_room(w, to);

    if (!parts || room < 8 ||
        svr_split_begin(&parts->split, p, &w->headers,
                        (uint16_t)(room / 8 * 8)) < 0) {
        svr__drop(w, SVR_DROP_TOO_BIG);
        return;
    }
    parts->pathway = (uint16_t)(to - n->pathways);
    parts->fragment = (svr_fragment){
        .extended_id = n->extended_id++,
        .original_id =
            svr__is_v6(p->data) ? 0 : svr__load_be16(p->data + IP4_ID),
        .dont_fragment = !w->fragmentable,
        .largest = p->fragment_size,
    };
    svr__parts_post(w, SVR__SPLIT, to->iface, next_hop);
}

static size_t fragment_limit(const svr__work *w, uint16_t iface)
{
    const svr_packet *p = w->packet;
    size_t least =
        svr__is_v6(p->data) ? SVR_IP6_FRAGMENT_MIN : SVR_IP4_FRAGMENT_MIN;
    size_t limit = w->node->interfaces[iface].config.mtu;

    if (p->fragment_size && p->fragment_size < limit)
        limit = p->fragment_size;
    return limit > least ? limit : least;
}

static void split_ip(svr__work *w, size_t limit, uint16_t iface,
                     const svr_addr *next_hop)
{
    svr_node *n = w->node;
    svr__parts *parts = svr__parts_open(n);
    uint32_t id;

    n->random.fill(n->random.user, &id, sizeof(id)); /* RFC 7739 5.3 */
    svr_packet_checksum_complete(w->packet, &w->headers);
    if (!parts ||
        svr_ip_split_begin(&parts->ip, w->packet, (uint16_t)limit, id) < 0)
        svr__drop(w, SVR_DROP_TOO_BIG);
    else
        svr__parts_post(w, SVR__IP_SPLIT, iface, next_hop);
}

/* Whether the next router must be told how long IP fragments may be. A TCP
 * stream is cut wherever it has to be and needs none. */
static bool needs_word(const svr__work *w)
{
    return w->packet->fragment_size &&
           w->headers.tuple.proto != SVR_PROTO_TCP && svr__payload_len(w) > 0;
}

void svr__leave(svr__work *w, const svr__pathway *to, uint16_t iface,
                const svr_addr *next_hop)
{
    const svr_packet *p = w->packet;
    bool super = p->segment_size != 0;

    if (to && !super && (p->len > to->mtu || needs_word(w))) {
        if (w->piece) /* its buffer is not kept */
            svr__drop(w, SVR_DROP_TOO_BIG);
        else
            split(w, to, next_hop);
    } else if (!to && !super && w->fragmentable &&
               p->len > fragment_limit(w, iface))
        split_ip(w, fragment_limit(w, iface), iface, next_hop);
    else
        svr__forward(w, iface, next_hop);
}

/* The next piece of a packet that was split: it is finished but for its tag. */
static int next_piece(svr__work *w, svr__parts *parts, uint8_t *buf, size_t cap)
{
    svr_node *n = w->node;
    const svr__pathway *pw = &n->pathways[parts->pathway];
    const svr__keys *keys = svr__keys_now(n, pw);
    svr_metadata md;

    svr__describe_bare(&md);
    md.security_id = keys ? keys->send.security_id : 0;
    md.packet_number = svr__number_take(n, pw);
    md.fragment = parts->fragment;
    int err = svr_split_next(&parts->split, &md, w->packet, buf, cap);
    if (err < 0)
        return err;
    n->counters.received++;
    err = svr_packet_parse(&w->headers, w->packet);
    if (err < 0) {
        svr__drop(w, svr__drop_of_error(err));
        return 0;
    }
    if (!keys) {
        svr__drop(w, SVR_DROP_UNKEYED);
        return 0;
    }
    if (!svr__sign(w, pw, &keys->send_mac))
        return 0;
    svr_packet_checksum_write(w->packet, &w->headers);
    n->counters.metadata_sent++;
    svr__forward(w, parts->iface, &parts->next_hop);
    return 0;
}

int svr__next_part(svr__work *w, svr__parts *parts, uint8_t *buf, size_t cap)
{
    if (parts->kind == SVR__SPLIT)
        return next_piece(w, parts, buf, cap);
    int err = svr_ip_split_next(&parts->ip, w->packet, buf, cap);
    if (err < 0)
        return err;
    w->node->counters.received++;
    svr__forward(w, parts->iface, &parts->next_hop);
    return 0;
}
