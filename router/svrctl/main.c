/* svrctl - asks a running svrd how it is. */
#include "commands.h"
#include "common/paths.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <svr/svr.h>

static const char usage[] =
    "usage: svrctl [--router NAME | --socket PATH] [--json] COMMAND\n"
    "       svrctl [--keys DIR] [--public] [--json] keygen NAME\n";

static const char help[] =
    "\n"
    "  status            the router, its interfaces and pathways\n"
    "  sessions          the sessions alive\n"
    "  paths             whether pathways live, and how good they are\n"
    "  paths SERVICE     the ways to a service: figures, ranks, limits\n"
    "  explain TENANT ADDRESS PORT PROTOCOL\n"
    "                    where such a session would go, and why\n"
    "  topology          the network as this router knows it\n"
    "  keys              keys that are exchanged with peers, never what they "
    "are\n"
    "  counters          packets, drops and their reasons\n"
    "  pathway NAME down takes a pathway down\n"
    "  pathway NAME up   lets it come up again\n"
    "  rekey [PEER]      exchanges new keys with a peer, or with all\n"
    "  diff FILE         what another authority file would change\n"
    "  reload [FILE]     lets it take the place of the one that runs, or "
    "reads\n"
    "                    that one again\n"
    "  events            what happens from now on, a JSON document each line\n"
    "  keygen NAME       makes the identity of router NAME, prints its public "
    "half\n"
    "\n"
    "  --router NAME     the router to ask (default: the only one running)\n"
    "  --socket PATH     its control socket (default: " PATHS_RUN
    "/NAME.sock)\n"
    "  --json            print a JSON document\n"
    "  --prometheus      counters: print them in the text format of "
    "Prometheus\n"
    "  --dot             topology: print it for Graphviz\n"
    "  --svg             topology: print a picture, by Graphviz\n"
    "  --keys DIR        keygen: where the private half is (default: here)\n"
    "  --public          keygen: only print the public half of what is "
    "there\n"
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
    PROMETHEUS,
    DOT,
    SVG,
    KEYS,
    PUBLIC,
    HELP,
    VERSION,
};

static const struct option long_options[] = {
    {"router", required_argument, NULL, ROUTER},
    {"socket", required_argument, NULL, SOCKET},
    {"json", no_argument, NULL, JSON},
    {"prometheus", no_argument, NULL, PROMETHEUS},
    {"dot", no_argument, NULL, DOT},
    {"svg", no_argument, NULL, SVG},
    {"keys", required_argument, NULL, KEYS},
    {"public", no_argument, NULL, PUBLIC},
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

static int wrong_use(const struct command *command)
{
    fprintf(stderr, "svrctl: expected %s%s\n", command->name, command->usage);
    return wrong(NULL);
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
        case PROMETHEUS:
            o->prometheus = true;
            break;
        case DOT:
            o->dot = true;
            break;
        case SVG:
            o->svg = true;
            break;
        case KEYS:
            o->keys = optarg;
            break;
        case PUBLIC:
            o->public_only = true;
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

static int ask(const struct options *o, const struct command *command,
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
    status = command->run(&client, o, args);
    client_close(&client);
    return status;
}

static int run(const struct options *o, const struct command *command,
               char **args)
{
    int status =
        command->alone ? command->run(NULL, o, args) : ask(o, command, args);

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
    command = command_find(argv[optind++]);
    if (command == NULL)
        return wrong(
            "the commands are status, sessions, paths, topology, explain, "
            "keys, counters, pathway, rekey, diff, reload, events and keygen");
    if (argc - optind < command->least || argc - optind > command->most)
        return wrong_use(command);
    if (options.prometheus && strcmp(command->name, "counters") != 0)
        return wrong("--prometheus is for counters");
    if ((options.dot || options.svg) && strcmp(command->name, "topology") != 0)
        return wrong("--dot and --svg are for topology");
    if (options.json + options.dot + options.svg > 1)
        return wrong("one of --json, --dot and --svg");
    if ((options.keys != NULL || options.public_only) && !command->alone)
        return wrong("--keys and --public are for keygen");
    if (options.prometheus && options.json)
        return wrong("--json or --prometheus, not both");
    return run(&options, command, argv + optind);
}
