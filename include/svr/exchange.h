/*
 * exchange.h - how two routers agree on keys (S12.2 to S12.6).
 *
 * A svr_exchange is one end of what runs between two routers that know each
 * other's public key. It has no memory, clock or packets of its own: messages
 * are bytes that the caller carries. docs/security.md has them field by field.
 *
 *     initiator                          responder
 *        | 1 start    who, salt, X           |
 *        |---------------------------------->|   keeps nothing
 *        |    salt, Y, {identity, signature} |
 *        |<----------------------- answer  2 |
 *   accepts the new keys                     |
 *        | 3 finish   {identity, signature,  |
 *        |             id, metadata key}     |
 *        |---------------------------------->|   accepts and uses them
 *        |            {id, metadata key}     |
 *        |<---------------------- confirm  4 |
 *   uses them
 *
 * X and Y are ephemeral X25519 keys; what is in braces is encrypted. Each run
 * makes one *generation* of keys. One loop serves an end:
 *
 *     for each message that arrives:  svr_exchange_receive, send its reply
 *     now >= svr_exchange_due:        svr_exchange_handle, then
 *                                     svr_exchange_send
 *
 * All of a svr_exchange and of what it hands out is secret: it belongs into
 * guarded memory (svr_secret_alloc).
 */
#ifndef SVR_EXCHANGE_H
#define SVR_EXCHANGE_H

#include <svr/crypto.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a public key, and of the seed that a private key is made of. */
#define SVR_IDENTITY_SIZE 32
#define SVR_IDENTITY_SEED_SIZE 32

/* This router, to all its peers. Secret. */
typedef struct svr_identity {
    uint8_t public_key[SVR_IDENTITY_SIZE];
    uint8_t private_key[64];
    uint8_t metadata_key[SVR_KEY_SIZE]; /* S12.2: the same for all peers */
    uint32_t next_id;                   /* of a generation (S11.6) */
} svr_identity;

/* From the seed; metadata key and first id are random. svr_crypto_init must
 * have been called. */
SVR_API void svr_identity_init(svr_identity *id,
                               const uint8_t seed[SVR_IDENTITY_SEED_SIZE],
                               const svr_random *random);
/* A new metadata key, which peers get by the next generation (S12.7). */
SVR_API void svr_identity_renew(svr_identity *id, const svr_random *random);

/* Keys that two routers share. Numbers rise; both ends have the same. */
typedef struct svr_generation {
    uint32_t number;     /* 0: none */
    uint32_t receive_id; /* type 16 of what comes: chosen here, never 0, unlike
                            that of any other generation of the identity */
    uint32_t send_id;    /* of what is sent: chosen by the peer; 0: not known */
    uint8_t peer_key[SVR_KEY_SIZE];      /* S12.2: of this pair alone */
    uint8_t own_metadata[SVR_KEY_SIZE];  /* opens metadata for this router */
    uint8_t peer_metadata[SVR_KEY_SIZE]; /* seals it for the peer */
    svr_time made;
    svr_time dies; /* SVR_NEVER: not yet replaced */
} svr_generation;

/* Generations alive at once at most: one for each second that an old one goes
 * on, and some. Where there is no room, no other one is made. */
#define SVR_EXCHANGE_LIVE 40
/* What a replaced generation goes on for (S11.6). */
#define SVR_EXCHANGE_OVERLAP (30 * SVR_SECOND)
/* Least time from one generation to the start of the next. */
#define SVR_EXCHANGE_SPACING SVR_SECOND
/* S12.4: without an answer for this long, the peer is overdue. */
#define SVR_EXCHANGE_PATIENCE (3600 * SVR_SECOND)
#define SVR_EXCHANGE_REKEY (86400 * SVR_SECOND)
/* Room for any message. */
#define SVR_EXCHANGE_MAX 256

typedef struct svr_exchange_settings {
    svr_identity *identity;  /* shared by all exchanges; outlives them */
    const char *name, *peer; /* of both routers; copied as a hash */
    uint8_t peer_identity[SVR_IDENTITY_SIZE];
    svr_time rekey; /* S12.4; SVR_NEVER: on command only */
    svr_random random;
} svr_exchange_settings;

typedef struct svr_exchange svr_exchange;

/* Bytes of a svr_exchange: a multiple of the strictest alignment. */
SVR_API size_t svr_exchange_size(void);

/* Makes an exchange without keys, which starts at once, in svr_exchange_size()
 * bytes at x, aligned for any type. SVR_ERR_ARGUMENT: the peer's identity is
 * the own one. */
SVR_API SVR_MUST_CHECK int svr_exchange_init(svr_exchange *x,
                                             const svr_exchange_settings *s,
                                             svr_time now);
SVR_API void svr_exchange_wipe(svr_exchange *x);

/* Another interval, from the last generation on (SVR_NEVER: on command). */
SVR_API void svr_exchange_set_rekey(svr_exchange *x, svr_time rekey);

/*
 * What became of a message: all but the first change nothing, and only GLARE
 * and LOADED may have an answer. X(NAME, "name", "text")
 */
#define SVR_EXCHANGE_MAP(X)                                                 \
    X(ACCEPTED, "accepted", "the message was taken")                        \
    X(MALFORMED, "malformed", "it is no message of the exchange")           \
    X(VERSION, "version", "it has another version")                         \
    X(STRANGER, "stranger", "it is not between these two identities")       \
    X(LOADED, "loaded", "it has to come again with a cookie")               \
    X(GLARE, "glare", "both have started, and the own start stands")        \
    X(ALGORITHM, "algorithm", "no algorithms are offered that both have")   \
    X(RUN, "run", "it answers no message that waits for an answer")         \
    X(TICKET, "ticket", "it is about an answer that was not given lately")  \
    X(GENERATION, "generation", "its generation is not a new one")          \
    X(POINT, "point", "its ephemeral key is not fit for use")               \
    X(KEY, "key", "it does not open: it was changed, or is of another run") \
    X(IDENTITY, "identity", "it comes from another identity")               \
    X(SIGNATURE, "signature", "its signature is wrong")                     \
    X(FULL, "full", "too many generations are alive")

enum svr_exchange_verdict {
#define X(name, id, text) SVR_EXCHANGE_##name,
    SVR_EXCHANGE_MAP(X)
#undef X
        SVR_EXCHANGE_VERDICTS
};

/* Static storage, never NULL. */
SVR_API const char *svr_exchange_verdict_name(enum svr_exchange_verdict v);

typedef struct svr_exchange_reply {
    uint8_t bytes[SVR_EXCHANGE_MAX];
    size_t len; /* 0: none */
} svr_exchange_reply;

/* Where a message came from: whatever the caller knows its source by, such as
 * address and port. A cookie is good for one source. loaded: too many messages
 * come, so those that make work need a cookie (S12.3). */
typedef struct svr_exchange_source {
    svr_span from;
    bool loaded;
} svr_exchange_source;

/*
 * Takes a message. reply goes back to where it came from, at once. A message
 * that was not authentic changes nothing but, by GLARE and by a cookie, when
 * the own message is sent again. Costs at most two X25519 and two Ed25519
 * operations, and none of them before a MAC that names both identities is
 * right.
 */
SVR_API SVR_MUST_CHECK enum svr_exchange_verdict
svr_exchange_receive(svr_exchange *x, svr_span message,
                     const svr_exchange_source *source, svr_time now,
                     svr_exchange_reply *reply);

/* The own message that is due: its length, or 0 where there is none. buf has
 * SVR_EXCHANGE_MAX bytes. */
SVR_API SVR_MUST_CHECK size_t svr_exchange_send(svr_exchange *x, uint8_t *buf,
                                                svr_time now);

/* When svr_exchange_handle and svr_exchange_send have something to do. */
SVR_API svr_time svr_exchange_due(const svr_exchange *x);
/* Does what time asks for: generations die, runs begin. */
SVR_API void svr_exchange_handle(svr_exchange *x, svr_time now);

/* New keys are wanted (S12.4): by a run that is open, or by one that begins as
 * soon as SVR_EXCHANGE_SPACING and the room for generations allow. */
SVR_API void svr_exchange_request(svr_exchange *x, svr_time now);

/* An authentic packet of the peer came under that generation: it uses it, and
 * older ones die in SVR_EXCHANGE_OVERLAP. Nothing where the own side does not
 * use it yet. */
SVR_API void svr_exchange_heard(svr_exchange *x, uint32_t number, svr_time now);

/* The generation for what is sent; NULL: there is none. Pointers to generations
 * are valid until the exchange is next changed. */
SVR_API const svr_generation *svr_exchange_current(const svr_exchange *x);
/* By the type 16 of what came, or by number; NULL: it is not alive. */
SVR_API const svr_generation *svr_exchange_by_id(const svr_exchange *x,
                                                 uint32_t receive_id);
SVR_API const svr_generation *svr_exchange_by_number(const svr_exchange *x,
                                                     uint32_t number);

typedef struct svr_exchange_info {
    uint32_t current;    /* 0: none */
    uint32_t generation; /* of those alive, the newest */
    unsigned live;
    svr_time since; /* the current one's beginning */
    svr_time rekey; /* when the next one is due; SVR_NEVER: never */
    bool running;   /* a run of its own is open */
    bool overdue;   /* and has been for SVR_EXCHANGE_PATIENCE (S12.4) */
    unsigned sent;  /* messages of that run */
} svr_exchange_info;

SVR_API void svr_exchange_describe(const svr_exchange *x,
                                   svr_exchange_info *out, svr_time now);

#ifdef __cplusplus
}
#endif

#endif
