/*
 * policy.h - tenants, services and who may reach what (S13).
 *
 * A policy is built once from plain arrays and never changes; a new
 * configuration builds a new one. Tenants and services are named by their
 * place in those arrays.
 */
#ifndef SVR_POLICY_H
#define SVR_POLICY_H

#include <svr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* No tenant: traffic of an interface that names none. */
#define SVR_TENANT_NONE (-1)

/* Some destination ports of one protocol. proto 0 is any protocol; first 0 and
 * last 65535 are all ports. Protocols without ports ignore them. */
typedef struct svr_transport {
    uint8_t proto;
    uint16_t first, last;
} svr_transport;

/* One line of an access list. tenant SVR_TENANT_NONE is any tenant; a prefix
 * whose addr is none is any source. Both together are tenant@prefix. */
typedef struct svr_access {
    bool allow;
    int tenant;
    svr_prefix source;
} svr_access;

/* What becomes of a first packet that the access list refuses (S5). */
enum svr_denial {
    SVR_DENIAL_SILENT,     /* the default: dropped */
    SVR_DENIAL_RESET,      /* TCP reset; other protocols: dropped */
    SVR_DENIAL_PROHIBITED, /* ICMP administratively prohibited */
};

/* What becomes of a session whose pathway fails (S17). */
enum svr_resiliency {
    SVR_RESILIENCY_NONE,       /* the default: it stays and waits */
    SVR_RESILIENCY_FAILOVER,   /* it moves to another one, and stays there */
    SVR_RESILIENCY_REVERTIBLE, /* and comes back when the better one recovers */
    SVR_RESILIENCY_DUPLICATE,  /* its packets travel by all pathways to the same
                                  peer, which lets the first copy through */
};

/* Which of a service's sessions have their payloads encrypted (S11.9), where
 * the security policies have a cipher. */
enum svr_encryption {
    SVR_ENCRYPT_ADAPTIVE, /* the default: all but what is so already: ESP, and
                             TCP whose client begins with TLS */
    SVR_ENCRYPT_ALWAYS,   /* all; none is carried otherwise */
    SVR_ENCRYPT_NEVER,
};

/* By what the best of several vectors is told (S16.2). */
enum svr_best_path {
    SVR_BEST_ORDER,   /* the default: none is, routes are tried in their order,
                         and all that follows below does not count */
    SVR_BEST_VECTOR,  /* priority of its name, then cost and latency */
    SVR_BEST_LATENCY, /* latency, then cost */
    SVR_BEST_MOS,     /* rating of S14.7 */
};

/* Which of several equals is taken. */
enum svr_balance {
    SVR_BALANCE_HUNT,         /* the default: that with the most room */
    SVR_BALANCE_PROPORTIONAL, /* each for a share of the sessions as large as
                                 its capacity */
};

/* Pathways of no vector name. */
#define SVR_VECTOR_NONE 0xffff
/* The priority of vectors that are not used at all. */
#define SVR_VECTOR_NEVER 0xffff
#define SVR_VECTOR_PRIORITY_MAX 65000

/* What a policy says of one vector name, by its place in svr_policy_config. */
typedef struct svr_vector_rank {
    uint16_t vector;
    uint16_t priority; /* lower ones win; up to SVR_VECTOR_PRIORITY_MAX */
} svr_vector_rank;

/* How sessions of a service travel. Zero: the defaults. */
typedef struct svr_service_policy {
    enum svr_resiliency resiliency;
    enum svr_encryption encryption;
    enum svr_best_path best_path;
    enum svr_balance balance;
    const svr_vector_rank *vectors; /* those that are not named come last */
    size_t vector_count;
    bool quality_filter; /* whether the limits that follow count */
    bool no_best_effort; /* where no vector keeps them, a session is refused;
                            else it takes the best that does not */
    uint32_t max_latency_us, max_jitter_us, max_loss_ppm;
    uint16_t min_mos; /* thousandths (S14.7); 0: no limit */
} svr_service_policy;

/* All at the defaults, the limits too: 250 ms, 100 ms, 0.5 %, off. */
SVR_API void svr_service_policy_init(svr_service_policy *p);

typedef struct svr_service_config {
    const char *name;
    const svr_prefix *prefixes;
    size_t prefix_count;
    const svr_transport *transports;
    size_t transport_count; /* 0: every protocol and port */
    const svr_access *access;
    size_t access_count;
    bool public_scope; /* open to the tenant-less */
    enum svr_denial denial;
    bool tcp_midstream; /* S9: a TCP packet opens a session though it is no SYN
                         */
    svr_service_policy policy;
} svr_service_config;

typedef struct svr_policy_config {
    const char *const *tenants; /* names, child first: "staff.corp" */
    size_t tenant_count;
    const svr_service_config *services;
    size_t service_count;
    const char *const *vectors; /* names of vectors; of the own pathways, and of
                                   those that policies speak of */
    size_t vector_count;
} svr_policy_config;

typedef struct svr_policy svr_policy;

/* Builds a policy; copies all it needs. 0, or SVR_ERR_NO_MEMORY, ARGUMENT (a
 * name that is empty, longer than SVR_NAME_SEND_MAX or not printable UTF-8
 * (S3), a tenant index, a vector index, a prefix length, a denial, a priority
 * or anything else of a service policy out of range, a port range backwards,
 * more than INT32_MAX of anything), EXISTS (two tenants, services or vectors of
 * one name, a vector twice in one policy), CONFLICT (two services with the same
 * prefix and an identical transport). */
SVR_API SVR_MUST_CHECK int svr_policy_create(svr_policy **out,
                                             const svr_policy_config *config,
                                             const svr_allocator *alloc);
SVR_API void svr_policy_destroy(svr_policy *p); /* NULL is allowed */

/* The index of the tenant or service of that name, or SVR_ERR_NOT_FOUND. */
SVR_API int svr_policy_tenant_find(const svr_policy *p, svr_span name);
SVR_API int svr_policy_service_find(const svr_policy *p, svr_span name);
/* The service of that name or its nearest known parent ("web.corp", then
 * "corp"), for transit routers (S6.2), or SVR_ERR_NOT_FOUND. */
SVR_API int svr_policy_service_nearest(const svr_policy *p, svr_span name);

/* Names by index; valid as long as the policy. NULL where out of range. */
SVR_API const char *svr_policy_tenant_name(const svr_policy *p, int tenant);
SVR_API const char *svr_policy_service_name(const svr_policy *p, int service);
SVR_API const char *svr_policy_vector_name(const svr_policy *p, int vector);
/* SVR_DENIAL_SILENT where out of range. */
SVR_API enum svr_denial svr_policy_denial(const svr_policy *p, int service);
/* Whether a TCP session may begin in its middle (S9); not where out of range.
 */
SVR_API bool svr_policy_tcp_midstream(const svr_policy *p, int service);
/* How the service's sessions travel; the defaults where out of range. Valid as
 * long as the policy. */
SVR_API const svr_service_policy *svr_policy_of_service(const svr_policy *p,
                                                        int service);

/*
 * The service of a first packet (S5.4): among those that cover its destination
 * address, protocol and port the one with the longest prefix, then the one
 * that names the protocol, then the one with the narrowest port range, then
 * the one listed first. Whether access is granted does not take part in the
 * choice, so a refusal is never evaded by a wider service. Returns its index,
 * or SVR_ERR_NO_SERVICE.
 */
SVR_API int svr_policy_service_match(const svr_policy *p, const svr_tuple *t);

/* Whether `tenant` may reach `service` from `source`: a deny line that fits
 * wins, then an allow line; a line for tenant "corp" fits "staff.corp" as
 * well, never the reverse. Without a fitting line: denied; for
 * SVR_TENANT_NONE: allowed where the scope is public. 0, or SVR_ERR_DENIED,
 * also for indexes out of range. */
SVR_API SVR_MUST_CHECK int svr_policy_access(const svr_policy *p, int service,
                                             int tenant,
                                             const svr_addr *source);

#ifdef __cplusplus
}
#endif

#endif
