/*
 * opener.h - opens the authority file and its keys again for a svrd that has
 * become another user since its start.
 *
 * A second process keeps the user that svrd was started as, without any
 * capability, and does nothing but open files for reading: such as lie beneath
 * the folder of the authority file or that of the keys, and no other. It is
 * there before anything is read, so it knows no secret, and it ends with svrd.
 */
#ifndef SVR_ROUTER_OPENER_H
#define SVR_ROUTER_OPENER_H

#include "config/config.h"

struct opener;

/* keys may be NULL: the folder of the file. NULL after one line in the log. */
struct opener *opener_start(const char *file, const char *keys);
/* NULL is allowed. */
void opener_end(struct opener *o);

/* For config_load_with, with paths as paths_whole has them: this process opens
 * what it may, the other one what it may not. At most one thread at a time. */
struct config_opener opener_of(struct opener *o);

#endif
