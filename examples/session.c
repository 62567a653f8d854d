/*
 * session - two routers agree on a session, with the machine alone: no node, no
 * packets, no clock.
 *
 *     ingress ------ a line that loses every other packet ------ egress
 *
 * A client and a server speak by turns. What the machines say is printed: M is
 * a packet with metadata, . one without, m metadata by itself, x what is lost.
 * After a second the ingress is told that a NAT has changed its address, and
 * tells the egress of the session anew (S6.8).
 */
#include <svr/session.h>

#include <stdio.h>

enum {
    INGRESS,
    EGRESS,
    STEPS = 40,
};

struct line {
    svr_session end[2];
    unsigned sent; /* packets, of both */
};

/* The side of each end that the line is on. */
static unsigned side_of(unsigned end)
{
    return end == INGRESS ? SVR_SESSION_SERVER : SVR_SESSION_CLIENT;
}

static const char *state_of(const struct line *l, unsigned end)
{
    return svr_session_state_name(&l->end[end], side_of(end));
}

static void transmit(struct line *l, unsigned from, bool metadata, bool alone,
                     svr_time now);

/* What the machine of an end asks for. */
static void act(struct line *l, unsigned end, unsigned actions, svr_time now)
{
    if (actions & SVR_SESSION_SEND_METADATA)
        transmit(l, end, true, true, now);
}

/* A packet of `from` is on the line, and arrives at once or never. */
static void transmit(struct line *l, unsigned from, bool metadata, bool alone,
                     svr_time now)
{
    const svr_life_packet packet = {.reverse = from == EGRESS};
    unsigned to = !from;
    svr_exchange x = svr_session_exchange(&l->end[from], side_of(from));
    bool lost = l->sent++ % 2 == 0;
    unsigned actions;

    printf("%5.2f s  %s %c%s", (double)now / SVR_SECOND,
           from == INGRESS ? "---->" : "<----",
           alone      ? 'm'
           : metadata ? 'M'
                      : '.',
           lost ? "x" : " ");
    if (lost) {
        puts("");
        return;
    }
    if (!alone)
        svr_life_event(&l->end[to].life, &packet); /* S9 */
    if (metadata)
        actions =
            svr_session_metadata(&l->end[to], side_of(to), &x, alone, now);
    else
        actions =
            svr_session_event(&l->end[to], side_of(to), SVR_SESSION_PLAIN, now);
    printf("   ingress %-9s egress %-9s", state_of(l, INGRESS),
           state_of(l, EGRESS));
    if (metadata)
        printf("  number %llu, echo %llu%s", (unsigned long long)x.own,
               (unsigned long long)x.echo, x.unechoed ? ", echo wanted" : "");
    puts("");
    act(l, to, actions, now);
}

/* A packet of the host behind an end. */
static void speak(struct line *l, unsigned end, svr_time now)
{
    unsigned actions =
        svr_session_event(&l->end[end], side_of(end), SVR_SESSION_SEND, now);
    transmit(l, end, actions & SVR_SESSION_ADD_METADATA, false, now);
}

static void expire(struct line *l, svr_time now)
{
    const svr_time passed[2] = {now, now};

    for (unsigned end = 0; end < 2; end++)
        if (svr_session_due(&l->end[end], side_of(end), passed) <= now)
            act(l, end,
                svr_session_timer(&l->end[end], side_of(end), passed, now),
                now);
}

int main(void)
{
    struct line l = {.sent = 0};

    /* Each router numbers its exchanges for itself. */
    svr_session_init(&l.end[INGRESS], SVR_SESSION_UDP, false, true, 100);
    svr_session_init(&l.end[EGRESS], SVR_SESSION_UDP, true, false, 200);
    for (unsigned step = 0; step < STEPS; step++) {
        svr_time now = (svr_time)step * 50 * SVR_MILLISECOND;

        if (step == STEPS / 2)
            svr_session_event(&l.end[INGRESS], side_of(INGRESS),
                              SVR_SESSION_RENEW, now);
        expire(&l, now);
        /* Two of the client, one of the server. */
        speak(&l, step % 3 == 2 ? EGRESS : INGRESS, now);
    }
    printf("%s: ingress %s, egress %s\n",
           svr_session_quiet(&l.end[INGRESS], SVR_SESSION_SERVER) ? "done"
                                                                  : "not done",
           state_of(&l, INGRESS), state_of(&l, EGRESS));
    return 0;
}
