/* What a packet gets before it leaves on a pathway: metadata or a mark, and its
 * tag (S2.3, S6.4, S11.1). */
#include "node/node.h"

#include <string.h>

/* Puts len bytes behind the L4 header. False: dropped. */
static bool prepend(svr__work *w, const uint8_t *bytes, size_t len)
{
    if (!svr__touch(w))
        return false;
    if (svr_packet_insert(w->packet, &w->headers, len) < 0) {
        svr__drop(w, SVR_DROP_NO_BUFFER);
        return false;
    }
    memcpy(w->packet->data + w->headers.payload, bytes, len);
    return true;
}

static bool add_metadata(svr__work *w, const svr__passage *r)
{
    svr_node *n = w->node;
    uint8_t block[SVR_METADATA_MAX];
    size_t len = svr__describe(n, r->session, r->out, 0, block);
    if (!prepend(w, block, len))
        return false;
    n->counters.metadata_sent++;
    return svr__sign(w, &n->associations[r->to->association].send_mac,
                     &n->securities[r->to->security]);
}

static bool add_mark(svr__work *w)
{
    uint8_t mark[SVR_BASE_HEADER_SIZE];
    svr_block_write_bare(mark);
    return prepend(w, mark, sizeof(mark));
}

bool svr__depart(svr__work *w, const svr__passage *r)
{
    svr_node *n = w->node;
    svr_handshake *hs = &r->session->side[r->out].handshake;

    if (!r->to)
        return true;
    if (svr_handshake_event(hs, SVR_HANDSHAKE_SEND, w->now) ==
        SVR_HANDSHAKE_ADD_METADATA)
        return add_metadata(w, r);
    if (svr__has_cookie(w) && !w->packet->segment_size && !add_mark(w))
        return false;
    if (!(r->flow->flags & SVR__FLOW_SIGNED_OUT))
        return true;
    return svr__touch(w) &&
           svr__sign(w, &svr__protection_of(n, r->session, r->out)->send,
                     &n->securities[r->to->security]);
}
