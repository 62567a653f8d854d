/* svrdump - shows the SVR metadata of captured packets. */
#include "restore.h"
#include "svrdump.h"
#include "verify.h"

#include <errno.h>
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
    "usage: svrdump [-av] [--json] [-c COUNT] [--authority FILE [--keys DIR]]\n"
    "               [--decrypt-to FILE]\n"
    "               -r FILE | -i INTERFACE [FILTER]\n"
    "  -r FILE           read a capture file, - for standard input\n"
    "  -i INTERFACE      capture on an interface\n"
    "  -c COUNT          stop after printing COUNT frames\n"
    "  -a                print frames without metadata or BFD too\n"
    "  -v                print each attribute on a line of its own\n"
    "  --json            print one JSON object for each frame\n"
    "  --authority FILE  verify tags, and open what is encrypted, with the "
    "keys\n"
    "                    of the authority file\n"
    "  --keys DIR        where key files are (default: the folder of FILE)\n"
    "  --decrypt-to FILE write the packets of hosts, as they sent them\n"
    "  -h, --help        print this text\n"
    "  --version         print the version\n"
    "FILTER is an expression as in pcap-filter(7).\n";

/* What the command line asks for. */
struct command {
    struct dump_options options;
    const char *authority, *keys, *decrypt_to;
};

/* Values of getopt_long beyond any character. */
enum {
    AUTHORITY = 256,
    KEYS,
    DECRYPT_TO,
    JSON,
    VERSION,
};

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

static bool wrong(const char *what)
{
    fprintf(stderr, "svrdump: %s\n", what);
    return false;
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

/* False for an option that is wrong. */
static bool set_option(struct command *c, int option)
{
    struct dump_options *o = &c->options;

    switch (option) {
    case 'r':
        o->file = optarg;
        return true;
    case 'i':
        o->iface = optarg;
        return true;
    case 'c':
        if (parse_count(&o->count, optarg))
            return true;
        return wrong("-c expects a number from 1");
    case 'a':
        o->all = true;
        return true;
    case 'v':
        o->verbose = true;
        return true;
    case JSON:
        o->json = true;
        return true;
    case AUTHORITY:
        c->authority = optarg;
        return true;
    case KEYS:
        c->keys = optarg;
        return true;
    case DECRYPT_TO:
        c->decrypt_to = optarg;
        return true;
    case 'h':
        print_and_exit(usage);
    case VERSION:
        print_and_exit("svrdump " SVR_VERSION "\n");
    default:
        return false; /* getopt_long has said what */
    }
}

static bool check_command(const struct command *c)
{
    if (!c->options.file && !c->options.iface)
        return wrong("expected -r FILE or -i INTERFACE");
    if (c->options.file && c->options.iface)
        return wrong("found both -r and -i, expected one of them");
    if (c->keys && !c->authority)
        return wrong("--keys needs --authority");
    return true;
}

static bool parse_command(struct command *c, int argc, char **argv)
{
    static const struct option names[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, VERSION},
        {"json", no_argument, NULL, JSON},
        {"authority", required_argument, NULL, AUTHORITY},
        {"keys", required_argument, NULL, KEYS},
        {"decrypt-to", required_argument, NULL, DECRYPT_TO},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "r:i:c:avh", names, NULL)) != -1) {
        if (!set_option(c, option))
            return false;
    }
    return check_command(c) &&
           (optind == argc ||
            join_filter(&c->options.filter, argv + optind, argc - optind));
}

static pcap_t *open_file(const char *file)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_open_offline_with_tstamp_precision(
        file, PCAP_TSTAMP_PRECISION_NANO, error);

    if (pcap)
        return pcap;
    /* The text names the file where it could not be opened. */
    if (strncmp(error, file, strlen(file)) == 0)
        fprintf(stderr, "svrdump: %s\n", error);
    else
        fprintf(stderr,
                "svrdump: %s: %s; expected a pcap or pcapng file, as tcpdump "
                "-w writes\n",
                file, error);
    return NULL;
}

static const char *interface_hint(int err)
{
    switch (err) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return "; \"ip link\" shows those there are";
    case PCAP_ERROR_PERM_DENIED:
        return "; expected root, or the capability CAP_NET_RAW";
    default:
        return "";
    }
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
    fprintf(stderr, "svrdump: %s: %s%s\n", iface,
            *detail ? detail : pcap_statustostr(err), interface_hint(err));
    pcap_close(pcap);
    return NULL;
}

/* A reader that went away, as head does, has had what it wanted. */
static int finish_output(void)
{
    if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE)
        return 0;
    perror("svrdump: standard output");
    return EXIT_ERROR;
}

static int dump(const struct dump_options *options)
{
    pcap_t *pcap = options->file ? open_file(options->file)
                                 : open_interface(options->iface);
    int err, status;

    if (!pcap)
        return EXIT_ERROR;
    stop_on_signals(pcap);
    err = dump_capture(pcap, options, stdout);
    live = NULL;
    status = finish_output();
    pcap_close(pcap);
    return err != 0 ? EXIT_ERROR : status;
}

static int dump_and_restore(struct command *c)
{
    int status;

    if (!c->decrypt_to)
        return dump(&c->options);
    c->options.restore = restore_open(c->decrypt_to);
    if (!c->options.restore)
        return EXIT_ERROR;
    status = dump(&c->options);
    return restore_close(c->options.restore) == 0 ? status : EXIT_ERROR;
}

static int run(struct command *c)
{
    struct verify_keys *keys = NULL;
    int status;

    if (c->authority) {
        keys = verify_keys_load(c->authority, c->keys);
        if (!keys)
            return EXIT_ERROR;
        c->options.keys = keys;
    }
    status = dump_and_restore(c);
    verify_keys_free(keys);
    return status;
}

int main(int argc, char **argv)
{
    struct command command = {0};
    int status;

    if (!parse_command(&command, argc, argv)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    status = run(&command);
    free(command.options.filter);
    return status;
}
