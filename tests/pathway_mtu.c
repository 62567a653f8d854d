/* Path MTU (S14.6) in literal time. */
#include "pathway/mtu.h"

#include <criterion/criterion.h>

#define S SVR_SECOND
#define MS SVR_MILLISECOND

/* A pathway that carries packets up to `path`, and what passes it. */
struct path {
    svr__mtu m;
    unsigned path;
    uint64_t number;
    svr_bfd_padded padded;
    svr_time now;
    unsigned probes, changes;
};

static struct path make(uint16_t floor, uint16_t max, unsigned path)
{
    struct path p = {.path = path, .now = 100 * S};
    svr__mtu_init(&p.m, floor, max);
    svr__mtu_start(&p.m, p.now);
    return p;
}

static void carry(struct path *p, unsigned size)
{
    if (size <= p->path)
        p->padded = (svr_bfd_padded){p->number, (uint16_t)size};
}

static void hear(struct path *p)
{
    p->changes += svr__mtu_heard(&p->m, p->number,
                                 p->padded.number ? &p->padded : NULL, p->now);
}

/* Until nothing is due before `until`; each probe is answered after 10 ms. */
static void search(struct path *p, svr_time until)
{
    while (p->m.due < until) {
        uint16_t size;
        p->now = p->m.due > p->now ? p->m.due : p->now;
        size = svr__mtu_send(&p->m, p->number + 1, p->now);
        if (size == 0)
            continue;
        p->number++;
        p->probes++;
        cr_assert(size > p->m.mtu && size <= p->m.max);
        carry(p, size);
        p->now += 10 * MS;
        hear(p);
    }
    p->now = until;
}

/* `count` periodic packets, a second apart, each answered. */
static unsigned talk(struct path *p, unsigned count)
{
    unsigned padded = 0;
    for (unsigned i = 0; i < count; i++) {
        uint16_t size = svr__mtu_pad(&p->m, ++p->number);
        padded += size != 0;
        if (size)
            carry(p, size);
        p->now += S;
        hear(p);
    }
    return padded;
}

/* Every MTU is found exactly, in a minute. */
Test(pathway_mtu, search_finds_every_size)
{
    for (unsigned path = 1280; path <= 1500; path++) {
        struct path p = make(1280, 1500, path);
        cr_assert_eq(p.m.mtu, 1280);
        search(&p, p.now + 60 * S);
        cr_assert_eq(p.m.mtu, path);
        cr_assert_leq(p.probes, 3 * 10);
    }
    for (unsigned path = 576; path <= 4096; path += 13) {
        struct path p = make(576, 4096, path);
        search(&p, p.now + 60 * S);
        cr_assert_eq(p.m.mtu, path);
    }
}

/* The usual case takes one packet. */
Test(pathway_mtu, the_interface_is_tried_first)
{
    struct path p = make(576, 1500, 9000);
    search(&p, p.now + 60 * S);
    cr_expect_eq(p.m.mtu, 1500);
    cr_expect_eq(p.probes, 1);
    cr_expect_eq(p.changes, 1);
}

Test(pathway_mtu, an_interface_below_the_floor)
{
    struct path p = make(1280, 1000, 9000);
    search(&p, p.now + 2000 * S);
    cr_expect_eq(p.m.mtu, 1280);
    cr_expect_eq(p.probes, 0);
}

/* Three silences of a second, not two. */
Test(pathway_mtu, three_silences)
{
    struct path p = make(1280, 1500, 9000);
    for (unsigned i = 0; i < 3; i++) {
        cr_expect_eq(svr__mtu_send(&p.m, i + 1, p.now + i * S), 1500);
        cr_expect_eq(svr__mtu_send(&p.m, i + 1, p.now + (i + 1) * S - 1), 0);
    }
    /* The third one's answer comes late, but before the next try. */
    p.padded = (svr_bfd_padded){3, 1500};
    p.number = 3;
    hear(&p);
    cr_expect_eq(p.m.mtu, 1500);

    p = make(1280, 1500, 9000);
    for (unsigned i = 0; i < 3; i++)
        cr_expect_eq(svr__mtu_send(&p.m, i + 1, p.now + i * S), 1500);
    cr_expect_eq(svr__mtu_send(&p.m, 4, p.now + 3 * S), 1390);
}

/* A report of a size that passed long ago proves nothing. */
Test(pathway_mtu, old_reports)
{
    struct path p = make(1280, 1500, 1280);
    p.number = 50;
    p.padded = (svr_bfd_padded){50, 1500};
    cr_assert_eq(svr__mtu_send(&p.m, 51, p.now), 1500);
    hear(&p);
    cr_expect_eq(p.m.mtu, 1280);
    p.padded.number = 51;
    hear(&p);
    cr_expect_eq(p.m.mtu, 1500);
}

/* It grows again, 600 s after the last search. */
Test(pathway_mtu, every_600_seconds)
{
    struct path p = make(1280, 1500, 1400);
    search(&p, p.now + 60 * S);
    cr_expect_eq(p.m.mtu, 1400);
    p.path = 1500;
    search(&p, p.now + 500 * S);
    cr_expect_eq(p.m.mtu, 1400);
    search(&p, p.now + 100 * S);
    cr_expect_eq(p.m.mtu, 1500);
}

/* Every fourth packet is padded; nothing changes while they pass. */
Test(pathway_mtu, every_fourth_is_padded)
{
    struct path p = make(1280, 1500, 1500);
    search(&p, p.now + 60 * S);
    cr_expect_eq(talk(&p, 400), 100);
    cr_expect_eq(p.changes, 1);
}

/* The MTU falls: three padded ones are lost, faster after the first one, and
 * the search goes on below. */
Test(pathway_mtu, falls)
{
    struct path p = make(1280, 1500, 1500);
    search(&p, p.now + 60 * S);
    talk(&p, 40);
    p.path = 1380;
    cr_expect_eq(talk(&p, 8), 3, "4th, 6th, 8th");
    cr_expect_eq(p.m.mtu, 1500);
    talk(&p, 1);
    cr_expect_eq(p.m.mtu, 1280);
    search(&p, p.now + 60 * S);
    cr_expect_eq(p.m.mtu, 1380);
    cr_expect_eq(talk(&p, 40), 10);
    cr_expect_eq(p.m.mtu, 1380);
}

/* Losses that are not in a row, as on a bad link, change nothing. */
Test(pathway_mtu, two_lost_are_no_sign)
{
    struct path p = make(1280, 1500, 1500);
    search(&p, p.now + 60 * S);
    for (unsigned i = 0; i < 50; i++) {
        unsigned lost = 0;
        p.path = 1400;
        while (lost < 2)
            lost += talk(&p, 1);
        p.path = 1500;
        talk(&p, 4);
    }
    cr_expect_eq(p.m.mtu, 1500);
}

/* A dead link is no small one. */
Test(pathway_mtu, silence_is_no_sign)
{
    struct path p = make(1280, 1500, 1500);
    search(&p, p.now + 60 * S);
    for (unsigned i = 0; i < 50; i++)
        svr__mtu_pad(&p.m, ++p.number);
    cr_expect_not(svr__mtu_heard(&p.m, p.number - 50, &p.padded, p.now));
    cr_expect_eq(p.m.mtu, 1500);
}

Test(pathway_mtu, never_below_the_floor)
{
    struct path p = make(1280, 1500, 1500);
    search(&p, p.now + 60 * S);
    p.path = 1000;
    talk(&p, 10);
    search(&p, p.now + 60 * S);
    cr_expect_eq(p.m.mtu, 1280);
    talk(&p, 100);
    cr_expect_eq(p.m.mtu, 1280);
    cr_expect_eq(p.changes, 2);
}

/* "Too big" makes it look sooner, and no more. */
Test(pathway_mtu, suspicion)
{
    struct path p = make(1280, 1500, 1500);
    search(&p, p.now + 60 * S);
    talk(&p, 40);
    svr__mtu_suspect(&p.m);
    cr_expect_eq(talk(&p, 2), 1);
    cr_expect_eq(talk(&p, 40), 10, "it passed");
    cr_expect_eq(p.m.mtu, 1500);
}

Test(pathway_mtu, stopped)
{
    struct path p = make(1280, 1500, 1500);
    search(&p, p.now + 60 * S);
    svr__mtu_stop(&p.m);
    cr_expect_eq(talk(&p, 10), 0);
    cr_expect_eq(p.m.due, SVR_NEVER);
    cr_expect_eq(p.m.mtu, 1500);
    svr__mtu_start(&p.m, p.now);
    cr_expect_eq(svr__mtu_send(&p.m, 99, p.now), 0, "nothing larger to try");
    /* What was lost when it went down is no sign. */
    for (unsigned i = 0; i < 8; i++)
        svr__mtu_pad(&p.m, ++p.number);
    svr__mtu_stop(&p.m);
    svr__mtu_start(&p.m, p.now);
    p.path = 1400;
    while (talk(&p, 1) == 0)
        ;
    talk(&p, 1);
    cr_expect_eq(p.m.mtu, 1500);
}
