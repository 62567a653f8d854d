/* The life of a session (S9): what makes it established and what ends it. */
#include <svr/packet.h>
#include <svr/session.h>

enum {
    DNS_PORT = 53,
    /* RFC 7323: the largest window scale. Assumed where no SYN was seen, so
     * that a genuine reset is not missed after a restart. */
    SHIFT_MAX = 14,
};

enum svr_session_kind svr_session_kind_of(const svr_tuple *context)
{
    switch (context->proto) {
    case SVR_PROTO_TCP:
        return SVR_SESSION_TCP;
    case SVR_PROTO_UDP:
        return context->dport == DNS_PORT ? SVR_SESSION_DNS : SVR_SESSION_UDP;
    case SVR_PROTO_ICMP:
    case SVR_PROTO_ICMPV6:
        return SVR_SESSION_ICMP;
    default:
        return SVR_SESSION_OTHER;
    }
}

void svr_life_init(svr_life *life, enum svr_session_kind kind)
{
    *life = (svr_life){
        .state = SVR_LIFE_NEW,
        .kind = (uint8_t)kind,
        .end = {{.shift = SHIFT_MAX}, {.shift = SHIFT_MAX}},
    };
}

void svr_life_resume(svr_life *life)
{
    life->state = SVR_LIFE_ESTABLISHED;
}

static bool change_state(svr_life *life, enum svr_life_state state)
{
    bool changed = life->state != state;
    life->state = (uint8_t)state;
    return changed;
}

/* Whether a comes at or behind b in sequence space. */
static bool seq_reaches(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) >= 0;
}

/* Whether the other end, which last acknowledged `from`, accepts seq. */
static bool reset_in_window(const svr_life_end *to, uint32_t seq)
{
    uint32_t size = (uint32_t)to->window << to->shift;
    return (to->seen & SVR_LIFE_SEEN_ACK) && seq_reaches(seq, to->ack) &&
           seq - to->ack <= size;
}

/* A refused connection: the reset acknowledges the SYN with what came in it
 * (RFC 9293 3.10.7.1) while its sender has acknowledged nothing yet. */
static bool reset_answers_syn(const svr_life_end *to, const svr_life_packet *p)
{
    return (to->seen & (SVR_LIFE_SEEN_ACK | SVR_LIFE_SEEN_SYN)) ==
               SVR_LIFE_SEEN_SYN &&
           (p->tcp_flags & SVR_TCP_ACK) && p->ack == to->data;
}

static void learn_syn(svr_life_end *own, const svr_life_packet *p)
{
    own->shift = p->window_shift > SHIFT_MAX ? SHIFT_MAX : p->window_shift;
    own->seen |= SVR_LIFE_SEEN_SYN;
    if (!(own->seen & SVR_LIFE_SEEN_DATA))
        own->data = p->seq + 1;
}

static void learn(svr_life_end *own, const svr_life_packet *p)
{
    bool syn = p->tcp_flags & SVR_TCP_SYN;
    if (syn)
        learn_syn(own, p);
    if (p->tcp_flags & SVR_TCP_ACK) {
        own->ack = p->ack;
        own->window = p->window;
        own->seen |= SVR_LIFE_SEEN_ACK;
    }
    if (p->len && !(own->seen & SVR_LIFE_SEEN_DATA)) {
        own->data = p->seq + syn + p->len;
        own->seen |= SVR_LIFE_SEEN_DATA;
    }
    if (p->tcp_flags & SVR_TCP_FIN)
        own->seen |= SVR_LIFE_SEEN_FIN;
}

/* The client uses its port again before the old connection is forgotten. */
static bool begins_anew(const svr_life *life, const svr_life_packet *p)
{
    return (life->state == SVR_LIFE_CLOSING || life->state == SVR_LIFE_RESET) &&
           !p->reverse &&
           (p->tcp_flags & (SVR_TCP_SYN | SVR_TCP_ACK | SVR_TCP_RST)) ==
               SVR_TCP_SYN;
}

static bool tcp_event(svr_life *life, const svr_life_packet *p)
{
    svr_life_end *own = &life->end[p->reverse];
    svr_life_end *other = &life->end[!p->reverse];

    if (p->tcp_flags & SVR_TCP_RST) {
        if (reset_in_window(other, p->seq) || reset_answers_syn(other, p))
            return change_state(life, SVR_LIFE_RESET);
        return false;
    }
    if (begins_anew(life, p)) {
        svr_life_init(life, SVR_SESSION_TCP);
        learn(own, p);
        return true;
    }
    learn(own, p);
    switch ((enum svr_life_state)life->state) {
    case SVR_LIFE_NEW:
        if (own->seen & other->seen & SVR_LIFE_SEEN_FIN)
            return change_state(life, SVR_LIFE_CLOSING);
        if ((p->tcp_flags & SVR_TCP_ACK) &&
            (other->seen & SVR_LIFE_SEEN_DATA) &&
            seq_reaches(p->ack, other->data))
            return change_state(life, SVR_LIFE_ESTABLISHED);
        return false;
    case SVR_LIFE_ESTABLISHED:
        if (own->seen & other->seen & SVR_LIFE_SEEN_FIN)
            return change_state(life, SVR_LIFE_CLOSING);
        return false;
    case SVR_LIFE_CLOSING:
    case SVR_LIFE_RESET:
        return false;
    }
    return false;
}

bool svr_life_event(svr_life *life, const svr_life_packet *p)
{
    if (life->kind == SVR_SESSION_TCP)
        return tcp_event(life, p);
    if (life->state == SVR_LIFE_NEW && p->reverse)
        return change_state(life, SVR_LIFE_ESTABLISHED);
    return false;
}

bool svr_life_quiet(const svr_life *life, bool reverse)
{
    return life->state != SVR_LIFE_NEW ||
           (life->kind != SVR_SESSION_TCP && !reverse);
}

void svr_life_note(svr_life *life, bool reverse, uint32_t ack, uint16_t window)
{
    life->end[reverse].ack = ack;
    life->end[reverse].window = window;
    life->end[reverse].seen |= SVR_LIFE_SEEN_ACK;
}

const char *svr_life_name(const svr_life *life)
{
    static const char *const names[] = {
        [SVR_LIFE_NEW] = "new",
        [SVR_LIFE_ESTABLISHED] = "established",
        [SVR_LIFE_CLOSING] = "closing",
        [SVR_LIFE_RESET] = "reset",
    };
    return names[life->state];
}

void svr_lifetimes_init(svr_lifetimes *t)
{
    *t = (svr_lifetimes){
        .idle =
            {
                [SVR_SESSION_TCP] = 1900 * SVR_SECOND,
                [SVR_SESSION_UDP] = 180 * SVR_SECOND,
                [SVR_SESSION_ICMP] = 10 * SVR_SECOND,
                [SVR_SESSION_DNS] = 5 * SVR_SECOND,
                [SVR_SESSION_OTHER] = 180 * SVR_SECOND,
            },
        .tcp_setup = 10 * SVR_SECOND,
    };
}

svr_time svr_life_idle(const svr_life *life, const svr_lifetimes *t)
{
    switch ((enum svr_life_state)life->state) {
    case SVR_LIFE_CLOSING:
        return 10 * SVR_SECOND;
    case SVR_LIFE_RESET:
        return 2 * SVR_SECOND;
    case SVR_LIFE_NEW:
        if (life->kind == SVR_SESSION_TCP)
            return t->tcp_setup;
        break;
    case SVR_LIFE_ESTABLISHED:
        break;
    }
    return t->idle[life->kind];
}
