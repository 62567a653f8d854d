/*
 * connect - how fast TCP connections open, one after the other.
 *
 *   connect server PORT                 answers each connection with a byte
 *   connect client ADDRESS PORT COUNT   prints connections per second and the
 *                                       median time of connect() in µs
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
    fprintf(stderr, "connect: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

_Noreturn static void serve(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        bind(s, (struct sockaddr *)&a, sizeof a) || listen(s, 128))
        fail("listen");
    for (;;) {
        int c = accept(s, NULL, NULL);
        if (c < 0)
            continue;
        if (write(c, "x", 1) != 1)
            fprintf(stderr, "connect: a client left early\n");
        close(c);
    }
}

/* Opens one connection, waits for its byte, closes it; returns the time that
 * connect() took. */
static uint64_t open_one(const struct sockaddr_in *to)
{
    struct timeval patience = {.tv_sec = 10};
    char byte;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 ||
        setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience))
        fail("socket");
    uint64_t start = now_ns();
    if (connect(s, (const struct sockaddr *)to, sizeof *to))
        fail("connect");
    uint64_t took = now_ns() - start;
    if (read(s, &byte, 1) != 1)
        fail("read");
    close(s);
    return took;
}

static int measure(const char *address, uint16_t port, size_t count)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
        return 2;
    uint64_t *times = calloc(count, sizeof *times);
    if (!times)
        fail("memory");
    open_one(&to); /* neighbours are found, code is in memory */
    uint64_t start = now_ns();
    for (size_t i = 0; i < count; i++)
        times[i] = open_one(&to);
    double seconds = (double)(now_ns() - start) / 1e9;
    qsort(times, count, sizeof *times, compare);
    uint64_t median = times[count / 2];
    printf("%.0f %.1f\n", (double)count / seconds, (double)median / 1e3);
    free(times);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "server"))
        serve((uint16_t)atoi(argv[2]));
    if (argc == 5 && !strcmp(argv[1], "client") && atoi(argv[4]) > 0)
        return measure(argv[2], (uint16_t)atoi(argv[3]), (size_t)atoi(argv[4]));
    fprintf(stderr, "usage: connect server PORT\n"
                    "       connect client ADDRESS PORT COUNT\n");
    return 2;
}
