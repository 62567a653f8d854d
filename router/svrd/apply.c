#include "apply.h"

#include "express.h"
#include "identity.h"
#include "log.h"
#include "neighbour.h"

#include <stdlib.h>
#include <string.h>

/* The ports of the new configuration, and what is made before it is known
 * whether all goes well. */
struct plan {
    struct svrd *d;
    struct config *config;
    FILE *problems;
    struct port **ports;            /* those that stay, and new ones */
    bool *stays;                    /* of each */
    struct neighbours **neighbours; /* of those that stay and have other
                                       addresses */
    size_t count;
};

static int refuse_memory(const struct plan *plan)
{
    fputs("no memory\n", plan->problems);
    return -1;
}

/* What cannot change while the router runs. */

static int check_limit(const struct plan *plan)
{
    size_t is = svr_node_session_limit(plan->d->node);
    size_t wanted = plan->config->node.limits.sessions;

    if (is == wanted)
        return 0;
    fprintf(plan->problems,
            "limits: found sessions: %zu, expected %zu: the table of sessions "
            "keeps its size until svrd is started again\n",
            wanted, is);
    return -1;
}

static bool same_device(const struct config_port *a,
                        const struct config_port *b)
{
    return a->kind == b->kind && strcmp(a->device, b->device) == 0 &&
           memcmp(a->mac, b->mac, sizeof a->mac) == 0;
}

static int check_device(const struct plan *plan, const struct port *p, size_t i)
{
    if (same_device(p->config, &plan->config->ports[i]))
        return 0;
    fprintf(plan->problems,
            "interface %s: it keeps its kind, device and mac until svrd is "
            "started again; a new one needs another name\n",
            p->interface->name);
    return -1;
}

/* A device that an interface of another name has. */
static int check_new(const struct plan *plan, size_t i)
{
    const struct svrd *d = plan->d;
    const char *device = plan->config->ports[i].device;

    for (size_t k = 0; k < d->port_count; k++) {
        if (strcmp(d->ports[k]->config->device, device) != 0)
            continue;
        fprintf(plan->problems,
                "interface %s: %s belongs to interface %s until svrd is "
                "started again\n",
                plan->config->node.interfaces[i].name, device,
                d->ports[k]->interface->name);
        return -1;
    }
    return 0;
}

/* Ports */

static struct port *find_port(const struct svrd *d, const char *name)
{
    for (size_t i = 0; i < d->port_count; i++)
        if (strcmp(d->ports[i]->interface->name, name) == 0)
            return d->ports[i];
    return NULL;
}

static void end_port(struct port *p)
{
    loop_remove_port(p);
    forward_remove(p);
    port_close(p);
    free(p);
}

static int open_port(struct plan *plan, struct port *p)
{
    struct svrd *d = plan->d;

    if (port_open(p) < 0) {
        if (!d->privileges.keep)
            fputs("svrd has given up the right to open devices that do not "
                  "belong to its user; start it again\n",
                  plan->problems);
        return -1;
    }
    express_open(p, &plan->config->node);
    if (forward_add(&d->forward, p, &plan->config->node.random) < 0)
        return refuse_memory(plan);
    return loop_add_port(&d->loop, p);
}

static int add_port(struct plan *plan, size_t i)
{
    struct port *p;

    if (check_new(plan, i) < 0)
        return -1;
    p = malloc(sizeof *p);
    if (p == NULL)
        return refuse_memory(plan);
    port_init(p, plan->config, (uint16_t)i);
    if (open_port(plan, p) < 0) {
        end_port(p);
        return -1;
    }
    plan->ports[i] = p;
    return 0;
}

static bool same_addresses(const svr_interface_config *a,
                           const svr_interface_config *b)
{
    if (a->address_count != b->address_count)
        return false;
    for (size_t i = 0; i < a->address_count; i++)
        if (a->addresses[i].len != b->addresses[i].len ||
            !svr_addr_equal(&a->addresses[i].addr, &b->addresses[i].addr))
            return false;
    return true;
}

/* What its neighbours know is only lost with its addresses. */
static int keep_port(struct plan *plan, struct port *p, size_t i)
{
    const svr_interface_config *to = &plan->config->node.interfaces[i];

    if (check_device(plan, p, i) < 0)
        return -1;
    plan->ports[i] = p;
    plan->stays[i] = true;
    if (!p->ethernet || same_addresses(p->interface, to))
        return 0;
    plan->neighbours[i] = forward_neighbours(p, to, &plan->config->node.random);
    return plan->neighbours[i] != NULL ? 0 : refuse_memory(plan);
}

static int plan_ports(struct plan *plan)
{
    const svr_node_config *node = &plan->config->node;
    int status = 0;

    for (size_t i = 0; i < plan->count; i++) {
        struct port *p = find_port(plan->d, node->interfaces[i].name);

        if ((p != NULL ? keep_port(plan, p, i) : add_port(plan, i)) < 0)
            status = -1;
    }
    return status;
}

static bool is_planned(const struct plan *plan, const struct port *p)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->ports[i] == p)
            return true;
    return false;
}

/* Plans */

static int open_plan(struct plan *plan, struct svrd *d, struct config *config,
                     FILE *problems)
{
    size_t count = config->node.interface_count;

    *plan = (struct plan){.d = d, .config = config, .problems = problems};
    config->node.alloc = d->config->node.alloc;
    config->node.random = d->config->node.random;
    config->node.boot = d->config->node.boot;
    plan->ports = calloc(count + 1, sizeof(struct port *));
    plan->stays = calloc(count + 1, sizeof *plan->stays);
    plan->neighbours = calloc(count + 1, sizeof(struct neighbours *));
    if (plan->ports == NULL || plan->stays == NULL || plan->neighbours == NULL)
        return refuse_memory(plan);
    plan->count = count;
    return check_limit(plan) < 0 ? -1 : identity_assign(d, config, problems);
}

static void close_plan(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (!plan->stays[i] && plan->ports[i] != NULL)
            end_port(plan->ports[i]);
        neighbours_destroy(plan->neighbours[i]);
    }
    free(plan->ports);
    free(plan->stays);
    free(plan->neighbours);
}

/* Nothing fails from here on. */

static void remove_ports(const struct plan *plan)
{
    const struct svrd *d = plan->d;

    for (size_t i = 0; i < d->port_count; i++)
        if (!is_planned(plan, d->ports[i]))
            end_port(d->ports[i]);
}

static void assign_port(struct plan *plan, size_t i)
{
    struct port *p = plan->ports[i];

    if (!plan->stays[i])
        return;
    port_assign(p, plan->config, (uint16_t)i);
    if (plan->neighbours[i] != NULL) {
        forward_remove(p);
        p->neighbours = plan->neighbours[i];
        plan->neighbours[i] = NULL;
        forward_announce(p);
    }
    express_renew(p, &plan->config->node);
    loop_renew_port(&plan->d->loop, p);
}

static void commit(struct plan *plan)
{
    struct svrd *d = plan->d;
    struct config *before = d->config;

    remove_ports(plan);
    for (size_t i = 0; i < plan->count; i++)
        assign_port(plan, i);
    free(d->ports);
    d->ports = d->forward.ports = plan->ports;
    d->port_count = d->forward.port_count = plan->count;
    d->config = plan->config;
    d->report.config = d->config;
    d->report.ports = d->ports;
    d->report.port_count = d->port_count;
    d->report.loaded = uv_hrtime();
    watch_look(&d->loop.watch, d->node, d->report.loaded);
    config_free(before);
    plan->ports = NULL;
    plan->count = 0;
    forward_drain(&d->forward, d->report.loaded);
}

static int explain(const struct plan *plan, int err)
{
    if (err < 0)
        fprintf(plan->problems, "router %s: %s\n", plan->config->router,
                svr_strerror(err));
    return err < 0 ? -1 : 0;
}

static int change_node(struct plan *plan, svr_reconfiguration *out)
{
    struct svrd *d = plan->d;
    svr_time now = uv_hrtime();

    if (watch_reserve(&d->loop.watch, plan->config->node.pathway_count) < 0)
        return refuse_memory(plan);
    forward_drain(&d->forward, now);
    return explain(
        plan, svr_node_reconfigure(d->node, &plan->config->node, now, out));
}

int apply_config(struct svrd *d, struct config *config,
                 svr_reconfiguration *out, FILE *problems)
{
    struct plan plan;
    int status = open_plan(&plan, d, config, problems);

    log_redirect(problems);
    if (status == 0)
        status = plan_ports(&plan);
    log_redirect(NULL);
    if (status == 0)
        status = change_node(&plan, out);
    if (status == 0)
        commit(&plan);
    close_plan(&plan);
    return status;
}

static int try_ports(const struct plan *plan)
{
    const svr_node_config *node = &plan->config->node;
    int status = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const struct port *p = find_port(plan->d, node->interfaces[i].name);

        if ((p != NULL ? check_device(plan, p, i) : check_new(plan, i)) < 0)
            status = -1;
    }
    return status;
}

int apply_try(struct svrd *d, struct config *config, svr_reconfiguration *out,
              FILE *problems)
{
    struct plan plan;
    svr_time now = uv_hrtime();
    int status = open_plan(&plan, d, config, problems);

    if (status == 0)
        status = try_ports(&plan);
    if (status == 0) {
        forward_drain(&d->forward, now);
        status = explain(
            &plan, svr_node_reconfigure_try(d->node, &config->node, now, out));
    }
    close_plan(&plan);
    return status;
}
