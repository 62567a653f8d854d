/* Following a peer (S14.4), in literal time. Every packet here is authentic and
 * new: what is not never gets so far. */
#include "pathway/roam.h"
#include "support.h"

#include <criterion/criterion.h>

#define S SVR_SECOND

static uint64_t state = 1;
static const svr_random dice = {test_fill, &state};

static svr_bfd_endpoint at(uint8_t last, uint16_t port)
{
    return (svr_bfd_endpoint){{{0xfd, [15] = last}}, port};
}

static bool seen(svr__roam *r, uint8_t last, uint16_t port,
                 const uint8_t *answer, svr_time now)
{
    svr_bfd_endpoint from = at(last, port);
    return svr__roam_seen(r, &from, answer, &dice, now);
}

static svr__roam make(void)
{
    svr__roam r;
    svr_bfd_endpoint peer = at(1, 1280);
    svr__roam_init(&r, &peer);
    return r;
}

static void expect_peer(const svr__roam *r, uint8_t last, uint16_t port)
{
    svr_bfd_endpoint e = at(last, port);
    cr_expect(svr__endpoint_equal(&r->peer, &e), "port %u", r->peer.port);
}

Test(pathway_roam, a_port_is_followed_at_once)
{
    svr__roam r = make();
    cr_expect_not(seen(&r, 1, 1280, NULL, S));
    cr_expect(seen(&r, 1, 4000, NULL, S));
    expect_peer(&r, 1, 4000);
    cr_expect_eq(r.due, SVR_NEVER, "without a challenge");
}

/* Three challenges to it, a second apart, then it is forgotten. */
Test(pathway_roam, an_address_is_challenged)
{
    svr__roam r = make();
    svr_bfd_endpoint to;
    uint8_t first[8], challenge[8];
    cr_expect_not(svr__roam_send(&r, &to, first, S));
    cr_expect_not(seen(&r, 2, 5000, NULL, S));
    cr_assert(svr__roam_send(&r, &to, first, S));
    cr_expect_eq(to.port, 5000);
    for (unsigned i = 2; i < 4; i++) {
        cr_expect_not(svr__roam_send(&r, &to, challenge, i * S - 1));
        cr_expect_not(seen(&r, 2, 5000, NULL, i * S - 1));
        cr_assert(svr__roam_send(&r, &to, challenge, i * S));
        cr_expect_arr_eq(challenge, first, 8);
    }
    cr_expect_eq(r.due, 4 * S);
    cr_expect_not(svr__roam_send(&r, &to, challenge, 4 * S));
    cr_expect_eq(r.due, SVR_NEVER);
    expect_peer(&r, 1, 1280);
    cr_expect_not(seen(&r, 2, 5000, NULL, 9 * S));
    cr_assert(svr__roam_send(&r, &to, challenge, 9 * S), "and again");
    cr_expect_arr_neq(challenge, first, 8);
}

Test(pathway_roam, the_right_answer_from_the_right_place)
{
    svr__roam r = make();
    svr_bfd_endpoint to;
    uint8_t right[8], wrong[8];
    seen(&r, 2, 5000, NULL, S);
    cr_assert(svr__roam_send(&r, &to, right, S));
    memcpy(wrong, right, 8);
    wrong[7] ^= 1;
    cr_expect_not(seen(&r, 2, 5000, wrong, S));
    cr_expect_not(seen(&r, 1, 1280, right, S), "from the old address");
    cr_expect_not(seen(&r, 3, 5000, right, S), "from a third one");
    expect_peer(&r, 1, 1280);
    cr_expect(seen(&r, 2, 5001, right, S));
    expect_peer(&r, 2, 5001);
    cr_expect_eq(r.due, SVR_NEVER);
    cr_expect_not(seen(&r, 1, 1280, right, S), "an answer counts once");
    expect_peer(&r, 2, 5001);
}

/* One at a time; the next one goes to the port last seen. */
Test(pathway_roam, one_challenge_at_a_time)
{
    svr__roam r = make();
    svr_bfd_endpoint to;
    uint8_t challenge[8];
    seen(&r, 2, 5000, NULL, S);
    cr_assert(svr__roam_send(&r, &to, challenge, S));
    seen(&r, 3, 6000, NULL, S);
    cr_expect_not(svr__roam_send(&r, &to, challenge, S));
    seen(&r, 2, 5005, NULL, S);
    cr_assert(svr__roam_send(&r, &to, challenge, 2 * S));
    cr_expect_eq(to.port, 5005);
    cr_expect_eq(to.addr.b[15], 2);
}

/* A peer that must speak first. */
Test(pathway_roam, unknown_peer)
{
    svr__roam r;
    svr_bfd_endpoint to;
    uint8_t challenge[8];
    svr__roam_init(&r, &(svr_bfd_endpoint){SVR_ADDR_NONE, 1280});
    cr_expect_not(seen(&r, 4, 7000, NULL, S));
    cr_assert(svr__roam_send(&r, &to, challenge, S));
    cr_expect(seen(&r, 4, 7000, challenge, S));
    expect_peer(&r, 4, 7000);
}

Test(pathway_roam, nat)
{
    svr__roam r = make();
    svr_bfd_endpoint same = at(1, 1280), other = at(9, 1280);
    cr_expect_not(svr__roam_source(&r, &same));
    cr_expect(svr__roam_source(&r, &other));
    cr_expect(r.nat);
    cr_expect_not(svr__roam_source(&r, &other));
    cr_expect(svr__roam_source(&r, &same));
    cr_expect_not(r.nat);
}
