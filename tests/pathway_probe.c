/* Firewall probes (S14.8) and pinholes (S14.9) in literal time. */
#include "pathway/pinhole.h"
#include "pathway/probe.h"

#include <criterion/criterion.h>

#define S SVR_SECOND

/* All that goes at now; those in `pass` come through, and the peer says so.
 * Returns a bit for each kind. */
static unsigned round_of(svr__probe *p, svr__probe *peer, unsigned pass,
                         svr_time now)
{
    enum svr_tcp_probe kind;
    unsigned kinds = 0;
    while (svr__probe_send(p, &kind, now)) {
        svr_bfd_probe sent = {.round = p->round, .kind = (uint8_t)(1u << kind)};
        cr_assert_not(kinds & 1u << kind, "each once");
        kinds |= 1u << kind;
        if (pass & 1u << kind)
            svr__probe_came(peer, &sent);
    }
    return kinds;
}

/* Four probes every 300 s. */
Test(pathway_probe, all_come_through)
{
    svr__probe p, peer;
    svr__probe_init(&p);
    svr__probe_init(&peer);
    cr_expect_eq(round_of(&p, &peer, 15, 99 * S), 0, "not started");
    svr__probe_start(&p, 100 * S);
    for (unsigned i = 0; i < 600; i++) {
        svr_time t = (100 + 300 * i) * S;
        cr_assert_eq(svr__probe_due(&p), t);
        cr_assert_not(svr__probe_expire(&p, t));
        cr_assert_eq(round_of(&p, &peer, 15, t), 15);
        cr_assert_not(svr__probe_reported(&p, &peer.heard));
        cr_assert_neq(p.round, 0);
    }
    cr_expect_not(p.tcp_as_udp);
    svr__probe_stop(&p);
    cr_expect_eq(svr__probe_due(&p), SVR_NEVER);
}

/* One kind does not: it is tried three times. Later it does. */
Test(pathway_probe, one_kind_is_blocked)
{
    for (unsigned kind = 0; kind < SVR_TCP_PROBES; kind++) {
        unsigned bit = 1u << kind, pass = 15 & ~bit;
        svr__probe p, peer;
        svr__probe_init(&p);
        svr__probe_init(&peer);
        svr__probe_start(&p, 0);
        cr_expect_eq(round_of(&p, &peer, pass, 0), 15);
        cr_expect_not(svr__probe_reported(&p, &peer.heard));
        cr_expect_eq(round_of(&p, &peer, pass, 1 * S), bit);
        cr_expect_eq(round_of(&p, &peer, pass, 2 * S), bit);
        cr_expect_eq(round_of(&p, &peer, pass, 3 * S), 0);
        cr_expect_not(svr__probe_expire(&p, 3 * S - 1));
        cr_expect(svr__probe_expire(&p, 3 * S));
        cr_expect(p.tcp_as_udp);
        cr_expect_not(svr__probe_reported(&p, &peer.heard), "too late");
        cr_expect_eq(svr__probe_due(&p), 300 * S);
        /* The next round says the same, the one after it something else. */
        for (unsigned t = 300; t < 303; t++)
            round_of(&p, &peer, pass, t * S);
        svr__probe_reported(&p, &peer.heard);
        cr_expect_not(svr__probe_expire(&p, 303 * S), "no news");
        round_of(&p, &peer, 15, 600 * S);
        cr_expect(svr__probe_reported(&p, &peer.heard));
        cr_expect_not(p.tcp_as_udp);
    }
}

/* Loss of a probe or of a report is no firewall. */
Test(pathway_probe, loss)
{
    svr__probe p, peer;
    svr_bfd_probe old;
    svr__probe_init(&p);
    svr__probe_init(&peer);
    svr__probe_start(&p, 0);
    round_of(&p, &peer, 15, 0);
    old = peer.heard;
    cr_expect_eq(round_of(&p, &peer, 15, 1 * S), 15, "no report came");
    svr__probe_reported(&p, &peer.heard);
    cr_expect_not(svr__probe_expire(&p, 3 * S));
    cr_expect_not(p.tcp_as_udp);
    /* A report of another round proves nothing about this one. */
    round_of(&p, &peer, 0, 300 * S);
    cr_expect_not(svr__probe_reported(&p, &old));
    cr_expect_eq(p.missing, 15);
}

static const svr_bfd_pinhole one = {16384, 16385}, two = {16386, 16385};

/* Three requests, a second apart. */
Test(pathway_probe, pinhole_is_asked_for)
{
    svr__pinholes p = {0};
    svr_bfd_pinhole out;
    svr_pinhole result;
    cr_expect_eq(svr__pinhole_due(&p), SVR_NEVER);
    cr_assert_eq(svr__pinhole_ask(&p, &one, S), 0);
    cr_expect_eq(svr__pinhole_ask(&p, &one, S), SVR_ERR_EXISTS);
    for (unsigned i = 1; i < 4; i++) {
        cr_expect_eq(svr__pinhole_due(&p), i * S);
        cr_expect_not(svr__pinhole_send(&p, &out, i * S - 1));
        cr_expect_not(svr__pinhole_expire(&p, i * S));
        cr_assert(svr__pinhole_send(&p, &out, i * S));
        cr_expect_eq(out.remote, 16385);
    }
    cr_expect_not(svr__pinhole_send(&p, &out, 4 * S));
    cr_expect_not(svr__pinhole_take(&p, &result));
    cr_expect(svr__pinhole_expire(&p, 4 * S));
    cr_expect_not(
        svr__pinhole_heard(&p, one.local, &(svr_bfd_endpoint){.port = 5}));
    cr_assert(svr__pinhole_take(&p, &result));
    cr_expect_not(result.open);
    cr_expect_eq(result.ports.remote, 16385);
    cr_expect_not(svr__pinhole_take(&p, &result));
}

Test(pathway_probe, pinhole_opens)
{
    svr__pinholes p = {0};
    svr_bfd_pinhole out;
    svr_pinhole result;
    cr_assert_eq(svr__pinhole_ask(&p, &one, S), 0);
    cr_assert_eq(svr__pinhole_ask(&p, &two, S), 0);
    cr_assert(svr__pinhole_send(&p, &out, S));
    cr_assert(svr__pinhole_send(&p, &out, S));
    cr_expect_eq(out.local, 16386);
    cr_expect(
        svr__pinhole_heard(&p, two.local, &(svr_bfd_endpoint){.port = 5}));
    cr_expect_not(
        svr__pinhole_heard(&p, two.local, &(svr_bfd_endpoint){.port = 6}));
    cr_expect_eq(svr__pinhole_due(&p), 2 * S, "the other one");
    cr_assert(svr__pinhole_take(&p, &result));
    cr_expect(result.open);
    cr_expect_eq(result.seen.port, 5);
    cr_expect_eq(result.ports.local, 16386);
    cr_expect(svr__pinhole_give_up(&p));
    cr_assert(svr__pinhole_take(&p, &result));
    cr_expect_not(result.open);
    cr_expect_not(svr__pinhole_give_up(&p));
}

Test(pathway_probe, pinholes_have_a_bound)
{
    svr__pinholes p = {0};
    svr_bfd_pinhole ports = {.remote = 1}, out;
    for (uint16_t i = 0; i < 10; i++) {
        ports.local = i;
        cr_expect_eq(svr__pinhole_ask(&p, &ports, S), i < 4 ? 0 : SVR_ERR_FULL);
        svr__pinhole_wanted(&p, &ports);
        svr__pinhole_wanted(&p, &ports);
    }
    cr_expect_eq(svr__pinhole_due(&p), 0);
    for (uint16_t i = 0; i < 4; i++) {
        cr_assert(svr__pinhole_keep_alive(&p, &out));
        cr_expect_eq(out.local, i);
    }
    cr_expect_not(svr__pinhole_keep_alive(&p, &out));
    svr__pinhole_wanted(&p, &ports);
    svr__pinhole_give_up(&p);
    cr_expect_not(svr__pinhole_keep_alive(&p, &out), "it went down");
}
