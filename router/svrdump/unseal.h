/* unseal.h - payloads of encrypted sessions (S11.5, S12.6), with the keys that
 * the session's metadata tells whoever can open it. */
#ifndef SVR_ROUTER_UNSEAL_H
#define SVR_ROUTER_UNSEAL_H

#include <svr/svr.h>

struct dump_frame;

/* Of one epoch of one direction. Secret. */
struct unseal_key {
    const svr_cipher *cipher; /* NULL: not known */
    uint8_t key[SVR_KEY_SIZE], salt[SVR_SALT_SIZE];
};

/* Of a flow; begins as zero. */
struct unseal {
    bool sealed;                 /* its payloads are encrypted */
    struct unseal_key key[2][2]; /* by direction, forward first, and epoch */
};

/* Learns from session metadata that can be read; reverse: its direction. */
void unseal_learn(struct unseal *u, const struct dump_frame *f, bool reverse);
/* Sets the seal of a frame whose flow is known, and opens its payload where it
 * stands. The tag must have been looked at before. */
void unseal_frame(struct dump_frame *f);

#endif
