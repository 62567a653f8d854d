/*
 * Two pathways and a script: time passes, messages arrive, or do not, or with
 * some bytes changed, or twice; bytes that claim to be messages; everything
 * else that a caller can do.
 *
 * Whatever happens, states change only as RFC 5880 allows, nothing is due that
 * cannot be done, and what is sent can be encoded.
 */
#include "fuzz.h"
#include "script.h"

#include <stdlib.h>
#include <string.h>
#include <svr/pathway.h>

enum {
    KEPT = 8,
    BUFFER = 8192,
    SENT_MAX = 100, /* at one time */
};

struct end {
    svr_pathway *p;
    svr_pathway_settings settings;
    svr_pathway_message kept[KEPT]; /* the last that it sent */
    unsigned count;
    uint8_t state;
};

static struct end ends[2];
static svr_time now;
static uint64_t dice;

static uint32_t take32(struct script *s)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 8 | take(s);
    return v;
}

static void fill(void *user, void *buf, size_t len)
{
    (void)user;
    for (size_t i = 0; i < len; i++) {
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        ((uint8_t *)buf)[i] = (uint8_t)(dice >> 56);
    }
}

static svr_bfd_endpoint endpoint(uint8_t last, uint16_t port)
{
    return (svr_bfd_endpoint){
        svr_addr_from_v4((const uint8_t[]){192, 0, 2, last}), port};
}

/* RFC 5880 6.2; an administrator's doing aside. */
static void check_state(struct end *e, bool admin)
{
    svr_pathway_info info;
    svr_pathway_describe(e->p, &info, now);
    if (!admin && info.state != e->state) {
        check(e->state != SVR_BFD_ADMIN_DOWN);
        check(info.state != SVR_BFD_ADMIN_DOWN);
        check(e->state != SVR_BFD_UP || info.state == SVR_BFD_DOWN);
    }
    e->state = info.state;
    check(!info.ready || info.state == SVR_BFD_UP);
    check(info.mtu >= 576 && info.mtu <= 4096);
    if (info.measured) {
        check(info.quality.loss_ppm <= 1000000);
        check(info.quality.mos >= 1000 && info.quality.mos <= 4404);
    }
}

static void work(struct end *e)
{
    svr_pathway_message m;
    unsigned sent = 0;
    svr_pathway_handle(e->p, now);
    check_state(e, false);
    while (svr_pathway_send(e->p, &m, now)) {
        check(++sent < SENT_MAX);
        if (m.kind == SVR_PATHWAY_KEEP_ALIVE || m.kind == SVR_PATHWAY_METRICS)
            continue;
        check(svr_bfd_block_encode(NULL, 0, &m.block) > 0);
        check(svr_bfd_encode((uint8_t[SVR_BFD_SIZE]){0}, &m.bfd) == 0);
        m.size = m.size ? m.size : 200;
        e->kept[e->count++ % KEPT] = m;
    }
    check(svr_pathway_due(e->p) > now);
    check_state(e, false);
}

static void receive(struct end *e, const svr_pathway_message *m)
{
    svr_pathway_receive(e->p, m, now);
    check_state(e, false);
}

/* Bytes as they might come from the wire, with a tag that is right. */
static void receive_bytes(struct end *e, uint8_t *buf, size_t len,
                          svr_pathway_message *m)
{
    ptrdiff_t bfd = svr_bfd_decode(&m->bfd, buf, len);
    if (bfd < 0 ||
        svr_bfd_block_decode(&m->block, buf + bfd, len - (size_t)bfd) < 0)
        return;
    receive(e, m);
}

static void receive_script(struct end *e, struct script *s)
{
    svr_pathway_message m = {.size = (uint16_t)take32(s),
                             .from = endpoint(take(s), take(s))};
    static uint8_t buf[BUFFER];
    size_t len = take32(s) % 512;
    len = len < s->len ? len : s->len;
    memcpy(buf, s->data, len);
    s->data += len;
    s->len -= len;
    receive_bytes(e, buf, len, &m);
}

/* What the other end sent, with up to three bytes changed. */
static void receive_changed(struct end *e, const struct end *from,
                            struct script *s, bool change)
{
    static uint8_t buf[BUFFER];
    svr_pathway_message m = from->kept[take(s) % KEPT];
    if (m.bfd.multiplier == 0)
        return;
    if (change) {
        m.from = endpoint(take(s), take(s));
        check(svr_bfd_encode(buf, &m.bfd) == 0);
        ptrdiff_t len =
            svr_bfd_block_encode(buf + SVR_BFD_SIZE, BUFFER / 2, &m.block);
        check(len > 0);
        for (unsigned n = take(s) % 4; n > 0; n--)
            buf[take(s) % (SVR_BFD_SIZE + len)] = take(s);
        receive_bytes(e, buf, SVR_BFD_SIZE + (size_t)len, &m);
    } else {
        receive(e, &m);
    }
}

static void count_marks(struct end *e, struct end *other, struct script *s)
{
    svr_path_metrics m = {
        .tx_colour = take(s) % 16,
        .rx_colour = take(s) % 16,
        .tx_time = take32(s) & 0xfffffff,
        .rx_time = take32(s) & 0xfffffff,
        .count = (uint16_t)(take32(s) & 0x7fff),
    };
    if (m.count % 2 || svr_pathway_mark(e->p, &m, now))
        svr_pathway_marked(other->p, &m, now);
}

static void command(struct end *e, struct script *s)
{
    svr_bfd_pinhole ports = {take(s), take(s)};
    svr_pinhole hole;
    uint8_t what = take(s);
    if (what % 8 == 0) {
        svr_pathway_admin(e->p, what & 8, now);
    } else if (what % 8 == 1) {
        e->settings.desired_tx = take32(s);
        e->settings.required_rx = take32(s);
        e->settings.multiplier = take(s);
        if (svr_pathway_change(e->p, &e->settings) != 0)
            return;
    } else if (what % 8 == 2) {
        svr_pathway_too_big(e->p);
    } else if (what % 8 == 3) {
        e->settings.boot_counter += what >> 3;
        e->settings.desired_tx |= 1;
        e->settings.required_rx |= 1;
        e->settings.multiplier |= 1;
        check(svr_pathway_init(e->p, &e->settings, &(svr_random){fill, NULL},
                               now) == 0);
    } else if (svr_pathway_ask(e->p, &ports, now) == 0) {
        svr_pathway_heard(e->p, what, &e->settings.local);
        while (svr_pathway_pinhole(e->p, &hole))
            check(!hole.open || hole.ports.local == what);
    }
    check_state(e, true);
}

static void open_ends(void)
{
    now = dice = 1;
    for (uint8_t i = 0; i < 2; i++) {
        struct end *e = &ends[i];
        svr_pathway *p = e->p ? e->p : malloc(svr_pathway_size());
        *e = (struct end){.p = p, .state = SVR_BFD_DOWN};
        svr_pathway_settings_init(&e->settings);
        e->settings.local = endpoint((uint8_t)(1 + i), 1280);
        e->settings.remote = endpoint((uint8_t)(2 - i), 1280);
        e->settings.tcp_probes = i;
        if (!p || svr_pathway_init(p, &e->settings, &(svr_random){fill, NULL},
                                   now) != 0)
            abort();
    }
}

void fuzz_one(const uint8_t *data, size_t len)
{
    struct script s = {data, len};
    open_ends();
    while (s.len > 0) {
        uint8_t op = take(&s);
        struct end *e = &ends[op & 1], *other = &ends[!(op & 1)];
        switch (op >> 1 & 7) {
        case 0:
        case 1: /* up to 70 years in all */
            now += now >> 61 ? 0 : (svr_time)take(&s) << (op >> 4 & 15) * 3;
            work(e);
            break;
        case 2:
        case 3:
            receive_changed(e, other, &s, false);
            break;
        case 4:
            receive_changed(e, op & 16 ? e : other, &s, true);
            break;
        case 5:
            receive_script(e, &s);
            break;
        case 6:
            count_marks(e, other, &s);
            break;
        default:
            command(e, &s);
        }
    }
}
