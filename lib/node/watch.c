/* Pathways that are watched (S14, S15): what each svr_pathway wants sent and
 * what follows for sessions. */
#include "node/node.h"

#include <string.h>

static void arm(svr_node *n, svr__pathway *pw)
{
    svr__wheel_arm(&n->watch_due, (uint32_t)(pw - n->pathways),
                   svr__watch_time(svr_pathway_due(pw->watch)));
}

static svr_pathway_settings settings_of(const svr_node *n,
                                        const svr_pathway_config *c)
{
    svr_pathway_settings s = c->watch;
    s.local.addr = c->local;
    s.remote.addr = c->remote;
    s.boot_counter = n->boot;
    s.mtu = n->interfaces[c->iface].config.mtu;
    return s;
}

int svr__watch_init(svr_node *n, svr__pathway *pw, const svr_pathway_config *c,
                    svr_time now)
{
    svr_pathway_settings settings = settings_of(n, c);
    size_t number = (size_t)(pw - n->pathways);

    pw->mask_always = pw->tcp_as_udp = c->tcp_as_udp;
    pw->mtu = settings.mtu;
    pw->up = pw->ready = c->unwatched;
    if (c->unwatched)
        return 0;
    pw->plain = settings.plain;
    pw->bfd_ttl = c->bfd_ttl;
    pw->watch =
        (svr_pathway *)(void *)(n->watches + number * svr_pathway_size());
    int err = svr_pathway_init(pw->watch, &settings, &n->random, now);
    if (err == 0)
        arm(n, pw);
    return err;
}

static svr__pathway *find_name(svr_node *n, const char *name)
{
    for (size_t i = 0; i < n->pathway_count; i++)
        if (strcmp(n->pathways[i].name, name) == 0)
            return &n->pathways[i];
    return NULL;
}

int svr_node_pathway_admin(svr_node *n, const char *name, bool down,
                           svr_time now)
{
    svr__pathway *pw = find_name(n, name);
    if (!pw)
        return SVR_ERR_NOT_FOUND;
    if (pw->watch) {
        svr_pathway_admin(pw->watch, down, now);
        arm(n, pw);
    } else {
        pw->up = pw->ready = !down;
    }
    return 0;
}

static void describe_unwatched(const svr__pathway *pw, svr_pathway_info *out)
{
    *out = (svr_pathway_info){
        .state = pw->up ? SVR_BFD_UP : SVR_BFD_ADMIN_DOWN,
    };
}

int svr_node_pathway_next(const svr_node *n, size_t *cursor,
                          svr_node_pathway *out, svr_time now)
{
    if (*cursor >= n->pathway_count)
        return 0;
    const svr__pathway *pw = &n->pathways[(*cursor)++];
    *out = (svr_node_pathway){
        .name = pw->name,
        .peer = n->peers[pw->peer].name,
        .interface = n->interfaces[pw->iface].config.name,
        .security = n->securities[pw->security].name,
        .local = pw->local,
        .remote = pw->configured,
        .unwatched = !pw->watch,
        .sessions = pw->sessions,
    };
    if (pw->watch)
        svr_pathway_describe(pw->watch, &out->info, now);
    else
        describe_unwatched(pw, &out->info);
    return 1;
}
