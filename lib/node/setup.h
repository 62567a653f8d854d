/*
 * setup.h - how a node is built from its configuration, and what it tells the
 * program.
 */
#ifndef SVR_LIB_NODE_SETUP_H
#define SVR_LIB_NODE_SETUP_H

#include "node/state.h"

/* config.c */
int svr__config_check(const svr_node_config *c);
/* Strings and arrays of the configuration into memory of the node's own. */
int svr__config_copy(svr_node *n, const svr_node_config *from);

/* create.c: room for the sessions' MACs where a security policy of `setup`
 * wants them and there is none. 0, or SVR_ERR_NO_MEMORY. */
int svr__protections_init(svr_node *n, const svr_node *setup);

/* setup.c */
/* Builds all that derives from the configuration, which has been checked. What
 * runs must be there as far as that needs it: memory, randomness, boot counter
 * and the table's hash key. On failure svr__setup_free takes back what there
 * is. */
int svr__setup_build(svr_node *n, const svr_node_config *c, svr_time now);
void svr__setup_free(svr_node *n);

/* notify.c: tells the program, if it wants to know. */
void svr__notify_session(const svr_node *n, const svr__session *s,
                         enum svr_event_kind kind, enum svr_cause cause);
/* Of a first packet whose refusal was told to a neighbour (S6.10); so their
 * rate is limited as that is. */
void svr__notify_refused(const svr_node *n, const svr__session_plan *plan,
                         enum svr_drop reason);
void svr__notify_pathway(const svr_node *n, const svr__pathway *pw,
                         svr_time now);

/* info.c */
void svr__session_info(const svr_node *n, const svr__session *s,
                       svr_session_info *out);
void svr__pathway_info(const svr_node *n, const svr__pathway *pw,
                       svr_node_pathway *out, svr_time now);
enum svr_drop svr__drop_of_error(int err);
enum svr_drop svr__drop_of_metadata_error(int err);

#endif
