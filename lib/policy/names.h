/*
 * names.h - the dotted names of tenants or services, child first (S13).
 */
#ifndef SVR__NAMES_H
#define SVR__NAMES_H

#include <svr/metadata.h>

typedef struct svr__names {
    char (*text)[SVR_NAME_SEND_MAX + 1]; /* in the order they were given */
    uint32_t *sorted;                    /* their indexes, by name */
    uint32_t count;
} svr__names;

/* Whether metadata can carry the name: 1 to SVR_NAME_SEND_MAX bytes of
 * printable UTF-8 (S3). */
bool svr__names_valid(const char *name);

/* Makes room for count names. 0, or SVR_ERR_NO_MEMORY, which leaves what
 * svr__names_fini can take, as all zeros are. */
int svr__names_init(svr__names *n, size_t count, const svr_allocator *alloc);
void svr__names_fini(svr__names *n, const svr_allocator *alloc);

/* Names are put in by index, then sorted once. 0, or SVR_ERR_EXISTS. */
void svr__names_put(svr__names *n, size_t index, const char *name);
int svr__names_sort(svr__names *n);

/* An index, or SVR_ERR_NOT_FOUND: of the very name, of the name or its nearest
 * parent. */
int svr__names_find(const svr__names *n, svr_span name);
int svr__names_nearest(const svr__names *n, svr_span name);

/* NULL where out of range. */
const char *svr__names_at(const svr__names *n, int index);

/* Whether child is parent or lies under it; both are in range. */
bool svr__names_covers(const svr__names *n, int parent, int child);

#endif
