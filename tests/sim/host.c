#include "host.h"

#include "memory.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Clients and servers have addresses of their own for each session: the
 * session's number says which. */
enum { HOSTS_PER_LAN = 250 * 126 };

/* Finding */

static uint64_t hash_of(const svr_tuple *t)
{
    uint64_t words[4];

    memcpy(words, t->src.b, 16);
    memcpy(words + 2, t->dst.b, 16);
    return prng_mix(
        words[0] + 3 * words[1] + 5 * words[2] + 7 * words[3] +
        ((uint64_t)t->sport << 32 | (uint64_t)t->dport << 16 | t->proto) *
            UINT64_C(0x9e3779b97f4a7c15));
}

static void enter(struct hosts *all, const struct session *s)
{
    size_t i = hash_of(&s->tuple) & (all->index_size - 1);

    while (all->index[i])
        i = (i + 1) & (all->index_size - 1);
    all->index[i] = s->id + 1;
}

static void grow(struct hosts *all)
{
    all->room = all->room ? 2 * all->room : 1024;
    all->sessions =
        memory_grow(all->sessions, all->room * sizeof(*all->sessions));
    free(all->index);
    all->index_size = 4 * all->room;
    all->index = memory_new(all->index_size, sizeof(*all->index));
    for (size_t i = 0; i < all->count; i++)
        enter(all, all->sessions[i]);
}

static struct session *find_from(const struct hosts *all, const svr_tuple *t)
{
    size_t i = hash_of(t) & (all->index_size - 1);

    for (; all->index[i]; i = (i + 1) & (all->index_size - 1)) {
        struct session *s = all->sessions[all->index[i] - 1];
        if (svr_tuple_equal(&s->tuple, t))
            return s;
    }
    return NULL;
}

struct session *hosts_find(struct world *w, const svr_tuple *t)
{
    return w->hosts.count ? find_from(&w->hosts, t) : NULL;
}

/* *end: who gets a packet with this tuple. */
static struct session *find(const struct hosts *all, const svr_tuple *t,
                            int *end)
{
    svr_tuple back = svr_tuple_reverse(t);
    struct session *s;

    if (all->count == 0)
        return NULL;
    s = find_from(all, t);
    *end = s ? SERVER : CLIENT;
    return s ? s : find_from(all, &back);
}

/* Beginning */

static svr_addr host_addr(uint16_t router, bool v6, bool server, uint32_t id)
{
    svr_addr a = address_lan(router, v6);
    uint32_t host = id % HOSTS_PER_LAN;

    if (v6) {
        a.b[8] = server ? 0x80 : 0;
        a.b[11] = 1;
        put32(a.b + 12, id);
    } else {
        a.b[14] = (uint8_t)(1 + host / 250 + (server ? 128 : 0));
        a.b[15] = (uint8_t)(1 + host % 250);
    }
    return a;
}

static uint8_t proto_of(enum session_kind kind, bool v6)
{
    switch (kind) {
    case KIND_TCP:
        return SVR_PROTO_TCP;
    case KIND_ECHO:
        return v6 ? SVR_PROTO_ICMPV6 : SVR_PROTO_ICMP;
    case KIND_TUNNEL:
        return PROTO_GRE;
    default:
        return SVR_PROTO_UDP;
    }
}

static enum service service_of(enum session_kind kind)
{
    switch (kind) {
    case KIND_TCP:
        return SERVICE_WEB;
    case KIND_ECHO:
        return SERVICE_PING;
    case KIND_TUNNEL:
        return SERVICE_TUNNEL;
    default:
        return SERVICE_VOICE;
    }
}

static svr_tuple make_tuple(enum session_kind kind, uint16_t from, uint16_t to,
                            bool v6, uint32_t id)
{
    svr_tuple t = {
        .src = host_addr(from, v6, false, id),
        .dst = host_addr(to, v6, true, id % 7),
        .sport = (uint16_t)(1024 + 64 * (id % 97) + id / HOSTS_PER_LAN % 64),
        .dport = kind == KIND_TCP ? SERVICE_TCP_PORT
                                  : (uint16_t)(SERVICE_UDP_PORT + id % 100),
        .proto = proto_of(kind, v6),
    };

    if (kind == KIND_ECHO)
        t.dport = t.sport;
    if (kind == KIND_TUNNEL)
        t.sport = t.dport = 0;
    return t;
}

const struct route_facts *hosts_route(struct world *w, uint16_t from,
                                      uint16_t to)
{
    struct hosts *all = &w->hosts;
    size_t count = w->topology.site_count;
    struct route_facts *f;

    if (!all->routes)
        all->routes = memory_new(count * count, sizeof(*all->routes));
    f = &all->routes[from * count + to];
    if (!f->hops)
        *f = topology_route(&w->topology, from, to);
    return f;
}

void hosts_open(struct world *w, enum session_kind kind, uint16_t from,
                uint16_t to, bool v6, svr_time until)
{
    struct hosts *all = &w->hosts;
    const struct route_facts *f = hosts_route(w, from, to);
    struct session *s = memory_new(1, sizeof(*s));

    if (all->count == all->room)
        grow(all);
    s->id = (uint32_t)all->count;
    s->kind = (uint8_t)kind;
    s->router[CLIENT] = from;
    s->router[SERVER] = to;
    s->tuple = make_tuple(kind, from, to, v6, s->id);
    s->victim =
        (struct victim){f->elements, f->timed,
                        f->twofold && w->topology.moves[service_of(kind)]};
    if (w->topology.policies)
        s->victim = changes_victim(w, from, to);
    s->per_packet = f->per_packet || w->options.plant == PLANT_UNSIGNED;
    s->nat = f->nat;
    s->delay = f->delay;
    s->opened = w->now;
    all->sessions[all->count++] = s;
    enter(all, s);
    all->open++;
    journal_add(&w->journal, w->now, JOURNAL_OPEN, s->id, kind, from, to);
    if (kind == KIND_TCP)
        tcp_open(w, s, &w->traffic, until);
    else
        datagram_open(w, s, &w->traffic, until);
}

void hosts_free(struct world *w)
{
    struct hosts *all = &w->hosts;

    for (size_t i = 0; i < all->count; i++)
        free(all->sessions[i]);
    free(all->sessions);
    free(all->index);
    free(all->routes);
    *all = (struct hosts){0};
}

const char *session_name(const struct session *s)
{
    static const char *const kinds[] = {
#define X(name, text) text,
        SESSION_MAP(X)
#undef X
    };
    static char text[128];

    snprintf(text, sizeof(text), "session %u (%s, router %u to %u)", s->id,
             kinds[s->kind], s->router[CLIENT], s->router[SERVER]);
    return text;
}

void session_send(struct world *w, struct session *s, int from,
                  struct buffer *b)
{
    b->trace.session = s->id + 1;
    router_receive(w, &w->routers[s->router[from]], ROUTER_LAN, b);
}

/* Ending */

bool session_is_forgotten(const struct world *w, const struct session *s)
{
    return excuses_find(&w->excuses, &s->victim, EFFECT_STATE, s->opened,
                        w->now);
}

void session_over(struct world *w, struct session *s)
{
    s->over = true;
    w->hosts.open--;
    journal_add(&w->journal, w->now, JOURNAL_DONE, s->id,
                s->kind == KIND_TCP ? s->tcp.end[CLIENT].got : 0, 0, 0);
}

void session_reset(struct world *w, struct session *s, int end, const char *how)
{
    if (s->over)
        return;
    s->over = s->reset = true;
    w->hosts.open--;
    w->tally.reset++;
    journal_add(&w->journal, w->now, JOURNAL_RESET, s->id, (uint64_t)end,
                w->now, 0);
    if (!excuses_find(&w->excuses, &s->victim, EFFECT_RESET, w->now, w->now))
        world_fail(w, "%s: end %d is reset by %s", session_name(s), end, how);
}

void session_spoilt(struct world *w, const struct session *s, const char *what)
{
    w->tally.spoilt++;
    if (s->per_packet ||
        !excuses_find(&w->excuses, &s->victim, EFFECT_CORRUPT, 0, w->now))
        world_fail(w, "%s: %s", session_name(s), what);
}

/* Receiving */

/* What a host cannot read it drops. */
static bool readable(struct world *w, const struct router *r,
                     const struct buffer *b, svr_headers *h, svr_packet *view)
{
    const struct victim near = {element_router(r->index), true};
    int err = svr_packet_parse(h, view);

    if (err == 0 && svr_packet_checksum_ok(view, h))
        return true;
    if (!b->corrupt &&
        !excuses_find(&w->excuses, &near, EFFECT_CORRUPT, 0, w->now))
        world_fail(w, "router %u: a host gets a broken packet: %s", r->index,
                   err < 0 ? svr_strerror(err) : "wrong checksum");
    return false;
}

static bool is_too_big(const svr_headers *h)
{
    return h->tuple.proto == SVR_PROTO_ICMP
               ? h->icmp_type == 3 && h->icmp_code == 4
               : h->icmp_type == 2;
}

static bool is_prohibited(const svr_headers *h)
{
    return h->tuple.proto == SVR_PROTO_ICMP
               ? h->icmp_type == 3 && h->icmp_code == 13
               : h->icmp_type == 1 && h->icmp_code == 1;
}

static void told_too_big(struct world *w, struct session *s, int end,
                         const uint8_t *icmp, svr_span quote, bool v6)
{
    uint32_t mtu = v6 ? get32(icmp + 4) : get16(icmp + 6);

    journal_add(&w->journal, w->now, JOURNAL_TOO_BIG, s->id, mtu, 0, 0);
    if (mtu < (v6 ? 1000 : 400) || mtu >= SIM_MTU)
        world_fail(w, "%s: told that %u bytes are too many", session_name(s),
                   mtu);
    else if (s->kind == KIND_TCP)
        tcp_too_big(w, s, end, (uint16_t)mtu);
    else
        datagram_too_big(w, s, end, (uint16_t)mtu, quote);
}

/* An ICMP error is for who sent the packet that it quotes. */
static void receive_error(struct world *w, struct router *r,
                          const svr_packet *p, const svr_headers *h)
{
    const uint8_t *icmp = p->data + h->l4;
    size_t len = p->len - h->l4;
    bool v6 = h->tuple.proto == SVR_PROTO_ICMPV6;
    svr_tuple quoted;
    struct session *s = NULL;
    int end = 0;

    if (svr_icmp_quote_parse(&quoted, icmp, len, v6) == 0)
        s = find(&w->hosts, &quoted, &end);
    end = !end;
    if (!s || s->router[end] != r->index) {
        world_fail(w, "router %u: an ICMP error for no session", r->index);
        return;
    }
    if (s->over)
        return;
    if (is_too_big(h))
        told_too_big(w, s, end, icmp, (svr_span){icmp + 8, len - 8}, v6);
    else if (is_prohibited(h))
        session_reset(w, s, end, "ICMP");
    else
        world_fail(w, "%s: ICMP type %u code %u", session_name(s), h->icmp_type,
                   h->icmp_code);
}

void hosts_deliver(struct world *w, struct router *r, const struct buffer *b)
{
    svr_packet view = b->packet;
    struct session *s;
    svr_headers h;
    int end;

    if (!readable(w, r, b, &h, &view))
        return;
    if (h.icmp_error) {
        receive_error(w, r, &view, &h);
        return;
    }
    s = find(&w->hosts, &h.tuple, &end);
    if (!s || s->router[end] != r->index)
        world_fail(w, "router %u: a packet for no session", r->index);
    else if (s->over)
        w->tally.late++;
    else if (s->kind == KIND_TCP)
        tcp_receive(w, s, end, &view, &h);
    else
        datagram_receive(w, s, end, &view, &h);
}

void hosts_receive(struct world *w, struct router *r, struct buffer *b)
{
    if (plant_deliver(w, &r, b))
        hosts_deliver(w, r, b);
    buffer_give(&w->buffers, b);
}
