/* receive.c - what a message of the peer changes. */
#include "pathway/pathway.h"

#include <string.h>

enum {
    WINDOW = 64,
};

/* How a message stands to those before it (S11.7, S14.4). */
enum freshness {
    STALE,  /* a replay, or too old to be told from one */
    LATE,   /* never seen, but overtaken */
    NEWEST, /* with a higher number than all before */
};

static bool has(const svr_bfd_block *b, uint64_t bits)
{
    return (b->present & bits) != 0;
}

/* S8.4: all that was known of the peer's numbers and clock is void. */
static void forget_peer(svr_pathway *p)
{
    p->highest = p->seen = 0;
    p->padded = (svr_bfd_padded){0};
    p->probe.heard = (svr_bfd_probe){0};
    svr__colour_forget(&p->colour);
}

static enum freshness judge_number(svr_pathway *p, uint64_t number)
{
    uint64_t ahead = number - p->highest, behind = p->highest - number;

    if (number > p->highest) {
        p->seen = ahead < WINDOW ? p->seen << ahead | 1 : 1;
        p->highest = number;
        return NEWEST;
    }
    if (number == 0 || behind >= WINDOW || p->seen >> behind & 1)
        return STALE;
    p->seen |= (uint64_t)1 << behind;
    return LATE;
}

static enum freshness judge(svr_pathway *p, const svr_bfd_block *b)
{
    if (!has(b, SVR_BFD_HAS(BOOT_COUNTER)) || !has(b, SVR_BFD_HAS(NUMBERS)) ||
        b->boot_counter < p->peer_boot)
        return STALE;
    if (b->boot_counter > p->peer_boot) {
        if (p->highest != 0)
            p->changes |= SVR_PATHWAY_PEER_RESTARTED;
        forget_peer(p);
        p->peer_boot = b->boot_counter;
    }
    return judge_number(p, b->numbers.own);
}

static void take_bfd(svr_pathway *p, const svr_bfd_packet *packet, svr_time now)
{
    uint8_t before = p->bfd.state;

    svr__bfd_receive(&p->bfd, packet, now);
    svr__pathway_follow_state(p, before, now);
}

/* S14.4 */
static void take_source(svr_pathway *p, const svr_pathway_message *m,
                        svr_time now)
{
    const svr_bfd_block *b = &m->block;
    const uint8_t *answer = has(b, SVR_BFD_HAS(ANSWER)) ? b->answer : NULL;
    bool changed = svr__roam_seen(&p->roam, &m->from, answer, &p->random, now);

    if (has(b, SVR_BFD_HAS(SOURCE_V4) | SVR_BFD_HAS(SOURCE_V6)))
        changed |= svr__roam_source(&p->roam, &b->source);
    if (has(b, SVR_BFD_HAS(OBSERVED_V4) | SVR_BFD_HAS(OBSERVED_V6)) &&
        !svr__endpoint_equal(&p->observed, &b->observed)) {
        /* The first time this is news only if there is a NAT. */
        changed |= !svr_addr_is_none(&p->observed.addr) ||
                   !svr__endpoint_equal(&p->settings.local, &b->observed);
        p->observed = b->observed;
    }
    if (changed)
        p->changes |= SVR_PATHWAY_CHANGED_NAT;
}

/* What the peer says about packets of ours, and what it asks for. */
static void take_reports(svr_pathway *p, const svr_bfd_block *b, svr_time now)
{
    const svr_bfd_padded *padded =
        has(b, SVR_BFD_HAS(PADDED)) ? &b->padded : NULL;

    if (svr__mtu_heard(&p->mtu, b->numbers.peer, padded, now))
        p->changes |= SVR_PATHWAY_CHANGED_MTU;
    if (has(b, SVR_BFD_HAS(PROBE)) && svr__probe_reported(&p->probe, &b->probe))
        p->changes |= SVR_PATHWAY_CHANGED_TCP;
    if (has(b, SVR_BFD_HAS(CHALLENGE))) {
        memcpy(p->answer, b->challenge, sizeof(p->answer));
        p->answer_owed = true;
    }
    if (has(b, SVR_BFD_HAS(PINHOLE)) && svr__pathway_is_up(p))
        svr__pinhole_wanted(&p->pinholes, &b->pinhole);
}

/* Counts for late messages too: order is not what is measured. */
static void take_measurement(svr_pathway *p, const svr_pathway_message *m,
                             svr_time now)
{
    const svr_bfd_block *b = &m->block;

    if (has(b, SVR_BFD_HAS(ECHO)) && svr__pathway_is_up(p))
        svr__link_receive(&p->link, &b->echo, now);
    if (has(b, SVR_BFD_HAS(PADDING)) && b->numbers.own > p->padded.number)
        p->padded = (svr_bfd_padded){b->numbers.own, m->size};
}

static void take_message(svr_pathway *p, const svr_pathway_message *m,
                         svr_time now)
{
    const svr_bfd_block *b = &m->block;
    enum freshness freshness = judge(p, b);

    if (freshness == STALE) {
        p->changes |= SVR_PATHWAY_REPLAYED;
        return;
    }
    /* A TCP probe says nothing about UDP, whose NAT mapping is another. */
    if (has(b, SVR_BFD_HAS(PROBE)) && b->probe.kind != 0) {
        svr__probe_came(&p->probe, &b->probe);
        return;
    }
    if (freshness == NEWEST) {
        take_bfd(p, &m->bfd, now);
        take_source(p, m, now);
        take_reports(p, b, now);
    }
    take_measurement(p, m, now);
}

unsigned svr_pathway_receive(svr_pathway *p, const svr_pathway_message *m,
                             svr_time now)
{
    if (svr__bfd_is_ours(&p->bfd, &m->bfd)) {
        if (p->settings.plain)
            take_bfd(p, &m->bfd, now);
        else
            take_message(p, m, now);
    }
    return svr__pathway_take_changes(p);
}
