/*
 * A TCP session is opened by a greeting of 40 bytes: magic, session, bytes to
 * the server, bytes from it, bytes a second. Then each side sends its bytes at
 * that pace, and, when it has checked all of the other's, one byte more: 'K'.
 * So a session is complete only where both ends have seen every byte.
 */
#define _GNU_SOURCE

#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { GREETING = 40, PART = 8192, PART_LEAST = 1024, TICK = 100 };

static const uint64_t magic = 0x6c6f6164206f6e65, question = 0x6c6f616420617369;

enum outcome { ALIVE, COMPLETED, RESET, REFUSED, HUNG, CORRUPT, OUTCOMES };

static const char *const outcome_names[OUTCOMES] = {
    "alive", "completed", "reset", "refused", "hung", "corrupt"};

struct stream {
    struct source source;
    struct stream *next;
    int fd;
    bool server, connected;
    uint8_t greeting[GREETING]; /* a server's, as far as it has come */
    size_t greeted;
    uint64_t id, rate, out_len, in_len;
    uint64_t out, in; /* bytes sent, received; the last byte is the 'K' */
    uint64_t start, progress, acked, stall;
    enum outcome outcome;
};

static struct stream *all;
static uint64_t hung_after;
static int epoll_fd;

static void end(struct stream *s, enum outcome outcome)
{
    struct linger at_once = {.l_onoff = 1};

    s->outcome = outcome;
    if (outcome != COMPLETED)
        setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(s->fd);
    s->fd = -1;
}

static void progress(struct stream *s, uint64_t now)
{
    if (now - s->progress > s->stall)
        s->stall = now - s->progress;
    s->progress = now;
}

static void failed(struct stream *s, bool at_end)
{
    if (at_end || errno == ECONNRESET || errno == EPIPE)
        end(s, RESET);
    else if (errno != EAGAIN && errno != EINTR)
        end(s, s->connected ? RESET : REFUSED);
}

/* The two directions of a session have different bytes. */
static uint64_t pattern_of(const struct stream *s, bool out)
{
    return s->id << 1 | (out == s->server);
}

static void finish(struct stream *s)
{
    if (s->fd >= 0 && s->out > s->out_len && s->in > s->in_len)
        end(s, COMPLETED);
}

/* How many bytes may go now: what the pace allows, a good part at a time. */
static uint64_t allowance(const struct stream *s, uint64_t now)
{
    uint64_t allowed = (now - s->start) * s->rate / 1000;

    if (allowed >= s->out_len)
        return s->out_len - s->out;
    return allowed >= s->out + PART_LEAST ? allowed - s->out : 0;
}

static void transmit(struct stream *s, uint64_t now)
{
    uint8_t part[PART];
    uint64_t left = s->out < s->out_len ? allowance(s, now) : 0, len;
    ssize_t done;

    for (; left > 0; left -= (uint64_t)done) {
        len = left < PART ? left : PART;
        pattern_fill(part, len, pattern_of(s, true), s->out);
        done = send(s->fd, part, len, MSG_DONTWAIT);
        if (done < 0)
            return failed(s, false);
        s->out += (uint64_t)done;
    }
    if (s->out != s->out_len || s->in < s->in_len)
        return;
    if (send(s->fd, "K", 1, MSG_DONTWAIT) < 0)
        return failed(s, false);
    s->out++;
    finish(s);
}

static bool check(struct stream *s, const uint8_t *bytes, size_t len)
{
    size_t data = len;

    if (data > s->in_len - s->in)
        data = s->in > s->in_len ? 0 : (size_t)(s->in_len - s->in);
    if (!pattern_is(bytes, data, pattern_of(s, false), s->in) ||
        len - data > 1 || (len > data && bytes[data] != 'K'))
        return false;
    s->in += len;
    return s->in <= s->in_len + 1;
}

static void receive(struct stream *s, uint64_t now)
{
    uint8_t part[PART];
    ssize_t len;

    while (s->fd >= 0) {
        len = recv(s->fd, part, sizeof part, MSG_DONTWAIT);
        if (len <= 0)
            return failed(s, len == 0);
        progress(s, now);
        if (!check(s, part, (size_t)len))
            return end(s, CORRUPT);
        finish(s);
    }
}

static struct stream *add(int fd, uint64_t now,
                          void (*ready)(struct source *, uint64_t))
{
    struct stream *s = calloc(1, sizeof *s);

    if (!s)
        exit(1);
    s->source.ready = ready;
    s->fd = fd;
    s->start = s->progress = now;
    s->next = all;
    all = s;
    return s;
}

/* ---- the server ---- */

static void answer(struct stream *s)
{
    FILE *out = fdopen(s->fd, "w");

    if (!out)
        return end(s, RESET);
    datagrams_report(out, (unsigned)s->id, (unsigned)s->in_len);
    fclose(out);
    s->fd = -1;
    s->outcome = COMPLETED;
}

static void greeted(struct stream *s, uint64_t now)
{
    s->id = get64(s->greeting + 8);
    s->in_len = get64(s->greeting + 16);
    s->out_len = get64(s->greeting + 24);
    s->rate = get64(s->greeting + 32);
    s->start = now;
    if (get64(s->greeting) == question)
        answer(s);
    else if (get64(s->greeting) != magic)
        end(s, CORRUPT);
}

static void served(struct source *source, uint64_t now)
{
    struct stream *s = (struct stream *)source;
    ssize_t len;

    if (s->greeted < GREETING) {
        len = recv(s->fd, s->greeting + s->greeted, GREETING - s->greeted,
                   MSG_DONTWAIT);
        if (len <= 0)
            return failed(s, len == 0);
        s->greeted += (size_t)len;
        if (s->greeted == GREETING)
            greeted(s, now);
    }
    if (s->greeted == GREETING)
        receive(s, now);
}

static struct {
    struct source source;
    int fd;
} listener;

static void accepted(struct source *source, uint64_t now)
{
    struct stream *s;
    int fd;

    (void)source;
    while ((fd = accept4(listener.fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        s = add(fd, now, served);
        s->server = true;
        s->connected = true;
        watch(epoll_fd, fd, &s->source);
    }
}

int streams_listen(int epoll, struct sockaddr_in at)
{
    int yes = 1;

    epoll_fd = epoll;
    listener.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    listener.source.ready = accepted;
    setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener.fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        listen(listener.fd, 4096) < 0)
        return -1;
    watch(epoll, listener.fd, &listener.source);
    return 0;
}

/* ---- the client ---- */

static void ready(struct source *source, uint64_t now)
{
    receive((struct stream *)source, now);
}

static int open_one(const struct load *load, unsigned number, uint64_t now)
{
    uint64_t len = load->rate * load->time / 1000;
    int fd = client_socket(SOCK_STREAM | SOCK_NONBLOCK, load->first + number);
    struct stream *s;

    if (fd < 0)
        return -1;
    s = add(fd, now, ready);
    s->id = load->first + number;
    s->rate = load->rate;
    s->out_len = number % 3 == 2 ? 0 : len;
    s->in_len = number % 3 == 1 ? 0 : len;
    put64(s->greeting, magic);
    put64(s->greeting + 8, s->id);
    put64(s->greeting + 16, s->out_len);
    put64(s->greeting + 24, s->in_len);
    put64(s->greeting + 32, s->rate);
    if (connect(fd, (const struct sockaddr *)&load->server,
                sizeof load->server) < 0 &&
        errno != EINPROGRESS)
        end(s, REFUSED);
    else
        watch(epoll_fd, fd, &s->source);
    return 0;
}

int streams_open(int epoll, const struct load *load, uint64_t now)
{
    epoll_fd = epoll;
    hung_after = load->hung;
    for (unsigned i = 0; i < load->tcp; i++)
        if (open_one(load, i, now) < 0)
            return -1;
    return 0;
}

/* Where to look for a session that hangs. */
static void tell(const struct stream *s)
{
    struct sockaddr_in own = {0};
    socklen_t len = sizeof own;

    getsockname(s->fd, (struct sockaddr *)&own, &len);
    fprintf(stderr,
            "hung: session %llu, port %u, %llu of %llu sent, %llu of %llu "
            "received\n",
            (unsigned long long)s->id, ntohs(own.sin_port),
            (unsigned long long)s->out, (unsigned long long)s->out_len + 1,
            (unsigned long long)s->in, (unsigned long long)s->in_len + 1);
}

/* What the other end has acknowledged is progress, too. */
static void look(struct stream *s, uint64_t now)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    if (getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
        info.tcpi_bytes_acked > s->acked) {
        s->acked = info.tcpi_bytes_acked;
        progress(s, now);
    }
    if (!s->server && now - s->progress > hung_after) {
        tell(s);
        end(s, HUNG);
    }
}

static void greet(struct stream *s, uint64_t now)
{
    if (send(s->fd, s->greeting, GREETING, MSG_DONTWAIT) == GREETING) {
        s->connected = true;
        s->start = now;
        progress(s, now);
    } else if (errno != EAGAIN) {
        failed(s, false);
    }
}

void streams_tick(uint64_t now)
{
    static uint64_t next;
    struct stream **at = &all, *s;

    if (now < next)
        return;
    next = now + TICK;

    while ((s = *at)) {
        if (s->fd >= 0 && !s->connected)
            greet(s, now);
        if (s->fd >= 0 && s->connected &&
            (!s->server || s->greeted == GREETING))
            transmit(s, now);
        if (s->fd >= 0)
            look(s, now);
        if (s->fd >= 0 || !s->server) {
            at = &s->next;
        } else {
            *at = s->next;
            free(s);
        }
    }
}

bool streams_run(void)
{
    for (const struct stream *s = all; s; s = s->next)
        if (s->outcome == ALIVE && s->in == 0 && s->acked <= GREETING + 1)
            return false;
    return true;
}

bool streams_done(void)
{
    for (const struct stream *s = all; s; s = s->next)
        if (s->outcome == ALIVE)
            return false;
    return true;
}

void streams_print(FILE *out)
{
    static uint64_t stalls[SESSIONS_MAX];
    unsigned long long counts[OUTCOMES] = {0}, bytes = 0;
    size_t sessions = 0;

    for (const struct stream *s = all; s; s = s->next) {
        counts[s->outcome]++;
        bytes += s->out + s->in;
        stalls[sessions++] = s->stall;
    }
    fprintf(out, "{\"sessions\":%zu,\"bytes\":%llu", sessions, bytes);
    for (int i = 0; i < OUTCOMES; i++)
        fprintf(out, ",\"%s\":%llu", outcome_names[i], counts[i]);
    times_print(out, "stall", stalls, sessions);
    fprintf(out, "}");
}

bool streams_ask(const struct load *load, char *line, size_t size)
{
    uint8_t greeting[GREETING] = {0};
    struct timeval patience = {.tv_sec = 60}; /* half of all may be lost */
    unsigned sessions = load->tcp + load->udp + load->down + load->up;
    int fd = client_socket(SOCK_STREAM, load->first + sessions);
    size_t len = 0;
    ssize_t got = 0;

    put64(greeting, question);
    put64(greeting + 8, load->first + load->tcp);
    put64(greeting + 16, sessions - load->tcp);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&load->server,
                sizeof load->server) == 0 &&
        send(fd, greeting, GREETING, 0) == GREETING)
        while (len + 1 < size &&
               (got = recv(fd, line + len, size - 1 - len, 0)) > 0)
            len += (size_t)got;
    close(fd);
    line[len] = '\0';
    return got == 0 && len > 0 && line[len - 1] == '}';
}
