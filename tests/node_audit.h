/*
 * node_audit.h - what must hold of a node at any time between two calls: its
 * ledger is exact, sessions made are those ended and those alive, and each
 * session, flow and other tuple stands where it belongs and nowhere else.
 */
#ifndef SVR_TESTS_NODE_AUDIT_H
#define SVR_TESTS_NODE_AUDIT_H

#include <svr/node.h>

/* What does not hold, or NULL. Looks at every place of every table. */
const char *node_audit(const svr_node *n);

#endif
