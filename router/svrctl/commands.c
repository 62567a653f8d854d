#include "commands.h"

#include "common/paths.h"
#include "keygen.h"
#include "prometheus.h"
#include "show.h"
#include "topology.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A large file takes a while to be read. */
#define FILE_PATIENCE_S 60

static json_t *request(const char *command)
{
    return json_pack("{s:s}", "command", command);
}

/* Commands with one answer. */

static int ask_once(struct client *c, json_t *ask, bool json,
                    void (*print)(json_t *data, FILE *out))
{
    json_t *answer = client_ask(c, ask);

    if (answer == NULL)
        return SVRCTL_ERROR;
    if (json) {
        json_dumpf(answer, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (print != NULL) {
        print(json_object_get(answer, "data"), stdout);
    }
    json_decref(answer);
    return SVRCTL_DONE;
}

static int run_status(struct client *c, const struct options *o, char **args)
{
    (void)args;
    return ask_once(c, request("status"), o->json, svrctl_print_status);
}

/* Lists come in pieces: `take` gets each, and the number of rows before. */

static int ask_list(struct client *c, const char *command,
                    void (*take)(void *user, json_t *data, size_t before),
                    void *user)
{
    json_t *next = NULL;
    size_t before = 0;

    do {
        json_t *ask = request(command);
        json_t *answer, *data;

        if (next != NULL)
            json_object_set_new(ask, "cursor", next);
        answer = client_ask(c, ask);
        if (answer == NULL)
            return SVRCTL_ERROR;
        data = json_object_get(answer, "data");
        take(user, data, before);
        before += json_array_size(data);
        next = json_incref(json_object_get(answer, "next"));
        json_decref(answer);
    } while (next != NULL);
    return SVRCTL_DONE;
}

static void take_json(void *user, json_t *data, size_t before)
{
    size_t i;
    json_t *o;

    (void)user;
    json_array_foreach(data, i, o)
    {
        fputs(before + i > 0 ? ",\n" : "\n", stdout);
        json_dumpf(o, stdout, JSON_COMPACT);
    }
}

static int print_list_json(struct client *c, const char *command)
{
    int status;

    printf("{\"schema\": \"svr.%s/1\", \"data\": [", command);
    status = ask_list(c, command, take_json, NULL);
    if (status == SVRCTL_DONE)
        fputs("\n]}\n", stdout);
    return status;
}

/* A list as a table: what begins it, and what adds a piece. */
struct rows {
    struct table t;
    void (*add)(struct table *t, json_t *data);
};

static void take_rows(void *user, json_t *data, size_t before)
{
    struct rows *rows = user;

    (void)before;
    rows->add(&rows->t, data);
}

static int print_list(struct client *c, const char *command,
                      void (*init)(struct table *t),
                      void (*add)(struct table *t, json_t *data))
{
    struct rows rows = {.add = add};
    int status;

    init(&rows.t);
    status = ask_list(c, command, take_rows, &rows);
    if (status == SVRCTL_DONE)
        table_print(&rows.t, stdout);
    table_free(&rows.t);
    return status;
}

static void take_all(void *user, json_t *data, size_t before)
{
    (void)before;
    json_array_extend(user, data);
}

static int run_sessions(struct client *c, const struct options *o, char **args)
{
    (void)args;
    return o->json ? print_list_json(c, "sessions")
                   : print_list(c, "sessions", svrctl_sessions_init,
                                svrctl_sessions_add);
}

/* All pathways, or what leads to one service. */
static int run_paths(struct client *c, const struct options *o, char **args)
{
    if (args[0] != NULL)
        return ask_once(
            c,
            json_pack("{s:s, s:s}", "command", "explain", "service", args[0]),
            o->json, svrctl_print_explain);
    return o->json
               ? print_list_json(c, "paths")
               : print_list(c, "paths", svrctl_paths_init, svrctl_paths_add);
}

static int run_keys(struct client *c, const struct options *o, char **args)
{
    (void)args;
    return o->json ? print_list_json(c, "keys")
                   : print_list(c, "keys", svrctl_keys_init, svrctl_keys_add);
}

/* The network: as a table, as JSON, or as a picture. */

static int draw(const json_t *data)
{
    FILE *dot = popen("dot -Tsvg", "w");

    if (dot == NULL) {
        perror("svrctl: dot");
        return SVRCTL_ERROR;
    }
    topology_dot(data, dot);
    if (pclose(dot) == 0)
        return SVRCTL_DONE;
    fputs("svrctl: --svg needs the program dot of Graphviz\n", stderr);
    return SVRCTL_ERROR;
}

static int run_topology(struct client *c, const struct options *o, char **args)
{
    json_t *data = json_array();
    int status;

    (void)args;
    if (o->json) {
        json_decref(data);
        return print_list_json(c, "topology");
    }
    status = ask_list(c, "topology", take_all, data);
    if (status == SVRCTL_DONE && o->svg)
        status = draw(data);
    else if (status == SVRCTL_DONE)
        (o->dot ? topology_dot : topology_print)(data, stdout);
    json_decref(data);
    return status;
}

/* Counters: for people, as JSON, or with all that is measured. */

static int print_prometheus(struct client *c)
{
    json_t *status = client_ask(c, request("status"));
    json_t *counters = status ? client_ask(c, request("counters")) : NULL;
    json_t *paths = json_array(), *keys = json_array();
    int result = SVRCTL_ERROR;

    if (counters != NULL)
        result = ask_list(c, "paths", take_all, paths);
    if (result == SVRCTL_DONE)
        result = ask_list(c, "keys", take_all, keys);
    if (result == SVRCTL_DONE)
        prometheus_print(json_object_get(status, "data"),
                         json_object_get(counters, "data"), paths, keys,
                         stdout);
    json_decref(status);
    json_decref(counters);
    json_decref(paths);
    json_decref(keys);
    return result;
}

static int run_counters(struct client *c, const struct options *o, char **args)
{
    (void)args;
    return o->prometheus ? print_prometheus(c)
                         : ask_once(c, request("counters"), o->json,
                                    svrctl_print_counters);
}

/* Changes */

static int run_pathway(struct client *c, const struct options *o, char **args)
{
    bool down = strcmp(args[1], "down") == 0;

    if (!down && strcmp(args[1], "up") != 0) {
        fputs("svrctl: a pathway goes down or up\n", stderr);
        return SVRCTL_USAGE;
    }
    return ask_once(c,
                    json_pack("{s:s, s:s, s:b}", "command", "pathway", "name",
                              args[0], "down", (int)down),
                    o->json, NULL);
}

static int run_rekey(struct client *c, const struct options *o, char **args)
{
    json_t *ask = request("rekey");

    if (args[0] != NULL)
        json_object_set_new(ask, "peer", json_string(args[0]));
    return ask_once(c, ask, o->json, NULL);
}

/* The router has another working directory. */
static int ask_file(struct client *c, const struct options *o,
                    const char *command, const char *file,
                    void (*print)(json_t *data, FILE *out))
{
    char *path = paths_whole(file);
    int status;

    if (path == NULL) {
        fprintf(stderr, "svrctl: %s: %s\n", file, strerror(errno));
        return SVRCTL_ERROR;
    }
    client_patience(c, FILE_PATIENCE_S);
    status =
        ask_once(c, json_pack("{s:s, s:s}", "command", command, "file", path),
                 o->json, print);
    free(path);
    return status;
}

static int run_diff(struct client *c, const struct options *o, char **args)
{
    return ask_file(c, o, "diff", args[0], svrctl_print_diff);
}

static int run_reload(struct client *c, const struct options *o, char **args)
{
    if (args[0] != NULL)
        return ask_file(c, o, "reload", args[0], svrctl_print_reload);
    client_patience(c, FILE_PATIENCE_S);
    return ask_once(c, request("reload"), o->json, svrctl_print_reload);
}

/* Each document on its line, as it comes, until somebody has enough. */
static int run_events(struct client *c, const struct options *o, char **args)
{
    json_t *answer = client_ask(c, request("events"));

    (void)o;
    (void)args;
    client_patience(c, 0);
    while (answer != NULL) {
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(answer);
        if (fflush(stdout) != 0)
            return SVRCTL_DONE;
        answer = client_next(c);
    }
    return SVRCTL_ERROR;
}

static int run_keygen(struct client *c, const struct options *o, char **args)
{
    (void)c;
    return keygen_run(o, args[0]);
}

/* A question: tenant, address, port, protocol. */
static int run_explain(struct client *c, const struct options *o, char **args)
{
    char *end;
    long port = strtol(args[2], &end, 10);

    if (*end != '\0' || end == args[2] || port < 0 || port > 65535) {
        fputs("svrctl: a port is a number from 0 to 65535\n", stderr);
        return SVRCTL_USAGE;
    }
    return ask_once(c,
                    json_pack("{s:s, s:s, s:s, s:i, s:s}", "command", "explain",
                              "tenant", args[0], "address", args[1], "port",
                              (int)port, "protocol", args[3]),
                    o->json, svrctl_print_explain);
}

static const struct command commands[] = {
    {"status", "", 0, 0, false, run_status},
    {"sessions", "", 0, 0, false, run_sessions},
    {"paths", " [SERVICE]", 0, 1, false, run_paths},
    {"explain", " TENANT ADDRESS PORT PROTOCOL", 4, 4, false, run_explain},
    {"topology", "", 0, 0, false, run_topology},
    {"keys", "", 0, 0, false, run_keys},
    {"counters", "", 0, 0, false, run_counters},
    {"pathway", " NAME down|up", 2, 2, false, run_pathway},
    {"rekey", " [PEER]", 0, 1, false, run_rekey},
    {"diff", " FILE", 1, 1, false, run_diff},
    {"reload", " [FILE]", 0, 1, false, run_reload},
    {"events", "", 0, 0, false, run_events},
    {"keygen", " NAME", 1, 1, true, run_keygen},
};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}
