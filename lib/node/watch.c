/* Pathways that are watched (S14, S15): what each svr_pathway wants sent and
 * what follows for sessions. */
#include "node/node.h"

#include <string.h>

enum {
    /* Pathways looked at in one call. */
    EXPIRY_BATCH = 4096,
};

void svr__watch_arm(svr_node *n, const svr__pathway *pw)
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

/* Where messages come to: the least range of ports that holds them all. */
static void expect_port(svr_node *n, uint16_t port)
{
    uint32_t first = n->watch_port, end = first + n->watch_ports;

    if (n->watch_ports == 0) {
        first = port;
        end = port + 1u;
    }
    if (port < first)
        first = port;
    if (port >= end)
        end = port + 1u;
    n->watch_port = (uint16_t)first;
    n->watch_ports = (uint16_t)(end - first);
}

int svr__watch_init(svr_node *n, svr__pathway *pw, const svr_pathway_config *c,
                    svr_time now)
{
    svr_pathway_settings settings = settings_of(n, c);
    size_t number = (size_t)(pw - n->pathways);

    pw->mask_always = pw->tcp_as_udp = c->tcp_as_udp;
    pw->mtu = settings.mtu;
    pw->settings = settings;
    pw->up = pw->ready = c->unwatched;
    if (c->unwatched)
        return 0;
    pw->plain = settings.plain;
    pw->bfd_port = pw->plain ? settings.remote.port : settings.local.port;
    expect_port(n, pw->bfd_port);
    if (!pw->plain) {
        expect_port(n, SVR_TCP_PROBE_PORT);
        expect_port(n, SVR_TCP_PROBE_OTHER_PORT);
    }
    pw->bfd_ttl = c->bfd_ttl;
    pw->watch =
        (svr_pathway *)(void *)(n->watches + number * svr_pathway_size());
    int err = svr_pathway_init(pw->watch, &settings, &n->random, now);
    if (err == 0)
        svr__watch_arm(n, pw);
    return err;
}

/* Does something to each session that goes along the pathway. side: where. */
static void for_sessions(svr_node *n, const svr__pathway *pw,
                         void (*act)(svr_node *n, svr__session *s,
                                     unsigned side, svr_time now),
                         svr_time now)
{
    uint16_t number = (uint16_t)(pw - n->pathways);
    uint64_t left = pw->sessions;

    for (uint32_t i = 0; left > 0 && i < n->table.cap; i++) {
        svr__session *s = &n->table.sessions[i];
        for (unsigned side = 0; s->alive && side < 2; side++) {
            if (s->side[side].pathway != number)
                continue;
            act(n, s, side, now);
            left--;
        }
    }
}

/* Packets that would leave by it are looked at one by one. */
static void hold_session(svr_node *n, svr__session *s, unsigned side,
                         svr_time now)
{
    (void)now;
    svr__session_flow(&n->table, s, !side)->flags |= SVR__FLOW_SLOW;
}

static void resize_session(svr_node *n, svr__session *s, unsigned side,
                           svr_time now)
{
    (void)now;
    svr__session_flow(&n->table, s, !side)->mtu =
        n->pathways[s->side[side].pathway].mtu;
}

static void set_state(svr_node *n, svr__pathway *pw, bool up, bool ready,
                      svr_time now)
{
    bool was_up = pw->up;

    pw->up = up;
    pw->ready = ready;
    if (was_up && !up)
        for_sessions(n, pw, hold_session, now);
    if (!was_up && up)
        svr__wishes_doubt(n, (uint16_t)(pw - n->pathways));
    if (!was_up && up)
        svr__keying_follow(n, pw->peer, now);
    svr__choices_state(n);
    svr__moves_begin(n, pw, now);
    svr__learn_follow(n, pw, now);
    svr__notify_pathway(n, pw, now);
}

/* The first search takes a moment. Until it has found something, what the
 * interface takes is a better guess than the floor: hosts remember for minutes
 * what they are told. */
static void take_mtu(svr_node *n, svr__pathway *pw,
                     const svr_pathway_info *info, svr_time now)
{
    if (!info->mtu_known || info->mtu == pw->mtu)
        return;
    pw->mtu = info->mtu;
    for_sessions(n, pw, resize_session, now);
}

/* S8.1 */
static void watch_session(svr_node *n, svr__session *s, unsigned side,
                          svr_time now)
{
    (void)now;
    svr__health_watch(n, s, side);
    svr__session_arm(n, s);
}

static void take_nat(svr_node *n, svr__pathway *pw,
                     const svr_pathway_info *info, svr_time now)
{
    bool before = pw->own_nat;

    pw->peer_nat = info->peer_nat;
    pw->own_nat = info->own_nat;
    if (pw->own_nat != before)
        for_sessions(n, pw, watch_session, now);
}

static void take_pinholes(svr_node *n, svr__pathway *pw, svr_time now)
{
    svr_pinhole got;

    while (svr_pathway_pinhole(pw->watch, &got))
        svr__wish_result(n, (uint16_t)(pw - n->pathways), &got, now);
}

/* What changed, for sessions. */
static void follow(svr_node *n, svr__pathway *pw, unsigned changes,
                   svr_time now)
{
    svr_pathway_info info;

    svr_pathway_describe(pw->watch, &info, now);
    if (changes & SVR_PATHWAY_CHANGED_QUALITY)
        svr__choices_figures(n, now);
    if (changes & SVR_PATHWAY_CHANGED_STATE)
        set_state(n, pw, info.state == SVR_BFD_UP, info.ready, now);
    if (changes & SVR_PATHWAY_CHANGED_QUALITY)
        svr__learn_follow(n, pw, now);
    take_mtu(n, pw, &info, now);
    take_nat(n, pw, &info, now);
    if (changes & SVR_PATHWAY_CHANGED_PINHOLE)
        take_pinholes(n, pw, now);
    if (changes & SVR_PATHWAY_CHANGED_TCP)
        pw->tcp_as_udp = pw->mask_always || info.tcp_as_udp;
    if (changes & SVR_PATHWAY_CHANGED_NAT) {
        svr__pathway_move(n, pw, &info.peer.addr);
        svr__wishes_doubt(n, (uint16_t)(pw - n->pathways));
        svr__resync_pathway(n, pw, now);
    }
    svr__resync_heard(n, pw, info.peer_boot_counter, now);
}

/* A message that finds no room in the outbox waits for it. */
static void speak(svr_node *n, svr__pathway *pw, svr_time now)
{
    svr_pathway_message m;

    while (n->outbox.count < SVR__OUTBOX &&
           svr_pathway_send(pw->watch, &m, now))
        svr__watch_post(n, pw, &m, now);
}

void svr__watch_serve(svr_node *n, svr__pathway *pw, unsigned changes,
                      svr_time now)
{
    changes |= svr_pathway_handle(pw->watch, now);
    speak(n, pw, now);
    follow(n, pw, changes, now);
    svr__watch_arm(n, pw);
}

bool svr__watch_mark(svr_node *n, svr__pathway *pw, svr_path_metrics *out,
                     svr_time now)
{
    bool marked = svr_pathway_mark(pw->watch, out, now);

    svr__watch_arm(n, pw);
    return marked;
}

void svr__watch_marked(svr_node *n, svr__pathway *pw, const svr_path_metrics *m,
                       svr_time now)
{
    svr_pathway_marked(pw->watch, m, now);
    svr__watch_arm(n, pw);
}

svr_time svr__watch_expiry(const svr_node *n)
{
    svr_time next = svr__wheel_next(&n->watch_due);

    return next == SVR_NEVER ? next : next >> SVR__WATCH_BITS;
}

void svr__watch_expire(svr_node *n, svr_time now)
{
    uint32_t number;

    for (int i = 0;
         i < EXPIRY_BATCH && n->outbox.count < SVR__OUTBOX &&
         svr__wheel_expire(&n->watch_due, svr__watch_time(now), &number);
         i++)
        svr__watch_serve(n, &n->pathways[number], 0, now);
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
        svr__watch_serve(n, pw, 0, now);
        return 0;
    }
    set_state(n, pw, !down, !down, now);
    return 0;
}
