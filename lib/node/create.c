/* A node is built, with all the memory that it will ever use, and taken down.
 */
#include "node/node.h"

#include "base/memory.h"

/* Two MACs for each side of each session, where plain packets are signed. The
 * memory is not cleared, so that only what is used becomes resident. */
int svr__protections_init(svr_node *n, const svr_node *setup)
{
    bool wanted = false;
    for (size_t i = 0; i < setup->security_count; i++)
        wanted |= setup->securities[i].per_packet;
    if (!wanted || n->protections)
        return 0;
    n->protections = svr__reserve(&n->alloc, 2 * (size_t)n->table.cap,
                                  sizeof(svr__protection));
    return n->protections ? 0 : SVR_ERR_NO_MEMORY;
}

static int make_arrays(svr_node *n)
{
    n->outbox.bytes = svr__alloc(&n->alloc, SVR__OUTBOX, SVR__OUTBOX_BYTES);
    n->recent = svr__alloc(&n->alloc, SVR__RECENT, sizeof(svr__recent));
    n->wishes = svr__alloc(&n->alloc, SVR__WISHES, sizeof(svr__wish));
    n->refused = svr__alloc(&n->alloc, SVR__RECENT, sizeof(svr__recent));
    return n->outbox.bytes && n->recent && n->wishes && n->refused
               ? 0
               : SVR_ERR_NO_MEMORY;
}

static int build(svr_node *n, const svr_node_config *c, svr_time now)
{
    int err = make_arrays(n);
    if (err == 0)
        err = svr__table_init(&n->table, (uint32_t)c->limits.sessions,
                              &n->random, now, &n->alloc);
    if (err == 0)
        err = svr__token_init(n, c);
    if (err == 0)
        err = svr__setup_build(n, c, now);
    if (err == 0)
        err = svr__protections_init(n, n);
    if (err == 0)
        err = svr__sealings_init(n, n);
    if (err == 0)
        err = svr__copies_init(n);
    if (err == 0)
        err = svr__versions_init(n);
    if (err == 0)
        err = svr__reassembly_init(n);
    return err;
}

int svr_node_create(svr_node **out, const svr_node_config *config, svr_time now)
{
    int err = svr_crypto_init();
    if (err == 0)
        err = svr__config_check(config);
    if (err < 0)
        return err;
    svr_node *n = svr__alloc(&config->alloc, 1, sizeof(*n));
    if (!n)
        return SVR_ERR_NO_MEMORY;
    n->alloc = config->alloc;
    n->random = config->random;
    n->notify = config->notify;
    n->boot = config->boot;
    n->first_number = (uint64_t)config->boot << 32 | 1;
    n->started = now;
    n->unix_offset = n->clock = 0 - now;
    n->tours_due = SVR_NEVER;
    n->keying_due = config->identity ? now : SVR_NEVER;
    svr__token_age(n, now);
    err = build(n, config, now);
    if (err < 0) {
        svr_node_destroy(n);
        return err;
    }
    *out = n;
    return 0;
}

static void free_protections(svr_node *n)
{
    if (!n->protections)
        return;
    for (uint32_t i = 0; i < n->table.cap; i++)
        if (n->table.sessions[i].alive)
            svr__protection_wipe(n, &n->table.sessions[i]);
    svr__free(&n->alloc, n->protections, 2 * (size_t)n->table.cap,
              sizeof(svr__protection));
}

void svr_node_destroy(svr_node *n)
{
    if (!n)
        return;
    svr_allocator a = n->alloc;
    free_protections(n);
    svr__sealings_fini(n);
    svr__copies_fini(n);
    svr__versions_fini(n);
    svr__setup_free(n);
    svr__token_fini(n);
    if (n->table.sessions)
        svr__table_fini(&n->table);
    svr_reassembly_destroy(n->clients);
    svr_reassembly_destroy(n->fabric);
    svr__free(&a, n->wishes, SVR__WISHES, sizeof(svr__wish));
    svr__free(&a, n->refused, SVR__RECENT, sizeof(svr__recent));
    svr__free(&a, n->recent, SVR__RECENT, sizeof(svr__recent));
    svr__free(&a, n->outbox.bytes, SVR__OUTBOX, SVR__OUTBOX_BYTES);
    svr_wipe(n, sizeof(*n));
    svr__free(&a, n, 1, sizeof(*n));
}

void svr_node_set_unix_time(svr_node *n, uint64_t unix_ns, svr_time now)
{
    n->unix_offset = unix_ns - now;
    svr__clock_start(n, n->unix_offset);
    svr__resync_tokens(n, now);
}
