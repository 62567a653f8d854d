/*
 * schema.h - the one description of the authority file. The check, the
 * defaults, the reference pages and the JSON Schema all follow it.
 *
 * A mapping has keys; a key has a shape and a type. Each mapping's keys have
 * an enum below, by which the values that were read are found.
 */
#ifndef SVR_ROUTER_CONFIG_SCHEMA_H
#define SVR_ROUTER_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_shape {
    SCHEMA_ONE,         /* the value itself */
    SCHEMA_LIST,        /* one or more, in a list */
    SCHEMA_ONE_OR_LIST, /* the list may be left out around a single one */
    SCHEMA_NAMED,       /* a mapping from names to values */
};

enum schema_type {
    SCHEMA_MAPPING,
    SCHEMA_NAME,
    SCHEMA_TENANT,
    SCHEMA_CHOICE,
    SCHEMA_NUMBER,
    SCHEMA_BOOLEAN,
    SCHEMA_DURATION,
    SCHEMA_INTERVAL,
    SCHEMA_ADDRESS,
    SCHEMA_INTERFACE_ADDRESS,
    SCHEMA_PREFIX,
    SCHEMA_MAC,
    SCHEMA_PORTS,
    SCHEMA_PROTOCOL,
    SCHEMA_DEVICE,
    SCHEMA_KEY,
    SCHEMA_IDENTITY,
    SCHEMA_PRIORITY,
    SCHEMA_SHARE,
    SCHEMA_SCORE,
    SCHEMA_TYPE_COUNT
};

/* A word and what it stands for. */
struct schema_choice {
    const char *name;
    unsigned value;
    const char *text;
};

struct schema_key {
    const char *name;
    enum schema_shape shape;
    enum schema_type type;
    bool required;
    bool alternative;      /* of these, a mapping has exactly one */
    unsigned most;         /* entries of a list or of names; 0: no list */
    uint64_t min, max;     /* NUMBER: itself; DURATION, INTERVAL:
                                 nanoseconds */
    const char *fallback;  /* the value without the key, or NULL */
    const char *otherwise; /* where that is no value: what holds without it */
    const char *text;      /* what the key is for */
    const struct schema_choice *choices; /* CHOICE, PROTOCOL */
    size_t choice_count;
    const struct schema_mapping *mapping; /* MAPPING */
};

struct schema_mapping {
    const char *name;    /* "interface", for problems and the JSON Schema */
    const char *article; /* "an interface" */
    const char *title;   /* "Interfaces" */
    const char *text;    /* sentences for the reference page */
    const struct schema_key *keys;
    size_t count;
};

/* What a type is called and what its values look like. */
struct schema_type_info {
    const char *name;
    const char *expected; /* for problems: "a duration such as ..." */
    const char *text;     /* for the reference page, or NULL */
    const char *json;     /* a JSON Schema for one value, or NULL */
};

extern const struct schema_mapping schema_root;
extern const struct schema_mapping schema_service_policy; /* a part of it */
extern const struct schema_type_info schema_types[SCHEMA_TYPE_COUNT];

/* The places of the keys in their mappings. */
enum {
    ROOT_AUTHORITY,
    ROOT_ROUTERS,
    ROOT_TENANTS,
    ROOT_SERVICES,
    ROOT_SERVICE_POLICIES,
    ROOT_SECURITY,
    ROOT_REKEY,
    ROOT_TIMEOUTS,
    ROOT_LIMITS,
};
enum {
    ROUTER_INTERFACES,
    ROUTER_PATHWAYS,
    ROUTER_IDENTITY,
};
enum {
    INTERFACE_KIND,
    INTERFACE_DEVICE,
    INTERFACE_ADDRESS,
    INTERFACE_GATEWAY,
    INTERFACE_MTU,
    INTERFACE_TENANT,
    INTERFACE_TENANTS,
    INTERFACE_MAC,
};
enum {
    SOURCE_PREFIX,
    SOURCE_TENANT,
};
enum {
    PATHWAY_INTERFACE,
    PATHWAY_PEER,
    PATHWAY_REMOTE,
    PATHWAY_LOCAL,
    PATHWAY_SECURITY,
    PATHWAY_TCP_AS_UDP,
    PATHWAY_RECOVERY,
    PATHWAY_INACTIVITY,
    PATHWAY_PORTS,
    PATHWAY_VECTOR,
    PATHWAY_COST,
    PATHWAY_CAPACITY,
    PATHWAY_BFD,
};
enum {
    BFD_INTERVAL,
    BFD_REQUIRED,
    BFD_MULTIPLIER,
    BFD_HOLD_DOWN,
    BFD_DETECTION,
    BFD_PORT,
    BFD_TTL,
    BFD_FORM,
};
enum {
    SERVICE_PREFIXES,
    SERVICE_TRANSPORTS,
    SERVICE_ACCESS,
    SERVICE_SCOPE,
    SERVICE_DENIAL,
    SERVICE_TCP_MIDSTREAM,
    SERVICE_POLICY,
    SERVICE_ROUTES,
};
enum {
    SERVICE_POLICY_RESILIENCY,
    SERVICE_POLICY_ENCRYPT,
    SERVICE_POLICY_BEST_PATH,
    SERVICE_POLICY_VECTORS,
    SERVICE_POLICY_QUALITY,
    SERVICE_POLICY_MAX_LATENCY,
    SERVICE_POLICY_MAX_JITTER,
    SERVICE_POLICY_MAX_LOSS,
    SERVICE_POLICY_MIN_MOS,
    SERVICE_POLICY_BEST_EFFORT,
    SERVICE_POLICY_BALANCE,
};
enum {
    VECTOR_NAME,
    VECTOR_PRIORITY,
};
enum {
    TRANSPORT_PROTOCOL,
    TRANSPORT_PORTS,
};
enum {
    ACCESS_ALLOW,
    ACCESS_DENY,
    ACCESS_FROM,
};
enum {
    ROUTE_ROUTER,
    ROUTE_INTERFACE,
    ROUTE_CAPACITY,
};
enum {
    SECURITY_KEY,
    SECURITY_HMAC,
    SECURITY_MODE,
    SECURITY_SIGN,
    SECURITY_BIND_TCP,
    SECURITY_CIPHER,
    SECURITY_INSECURE,
};
enum {
    TIMEOUT_TCP_SETUP,
    TIMEOUT_TCP,
    TIMEOUT_UDP,
    TIMEOUT_ICMP,
    TIMEOUT_DNS,
    TIMEOUT_OTHER,
};
enum {
    LIMIT_SESSIONS,
    LIMIT_SEALED,
    LIMIT_PEER_SESSIONS,
    LIMIT_TENANT_SESSIONS,
    LIMIT_PEER_RATE,
    LIMIT_TENANT_RATE,
};

/* The words of the choices that have no enum elsewhere. */
enum {
    SCOPE_PRIVATE,
    SCOPE_PUBLIC,
};
enum {
    SIGN_PER_PACKET,
    SIGN_METADATA_ONLY,
};
enum {
    TCP_AS_UDP_NEVER,
    TCP_AS_UDP_ALWAYS,
    TCP_AS_UDP_PROBE,
};
enum {
    RECOVERY_PACKET,
    RECOVERY_INACTIVITY,
};
enum {
    DETECTION_OWN,
    DETECTION_PEER,
};
enum {
    FORM_BLOCK,
    FORM_PLAIN,
};

/* The access list's word for every tenant. */
#define SCHEMA_ANY "any"
/* The word for keys that are in no file. */
#define SCHEMA_EXCHANGED "exchanged"
/* The word for no interval. */
#define SCHEMA_NEVER "never"

#endif
