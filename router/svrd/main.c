/* svrd - a reference router for Secure Vector Routing. */
#include "common/paths.h"
#include "express.h"
#include "identity.h"
#include "log.h"
#include "random.h"
#include "reload.h"
#include "requests.h"
#include "state.h"
#include "svrd.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 * 1024 * 1024)

/* Tables are asked for in huge pages: a flow is then found in three quarters of
 * the time (bench/sessions). Where there are none, they are as good as others.
 * They would be left out of a core file, for keys of sessions are in them. */
static void *allocate(void *user, size_t len)
{
    void *memory;

    (void)user;
    if (len < HUGE_PAGE)
        return malloc(len);
    if (posix_memalign(&memory, HUGE_PAGE, len) != 0)
        return NULL;
    madvise(memory, len, MADV_HUGEPAGE);
    madvise(memory, len, MADV_DONTDUMP);
    return memory;
}

static void release(void *user, void *ptr, size_t len)
{
    (void)user;
    (void)len;
    free(ptr);
}

static int check(const struct options *o)
{
    struct config *c = config_load(o->file, o->router, o->keys, stderr);

    if (c == NULL)
        return EXIT_FAILURE;
    if (o->router != NULL)
        printf("%s: ok (authority %s, router %s)\n", o->file, c->authority,
               c->router);
    else
        printf("%s: ok (authority %s, all routers)\n", o->file, c->authority);
    config_free(c);
    return EXIT_SUCCESS;
}

/* Names of routers become names of files. */
static bool is_file_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
}

/* Where files are, for as long as svrd runs, wherever that may be. */
static int find_files(struct svrd *d)
{
    const struct options *o = d->options;

    d->file = paths_whole(o->file);
    if (d->file == NULL) {
        log_error("%s: %s", o->file, strerror(errno));
        return -1;
    }
    d->keys = o->keys != NULL ? realpath(o->keys, NULL) : NULL;
    if (o->keys != NULL && d->keys == NULL) {
        log_error("%s: %s", o->keys, strerror(errno));
        return -1;
    }
    return 0;
}

/* Nothing has been read yet. */
static int prepare(struct svrd *d)
{
    if (find_files(d) < 0 ||
        privileges_choose(&d->privileges, d->options->user) < 0)
        return -1;
    if (!d->privileges.change)
        return 0;
    d->opener = opener_start(d->file, d->keys);
    return d->opener != NULL ? 0 : -1;
}

static int load(struct svrd *d)
{
    char host[HOST_NAME_MAX + 1] = "";
    const char *router = d->options->router;

    if (router == NULL) {
        gethostname(host, sizeof host - 1);
        router = host;
    }
    d->config = config_load(d->file, router, d->keys, stderr);
    if (d->config == NULL)
        return -1;
    if (!is_file_name(d->config->router)) {
        log_error("a router of the name %s cannot run: files are named after "
                  "it",
                  d->config->router);
        return -1;
    }
    return 0;
}

/* All ports are there before the first is opened, whatever becomes of that. */
static int make_ports(struct svrd *d)
{
    size_t count = d->config->node.interface_count;

    d->ports = calloc(count + 1, sizeof(struct port *));
    while (d->ports != NULL && d->port_count < count) {
        struct port *p = malloc(sizeof *p);

        if (p == NULL)
            break;
        port_init(p, d->config, (uint16_t)d->port_count);
        d->ports[d->port_count++] = p;
    }
    if (d->ports != NULL && d->port_count == count)
        return 0;
    log_error("no memory");
    return -1;
}

static int open_ports(struct svrd *d)
{
    if (make_ports(d) < 0)
        return -1;
    for (size_t i = 0; i < d->port_count; i++) {
        if (port_open(d->ports[i]) < 0)
            return -1;
        express_open(d->ports[i], &d->config->node);
    }
    if (forward_init(&d->forward, d->ports, d->port_count,
                     &d->config->node.random) < 0) {
        log_error("no memory");
        return -1;
    }
    return 0;
}

static int open_control(struct svrd *d)
{
    const char *path = d->options->socket;
    char buf[PATH_MAX];

    if (path == NULL) {
        snprintf(buf, sizeof buf, "%s/%s%s", PATHS_RUN, d->config->router,
                 PATHS_SOCKET_SUFFIX);
        path = buf;
    }
    d->control = control_open(path, &d->privileges);
    return d->control != NULL ? 0 : -1;
}

static int create_node(struct svrd *d)
{
    svr_node_config *c = &d->config->node;
    int err;

    if (identity_assign(d, d->config, stderr) < 0 ||
        state_next_boot(&c->boot, d->options->state, d->config->router) < 0 ||
        state_recovery_key(c->recovery_key, &c->random, d->options->state,
                           d->config->router) < 0)
        return -1;
    err = svr_node_create(&d->node, c, uv_hrtime());
    svr_wipe(c->recovery_key, sizeof c->recovery_key);
    if (err < 0) {
        log_error("router %s: %s", d->config->router, svr_strerror(err));
        return -1;
    }
    d->forward.node = d->node;
    return 0;
}

static void on_hangup(void *user)
{
    reload_apply(user, NULL, NULL);
}

static int start(struct svrd *d)
{
    if (loop_init(&d->loop, &d->forward, d->control,
                  d->config->node.pathway_count) < 0)
        return -1;
    d->report = (struct report){
        .config = d->config,
        .node = d->node,
        .ports = d->ports,
        .port_count = d->port_count,
        .started = uv_hrtime(),
        .loaded = uv_hrtime(),
    };
    d->events.control = d->control;
    d->loop.events = &d->events;
    d->loop.hangup = on_hangup;
    d->loop.user = d;
    if (control_listen(d->control, &d->loop.uv, requests_handle, d) < 0) {
        loop_close(&d->loop);
        return -1;
    }
    return 0;
}

static int build(struct svrd *d)
{
    if (prepare(d) < 0 || load(d) < 0)
        return -1;
    d->config->node.alloc = (svr_allocator){allocate, release, NULL};
    d->config->node.random = random_system();
    d->config->node.notify = (svr_notify){events_notify, &d->events};
    /* Devices first: without privileges they are what is missing. */
    if (open_ports(d) < 0 || open_control(d) < 0 || create_node(d) < 0 ||
        privileges_drop(&d->privileges) < 0)
        return -1;
    return start(d);
}

static void destroy(struct svrd *d)
{
    d->events.control = NULL;
    control_free(d->control);
    forward_close(&d->forward);
    svr_node_destroy(d->node);
    for (size_t i = 0; i < d->port_count; i++) {
        port_close(d->ports[i]);
        free(d->ports[i]);
    }
    free(d->ports);
    config_free(d->config);
    svr_secret_free(d->identity); /* wipes */
    opener_end(d->opener);
    free(d->file);
    free(d->keys);
}

static int run(const struct options *o)
{
    struct svrd d = {.options = o};
    int status = EXIT_FAILURE;

    signal(SIGPIPE, SIG_IGN);
    privileges_protect();
    if (build(&d) == 0) {
        log_info("router %s of authority %s is running", d.config->router,
                 d.config->authority);
        loop_run(&d.loop);
        status = EXIT_SUCCESS;
    }
    destroy(&d);
    return status;
}

int main(int argc, char **argv)
{
    struct options options;

    switch (options_read(&options, argc, argv)) {
    case OPTIONS_RUN:
        return options.check ? check(&options) : run(&options);
    case OPTIONS_DONE:
        return EXIT_SUCCESS;
    case OPTIONS_WRONG:
        break;
    }
    return 2;
}
