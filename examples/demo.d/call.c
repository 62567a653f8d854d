/*
 * call - one end of something like a telephone call: a datagram every 20 ms, as
 * long as one of RTP with G.711, which bears its number and the time.
 *
 *   call ADDRESS PORT     calls
 *   call PORT             waits to be called
 *
 * Until SIGTERM; then it listens for another second and prints a line for each
 * datagram, "sent NUMBER TIME" or "heard NUMBER SENT HEARD". Times are seconds
 * of the machine's clock, so both ends must run on one machine.
 */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { DATAGRAM = 12 + 160, INTERVAL_MS = 20, LISTEN_MS = 1000 };

struct stamp {
    uint64_t number;
    double sent;
};

static volatile sig_atomic_t ending;

static void on_signal(int number)
{
    (void)number;
    ending = 1;
}

static double clock_seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t steady_ms(void)
{
    return (uint64_t)(clock_seconds(CLOCK_MONOTONIC) * 1e3);
}

static void speak(int fd, uint64_t number)
{
    struct stamp stamp = {number, clock_seconds(CLOCK_REALTIME)};
    uint8_t bytes[DATAGRAM] = {0};

    memcpy(bytes, &stamp, sizeof stamp);
    /* What cannot be sent is lost like any other. */
    (void)!send(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    printf("sent %llu %.6f\n", (unsigned long long)number, stamp.sent);
}

static void hear(int fd)
{
    struct stamp stamp;
    uint8_t bytes[DATAGRAM];

    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) == sizeof bytes) {
        memcpy(&stamp, bytes, sizeof stamp);
        printf("heard %llu %.6f %.6f\n", (unsigned long long)stamp.number,
               stamp.sent, clock_seconds(CLOCK_REALTIME));
    }
}

static void talk(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    uint64_t next = steady_ms(), number = 0, end = UINT64_MAX;

    while (steady_ms() < end) {
        uint64_t now = steady_ms();

        if (ending && end == UINT64_MAX)
            end = now + LISTEN_MS;
        if (!ending && now >= next) {
            speak(fd, number++);
            next += INTERVAL_MS;
            continue;
        }
        poll(&polled, 1, ending ? 10 : (int)(next - now));
        hear(fd);
    }
}

/* Takes the first who calls. */
static bool answer(int fd, struct sockaddr_in at)
{
    socklen_t len = sizeof at;
    char byte;

    return bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
           recvfrom(fd, &byte, 1, MSG_PEEK, (struct sockaddr *)&at, &len) > 0 &&
           connect(fd, (struct sockaddr *)&at, len) == 0;
}

int main(int argc, char **argv)
{
    struct sigaction act = {.sa_handler = on_signal};
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (argc < 2 || argc > 3 ||
        (argc == 3 && inet_pton(AF_INET, argv[1], &at.sin_addr) != 1)) {
        fputs("usage: call [ADDRESS] PORT\n", stderr);
        return 2;
    }
    at.sin_port = htons((uint16_t)atoi(argv[argc - 1]));
    sigaction(SIGTERM, &act, NULL);
    if (argc == 3 ? connect(fd, (struct sockaddr *)&at, sizeof at) != 0
                  : !answer(fd, at)) {
        perror("call");
        return 1;
    }
    talk(fd);
    return 0;
}
