/* svrctl - asks a running svrd how it is. */
#include "client.h"
#include "common/paths.h"
#include "show.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <svr/svr.h>

static const char usage[] =
    "usage: svrctl [--router NAME | --socket PATH] [--json] COMMAND\n";

static const char help[] =
    "\n"
    "  status            the router, its interfaces and pathways\n"
    "  sessions          the sessions alive\n"
    "  paths             whether pathways live, and how good they are\n"
    "  counters          packets, drops and their reasons\n"
    "  pathway NAME down takes a pathway down\n"
    "  pathway NAME up   lets it come up again\n"
    "\n"
    "  --router NAME     the router to ask (default: the only one running)\n"
    "  --socket PATH     its control socket (default: " PATHS_RUN
    "/NAME.sock)\n"
    "  --json            print a JSON document\n"
    "  --help            this text\n"
    "  --version         the version\n"
    "\n"
    "Exit codes: 0 done, 1 error, 2 wrong usage, 3 no such router is "
    "running.\n";

/* Values of getopt_long beyond any character. */
enum {
    ROUTER = 256,
    SOCKET,
    JSON,
    HELP,
    VERSION,
};

static const struct option long_options[] = {
    {"router", required_argument, NULL, ROUTER},
    {"socket", required_argument, NULL, SOCKET},
    {"json", no_argument, NULL, JSON},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {0},
};

static int wrong(const char *what)
{
    if (what != NULL)
        fprintf(stderr, "svrctl: %s\n", what);
    fputs(usage, stderr);
    return SVRCTL_USAGE;
}

static json_t *request(const char *command)
{
    return json_pack("{s:s}", "command", command);
}

/* Commands with one answer. */

static int ask_once(struct client *c, const char *command, bool json,
                    void (*print)(json_t *data, FILE *out))
{
    json_t *answer = client_ask(c, request(command));

    if (answer == NULL)
        return SVRCTL_ERROR;
    if (json) {
        json_dumpf(answer, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print(json_object_get(answer, "data"), stdout);
    }
    json_decref(answer);
    return SVRCTL_DONE;
}

static int run_status(struct client *c, bool json, char **args)
{
    (void)args;
    return ask_once(c, "status", json, svrctl_print_status);
}

static int run_counters(struct client *c, bool json, char **args)
{
    (void)args;
    return ask_once(c, "counters", json, svrctl_print_counters);
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

static int run_sessions(struct client *c, bool json, char **args)
{
    (void)args;
    return json ? print_list_json(c, "sessions")
                : print_list(c, "sessions", svrctl_sessions_init,
                             svrctl_sessions_add);
}

static int run_paths(struct client *c, bool json, char **args)
{
    (void)args;
    return json ? print_list_json(c, "paths")
                : print_list(c, "paths", svrctl_paths_init, svrctl_paths_add);
}

/* Changes */

static int run_pathway(struct client *c, bool json, char **args)
{
    bool down = strcmp(args[1], "down") == 0;
    json_t *answer;

    if (!down && strcmp(args[1], "up") != 0)
        return wrong("a pathway goes down or up");
    answer = client_ask(c, json_pack("{s:s, s:s, s:b}", "command", "pathway",
                                     "name", args[0], "down", (int)down));
    if (answer == NULL)
        return SVRCTL_ERROR;
    if (json) {
        json_dumpf(answer, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(answer);
    return SVRCTL_DONE;
}

static const struct command {
    const char *name;
    int args; /* behind it */
    int (*run)(struct client *c, bool json, char **args);
} commands[] = {
    {"status", 0, run_status},   {"sessions", 0, run_sessions},
    {"paths", 0, run_paths},     {"counters", 0, run_counters},
    {"pathway", 2, run_pathway},
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

struct options {
    const char *router, *socket;
    bool json;
};

/* -1: go on; else the exit code. */
static int read_options(struct options *o, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case ROUTER:
            o->router = optarg;
            break;
        case SOCKET:
            o->socket = optarg;
            break;
        case JSON:
            o->json = true;
            break;
        case HELP:
            printf("%s%s", usage, help);
            return SVRCTL_DONE;
        case VERSION:
            printf("svrctl %s\n", svr_version());
            return SVRCTL_DONE;
        default:
            return wrong(NULL); /* getopt_long has said what */
        }
    }
    if (o->router != NULL && o->socket != NULL)
        return wrong("--router or --socket, not both");
    return -1;
}

static int run(const struct options *o, const struct command *command,
               char **args)
{
    char path[PATHS_SOCKET_MAX];
    struct client client;
    int status = client_find(path, sizeof path, o->router, o->socket);

    if (status != SVRCTL_DONE)
        return status;
    status = client_open(&client, path);
    if (status != SVRCTL_DONE)
        return status;
    status = command->run(&client, o->json, args);
    client_close(&client);
    if (status == SVRCTL_DONE && (fflush(stdout) != 0 || ferror(stdout))) {
        perror("svrctl");
        return SVRCTL_ERROR;
    }
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    const struct command *command;
    int status = read_options(&options, argc, argv);

    if (status >= 0)
        return status;
    if (optind == argc)
        return wrong("COMMAND is missing");
    command = find_command(argv[optind++]);
    if (command == NULL)
        return wrong("the commands are status, sessions, paths, counters and "
                     "pathway");
    if (argc - optind != command->args)
        return wrong(command->args == 0 ? "one COMMAND only"
                                        : "pathway needs NAME, and down or up");
    return run(&options, command, argv + optind);
}
