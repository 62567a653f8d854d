/* send.c - messages to the peer, the most urgent first. */
#include "pathway/pathway.h"

#include <string.h>

/* S14.4: whichever family the endpoint is of. */
static void add_endpoint(svr_bfd_block *b, svr_bfd_endpoint *field,
                         const svr_bfd_endpoint *e, uint64_t v4, uint64_t v6)
{
    *field = *e;
    b->present |= svr_addr_is_v4(&e->addr) ? v4 : v6;
}

/* What every block carries. */
static void fill_block(svr_pathway *p, svr_bfd_block *b,
                       const svr_bfd_endpoint *to)
{
    svr_bfd_block_init(b);
    b->present = SVR_BFD_HAS(BOOT_COUNTER) | SVR_BFD_HAS(NUMBERS);
    b->boot_counter = p->settings.boot_counter;
    b->numbers = (svr_bfd_numbers){++p->number, p->highest};
    add_endpoint(b, &b->source, &p->settings.local, SVR_BFD_HAS(SOURCE_V4),
                 SVR_BFD_HAS(SOURCE_V6));
    add_endpoint(b, &b->observed, to, SVR_BFD_HAS(OBSERVED_V4),
                 SVR_BFD_HAS(OBSERVED_V6));
    if (p->padded.number != 0) {
        b->present |= SVR_BFD_HAS(PADDED);
        b->padded = p->padded;
    }
    if (p->probe.heard.heard != 0) {
        b->present |= SVR_BFD_HAS(PROBE);
        b->probe = p->probe.heard;
    }
}

static void begin_message(svr_pathway *p, svr_pathway_message *m,
                          const svr_bfd_endpoint *to)
{
    *m = (svr_pathway_message){
        .kind = SVR_PATHWAY_BFD,
        .from = p->settings.local,
        .to = *to,
    };
    svr__bfd_describe(&p->bfd, &m->bfd);
    if (!p->settings.plain)
        fill_block(p, &m->block, to);
}

/* To the endpoint in use, where an answer to a challenge belongs. */
static void begin_usual(svr_pathway *p, svr_pathway_message *m)
{
    begin_message(p, m, &p->roam.peer);
    if (!p->answer_owed)
        return;
    p->answer_owed = false;
    m->block.present |= SVR_BFD_HAS(ANSWER);
    memcpy(m->block.answer, p->answer, sizeof(p->answer));
}

static void pad(svr_pathway_message *m, uint16_t size)
{
    m->size = size;
    m->block.present |= SVR_BFD_HAS(PADDING);
}

static void add_echo(svr_pathway_message *m, const svr_bfd_echo *echo)
{
    m->block.present |= SVR_BFD_HAS(ECHO);
    m->block.echo = *echo;
}

static bool send_challenge(svr_pathway *p, svr_pathway_message *m, svr_time now)
{
    uint8_t challenge[SVR_BFD_CHALLENGE_SIZE];
    svr_bfd_endpoint to;

    if (!svr__roam_send(&p->roam, &to, challenge, now))
        return false;
    begin_message(p, m, &to);
    m->block.present |= SVR_BFD_HAS(CHALLENGE);
    memcpy(m->block.challenge, challenge, sizeof(challenge));
    return true;
}

static bool send_bfd(svr_pathway *p, svr_pathway_message *m, svr_time now)
{
    svr_bfd_packet packet;
    uint16_t size;
    uint8_t jitter;

    if (now < svr__bfd_due(&p->bfd))
        return false;
    p->random.fill(p->random.user, &jitter, sizeof(jitter));
    svr__bfd_send(&p->bfd, &packet, jitter, now);
    begin_usual(p, m);
    m->bfd = packet;
    size = svr__mtu_pad(&p->mtu, m->block.numbers.own);
    if (size)
        pad(m, size);
    return true;
}

static bool send_answer(svr_pathway *p, svr_pathway_message *m)
{
    if (!p->answer_owed)
        return false;
    begin_usual(p, m);
    return true;
}

static bool send_echo(svr_pathway *p, svr_pathway_message *m, svr_time now)
{
    svr_bfd_echo echo;

    if (!svr__link_answer(&p->link, &echo, now) &&
        !svr__link_send(&p->link, &echo, now))
        return false;
    begin_usual(p, m);
    add_echo(m, &echo);
    return true;
}

/* An echo request that the link test does not count, so not during its burst.
 */
static bool send_mtu_probe(svr_pathway *p, svr_pathway_message *m, svr_time now)
{
    uint16_t size;

    if (svr__link_is_bursting(&p->link))
        return false;
    size = svr__mtu_send(&p->mtu, p->number + 1, now);
    if (size == 0)
        return false;
    begin_usual(p, m);
    add_echo(m, &(svr_bfd_echo){.own = now + 1});
    pad(m, size);
    return true;
}

static bool send_tcp_probe(svr_pathway *p, svr_pathway_message *m, svr_time now)
{
    enum svr_tcp_probe kind;

    if (!svr__probe_send(&p->probe, &kind, now))
        return false;
    begin_usual(p, m);
    m->kind = SVR_PATHWAY_TCP_PROBE;
    m->tcp_probe = (uint8_t)kind;
    m->to.port = kind < SVR_TCP_PROBE_OTHER_SYN ? SVR_TCP_PROBE_PORT
                                                : SVR_TCP_PROBE_OTHER_PORT;
    m->block.present |= SVR_BFD_HAS(PROBE);
    m->block.probe.round = p->probe.round;
    m->block.probe.kind = (uint8_t)(1u << kind);
    if (kind == SVR_TCP_PROBE_JUMBO_SYN)
        pad(m, p->mtu.mtu);
    return true;
}

static bool send_pinhole(svr_pathway *p, svr_pathway_message *m, svr_time now)
{
    svr_bfd_pinhole ports;

    if (svr__pinhole_send(&p->pinholes, &ports, now)) {
        begin_usual(p, m);
        m->block.present |= SVR_BFD_HAS(PINHOLE);
        m->block.pinhole = ports;
        return true;
    }
    if (!svr__pinhole_keep_alive(&p->pinholes, &ports))
        return false;
    *m = (svr_pathway_message){
        .kind = SVR_PATHWAY_KEEP_ALIVE,
        .from = {p->settings.local.addr, ports.remote},
        .to = {p->roam.peer.addr, ports.local},
    };
    return true;
}

static bool send_report(svr_pathway *p, svr_pathway_message *m, svr_time now)
{
    svr_path_metrics metrics;

    if (!svr__colour_report(&p->colour, &metrics, &p->random, now))
        return false;
    *m = (svr_pathway_message){
        .kind = SVR_PATHWAY_METRICS,
        .from = p->settings.local,
        .to = p->roam.peer,
        .metrics = metrics,
    };
    return true;
}

int svr_pathway_speak(svr_pathway *p, svr_pathway_message *out)
{
    if (p->settings.plain || svr_addr_is_none(&p->roam.peer.addr))
        return 0;
    begin_message(p, out, &p->roam.peer);
    return 1;
}

int svr_pathway_send(svr_pathway *p, svr_pathway_message *out, svr_time now)
{
    if (send_challenge(p, out, now))
        return 1;
    if (svr_addr_is_none(&p->roam.peer.addr))
        return 0;
    if (send_bfd(p, out, now) || send_answer(p, out))
        return 1;
    if (!svr__pathway_is_up(p))
        return 0;
    return send_echo(p, out, now) || send_mtu_probe(p, out, now) ||
           send_tcp_probe(p, out, now) || send_pinhole(p, out, now) ||
           send_report(p, out, now);
}
