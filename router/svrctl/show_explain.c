/* Where a session would go, for people. */
#include "show.h"

#include <stdint.h>
#include <string.h>

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s != NULL ? s : "-";
}

static double real_of(const json_t *o, const char *key)
{
    return json_number_value(json_object_get(o, key));
}

static void print_limits(const json_t *limits, FILE *out)
{
    if (!json_is_object(limits)) {
        fputs(", no limits", out);
        return;
    }
    fprintf(out, ", at most %.0fms, jitter %.0fms, loss %.4g%%",
            real_of(limits, "max_latency_us") / 1e3,
            real_of(limits, "max_jitter_us") / 1e3,
            real_of(limits, "max_loss_ppm") / 1e4);
    if (json_is_number(json_object_get(limits, "min_mos")))
        fprintf(out, ", MOS %.2f at least", real_of(limits, "min_mos"));
}

static void print_head(const json_t *data, FILE *out)
{
    const json_t *policy = json_object_get(data, "policy");
    const json_t *port = json_object_get(data, "port");

    if (port == NULL)
        fprintf(out, "from %s to service %s\n", text_of(data, "router"),
                text_of(data, "service"));
    else
        fprintf(out, "%s at %s, to %s port %lld %s: service %s\n",
                text_of(data, "tenant"), text_of(data, "router"),
                text_of(data, "address"), (long long)json_integer_value(port),
                text_of(data, "protocol"), text_of(data, "service"));
    if (!json_is_object(policy))
        return;
    fprintf(out, "best path by %s", text_of(policy, "best_path"));
    if (strcmp(text_of(policy, "best_path"), "order") != 0) {
        print_limits(json_object_get(policy, "limits"), out);
        fprintf(out, ", balance %s, best effort %s", text_of(policy, "balance"),
                json_is_true(json_object_get(policy, "best_effort")) ? "on"
                                                                     : "off");
    }
    fputc('\n', out);
}

/* "dc1, then hub". */
static void add_routers(struct table *t, const json_t *way)
{
    const json_t *list = json_object_get(way, "routers_to_come");
    char line[512];
    size_t len = 0, i;
    json_t *name;

    len += (size_t)snprintf(line, sizeof line, "%s", text_of(way, "peer"));
    json_array_foreach(list, i, name)
    {
        if (len < sizeof line)
            len += (size_t)snprintf(line + len, sizeof line - len, " > %s",
                                    json_string_value(name));
    }
    table_add(t, "%s", line);
}

static void add_number(struct table *t, const json_t *o, const char *key)
{
    const json_t *n = json_object_get(o, key);

    if (json_is_integer(n))
        table_add(t, "%lld", (long long)json_integer_value(n));
    else
        table_add(t, "-");
}

static void add_figures(struct table *t, const json_t *way)
{
    if (json_object_get(way, "rank") == NULL) {
        for (int i = 0; i < 7; i++)
            table_add(t, "-");
        return;
    }
    table_add(t, "%.1fms", real_of(way, "latency_us") / 1e3);
    table_add(t, "%.1fms", real_of(way, "jitter_us") / 1e3);
    table_add(t, "%.2f%%", real_of(way, "loss_ppm") / 1e4);
    table_add(t, "%.2f", real_of(way, "mos"));
    add_number(t, way, "priority");
    add_number(t, way, "cost");
    add_number(t, way, "room");
}

static void add_why(struct table *t, const json_t *way, bool chosen)
{
    const json_t *passed_over = json_object_get(way, "passed_over");
    const char *reason = text_of(way, "reason");

    if (chosen)
        table_add(t, "chosen");
    else if (json_is_object(passed_over))
        table_add(t, "%s", text_of(passed_over, "text"));
    else if (strcmp(text_of(way, "state"), "down") == 0)
        table_add(t, "a pathway is down");
    else if (strcmp(reason, "none") != 0 && strcmp(reason, "-") != 0)
        table_add(t, "%s", text_of(way, "reason_text"));
    else if (strcmp(text_of(way, "state"), "held-down") == 0)
        table_add(t, "it came up lately");
    else if (json_is_true(json_object_get(way, "full")))
        table_add(t, "it has all the sessions it should");
    else if (strcmp(text_of(way, "rank"), "doubtful") == 0)
        table_add(t, "%s", text_of(way, "rank_text"));
    else if (json_object_get(way, "rank") == NULL)
        table_add(t, "comes behind in the file, or no way is known");
    else
        table_add(t, "others are better, or equal");
}

static void print_ways(const json_t *data, FILE *out)
{
    static const char *const heads[] = {"WAY",      "BY",     "STATE", "RANK",
                                        "LATENCY",  "JITTER", "LOSS",  "MOS",
                                        "PRIORITY", "COST",   "ROOM",  "WHY"};
    const json_t *choice = json_object_get(data, "choice");
    struct table t;
    size_t i;
    json_t *way;

    table_init(&t, heads, 12, 0x7f << 4);
    json_array_foreach(json_object_get(data, "ways"), i, way)
    {
        bool local = json_is_null(json_object_get(way, "pathway"));
        table_add(&t, "%s", text_of(way, local ? "interface" : "pathway"));
        add_routers(&t, way);
        table_add(&t, "%s", text_of(way, "state"));
        table_add(&t, "%s", text_of(way, "rank"));
        add_figures(&t, way);
        add_why(&t, way,
                json_is_integer(choice) &&
                    (size_t)json_integer_value(choice) == i);
    }
    table_print(&t, out);
    table_free(&t);
}

void svrctl_print_explain(json_t *data, FILE *out)
{
    const json_t *refused = json_object_get(data, "refused");

    print_head(data, out);
    if (json_is_object(refused))
        fprintf(out, "refused: %s\n", text_of(refused, "text"));
    if (json_array_size(json_object_get(data, "ways")) > 0)
        print_ways(data, out);
}
