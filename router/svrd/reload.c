#include "reload.h"

#include "apply.h"
#include "diff.h"
#include "log.h"

#include <stdlib.h>
#include <string.h>

struct reload {
    uv_work_t work;
    struct svrd *d;
    struct control_client *client;
    void (*finish)(struct reload *r);
    char *file, *router;
    struct config *config; /* what was read, or NULL */
    FILE *report;          /* into problems */
    char *problems;        /* lines */
    size_t problems_len;
};

/* Answers */

static void answer(const struct reload *r, json_t *document)
{
    if (r->client != NULL)
        control_reply(r->client, report_line(document));
    json_decref(document);
}

static json_t *lines_of(char *text)
{
    json_t *list = json_array();
    char *rest = text;
    char *line;

    while ((line = strsep(&rest, "\n")) != NULL)
        if (line[0] != '\0')
            json_array_append_new(list, json_string(line));
    return list;
}

/* What runs goes on. */
static void refuse(struct reload *r)
{
    json_t *document = report_error("the configuration is refused");
    json_t *lines = lines_of(r->problems);
    size_t i;
    json_t *line;

    json_object_set_new(json_object_get(document, "data"), "problems", lines);
    json_array_foreach(lines, i, line)
    {
        log_error("%s", json_string_value(line));
    }
    log_error("the configuration in %s is refused; what runs goes on", r->file);
    answer(r, document);
}

static json_t *outcome(const svr_reconfiguration *out)
{
    return json_pack("{s:{s:I, s:I}, s:{s:I, s:I, s:I}}", "sessions", "kept",
                     (json_int_t)out->sessions_kept, "ended",
                     (json_int_t)out->sessions_ended, "pathways", "kept",
                     (json_int_t)out->pathways_kept, "restarted",
                     (json_int_t)out->pathways_restarted, "ended",
                     (json_int_t)out->pathways_ended);
}

/* What was to be done */

/* Lines of the problems end here. */
static void close_report(struct reload *r)
{
    if (r->report != NULL)
        fclose(r->report);
    r->report = NULL;
}

static void finish_apply(struct reload *r)
{
    struct svrd *d = r->d;
    svr_reconfiguration out;
    json_t *data, *changes = diff_configs(d->config, r->config);
    int status = apply_config(d, r->config, &out, r->report);

    close_report(r);
    if (status < 0) {
        json_decref(changes);
        refuse(r);
        return;
    }
    r->config = NULL; /* it runs */
    log_info("configuration %s (%.8s) runs, changes: %zu; sessions kept: %zu, "
             "ended: %zu; pathways kept: %zu, restarted: %zu, ended: %zu",
             r->file, d->config->hash, json_array_size(changes),
             out.sessions_kept, out.sessions_ended, out.pathways_kept,
             out.pathways_restarted, out.pathways_ended);
    data = report_configuration(d->config);
    json_object_update_new(data, outcome(&out));
    json_object_set_new(data, "changes", changes);
    events_tell(&d->events, "configuration", json_incref(data));
    answer(r, report_document("svr.reload/1", data));
}

static void finish_diff(struct reload *r)
{
    svr_reconfiguration out;
    json_t *data, *changes = diff_configs(r->d->config, r->config);
    int status = apply_try(r->d, r->config, &out, r->report);

    close_report(r);
    if (status < 0) {
        json_decref(changes);
        refuse(r);
        return;
    }
    data = report_configuration(r->config);
    json_object_update_new(data, outcome(&out));
    json_object_set_new(data, "changes", changes);
    answer(r, report_document("svr.diff/1", data));
}

/* Reading */

static void free_reload(struct reload *r)
{
    close_report(r);
    config_free(r->config);
    free(r->problems);
    free(r->file);
    free(r->router);
    free(r);
}

/* In a thread, which sees nothing of the router but what cannot change. */
static void read_file(uv_work_t *work)
{
    struct reload *r = work->data;
    struct config_opener opener = {0};

    if (r->d->opener != NULL)
        opener = opener_of(r->d->opener);
    r->config = config_load_with(r->d->opener != NULL ? &opener : NULL, r->file,
                                 r->router, r->d->keys, r->report);
}

static void on_read(uv_work_t *work, int status)
{
    struct reload *r = work->data;

    r->d->reload = NULL;
    if (status == 0 && !r->d->loop.closing) {
        if (r->config != NULL) {
            r->finish(r);
        } else {
            close_report(r);
            refuse(r);
        }
    }
    free_reload(r);
}

static struct reload *make_reload(struct svrd *d, const char *file,
                                  struct control_client *client)
{
    struct reload *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    *r = (struct reload){
        .d = d,
        .client = client,
        .file = strdup(file != NULL ? file : d->config->file),
        .router = strdup(d->config->router),
    };
    r->report = open_memstream(&r->problems, &r->problems_len);
    r->work.data = r;
    if (r->file != NULL && r->router != NULL && r->report != NULL)
        return r;
    free_reload(r);
    return NULL;
}

static void tell_error(struct control_client *client, const char *message)
{
    json_t *document = report_error(message);

    if (client != NULL)
        control_reply(client, report_line(document));
    else
        log_error("%s", message);
    json_decref(document);
}

static void start(struct svrd *d, const char *file,
                  struct control_client *client,
                  void (*finish)(struct reload *r))
{
    struct reload *r;

    if (d->reload != NULL) {
        tell_error(client, "another file is being read; try again");
        return;
    }
    r = make_reload(d, file, client);
    if (r == NULL) {
        tell_error(client, "no memory");
        return;
    }
    r->finish = finish;
    d->reload = r;
    uv_queue_work(&d->loop.uv, &r->work, read_file, on_read);
}

void reload_apply(struct svrd *d, const char *file,
                  struct control_client *client)
{
    start(d, file, client, finish_apply);
}

void reload_diff(struct svrd *d, const char *file,
                 struct control_client *client)
{
    start(d, file, client, finish_diff);
}
