/*
 * journal.h - what has happened: every event of a run, as one number.
 *
 * Two runs of one seed have the same number, to the byte of every packet. The
 * last events are kept as text for the report of a failure.
 */
#ifndef SIM_JOURNAL_H
#define SIM_JOURNAL_H

#include <stdio.h>
#include <svr/base.h>

/* X(NAME, "format of up to four unsigned long long"). The last value of DROP
 * is an enum svr_drop. */
#define JOURNAL_MAP(X)                                                        \
    X(SEND, "segment %llu from station %llu: %llu bytes %016llx")             \
    X(LOST, "segment %llu from station %llu: %llu bytes lost (%llu)")         \
    X(CORRUPTED, "segment %llu from station %llu: byte %llu of %llu changed") \
    X(INPUT, "router %llu interface %llu: %llu bytes taken")                  \
    X(DROP, "router %llu interface %llu: %llu bytes dropped: %llu")           \
    X(STARTED, "router %llu starts, boot counter %llu")                       \
    X(STOPPED, "router %llu is gone")                                         \
    X(NAT, "segment %llu station %llu: NAT maps port %llu to %llu")           \
    X(FAULT, "fault %llu of kind %llu begins at %llu for %llu ns")            \
    X(FAULT_OVER, "fault %llu of kind %llu is over")                          \
    X(OPEN, "session %llu of kind %llu opens, routers %llu to %llu")          \
    X(PROGRESS, "session %llu end %llu: acknowledged %llu, received %llu")    \
    X(RETRY, "session %llu end %llu: again from %llu, try %llu")              \
    X(RESET, "session %llu end %llu: reset at %llu")                          \
    X(DATAGRAM, "session %llu end %llu: number %llu arrives")                 \
    X(DATAGRAM_LOST, "session %llu: number %llu is lost")                     \
    X(TOO_BIG, "session %llu: told that %llu bytes are too many")             \
    X(DONE, "session %llu is over after %llu bytes")                          \
    X(PATHWAY, "router %llu pathway %llu: up %llu")                           \
    X(NOTICE, "router %llu tells event %llu, cause %llu, of session %016llx")

enum journal_kind {
#define X(name, format) JOURNAL_##name,
    JOURNAL_MAP(X)
#undef X
        JOURNAL_KINDS
};

enum { JOURNAL_KEPT = 256 };

struct journal_entry {
    svr_time at;
    uint64_t kind, value[4];
};

struct journal {
    uint64_t hash;
    uint64_t count;
    FILE *text; /* NULL: nothing is printed */
    struct journal_entry kept[JOURNAL_KEPT];
};

void journal_add(struct journal *j, svr_time at, enum journal_kind kind,
                 uint64_t a, uint64_t b, uint64_t c, uint64_t d);
/* A short name for bytes. */
uint64_t journal_digest(const void *bytes, size_t len);
/* The last `count` events, at most JOURNAL_KEPT. */
void journal_tail(const struct journal *j, FILE *out, unsigned count);

#endif
