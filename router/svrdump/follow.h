/* follow.h - which session a waypoint flow carries, as its metadata said. */
#ifndef SVR_ROUTER_FOLLOW_H
#define SVR_ROUTER_FOLLOW_H

#include "svrdump.h"
#include "unseal.h"

/* So many flows are known; then the one that was learned first makes room. */
#define FOLLOW_FLOWS 65536

/* A name that stays when its packet is gone. */
struct follow_name {
    uint8_t len; /* 0: not known */
    uint8_t text[SVR_NAME_ACCEPT_MAX];
};

/* A waypoint flow and the session that was seen on it last. */
struct follow_flow {
    uint8_t key[2 * sizeof(svr_addr) + 5]; /* the tuple, its lower end first */
    bool client_low; /* the lower end is the one toward the client */
    svr_uuid uuid;
    svr_tuple context; /* the session's, client to server */
    struct follow_name tenant, service;
    /* What signed its metadata, forward and reverse; NULL: not known. */
    const struct verify_key *signer[2];
    struct unseal unseal;
    struct follow_flow *next; /* learned after it */
};

struct follow_table;

struct follow_table *follow_new(void); /* NULL: no memory */
void follow_free(struct follow_table *t);

/* Learns from the frame where it is session metadata (S2.7) that no wrong tag
 * contradicts, and sets its flow and direction where its tuple is known. False
 * where there is no memory. */
bool follow_frame(struct follow_table *t, struct dump_frame *f);

#endif
