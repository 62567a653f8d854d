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
    "  counters          packets, drops and their reasons\n"
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

static int run_status(struct client *c, bool json)
{
    return ask_once(c, "status", json, svrctl_print_status);
}

static int run_counters(struct client *c, bool json)
{
    return ask_once(c, "counters", json, svrctl_print_counters);
}

/* Sessions come in pieces: `take` gets each, and the number of rows before. */

static int ask_sessions(struct client *c,
                        void (*take)(void *user, json_t *data, size_t before),
                        void *user)
{
    json_t *next = NULL;
    size_t before = 0;

    do {
        json_t *ask = request("sessions");
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

static void take_row(void *user, json_t *data, size_t before)
{
    (void)before;
    svrctl_sessions_add(user, data);
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

static int run_sessions_json(struct client *c)
{
    int status;

    fputs("{\"schema\": \"svr.sessions/1\", \"data\": [", stdout);
    status = ask_sessions(c, take_json, NULL);
    if (status == SVRCTL_DONE)
        fputs("\n]}\n", stdout);
    return status;
}

static int run_sessions(struct client *c, bool json)
{
    struct table t;
    int status;

    if (json)
        return run_sessions_json(c);
    svrctl_sessions_init(&t);
    status = ask_sessions(c, take_row, &t);
    if (status == SVRCTL_DONE)
        table_print(&t, stdout);
    table_free(&t);
    return status;
}

static const struct command {
    const char *name;
    int (*run)(struct client *c, bool json);
} commands[] = {
    {"status", run_status},
    {"sessions", run_sessions},
    {"counters", run_counters},
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

static int wrong(const char *what)
{
    if (what != NULL)
        fprintf(stderr, "svrctl: %s\n", what);
    fputs(usage, stderr);
    return SVRCTL_USAGE;
}

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

static int run(const struct options *o, const struct command *command)
{
    char path[PATHS_SOCKET_MAX];
    struct client client;
    int status = client_find(path, sizeof path, o->router, o->socket);

    if (status != SVRCTL_DONE)
        return status;
    status = client_open(&client, path);
    if (status != SVRCTL_DONE)
        return status;
    status = command->run(&client, o->json);
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
    if (optind != argc - 1)
        return wrong(optind == argc ? "COMMAND is missing"
                                    : "one COMMAND only");
    command = find_command(argv[optind]);
    if (command == NULL)
        return wrong("the commands are status, sessions and counters");
    return run(&options, command);
}
