#include "events.h"

#include "report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Unix time with nine decimals, as text: no JSON number holds it. */
static json_t *unix_time(void)
{
    struct timespec now;
    char text[40];

    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(text, sizeof text, "%lld.%09ld", (long long)now.tv_sec,
             now.tv_nsec);
    return json_string(text);
}

static char *line_of(const char *name, json_t *data)
{
    json_t *o = json_pack("{s:s, s:o}", "event", name, "time", unix_time());
    json_t *document;
    char *line;

    json_object_update(o, data);
    json_decref(data);
    document = json_pack("{s:s, s:o}", "schema", "svr.events/1", "data", o);
    line = report_line(document);
    json_decref(document);
    return line;
}

static char *gap_line(uint64_t lines)
{
    return line_of("lost", json_pack("{s:I}", "events", (json_int_t)lines));
}

void events_tick(struct events *e, svr_time now)
{
    if (now < e->second + SVR_SECOND)
        return;
    if (e->missed > 0)
        control_publish_gap(e->control, e->missed);
    e->second = now;
    e->count = 0;
    e->missed = 0;
}

/* Whether one more is to be made. */
static bool may_tell(struct events *e)
{
    if (e->control == NULL || !control_has_listeners(e->control))
        return false;
    events_tick(e, uv_hrtime());
    if (e->count++ < EVENTS_PER_SECOND)
        return true;
    e->missed++;
    return false;
}

static void tell(struct events *e, const char *name, json_t *data)
{
    char *line = line_of(name, data);

    if (line != NULL)
        control_publish(e->control, line, strlen(line));
    free(line);
}

void events_tell(struct events *e, const char *name, json_t *data)
{
    if (may_tell(e))
        tell(e, name, data);
    else
        json_decref(data);
}

void events_notify(void *user, const svr_event *event)
{
    struct events *e = user;
    svr_time now = uv_hrtime();
    json_t *o;

    if (!may_tell(e))
        return;
    o = json_object();
    if (event->session != NULL)
        json_object_set_new(o, "session", report_session(event->session, now));
    if (event->pathway != NULL)
        json_object_set_new(o, "pathway", report_path(event->pathway, now));
    if (event->cause != SVR_CAUSE_NONE)
        json_object_set_new(o, "cause",
                            json_string(svr_cause_name(event->cause)));
    if (event->drop != SVR_DROP_NONE)
        json_object_set_new(o, "reason",
                            json_string(svr_drop_name(event->drop)));
    tell(e, svr_event_name(event->kind), o);
}

void events_listen(struct control_client *client)
{
    control_listen_on(client, line_of("listening", json_object()), gap_line);
}
