/* pathway.c - the pathway as a whole: its state, its deadlines, what it tells
 * of itself. */
#include "pathway/pathway.h"

enum {
    /* What a block's header section can be padded to, and BFD, UDP and IP. */
    PADDED_MAX = 4096,
};

void svr_pathway_settings_init(svr_pathway_settings *c)
{
    *c = (svr_pathway_settings){
        .local = {.port = SVR_BFD_PORT},
        .remote = {.port = SVR_BFD_PORT},
        .desired_tx = 1000000,
        .required_rx = 1000000,
        .multiplier = 3,
        .mtu = 1500,
        .hold_down = 5 * SVR_SECOND,
    };
}

size_t svr_pathway_size(void)
{
    return sizeof(svr_pathway);
}

static bool are_intervals_allowed(const svr_pathway_settings *c)
{
    return c->desired_tx > 0 && c->required_rx > 0 && c->multiplier > 0;
}

static svr__bfd_config bfd_config(const svr_pathway_settings *c)
{
    return (svr__bfd_config){
        .desired_tx = c->desired_tx,
        .required_rx = c->required_rx,
        .multiplier = c->multiplier,
        .peer_multiplier = c->peer_multiplier,
    };
}

/* RFC 5880 6.8.1: random, so that a stranger cannot guess it, and not 0. */
static uint32_t draw_discriminator(const svr_random *random)
{
    uint32_t d = 0;

    while (d == 0)
        random->fill(random->user, &d, sizeof(d));
    return d;
}

static void init_mtu(svr_pathway *p)
{
    uint16_t floor = svr_addr_is_v4(&p->settings.local.addr)
                         ? SVR__MTU_FLOOR_V4
                         : SVR__MTU_FLOOR_V6;
    uint16_t mtu = p->settings.mtu;

    svr__mtu_init(&p->mtu, floor, mtu < PADDED_MAX ? mtu : PADDED_MAX);
}

int svr_pathway_init(svr_pathway *p, const svr_pathway_settings *settings,
                     const svr_random *random, svr_time now)
{
    svr__bfd_config bfd = bfd_config(settings);

    if (!are_intervals_allowed(settings) ||
        svr_addr_is_none(&settings->local.addr))
        return SVR_ERR_ARGUMENT;
    /* The peer knows the numbers that this router has used in its present
     * life; what is made anew in it must go on above them. No pathway sends a
     * message in every microsecond. */
    *p = (svr_pathway){.settings = *settings,
                       .random = *random,
                       .since = now,
                       .number = now / SVR_MICROSECOND};
    bfd.discriminator = draw_discriminator(random);
    svr__bfd_init(&p->bfd, &bfd);
    svr__hold_init(&p->hold, settings->hold_down, now);
    svr__link_init(&p->link);
    svr__colour_init(&p->colour);
    svr__roam_init(&p->roam, &settings->remote);
    svr__probe_init(&p->probe);
    init_mtu(p);
    return 0;
}

bool svr__pathway_is_up(const svr_pathway *p)
{
    return p->bfd.state == SVR_BFD_UP;
}

unsigned svr__pathway_take_changes(svr_pathway *p)
{
    unsigned changes = p->changes;

    p->changes = 0;
    return changes;
}

static void come_up(svr_pathway *p, svr_time now)
{
    svr__hold_up(&p->hold, now);
    if (p->settings.plain)
        return;
    svr__link_start(&p->link, now);
    svr__colour_start(&p->colour);
    svr__mtu_start(&p->mtu, now);
    if (p->settings.tcp_probes)
        svr__probe_start(&p->probe, now);
}

/* What an administrator does is no failure, at either end. */
static void go_down(svr_pathway *p, svr_time now)
{
    bool wanted = p->bfd.state == SVR_BFD_ADMIN_DOWN ||
                  p->bfd.peer_state == SVR_BFD_ADMIN_DOWN;

    svr__hold_down(&p->hold, !wanted, now);
    svr__link_stop(&p->link);
    svr__mtu_stop(&p->mtu);
    svr__probe_stop(&p->probe);
    if (svr__pinhole_give_up(&p->pinholes))
        p->changes |= SVR_PATHWAY_CHANGED_PINHOLE;
    p->ready = false;
    p->reason = p->bfd.diag;
}

void svr__pathway_follow_state(svr_pathway *p, uint8_t before, svr_time now)
{
    if (p->bfd.state == before)
        return;
    p->since = now;
    p->changes |= SVR_PATHWAY_CHANGED_STATE;
    if (p->bfd.state == SVR_BFD_UP)
        come_up(p, now);
    else if (before == SVR_BFD_UP)
        go_down(p, now);
}

static svr_time earlier(svr_time a, svr_time b)
{
    return a < b ? a : b;
}

/* Of all that goes to the endpoint in use. */
static svr_time send_due(const svr_pathway *p)
{
    svr_time due = svr__bfd_due(&p->bfd);

    if (p->answer_owed)
        return 0;
    if (!svr__pathway_is_up(p))
        return due;
    if (!svr__link_is_bursting(&p->link))
        due = earlier(due, p->mtu.due);
    due = earlier(due, svr__link_due(&p->link));
    due = earlier(due, svr__colour_due(&p->colour));
    due = earlier(due, svr__probe_due(&p->probe));
    return earlier(due, svr__pinhole_due(&p->pinholes));
}

svr_time svr_pathway_due(const svr_pathway *p)
{
    svr_time due = earlier(svr__bfd_expiry(&p->bfd), p->roam.due);

    if (p->changes)
        return 0;
    if (!p->ready)
        due = earlier(due, p->hold.ready);
    if (!svr_addr_is_none(&p->roam.peer.addr))
        due = earlier(due, send_due(p));
    return due;
}

unsigned svr_pathway_handle(svr_pathway *p, svr_time now)
{
    uint8_t before = p->bfd.state;

    svr__bfd_expire(&p->bfd, now);
    svr__pathway_follow_state(p, before, now);
    if (!p->ready && now >= p->hold.ready) {
        p->ready = true;
        p->changes |= SVR_PATHWAY_CHANGED_STATE;
    }
    if (svr__link_expire(&p->link, now))
        p->changes |= SVR_PATHWAY_CHANGED_QUALITY;
    if (svr__probe_expire(&p->probe, now))
        p->changes |= SVR_PATHWAY_CHANGED_TCP;
    if (svr__pinhole_expire(&p->pinholes, now))
        p->changes |= SVR_PATHWAY_CHANGED_PINHOLE;
    return svr__pathway_take_changes(p);
}

void svr_pathway_admin(svr_pathway *p, bool down, svr_time now)
{
    uint8_t before = p->bfd.state;

    svr__bfd_admin(&p->bfd, down);
    svr__pathway_follow_state(p, before, now);
}

int svr_pathway_change(svr_pathway *p, const svr_pathway_settings *settings)
{
    svr__bfd_config bfd = bfd_config(settings);

    if (!are_intervals_allowed(settings))
        return SVR_ERR_ARGUMENT;
    bfd.peer_multiplier = p->settings.peer_multiplier;
    svr__bfd_change(&p->bfd, &bfd);
    return 0;
}

void svr_pathway_too_big(svr_pathway *p)
{
    svr__mtu_suspect(&p->mtu);
}

bool svr_pathway_mark(svr_pathway *p, svr_path_metrics *out, svr_time now)
{
    svr_time before = p->colour.fresh_until;
    bool marked;

    if (p->settings.plain || !svr__pathway_is_up(p))
        return false;
    marked = svr__colour_mark(&p->colour, out, &p->random, now);
    if (p->colour.fresh_until != before)
        p->changes |= SVR_PATHWAY_CHANGED_QUALITY;
    return marked;
}

void svr_pathway_marked(svr_pathway *p, const svr_path_metrics *m, svr_time now)
{
    svr__colour_marked(&p->colour, m, now);
}

int svr_pathway_ask(svr_pathway *p, const svr_bfd_pinhole *ports, svr_time now)
{
    if (p->settings.plain || !svr__pathway_is_up(p))
        return SVR_ERR_NOT_FOUND;
    return svr__pinhole_ask(&p->pinholes, ports, now);
}

void svr_pathway_heard(svr_pathway *p, uint16_t local_port,
                       const svr_bfd_endpoint *seen)
{
    if (svr__pinhole_heard(&p->pinholes, local_port, seen))
        p->changes |= SVR_PATHWAY_CHANGED_PINHOLE;
}

int svr_pathway_pinhole(svr_pathway *p, svr_pinhole *out)
{
    return svr__pinhole_take(&p->pinholes, out);
}

/* Real packets are preferred while they say something (S15). */
static void describe_quality(const svr_pathway *p, svr_pathway_info *out,
                             svr_time now)
{
    out->by_traffic =
        svr__colour_is_fresh(&p->colour, now) && svr__pathway_is_up(p);
    out->measured = svr__average_quality(
        out->by_traffic ? &p->colour.average : &p->link.average, &out->quality);
}

void svr_pathway_describe(const svr_pathway *p, svr_pathway_info *out,
                          svr_time now)
{
    *out = (svr_pathway_info){
        .state = p->bfd.state,
        .reason = p->reason,
        .ready = p->ready,
        .peer_nat = p->roam.nat,
        .own_nat = !svr_addr_is_none(&p->observed.addr) &&
                   !svr__endpoint_equal(&p->observed, &p->settings.local),
        .tcp_as_udp = p->probe.tcp_as_udp,
        .mtu_known = p->settings.plain || svr__mtu_known(&p->mtu),
        .mtu = p->settings.plain ? p->settings.mtu : p->mtu.mtu,
        .flaps = p->hold.flaps,
        .peer_boot_counter = p->peer_boot,
        .since = p->since,
        .peer = p->roam.peer,
        .observed = p->observed,
    };
    describe_quality(p, out, now);
}
