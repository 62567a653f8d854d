/* The life of a session (S9): kinds, and ends that come early. */
#include <criterion/criterion.h>
#include <svr/life.h>
#include <svr/packet.h>

Test(session_life, kinds)
{
    static const struct {
        uint8_t proto;
        uint16_t dport;
        enum svr_session_kind kind;
    } rows[] = {
        {SVR_PROTO_TCP, 80, SVR_SESSION_TCP},
        {SVR_PROTO_TCP, 53, SVR_SESSION_TCP},
        {SVR_PROTO_UDP, 53, SVR_SESSION_DNS},
        {SVR_PROTO_UDP, 54, SVR_SESSION_UDP},
        {SVR_PROTO_ICMP, 53, SVR_SESSION_ICMP},
        {SVR_PROTO_ICMPV6, 9, SVR_SESSION_ICMP},
        {47, 53, SVR_SESSION_OTHER},
        {0, 0, SVR_SESSION_OTHER},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        svr_tuple t = {.proto = rows[i].proto, .dport = rows[i].dport};
        cr_assert_eq(svr_session_kind_of(&t), rows[i].kind, "row %zu", i);
    }
}

static const char *after(svr_life *life, bool reverse, uint8_t flags,
                         uint32_t seq, uint32_t ack, uint8_t shift)
{
    svr_life_event(life, &(svr_life_packet){.reverse = reverse,
                                            .tcp_flags = flags,
                                            .window = 100,
                                            .window_shift = shift,
                                            .seq = seq,
                                            .ack = ack});
    return svr_life_name(life);
}

/* Both ends may close before any data: nothing was established. */
Test(session_life, closed_before_data)
{
    svr_life life;
    svr_life_init(&life, SVR_SESSION_TCP);
    cr_assert_str_eq(after(&life, false, SVR_TCP_SYN, 1, 0, 0), "new");
    cr_assert_str_eq(after(&life, true, SVR_TCP_SYN | SVR_TCP_ACK, 9, 2, 0),
                     "new");
    cr_assert_str_eq(after(&life, false, SVR_TCP_FIN | SVR_TCP_ACK, 2, 10, 0),
                     "new");
    cr_assert_str_eq(after(&life, true, SVR_TCP_FIN | SVR_TCP_ACK, 10, 3, 0),
                     "closing");
    cr_assert_str_eq(after(&life, true, SVR_TCP_ACK, 11, 3, 0), "closing");
    cr_assert_str_eq(after(&life, true, SVR_TCP_RST, 11, 3, 0), "reset");
}

/* S9: what a plain packet acknowledged moves the window that a reset must be
 * in; a window scale is no larger than RFC 7323 allows. */
Test(session_life, window_of_a_reset)
{
    svr_life life;
    svr_life_init(&life, SVR_SESSION_TCP);
    after(&life, false, SVR_TCP_SYN, 1, 0, 0);
    after(&life, true, SVR_TCP_SYN | SVR_TCP_ACK, 9, 2, 0);
    svr_life_note(&life, true, 5000, 100);
    cr_assert_str_eq(after(&life, false, SVR_TCP_RST, 4999, 0, 0), "new");
    cr_assert_str_eq(after(&life, false, SVR_TCP_RST, 5101, 0, 0), "new");
    cr_assert_str_eq(after(&life, false, SVR_TCP_RST, 5100, 0, 0), "reset");

    svr_life_init(&life, SVR_SESSION_TCP);
    after(&life, false, SVR_TCP_SYN, 1, 0, 0);
    after(&life, true, SVR_TCP_SYN | SVR_TCP_ACK, 9, 2, 200);
    cr_assert_str_eq(
        after(&life, false, SVR_TCP_RST, 2 + (100 << 14) + 1, 0, 0), "new");
    cr_assert_str_eq(after(&life, false, SVR_TCP_RST, 2 + (100 << 14), 0, 0),
                     "reset");
}

/* Which packets may pass without an event. */
Test(session_life, quiet)
{
    svr_life life;
    svr_life_init(&life, SVR_SESSION_TCP);
    cr_assert_not(svr_life_quiet(&life, false));
    cr_assert_not(svr_life_quiet(&life, true));
    svr_life_init(&life, SVR_SESSION_ICMP);
    cr_assert(svr_life_quiet(&life, false));
    cr_assert_not(svr_life_quiet(&life, true));
    cr_assert(svr_life_event(&life, &(svr_life_packet){.reverse = true}));
    cr_assert_not(svr_life_event(&life, &(svr_life_packet){.reverse = true}));
    cr_assert(svr_life_quiet(&life, true));
}
