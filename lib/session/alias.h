/*
 * alias.h - further tuples of sessions (S17).
 *
 * A session is found by its two flows. An alias is another tuple by which
 * packets of it may arrive for a while: an OLD one, where a side was before it
 * moved, for packets in flight; or a LEG, another pathway to the same peer that
 * copies of its packets come by.
 *
 * Aliases stand in a pool of their own beside the table. A full pool refuses:
 * the session then moves without an old flow. Finding, adding and expiring take
 * constant time; a session has few of them.
 */
#ifndef SVR_LIB_SESSION_ALIAS_H
#define SVR_LIB_SESSION_ALIAS_H

#include "base/map.h"
#include "session/key.h"

/* How long an old flow lives on. */
#define SVR__ALIAS_TIME (5 * SVR_SECOND)

#define SVR__ALIAS_NONE UINT32_MAX

enum svr__alias_kind {
    SVR__ALIAS_OLD,
    SVR__ALIAS_LEG,
};

typedef struct svr__alias {
    svr__flow_key key;
    uint64_t hash; /* of the key */
    svr_time until;
    uint32_t session;        /* its number */
    uint32_t next;           /* of the same session, or free */
    uint32_t earlier, later; /* OLD: in the order of time */
    uint32_t generation;     /* of its keys (S11.10) */
    uint16_t pathway;        /* that the packets come by */
    uint8_t side;            /* that they come from */
    uint8_t kind;            /* enum svr__alias_kind */
    uint8_t heard;           /* LEG: something has come on it */
    uint8_t flags;           /* enum svr__flow_flag: how they arrive */
    uint8_t sealed;          /* and whether payloads are encrypted (S11.10) */
} svr__alias;

typedef struct svr__aliases {
    svr__alias *alias;
    uint32_t *of; /* each session's first, plus 1; 0: none */
    svr__map by_key;
    uint32_t sessions, cap;
    uint32_t used;           /* beyond here nothing was ever used */
    uint32_t free;           /* a list */
    uint32_t oldest, newest; /* of the OLD ones */
    uint64_t refused;        /* for want of room */
    svr_allocator alloc;
} svr__aliases;

/* For a table of that many sessions. 0, or SVR_ERR_NO_MEMORY; svr__aliases_fini
 * is due in either case. */
int svr__aliases_init(svr__aliases *a, uint32_t sessions,
                      const svr_allocator *alloc);
void svr__aliases_fini(svr__aliases *a);

/* hash: of the key. */
svr__alias *svr__aliases_search(const svr__aliases *a, const svr__flow_key *key,
                                uint64_t hash);

static inline svr__alias *
svr__alias_find(const svr__aliases *a, const svr__flow_key *key, uint64_t hash)
{
    return a->by_key.count ? svr__aliases_search(a, key, hash) : NULL;
}

/* Whether one more has room; where not, that counts as refused. */
bool svr__aliases_has_room(svr__aliases *a);
/* Adds a copy of *what, of which key, hash, session, pathway, side, kind,
 * generation, flags and sealed count. The key must be new to the table and to
 * its aliases. NULL: there is no room, which counts. Time never goes back
 * between calls. */
svr__alias *svr__alias_add(svr__aliases *a, const svr__alias *what,
                           svr_time now);
void svr__alias_remove(svr__aliases *a, svr__alias *alias);
/* It is not found by its key until svr__alias_show gives it another one, which
 * is new to the table; nothing else of it changes. hash: of the key. */
void svr__alias_hide(svr__aliases *a, const svr__alias *alias);
void svr__alias_show(svr__aliases *a, svr__alias *alias,
                     const svr__flow_key *key, uint64_t hash);
/* All of a session. */
void svr__aliases_end(svr__aliases *a, uint32_t session);

/* A session's aliases, in no particular order; NULL: no more. */
svr__alias *svr__alias_first(const svr__aliases *a, uint32_t session);
svr__alias *svr__alias_next(const svr__aliases *a, const svr__alias *alias);

/* When the oldest OLD one has had its time, or SVR_NEVER. */
svr_time svr__aliases_due(const svr__aliases *a);
/* The oldest one whose time is up, for the caller to remove, or NULL. */
svr__alias *svr__aliases_expired(const svr__aliases *a, svr_time now);

#endif
