/* bfd.c - the BFD state machine. Numbers in brackets: RFC 5880. */
#include "pathway/bfd.h"

/* [6.8.3] Nothing faster before the session is up. */
#define SLOW_TX ((uint32_t)1000000)

/* What we tell the peer that we wish. */
static uint32_t desired_tx(const svr__bfd *b)
{
    if (b->state != SVR_BFD_UP && b->config.desired_tx < SLOW_TX)
        return SLOW_TX;
    return b->config.desired_tx;
}

/* [6.8.3] Takes new values into use: at once where that makes neither end wait
 * in vain, else when the peer has answered the poll. */
static void adopt_intervals(svr__bfd *b)
{
    bool waits = b->state == SVR_BFD_UP && b->poll;

    if (!waits || desired_tx(b) < b->tx)
        b->tx = desired_tx(b);
    if (!waits || b->config.required_rx > b->rx)
        b->rx = b->config.required_rx;
}

/* [6.8.3] With no peer to answer, the next one learns the values anyway. */
static void start_poll(svr__bfd *b)
{
    b->poll_next = b->poll;
    b->poll = b->peer_discriminator != 0;
}

/* One function changes the state, and all that hangs on it. */
static bool change_state(svr__bfd *b, enum svr_bfd_state state,
                         enum svr_bfd_diag diag)
{
    uint32_t before = desired_tx(b);

    b->state = (uint8_t)state;
    b->diag = (uint8_t)diag;
    b->urgent = true; /* [6.8.7] */
    if (desired_tx(b) != before)
        start_poll(b);
    return true;
}

/* The reason for the last failure is told until the session is up again. */
static bool rise(svr__bfd *b, enum svr_bfd_state state)
{
    return change_state(b, state,
                        state == SVR_BFD_UP ? SVR_BFD_DIAG_NONE
                                            : (enum svr_bfd_diag)b->diag);
}

static bool fall(svr__bfd *b, enum svr_bfd_diag diag)
{
    return change_state(b, SVR_BFD_DOWN, diag);
}

void svr__bfd_init(svr__bfd *b, const svr__bfd_config *config)
{
    *b = (svr__bfd){
        .config = *config,
        .state = SVR_BFD_DOWN,
        .peer_state = SVR_BFD_DOWN,
        .peer_rx = 1, /* [6.8.1] */
        .urgent = true,
        .heard = SVR_NEVER,
    };
    adopt_intervals(b);
}

uint32_t svr__bfd_tx_interval(const svr__bfd *b)
{
    if (b->peer_rx == 0) /* [6.8.7] */
        return 0;
    return b->tx > b->peer_rx ? b->tx : b->peer_rx; /* [6.8.2] */
}

uint64_t svr__bfd_detection_time(const svr__bfd *b)
{
    uint64_t interval = b->rx > b->peer_tx ? b->rx : b->peer_tx;

    if (b->peer_multiplier == 0)
        return 0;
    return interval * (b->config.peer_multiplier ? b->peer_multiplier
                                                 : b->config.multiplier);
}

svr_time svr__bfd_expiry(const svr__bfd *b)
{
    if (b->heard == SVR_NEVER)
        return SVR_NEVER;
    return b->heard + svr__bfd_detection_time(b) * SVR_MICROSECOND;
}

/* [6.8.7] The peer wants no periodic packets while both are up. */
static bool peer_rests(const svr__bfd *b)
{
    return b->peer_demand && b->state == SVR_BFD_UP &&
           b->peer_state == SVR_BFD_UP && !b->poll;
}

/* [6.8.7] 75 to 100 % of the interval, at a multiplier of 1 75 to 90 %. It is
 * computed when asked for, so that a new interval holds at once. */
static svr_time next_periodic(const svr__bfd *b)
{
    uint64_t interval = svr__bfd_tx_interval(b) * SVR_MICROSECOND;
    uint64_t least = b->config.multiplier == 1 ? interval / 10 : 0;

    if (interval == 0 || peer_rests(b))
        return SVR_NEVER;
    return b->sent + interval - least -
           (interval / 4 - least) * b->jitter / UINT8_MAX;
}

svr_time svr__bfd_due(const svr__bfd *b)
{
    return b->final || b->urgent ? 0 : next_periodic(b);
}

bool svr__bfd_is_ours(const svr__bfd *b, const svr_bfd_packet *p)
{
    return (p->your_discriminator == 0 ||
            p->your_discriminator == b->config.discriminator) &&
           p->my_discriminator != b->config.discriminator;
}

/* [6.8.6], what a packet says apart from its state. */
static void learn(svr__bfd *b, const svr_bfd_packet *p)
{
    b->peer_discriminator = p->my_discriminator;
    b->peer_state = p->state;
    b->peer_demand = p->demand;
    b->peer_rx = p->required_min_rx;
    b->peer_tx = p->desired_min_tx;
    b->peer_multiplier = p->multiplier;
    if (p->final) {
        b->poll = b->poll_next;
        b->poll_next = false;
    }
}

/* [6.8.6], the state machine of [6.2]: every pair has its answer. */
static bool step(svr__bfd *b, enum svr_bfd_state heard)
{
    switch ((enum svr_bfd_state)b->state) {
    case SVR_BFD_ADMIN_DOWN:
        return false;
    case SVR_BFD_DOWN:
        if (heard == SVR_BFD_DOWN)
            return rise(b, SVR_BFD_INIT);
        if (heard == SVR_BFD_INIT)
            return rise(b, SVR_BFD_UP);
        return false;
    case SVR_BFD_INIT:
        if (heard == SVR_BFD_ADMIN_DOWN)
            return fall(b, SVR_BFD_DIAG_NEIGHBOUR_DOWN);
        if (heard == SVR_BFD_INIT || heard == SVR_BFD_UP)
            return rise(b, SVR_BFD_UP);
        return false;
    case SVR_BFD_UP:
        if (heard == SVR_BFD_ADMIN_DOWN || heard == SVR_BFD_DOWN)
            return fall(b, SVR_BFD_DIAG_NEIGHBOUR_DOWN);
        return false;
    }
    return false;
}

bool svr__bfd_receive(svr__bfd *b, const svr_bfd_packet *p, svr_time now)
{
    bool changed;

    learn(b, p);
    changed = step(b, (enum svr_bfd_state)p->state);
    adopt_intervals(b);
    b->heard = now;
    if (p->poll && b->state != SVR_BFD_ADMIN_DOWN)
        b->final = true;
    return changed;
}

bool svr__bfd_expire(svr__bfd *b, svr_time now)
{
    bool changed = false;

    if (now < svr__bfd_expiry(b))
        return false;
    b->heard = SVR_NEVER;
    b->peer_discriminator = 0; /* [6.8.1] */
    b->poll = b->poll_next = false;
    if (b->state == SVR_BFD_INIT || b->state == SVR_BFD_UP)
        changed = fall(b, SVR_BFD_DIAG_EXPIRED);
    adopt_intervals(b);
    return changed;
}

void svr__bfd_describe(const svr__bfd *b, svr_bfd_packet *out)
{
    *out = (svr_bfd_packet){
        .state = b->state,
        .diag = b->diag,
        .multiplier = b->config.multiplier,
        .my_discriminator = b->config.discriminator,
        .your_discriminator = b->peer_discriminator,
        .desired_min_tx = desired_tx(b),
        .required_min_rx = b->config.required_rx,
    };
}

bool svr__bfd_send(svr__bfd *b, svr_bfd_packet *out, uint8_t jitter,
                   svr_time now)
{
    bool periodic = b->urgent || now >= next_periodic(b);

    if (!b->final && !periodic)
        return false;
    svr__bfd_describe(b, out);
    out->final = b->final;
    out->poll = b->poll && !b->final; /* [6.5] never both */
    b->final = b->urgent = false;
    if (periodic) {
        b->sent = now;
        b->jitter = jitter;
    }
    return true;
}

void svr__bfd_change(svr__bfd *b, const svr__bfd_config *config)
{
    uint32_t discriminator = b->config.discriminator;

    b->config = *config;
    b->config.discriminator = discriminator;
    b->urgent = true; /* [6.8.12] */
    start_poll(b);
    adopt_intervals(b);
}

bool svr__bfd_admin(svr__bfd *b, bool down)
{
    if (down == (b->state == SVR_BFD_ADMIN_DOWN))
        return false;
    b->final = false;
    if (down)
        change_state(b, SVR_BFD_ADMIN_DOWN, SVR_BFD_DIAG_ADMIN_DOWN);
    else
        change_state(b, SVR_BFD_DOWN, SVR_BFD_DIAG_NONE);
    adopt_intervals(b);
    return true;
}
