/* apply.h - gives a running router another configuration. */
#ifndef SVR_ROUTER_APPLY_H
#define SVR_ROUTER_APPLY_H

#include "svrd.h"

/*
 * The configuration takes the place of the one that runs, which is freed, or
 * everything stays as it is: -1 with a line for each problem in `problems`, and
 * the new one stays the caller's. It is for the same router.
 *
 * Interfaces are told by their names. New ones open their devices, which may
 * fail once svrd has given up its privileges; those that are gone close theirs.
 * One that stays keeps kind, device and hardware address.
 */
int apply_config(struct svrd *d, struct config *config,
                 svr_reconfiguration *out, FILE *problems);

/* What apply_config would do with sessions and pathways. */
int apply_try(struct svrd *d, struct config *config, svr_reconfiguration *out,
              FILE *problems);

#endif
