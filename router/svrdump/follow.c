#include "follow.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct follow_table {
    void *tree; /* of flows, by their keys */
    size_t count;
    struct follow_flow *oldest, *newest; /* a list, in the order of arrival */
};

enum {
    END = sizeof(svr_addr) + 2, /* an address and a port */
};

struct follow_table *follow_new(void)
{
    return calloc(1, sizeof(struct follow_table));
}

/* A balanced tree: no choice of tuples makes it slow. */
static int compare(const void *a, const void *b)
{
    const struct follow_flow *x = a, *y = b;

    return memcmp(x->key, y->key, sizeof(x->key));
}

static void put_end(uint8_t *out, const svr_addr *a, uint16_t port)
{
    memcpy(out, a, sizeof(*a));
    out[sizeof(*a)] = (uint8_t)(port >> 8);
    out[sizeof(*a) + 1] = (uint8_t)port;
}

/* The key of a tuple, the same for both directions. Returns whether the source
 * is the lower end. */
static bool make_key(struct follow_flow *flow, const svr_tuple *t)
{
    uint8_t *low = flow->key, *high = flow->key + END;
    uint8_t src[END], dst[END];
    bool is_low;

    put_end(src, &t->src, t->sport);
    put_end(dst, &t->dst, t->dport);
    is_low = memcmp(src, dst, END) <= 0;
    memcpy(low, is_low ? src : dst, END);
    memcpy(high, is_low ? dst : src, END);
    flow->key[sizeof(flow->key) - 1] = t->proto;
    return is_low;
}

static struct follow_flow *find(const struct follow_table *t,
                                const struct follow_flow *wanted)
{
    void *node = tfind(wanted, &t->tree, compare);

    return node ? *(struct follow_flow **)node : NULL;
}

/* Takes the oldest flow out of the table. */
static struct follow_flow *take_oldest(struct follow_table *t)
{
    struct follow_flow *flow = t->oldest;

    tdelete(flow, &t->tree, compare);
    t->oldest = flow->next;
    t->count--;
    return flow;
}

static void append(struct follow_table *t, struct follow_flow *flow)
{
    flow->next = NULL;
    if (t->count == 0)
        t->oldest = flow;
    else
        t->newest->next = flow;
    t->newest = flow;
    t->count++;
}

/* The flow of that key, a new one where it is not known, or NULL. */
static struct follow_flow *insert(struct follow_table *t,
                                  const struct follow_flow *wanted)
{
    struct follow_flow *flow = find(t, wanted);

    if (flow)
        return flow;
    flow = t->count == FOLLOW_FLOWS ? take_oldest(t) : malloc(sizeof(*flow));
    if (!flow)
        return NULL;
    *flow = *wanted;
    if (!tsearch(flow, &t->tree, compare)) {
        free(flow);
        return NULL;
    }
    append(t, flow);
    return flow;
}

void follow_free(struct follow_table *t)
{
    while (t && t->count > 0) {
        struct follow_flow *flow = take_oldest(t);
        svr_wipe(flow, sizeof(*flow));
        free(flow);
    }
    free(t);
}

static void set_name(struct follow_name *name, svr_span text)
{
    name->len = (uint8_t)text.len; /* at most SVR_NAME_ACCEPT_MAX */
    if (text.len > 0)
        memcpy(name->text, text.data, text.len);
}

/* Another session than before has the tuple now. */
static void change_over(struct follow_flow *flow, const svr_uuid *uuid)
{
    flow->uuid = *uuid;
    flow->tenant.len = flow->service.len = 0;
    flow->signer[0] = flow->signer[1] = NULL;
    svr_wipe(&flow->unseal, sizeof(flow->unseal));
}

/* Reverse metadata has neither tenant nor service (S6.5). */
static void learn(struct follow_flow *flow, const struct dump_frame *f,
                  bool src_low)
{
    const svr_metadata *md = &f->md;
    bool forward = md->present &
                   (SVR_HAS(FORWARD_CONTEXT_V4) | SVR_HAS(FORWARD_CONTEXT_V6));

    if (memcmp(&flow->uuid, &md->uuid, sizeof(md->uuid)) != 0)
        change_over(flow, &md->uuid);
    flow->client_low = src_low == forward;
    flow->context = forward ? md->forward : svr_tuple_reverse(&md->reverse);
    if (forward) {
        set_name(&flow->tenant, md->tenant);
        set_name(&flow->service, md->service);
    }
    if (f->signer)
        flow->signer[!forward] = f->signer;
    unseal_learn(&flow->unseal, f, !forward);
}

static bool teaches(const struct dump_frame *f)
{
    return f->status == DUMP_OK && f->tag != DUMP_TAG_WRONG &&
           f->tag != DUMP_TAG_NO_BOOT && svr_metadata_is_session(&f->md) &&
           (f->md.present & SVR_HAS(SESSION_UUID));
}

bool follow_frame(struct follow_table *t, struct dump_frame *f)
{
    struct follow_flow wanted = {0}, *flow;
    bool src_low;

    if (!f->is_ip || f->error != 0)
        return true;
    src_low = make_key(&wanted, &f->tuple);
    flow = teaches(f) ? insert(t, &wanted) : find(t, &wanted);
    if (teaches(f)) {
        if (!flow)
            return false;
        learn(flow, f, src_low);
    }
    f->flow = flow;
    f->reverse = flow && flow->client_low != src_low;
    return true;
}
