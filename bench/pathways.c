/*
 * pathways - what it costs a router to keep 1,000 pathways alive: two routers
 * in memory and in virtual time, with 1,000 pathways between them that are up.
 * One operation is a second of one router, so a whole core would be
 * 1,000,000,000 ns; the other router's work is as much and counts as another
 * operation.
 *
 * Beside it the physical cost: the HMACs alone that messages as many and as
 * long are signed and verified with.
 */
#include "../tests/heap.h"
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svr/svr.h>

#define PATHWAYS 1000
#define SECONDS 10 /* a round of the link test */
#define BUFFER SVR_OUTPUT_SIZE(1500)

enum { SVR, HMAC };

struct router {
    svr_node *node;
    uint8_t buf[SVR_BATCH_MAX][BUFFER];
    svr_packet batch[SVR_BATCH_MAX];
};

struct input {
    struct router router[2];
    svr_time now;
    uint64_t random;
    size_t messages, bytes; /* sent in one run */
    svr_mac mac;
};

static void fail(const char *what)
{
    fprintf(stderr, "pathways: %s\n", what);
    exit(1);
}

static void fill_random(void *user, void *buf, size_t len)
{
    uint64_t *x = user;
    uint8_t *b = buf;

    for (size_t i = 0; i < len; i++) {
        *x = *x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        b[i] = (uint8_t)(*x >> 56);
    }
}

/* ---- two routers ---- */

static svr_addr waypoint(size_t router, size_t pathway)
{
    uint8_t b[4] = {10, (uint8_t)router, (uint8_t)(pathway >> 8),
                    (uint8_t)pathway};

    return svr_addr_from_v4(b);
}

struct plan {
    svr_prefix addresses[PATHWAYS];
    char names[PATHWAYS][8];
    svr_security_config securities[PATHWAYS];
    svr_pathway_config pathways[PATHWAYS];
};

/* Each pathway has keys of its own, as if there were 1,000 peers. */
static void plan_pathway(struct plan *p, size_t i, size_t self,
                         uint32_t interval_us)
{
    svr_pathway_config *pw = &p->pathways[i];

    snprintf(p->names[i], sizeof(p->names[i]), "p%zu", i);
    p->addresses[i] = (svr_prefix){waypoint(self, i), 8};
    p->securities[i] = (svr_security_config){.name = p->names[i],
                                             .hmac = &svr_hmac_sha256_128};
    svr_pathway_config_init(pw);
    pw->name = p->names[i];
    pw->security = (uint16_t)i;
    pw->local = waypoint(self, i);
    pw->remote = waypoint(!self, i);
    pw->watch.desired_tx = pw->watch.required_rx = interval_us;
}

static svr_node *make_node(struct input *in, size_t self, uint32_t interval_us)
{
    static struct plan p;
    static const char *const names[] = {"a", "b"};
    svr_interface_config wan = {.name = "wan0",
                                .addresses = p.addresses,
                                .address_count = PATHWAYS,
                                .mtu = 1500,
                                .tenant = SVR_TENANT_NONE};
    svr_peer_config peer = {names[!self]};
    svr_node_config c;
    svr_node *n;

    for (size_t i = 0; i < PATHWAYS; i++)
        plan_pathway(&p, i, self, interval_us);
    svr_node_config_init(&c);
    c.name = names[self];
    c.boot = 1;
    c.limits.sessions = 1;
    c.interfaces = &wan;
    c.peers = &peer;
    c.securities = p.securities;
    c.pathways = p.pathways;
    c.interface_count = c.peer_count = 1;
    c.security_count = c.pathway_count = PATHWAYS;
    c.alloc = HEAP;
    c.random = (svr_random){fill_random, &in->random};
    if (svr_node_create(&n, &c, in->now) != 0)
        fail("a router cannot be made");
    return n;
}

/* What a router has to send goes to the other one, and its answers back. */
static void carry(struct input *in, size_t from)
{
    struct router *r = &in->router[from], *to = &in->router[!from];
    size_t count;

    do {
        count = 0;
        while (count < SVR_BATCH_MAX &&
               svr_node_output(r->node, &r->batch[count], r->buf[count], BUFFER,
                               in->now) == 1) {
            in->bytes += r->batch[count].len;
            r->batch[count++].iface = 0;
        }
        in->messages += count;
        svr_node_input(to->node, r->batch, count, in->now);
        if (count)
            carry(in, !from);
    } while (count);
}

static svr_time serve(struct input *in, size_t side)
{
    svr_node *n = in->router[side].node;

    if (svr_node_expiry(n) <= in->now) {
        svr_node_handle_expiry(n, in->now);
        carry(in, side);
    }
    return svr_node_expiry(n);
}

static void run_for(struct input *in, svr_time duration)
{
    svr_time end = in->now + duration;

    while (in->now < end) {
        svr_time a = serve(in, 0), b = serve(in, 1);
        svr_time next = a < b ? a : b;
        if (next > in->now)
            in->now = next < end ? next : end;
    }
}

static void check_up(const struct input *in)
{
    svr_node_pathway pw;
    size_t cursor = 0;

    while (svr_node_pathway_next(in->router[0].node, &cursor, &pw, in->now))
        if (pw.info.state != SVR_BFD_UP || pw.info.flaps != 0)
            fail("a pathway is not up");
}

static void prepare(struct input *in, uint32_t interval_us)
{
    static const uint8_t key[SVR_KEY_SIZE];

    in->now = SVR_SECOND;
    in->random = 1;
    in->router[0].node = make_node(in, 0, interval_us);
    in->router[1].node = make_node(in, 1, interval_us);
    svr_mac_init(&in->mac, &svr_hmac_sha256_128, key);
    run_for(in, 3 * (svr_time)SECONDS * SVR_SECOND);
    check_up(in);
    in->messages = in->bytes = 0;
    run_for(in, (svr_time)SECONDS * SVR_SECOND);
}

static void svr_run(void *user)
{
    struct input *in = user;
    size_t messages = in->messages, bytes = in->bytes;

    run_for(in, (svr_time)SECONDS * SVR_SECOND);
    check_up(in);
    in->messages = messages;
    in->bytes = bytes;
}

static void hmac_run(void *user)
{
    struct input *in = user;
    static const uint8_t bytes[BUFFER];
    size_t len = in->bytes / in->messages;
    uint8_t tag[SVR_TAG_MAX];
    svr_span part = {bytes, len};

    for (size_t i = 0; i < 2 * in->messages; i++) {
        svr_mac_sign(&in->mac, &part, 1, tag);
        bench_use(tag);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        uint32_t interval_us;
    } kinds[] = {{"1,000 at 300 ms", 300000}, {"1,000 at 1 s", 1000000}};
    enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
    static struct input input[KINDS];
    struct bench_row rows[KINDS];
    struct bench b = {
        .name = "pathways",
        .operations = (size_t)2 * SECONDS,
        .ways = {[SVR] = "libsvr", [HMAC] = "HMAC"},
        .ratios = {{SVR, HMAC}},
        .ratio_count = 1,
        .rows = rows,
        .row_count = KINDS,
    };

    if (svr_crypto_init() != 0)
        fail("no entropy");
    for (size_t i = 0; i < KINDS; i++) {
        prepare(&input[i], kinds[i].interval_us);
        rows[i] = (struct bench_row){
            .name = kinds[i].name,
            .run = {svr_run, hmac_run},
            .input = &input[i],
        };
    }
    int result = bench_main(&b, argc, argv);
    for (size_t i = 0; i < KINDS; i++) {
        svr_node_destroy(input[i].router[0].node);
        svr_node_destroy(input[i].router[1].node);
    }
    return result;
}
