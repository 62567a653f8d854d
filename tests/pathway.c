/* Whole pathways: two of them with a link between, in virtual time. */
#include "pathway/pathway.h"
#include "pathway_net.h"
#include "support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS SVR_MILLISECOND
#define S SVR_SECOND

/* Within so much of what it should be. */
#define NEAR(got, wanted, tolerance)                                          \
    cr_expect((int64_t)(got) >= (int64_t)(wanted) - (int64_t)(tolerance) &&   \
                  (int64_t)(got) <= (int64_t)(wanted) + (int64_t)(tolerance), \
              "%s: %lld, wanted %lld", #got, (long long)(got),                \
              (long long)(wanted))

/* A thousand of them are nothing. */
Test(pathway, size)
{
    printf("svr_pathway: %zu bytes\n", svr_pathway_size());
    cr_expect_leq(svr_pathway_size(), 2048);
    cr_expect_eq(svr_pathway_size() % _Alignof(max_align_t), 0);
}

Test(pathway, comes_up_and_is_measured)
{
    struct pnet net;
    pnet_open(&net, 1);
    pnet_wait(&net, 0, SVR_BFD_UP, 2 * S);
    cr_expect_not(pnet_info(&net, 0).ready, "hold-down");
    cr_expect_not(pnet_info(&net, 0).measured);
    pnet_run(&net, 170 * MS);
    cr_expect_eq(pnet_info(&net, 0).mtu, 576, "probes wait for the burst");
    pnet_run(&net, 50 * MS);
    cr_expect_eq(pnet_info(&net, 0).mtu, 1500);
    pnet_settle(&net);
    for (int i = 0; i < 2; i++) {
        svr_pathway_info info = pnet_info(&net, i);
        cr_expect(info.ready && info.measured);
        cr_expect_not(info.by_traffic);
        cr_expect_eq(info.flaps, 0);
        cr_expect_eq(net.end[i].change_count[0], 3, "Init, Up, ready");
        cr_expect_eq(info.quality.loss_ppm, 0);
        cr_expect_eq(info.quality.latency_us, 10000);
        cr_expect_eq(info.quality.jitter_us, 0);
        cr_expect_eq(info.mtu, 1500);
        cr_expect_eq(info.peer_boot_counter, 1);
        cr_expect_not(info.peer_nat || info.own_nat || info.tcp_as_udp);
    }
    pnet_close(&net);
}

/* Detection */

/* To the nanosecond, by both rules. */
Test(pathway, detection_time_is_exact)
{
    for (int rfc = 0; rfc < 2; rfc++) {
        struct pnet net;
        pnet_open(&net, 2);
        net.end[0].settings.multiplier = 4;
        net.end[0].settings.required_rx = 250000;
        net.end[0].settings.peer_multiplier = rfc;
        net.end[1].settings.multiplier = 7;
        net.end[1].settings.desired_tx = 300000;
        pnet_restart(&net, 0);
        pnet_restart(&net, 1);
        pnet_settle(&net);
        net.link[1].loss_ppm = 1000000;
        pnet_wait(&net, 0, SVR_BFD_DOWN, 10 * S);
        cr_expect_eq(net.now - net.end[0].heard, (rfc ? 7u : 4u) * 300 * MS);
        cr_expect_eq(pnet_info(&net, 0).reason, SVR_BFD_DIAG_EXPIRED);
        cr_expect_eq(pnet_info(&net, 0).flaps, 1);
        cr_expect_eq(pnet_info(&net, 0).since, net.now + net.end[0].offset);
        cr_expect_not(pnet_info(&net, 0).ready);
        pnet_close(&net);
    }
}

/* Both know within twice the detection time, the deaf end by silence and the
 * other one because it is told. */
Test(pathway, one_way_loss)
{
    for (int deaf = 0; deaf < 2; deaf++) {
        struct pnet net;
        pnet_open(&net, 3);
        pnet_settle(&net);
        net.link[!deaf].loss_ppm = 1000000;
        cr_expect_leq(pnet_wait(&net, deaf, SVR_BFD_DOWN, 6 * S),
                      3 * S + 10 * MS);
        pnet_wait(&net, !deaf, SVR_BFD_DOWN, 3 * S);
        cr_expect_eq(pnet_info(&net, deaf).reason, SVR_BFD_DIAG_EXPIRED);
        cr_expect_eq(pnet_info(&net, !deaf).reason,
                     SVR_BFD_DIAG_NEIGHBOUR_DOWN);
        net.end[deaf].changes = 0;
        for (int i = 0; i < 100; i++) {
            pnet_run(&net, S);
            cr_assert_neq(pnet_info(&net, deaf).state, SVR_BFD_UP);
            cr_assert_neq(pnet_info(&net, !deaf).state, SVR_BFD_UP);
            cr_assert_eq(net.end[deaf].last.size, 0, "nothing is padded");
        }
        cr_expect_not(net.end[deaf].changes & SVR_PATHWAY_CHANGED_QUALITY);
        net.link[!deaf].loss_ppm = 0;
        pnet_settle(&net);
        pnet_close(&net);
    }
}

/* 300 ms and up to 100 more, then 2 s: no false alarm at 1 s times 3. */
Test(pathway, delay_is_no_failure)
{
    struct pnet net;
    pnet_open(&net, 4);
    for (int i = 0; i < 2; i++) {
        net.link[i].delay = 300 * MS;
        net.link[i].jitter = 100 * MS;
    }
    pnet_settle(&net);
    for (int i = 0; i < 2; i++)
        net.link[i].delay = 2 * S;
    pnet_run(&net, 300 * S);
    cr_expect_eq(pnet_info(&net, 0).flaps + pnet_info(&net, 1).flaps, 0);
    NEAR(pnet_info(&net, 0).quality.latency_us, 2050000, 12000);
    pnet_close(&net);
}

Test(pathway, intervals_change_while_up)
{
    struct pnet net;
    pnet_open(&net, 5);
    pnet_settle(&net);
    for (int i = 0; i < 2; i++) {
        net.end[i].settings.desired_tx = net.end[i].settings.required_rx =
            i ? 100000 : 50000;
        cr_assert_eq(svr_pathway_change(net.end[i].p, &net.end[i].settings), 0);
        pnet_run(&net, 10 * S);
    }
    cr_expect_eq(pnet_info(&net, 0).flaps, 0);
    net.link[0].loss_ppm = net.link[1].loss_ppm = 1000000;
    pnet_wait(&net, 0, SVR_BFD_DOWN, S);
    cr_expect_eq(net.now - net.end[0].heard, 3 * 100 * MS);
    pnet_close(&net);
}

Test(pathway, admin_down)
{
    struct pnet net;
    pnet_open(&net, 6);
    pnet_settle(&net);
    svr_pathway_admin(net.end[0].p, true, net.now + net.end[0].offset);
    pnet_run(&net, 100 * S);
    cr_expect_eq(pnet_info(&net, 0).state, SVR_BFD_ADMIN_DOWN);
    cr_expect_eq(pnet_info(&net, 0).reason, SVR_BFD_DIAG_ADMIN_DOWN);
    cr_expect_eq(pnet_info(&net, 1).state, SVR_BFD_DOWN);
    cr_expect_eq(pnet_info(&net, 1).reason, SVR_BFD_DIAG_NEIGHBOUR_DOWN);
    cr_expect(net.end[0].changes & net.end[1].changes &
              SVR_PATHWAY_CHANGED_STATE);
    /* Nothing is promised to a peer that thinks otherwise. */
    svr_pathway_message m = net.end[1].last;
    m.block.numbers.own += 1000;
    m.block.present |= SVR_BFD_HAS(ECHO) | SVR_BFD_HAS(PINHOLE);
    m.block.echo = (svr_bfd_echo){.own = 5};
    pnet_inject(&net, 0, &m);
    cr_expect_eq(net.end[0].p->link.wait_count, 0);
    cr_expect_eq(net.end[0].p->pinholes.owed_count, 0);
    pnet_restart(&net, 1);
    svr_pathway_admin(net.end[0].p, false, net.now + net.end[0].offset);
    pnet_settle(&net);
    cr_expect_eq(pnet_info(&net, 0).flaps + pnet_info(&net, 1).flaps, 0,
                 "nobody failed");
    pnet_close(&net);
}

/* The peer remembers the numbers of the end that was there before. */
Test(pathway, made_anew)
{
    struct pnet net;
    pnet_open(&net, 11);
    pnet_settle(&net);
    pnet_run(&net, 60 * S);
    for (int end = 0; end < 2; end++) {
        net.end[!end].changes = 0;
        pnet_renew(&net, end);
        pnet_wait(&net, !end, SVR_BFD_DOWN, 2 * S);
        pnet_wait(&net, end, SVR_BFD_UP, 5 * S);
        pnet_wait(&net, !end, SVR_BFD_UP, 5 * S);
        cr_expect_eq(net.end[!end].changes &
                         (SVR_PATHWAY_PEER_RESTARTED | SVR_PATHWAY_REPLAYED),
                     0);
    }
    pnet_close(&net);
}

/* Another implementation: no block, the RFC's rule, nothing measured. */
Test(pathway, plain)
{
    struct pnet net;
    svr_path_metrics m;
    pnet_open(&net, 7);
    for (int i = 0; i < 2; i++) {
        net.end[i].settings.plain = net.end[i].settings.peer_multiplier = true;
        net.end[i].settings.tcp_probes = true;
        net.end[i].settings.multiplier = (uint8_t)(5 + i);
        pnet_restart(&net, i);
    }
    pnet_settle(&net);
    cr_expect_not(pnet_info(&net, 0).measured);
    cr_expect(pnet_info(&net, 0).ready);
    cr_expect_eq(pnet_info(&net, 0).mtu, 1500);
    cr_expect_eq(net.end[0].last.block.present, 0);
    cr_expect_eq(net.end[0].kinds[SVR_PATHWAY_TCP_PROBE], 0);
    cr_expect_not(svr_pathway_mark(net.end[0].p, &m, net.now));
    cr_expect_eq(svr_pathway_ask(net.end[0].p, &(svr_bfd_pinhole){1, 2}, 0),
                 SVR_ERR_NOT_FOUND);
    net.link[1].loss_ppm = 1000000;
    pnet_wait(&net, 0, SVR_BFD_DOWN, 10 * S);
    cr_expect_eq(net.now - net.end[0].heard, 6 * S);
    pnet_close(&net);
}

/* Half a second up, half a second down, for a minute: nothing new goes there,
 * and for a while after it. */
Test(pathway, flapping_is_damped)
{
    struct pnet net;
    svr_time calm;
    pnet_open(&net, 8);
    for (int i = 0; i < 2; i++) {
        net.end[i].settings.desired_tx = net.end[i].settings.required_rx =
            100000;
        net.end[i].settings.hold_down = S;
        pnet_restart(&net, i);
    }
    pnet_settle(&net);
    for (unsigned i = 0; i < 30; i++) {
        net.link[0].loss_ppm = i % 2 ? 0 : 1000000;
        pnet_run(&net, 2 * S);
        cr_expect_not(pnet_info(&net, 0).ready && i > 8, "round %u", i);
    }
    cr_expect_gt(pnet_info(&net, 0).flaps, 8);
    calm = net.now;
    while (!pnet_info(&net, 0).ready)
        pnet_run(&net, S);
    cr_expect_gt(net.now - calm, 30 * S);
    cr_expect_lt(net.now - calm, 65 * S);
    cr_expect_eq(net.end[0].changed_at[0] / S, net.now / S - 1, "it is told");
    pnet_close(&net);
}

/* Measuring */

/* Means over many minutes. */
static svr_quality mean_quality(struct pnet *net, int end, unsigned minutes)
{
    uint64_t loss = 0, latency = 0, jitter = 0;
    for (unsigned i = 0; i < minutes; i++) {
        svr_pathway_info info;
        pnet_run(net, 60 * S);
        info = pnet_info(net, end);
        cr_assert(info.measured);
        loss += info.quality.loss_ppm;
        latency += info.quality.latency_us;
        jitter += info.quality.jitter_us;
    }
    return (svr_quality){(uint32_t)(loss / minutes),
                         (uint32_t)(latency / minutes),
                         (uint32_t)(jitter / minutes), 0};
}

/* Within 0.2 ms and 0.5 % of what the link is set to. */
Test(pathway, link_test_tells_the_truth)
{
    static const struct {
        svr_time delay[2], jitter[2];
        uint32_t loss[2];
    } rows[] = {
        {{10 * MS, 10 * MS}, {0, 0}, {50000, 0}},
        {{37300000, 12100000}, {4 * MS, 2 * MS}, {0, 20000}},
        {{500000, 500000}, {100000, 100000}, {10000, 10000}},
        {{90 * MS, 90 * MS}, {40 * MS, 0}, {100000, 100000}},
    };
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct pnet net;
        svr_quality q;
        double p[2], jitter = (double)rows[r].jitter[0] / 1000;
        svr_time trip = 0;
        pnet_open(&net, 9 + r);
        for (int i = 0; i < 2; i++) {
            net.link[i].delay = rows[r].delay[i];
            net.link[i].jitter = rows[r].jitter[i];
            net.link[i].loss_ppm = rows[r].loss[i];
            p[i] = rows[r].loss[i] / 1e6;
            trip += rows[r].delay[i] + rows[r].jitter[i] / 2;
            net.end[i].settings.multiplier = 20;
            pnet_restart(&net, i);
        }
        pnet_settle(&net);
        q = mean_quality(&net, 0, 240);
        NEAR(q.loss_ppm, (1 - (1 - p[0]) * (1 - p[1])) * 1e6, 5000);
        NEAR(q.latency_us, trip / 2000, 200);
        /* Root of twice the variance of an even distribution. */
        NEAR(q.jitter_us, jitter * 0.4082, 50 + jitter * 0.02);
        cr_expect_eq(pnet_info(&net, 0).flaps, 0);
        pnet_close(&net);
    }
}

/* Twice everything, a quarter overtaken by bursts of others: neither is a loss,
 * and nothing goes down. */
Test(pathway, duplication_and_reordering)
{
    struct pnet net;
    pnet_open(&net, 20);
    for (int i = 0; i < 2; i++) {
        net.link[i].delay = 50 * MS;
        net.link[i].duplicate_ppm = 1000000;
        net.link[i].reorder_ppm = 250000;
    }
    pnet_settle(&net);
    pnet_run(&net, 3600 * S);
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(pnet_info(&net, i).flaps, 0);
        cr_expect_eq(pnet_info(&net, i).quality.loss_ppm, 0);
        cr_expect_eq(pnet_info(&net, i).mtu, 1500);
    }
    pnet_close(&net);
}

/* 10,000 packets a second both ways: loss and latency within 0.5 % and 0.2 ms
 * of the truth, although stamps are whole milliseconds. */
Test(pathway, traffic_tells_the_truth)
{
    struct pnet net;
    svr_quality q;
    pnet_open(&net, 21);
    for (int i = 0; i < 2; i++) {
        net.link[i].delay = 7300000;
        net.link[i].jitter = 3 * MS;
        net.end[i].settings.multiplier = 20;
        pnet_restart(&net, i);
    }
    net.link[0].loss_ppm = 20000;
    pnet_settle(&net);
    for (int i = 0; i < 2; i++) {
        net.end[i].traffic = 100 * SVR_MICROSECOND;
        net.end[i].next_packet = net.now + (svr_time)i * 37777;
    }
    pnet_run(&net, 60 * S);
    net.link[0].marks = net.link[0].marks_lost = 0;
    q = mean_quality(&net, 0, 10);
    cr_expect(pnet_info(&net, 0).by_traffic);
    cr_expect(pnet_info(&net, 1).by_traffic);
    cr_expect_eq(net.link[0].marks, 6000);
    NEAR(q.loss_ppm, net.link[0].marks_lost * 1000000 / net.link[0].marks,
         5000);
    NEAR(q.loss_ppm, 20000, 5000);
    NEAR(q.latency_us, 8800, 200);
    NEAR(q.jitter_us, 3000 * 0.4082, 150);
    cr_expect_eq(pnet_info(&net, 1).quality.loss_ppm, 0);
    cr_expect_eq(net.end[0].kinds[SVR_PATHWAY_METRICS], 0, "none alone");
    /* When the traffic ends, the link test says what there is to say. */
    net.end[0].traffic = net.end[1].traffic = 0;
    pnet_run(&net, 40 * S);
    cr_expect_not(pnet_info(&net, 0).by_traffic);
    cr_expect(pnet_info(&net, 0).measured);
    pnet_close(&net);
}

/* A packet in 10 ms, one way: reports go alone, once a second. */
Test(pathway, one_way_traffic)
{
    struct pnet net;
    pnet_open(&net, 22);
    pnet_settle(&net);
    net.end[0].traffic = 10 * MS;
    net.end[0].next_packet = net.now;
    pnet_run(&net, 100 * S);
    cr_expect(pnet_info(&net, 0).by_traffic);
    cr_expect_eq(pnet_info(&net, 0).quality.loss_ppm, 0);
    NEAR(pnet_info(&net, 0).quality.latency_us, 10000, 200);
    NEAR(net.end[1].kinds[SVR_PATHWAY_METRICS], 92, 3);
    cr_expect_not(pnet_info(&net, 1).by_traffic);
    /* 19 link tests in 190 s and, at the sender, 9 intervals. */
    NEAR(net.end[0].change_count[1], 28, 1);
    cr_expect_leq(net.end[1].change_count[1], 19);
    pnet_close(&net);
}

/* The formula of docs/pathways.md, but for security id and name, which are the
 * caller's. */
Test(pathway, cost)
{
    static const double intervals[] = {1, 0.3, 0.1, 0.05};
    const double m = 20 + 8 + 24 + 12 + 8 + 20 + 2 * 10 + 14 + 16;
    for (size_t i = 0; i < 4; i++) {
        struct pnet net;
        double wanted =
            (3 * m + 1500) / 4 / (0.875 * intervals[i]) + 2 * (m + 28);
        uint64_t before;
        pnet_open(&net, 90);
        for (int k = 0; k < 2; k++) {
            net.end[k].settings.desired_tx = net.end[k].settings.required_rx =
                (uint32_t)(intervals[i] * 1000000);
            pnet_restart(&net, k);
        }
        pnet_settle(&net);
        before = net.link[0].bytes;
        pnet_run(&net, 1000 * S);
        NEAR((net.link[0].bytes - before) / 1000, wanted, wanted / 50);
        pnet_close(&net);
    }
}

/* NATs */

static void expect_endpoint(svr_bfd_endpoint a, svr_bfd_endpoint b)
{
    cr_expect(svr_addr_equal(&a.addr, &b.addr) && a.port == b.port);
}

/* A NAT before one end binds its port anew, then its address. */
Test(pathway, nat_rebinding)
{
    struct pnet net;
    struct pnet_end *inside = &net.end[0], *outside = &net.end[1];
    svr_bfd_endpoint nat = pnet_endpoint(0xcb007105, 40000);
    pnet_open(&net, 30);
    inside->nat = nat;
    outside->settings.remote = nat;
    pnet_restart(&net, 0);
    pnet_restart(&net, 1);
    pnet_settle(&net);
    cr_expect(pnet_info(&net, 0).own_nat && !pnet_info(&net, 0).peer_nat);
    cr_expect(pnet_info(&net, 1).peer_nat && !pnet_info(&net, 1).own_nat);
    cr_expect_eq(inside->change_count[3], 1);
    cr_expect_eq(outside->change_count[3], 1);
    for (unsigned i = 0; i < 20; i++) {
        svr_time began = net.now, told;
        nat.port++;
        if (i % 2)
            nat.addr.b[15]++;
        inside->nat = nat;
        pnet_run(&net, 2 * S);
        expect_endpoint(pnet_info(&net, 1).peer, nat);
        expect_endpoint(pnet_info(&net, 0).observed, nat);
        /* The next BFD packet, and for an address a round trip. */
        told = outside->changed_at[3];
        cr_expect_geq(told, began);
        cr_expect_leq(told - began, S + (i % 2 ? 3u : 1u) * 10 * MS);
        cr_expect_geq(inside->changed_at[3], began);
        cr_expect_leq(inside->changed_at[3], told + S + 10 * MS);
    }
    cr_expect_eq(outside->change_count[3], 21);
    cr_expect_eq(inside->change_count[3], 21);
    cr_expect_eq(pnet_info(&net, 0).flaps + pnet_info(&net, 1).flaps, 0);
    pnet_close(&net);
}

/* The peer's address is not known: it speaks first, and answers a challenge. */
Test(pathway, peer_speaks_first)
{
    struct pnet net;
    pnet_open(&net, 31);
    net.end[0].nat = pnet_endpoint(0xcb007105, 40000);
    net.end[1].settings.remote = (svr_bfd_endpoint){.port = SVR_BFD_PORT};
    pnet_restart(&net, 1);
    cr_expect_eq(svr_pathway_due(net.end[1].p), SVR_NEVER);
    cr_expect_eq(svr_pathway_send(net.end[1].p, &net.end[1].last, 0), 0);
    pnet_settle(&net);
    expect_endpoint(pnet_info(&net, 1).peer, net.end[0].nat);
    pnet_close(&net);
}

/* Strangers */

/* An end as it was. */
struct frozen {
    void *copy;
    struct pnet_end *end;
};

static struct frozen freeze(struct pnet_end *e)
{
    struct frozen f = {malloc(svr_pathway_size()), e};
    memcpy(f.copy, e->p, svr_pathway_size());
    return f;
}

static bool unchanged(const struct frozen *f)
{
    return memcmp(f->copy, f->end->p, svr_pathway_size()) == 0;
}

/* All that an end sent in a minute is sent to the other one again, from there
 * and from elsewhere, and to itself; then once more when it has been restarted.
 * Not a bit changes. */
Test(pathway, replay_and_reflection)
{
    enum { KEPT = 200 };
    static svr_pathway_message kept[KEPT];
    struct pnet net;
    struct frozen f[2];
    size_t count = 0;
    pnet_open(&net, 40);
    pnet_settle(&net);
    while (count < KEPT) {
        uint64_t before = net.link[0].messages;
        pnet_run(&net, 5 * MS);
        if (net.link[0].messages != before)
            kept[count++] = net.end[0].last;
    }
    pnet_run(&net, 100 * S);
    for (int restarts = 0; restarts < 2; restarts++) {
        f[0] = freeze(&net.end[0]);
        f[1] = freeze(&net.end[1]);
        for (size_t i = 0; i < count; i++) {
            svr_pathway_message m = kept[i];
            unsigned again = pnet_inject(&net, 1, &m);
            cr_expect(again == SVR_PATHWAY_REPLAYED || (restarts && !again));
            cr_expect(restarts || pnet_inject(&net, 0, &m) == 0);
            m.from = pnet_endpoint(0xc6336401, 1280);
            cr_expect_eq(pnet_inject(&net, 1, &m), again);
            cr_assert(unchanged(&f[0]) && unchanged(&f[1]), "message %zu", i);
        }
        free(f[0].copy);
        free(f[1].copy);
        pnet_restart(&net, 0);
        pnet_settle(&net);
    }
    pnet_close(&net);
}

/* Messages that no peer sends: without number or boot counter, of number 0, for
 * another session. */
Test(pathway, messages_that_cannot_be)
{
    struct pnet net;
    struct frozen f;
    svr_pathway_message good, m;
    pnet_open(&net, 41);
    pnet_settle(&net);
    good = net.end[0].last;
    good.block.numbers.own += 1000;
    f = freeze(&net.end[1]);
    for (int i = 0; i < 5; i++) {
        m = good;
        if (i == 0)
            m.block.present &= ~SVR_BFD_HAS(NUMBERS);
        else if (i == 1)
            m.block.present &= ~SVR_BFD_HAS(BOOT_COUNTER);
        else if (i == 2)
            m.block.numbers.own = 0;
        else if (i == 3)
            m.block.boot_counter--;
        else
            m.bfd.your_discriminator++;
        cr_expect_eq(pnet_inject(&net, 1, &m),
                     i == 4 ? 0 : SVR_PATHWAY_REPLAYED, "%d", i);
        cr_expect(unchanged(&f), "%d", i);
    }
    pnet_inject(&net, 1, &good);
    cr_expect_not(unchanged(&f));
    free(f.copy);
    pnet_close(&net);
}

/* Somebody on the way holds a packet back and sends it from his own address:
 * authentic, never seen, the highest number. He gets a challenge, which he
 * cannot answer; an older one that he kept gets him nothing. */
Test(pathway, held_back_and_sent_from_elsewhere)
{
    struct pnet net;
    svr_pathway_message stolen;
    svr_bfd_endpoint thief = pnet_endpoint(0xc6336401, 1280);
    pnet_open(&net, 42);
    pnet_settle(&net);
    net.link[0].loss_ppm = 1000000;
    pnet_run(&net, 1100 * MS);
    stolen = net.end[0].last;
    stolen.from = thief;
    net.link[0].loss_ppm = 0;
    pnet_inject(&net, 1, &stolen);
    expect_endpoint(pnet_info(&net, 1).peer, net.end[0].settings.local);
    pnet_run(&net, 10 * S);
    expect_endpoint(pnet_info(&net, 1).peer, net.end[0].settings.local);
    /* Overtaken: it moves not even a port, though it was never seen. */
    net.link[0].loss_ppm = 1000000;
    pnet_run(&net, 1100 * MS);
    stolen = net.end[0].last;
    net.link[0].loss_ppm = 0;
    pnet_run(&net, 3 * S);
    stolen.from = net.end[0].settings.local;
    stolen.from.port = 999;
    stolen.bfd.state = SVR_BFD_DOWN;
    pnet_inject(&net, 1, &stolen);
    expect_endpoint(pnet_info(&net, 1).peer, net.end[0].settings.local);
    cr_expect_eq(pnet_info(&net, 1).state, SVR_BFD_UP);
    pnet_close(&net);
}

/* One that was overtaken counts once, and not at all when 64 later ones have
 * come. */
Test(pathway, window_of_numbers)
{
    for (uint64_t late = 62; late < 67; late++) {
        struct pnet net;
        struct frozen f;
        svr_pathway_message m;
        pnet_open(&net, 43);
        pnet_settle(&net);
        m = net.end[0].last;
        m.block.present |= SVR_BFD_HAS(PADDING);
        m.block.numbers.own += 1 + late;
        m.size = 1500;
        pnet_inject(&net, 1, &m);
        m.block.numbers.own -= late;
        m.size = 600;
        for (int i = 0; i < 2; i++) {
            f = freeze(&net.end[1]);
            pnet_inject(&net, 1, &m);
            cr_expect_eq(unchanged(&f), i == 1 || late >= 64, "%d, %d behind",
                         i, (int)late);
            free(f.copy);
        }
        pnet_run(&net, 1100 * MS);
        cr_expect_eq(net.end[1].last.block.padded.size, 1500, "the newest");
        pnet_close(&net);
    }
}

/* MTU */

/* Each direction has its own, found exactly. It falls, and nobody says so: the
 * end knows before four detection times and 2 s are over, and stays up. */
Test(pathway, mtu)
{
    for (uint64_t seed = 50; seed < 60; seed++) {
        struct pnet net;
        svr_time fell;
        pnet_open(&net, seed);
        net.link[0].mtu = 1431;
        pnet_settle(&net);
        cr_expect_eq(pnet_info(&net, 0).mtu, 1431);
        cr_expect_eq(pnet_info(&net, 1).mtu, 1500);
        pnet_run(&net, seed * 333 * MS);
        net.link[0].mtu = 1402;
        fell = net.now;
        net.end[0].changes = 0;
        while (pnet_info(&net, 0).mtu > 1402)
            pnet_run(&net, 10 * MS);
        cr_expect_leq(net.now - fell, 14 * S, "%f s",
                      (double)(net.now - fell) / 1e9);
        cr_expect(net.end[0].changes & SVR_PATHWAY_CHANGED_MTU);
        pnet_run(&net, 60 * S);
        cr_expect_eq(pnet_info(&net, 0).mtu, 1402);
        net.link[0].mtu = 0;
        pnet_run(&net, 700 * S);
        cr_expect_eq(pnet_info(&net, 0).mtu, 1500);
        cr_expect_eq(pnet_info(&net, 0).flaps, 0);
        pnet_close(&net);
    }
}

Test(pathway, jumbo_interface)
{
    struct pnet net;
    pnet_open(&net, 60);
    net.end[0].settings.mtu = 9000;
    pnet_restart(&net, 0);
    pnet_settle(&net);
    cr_expect_eq(pnet_info(&net, 0).mtu, 4096, "what a block can be padded to");
    pnet_close(&net);
}

Test(pathway, ipv6)
{
    struct pnet net;
    pnet_open(&net, 62);
    for (int i = 0; i < 2; i++) {
        svr_pathway_settings *s = &net.end[i].settings;
        s->local.addr = (svr_addr){{0xfd, [15] = (uint8_t)(i + 1)}};
        s->remote.addr = (svr_addr){{0xfd, [15] = (uint8_t)(2 - i)}};
        pnet_restart(&net, i);
        cr_expect_eq(pnet_info(&net, i).mtu, 1280);
    }
    net.link[0].mtu = 1300;
    pnet_settle(&net);
    cr_expect_eq(pnet_info(&net, 0).mtu, 1300);
    net.link[0].mtu = 1200;
    pnet_run(&net, 100 * S);
    cr_expect_eq(pnet_info(&net, 0).mtu, 1280);
    cr_expect_eq(pnet_info(&net, 0).flaps, 0);
    cr_expect_not(pnet_info(&net, 0).own_nat || pnet_info(&net, 0).peer_nat);
    pnet_close(&net);
}

/* ICMP says "too big": a packet is padded sooner, and nothing else happens. */
Test(pathway, too_big_is_not_believed)
{
    struct pnet net;
    pnet_open(&net, 61);
    pnet_settle(&net);
    for (int i = 0; i < 100; i++) {
        svr_pathway_too_big(net.end[0].p);
        pnet_run(&net, S);
        cr_assert_eq(pnet_info(&net, 0).mtu, 1500);
    }
    cr_expect_not(net.end[0].changes & SVR_PATHWAY_CHANGED_MTU);
    pnet_close(&net);
}

/* Clocks and restarts */

/* Nobody's clock is the other's: pnet_open draws both. A process that is
 * stopped for 2 s takes what waited for it as a sign of life; one that is
 * stopped for 10 s finds its peer down, and makes up for nothing. */
Test(pathway, stopped_process)
{
    struct pnet net;
    uint64_t sent;
    pnet_open(&net, 70);
    pnet_settle(&net);
    net.end[0].stopped = net.now + 2 * S;
    pnet_run(&net, 20 * S);
    cr_expect_eq(pnet_info(&net, 0).flaps + pnet_info(&net, 1).flaps, 0);
    net.end[0].stopped = net.now + 10 * S;
    pnet_run(&net, 9999 * MS);
    cr_expect_neq(pnet_info(&net, 1).state, SVR_BFD_UP);
    cr_expect_eq(pnet_info(&net, 0).state, SVR_BFD_UP);
    sent = net.link[0].messages;
    pnet_run(&net, 5 * MS);
    cr_expect_leq(net.link[0].messages - sent, 4, "no burst");
    cr_expect_eq(pnet_info(&net, 0).reason, SVR_BFD_DIAG_NEIGHBOUR_DOWN,
                 "what waited was read before the clock");
    pnet_settle(&net);
    NEAR(pnet_info(&net, 0).quality.latency_us, 10000, 200);
    pnet_close(&net);
}

/* S8.4: the peer of a restarted router hears of it, once. */
Test(pathway, restart)
{
    struct pnet net;
    pnet_open(&net, 71);
    pnet_settle(&net);
    for (unsigned i = 1; i < 5; i++) {
        pnet_restart(&net, 0);
        net.link[0].mtu = (uint16_t)(1500 - i);
        pnet_settle(&net);
        cr_expect_eq(net.end[1].change_count[4], i);
        cr_expect_eq(net.end[0].change_count[4], 0);
        cr_expect_eq(pnet_info(&net, 1).peer_boot_counter, 1 + i);
        cr_expect_eq(pnet_info(&net, 0).mtu, 1500 - i);
        cr_expect_eq(pnet_info(&net, 0).quality.loss_ppm, 0);
    }
    pnet_close(&net);
}

/* The marks of before a restart do not fill up for those lost after it. */
Test(pathway, restart_under_traffic)
{
    struct pnet net;
    pnet_open(&net, 72);
    net.end[0].settings.multiplier = net.end[1].settings.multiplier = 20;
    pnet_restart(&net, 0);
    pnet_restart(&net, 1);
    pnet_settle(&net);
    net.end[0].traffic = MS;
    net.end[0].next_packet = net.now;
    pnet_run(&net, 9 * S);
    pnet_restart(&net, 0);
    net.link[0].loss_ppm = 300000;
    pnet_run(&net, 28 * S);
    cr_assert(pnet_info(&net, 0).by_traffic);
    NEAR(pnet_info(&net, 0).quality.loss_ppm, 300000, 150000);
    pnet_close(&net);
}

/* Firewalls and pinholes */

Test(pathway, firewall)
{
    struct pnet net;
    pnet_open(&net, 80);
    net.end[0].settings.tcp_probes = true;
    pnet_restart(&net, 0);
    pnet_settle(&net);
    cr_expect_not(pnet_info(&net, 0).tcp_as_udp);
    cr_expect_eq(net.end[0].kinds[SVR_PATHWAY_TCP_PROBE], 4);
    net.link[0].tcp_blocked = 1 << SVR_TCP_PROBE_JUMBO_SYN;
    pnet_run(&net, 301 * S);
    cr_expect(pnet_info(&net, 0).tcp_as_udp);
    cr_expect_eq(net.end[0].changes & SVR_PATHWAY_CHANGED_TCP,
                 SVR_PATHWAY_CHANGED_TCP);
    net.link[0].tcp_blocked = 0;
    pnet_run(&net, 300 * S);
    cr_expect_not(pnet_info(&net, 0).tcp_as_udp);
    cr_expect_eq(net.end[0].kinds[SVR_PATHWAY_TCP_PROBE], 4 + 6 + 4);
    cr_expect_eq(pnet_info(&net, 0).mtu, 1500);
    pnet_close(&net);
}

/* The first round after a restart is not taken for that of before. */
Test(pathway, firewall_and_restart)
{
    struct pnet net;
    pnet_open(&net, 82);
    net.end[0].settings.tcp_probes = true;
    pnet_restart(&net, 0);
    pnet_settle(&net);
    cr_expect_not(pnet_info(&net, 0).tcp_as_udp);
    net.link[0].tcp_blocked = 1 << SVR_TCP_PROBE_SYN;
    pnet_restart(&net, 0);
    pnet_settle(&net);
    cr_expect(pnet_info(&net, 0).tcp_as_udp);
    pnet_close(&net);
}

Test(pathway, pinholes)
{
    struct pnet net;
    struct pnet_end *outside = &net.end[1];
    svr_bfd_pinhole ports = {16384, 16385};
    svr_pinhole got;
    pnet_open(&net, 81);
    net.end[0].nat = pnet_endpoint(0xcb007105, 40000);
    outside->settings.remote = net.end[0].nat;
    pnet_restart(&net, 1);
    cr_expect_eq(svr_pathway_ask(outside->p, &ports, net.now),
                 SVR_ERR_NOT_FOUND);
    pnet_settle(&net);
    cr_assert_eq(svr_pathway_ask(outside->p, &ports, net.now + outside->offset),
                 0);
    cr_expect_eq(svr_pathway_pinhole(outside->p, &got), 0);
    pnet_run(&net, 25 * MS);
    cr_expect(outside->changes & SVR_PATHWAY_CHANGED_PINHOLE);
    cr_assert_eq(svr_pathway_pinhole(outside->p, &got), 1);
    cr_expect(got.open);
    cr_expect_eq(got.ports.remote, 16385);
    expect_endpoint(got.seen, net.end[0].nat);
    cr_expect_eq(net.end[0].kinds[SVR_PATHWAY_KEEP_ALIVE], 1);
    /* It is told at once. */
    cr_assert_eq(svr_pathway_ask(outside->p, &ports, net.now + outside->offset),
                 0);
    svr_pathway_heard(outside->p, 16384, &net.end[0].nat);
    cr_expect_eq(svr_pathway_due(outside->p), 0);
    cr_expect(svr_pathway_handle(outside->p, net.now + outside->offset) &
              SVR_PATHWAY_CHANGED_PINHOLE);
    cr_assert_eq(svr_pathway_pinhole(outside->p, &got), 1);
    /* The pathway goes down while one is asked for. */
    net.link[0].loss_ppm = net.link[1].loss_ppm = 1000000;
    pnet_run(&net, 2 * S);
    cr_assert_eq(svr_pathway_ask(outside->p, &ports, net.now + outside->offset),
                 0);
    outside->changes = 0;
    pnet_wait(&net, 1, SVR_BFD_DOWN, 2 * S);
    cr_expect(outside->changes & SVR_PATHWAY_CHANGED_PINHOLE);
    cr_assert_eq(svr_pathway_pinhole(outside->p, &got), 1);
    cr_expect_not(got.open);
    net.link[0].loss_ppm = net.link[1].loss_ppm = 0;
    pnet_settle(&net);
    /* The peer does not answer in 3 s. */
    net.end[0].stopped = net.now + 2900 * MS;
    net.link[0].loss_ppm = 999999;
    net.end[1].settings.multiplier = 20;
    cr_assert_eq(svr_pathway_change(outside->p, &net.end[1].settings), 0);
    cr_assert_eq(svr_pathway_ask(outside->p, &ports, net.now + outside->offset),
                 0);
    pnet_run(&net, 2999 * MS);
    cr_expect_eq(svr_pathway_pinhole(outside->p, &got), 0);
    pnet_run(&net, 2 * MS);
    cr_assert_eq(svr_pathway_pinhole(outside->p, &got), 1);
    cr_expect_not(got.open);
    pnet_close(&net);
}

Test(pathway, arguments)
{
    svr_pathway_settings good, bad;
    uint64_t state = 1;
    svr_random random = {test_fill, &state};
    svr_pathway *p = malloc(svr_pathway_size());
    svr_pathway_settings_init(&good);
    cr_expect_eq(svr_pathway_init(p, &good, &random, 0), SVR_ERR_ARGUMENT);
    good.local = pnet_endpoint(1, 2);
    cr_expect_eq(svr_pathway_init(p, &good, &random, 0), 0);
    for (int i = 0; i < 3; i++) {
        bad = good;
        if (i == 0)
            bad.desired_tx = 0;
        else if (i == 1)
            bad.required_rx = 0;
        else
            bad.multiplier = 0;
        cr_expect_eq(svr_pathway_init(p, &bad, &random, 0), SVR_ERR_ARGUMENT);
        cr_expect_eq(svr_pathway_change(p, &bad), SVR_ERR_ARGUMENT);
    }
    free(p);
}

/* A hundred stories, each from its seed: the link loses, delays, doubles and
 * shrinks, a NAT rebinds, processes stop and restart. When all is well again,
 * all is well again. */
static void something_happens(struct pnet *net, uint64_t *dice)
{
    int i = (int)test_below(dice, 2);
    struct pnet_link *l = &net->link[i];
    switch (test_below(dice, 9)) {
    case 0:
        l->loss_ppm = test_below(dice, 1000000);
        break;
    case 1:
        l->loss_ppm = 0;
        break;
    case 2:
        l->delay = (svr_time)test_below(dice, 2000) * MS;
        l->jitter = (svr_time)test_below(dice, 300) * MS;
        break;
    case 3:
        l->duplicate_ppm = l->reorder_ppm = test_below(dice, 1000000);
        break;
    case 4:
        l->mtu = (uint16_t)(600 + test_below(dice, 1000));
        break;
    case 5:
        net->end[0].nat.port++;
        break;
    case 6:
        net->end[0].nat.addr.b[15]++;
        break;
    case 7:
        net->end[i].stopped = net->now + (svr_time)test_below(dice, 12) * S;
        break;
    default:
        pnet_restart(net, i);
    }
}

Test(pathway, stories)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct pnet net;
        uint64_t dice = seed * 77;
        pnet_open(&net, seed);
        net.end[0].nat = pnet_endpoint(0xcb007105, 40000);
        net.end[1].settings.remote.addr = SVR_ADDR_NONE;
        net.end[0].settings.tcp_probes = true;
        pnet_restart(&net, 0);
        pnet_restart(&net, 1);
        net.end[0].traffic = 30 * MS;
        for (unsigned i = 0; i < 30; i++) {
            something_happens(&net, &dice);
            pnet_run(&net, 5 * S);
        }
        for (int i = 0; i < 2; i++) {
            net.link[i].loss_ppm = net.link[i].duplicate_ppm = 0;
            net.link[i].reorder_ppm = 0;
            net.link[i].jitter = 0;
            net.link[i].delay = 5 * MS;
            net.link[i].mtu = 1444;
        }
        pnet_run(&net, 700 * S);
        for (int i = 0; i < 2; i++) {
            svr_pathway_info info = pnet_info(&net, i);
            cr_assert_eq(info.state, SVR_BFD_UP, "seed %lu", (long)seed);
            cr_assert(info.ready && info.measured);
            cr_assert_eq(info.mtu, 1444, "seed %lu", (long)seed);
            cr_assert_eq(info.quality.loss_ppm, 0, "seed %lu", (long)seed);
            NEAR(info.quality.latency_us, 5000, 200);
            cr_assert_eq(info.peer_boot_counter,
                         net.end[!i].settings.boot_counter);
        }
        expect_endpoint(pnet_info(&net, 1).peer, net.end[0].nat);
        pnet_close(&net);
    }
}
