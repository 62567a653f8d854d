#include <svr/crypto.h>

#include "base/bytes.h"
#include "crypto/bind.h"

#include <string.h>

enum {
    BIND_LEN = 12,
    STEP_LEN = 8,
    BOOT_LEN = 4,
    TCP_SYN = 0x02,
    OPTIONS_MAX = 40,
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
};

_Static_assert(OPTIONS_MAX + BIND_LEN == SVR__BIND_MAX, "bind");

/*
 * The parts of the HMAC's input (S11.1 to S11.7): the bytes, which are sent,
 * and the rest, which begins with TCP options and has one length behind them
 * for one key, so that no two packets make the same input.
 */
struct input {
    uint8_t rest[SVR__BIND_MAX + STEP_LEN + BOOT_LEN];
    size_t rest_len;
    uint8_t *step; /* in rest, where timed */
    svr_span parts[2];
    size_t count;
};

/* Networks lower the MSS of a SYN: it counts as 0. */
static void clear_mss(uint8_t *o, size_t len)
{
    size_t at = 0;

    while (at + 4 <= len && o[at] != OPTION_END) {
        if (o[at] == OPTION_MSS)
            o[at + 2] = o[at + 3] = 0;
        if (o[at] != OPTION_NOP && o[at + 1] < 2)
            break;
        at += o[at] == OPTION_NOP ? 1 : o[at + 1];
    }
}

size_t svr__bind_write(uint8_t out[SVR__BIND_MAX], const svr_tcp_bind *b)
{
    size_t len =
        b->options.len < OPTIONS_MAX ? b->options.len : (size_t)OPTIONS_MAX;
    uint8_t *at = out + len;

    if (len > 0)
        memcpy(out, b->options.data, len);
    if (b->flags & TCP_SYN)
        clear_mss(out, len);
    svr__store_be32(at, b->seq);
    svr__store_be32(at + 4, b->ack);
    svr__store_be16(at + 8, b->window);
    at[10] = b->flags;
    at[11] = (uint8_t)len;
    return len + BIND_LEN;
}

static void input_init(struct input *in, svr_span bytes,
                       const svr_tag_scope *scope)
{
    in->parts[0] = bytes;
    in->count = 1;
    in->rest_len = 0;
    if (scope->bind)
        in->rest_len = svr__bind_write(in->rest, scope->bind);
    if (scope->timed) {
        in->step = in->rest + in->rest_len;
        svr__store_be64(in->step, scope->step);
        in->rest_len += STEP_LEN;
    }
    if (scope->boot) {
        svr__store_be32(in->rest + in->rest_len, scope->boot);
        in->rest_len += BOOT_LEN;
    }
    if (in->rest_len > 0)
        in->parts[in->count++] = (svr_span){in->rest, in->rest_len};
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
        if (scope->timed)
            svr__store_be64(in.step, steps[i]);
        if (svr_mac_verify(m, in.parts, in.count, tag))
            return true;
    }
    return false;
}
