/* pinhole.c - pinholes toward outbound-only peers (S14.9). */
#include "pathway/pinhole.h"

#include <string.h>

static bool is_same(const svr_bfd_pinhole *a, const svr_bfd_pinhole *b)
{
    return a->local == b->local && a->remote == b->remote;
}

int svr__pinhole_ask(svr__pinholes *p, const svr_bfd_pinhole *ports,
                     svr_time now)
{
    for (unsigned i = 0; i < p->asked_count; i++)
        if (p->asked[i].result.ports.local == ports->local)
            return SVR_ERR_EXISTS;
    if (p->asked_count == SVR__PINHOLES)
        return SVR_ERR_FULL;
    p->asked[p->asked_count++] =
        (svr__pinhole){.result = {.ports = *ports}, .due = now};
    return 0;
}

static bool is_over(const svr__pinhole *h)
{
    return h->due == SVR_NEVER;
}

svr_time svr__pinhole_due(const svr__pinholes *p)
{
    svr_time due = p->owed_count ? 0 : SVR_NEVER;

    for (unsigned i = 0; i < p->asked_count; i++)
        if (p->asked[i].due < due)
            due = p->asked[i].due;
    return due;
}

bool svr__pinhole_send(svr__pinholes *p, svr_bfd_pinhole *out, svr_time now)
{
    for (unsigned i = 0; i < p->asked_count; i++) {
        svr__pinhole *h = &p->asked[i];
        if (now < h->due || h->tries == SVR__PINHOLE_TRIES)
            continue;
        h->tries++;
        h->due = now + SVR__PINHOLE_RETRY;
        *out = h->result.ports;
        return true;
    }
    return false;
}

bool svr__pinhole_expire(svr__pinholes *p, svr_time now)
{
    bool any = false;

    for (unsigned i = 0; i < p->asked_count; i++) {
        svr__pinhole *h = &p->asked[i];
        if (now < h->due || h->tries < SVR__PINHOLE_TRIES)
            continue;
        h->due = SVR_NEVER;
        any = true;
    }
    return any;
}

bool svr__pinhole_give_up(svr__pinholes *p)
{
    bool any = false;

    for (unsigned i = 0; i < p->asked_count; i++) {
        any |= !is_over(&p->asked[i]);
        p->asked[i].due = SVR_NEVER;
    }
    p->owed_count = 0;
    return any;
}

bool svr__pinhole_heard(svr__pinholes *p, uint16_t local,
                        const svr_bfd_endpoint *seen)
{
    for (unsigned i = 0; i < p->asked_count; i++) {
        svr__pinhole *h = &p->asked[i];
        if (is_over(h) || h->result.ports.local != local)
            continue;
        h->result.open = true;
        h->result.seen = *seen;
        h->due = SVR_NEVER;
        return true;
    }
    return false;
}

bool svr__pinhole_take(svr__pinholes *p, svr_pinhole *out)
{
    for (unsigned i = 0; i < p->asked_count; i++) {
        if (!is_over(&p->asked[i]))
            continue;
        *out = p->asked[i].result;
        p->asked_count--;
        memmove(p->asked + i, p->asked + i + 1,
                (p->asked_count - i) * sizeof(p->asked[0]));
        return true;
    }
    return false;
}

void svr__pinhole_wanted(svr__pinholes *p, const svr_bfd_pinhole *ports)
{
    for (unsigned i = 0; i < p->owed_count; i++)
        if (is_same(&p->owed[i], ports))
            return;
    if (p->owed_count < SVR__PINHOLES)
        p->owed[p->owed_count++] = *ports;
}

bool svr__pinhole_keep_alive(svr__pinholes *p, svr_bfd_pinhole *out)
{
    if (p->owed_count == 0)
        return false;
    *out = p->owed[0];
    p->owed_count--;
    memmove(p->owed, p->owed + 1, p->owed_count * sizeof(p->owed[0]));
    return true;
}
