#include "options.h"

#include "log.h"
#include "state.h"

#include <getopt.h>
#include <stdio.h>
#include <svr/svr.h>

static const char usage[] =
    "usage: svrd [--router NAME] [--keys DIR] [--socket PATH] [--state DIR]\n"
    "            [--log LEVEL] [--user NAME] [--check] FILE\n";

static const char help[] =
    "\n"
    "A router for Secure Vector Routing. FILE describes all routers of an\n"
    "authority; svrd runs one of them.\n"
    "\n"
    "  --router NAME   the router to run (default: the host's name)\n"
    "  --keys DIR      where key files are (default: the folder of FILE)\n"
    "  --socket PATH   the control socket (default: /run/svr/NAME.sock)\n"
    "  --state DIR     where the boot counter and the recovery key are\n"
    "                  (default: " STATE_DIRECTORY ")\n"
    "  --log LEVEL     error, warn, info (default) or debug\n"
    "  --user NAME     whom to run as once the devices are open (default when\n"
    "                  started as root: svr, or else nobody; root: no change)\n"
    "  --check         only check FILE, for all routers or for NAME\n"
    "  --help          this text\n"
    "  --version       the version\n";

/* Values of getopt_long beyond any character. */
enum {
    ROUTER = 256,
    KEYS,
    SOCKET,
    STATE,
    LOG,
    USER,
    CHECK,
    HELP,
    VERSION,
};

static const struct option long_options[] = {
    {"router", required_argument, NULL, ROUTER},
    {"keys", required_argument, NULL, KEYS},
    {"socket", required_argument, NULL, SOCKET},
    {"state", required_argument, NULL, STATE},
    {"log", required_argument, NULL, LOG},
    {"user", required_argument, NULL, USER},
    {"check", no_argument, NULL, CHECK},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {0},
};

static enum options_result wrong(const char *what)
{
    if (what != NULL)
        fprintf(stderr, "svrd: %s\n", what);
    fputs(usage, stderr);
    return OPTIONS_WRONG;
}

static bool set_level(const char *name)
{
    enum log_level level;

    if (!log_level_find(name, &level))
        return false;
    log_set_level(level);
    return true;
}

static enum options_result take(struct options *o, int option)
{
    switch (option) {
    case ROUTER:
        o->router = optarg;
        return OPTIONS_RUN;
    case KEYS:
        o->keys = optarg;
        return OPTIONS_RUN;
    case SOCKET:
        o->socket = optarg;
        return OPTIONS_RUN;
    case STATE:
        o->state = optarg;
        return OPTIONS_RUN;
    case USER:
        o->user = optarg;
        return OPTIONS_RUN;
    case CHECK:
        o->check = true;
        return OPTIONS_RUN;
    case LOG:
        return set_level(optarg)
                   ? OPTIONS_RUN
                   : wrong("the levels are error, warn, info and debug");
    case HELP:
        printf("%s%s", usage, help);
        return OPTIONS_DONE;
    case VERSION:
        printf("svrd %s\n", svr_version());
        return OPTIONS_DONE;
    default:
        return wrong(NULL); /* getopt_long has said what */
    }
}

enum options_result options_read(struct options *o, int argc, char **argv)
{
    int option;

    *o = (struct options){.state = STATE_DIRECTORY};
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        enum options_result result = take(o, option);

        if (result != OPTIONS_RUN)
            return result;
    }
    if (optind != argc - 1)
        return wrong(optind == argc ? "FILE is missing" : "one FILE only");
    o->file = argv[optind];
    return OPTIONS_RUN;
}
