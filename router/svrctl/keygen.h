/* keygen.h - a router's identity (S12.3): the private half in a file that only
 * its owner reads, the public half for the authority file. */
#ifndef SVR_ROUTER_KEYGEN_H
#define SVR_ROUTER_KEYGEN_H

#include "commands.h"

/* Makes DIR/ROUTER.identity, where there is none, and prints the public half;
 * with o->public_only, of the file that is there. An exit code. */
int keygen_run(const struct options *o, const char *router);

#endif
