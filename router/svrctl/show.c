#include "show.h"

#include "cell.h"
#include "common/text.h"

#include <string.h>

/* An address with its port: 10.0.0.1:80, [fd00::1]:80. */
static struct cell endpoint(const json_t *o, const char *addr, const char *port)
{
    struct cell a = cell_get(o, addr);
    struct cell p = cell_get(o, port);
    struct cell c;

    snprintf(c.text, sizeof c.text,
             strchr(a.text, ':') != NULL ? "[%.100s]:%.16s" : "%.100s:%.16s",
             a.text, p.text);
    return c;
}

/* Status */

static void print_interfaces(json_t *list, FILE *out)
{
    static const char *const heads[] = {"INTERFACE", "KIND",  "DEVICE",
                                        "MTU",       "STATE", "ADDRESSES"};
    struct table t;
    size_t i;
    json_t *o;

    table_init(&t, heads, 6, 1 << 3);
    json_array_foreach(list, i, o)
    {
        bool failed = json_is_true(json_object_get(o, "failed"));

        table_add(&t, "%s", cell_get(o, "name").text);
        table_add(&t, "%s", cell_get(o, "kind").text);
        table_add(&t, "%s", cell_get(o, "device").text);
        table_add(&t, "%s", cell_get(o, "mtu").text);
        table_add(&t, "%s", failed ? "failed" : "up");
        table_add(&t, "%s", cell_join(json_object_get(o, "addresses")).text);
    }
    table_print(&t, out);
    table_free(&t);
}

/* Objects of a list as the rows of a table, by their members; nothing where the
 * list is empty. */
static void print_members(json_t *list, const char *const heads[],
                          const char *const keys[], size_t count, FILE *out)
{
    struct table t;
    size_t i;
    json_t *o;

    if (json_array_size(list) == 0)
        return;
    table_init(&t, heads, count, 0);
    json_array_foreach(list, i, o)
    {
        for (size_t k = 0; k < count; k++)
            table_add(&t, "%s", cell_get(o, keys[k]).text);
    }
    fputc('\n', out);
    table_print(&t, out);
    table_free(&t);
}

static void print_pathways(json_t *list, FILE *out)
{
    static const char *const heads[] = {
        "PATHWAY", "INTERFACE", "PEER", "STATE", "LOCAL", "REMOTE", "SECURITY"};
    static const char *const keys[] = {"name",  "interface", "peer",    "state",
                                       "local", "remote",    "security"};

    print_members(list, heads, keys, 7, out);
}

static void print_securities(json_t *list, FILE *out)
{
    static const char *const heads[] = {"SECURITY", "KEY",    "HMAC",
                                        "LIBRARY",  "CIPHER", "LIBRARY"};
    static const char *const keys[] = {
        "name", "key", "hmac", "hmac_provider", "cipher", "cipher_provider"};

    print_members(list, heads, keys, 6, out);
}

void svrctl_print_status(json_t *data, FILE *out)
{
    const json_t *file = json_object_get(data, "configuration");

    fprintf(out, "router     %s of authority %s\n",
            cell_get(data, "router").text, cell_get(data, "authority").text);
    if (json_is_string(json_object_get(data, "identity")))
        fprintf(out, "identity   %s\n", cell_get(data, "identity").text);
    fprintf(out, "version    %s, process %s, start %s\n",
            cell_get(data, "version").text, cell_get(data, "pid").text,
            cell_get(data, "boot").text);
    fprintf(out, "running    %s\n",
            cell_duration(cell_number(data, "uptime_s")).text);
    fprintf(out, "file       %s (%.8s), for %s\n", cell_get(file, "file").text,
            cell_get(file, "hash").text,
            cell_duration(cell_number(file, "age_s")).text);
    fprintf(out, "sessions   %s of at most %s\n\n",
            cell_get(data, "sessions").text,
            cell_get(data, "session_limit").text);
    print_interfaces(json_object_get(data, "interfaces"), out);
    print_pathways(json_object_get(data, "pathways"), out);
    print_securities(json_object_get(data, "securities"), out);
}

/* Counters */

static const char *drop_text(const char *name)
{
    for (int i = SVR_DROP_NONE + 1; i < SVR_DROP_COUNT; i++)
        if (strcmp(svr_drop_name((enum svr_drop)i), name) == 0)
            return svr_drop_text((enum svr_drop)i);
    return "";
}

static void print_drops(json_t *dropped, FILE *out)
{
    static const char *const heads[] = {"DROPPED", "REASON", ""};
    struct table t;
    const char *name;
    json_t *value;

    table_init(&t, heads, 3, 1);
    json_object_foreach(dropped, name, value)
    {
        if (json_integer_value(value) == 0)
            continue;
        table_add(&t, "%s", cell_of(value).text);
        table_add(&t, "%s", name);
        table_add(&t, "%s", drop_text(name));
    }
    if (t.count > 0) {
        fputc('\n', out);
        table_print(&t, out);
    }
    table_free(&t);
}

static const char *verdict_text(const char *name)
{
    static const struct {
        const char *name, *text;
    } verdicts[] = {
#define X(name, id, text) {id, text},
        SVR_EXCHANGE_MAP(X)
#undef X
    };

    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        if (strcmp(verdicts[i].name, name) == 0)
            return verdicts[i].text;
    return "";
}

/* Messages of the key exchange, where some have come. */
static void print_exchange(json_t *exchange, FILE *out)
{
    static const char *const heads[] = {"EXCHANGE", "VERDICT", ""};
    struct table t;
    const char *name;
    json_t *value;

    table_init(&t, heads, 3, 1);
    json_object_foreach(exchange, name, value)
    {
        if (json_integer_value(value) == 0)
            continue;
        table_add(&t, "%s", cell_of(value).text);
        table_add(&t, "%s", name);
        table_add(&t, "%s", verdict_text(name));
    }
    if (t.count > 0) {
        fputc('\n', out);
        table_print(&t, out);
    }
    table_free(&t);
}

static void print_numbers(json_t *data, FILE *out)
{
    static const char *const heads[] = {"PACKETS", ""};
    struct table t;
    const char *name;
    json_t *value;

    table_init(&t, heads, 2, 1);
    json_object_foreach(data, name, value)
    {
        if (!json_is_integer(value))
            continue;
        table_add(&t, "%s", cell_of(value).text);
        table_add(&t, "%s", name);
    }
    table_print(&t, out);
    table_free(&t);
}

static void add_counters(struct table *t, const char *port, const char *prefix,
                         json_t *counters)
{
    const char *name;
    json_t *value;

    json_object_foreach(counters, name, value)
    {
        if (json_is_object(value)) {
            add_counters(t, port, "neighbours_", value);
        } else if (json_integer_value(value) != 0) {
            table_add(t, "%s", port);
            table_add(t, "%s", cell_of(value).text);
            table_add(t, "%s%s", prefix, name);
        }
    }
}

static void print_ports(json_t *ports, FILE *out)
{
    static const char *const heads[] = {"INTERFACE", "COUNT", ""};
    struct table t;
    const char *name;
    json_t *counters;

    table_init(&t, heads, 3, 1 << 1);
    json_object_foreach(ports, name, counters)
    {
        char port[CELL_SIZE];

        add_counters(&t, text_escape(port, sizeof port, name, strlen(name)), "",
                     counters);
    }
    fputc('\n', out);
    table_print(&t, out);
    table_free(&t);
}

void svrctl_print_counters(json_t *data, FILE *out)
{
    print_numbers(data, out);
    print_drops(json_object_get(data, "dropped"), out);
    print_exchange(json_object_get(data, "exchange"), out);
    print_ports(json_object_get(data, "ports"), out);
}

/* Sessions */

void svrctl_sessions_init(struct table *t)
{
    static const char *const heads[] = {
        "UUID",   "ROLE", "STATE", "TENANT",  "SERVICE", "PROTO",    "CLIENT",
        "SERVER", "AGE",  "LEFT",  "PACKETS", "BYTES",   "WAYPOINTS"};

    table_init(t, heads, 13, 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11);
}

/* "wan0-dc1 tcp 203.0.113.1:16384 > 203.0.113.2:16385", one for each pathway.
 */
static struct cell waypoints(json_t *list)
{
    struct cell c = {""};
    size_t used = 0;
    size_t i;
    json_t *o;

    json_array_foreach(list, i, o)
    {
        int len = snprintf(
            c.text + used, sizeof c.text - used, "%s%.63s %.15s %.63s > %.63s",
            i > 0 ? ", " : "", cell_get(o, "pathway").text,
            cell_get(o, "proto").text, endpoint(o, "src", "sport").text,
            endpoint(o, "dst", "dport").text);

        if ((size_t)len >= sizeof c.text - used)
            break;
        used += (size_t)len;
    }
    return c;
}

static void add_pair(struct table *t, const json_t *o)
{
    table_add(t, "%s/%s", cell_get(o, "forward").text,
              cell_get(o, "reverse").text);
}

static void add_session(struct table *t, const json_t *o)
{
    const json_t *context = json_object_get(o, "context");

    table_add(t, "%s", cell_get(o, "uuid").text);
    table_add(t, "%s", cell_get(o, "role").text);
    table_add(t, "%s", cell_get(o, "state").text);
    table_add(t, "%s", cell_get(o, "tenant").text);
    table_add(t, "%s", cell_get(o, "service").text);
    table_add(t, "%s", cell_get(context, "proto").text);
    table_add(t, "%s", endpoint(context, "src", "sport").text);
    table_add(t, "%s", endpoint(context, "dst", "dport").text);
    table_add(t, "%s", cell_duration(cell_number(o, "age_s")).text);
    table_add(t, "%s", cell_duration(cell_number(o, "expires_s")).text);
    add_pair(t, json_object_get(o, "packets"));
    add_pair(t, json_object_get(o, "bytes"));
    table_add(t, "%s", waypoints(json_object_get(o, "waypoints")).text);
}

void svrctl_sessions_add(struct table *t, json_t *data)
{
    size_t i;
    json_t *o;

    json_array_foreach(data, i, o)
    {
        add_session(t, o);
    }
}

/* Keys that are exchanged */

void svrctl_keys_init(struct table *t)
{
    static const char *const heads[] = {"PEER", "STATE", "GENERATION",
                                        "AGE",  "NEXT",  "LIVE"};

    table_init(t, heads, 6, 1 << 2 | 1 << 5);
}

/* A time of so many seconds, or "-" where there is none. */
static struct cell span(const json_t *o, const char *key)
{
    const json_t *s = json_object_get(o, key);

    return json_is_integer(s) ? cell_duration((uint64_t)json_integer_value(s))
                              : (struct cell){"-"};
}

void svrctl_keys_add(struct table *t, json_t *data)
{
    size_t i;
    json_t *o;

    json_array_foreach(data, i, o)
    {
        table_add(t, "%s", cell_get(o, "peer").text);
        table_add(t, "%s", cell_get(o, "state").text);
        table_add(t, "%s", cell_get(o, "generation").text);
        table_add(t, "%s", span(o, "age_s").text);
        table_add(t, "%s", span(o, "rekey_s").text);
        table_add(t, "%s", cell_get(o, "live").text);
    }
}

/* Configurations */

static void print_changes(json_t *list, FILE *out)
{
    static const char *const heads[] = {"CHANGE", "PART", "NAME", "WHAT"};
    struct table t;
    size_t i;
    json_t *o;

    if (json_array_size(list) == 0) {
        fputs("no part differs\n", out);
        return;
    }
    table_init(&t, heads, 4, 0);
    json_array_foreach(list, i, o)
    {
        table_add(&t, "%s", cell_get(o, "change").text);
        table_add(&t, "%s", cell_get(o, "part").text);
        table_add(&t, "%s", cell_get(o, "name").text);
        table_add(&t, "%s", cell_join(json_object_get(o, "what")).text);
    }
    table_print(&t, out);
    table_free(&t);
}

static void print_outcome(json_t *data, FILE *out)
{
    const json_t *sessions = json_object_get(data, "sessions");
    const json_t *pathways = json_object_get(data, "pathways");

    fprintf(out, "\nsessions   %s kept, %s ended\n",
            cell_get(sessions, "kept").text, cell_get(sessions, "ended").text);
    fprintf(out, "pathways   %s kept, %s restarted, %s ended\n",
            cell_get(pathways, "kept").text,
            cell_get(pathways, "restarted").text,
            cell_get(pathways, "ended").text);
}

void svrctl_print_diff(json_t *data, FILE *out)
{
    print_changes(json_object_get(data, "changes"), out);
    print_outcome(data, out);
}

void svrctl_print_reload(json_t *data, FILE *out)
{
    fprintf(out, "%s (%.8s) runs\n\n", cell_get(data, "file").text,
            cell_get(data, "hash").text);
    print_changes(json_object_get(data, "changes"), out);
    print_outcome(data, out);
}
