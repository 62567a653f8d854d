#include "requests.h"

#include "reload.h"

#include <string.h>

static const char *member(const json_t *request, const char *key)
{
    return json_string_value(json_object_get(request, key));
}

static void refuse(struct control_client *client, const char *message)
{
    json_t *document = report_error(message);

    control_reply(client, report_line(document));
    json_decref(document);
}

/* False: it is for report_answer. */
static bool handle(struct svrd *d, struct control_client *client,
                   const json_t *request)
{
    const char *command = member(request, "command");
    const json_t *given = json_object_get(request, "file");
    const char *file = json_string_value(given);

    if (command == NULL)
        return false;
    if (strcmp(command, "events") == 0)
        events_listen(client);
    else if (strcmp(command, "reload") == 0 && (given == NULL || file != NULL))
        reload_apply(d, file, client);
    else if (strcmp(command, "diff") == 0 && file != NULL)
        reload_diff(d, file, client);
    else if (strcmp(command, "reload") == 0 || strcmp(command, "diff") == 0)
        refuse(client, "file must be the name of an authority file");
    else
        return false;
    return true;
}

void requests_handle(void *user, struct control_client *client,
                     const char *line, size_t len)
{
    struct svrd *d = user;
    json_t *request = json_loadb(line, len, 0, NULL);

    if (!handle(d, client, request))
        control_reply(client,
                      report_answer(&d->report, line, len, uv_hrtime()));
    json_decref(request);
}
