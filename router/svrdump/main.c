/* svrdump - shows the SVR metadata of captured packets. */
#include "svrdump.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define SNAPLEN 65535
#define TIMEOUT_MS 200

enum {
    EXIT_ERROR = 1,
    EXIT_USAGE = 2,
};

static const char usage[] =
    "usage: svrdump [-av] [--json] [-c COUNT] -r FILE | -i INTERFACE "
    "[FILTER]\n"
    "  -r FILE       read a capture file, - for standard input\n"
    "  -i INTERFACE  capture on an interface\n"
    "  -c COUNT      stop after printing COUNT frames\n"
    "  -a            print frames without metadata too\n"
    "  -v            print each attribute on a line of its own\n"
    "  --json        print one JSON object for each frame\n"
    "  -h, --help    print this text\n"
    "  --version     print the version\n"
    "FILTER is an expression as in pcap-filter(7).\n";

/* For the signal handler, which gets no argument. */
static pcap_t *volatile live;

static void stop(int signal)
{
    (void)signal;
    if (live)
        pcap_breakloop(live);
}

static void stop_on_signals(pcap_t *pcap)
{
    struct sigaction action = {.sa_handler = stop};

    live = pcap;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static bool parse_count(unsigned long *count, const char *text)
{
    char *end;

    *count = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && *count > 0;
}

/* The words of the filter in one text; false where there is no memory. */
static bool join_filter(char **filter, char **words, int count)
{
    size_t len = 0, room = 1;

    for (int i = 0; i < count; i++)
        room += strlen(words[i]) + 1;
    *filter = calloc(1, room);
    for (int i = 0; *filter && i < count; i++)
        len += (size_t)snprintf(*filter + len, room - len, "%s%s",
                                i > 0 ? " " : "", words[i]);
    return *filter != NULL;
}

static _Noreturn void print_and_exit(const char *text)
{
    fputs(text, stdout);
    exit(fflush(stdout) == 0 ? 0 : EXIT_ERROR);
}

static bool set_option(struct dump_options *options, int option)
{
    switch (option) {
    case 'r':
        options->file = optarg;
        return true;
    case 'i':
        options->iface = optarg;
        return true;
    case 'c':
        return parse_count(&options->count, optarg);
    case 'a':
        options->all = true;
        return true;
    case 'v':
        options->verbose = true;
        return true;
    case 'j':
        options->json = true;
        return true;
    case 'h':
        print_and_exit(usage);
    case 'V':
        print_and_exit("svrdump " SVR_VERSION "\n");
    default:
        return false;
    }
}

static bool parse_options(struct dump_options *options, int argc, char **argv)
{
    static const struct option names[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {"json", no_argument, NULL, 'j'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "r:i:c:avh", names, NULL)) != -1) {
        if (!set_option(options, option))
            return false;
    }
    if (!options->file == !options->iface)
        return false;
    return optind == argc ||
           join_filter(&options->filter, argv + optind, argc - optind);
}

static pcap_t *open_file(const char *file)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_open_offline_with_tstamp_precision(
        file, PCAP_TSTAMP_PRECISION_NANO, error);

    if (pcap)
        return pcap;
    /* The text names the file for some errors and not for others. */
    if (strncmp(error, file, strlen(file)) == 0)
        fprintf(stderr, "svrdump: %s\n", error);
    else
        fprintf(stderr, "svrdump: %s: %s\n", file, error);
    return NULL;
}

static pcap_t *open_interface(const char *iface)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_create(iface, error);
    const char *detail;
    int err;

    if (!pcap) {
        fprintf(stderr, "svrdump: %s: %s\n", iface, error);
        return NULL;
    }
    pcap_set_snaplen(pcap, SNAPLEN);
    pcap_set_timeout(pcap, TIMEOUT_MS);
    pcap_set_immediate_mode(pcap, 1);
    pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
    err = pcap_activate(pcap);
    if (err >= 0)
        return pcap;
    detail = pcap_geterr(pcap);
    fprintf(stderr, "svrdump: %s: %s\n", iface,
            *detail ? detail : pcap_statustostr(err));
    pcap_close(pcap);
    return NULL;
}

static int run(const struct dump_options *options)
{
    pcap_t *pcap = options->file ? open_file(options->file)
                                 : open_interface(options->iface);
    int err;

    if (!pcap)
        return EXIT_ERROR;
    stop_on_signals(pcap);
    err = dump_capture(pcap, options, stdout);
    live = NULL;
    pcap_close(pcap);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("svrdump: standard output");
        return EXIT_ERROR;
    }
    return err != 0 ? EXIT_ERROR : 0;
}

int main(int argc, char **argv)
{
    struct dump_options options = {0};
    int status;

    if (!parse_options(&options, argc, argv)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    status = run(&options);
    free(options.filter);
    return status;
}
