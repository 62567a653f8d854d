/* restore.h - the packets of hosts, made again of those between routers. */
#ifndef SVR_ROUTER_RESTORE_H
#define SVR_ROUTER_RESTORE_H

#include "svrdump.h"

struct restore;

/* Writes to a capture file of raw IP packets. NULL, after saying why. */
struct restore *restore_open(const char *file);
/* Writes the frame's packet as its host sent it, but for the TTL, where it is
 * one of a session that is known and its payload is clear or was opened. */
void restore_frame(struct restore *r, const struct dump_frame *f);
/* Says how many packets were not opened. -1 where the file could not be
 * written, after saying so. */
int restore_close(struct restore *r);

#endif
