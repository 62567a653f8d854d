#define _GNU_SOURCE

#include "load.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;

static void usage(FILE *out)
{
    fputs(
        "usage: load --serve ADDRESS:PORT\n"
        "       load [OPTION...] ADDRESS:PORT\n"
        "\n"
        "Many sessions to a server, which is another load. Prints a line\n"
        "\"running\" once all of them have made progress, and in the end what\n"
        "became of them, as JSON.\n"
        "\n"
        "  --tcp N         TCP sessions: in turn both ways, up, down\n"
        "  --udp N         UDP sessions that ask and are answered\n"
        "  --down N        UDP sessions in which only the server speaks\n"
        "  --up N          UDP sessions in which only the client speaks\n"
        "  --first N       number of the first session (1); client ports "
        "follow\n"
        "                  from it\n"
        "  --seconds S     of load (10)\n"
        "  --interval MS   between two datagrams of a session (200)\n"
        "  --rate BYTES    a second of a TCP session, each way (16384)\n"
        "  --size BYTES    of a datagram (200)\n"
        "  --hung S        without progress a session is hung (10)\n",
        out);
}

uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int client_socket(int type, uint64_t session)
{
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_port =
                                  htons((uint16_t)(CLIENT_PORTS + session))};
    int fd = socket(AF_INET, type, 0);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&own, sizeof own) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

uint64_t get64(const uint8_t *at)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

void put64(uint8_t *at, uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        at[i] = (uint8_t)value;
}

/* splitmix64 of session and place */
static uint64_t pattern_word(uint64_t id, uint64_t index)
{
    uint64_t z = id * 0xd1342543de82ef95u + index * 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void pattern_fill(uint8_t *out, size_t len, uint64_t id, uint64_t offset)
{
    uint64_t word = pattern_word(id, offset / 8);

    for (size_t i = 0; i < len; i++, offset++) {
        if (offset % 8 == 0)
            word = pattern_word(id, offset / 8);
        out[i] = (uint8_t)(word >> 8 * (offset % 8));
    }
}

bool pattern_is(const uint8_t *in, size_t len, uint64_t id, uint64_t offset)
{
    uint8_t expected[4096];

    while (len > 0) {
        size_t part = len < sizeof expected ? len : sizeof expected;

        pattern_fill(expected, part, id, offset);
        if (memcmp(in, expected, part) != 0)
            return false;
        in += part;
        offset += part;
        len -= part;
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

void times_print(FILE *out, const char *name, uint64_t *times, size_t count)
{
    qsort(times, count, sizeof *times, compare);
    fprintf(out, ",\"%s_max\":%llu,\"%s_median\":%llu", name,
            (unsigned long long)(count ? times[count - 1] : 0), name,
            (unsigned long long)(count ? times[count / 2] : 0));
}

void watch(int epoll, int fd, struct source *source)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        perror("load: epoll");
        exit(1);
    }
}

static void wait_for(int epoll, int most)
{
    struct epoll_event events[256];
    int count = epoll_wait(epoll, events, 256, most);

    for (int i = 0; i < count; i++) {
        struct source *source = events[i].data.ptr;

        source->ready(source, now_ms());
    }
}

static void serve(int epoll, struct sockaddr_in at)
{
    if (streams_listen(epoll, at) < 0 || datagrams_listen(epoll, at) < 0) {
        perror("load: cannot listen");
        exit(1);
    }
    while (!stopped) {
        wait_for(epoll, 20);
        streams_tick(now_ms());
        datagrams_push(now_ms());
    }
}

static void report(const struct load *load)
{
    char line[1024];

    printf("{\"tcp\":");
    streams_print(stdout);
    printf(",\"udp\":");
    datagrams_print(stdout);
    printf(",\"server\":%s}\n",
           streams_ask(load, line, sizeof line) ? line : "null");
}

static int run(int epoll, const struct load *load)
{
    uint64_t start = now_ms(), grace = 3000;
    bool told = false;

    if (streams_open(epoll, load, start) < 0 ||
        datagrams_open(epoll, load, start) < 0) {
        perror("load: cannot open sessions");
        return 1;
    }
    while (!stopped &&
           (now_ms() < start + load->time + grace || !streams_done())) {
        wait_for(epoll, 20);
        streams_tick(now_ms());
        datagrams_tick(now_ms());
        if (!told && streams_run() && datagrams_run()) {
            told = true;
            datagrams_ran(now_ms());
            puts("running");
            fflush(stdout);
        }
    }
    report(load);
    return 0;
}

static bool parse_address(const char *text, struct sockaddr_in *out)
{
    char address[64];
    const char *colon = strchr(text, ':');
    unsigned long port;

    if (!colon || (size_t)(colon - text) >= sizeof address)
        return false;
    memcpy(address, text, (size_t)(colon - text));
    address[colon - text] = '\0';
    port = strtoul(colon + 1, NULL, 10);
    *out = (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port)};
    return port > 0 && port < 65536 &&
           inet_pton(AF_INET, address, &out->sin_addr) == 1;
}

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static bool parse_options(int argc, char **argv, struct load *load,
                          bool *server)
{
    static const struct option options[] = {
        {"serve", no_argument, NULL, 'S'},
        {"tcp", required_argument, NULL, 't'},
        {"udp", required_argument, NULL, 'u'},
        {"down", required_argument, NULL, 'd'},
        {"up", required_argument, NULL, 'U'},
        {"first", required_argument, NULL, 'f'},
        {"seconds", required_argument, NULL, 's'},
        {"interval", required_argument, NULL, 'i'},
        {"rate", required_argument, NULL, 'r'},
        {"size", required_argument, NULL, 'z'},
        {"hung", required_argument, NULL, 'h'},
        {"help", no_argument, NULL, 'H'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        unsigned value = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;

        switch (option) {
        case 'S':
            *server = true;
            break;
        case 't':
            load->tcp = value;
            break;
        case 'u':
            load->udp = value;
            break;
        case 'd':
            load->down = value;
            break;
        case 'U':
            load->up = value;
            break;
        case 'f':
            load->first = value;
            break;
        case 's':
            load->time = (uint64_t)value * 1000;
            break;
        case 'i':
            load->interval = value;
            break;
        case 'r':
            load->rate = value;
            break;
        case 'z':
            load->size = value;
            break;
        case 'h':
            load->hung = (uint64_t)value * 1000;
            break;
        case 'H':
            usage(stdout);
            exit(0);
        default:
            return false;
        }
    }
    return argc - optind == 1 && parse_address(argv[optind], &load->server) &&
           load->size >= 64 && load->size <= 1472 && load->interval > 0 &&
           load->first + load->tcp + load->udp + load->down + load->up <
               SESSIONS_MAX;
}

int main(int argc, char **argv)
{
    struct load load = {.first = 1,
                        .time = 10000,
                        .interval = 200,
                        .rate = 16384,
                        .size = 200,
                        .hung = 10000};
    struct rlimit files = {65536, 65536};
    bool server = false;
    int epoll;

    if (!parse_options(argc, argv, &load, &server)) {
        usage(stderr);
        return 2;
    }
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!server)
        return run(epoll, &load);
    serve(epoll, load.server);
    return 0;
}
