/* The part of the schema that is about service policies. */
#include "schema.h"

#include "config.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CHOICES(array) .choices = (array), .choice_count = COUNT(array)
#define KEYS(array) .keys = (array), .count = COUNT(array)

/* What baseline.c has, in words. */
#define BASELINES_TEXT                                                      \
    "`voice` (best-path mos, at most 150ms, jitter 30ms, loss 1%, min-mos " \
    "3.6), `video` (best-path latency, at most 200ms, jitter 50ms, loss "   \
    "1%), `interactive` (best-path latency, at most 250ms, jitter 100ms, "  \
    "loss 0.5%), each with resiliency revertible-failover, and `bulk` "     \
    "(best-path vector, balance proportional, no limits, resiliency "       \
    "failover). "

static const struct schema_choice resiliencies[] = {
    {"none", SVR_RESILIENCY_NONE,
     "it stays; its packets are dropped until the pathway is up again"},
    {"failover", SVR_RESILIENCY_FAILOVER,
     "it moves to another pathway to the same router, and stays there"},
    {"revertible-failover", SVR_RESILIENCY_REVERTIBLE,
     "it moves, and comes back once a better pathway, or without `best-path` "
     "one that stands before in the file, is up again and has been for its "
     "`hold-down`"},
    {"packet-duplication", SVR_RESILIENCY_DUPLICATE,
     "its packets travel by all pathways to the same router that are up and "
     "have the same security policy; the receiver lets the first copy of each "
     "through. The router at the other end must have the same policy"},
};

static const struct schema_choice encryptions[] = {
    {"always", SVR_ENCRYPT_ALWAYS,
     "its payloads are encrypted from the first router to the last "
     "one, and what is clear is refused there"},
    {"adaptive", SVR_ENCRYPT_ADAPTIVE,
     "they are where the security policy has a cipher, but for what is "
     "encrypted already: ESP, and TCP whose client begins with TLS. Where the "
     "server speaks first, as with SSH and SMTP, its first words come 0.2 s "
     "later, since its TCP has to repeat them; `always` spares that"},
    {"never", SVR_ENCRYPT_NEVER, "they travel as they are"},
};

static const struct schema_choice best_paths[] = {
    {"order", SVR_BEST_ORDER,
     "pathways to the nearest router are taken in the order of the file, "
     "whatever is measured"},
    {"vector", SVR_BEST_VECTOR,
     "the vector whose worst pathway has the best priority; then the lowest "
     "cost, then the lowest latency"},
    {"latency", SVR_BEST_LATENCY,
     "the vector with the lowest latency; then the lowest cost"},
    {"mos", SVR_BEST_MOS,
     "the vector with the best mean opinion score, from latency, jitter and "
     "loss"},
};

static const struct schema_choice balances[] = {
    {"hunt", SVR_BALANCE_HUNT, "the one with the most room takes the session"},
    {"proportional", SVR_BALANCE_PROPORTIONAL,
     "each takes a share of the sessions as large as its capacity"},
};

static const struct schema_key vector_keys[] = {
    [VECTOR_NAME] = {.name = "name",
                     .type = SCHEMA_NAME,
                     .required = true,
                     .text = "the `vector` of pathways"},
    [VECTOR_PRIORITY] = {.name = "priority",
                         .type = SCHEMA_PRIORITY,
                         .required = true,
                         .text = "its rank, or that sessions never take it"},
};

static const struct schema_mapping vector_mapping = {
    .name = "vector",
    .article = "a vector",
    .title = "Vectors of service policies",
    .text = "A vector is a whole way through the network. It is as good as its "
            "worst pathway, and pathways that the policy does not name come "
            "behind all that it does.",
    KEYS(vector_keys),
};

static const struct schema_key service_policy_keys[] = {
    [SERVICE_POLICY_RESILIENCY] = {.name = "resiliency",
                                   .type = SCHEMA_CHOICE,
                                   .fallback = "none",
                                   .text = "what becomes of a session whose "
                                           "pathway goes down, or beyond a "
                                           "limit below",
                                   CHOICES(resiliencies)},
    [SERVICE_POLICY_ENCRYPT] = {.name = "encrypt",
                                .type = SCHEMA_CHOICE,
                                .fallback = "adaptive",
                                .text = "which payloads are encrypted",
                                CHOICES(encryptions)},
    [SERVICE_POLICY_BEST_PATH] =
        {.name = "best-path",
         .type = SCHEMA_CHOICE,
         .otherwise = "`vector` where one of the keys below is given, else "
                      "`order`",
         .text = "by what the way of a session is chosen",
         CHOICES(best_paths)},
    [SERVICE_POLICY_VECTORS] = {.name = "vectors",
                                .shape = SCHEMA_LIST,
                                .type = SCHEMA_MAPPING,
                                .most = 64,
                                .otherwise = "all have the same rank",
                                .text = "the ranks of vectors",
                                .mapping = &vector_mapping},
    [SERVICE_POLICY_QUALITY] =
        {.name = "path-quality-filter",
         .type = SCHEMA_BOOLEAN,
         .otherwise = "`true` where one of the four limits below is given",
         .text = "whether vectors beyond a limit are left out, and sessions "
                 "leave them as if they were down"},
    [SERVICE_POLICY_MAX_LATENCY] = {.name = "max-latency",
                                    .type = SCHEMA_DURATION,
                                    .min = 1 * SVR_MILLISECOND,
                                    .max = 10 * SVR_SECOND,
                                    .fallback = "250ms",
                                    .text = "the longest latency of a vector, "
                                            "one way"},
    [SERVICE_POLICY_MAX_JITTER] = {.name = "max-jitter",
                                   .type = SCHEMA_DURATION,
                                   .min = 1 * SVR_MILLISECOND,
                                   .max = 10 * SVR_SECOND,
                                   .fallback = "100ms",
                                   .text = "the largest jitter"},
    [SERVICE_POLICY_MAX_LOSS] = {.name = "max-loss",
                                 .type = SCHEMA_SHARE,
                                 .fallback = "0.5%",
                                 .text = "how much may be lost at most"},
    [SERVICE_POLICY_MIN_MOS] = {.name = "min-mos",
                                .type = SCHEMA_SCORE,
                                .otherwise = "any",
                                .text = "the lowest mean opinion score"},
    [SERVICE_POLICY_BEST_EFFORT] =
        {.name = "best-effort",
         .type = SCHEMA_BOOLEAN,
         .fallback = "true",
         .text = "whether a session takes the best vector there is where none "
                 "keeps the limits; else it is refused"},
    [SERVICE_POLICY_BALANCE] = {.name = "balance",
                                .type = SCHEMA_CHOICE,
                                .fallback = "hunt",
                                .text = "which of several equal vectors is "
                                        "taken",
                                CHOICES(balances)},
};

const struct schema_mapping schema_service_policy = {
    .name = "service-policy",
    .article = "a service policy",
    .title = "Service policies",
    .text = "How the sessions of services travel. A service names one with "
            "`policy`; several services can share it. Four names need no "
            "entry: " BASELINES_TEXT "An entry of such a name takes its "
            "place. How a way is chosen: docs/paths.md.",
    KEYS(service_policy_keys),
};
