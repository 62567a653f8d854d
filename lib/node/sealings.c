/*
 * The memory of encrypted sessions: what each place of the table has, and a
 * pool for those that begin or end here.
 */
#include "node/node.h"

#include "base/memory.h"
#include "crypto/primitive.h"

#include <string.h>

/* As many ends as sessions, or fewer. */
static size_t count_ends(const svr_node *n, const svr_limits *limits)
{
    return limits->sealed && limits->sealed < n->table.cap ? limits->sealed
                                                           : n->table.cap;
}

static void free_all(svr_node *n)
{
    svr__sealing_ends *e = &n->sealing_ends;

    svr__free(&n->alloc, e->end, e->cap, sizeof(svr__sealing_end));
    svr__free(&n->alloc, n->sealings, n->table.cap, sizeof(svr__sealing));
    e->end = NULL;
    n->sealings = NULL;
}

int svr__sealings_init(svr_node *n, const svr_node *setup)
{
    bool wanted = false;
    for (size_t i = 0; i < setup->security_count; i++)
        wanted |= setup->securities[i].cipher != NULL;
    if (!wanted || n->sealings)
        return 0;
    svr__sealing_ends *e = &n->sealing_ends;
    *e = (svr__sealing_ends){.cap = (uint32_t)count_ends(n, &setup->limits),
                             .free = SVR__NO_END};
    e->end = svr__reserve(&n->alloc, e->cap, sizeof(svr__sealing_end));
    n->sealings = svr__reserve(&n->alloc, n->table.cap, sizeof(svr__sealing));
    if (e->end && n->sealings)
        return 0;
    free_all(n);
    return SVR_ERR_NO_MEMORY;
}

void svr__sealings_fini(svr_node *n)
{
    if (!n->sealings)
        return;
    for (uint32_t i = 0; i < n->table.cap; i++)
        if (n->table.sessions[i].alive)
            svr__seal_end(n, &n->table.sessions[i]);
    free_all(n);
}

bool svr__seal_has_room(const svr_node *n)
{
    const svr__sealing_ends *e = &n->sealing_ends;
    size_t limit = count_ends(n, &n->limits);

    if (limit > e->cap)
        limit = e->cap;
    /* One for each session is never too few: the table is full before, and
     * that can make room. */
    return e->count < limit || limit == n->table.cap;
}

svr__sealing_end *svr__sealing_take(svr_node *n)
{
    svr__sealing_ends *e = &n->sealing_ends;
    uint32_t number = e->free == SVR__NO_END ? e->used++ : e->free;
    svr__sealing_end *end = &e->end[number];

    if (number == e->free)
        e->free = end->next;
    e->count++;
    memset(&end->sender, 0, sizeof(end->sender));
    svr_payload_receiver_clear(&end->receiver);
    end->old_until = SVR_NEVER;
    return end;
}

static void give_back(svr_node *n, svr__sealing_end *end)
{
    svr__sealing_ends *e = &n->sealing_ends;

    svr_payload_sender_wipe(&end->sender);
    svr_payload_receiver_wipe(&end->receiver);
    end->next = e->free;
    e->free = (uint32_t)(end - e->end);
    e->count--;
}

svr__sealing *svr__sealing_of(const svr_node *n, const svr__session *s)
{
    return &n->sealings[svr__session_number(&n->table, s)];
}

void svr__seal_end(svr_node *n, const svr__session *s)
{
    if (s->seal != SVR__SEALED)
        return;
    svr__sealing *z = svr__sealing_of(n, s);
    if (z->end)
        give_back(n, z->end);
    svr_wipe(z, sizeof(*z));
}
