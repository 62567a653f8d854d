/*
 * What peers say about pathways (S14): BFD packets and TCP probes.
 *
 * They are found by their port, before any flow is looked up. What a stranger
 * sends costs a look-up and at most one tag to verify.
 */
#include "node/node.h"

/* ICMP types and codes. */
enum {
    UNREACHABLE = 3,
    NEEDS_FRAGMENT = 4,
    TOO_BIG_V6 = 2,
};

bool svr__watch_expects(const svr__pathway *pw, const svr_tuple *t)
{
    if (!pw->watch)
        return false;
    if (t->proto == SVR_PROTO_TCP)
        return !pw->plain && (t->dport == SVR_TCP_PROBE_PORT ||
                              t->dport == SVR_TCP_PROBE_OTHER_PORT);
    return t->dport == pw->bfd_port;
}

/* The pathway that the block is about, whatever its source was. Where it says
 * both ends, as a router does with no NAT before the other, no other pathway
 * will do: its messages could be replayed there. */
static svr__pathway *pathway_named(const svr__work *w, const svr_bfd_block *b)
{
    svr_node *n = w->node;
    const svr_tuple *t = &w->headers.tuple;
    svr__pathway *pw = svr__pathway_find(n, &b->observed.addr, &b->source.addr);

    if (pw)
        return svr_addr_equal(&pw->local, &t->dst) ? pw : NULL;
    pw = svr__pathway_find(n, &t->dst, &t->src);
    if (pw)
        return pw;
    for (size_t i = 0; i < n->pathway_count; i++) { /* S14.4 */
        pw = &n->pathways[i];
        if (svr_addr_equal(&pw->local, &t->dst) &&
            svr__generation_of(n, pw, b->security_id))
            return pw;
    }
    return NULL;
}

/* RFC 5881 section 5 */
static bool is_ttl_right(const svr__work *w, const svr__pathway *pw)
{
    return pw->bfd_ttl != UINT8_MAX || w->headers.ttl == UINT8_MAX ||
           w->headers.tuple.proto == SVR_PROTO_TCP;
}

/* S14.3: lengths, block, pathway, key, tag. */
static enum svr_drop open_message(svr__work *w, svr_pathway_message *m,
                                  size_t bfd_len, svr__pathway **found)
{
    svr_node *n = w->node;
    const uint8_t *at = w->packet->data + w->headers.payload + bfd_len;
    size_t len = svr__payload_len(w) - bfd_len;
    ptrdiff_t block_len;

    if (len == 0)
        return *found ? SVR_DROP_BFD_UNSIGNED : SVR_DROP_BFD_NO_PATHWAY;
    block_len = svr_bfd_block_decode(&m->block, at, len);
    if (block_len < 0)
        return SVR_DROP_BFD_MALFORMED;
    if (m->block.present & SVR_BFD_HAS(KEY_EXCHANGE))
        return (size_t)block_len == len ? svr__keying_receive(w, &m->block)
                                        : SVR_DROP_BFD_MALFORMED;
    svr__pathway *pw = pathway_named(w, &m->block);
    if (!pw || pw->plain || pw->iface != w->packet->iface ||
        !svr__watch_expects(pw, &w->headers.tuple))
        return SVR_DROP_BFD_NO_PATHWAY;
    const svr__keys *keys =
        m->block.present & SVR_BFD_HAS(SECURITY_ID)
            ? svr__keys_received(n, pw, m->block.security_id, w->now)
            : NULL;
    if (!keys)
        return SVR_DROP_KEY;
    if (!is_ttl_right(w, pw))
        return SVR_DROP_BFD_TTL;
    if ((size_t)block_len + keys->receive_mac.hmac->tag_len != len)
        return SVR_DROP_BFD_MALFORMED;
    if (!svr_packet_checksum_ok(w->packet, &w->headers))
        return SVR_DROP_L4_CHECKSUM;
    *found = pw;
    enum svr_drop reason = svr__verify_bfd(w, pw, &keys->receive_mac);
    if (reason == SVR_DROP_NONE)
        svr__keying_heard(n, pw->peer, keys->generation, w->now);
    return reason;
}

static enum svr_drop open_plain(const svr__work *w, const svr__pathway *pw)
{
    if (!is_ttl_right(w, pw))
        return SVR_DROP_BFD_TTL;
    return svr_packet_checksum_ok(w->packet, &w->headers)
               ? SVR_DROP_NONE
               : SVR_DROP_L4_CHECKSUM;
}

/* pw: by the packet's addresses, or NULL; *m: what is to be received. */
static enum svr_drop open_packet(svr__work *w, svr__pathway **pw,
                                 svr_pathway_message *m)
{
    const svr_tuple *t = &w->headers.tuple;
    ptrdiff_t bfd_len;

    bfd_len = svr_bfd_decode(&m->bfd, w->packet->data + w->headers.payload,
                             svr__payload_len(w));
    if (bfd_len < 0)
        return SVR_DROP_BFD_MALFORMED;
    m->size = (uint16_t)w->packet->len;
    m->from = (svr_bfd_endpoint){t->src, t->sport};
    if (*pw && (*pw)->plain)
        return open_plain(w, *pw);
    return open_message(w, m, (size_t)bfd_len, pw);
}

bool svr__watch_input(svr__work *w)
{
    svr_node *n = w->node;
    const svr_tuple *t = &w->headers.tuple;
    svr__pathway *pw;
    svr_pathway_message m = {0};

    if ((t->proto != SVR_PROTO_UDP && t->proto != SVR_PROTO_TCP) ||
        !n->interfaces[w->packet->iface].has_waypoints || svr__has_cookie(w))
        return false;
    pw = svr__pathway_find(n, &t->dst, &t->src);
    if (pw ? !svr__watch_expects(pw, t) : !svr__owns_address(n, &t->dst))
        return false;
    enum svr_drop reason = open_packet(w, &pw, &m);
    if (reason != SVR_DROP_NONE) {
        svr__drop(w, reason);
        return true;
    }
    n->counters.bfd_received++;
    if (m.block.present & SVR_BFD_HAS(KEY_EXCHANGE)) {
        svr__consume(w);
        return true;
    }
    if (m.block.present & SVR_BFD_HAS(RESYNC_END))
        svr__resync_ended(n, pw->peer, m.block.resync_end);
    svr__clock_read(n, &m.block.echo);
    unsigned changes = svr_pathway_receive(pw->watch, &m, w->now);
    if (!(changes & SVR_PATHWAY_REPLAYED) &&
        (m.block.present & SVR_BFD_HAS(ECHO)))
        svr__clock_heard(n, &n->peers[pw->peer], &m.block.echo, w->now);
    if (!(changes & SVR_PATHWAY_REPLAYED) &&
        (m.block.present & SVR_BFD_HAS(TOPOLOGY)))
        svr__learn_heard(n, pw->peer, m.block.topology, w->now);
    svr__watch_serve(n, pw, changes & ~(unsigned)SVR_PATHWAY_REPLAYED, w->now);
    if (changes & SVR_PATHWAY_REPLAYED)
        svr__drop(w, SVR_DROP_REPLAY);
    else
        svr__consume(w);
    return true;
}

static bool says_too_big(const svr_headers *h)
{
    if (h->tuple.proto == SVR_PROTO_ICMPV6)
        return h->icmp_type == TOO_BIG_V6;
    return h->icmp_type == UNREACHABLE && h->icmp_code == NEEDS_FRAGMENT;
}

bool svr__watch_too_big(const svr__work *w)
{
    const svr_headers *h = &w->headers;
    const uint8_t *msg = w->packet->data + h->l4;
    bool v6 = h->tuple.proto == SVR_PROTO_ICMPV6;
    svr_tuple quoted;

    if (!says_too_big(h) || !svr_packet_checksum_ok(w->packet, h) ||
        svr_icmp_quote_parse(&quoted, msg, w->packet->len - h->l4, v6) < 0)
        return false;
    svr__pathway *pw = svr__pathway_find(w->node, &quoted.src, &quoted.dst);
    if (!pw || !pw->watch || pw->iface != w->packet->iface)
        return false;
    svr_pathway_too_big(pw->watch);
    return true;
}
