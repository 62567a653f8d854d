#include "session/alias.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

enum {
    /* A small table has room for an old flow of each session; of a large one a
     * quarter may be on the move, since moves are paced. */
    SMALL = 4096,
    SHARE = 4,
};

static uint32_t room_for(uint32_t sessions)
{
    if (sessions <= SMALL)
        return sessions;
    return sessions / SHARE > SMALL ? sessions / SHARE : SMALL;
}

int svr__aliases_init(svr__aliases *a, uint32_t sessions,
                      const svr_allocator *alloc)
{
    *a = (svr__aliases){.sessions = sessions,
                        .cap = room_for(sessions),
                        .free = SVR__ALIAS_NONE,
                        .oldest = SVR__ALIAS_NONE,
                        .newest = SVR__ALIAS_NONE,
                        .alloc = *alloc};
    a->alias = svr__reserve(alloc, a->cap, sizeof(a->alias[0]));
    a->of = svr__alloc(alloc, sessions, sizeof(a->of[0]));
    if (!a->alias || !a->of || svr__map_init(&a->by_key, a->cap, alloc) < 0)
        return SVR_ERR_NO_MEMORY;
    return 0;
}

void svr__aliases_fini(svr__aliases *a)
{
    svr__free(&a->alloc, a->alias, a->cap, sizeof(a->alias[0]));
    svr__free(&a->alloc, a->of, a->sessions, sizeof(a->of[0]));
    if (a->by_key.slots)
        svr__map_fini(&a->by_key);
    a->alias = NULL;
    a->of = NULL;
}

svr__alias *svr__aliases_search(const svr__aliases *a, const svr__flow_key *key,
                                uint64_t hash)
{
    uint32_t iter;
    for (uint32_t i = svr__map_find_first(&a->by_key, hash, &iter);
         i != SVR__MAP_NONE; i = svr__map_find_next(&a->by_key, hash, &iter))
        if (memcmp(&a->alias[i].key, key, sizeof(*key)) == 0)
            return &a->alias[i];
    return NULL;
}

static uint32_t number_of(const svr__aliases *a, const svr__alias *alias)
{
    return (uint32_t)(alias - a->alias);
}

bool svr__aliases_has_room(svr__aliases *a)
{
    if (a->free != SVR__ALIAS_NONE || a->used < a->cap)
        return true;
    a->refused++;
    return false;
}

static svr__alias *take_place(svr__aliases *a)
{
    if (a->free == SVR__ALIAS_NONE)
        return &a->alias[a->used++];
    svr__alias *place = &a->alias[a->free];
    a->free = place->next;
    return place;
}

/* All live equally long, so the newest is the last to expire. */
static void queue(svr__aliases *a, svr__alias *alias, svr_time now)
{
    uint32_t number = number_of(a, alias);
    alias->until =
        now < SVR_NEVER - SVR__ALIAS_TIME ? now + SVR__ALIAS_TIME : SVR_NEVER;
    alias->earlier = a->newest;
    alias->later = SVR__ALIAS_NONE;
    if (a->newest == SVR__ALIAS_NONE)
        a->oldest = number;
    else
        a->alias[a->newest].later = number;
    a->newest = number;
}

static void leave_queue(svr__aliases *a, const svr__alias *alias)
{
    if (alias->earlier == SVR__ALIAS_NONE)
        a->oldest = alias->later;
    else
        a->alias[alias->earlier].later = alias->later;
    if (alias->later == SVR__ALIAS_NONE)
        a->newest = alias->earlier;
    else
        a->alias[alias->later].earlier = alias->earlier;
}

svr__alias *svr__alias_add(svr__aliases *a, const svr__alias *what,
                           svr_time now)
{
    if (!svr__aliases_has_room(a))
        return NULL;
    svr__alias *alias = take_place(a);
    uint32_t number = number_of(a, alias);
    *alias = *what;
    alias->until = SVR_NEVER;
    alias->next = a->of[what->session] - 1; /* 0, for none, becomes NONE */
    a->of[what->session] = number + 1;
    if (alias->kind == SVR__ALIAS_OLD)
        queue(a, alias, now);
    int err = svr__map_insert(&a->by_key, alias->hash, number);
    assert(err == 0); /* it has as many places as the pool */
    (void)err;
    return alias;
}

/* Takes it out of its session's list, which is short. */
static void leave_session(svr__aliases *a, const svr__alias *alias)
{
    uint32_t number = number_of(a, alias);
    uint32_t first = a->of[alias->session] - 1;
    if (first == number) {
        a->of[alias->session] = alias->next + 1;
        return;
    }
    svr__alias *before = &a->alias[first];
    while (before->next != number)
        before = &a->alias[before->next];
    before->next = alias->next;
}

void svr__alias_remove(svr__aliases *a, svr__alias *alias)
{
    leave_session(a, alias);
    if (alias->kind == SVR__ALIAS_OLD)
        leave_queue(a, alias);
    svr__map_remove(&a->by_key, alias->hash, number_of(a, alias));
    alias->next = a->free;
    a->free = number_of(a, alias);
}

void svr__alias_hide(svr__aliases *a, const svr__alias *alias)
{
    svr__map_remove(&a->by_key, alias->hash, number_of(a, alias));
}

void svr__alias_show(svr__aliases *a, svr__alias *alias,
                     const svr__flow_key *key, uint64_t hash)
{
    alias->key = *key;
    alias->hash = hash;
    int err = svr__map_insert(&a->by_key, hash, number_of(a, alias));
    assert(err == 0); /* there is room for all */
    (void)err;
}

void svr__aliases_end(svr__aliases *a, uint32_t session)
{
    svr__alias *alias;
    while ((alias = svr__alias_first(a, session)))
        svr__alias_remove(a, alias);
}

svr__alias *svr__alias_first(const svr__aliases *a, uint32_t session)
{
    uint32_t first = a->of[session];
    return first ? &a->alias[first - 1] : NULL;
}

svr__alias *svr__alias_next(const svr__aliases *a, const svr__alias *alias)
{
    return alias->next == SVR__ALIAS_NONE ? NULL : &a->alias[alias->next];
}

svr_time svr__aliases_due(const svr__aliases *a)
{
    return a->oldest == SVR__ALIAS_NONE ? SVR_NEVER : a->alias[a->oldest].until;
}

svr__alias *svr__aliases_expired(const svr__aliases *a, svr_time now)
{
    return svr__aliases_due(a) <= now && a->oldest != SVR__ALIAS_NONE
               ? &a->alias[a->oldest]
               : NULL;
}
