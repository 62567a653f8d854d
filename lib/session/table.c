#include "session/table.h"

#include "base/memory.h"

#include <string.h>

enum {
    CACHE_LINE = 64,
};

/* Flows must begin at a cache line, which an allocator need not give. */
static size_t flow_memory_len(uint32_t cap)
{
    return (size_t)cap * 2 * sizeof(svr__flow) + CACHE_LINE;
}

static svr__flow *align_flows(void *memory)
{
    uintptr_t at = (uintptr_t)memory + CACHE_LINE - 1;
    return (svr__flow *)(at & ~(uintptr_t)(CACHE_LINE - 1));
}

int svr__table_init(svr__table *t, uint32_t cap, const svr_random *random,
                    svr_time now, const svr_allocator *alloc)
{
    *t = (svr__table){.cap = cap, .free = SVR__MAP_NONE, .alloc = *alloc};
    if (cap == 0 || cap > SVR__MAP_CAP_MAX / 2)
        return SVR_ERR_ARGUMENT;
    random->fill(random->user, t->hash_key, sizeof(t->hash_key));
    t->sessions = svr__alloc(alloc, cap, sizeof(svr__session));
    t->flow_memory = svr__alloc(alloc, flow_memory_len(cap), 1);
    if (!t->sessions || !t->flow_memory ||
        svr__map_init(&t->by_key, 2 * cap, alloc) < 0 ||
        svr__map_init(&t->by_uuid, cap, alloc) < 0 ||
        svr__aliases_init(&t->aliases, cap, alloc) < 0 ||
        svr__wheel_init(&t->wheel, cap, now, alloc) < 0) {
        svr__table_fini(t);
        *t = (svr__table){0};
        return SVR_ERR_NO_MEMORY;
    }
    t->flows = align_flows(t->flow_memory);
    for (uint32_t i = cap; i-- > 0;) {
        t->sessions[i].next_free = t->free;
        t->free = i;
    }
    return 0;
}

void svr__table_fini(svr__table *t)
{
    svr__free(&t->alloc, t->sessions, t->cap, sizeof(svr__session));
    svr__free(&t->alloc, t->flow_memory, flow_memory_len(t->cap), 1);
    svr__map_fini(&t->by_key);
    svr__map_fini(&t->by_uuid);
    svr__aliases_fini(&t->aliases);
    svr__wheel_fini(&t->wheel);
    svr_wipe(t->hash_key, sizeof(t->hash_key));
}

svr__flow *svr__flow_find(const svr__table *t, const svr__flow_key *key,
                          uint64_t hash)
{
    uint32_t iter;
    for (uint32_t i = svr__map_find_first(&t->by_key, hash, &iter);
         i != SVR__MAP_NONE; i = svr__map_find_next(&t->by_key, hash, &iter))
        if (memcmp(&t->flows[i].key, key, sizeof(*key)) == 0)
            return &t->flows[i];
    return NULL;
}

static uint64_t uuid_hash(const svr__table *t, const svr_uuid *uuid)
{
    return svr_hash(t->hash_key, uuid->b, sizeof(uuid->b));
}

svr__session *svr__session_find(const svr__table *t, const svr_uuid *uuid)
{
    uint64_t hash = uuid_hash(t, uuid);
    uint32_t iter;
    for (uint32_t i = svr__map_find_first(&t->by_uuid, hash, &iter);
         i != SVR__MAP_NONE; i = svr__map_find_next(&t->by_uuid, hash, &iter))
        if (memcmp(&t->sessions[i].uuid, uuid, sizeof(*uuid)) == 0)
            return &t->sessions[i];
    return NULL;
}

svr__session *svr__session_create(svr__table *t, const svr_uuid *uuid)
{
    uint32_t number = t->free;
    if (number == SVR__MAP_NONE)
        return NULL;
    svr__session *s = &t->sessions[number];
    if (svr__map_insert(&t->by_uuid, uuid_hash(t, uuid), number) < 0)
        return NULL;
    t->free = s->next_free;
    t->count++;
    *s = (svr__session){.uuid = *uuid, .alive = 1};
    memset(svr__session_flow(t, s, SVR__CLIENT), 0, 2 * sizeof(svr__flow));
    return s;
}

static bool is_taken(const svr__table *t, const svr__flow_key *key,
                     uint64_t hash)
{
    return svr__flow_find(t, key, hash) ||
           svr__alias_find(&t->aliases, key, hash);
}

bool svr__key_taken(const svr__table *t, const svr__flow_key *key)
{
    return is_taken(t, key, svr__flow_hash(t, key));
}

bool svr__flow_bind(svr__table *t, svr__flow *f)
{
    uint64_t hash = svr__flow_hash(t, &f->key);
    if (is_taken(t, &f->key, hash) ||
        svr__map_insert(&t->by_key, hash, svr__flow_number(t, f)) < 0)
        return false;
    f->bound = 1;
    return true;
}

void svr__flow_unbind(svr__table *t, svr__flow *f)
{
    if (f->bound)
        svr__map_remove(&t->by_key, svr__flow_hash(t, &f->key),
                        svr__flow_number(t, f));
    f->bound = 0;
}

svr__alias *svr__alias_bind(svr__table *t, svr__alias what, svr_time now)
{
    what.hash = svr__flow_hash(t, &what.key);
    if (is_taken(t, &what.key, what.hash))
        return NULL;
    return svr__alias_add(&t->aliases, &what, now);
}

void svr__session_end(svr__table *t, svr__session *s)
{
    uint32_t number = svr__session_number(t, s);
    svr__flow_unbind(t, svr__session_flow(t, s, SVR__CLIENT));
    svr__flow_unbind(t, svr__session_flow(t, s, SVR__SERVER));
    svr__aliases_end(&t->aliases, number);
    svr__map_remove(&t->by_uuid, uuid_hash(t, &s->uuid), number);
    svr__wheel_disarm(&t->wheel, number);
    s->alive = 0;
    s->next_free = t->free;
    t->free = number;
    t->count--;
}
