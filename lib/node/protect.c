/* The tag of a packet (S11.1 to S11.4b), which stands at its end. */
#include "node/node.h"

static svr_tag_scope scope_of(const svr_node *n, const svr_security_config *sec,
                              const svr_tcp_bind *bind, svr_time now)
{
    return (svr_tag_scope){
        .bind = sec->bind_tcp ? bind : NULL,
        .timed = sec->mode == SVR_HMAC_TIME_BASED,
        .step = (now + n->unix_offset) / SVR_TIME_STEP,
    };
}

int svr__tag_write(const svr_node *n, const svr_mac *mac,
                   const svr_security_config *sec, svr_span bytes,
                   const svr_tcp_bind *bind, svr_time now, uint8_t *tag)
{
    svr_tag_scope scope = scope_of(n, sec, bind, now);
    return svr_tag_write(mac, bytes, &scope, tag);
}

static const svr_tcp_bind *bind_of(const svr_headers *h, svr_tcp_bind *b)
{
    if (h->tuple.proto != SVR_PROTO_TCP)
        return NULL;
    *b = (svr_tcp_bind){h->tcp_seq, h->tcp_ack, h->tcp_flags};
    return b;
}

bool svr__sign(svr__work *w, const svr_mac *mac, const svr_security_config *sec)
{
    svr_tcp_bind bind;
    size_t len = svr__payload_len(w);
    if (svr_packet_extend(w->packet, &w->headers, (int)mac->hmac->tag_len) <
        0) {
        svr__drop(w, SVR_DROP_NO_BUFFER);
        return false;
    }
    uint8_t *payload = w->packet->data + w->headers.payload;
    if (svr__tag_write(w->node, mac, sec, (svr_span){payload, len},
                       bind_of(&w->headers, &bind), w->now,
                       payload + len) < 0) {
        svr__drop(w, SVR_DROP_NO_MEMORY);
        return false;
    }
    return true;
}

enum svr_drop svr__verify(svr__work *w, const svr_mac *mac,
                          const svr_security_config *sec)
{
    svr_tcp_bind bind;
    size_t len = svr__payload_len(w);
    size_t tag_len = mac->hmac->tag_len;
    if (len < tag_len)
        return SVR_DROP_TAG;
    const uint8_t *payload = w->packet->data + w->headers.payload;
    svr_tag_scope scope =
        scope_of(w->node, sec, bind_of(&w->headers, &bind), w->now);
    if (!svr_tag_verify(mac, (svr_span){payload, len - tag_len}, &scope,
                        payload + len - tag_len))
        return SVR_DROP_TAG;
    if (svr_packet_extend(w->packet, &w->headers, -(int)tag_len) < 0)
        return SVR_DROP_TAG;
    return SVR_DROP_NONE;
}
