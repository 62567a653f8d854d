#include <svr/crypto.h>

#include "base/bytes.h"

enum {
    BIND_LEN = 9,
    STEP_LEN = 8,
};

/*
 * The parts of the HMAC's input (S11.1 to S11.4b), in this order: the bytes; of
 * TCP, where it is bound, sequence number, acknowledgement number (4 bytes
 * each) and flags (1 byte); in the time-based mode the step (8 bytes). Only the
 * bytes are sent.
 */
struct input {
    uint8_t bind[BIND_LEN];
    uint8_t step[STEP_LEN];
    svr_span parts[3];
    size_t count;
};

static void input_init(struct input *in, svr_span bytes,
                       const svr_tag_scope *scope)
{
    in->parts[0] = bytes;
    in->count = 1;
    if (scope->bind) {
        svr__store_be32(in->bind, scope->bind->seq);
        svr__store_be32(in->bind + 4, scope->bind->ack);
        in->bind[8] = scope->bind->flags;
        in->parts[in->count++] = (svr_span){in->bind, BIND_LEN};
    }
    if (scope->timed) {
        svr__store_be64(in->step, scope->step);
        in->parts[in->count++] = (svr_span){in->step, STEP_LEN};
    }
}

int svr_tag_write(const svr_mac *m, svr_span bytes, const svr_tag_scope *scope,
                  uint8_t *tag)
{
    struct input in;
    input_init(&in, bytes, scope);
    return svr_mac_sign(m, in.parts, in.count, tag);
}

bool svr_tag_verify(const svr_mac *m, svr_span bytes,
                    const svr_tag_scope *scope, const uint8_t *tag)
{
    /* S11.3: the clocks of two routers may be a step apart. */
    const uint64_t steps[] = {scope->step, scope->step - 1, scope->step + 1};
    struct input in;
    input_init(&in, bytes, scope);
    for (int i = 0; i < (scope->timed ? 3 : 1); i++) {
        svr__store_be64(in.step, steps[i]);
        if (svr_mac_verify(m, in.parts, in.count, tag))
            return true;
    }
    return false;
}
