/* What pathways say to their peers, as packets in the outbox (S14.3, S15). */
#include "node/node.h"

#include "base/text.h"
#include "wire/checksum.h"
#include "wire/headers.h"

/* A message on its way into a packet. */
struct letter {
    svr_node *node;
    const svr__pathway *pathway;
    const svr_pathway_message *message;
    const svr__keys *keys; /* NULL: it is not signed */
    svr_tuple tuple;
    svr_time now;
};

static bool is_tcp(const struct letter *l)
{
    return l->tuple.proto == SVR_PROTO_TCP;
}

static svr_tuple tuple_of(const svr_pathway_message *m)
{
    return (svr_tuple){
        .src = m->from.addr,
        .dst = m->to.addr,
        .sport = m->from.port,
        .dport = m->to.port,
        .proto =
            m->kind == SVR_PATHWAY_TCP_PROBE ? SVR_PROTO_TCP : SVR_PROTO_UDP,
    };
}

static size_t headers_len(const struct letter *l)
{
    size_t ip = svr_addr_is_v4(&l->tuple.dst) ? IP4_SIZE : IP6_SIZE;

    return ip + (is_tcp(l) ? TCP_SIZE : UDP_SIZE);
}

/* The block as the pathway wants it, with what is the node's business. */
static svr_bfd_block block_of(const struct letter *l)
{
    svr_bfd_block b = l->message->block;
    size_t rest =
        headers_len(l) + SVR_BFD_SIZE + l->keys->send_mac.hmac->tag_len;

    if (b.present & SVR_BFD_HAS(ECHO))
        svr__clock_stamp(l->node, &b.echo);
    b.present |= SVR_BFD_HAS(ROUTER) | SVR_BFD_HAS(SECURITY_ID);
    b.router = svr__text(l->node->name);
    b.security_id = l->keys->send.security_id;
    b.resync_end = l->node->peers[l->pathway->peer].told;
    if (b.resync_end)
        b.present |= SVR_BFD_HAS(RESYNC_END);
    if (l->message->size) {
        ptrdiff_t len = svr_bfd_block_encode(NULL, 0, &b);
        if (len > 0 && l->message->size > rest + (size_t)len)
            b.padding = (uint16_t)(l->message->size - rest - (size_t)len);
    }
    return b;
}

/* The headers, around all else. False: it does not fit. */
static bool wrap(const struct letter *l, svr_packet *p,
                 const svr_tcp_bind *bind)
{
    const svr_tuple *t = &l->tuple;

    if (!is_tcp(l)) {
        if (svr_udp_wrap(p, t) < 0)
            return false;
        svr__ip_write(p->data, &t->src, &t->dst, t->proto, p->len, 0,
                      l->pathway->bfd_ttl);
        return true;
    }
    if (svr_tcp_wrap(p, t, bind->seq, bind->ack) < 0)
        return false;
    size_t l4 = headers_len(l) - TCP_SIZE;
    p->data[l4 + TCP_FLAGS] = bind->flags;
    svr__l4_checksum_write(p->data, p->len, l4, t->proto);
    return true;
}

/* A probe begins anywhere in the sequence. */
static svr_tcp_bind header_of_probe(const struct letter *l)
{
    bool syn = l->message->tcp_probe != SVR_TCP_PROBE_MIDFLOW;
    svr_tcp_bind b = {.flags = syn ? SVR_TCP_SYN : SVR_TCP_ACK};
    const svr_random *random = &l->node->random;

    random->fill(random->user, &b.seq, sizeof(b.seq));
    if (!syn)
        random->fill(random->user, &b.ack, sizeof(b.ack));
    return b;
}

static void enter(const struct letter *l)
{
    svr_node *n = l->node;
    uint16_t iface = l->pathway->iface, hop;

    if (!svr__next_hop(n, iface, &l->tuple.dst, &hop))
        return;
    svr__outbox_post(n, iface, svr__next_hop_addr(n, hop, &l->tuple.dst));
    n->counters.bfd_sent++;
}

static void post_plain(const struct letter *l)
{
    static const svr_tcp_bind none;
    svr_packet *p = svr__outbox_open(l->node, SVR_BFD_SIZE);

    if (p && svr_bfd_encode(p->data, &l->message->bfd) == 0 &&
        wrap(l, p, &none))
        enter(l);
}

static void post_signed(const struct letter *l)
{
    svr_node *n = l->node;
    const svr_mac *mac = &l->keys->send_mac;
    svr_bfd_block block = block_of(l);
    ptrdiff_t block_len = svr_bfd_block_encode(NULL, 0, &block);
    svr_tcp_bind bind = {0};
    svr_packet *p;

    if (block_len < 0)
        return;
    size_t len = SVR_BFD_SIZE + (size_t)block_len;
    p = svr__outbox_open(n, len + mac->hmac->tag_len);
    if (!p || svr_bfd_encode(p->data, &l->message->bfd) < 0 ||
        svr_bfd_block_encode(p->data + SVR_BFD_SIZE, (size_t)block_len,
                             &block) < 0)
        return;
    if (is_tcp(l))
        bind = header_of_probe(l);
    if (svr__tag_write_bfd(n, l->pathway, mac, (svr_span){p->data, len},
                           is_tcp(l) ? &bind : NULL, p->data + len) == 0 &&
        wrap(l, p, &bind))
        enter(l);
}

void svr__watch_post_keys(svr_node *n, const svr__pathway *pw,
                          const svr_bfd_endpoint *from,
                          const svr_bfd_endpoint *to, svr_span message)
{
    static const svr_pathway_message none;
    static const svr_tcp_bind no_bind;
    const svr_pathway_message m = {.from = *from, .to = *to};
    const struct letter l = {n, pw, &none, NULL, tuple_of(&m), 0};
    /* The state of no session: it is not looked at. */
    const svr_bfd_packet bfd = {
        .state = SVR_BFD_DOWN, .multiplier = 1, .my_discriminator = 1};
    svr_bfd_block b;

    svr_bfd_block_init(&b);
    b.present = SVR_BFD_HAS(ROUTER) | SVR_BFD_HAS(KEY_EXCHANGE);
    b.router = svr__text(n->name);
    b.key_exchange = message;
    ptrdiff_t len = svr_bfd_block_encode(NULL, 0, &b);
    if (len < 0)
        return;
    svr_packet *p = svr__outbox_open(n, SVR_BFD_SIZE + (size_t)len);
    if (p && svr_bfd_encode(p->data, &bfd) == 0 &&
        svr_bfd_block_encode(p->data + SVR_BFD_SIZE, (size_t)len, &b) == len &&
        wrap(&l, p, &no_bind))
        enter(&l);
}

/* A block of its own: S7, S15. */
static void post_block(const struct letter *l)
{
    const svr_pathway_message *m = l->message;
    svr_metadata md;

    svr__describe_bare(&md);
    if (m->kind == SVR_PATHWAY_KEEP_ALIVE) {
        md.present |= SVR_HAS(CONTROL);
        md.control = SVR_CONTROL_KEEP_ALIVE;
    } else {
        md.present |= SVR_HAS(PATH_METRICS);
        md.metrics = m->metrics;
    }
    svr__send_alone(l->node, l->pathway, &l->tuple, &md, l->now);
}

void svr__watch_post(svr_node *n, const svr__pathway *pw,
                     const svr_pathway_message *m, svr_time now)
{
    struct letter l = {n, pw, m, svr__keys_bfd(n, pw), tuple_of(m), now};

    if (m->kind == SVR_PATHWAY_KEEP_ALIVE || m->kind == SVR_PATHWAY_METRICS)
        post_block(&l);
    else if (pw->plain)
        post_plain(&l);
    else if (l.keys)
        post_signed(&l);
}
