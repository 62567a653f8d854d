/*
 * load - many sessions whose every byte is known, so that whatever is lost,
 * doubled, damaged or delivered to another session is noticed. One thread; all
 * sessions of TCP in stream.c, those of UDP in datagram.c, both ends in each.
 *
 * Times are milliseconds of a clock that only goes forward.
 */
#ifndef TESTS_NET_LOAD_H
#define TESTS_NET_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SESSIONS_MAX = 16384, CLIENT_PORTS = 16384 };

/* What a client was asked to do. */
struct load {
    struct sockaddr_in server;
    unsigned tcp;           /* in turn: both ways, to the server, from it */
    unsigned udp, down, up; /* asked and answered; pushed by the server; sent
                               to it and never answered */
    unsigned first;         /* number of the first session */
    uint64_t time;          /* of the load */
    uint64_t interval;      /* between two datagrams of a session */
    uint64_t rate;          /* bytes a second of a TCP session, each way */
    uint64_t hung;          /* without progress for so long, it is hung */
    size_t size;            /* of a datagram */
};

uint64_t now_ms(void);

/* A client's socket. Its port is the session's own, since a port that was used
 * before leads to a session that routers still know. The number after the last
 * session's is the question's. -1 on failure. */
int client_socket(int type, uint64_t session);

uint64_t get64(const uint8_t *at);
void put64(uint8_t *at, uint64_t value);

/* The bytes of a session from an offset on. */
void pattern_fill(uint8_t *out, size_t len, uint64_t id, uint64_t offset);
bool pattern_is(const uint8_t *in, size_t len, uint64_t id, uint64_t offset);

/* "max" and "median" of so many times, as members of a JSON object. */
void times_print(FILE *out, const char *name, uint64_t *times, size_t count);

/* What epoll hands back: the first member of every session. */
struct source {
    void (*ready)(struct source *source, uint64_t now);
};

void watch(int epoll, int fd, struct source *source);

/* ---- stream.c ---- */

int streams_listen(int epoll, struct sockaddr_in at);
void streams_tick(uint64_t now);

int streams_open(int epoll, const struct load *load, uint64_t now);
bool streams_run(void); /* each has had progress, or has ended */
bool streams_done(void);
void streams_print(FILE *out);

/* Asks the server for the line that datagrams_report wrote; false if it does
   not come. */
bool streams_ask(const struct load *load, char *line, size_t size);

/* ---- datagram.c ---- */

int datagrams_listen(int epoll, struct sockaddr_in at);
void datagrams_push(uint64_t now);

int datagrams_open(int epoll, const struct load *load, uint64_t now);
void datagrams_tick(uint64_t now);
bool datagrams_run(void);
void datagrams_ran(uint64_t now); /* all sessions have, from now on */
void datagrams_print(FILE *out);

/* Of the sessions from a number on, as their server sees them. */
void datagrams_report(FILE *out, unsigned first, unsigned count);

#endif
