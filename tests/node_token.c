/* Recovery tokens in metadata (S8.5). */
#include "node_net.h"

#include <criterion/criterion.h>
#include <string.h>

#include "node/node.h"

struct token {
    uint8_t bytes[SVR__TOKEN_MAX];
    size_t len;
};

static struct token token_in(const struct frame *wire)
{
    svr_metadata md = frame_metadata(wire);
    struct token t = {.len = md.recovery_token.len};

    cr_assert_leq(t.len, sizeof(t.bytes));
    if (md.present & SVR_HAS(RECOVERY_TOKEN))
        memcpy(t.bytes, md.recovery_token.data, t.len);
    else
        t.len = 0;
    return t;
}

static struct token forward_token(struct net *net)
{
    struct frame wire;

    forward_trip(net, frame_udp(CLIENT, 5000, SERVER, 7, "a", 1), &wire);
    struct token t = token_in(&wire);
    frame_free(&wire);
    return t;
}

static struct token reverse_token(struct net *net)
{
    struct frame wire;

    reverse_trip(net, frame_udp(SERVER, 7, CLIENT, 5000, "a", 1), &wire);
    struct token t = token_in(&wire);
    frame_free(&wire);
    return t;
}

static bool same(const struct token *a, const struct token *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

Test(node_token, comes_back_unchanged)
{
    struct net net;

    net_open(&net, NULL);
    struct token there = forward_token(&net), back = reverse_token(&net);
    cr_expect_eq(there.len, 42);
    cr_expect(same(&there, &back));
    net_close(&net);
}

/* Each router that opens a hop makes its own. */
Test(node_token, one_for_each_hop)
{
    struct net net;

    net_open(&net, &(struct net_options){.hub = true});
    struct token ingress = forward_token(&net), transit = reverse_token(&net);
    cr_expect_eq(ingress.len, 42);
    cr_expect_eq(transit.len, 63);
    net_close(&net);
}

/* They all end some day, and the session's next metadata has a newer one. */
Test(node_token, ages)
{
    struct net net;

    net_open(&net, &(struct net_options){.forever = true});
    struct token first = forward_token(&net), again = forward_token(&net);
    cr_expect(same(&first, &again));
    net.now += 12 * 3600 * SVR_SECOND;
    svr_node_set_unix_time(net.branch, UINT64_C(1700000000000000000) + net.now,
                           net.now);
    struct token later = forward_token(&net), back = reverse_token(&net);
    cr_expect_not(same(&first, &later));
    cr_expect(same(&later, &back), "the latest counts");
    net_close(&net);
}

static struct token token_at(struct net *net, uint64_t unix_seconds)
{
    svr_node_set_unix_time(net->branch, unix_seconds * SVR_SECOND, net->now);
    return forward_token(net);
}

/* A clock that falls makes no older ones. */
Test(node_token, clock_falls)
{
    const uint64_t unix_seconds = 1700000000;
    struct net net;

    net_open(&net, &(struct net_options){.regular = true});
    struct token first = token_at(&net, unix_seconds);
    struct token again = token_at(&net, unix_seconds - 24 * 3600);
    cr_expect(same(&first, &again));
    net_close(&net);
}

/* What it made while it was far ahead is replaced. */
Test(node_token, clock_was_far_ahead)
{
    const uint64_t unix_seconds = 1700000000;
    struct net net;

    net_open(&net, &(struct net_options){.regular = true});
    struct token first = token_at(&net, unix_seconds);
    struct token ahead = token_at(&net, unix_seconds + 365 * 86400);
    struct token again = token_at(&net, unix_seconds), back;
    cr_expect_not(same(&first, &ahead));
    cr_expect(same(&first, &again));
    back = reverse_token(&net);
    cr_expect(same(&first, &back), "the latest counts");
    net_close(&net);
}

Test(node_token, what_cannot_be_ours_is_not_kept)
{
    uint8_t bytes[64] = {1};
    svr__kept_token k;

    svr__token_keep(&k, (svr_span){bytes, 63});
    cr_expect_eq(k.len, 63);
    svr__token_keep(&k, (svr_span){bytes, 64});
    cr_expect_eq(k.len, 0);
    svr__token_keep(&k, (svr_span){NULL, 0});
    cr_expect_eq(k.len, 0);
}

Test(node_token, without_a_key_a_random_one)
{
    struct net net;

    net_open(&net, NULL);
    uint8_t zero[SVR_KEY_SIZE] = {0};
    svr_node_config c;
    svr_node *n;
    svr_node_config_init(&c);
    const svr_prefix own = {addr("10.9.0.1"), 24};
    const svr_interface_config lan = {.name = "lan0",
                                      .addresses = &own,
                                      .address_count = 1,
                                      .tenant = SVR_TENANT_NONE,
                                      .mtu = 1500};
    c.name = "alone";
    c.interfaces = &lan;
    c.interface_count = 1;
    c.alloc = net.branch->alloc;
    c.random = net.branch->random;
    cr_assert_eq(svr_node_create(&n, &c, net.now), 0);
    cr_expect_neq(memcmp(n->recovery_key, zero, sizeof(zero)), 0);
    svr_node_destroy(n);
    net_close(&net);
}
