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

static void cross(struct lab *lab, int from, int to, struct frame *f)
{
    if (++lab->crossed == lab->lose || lab->dead[to] || !lab_node(lab, to) ||
        (lab->carries && !lab->carries(lab, from, to, f)))
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
