/* What a packet gets before it leaves on a pathway: its payload's encryption,
 * the mask of UDP, metadata or a mark, and its tag (S2.3, S4.4, S6.4, S11.1).
 */
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

/* A SYN says so where its own flag is hidden: in what opens a session. */
uint64_t svr__extra(const svr__work *w, const svr__passage *r)
{
    bool hidden = r->flow->flags & SVR__FLOW_MASKED_OUT;
    bool syn = w->headers.tcp_flags & SVR_TCP_SYN;
    return hidden && syn && r->out == SVR__SERVER ? SVR_HAS(TCP_SYN) : 0;
}

/* A block, signed as metadata is, whatever plain packets are. len 0: what it
 * should say did not fit into one. */
static bool add_block(svr__work *w, const svr__passage *r, const uint8_t *block,
                      size_t len)
{
    svr_node *n = w->node;
    const svr__keys *keys = svr__side_keys(n, r->session, r->out);
    if (len == 0) {
        svr__drop(w, keys ? SVR_DROP_NO_BUFFER : SVR_DROP_UNKEYED);
        return false;
    }
    if (!prepend(w, block, len))
        return false;
    n->counters.metadata_sent++;
    return svr__sign(w, r->to, &keys->send_mac);
}

static bool add_metadata(svr__work *w, const svr__passage *r, uint64_t extra)
{
    uint8_t block[SVR_METADATA_MAX];
    size_t len =
        svr__describe(w->node, r->session, r->out, extra, block, w->now);
    return add_block(w, r, block, len);
}

/* S4.4: TCP becomes UDP. */
static bool mask(svr__work *w)
{
    if (svr_packet_mask(w->packet, &w->headers) == 0)
        return true;
    svr__drop(w, SVR_DROP_NOT_TCP);
    return false;
}

static bool add_mark(svr__work *w)
{
    uint8_t mark[SVR_BASE_HEADER_SIZE];
    svr_block_write_bare(mark);
    return prepend(w, mark, sizeof(mark));
}

/* S15: a sample of plain packets is marked, of those that stay whole. */
static bool takes_metrics(svr__work *w, const svr__passage *r,
                          svr_path_metrics *metrics)
{
    svr_node *n = w->node;
    size_t tag_len = n->securities[r->to->security].hmac->tag_len;

    if (!(r->flow->flags & SVR__FLOW_MEASURED) || w->now < r->to->mark_due ||
        w->packet->segment_size)
        return false;
    r->to->mark_due = w->now + SVR__MARK_SPACING;
    size_t len = svr__describe_bare_len(n, r->to, SVR_HAS(PATH_METRICS));
    return w->packet->len + len + tag_len <= r->flow->mtu &&
           svr__watch_mark(n, r->to, metrics, w->now);
}

/* S8.2: says of a block without a session whose it is, and asks. */
static void ask_health(const svr__passage *r, svr_metadata *md)
{
    if (!r->health)
        return;
    md->present |= SVR_HAS(SESSION_UUID) | SVR_HAS(HEALTH_OR_KEY);
    md->uuid = r->session->uuid;
    md->health = r->health;
}

/* A block that is no session's metadata. */
static bool add_bare(svr__work *w, const svr__passage *r, svr_metadata *md)
{
    uint8_t block[SVR_METADATA_MAX];
    size_t len = svr__describe_write(
        w->node, r->to, svr__side_keys(w->node, r->session, r->out), md, block);

    return add_block(w, r, block, len);
}

static bool add_health(svr__work *w, const svr__passage *r)
{
    svr_metadata md;

    svr__describe_bare(&md);
    ask_health(r, &md);
    return add_bare(w, r, &md);
}

static bool add_metrics(svr__work *w, const svr__passage *r,
                        const svr_path_metrics *metrics)
{
    svr_metadata md;

    svr__describe_bare(&md);
    md.present |= SVR_HAS(PATH_METRICS);
    md.metrics = *metrics;
    return add_bare(w, r, &md);
}

/* S17: the packet is one of several. */
static bool add_copied(svr__work *w, const svr__passage *r, uint64_t extra)
{
    svr_metadata md;

    if (!svr__touch(w))
        return false;
    svr__send_copies(w, r);
    if (r->metadata)
        return add_metadata(w, r, extra | SVR_HAS(COPY_NUMBER));
    svr__describe_bare(&md);
    md.present |= SVR_HAS(COPY_NUMBER);
    md.copy_number = svr__copies_of(w->node, r->session, r->out)->sent;
    ask_health(r, &md);
    return add_bare(w, r, &md);
}

bool svr__depart(svr__work *w, svr__passage *r)
{
    svr_node *n = w->node;
    uint64_t extra = svr__extra(w, r);
    svr_path_metrics metrics;

    if (!r->to)
        return true;
    if (svr__is_sealing(r->session) && !svr__seal(w, r->session))
        return false;
    if ((r->flow->flags & SVR__FLOW_MASKED_OUT) && !mask(w))
        return false;
    unsigned actions = svr_session_event(&r->session->machine, r->out,
                                         SVR_SESSION_SEND, w->now);
    r->metadata = actions & SVR_SESSION_ADD_METADATA;
    r->health = svr__health_of(actions);
    if (r->copied)
        return add_copied(w, r, extra);
    if (r->metadata)
        return add_metadata(w, r, extra);
    if (r->health)
        return add_health(w, r);
    if (takes_metrics(w, r, &metrics))
        return add_metrics(w, r, &metrics);
    if (svr__has_cookie(w) && !w->packet->segment_size && !add_mark(w))
        return false;
    if (!(r->flow->flags & SVR__FLOW_SIGNED_OUT))
        return true;
    return svr__touch(w) &&
           svr__sign(w, r->to,
                     &svr__protection_of(n, r->session, r->out)->send);
}
