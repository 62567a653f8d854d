/* probe.c - firewall probes (S14.8). */
#include "pathway/probe.h"

enum {
    ALL = (1 << SVR_TCP_PROBES) - 1,
};

void svr__probe_init(svr__probe *p)
{
    *p = (svr__probe){.due = SVR_NEVER};
}

void svr__probe_start(svr__probe *p, svr_time now)
{
    p->due = now;
    p->missing = p->to_send = p->tries = 0;
}

void svr__probe_stop(svr__probe *p)
{
    p->due = SVR_NEVER;
    p->to_send = 0;
}

static bool conclude(svr__probe *p, bool tcp_as_udp)
{
    bool changed = p->tcp_as_udp != tcp_as_udp;

    p->tcp_as_udp = tcp_as_udp;
    p->missing = p->to_send = p->tries = 0;
    p->due = p->began + SVR__PROBE_INTERVAL;
    return changed;
}

/* All kinds that are missing go at once; a new round when its time has come. */
static void begin_try(svr__probe *p, svr_time now)
{
    if (p->missing == 0) {
        p->round = (uint8_t)(p->round % UINT8_MAX + 1);
        p->missing = ALL;
        p->began = now;
    }
    p->tries++;
    p->to_send = p->missing;
    p->due = now + SVR__PROBE_PATIENCE;
}

bool svr__probe_send(svr__probe *p, enum svr_tcp_probe *kind, svr_time now)
{
    unsigned next = 0;

    if (now >= p->due && p->tries < SVR__PROBE_TRIES)
        begin_try(p, now);
    if (p->to_send == 0)
        return false;
    while (!(p->to_send & 1u << next))
        next++;
    p->to_send &= (uint8_t)(p->to_send - 1);
    *kind = (enum svr_tcp_probe)next;
    return true;
}

bool svr__probe_expire(svr__probe *p, svr_time now)
{
    if (now < p->due || p->tries < SVR__PROBE_TRIES)
        return false;
    return conclude(p, true);
}

bool svr__probe_reported(svr__probe *p, const svr_bfd_probe *report)
{
    if (p->missing == 0 || report->heard_round != p->round)
        return false;
    p->missing &= (uint8_t)~report->heard;
    return p->missing == 0 && conclude(p, false);
}

void svr__probe_came(svr__probe *p, const svr_bfd_probe *probe)
{
    if (p->heard.heard_round != probe->round) {
        p->heard.heard_round = probe->round;
        p->heard.heard = 0;
    }
    p->heard.heard |= probe->kind;
}

svr_time svr__probe_due(const svr__probe *p)
{
    return p->to_send ? 0 : p->due;
}
