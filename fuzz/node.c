/*
 * Two whole routers and a script: hosts send packets of every kind in both
 * directions; what the routers send to each other arrives, or not, late, twice,
 * back at its sender, cut off, or changed and signed anew; ICMP errors quote
 * it; time passes, pathways go down, routers restart, without memory at first.
 *
 * After each step all that must hold of a router is looked at (tests/
 * node_audit.h): the ledger, every table. In the end, when nothing comes any
 * more, no session, no port and no byte is left.
 */
#include "fuzz.h"
#include "pair.h"
#include "script.h"

#include <string.h>

enum {
    CHANGES = 4, /* of a packet on the WAN, at most */
    MOST = 64,   /* packets that arrive in one step */
    HOURS = 2,   /* until every session has ended */
};

/* ---- hosts ---- */

static svr_tuple host_tuple(unsigned router, uint8_t form)
{
    static const uint8_t protocols[] = {SVR_PROTO_UDP, SVR_PROTO_TCP,
                                        SVR_PROTO_TCP, 47};
    bool v6 = form & 4, server = form & 8;
    /* Clients have the ports 40 to 43, servers 53 and 80. */
    uint16_t client = (uint16_t)(40 + (form >> 4 & 3));
    uint16_t service = form & 64 ? 53 : 80;

    return (svr_tuple){.src = pair_host(router, v6),
                       .dst = pair_host(!router, v6),
                       .sport = server ? service : client,
                       .dport = server ? client : service,
                       .proto = protocols[form & 3]};
}

static size_t payload_len(uint8_t size)
{
    return size < 200 ? size : (size_t)(size - 190) * 40;
}

static int wrap(svr_packet *p, const svr_tuple *t, struct script *s)
{
    if (t->proto == SVR_PROTO_UDP)
        return svr_udp_wrap(p, t);
    if (t->proto == SVR_PROTO_TCP) {
        svr_headers h;
        int err = svr_tcp_wrap(p, t, (uint32_t)take(s) << 8, take(s));
        if (err == 0)
            err = svr_packet_parse(&h, p);
        if (err == 0) {
            p->data[h.l4 + 13] = take(s); /* flags */
            p->data[h.l4 + 14] = 0xff;    /* window */
            svr_packet_checksum_write(p, &h);
        }
        return err;
    }
    return svr_icmp_wrap(p, &t->src, &t->dst);
}

/* What is not TCP or UDP begins as an echo does, which it may be. */
static void fill_payload(svr_packet *p, const svr_tuple *t, uint8_t how)
{
    static const uint8_t cookie[] = {0x4c, 0x48, 0xdb, 0xc6,
                                     0xdd, 0xf6, 0x67, 0x0c};
    static const uint8_t echo[2][2] = {{8, 0}, {128, 129}};

    memset(p->data, how, p->len);
    if (t->proto == 47 && p->len >= 8) {
        memset(p->data, 0, 8);
        p->data[0] = echo[!svr_addr_is_v4(&t->src)][how & 1];
        p->data[5] = how >> 1 & 3;
    } else if (how == 1 && p->len >= sizeof(cookie)) {
        memcpy(p->data, cookie, sizeof(cookie));
    }
}

static void host_sends(unsigned router, struct script *s)
{
    static uint8_t buf[PAIR_BUFFER];
    svr_tuple t = host_tuple(router, take(s));
    svr_packet p;

    if (svr_packet_init(&p, buf, sizeof(buf), payload_len(take(s))) != 0)
        return;
    fill_payload(&p, &t, take(s));
    if (wrap(&p, &t, s) == 0)
        pair_input(router, LAN, p.data, p.len);
}

/* ---- the WAN ---- */

static struct kept_packet *pick(uint8_t which)
{
    struct kept_packet *k = &pair.kept[which % PAIR_KEPT];
    return k->len ? k : NULL;
}

/* A copy, since the routers' answers take the places of others. */
static void arrive(const struct kept_packet *k, bool reflected)
{
    static struct kept_packet copy;

    if (!k)
        return;
    copy = *k;
    pair_input(reflected ? copy.from : !copy.from, WAN, copy.bytes, copy.len);
}

/* All that has not arrived yet, and what is sent because of it. */
static void carry(void)
{
    for (unsigned n = 0; n < MOST && pair.carried != pair.count; n++) {
        if (pair.count - pair.carried > PAIR_KEPT)
            pair.carried = pair.count - PAIR_KEPT;
        arrive(pick((uint8_t)(pair.carried++ % PAIR_KEPT)), false);
    }
}

/* A network that works, for a while. */
static void live(uint8_t how)
{
    for (unsigned n = how & 31; n > 0; n--) {
        pair_wait(300 * SVR_MILLISECOND);
        carry();
    }
}

/* Changed behind the L4 header, and signed by its sender all the same. */
static void change(const struct kept_packet *k, struct script *s)
{
    static uint8_t buf[PAIR_BUFFER];
    svr_packet p;
    svr_headers h;

    if (!k || svr_packet_init(&p, buf, sizeof(buf), k->len) != 0)
        return;
    memcpy(p.data, k->bytes, k->len);
    if (svr_packet_parse(&h, &p) != 0 || h.payload >= p.len)
        return;
    for (unsigned n = take(s) % CHANGES; n > 0; n--) {
        size_t at = take(s) | (size_t)(take(s) & 1) << 8;
        p.data[h.payload + at % (p.len - h.payload)] = take(s);
    }
    pair_sign(k->from, &p);
    pair_input(!k->from, WAN, p.data, p.len);
}

/* Any byte of it, and not all of it; nobody signs that. */
static void damage(const struct kept_packet *k, struct script *s)
{
    static struct kept_packet copy;

    if (!k)
        return;
    copy = *k;
    size_t len = copy.len - (size_t)take(s) % copy.len;
    copy.bytes[take(s) % len] ^= take(s);
    pair_input(!copy.from, WAN, copy.bytes, len);
}

/* An ICMP error about it: from the network between the routers, or from a host
 * that has got one. */
static void complain(const struct kept_packet *k, bool by_host, uint8_t how)
{
    static struct kept_packet copy;
    static uint8_t buf[PAIR_BUFFER];
    svr_packet about = {0}, p;
    svr_headers h;

    if (!k || k->len == 0)
        return;
    copy = *k;
    about.data = copy.bytes;
    about.len = copy.len;
    if (svr_packet_parse(&h, &about) != 0)
        return;
    svr_addr src =
        by_host ? h.tuple.dst : pair_waypoint(!k->from, how >> 2 & 1);
    if (svr_icmp_error(&p, buf, sizeof(buf), (enum svr_icmp_kind)(how & 3),
                       (uint16_t)(1280 + (how >> 3)), &src, &about, &h) == 0)
        pair_input(k->from, by_host ? LAN : WAN, p.data, p.len);
}

/* ---- the rest ---- */

static void switch_pathway(unsigned router, uint8_t how)
{
    static const char *const names[] = {"one", "two"};
    int err = svr_node_pathway_admin(pair.node[router], names[how & 1], how & 2,
                                     pair.now);
    (void)err; /* it has no such switch unless it is watched */
    pair_wait(0);
}

static void wait(uint8_t how)
{
    static const svr_time units[] = {SVR_MILLISECOND, 20 * SVR_MILLISECOND,
                                     500 * SVR_MILLISECOND, 10 * SVR_SECOND};
    pair_wait((svr_time)(how >> 2) * units[how & 3]);
}

static void step(struct script *s)
{
    uint8_t op = take(s);
    unsigned router = op & 1;

    switch (op >> 1 & 15) {
    case 0:
    case 1:
    case 2:
    case 3:
        host_sends(router, s);
        break;
    case 4:
        host_sends(router, s);
        carry();
        break;
    case 5:
        carry();
        break;
    case 6:
        live(take(s));
        break;
    case 7:
    case 8:
        arrive(pick(take(s)), false);
        break;
    case 9:
        arrive(pick(take(s)), true);
        break;
    case 10:
        change(pick(take(s)), s);
        break;
    case 11:
        damage(pick(take(s)), s);
        break;
    case 12:
        if (take(s) & 1)
            complain(pick(take(s)), false, take(s));
        else
            complain(&pair.heard[router], true, take(s));
        break;
    case 13:
        wait(take(s));
        break;
    case 14:
        switch_pathway(router, take(s));
        break;
    default:
        pair_restart(router, take(s) % 64);
    }
}

void fuzz_one(const uint8_t *data, size_t len)
{
    struct script s = {data, len};

    pair_open(take(&s));
    while (s.len > 0)
        step(&s);
    if (!(pair.options & PAIR_WATCHED)) {
        pair_wait((svr_time)HOURS * 3600 * SVR_SECOND);
        for (unsigned i = 0; i < 2; i++)
            pair_check(svr_node_session_count(pair.node[i]) == 0);
    }
    pair_close();
}
