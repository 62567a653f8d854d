/*
 * reload.h - reads an authority file while the router runs, and lets its
 * configuration take the place of the one that runs, or only says what that
 * would change.
 *
 * The file is read and checked by a thread of its own, so that packets do not
 * wait for it; the change is made between two batches of packets. One file is
 * read at a time.
 */
#ifndef SVR_ROUTER_RELOAD_H
#define SVR_ROUTER_RELOAD_H

#include "svrd.h"

/* file NULL: the one that runs. client, who is answered, may be NULL: then the
 * log has it. */
void reload_apply(struct svrd *d, const char *file,
                  struct control_client *client);
void reload_diff(struct svrd *d, const char *file,
                 struct control_client *client);

#endif
