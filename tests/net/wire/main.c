/*
 * wire - a cable with faults: joins two Ethernet devices and does to the frames
 * between them what a network can do. See usage() below.
 *
 * Segmentation and checksum offloads of both devices' other ends must be off,
 * so that a frame here is what would be on a cable.
 */
#define _GNU_SOURCE

#include "cable.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BURST = 64 };

static struct {
    struct cable *cable;
    int fd[2];
    const char *name[2];
} wire;

static volatile sig_atomic_t stopped;

static void usage(FILE *out)
{
    fputs(
        "usage: wire [--seed N] [--fifo FILE] DEVICE DEVICE [SETTING...]\n"
        "\n"
        "Joins two Ethernet devices by a cable with faults. A SETTING is\n"
        "NAME=VALUE, or DEVICE:NAME=VALUE for the frames that come in there:\n"
        "\n"
        "  delay=MS          how long a frame is on its way\n"
        "  jitter=MS         and up to so much more or less; order is kept\n"
        "  loss=PERCENT      of the frames are lost\n"
        "  duplicate=PERCENT arrive twice\n"
        "  reorder=PERCENT   are overtaken by those of the next 5 ms\n"
        "  corrupt=PERCENT   are damaged: one bit, or, as often, two words of\n"
        "                    the payload, or of TCP's options, change\n"
        "                    places, which no checksum sees\n"
        "  mtu=BYTES         longer IP packets are lost without a word\n"
        "\n"
        "Settings are also read from FILE, a FIFO made here, one a line; the\n"
        "line \"report\" and SIGTERM print the counts as JSON.\n",
        out);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void receive(int from)
{
    uint8_t bytes[FRAME_MAX + 1];
    ssize_t len;

    for (int i = 0; i < BURST; i++) {
        len = recv(wire.fd[from], bytes, sizeof bytes, MSG_DONTWAIT);
        if (len < 0)
            return;
        cable_put(wire.cable, from, bytes, (size_t)len, now_ns());
    }
}

static void send_due(uint64_t now)
{
    struct frame *frame;
    uint64_t *counts;

    while (cable_due(wire.cable) <= now) {
        frame = cable_take(wire.cable);
        counts = cable_direction(wire.cable, frame->from)->counts;
        if (send(wire.fd[!frame->from], frame->bytes, frame->len, 0) < 0)
            counts[FULL]++;
        else
            counts[PASSED]++;
        free(frame);
    }
}

/* One of [DEVICE:]NAME=VALUE; both directions without a device. */
static bool set(char *text)
{
    char *equals = strchr(text, '='), *colon = strchr(text, ':'), *end;
    const char *name = colon ? colon + 1 : text;
    double value;

    if (!equals)
        return false;
    *equals = '\0';
    value = strtod(equals + 1, &end);
    if (end == equals + 1 || *end != '\0' || !(value >= 0 && value <= 60000))
        return false;
    if (colon)
        *colon = '\0';
    if (colon && strcmp(text, wire.name[0]) != 0 &&
        strcmp(text, wire.name[1]) != 0)
        return false;
    for (int knob = 0; knob < KNOBS; knob++) {
        if (strcmp(name, knob_names[knob]) != 0)
            continue;
        for (int i = 0; i < 2; i++)
            if (!colon || strcmp(text, wire.name[i]) == 0)
                cable_direction(wire.cable, i)->knobs[knob] = value;
        return true;
    }
    return false;
}

static void report(void)
{
    const uint64_t *counts;

    for (int i = 0; i < 2; i++) {
        counts = cable_direction(wire.cable, i)->counts;
        printf("%s\"%s\":{", i == 0 ? "{" : ",", wire.name[i]);
        for (int kind = 0; kind < COUNTS; kind++)
            printf("%s\"%s\":%llu", kind ? "," : "", count_names[kind],
                   (unsigned long long)counts[kind]);
        printf("}");
    }
    printf("}\n");
    fflush(stdout);
}

/* Writers send whole lines, which a FIFO keeps together. */
static void obey(int fifo)
{
    char text[4096], *save = NULL, *line;
    ssize_t len = read(fifo, text, sizeof text - 1);

    if (len <= 0)
        return;
    text[len] = '\0';
    for (line = strtok_r(text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save))
        if (strcmp(line, "report") == 0)
            report();
        else if (!set(line))
            fprintf(stderr, "wire: not understood: %s\n", line);
}

static int attach(const char *device)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ALL),
                             .sll_ifindex = (int)if_nametoindex(device)};
    struct packet_mreq all = {.mr_ifindex = at.sll_ifindex,
                              .mr_type = PACKET_MR_PROMISC};
    int fd = socket(AF_PACKET, SOCK_RAW, 0), yes = 1, space = 8 << 20;

    if (fd < 0 || at.sll_ifindex == 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) ||
        setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof space) ||
        bind(fd, (struct sockaddr *)&at, sizeof at) < 0) {
        fprintf(stderr, "wire: %s: %s\n", device, strerror(errno));
        exit(1);
    }
    return fd;
}

static int open_fifo(const char *file)
{
    int fd;

    /* Opened for writing too, so that it does not end with a writer. */
    if ((mkfifo(file, 0600) < 0 && errno != EEXIST) ||
        (fd = open(file, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0) {
        fprintf(stderr, "wire: %s: %s\n", file, strerror(errno));
        exit(1);
    }
    return fd;
}

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static void run(int fifo)
{
    const uint64_t most = 100000000;
    struct pollfd polled[3] = {{.fd = wire.fd[0], .events = POLLIN},
                               {.fd = wire.fd[1], .events = POLLIN},
                               {.fd = fifo, .events = POLLIN}};
    struct timespec wait = {0};
    uint64_t now, due;

    while (!stopped) {
        now = now_ns();
        due = cable_due(wire.cable);
        wait.tv_nsec = due <= now         ? 0
                       : due - now < most ? (long)(due - now)
                                          : (long)most;
        if (ppoll(polled, 3, &wait, NULL) > 0) {
            if (polled[0].revents)
                receive(0);
            if (polled[1].revents)
                receive(1);
            if (polled[2].revents)
                obey(fifo);
        }
        send_due(now_ns());
    }
}

int main(int argc, char **argv)
{
    const char *fifo = NULL;
    uint64_t seed = 0;
    int at = 1;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout), 0;
    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        if (strcmp(argv[at], "--seed") == 0)
            seed = strtoull(argv[at + 1], NULL, 10);
        else if (strcmp(argv[at], "--fifo") == 0)
            fifo = argv[at + 1];
        else
            return usage(stderr), 2;
    }
    if (argc - at < 2)
        return usage(stderr), 2;
    if (!(wire.cable = cable_make(seed)))
        return 1;
    wire.name[0] = argv[at];
    wire.name[1] = argv[at + 1];
    for (int i = at + 2; i < argc; i++)
        if (!set(argv[i])) {
            fprintf(stderr, "wire: not understood: %s\n", argv[i]);
            return 2;
        }
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    wire.fd[0] = attach(wire.name[0]);
    wire.fd[1] = attach(wire.name[1]);
    run(fifo ? open_fifo(fifo) : -1);
    report();
    return 0;
}
