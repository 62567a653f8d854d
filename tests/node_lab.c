#include "node_lab.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

svr_node *lab_node(struct lab *lab, int router)
{
    return router == LAB_BRANCH ? lab->net.branch
           : router == LAB_DC   ? lab->net.dc
                                : lab->net.hub;
}

static svr_node **place_of(struct lab *lab, int router)
{
    return router == LAB_BRANCH ? &lab->net.branch
           : router == LAB_DC   ? &lab->net.dc
                                : &lab->net.hub;
}

static void carry(struct lab *lab, int from);

static void reach_host(struct lab *lab, int router, struct frame *f)
{
    svr_headers h = frame_headers(f);
    lab->got[router]++;
    lab->resets +=
        h.tuple.proto == SVR_PROTO_TCP && (h.tcp_flags & SVR_TCP_RST);
    frame_free(&lab->last[router]);
    lab->last[router] = *f;
    f->buf = NULL;
}

static void rewrite(struct frame *f, const svr_headers *h, const svr_tuple *to)
{
    svr_rewrite rw;
    svr_rewrite_init(&rw, &h->tuple, to);
    svr_packet_rewrite(&f->p, h, &rw);
}

static bool same_remote(const struct lab_mapping *m, const svr_addr *addr,
                        uint16_t port)
{
    return svr_addr_equal(&m->remote, addr) && m->remote_port == port;
}

static uint16_t outside_port(struct lab_nat *nat, const svr_tuple *t)
{
    for (size_t i = 0; i < nat->count; i++)
        if (nat->mapping[i].proto == t->proto &&
            nat->mapping[i].inside == t->sport)
            return nat->mapping[i].outside;
    return nat->next++;
}

static void leave_nat(struct lab_nat *nat, struct frame *f)
{
    svr_headers h = frame_headers(f);
    svr_tuple to = h.tuple;
    to.src = addr("203.0.113.77");
    to.sport = outside_port(nat, &h.tuple);
    rewrite(f, &h, &to);
    for (size_t i = 0; i < nat->count; i++)
        if (nat->mapping[i].outside == to.sport &&
            same_remote(&nat->mapping[i], &to.dst, to.dport))
            return;
    cr_assert_lt(nat->count, LAB_MAPPINGS);
    nat->mapping[nat->count++] = (struct lab_mapping){
        to.proto, h.tuple.sport, to.sport, to.dst, to.dport};
}

/* False: there is no mapping for it. */
static bool enter_nat(const struct lab_nat *nat, struct frame *f)
{
    svr_headers h = frame_headers(f);
    svr_tuple to = h.tuple;
    for (size_t i = 0; i < nat->count; i++) {
        const struct lab_mapping *m = &nat->mapping[i];
        if (m->proto != to.proto || m->outside != to.dport ||
            !same_remote(m, &to.src, to.sport))
            continue;
        to.dst = addr("203.0.113.1");
        to.dport = m->inside;
        rewrite(f, &h, &to);
        return true;
    }
    return false;
}

static bool pass_nat(struct lab *lab, int from, int to, struct frame *f)
{
    if (lab->nat.on && from == LAB_BRANCH)
        leave_nat(&lab->nat, f);
    return !lab->nat.on || to != LAB_BRANCH || enter_nat(&lab->nat, f);
}

void lab_rebind(struct lab *lab)
{
    lab->nat.count = 0;
}

static void cross(struct lab *lab, int from, int to, struct frame *f)
{
    if (++lab->crossed == lab->lose || lab->dead[to] || !lab_node(lab, to) ||
        (lab->carries && !lab->carries(lab, from, to, f)) ||
        !pass_nat(lab, from, to, f))
        return;
    net_input(&lab->net, lab_node(lab, to), f, NET_WAN);
    carry(lab, to);
}

/* What a router has just sent goes where its next hops say. */
static void carry(struct lab *lab, int from)
{
    size_t count = lab->net.out_count;
    struct frame *frames = calloc(count + 1, sizeof(*frames));
    int *to = calloc(count + 1, sizeof(*to));
    for (size_t i = 0; i < count; i++) {
        const svr_packet *p = &lab->net.out[i].p;
        to[i] = p->iface == NET_WAN ? p->next_hop.b[15] % NET_TWIN : 0;
        if (to[i] == 77)
            to[i] = LAB_BRANCH;
        frames[i] = net_take(&lab->net, i);
    }
    for (size_t i = 0; i < count; i++) {
        if (to[i] == 0)
            reach_host(lab, from, &frames[i]);
        else if (to[i] < LAB_ROUTERS)
            cross(lab, from, to[i], &frames[i]);
        frame_free(&frames[i]);
    }
    free(to);
    free(frames);
}

static svr_time due_of(struct lab *lab, int router)
{
    svr_node *n = lab_node(lab, router);
    svr_time due = n && !lab->dead[router] ? svr_node_expiry(n) : SVR_NEVER;
    return due > lab->net.now ? due : lab->net.now;
}

void lab_run(struct lab *lab, svr_time duration)
{
    svr_time end = lab->net.now + duration;
    for (;;) {
        int first = LAB_BRANCH;
        for (int i = LAB_DC; i < LAB_ROUTERS; i++)
            if (due_of(lab, i) < due_of(lab, first))
                first = i;
        if (due_of(lab, first) > end)
            break;
        net_run(&lab->net, lab_node(lab, first), due_of(lab, first));
        carry(lab, first);
    }
    lab->net.now = end;
}

void lab_open(struct lab *lab, struct net_options options)
{
    memset(lab, 0, sizeof(*lab));
    options.watched = true;
    lab->nat = (struct lab_nat){.on = options.hidden, .next = 30001};
    net_open(&lab->net, &options);
    lab_run(lab, 20 * SVR_SECOND);
}

void lab_close(struct lab *lab)
{
    for (int i = 0; i < LAB_ROUTERS; i++)
        frame_free(&lab->last[i]);
    net_close(&lab->net);
}

enum svr_drop lab_host(struct lab *lab, int router, struct frame f)
{
    enum svr_drop reason =
        net_input(&lab->net, lab_node(lab, router), &f, NET_LAN);
    frame_free(&f);
    carry(lab, router);
    return reason;
}

void lab_kill(struct lab *lab, int router)
{
    lab->dead[router] = true;
}

void lab_restart(struct lab *lab, int router)
{
    lab->dead[router] = false;
    net_restart(&lab->net, place_of(lab, router));
}

svr_session_info lab_session(struct lab *lab, int router)
{
    svr_session_info info;
    size_t cursor = 0;
    cr_assert_eq(svr_node_session_next(lab_node(lab, router), &cursor, &info),
                 1, "router %d has no session", router);
    return info;
}
