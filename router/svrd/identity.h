/*
 * identity.h - who this router is to its peers (S12.3).
 *
 * It stays the same as long as svrd runs, whatever configuration does: what has
 * been exchanged hangs on it.
 */
#ifndef SVR_ROUTER_IDENTITY_H
#define SVR_ROUTER_IDENTITY_H

#include "svrd.h"

/* Gives the configuration the identity that it asks for, which must be the one
 * that runs, if one does. -1 with a line in problems. */
int identity_assign(struct svrd *d, struct config *config, FILE *problems);

#endif
