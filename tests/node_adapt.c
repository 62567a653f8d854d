/* Sessions that are encrypted unless they are so already (S11.9). */
#include "node/node.h"
#include "node_mesh.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define MARKER "Marker-4711-of-the-payload"

enum {
    SEGMENT = 60,
    CLIENT_PORT = 40000,
    SERVER_PORT = 443,
    CLIENT_ISN = 1000,
    SERVER_ISN = 9000,
};

/* What is said first. */
enum first {
    HELLO,       /* a ClientHello */
    CLEAR_TEXT,  /* something else */
    FIVE_BYTES,  /* too little of a ClientHello */
    SERVER_TEXT, /* the server begins */
    SYN_HELLO,   /* in the SYN */
    SYN_TEXT,
    LATER,     /* a ClientHello that its next segment has overtaken */
    BOTH_TEXT, /* client and server at one time */
    FIRSTS,
};

static const char *const first_names[] = {"hello",  "text",      "five bytes",
                                          "server", "SYN+hello", "SYN+text",
                                          "later",  "both"};

/* The story that is told, in words. */
static char what[160];

static bool stays_clear(enum first first)
{
    return first == HELLO || first == SYN_HELLO;
}

struct story {
    enum first first;
    int routers;
    bool per_packet, masked, v6, v6_hosts, watched;
    bool twin, copied; /* two planes; and packet duplication */
    unsigned lose;     /* number of a packet between routers; 0: none */
    unsigned late;     /* one that comes 40 ms later */
    bool twice;        /* each of them comes twice */
    int victim;        /* router + 1 that is restarted */
    svr_time when;     /* how long after the first payload was sent */
};

/* One host of the connection: what it has to say, and how far the other one
 * has it. */
struct host {
    int router;
    uint32_t isn;
    uint8_t stream[8 * SEGMENT];
    size_t said, heard; /* of it */
};

static struct mesh mesh;
static struct host client, server;
static struct {
    const struct story *story;
    unsigned packets, markers;
    size_t read;     /* of the mesh's inbox */
    svr_tuple tuple; /* of the first packet between routers */
} seen;

static void begin(void)
{
    cr_assert_eq(svr_crypto_init(), 0);
}

TestSuite(node_adapt, .init = begin);

static bool holds(const struct frame *f, const void *bytes, size_t len)
{
    for (size_t i = 0; i + len <= f->p.len; i++)
        if (memcmp(f->p.data + i, bytes, len) == 0)
            return true;
    return false;
}

static bool carry(struct mesh *m, int from, int to, int plane, struct frame *f)
{
    const struct story *y = seen.story;

    if (mesh_is_watch(f))
        return true;
    if (!seen.packets++)
        seen.tuple = frame_headers(f).tuple;
    seen.markers += holds(f, MARKER, strlen(MARKER));
    if (y->twice)
        mesh_inject(m, from, to, plane, frame_copy(f));
    if (seen.packets == y->late) {
        m->delay[plane] += 40 * SVR_MILLISECOND;
        mesh_inject(m, from, to, plane, frame_copy(f));
        m->delay[plane] -= 40 * SVR_MILLISECOND;
        return false;
    }
    return seen.packets != y->lose;
}

static const char *address_of(const struct host *h)
{
    static char text[2][32];
    char *at = text[h == &server];

    snprintf(at, sizeof(text[0]),
             seen.story->v6_hosts ? "fd00:%d::10" : "10.%d.0.10", h->router);
    return at;
}

static struct host *other_of(const struct host *h)
{
    return h == &client ? &server : &client;
}

/* What came out of routers is what the hosts have said, in their order. */
static void listen(void)
{
    for (; seen.read < mesh.received; seen.read++) {
        const struct frame *f = mesh_got(&mesh, seen.read);
        svr_headers h = frame_headers(f);
        struct host *from = h.tuple.sport == CLIENT_PORT ? &client : &server;
        size_t len = f->p.len - h.payload;
        size_t at = h.tcp_seq + !!(h.tcp_flags & SVR_TCP_SYN) - from->isn - 1;

        cr_assert_eq(mesh.inbox_router[seen.read], other_of(from)->router);
        cr_assert_not(h.tcp_flags & SVR_TCP_RST);
        cr_assert_leq(at + len, sizeof(from->stream));
        cr_assert_arr_eq(f->p.data + h.payload, from->stream + at, len);
        if (at <= from->heard && at + len > from->heard)
            from->heard = at + len;
    }
}

static enum svr_drop put(struct host *h, uint8_t flags, size_t at, size_t len)
{
    const struct host *to = other_of(h);
    bool syn = flags & SVR_TCP_SYN;
    uint32_t seq = h->isn + !syn + (uint32_t)at;
    uint32_t ack = flags & SVR_TCP_ACK ? to->isn + 1 + (uint32_t)to->heard : 0;
    char source[32];

    snprintf(source, sizeof(source), "%s", address_of(h));
    return mesh_send(&mesh, h->router,
                     frame_tcp(source, h == &client ? CLIENT_PORT : SERVER_PORT,
                               address_of(to),
                               h == &client ? SERVER_PORT : CLIENT_PORT, flags,
                               seq, ack, h->stream + at, len));
}

static void pause(svr_time duration)
{
    mesh_run(&mesh, duration);
    listen();
}

/* Says `len` bytes more, and again until the other host has them. */
static void say(struct host *h, size_t len)
{
    size_t at = h->said;
    svr_time wait = 200 * SVR_MILLISECOND;

    h->said += len;
    for (int tries = 0; h->heard < h->said; tries++) {
        cr_assert_lt(tries, 9, "%s: %s is not heard", what,
                     h == &client ? "the client" : "the server");
        put(h, SVR_TCP_ACK, at, len);
        pause(wait);
        wait *= 2;
    }
    put(other_of(h), SVR_TCP_ACK, other_of(h)->said, 0);
    pause(20 * SVR_MILLISECOND);
}

static void fill(struct host *h, int router, uint32_t isn)
{
    *h = (struct host){.router = router, .isn = isn};
    for (size_t i = 0; i + sizeof(MARKER) < sizeof(h->stream);
         i += sizeof(MARKER))
        memcpy(h->stream + i, MARKER, sizeof(MARKER));
}

static void open_mesh(const struct story *y)
{
    static const uint8_t hello[] = {22, 3, 1, 1, 0, 1};
    struct mesh_options o = {
        .routers = y->routers,
        .cipher = &svr_cipher_chacha20_poly1305,
        .encryption = SVR_ENCRYPT_ADAPTIVE,
        .per_packet = y->per_packet,
        .masked = y->masked,
        .watched = y->watched,
        .v6 = {y->v6},
        .resiliency =
            y->copied ? SVR_RESILIENCY_DUPLICATE : SVR_RESILIENCY_NONE,
    };
    for (int plane = 0; plane <= y->twin; plane++)
        for (int i = 0; i + 1 < y->routers; i++)
            o.links[o.link_count++] = (struct mesh_link){
                (uint8_t)i, (uint8_t)(i + 1), (uint8_t)plane};
    fill(&client, 0, CLIENT_ISN);
    fill(&server, y->routers - 1, SERVER_ISN);
    if (stays_clear(y->first) || y->first == FIVE_BYTES || y->first == LATER)
        memcpy(client.stream, hello, sizeof(hello));
    memset(&seen, 0, sizeof(seen));
    seen.story = y;
    mesh_open(&mesh, &o);
    mesh.filter = carry;
    if (y->watched)
        mesh_run(&mesh, 15 * SVR_SECOND);
    seen.packets = 0;
}

/* SYN and its answer, until both are there. */
static void shake_hands(const struct story *y)
{
    bool says = y->first == SYN_HELLO || y->first == SYN_TEXT;

    for (int tries = 0; tries < 5; tries++) {
        size_t before = mesh.received;
        put(&client, SVR_TCP_SYN, 0, says ? SEGMENT : 0);
        pause(SVR_SECOND / 5);
        if (mesh.received == before)
            continue;
        before = mesh.received;
        client.said = client.heard;
        put(&server, SVR_TCP_SYN | SVR_TCP_ACK, 0, 0);
        pause(SVR_SECOND / 5);
        if (mesh.received > before)
            break;
    }
    put(&client, SVR_TCP_ACK, client.said, 0);
    pause(SVR_SECOND / 5);
}

/* The first payload. */
static void begin_to_speak(const struct story *y)
{
    switch (y->first) {
    case SERVER_TEXT:
        put(&server, SVR_TCP_ACK, 0, SEGMENT);
        break;
    case FIVE_BYTES:
        put(&client, SVR_TCP_ACK, 0, 5);
        break;
    case LATER:
        put(&client, SVR_TCP_ACK, SEGMENT, SEGMENT);
        put(&client, SVR_TCP_ACK, 0, SEGMENT);
        break;
    case BOTH_TEXT:
        put(&server, SVR_TCP_ACK, 0, SEGMENT);
        put(&client, SVR_TCP_ACK, 0, SEGMENT);
        break;
    case SYN_HELLO:
    case SYN_TEXT:
        put(&server, SVR_TCP_ACK, 0, SEGMENT);
        break;
    default:
        put(&client, SVR_TCP_ACK, 0, SEGMENT);
        break;
    }
}

static const svr__session *session_of(int router)
{
    const svr_node *n = mesh.node[router];

    for (uint32_t i = 0; i < n->table.cap; i++)
        if (n->table.sessions[i].alive)
            return &n->table.sessions[i];
    cr_assert_fail("router %d has no session", router);
    return NULL;
}

/* S11.10: all tuples that a quiet session has are alike. */
static bool tuples_agree(int router)
{
    const svr__aliases *all = &mesh.node[router]->table.aliases;
    const svr__session *s = session_of(router);

    for (svr__alias *a = svr__alias_first(
             all, svr__session_number(&mesh.node[router]->table, s));
         a; a = svr__alias_next(all, a))
        if (a->sealed != (s->seal == SVR__SEALED))
            return false;
    return true;
}

static void tell(const struct story *y)
{
    open_mesh(y);
    shake_hands(y);
    begin_to_speak(y);
    pause(y->when);
    if (y->victim)
        mesh_restart(&mesh, y->victim - 1);
    bool reverse = y->first == SERVER_TEXT;
    for (int i = 0; i < 3; i++) {
        say(reverse ? &server : &client, SEGMENT);
        say(reverse ? &client : &server, SEGMENT);
    }
    pause(10 * SVR_SECOND);
    say(&client, SEGMENT);
    say(&server, SEGMENT);
}

static void describe(const struct story *y)
{
    snprintf(what, sizeof(what),
             "%s, %d routers, signed %d, lose %u, late %u, twice %d, copied "
             "%d, restart %d after %u ms",
             first_names[y->first], y->routers, y->per_packet, y->lose, y->late,
             y->twice, y->copied, y->victim,
             (unsigned)(y->when / SVR_MILLISECOND));
}

static void tell_to_end(const struct story *y)
{
    describe(y);
    tell(y);
    bool clear = stays_clear(y->first) && (!y->victim || !y->when);
    for (int i = 0; i < y->routers; i++) {
        int seal = session_of(i)->seal;
        cr_expect(y->victim && stays_clear(y->first)
                      ? seal != SVR__UNDECIDED
                      : seal == (clear ? SVR__CLEAR : SVR__SEALED),
                  "%s: router %d has %d", what, i, seal);
    }
    for (int i = 0; i < y->routers; i++)
        cr_expect(tuples_agree(i), "%s: router %d", what, i);
    if (!stays_clear(y->first))
        cr_expect_eq(seen.markers, 0, "%s: %u clear", what, seen.markers);
    else if (!y->victim)
        cr_expect_gt(seen.markers, 4, "%s: the search finds it", what);
    mesh_close(&mesh);
}

Test(node_adapt, what_is_said_first_decides)
{
    for (int first = 0; first < FIRSTS; first++)
        for (int routers = 2; routers <= 4; routers++)
            for (int bits = 0; bits < 16; bits++) {
                struct story y = {
                    .first = (enum first)first,
                    .routers = routers,
                    .per_packet = bits & 1,
                    .masked = bits & 2,
                    .v6 = bits & 4,
                    .v6_hosts = bits & 8,
                };
                tell_to_end(&y);
            }
}

/* Any one packet between routers is lost, or comes late, or all come twice. */
Test(node_adapt, packets_are_lost_late_and_doubled)
{
    for (int first = 0; first < FIRSTS; first++)
        for (int routers = 2; routers <= 3; routers++) {
            struct story y = {.first = (enum first)first,
                              .routers = routers,
                              .per_packet = routers == 3};
            y.twice = true;
            tell_to_end(&y);
            y.twice = false;
            for (unsigned i = 1; i <= 24; i++) {
                y.lose = i;
                tell_to_end(&y);
                y.lose = 0;
                y.late = i;
                tell_to_end(&y);
                y.late = 0;
            }
        }
}

/* S8.3: in the moment in which it is decided, each router in turn. */
Test(node_adapt, any_router_restarts)
{
    static const unsigned after[] = {0, 3, 7, 12, 17, 100};

    for (int first = 0; first < FIRSTS; first++)
        for (int routers = 2; routers <= 3; routers++)
            for (int victim = 1; victim <= routers; victim++)
                for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
                    struct story y = {.first = (enum first)first,
                                      .routers = routers,
                                      .per_packet = i % 2,
                                      .watched = true,
                                      .victim = victim,
                                      .when = after[i] * SVR_MILLISECOND};
                    tell_to_end(&y);
                }
}

/* S17: by two pathways, of which either loses packets. */
Test(node_adapt, copied)
{
    for (int first = 0; first < FIRSTS; first++)
        for (unsigned lose = 0; lose <= 24; lose++) {
            struct story y = {.first = (enum first)first,
                              .routers = 2,
                              .twin = true,
                              .copied = true,
                              .lose = lose};
            tell_to_end(&y);
        }
}

static uint64_t dropped(int router, enum svr_drop reason)
{
    return net_dropped(mesh.node[router], reason);
}

/* A stranger between the routers says something on the session's ports. */
static void forge(bool reverse)
{
    svr_tuple t = reverse ? svr_tuple_reverse(&seen.tuple) : seen.tuple;
    const struct host *from = reverse ? &server : &client;
    struct frame f = frame_tcp_tuple(&t, SVR_TCP_ACK, from->isn + 1,
                                     other_of(from)->isn + 1, "forged", 6);

    mesh_inject(&mesh, reverse ? 1 : 0, reverse ? 0 : 1, 0, f);
    mesh_run(&mesh, 20 * SVR_MILLISECOND);
}

/* Where plain packets have no tags: nothing clear is taken before the session
 * is decided, nor once it is encrypted, on whatever ports. */
Test(node_adapt, forged_payloads)
{
    struct story y = {.first = CLEAR_TEXT, .routers = 2};

    for (int reverse = 0; reverse < 2; reverse++) {
        open_mesh(&y);
        shake_hands(&y);
        size_t got = mesh.received;
        forge(reverse);
        cr_expect_eq(dropped(!reverse, SVR_DROP_NOT_SEALED), 1);
        cr_expect_eq(session_of(0)->seal,
                     reverse ? SVR__SEALED : SVR__UNDECIDED,
                     "the server seems to have spoken");
        cr_expect_eq(session_of(1)->seal, session_of(0)->seal);
        cr_expect_eq(mesh.received, got);
        say(&client, SEGMENT);
        got = mesh.received;
        forge(false);
        forge(true);
        cr_expect_eq(mesh.received, got);
        cr_expect_eq(dropped(0, SVR_DROP_NOT_SEALED), reverse ? 2 : 1);
        cr_expect_eq(dropped(1, SVR_DROP_NOT_SEALED), reverse ? 1 : 2);
        say(&server, SEGMENT);
        cr_expect_eq(seen.markers, 0);
        mesh_close(&mesh);
    }
}

/* Once decided for TLS nobody looks any more. */
Test(node_adapt, tls_takes_the_straight_way)
{
    struct story y = {.first = HELLO, .routers = 3};

    open_mesh(&y);
    shake_hands(&y);
    for (int i = 0; i < 3; i++) {
        say(&client, SEGMENT);
        say(&server, SEGMENT);
    }
    for (int i = 0; i < 3; i++)
        for (unsigned side = 0; side < 2; side++)
            cr_expect_not(
                svr__session_flow(&mesh.node[i]->table, session_of(i), side)
                    ->flags &
                SVR__FLOW_SLOW);
    mesh_close(&mesh);
}

/* A client uses its port again, for something else than TLS. */
Test(node_adapt, another_connection_on_the_same_ports)
{
    struct story y = {.first = HELLO, .routers = 3};

    open_mesh(&y);
    shake_hands(&y);
    say(&client, SEGMENT);
    say(&server, SEGMENT);
    cr_assert_gt(seen.markers, 0);
    for (int again = 0; again < 3;
         again++) { /* the last time to a sealed one */
        fill(&client, 0, 50000 + 1000 * (uint32_t)again);
        fill(&server, 2, 70000 + 1000 * (uint32_t)again);
        seen.markers = 0;
        shake_hands(&y);
        say(&server, SEGMENT);
        say(&client, SEGMENT);
        cr_expect_eq(seen.markers, 0);
        for (int i = 0; i < 3; i++)
            cr_expect_eq(session_of(i)->seal, SVR__SEALED);
    }
    mesh_close(&mesh);
}

/* What is not TCP is encrypted at once. */
Test(node_adapt, datagrams)
{
    struct story y = {.first = HELLO, .routers = 2};

    open_mesh(&y);
    mesh_send(&mesh, 0, frame_udp("10.0.0.10", 1, "10.1.0.10", 2, MARKER, 26));
    cr_expect_eq(session_of(0)->seal, SVR__SEALED);
    mesh_run(&mesh, 300 * SVR_SECOND);
    mesh_send(&mesh, 0, frame_echo("10.0.0.10", "10.1.0.10", 1, false, 9));
    cr_expect_eq(session_of(0)->seal, SVR__SEALED);
    cr_expect_eq(seen.markers, 0);
    mesh_close(&mesh);
}
