/*
 * The tag of a packet (S11.1 to S11.4b).
 *
 * Input of the HMAC, in this order: all bytes behind the L4 header up to the
 * tag; on TCP, where the policy binds it, sequence number, acknowledgement
 * number (4 bytes each) and flags (1 byte); in the time-based mode the count
 * of 2-second steps since 1970 (8 bytes). The tag stands at the end of the
 * packet. What is appended to the input is not sent.
 */
#include "node/node.h"

#include "base/bytes.h"

#include <string.h>

enum {
    BIND_LEN = 9,
    STEP_LEN = 8,
    STEPS = 3, /* current, previous, next */
};

/* The parts of the HMAC's input besides the bytes themselves. */
struct input {
    uint8_t bind[BIND_LEN];
    uint8_t step[STEP_LEN];
    svr_span parts[3];
    size_t count;
    bool timed;
};

static void input_init(struct input *in, const svr_security_config *sec,
                       svr_span bytes, const svr__tcp_bind *bind)
{
    in->parts[0] = bytes;
    in->count = 1;
    in->timed = sec->mode == SVR_HMAC_TIME_BASED;
    if (bind) {
        svr__store_be32(in->bind, bind->seq);
        svr__store_be32(in->bind + 4, bind->ack);
        in->bind[8] = bind->flags;
        in->parts[in->count++] = (svr_span){in->bind, BIND_LEN};
    }
    if (in->timed)
        in->parts[in->count++] = (svr_span){in->step, STEP_LEN};
}

static uint64_t current_step(const svr_node *n, svr_time now)
{
    return (now + n->unix_offset) / SVR_TIME_STEP;
}

void svr__tag_write(const svr_node *n, const svr_mac *mac,
                    const svr_security_config *sec, svr_span bytes,
                    const svr__tcp_bind *bind, svr_time now, uint8_t *tag)
{
    struct input in;
    input_init(&in, sec, bytes, sec->bind_tcp ? bind : NULL);
    svr__store_be64(in.step, current_step(n, now));
    svr_mac_sign(mac, in.parts, in.count, tag);
}

static bool tag_verify(const svr_node *n, const svr_mac *mac,
                       const svr_security_config *sec, svr_span bytes,
                       const svr__tcp_bind *bind, svr_time now,
                       const uint8_t *tag)
{
    static const int order[STEPS] = {0, -1, 1};
    struct input in;
    input_init(&in, sec, bytes, sec->bind_tcp ? bind : NULL);
    for (int i = 0; i < (in.timed ? STEPS : 1); i++) {
        svr__store_be64(in.step, current_step(n, now) + (uint64_t)order[i]);
        if (svr_mac_verify(mac, in.parts, in.count, tag))
            return true;
    }
    return false;
}

static const svr__tcp_bind *bind_of(const svr_headers *h, svr__tcp_bind *b)
{
    if (h->tuple.proto != SVR_PROTO_TCP)
        return NULL;
    *b = (svr__tcp_bind){h->tcp_seq, h->tcp_ack, h->tcp_flags};
    return b;
}

bool svr__sign(svr__work *w, const svr_mac *mac, const svr_security_config *sec)
{
    svr__tcp_bind bind;
    size_t len = svr__payload_len(w);
    if (svr_packet_extend(w->packet, &w->headers, (int)mac->hmac->tag_len) <
        0) {
        svr__drop(w, SVR_DROP_NO_BUFFER);
        return false;
    }
    uint8_t *payload = w->packet->data + w->headers.payload;
    svr__tag_write(w->node, mac, sec, (svr_span){payload, len},
                   bind_of(&w->headers, &bind), w->now, payload + len);
    return true;
}

enum svr_drop svr__verify(svr__work *w, const svr_mac *mac,
                          const svr_security_config *sec)
{
    svr__tcp_bind bind;
    size_t len = svr__payload_len(w);
    size_t tag_len = mac->hmac->tag_len;
    if (len < tag_len)
        return SVR_DROP_TAG;
    const uint8_t *payload = w->packet->data + w->headers.payload;
    if (!tag_verify(w->node, mac, sec, (svr_span){payload, len - tag_len},
                    bind_of(&w->headers, &bind), w->now,
                    payload + len - tag_len))
        return SVR_DROP_TAG;
    if (svr_packet_extend(w->packet, &w->headers, -(int)tag_len) < 0)
        return SVR_DROP_TAG;
    return SVR_DROP_NONE;
}
