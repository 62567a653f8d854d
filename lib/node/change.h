/*
 * change.h - what one configuration of a node becomes in another.
 *
 * Sessions name the parts of the configuration by number. What has the same
 * name in both is the same part: an interface, a tenant, a service, a pathway
 * that also joins the same waypoints of the same peer and protects packets in
 * the same way.
 */
#ifndef SVR_LIB_NODE_CHANGE_H
#define SVR_LIB_NODE_CHANGE_H

#include "node/node.h"

#define SVR__GONE UINT16_MAX
#define SVR__TENANT_GONE INT16_MIN

typedef struct svr__change {
    const svr_node *from, *to; /* for svr__change_judge */
    /* By the old number, the new one, or GONE. */
    uint16_t *interfaces, *peers, *pathways, *services, *routers;
    int16_t *tenants;
    size_t interface_count, peer_count, pathway_count, service_count;
    size_t tenant_count, router_count; /* all of them before the change */
    bool renumbered;                   /* an interface has another number */
} svr__change;

/* to: a node of which there is only what derives from the configuration. 0, or
 * SVR_ERR_NO_MEMORY. */
int svr__change_init(svr__change *c, const svr_node *from, svr_node *to);
void svr__change_fini(svr__change *c);

/* Why the session cannot be any more, or SVR_CAUSE_NONE: it would be opened as
 * it is (S13). */
enum svr_cause svr__change_judge(const svr__change *c, const svr__session *s);

/* Its numbers become the new ones. It has been judged to stay. */
void svr__change_session(const svr__change *c, svr__session *s);

/* carry.c: what has gathered at peers, tenants and pathways goes from n to the
 * draft, once the sessions that cannot stay have ended. */
void svr__carry_over(const svr__change *c, svr_node *n, svr_node *draft,
                     svr_time now);
/* Whether a pathway goes on as it is, or begins again. */
bool svr__carry_fits(const svr__pathway *from, const svr__pathway *to);

#endif
