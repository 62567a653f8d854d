/* The tag of a packet (S11.1 to S11.4b), which stands at its end. */
#include "node/node.h"

/* What stands behind a packet's bytes under the tag. The clock is the signer's
 * (S11.3), the boot counter the verifier's, where the routers tell each other
 * (S11.7). */
static svr_tag_scope scope_of(const svr_node *n, const svr__pathway *pw,
                              const svr_tcp_bind *bind)
{
    const svr_security_config *sec = &n->securities[pw->security];

    return (svr_tag_scope){
        .bind = sec->bind_tcp ? bind : NULL,
        .timed = sec->mode == SVR_HMAC_TIME_BASED,
    };
}

static bool tells_boot(const svr__pathway *pw)
{
    return pw->watch && !pw->plain;
}

int svr__tag_write(const svr_node *n, const svr__pathway *pw,
                   const svr_mac *mac, svr_span bytes, const svr_tcp_bind *bind,
                   svr_time now, uint8_t *tag)
{
    svr_tag_scope scope = scope_of(n, pw, bind);

    scope.step = svr__own_time(n, now) / SVR_TIME_STEP;
    if (tells_boot(pw))
        scope.boot = n->peers[pw->peer].boot;
    return svr_tag_write(mac, bytes, &scope, tag);
}

int svr__tag_write_bfd(const svr_node *n, const svr__pathway *pw,
                       const svr_mac *mac, svr_span bytes,
                       const svr_tcp_bind *bind, uint8_t *tag)
{
    svr_tag_scope scope = scope_of(n, pw, bind);

    scope.timed = false;
    return svr_tag_write(mac, bytes, &scope, tag);
}

static const svr_tcp_bind *bind_of(const svr__work *w, svr_tcp_bind *b)
{
    const svr_headers *h = &w->headers;

    if (h->tuple.proto != SVR_PROTO_TCP)
        return NULL;
    *b = svr__tcp_bind(w->packet, h);
    return b;
}

bool svr__sign(svr__work *w, const svr__pathway *pw, const svr_mac *mac)
{
    svr_tcp_bind bind;
    size_t len = svr__payload_len(w);
    if (svr_packet_extend(w->packet, &w->headers, (int)mac->hmac->tag_len) <
        0) {
        svr__drop(w, SVR_DROP_NO_BUFFER);
        return false;
    }
    uint8_t *payload = w->packet->data + w->headers.payload;
    if (svr__tag_write(w->node, pw, mac, (svr_span){payload, len},
                       bind_of(w, &bind), w->now, payload + len) < 0) {
        svr__drop(w, SVR_DROP_NO_MEMORY);
        return false;
    }
    w->packet->alone = false; /* it goes on as it is */
    return true;
}

static enum svr_drop verify(svr__work *w, const svr_mac *mac,
                            const svr_tag_scope *scope)
{
    size_t len = svr__payload_len(w);
    size_t tag_len = mac->hmac->tag_len;
    const uint8_t *payload = w->packet->data + w->headers.payload;

    if (len < tag_len ||
        !svr_tag_verify(mac, (svr_span){payload, len - tag_len}, scope,
                        payload + len - tag_len))
        return SVR_DROP_TAG;
    if (svr_packet_extend(w->packet, &w->headers, -(int)tag_len) < 0)
        return SVR_DROP_TAG;
    return SVR_DROP_NONE;
}

enum svr_drop svr__verify(svr__work *w, const svr__pathway *pw,
                          const svr_mac *mac)
{
    const svr_node *n = w->node;
    svr_tcp_bind bind;
    svr_tag_scope scope = scope_of(n, pw, bind_of(w, &bind));

    scope.step = svr__peer_time(n, pw->peer, w->now) / SVR_TIME_STEP;
    if (tells_boot(pw))
        scope.boot = n->boot;
    return verify(w, mac, &scope);
}

enum svr_drop svr__verify_bfd(svr__work *w, const svr__pathway *pw,
                              const svr_mac *mac)
{
    svr_tcp_bind bind;
    svr_tag_scope scope = scope_of(w->node, pw, bind_of(w, &bind));

    scope.timed = false;
    return verify(w, mac, &scope);
}
