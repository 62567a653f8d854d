/*
 * A datagram is 48 bytes, each number of 8: magic, session, number in its
 * session and direction, kind, milliseconds between two, how many there will
 * be; then bytes that belong to this session and number alone.
 */
#define _GNU_SOURCE

#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD = 48, LONGEST = 1472, COUNT_MAX = 100000 };

static const uint64_t magic = 0x6c6f616420756470;

enum kind { ASK, OPEN, UP, ANSWER, PUSHED };

/* What has come, of one direction of one session. */
struct tally {
    uint8_t *seen;
    uint64_t count, tail; /* in all, and in the last two seconds */
    uint64_t received, duplicated, misdelivered, corrupt;
    uint64_t last, silence;
};

struct datagrams {
    struct source source;
    int fd;
    enum kind kind;
    uint64_t id, interval, count, sent, next;
    uint64_t *sent_at, late; /* at the client */
    size_t size;
    struct sockaddr_in client; /* at the server */
    struct tally tally;
};

/* The client's by order, the server's by number. */
static struct datagrams *sessions[SESSIONS_MAX];
static unsigned opened;

static struct datagrams *make(uint64_t id, enum kind kind, uint64_t interval,
                              uint64_t count, size_t size)
{
    struct datagrams *d = calloc(1, sizeof *d);

    if (!d || !(d->tally.seen = calloc(1, count)))
        exit(1);
    d->id = id;
    d->kind = kind;
    d->interval = interval;
    d->count = d->tally.count = count;
    d->tally.tail = 2000 / interval < count ? 2000 / interval + 1 : count;
    d->size = size;
    return d;
}

/* Each direction has bytes of its own. */
static uint64_t pattern_of(uint64_t id, enum kind kind)
{
    return id << 1 | (kind >= ANSWER);
}

static void send_one(const struct datagrams *d, int fd, enum kind kind,
                     uint64_t number, const struct sockaddr_in *to)
{
    uint8_t bytes[LONGEST];
    socklen_t len = to ? sizeof *to : 0;

    put64(bytes, magic);
    put64(bytes + 8, d->id);
    put64(bytes + 16, number);
    put64(bytes + 24, kind);
    put64(bytes + 32, d->interval);
    put64(bytes + 40, d->count);
    pattern_fill(bytes + HEAD, d->size - HEAD, pattern_of(d->id, kind),
                 number * 2048);
    /* What an ICMP error or a full queue says is a loss like any other. */
    (void)!sendto(fd, bytes, d->size, MSG_DONTWAIT, (const struct sockaddr *)to,
                  len);
}

static bool is_whole(const uint8_t *bytes, size_t len)
{
    return len >= HEAD && get64(bytes) == magic &&
           get64(bytes + 24) <= PUSHED && get64(bytes + 32) > 0 &&
           get64(bytes + 40) > 0 && get64(bytes + 40) <= COUNT_MAX &&
           get64(bytes + 16) < get64(bytes + 40) &&
           pattern_is(bytes + HEAD, len - HEAD,
                      pattern_of(get64(bytes + 8), (enum kind)bytes[31]),
                      get64(bytes + 16) * 2048);
}

static void count_one(struct tally *tally, uint64_t number, uint64_t now)
{
    if (tally->last != 0 && now - tally->last > tally->silence)
        tally->silence = now - tally->last;
    tally->last = now;
    if (number >= tally->count)
        tally->corrupt++;
    else if (tally->seen[number])
        tally->duplicated++;
    else
        tally->received++, tally->seen[number] = 1;
}

/* Whether the last two seconds brought anything. */
static bool is_alive(const struct tally *tally)
{
    for (uint64_t i = tally->count - tally->tail; i < tally->count; i++)
        if (tally->seen[i])
            return true;
    return false;
}

/* ---- the server ---- */

static struct {
    struct source source;
    int fd;
    uint64_t corrupt;
} server;

static bool same(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
    return a->sin_addr.s_addr == b->sin_addr.s_addr &&
           a->sin_port == b->sin_port;
}

static void take(const uint8_t *bytes, size_t len,
                 const struct sockaddr_in *from, uint64_t now)
{
    uint64_t id = get64(bytes + 8), number = get64(bytes + 16);
    enum kind kind = (enum kind)get64(bytes + 24);
    struct datagrams *d;

    if (!is_whole(bytes, len) || id >= SESSIONS_MAX || kind > UP) {
        server.corrupt++;
        return;
    }
    d = sessions[id];
    if (!d) {
        d = make(id, kind, get64(bytes + 32), get64(bytes + 40), len);
        d->client = *from;
        d->next = now;
        sessions[id] = d;
    }
    if (!same(&d->client, from) || d->kind != kind) {
        d->tally.misdelivered++;
        return;
    }
    if (kind != OPEN)
        count_one(&d->tally, number, now);
    if (kind == ASK)
        send_one(d, server.fd, ANSWER, number, from);
}

static void served(struct source *source, uint64_t now)
{
    uint8_t bytes[LONGEST + 1];
    struct sockaddr_in from;
    socklen_t from_len;
    ssize_t len;

    (void)source;
    for (;;) {
        from_len = sizeof from;
        memset(bytes, 0, HEAD);
        len = recvfrom(server.fd, bytes, sizeof bytes, MSG_DONTWAIT,
                       (struct sockaddr *)&from, &from_len);
        if (len < 0)
            return;
        take(bytes, (size_t)len, &from, now);
    }
}

int datagrams_listen(int epoll, struct sockaddr_in at)
{
    int space = 8 << 20;

    server.fd = socket(AF_INET, SOCK_DGRAM, 0);
    server.source.ready = served;
    setsockopt(server.fd, SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof space);
    if (bind(server.fd, (struct sockaddr *)&at, sizeof at) < 0)
        return -1;
    watch(epoll, server.fd, &server.source);
    return 0;
}

void datagrams_push(uint64_t now)
{
    for (unsigned i = 0; i < SESSIONS_MAX; i++) {
        struct datagrams *d = sessions[i];

        if (!d || d->kind != OPEN || d->sent == d->count || now < d->next)
            continue;
        send_one(d, server.fd, PUSHED, d->sent++, &d->client);
        d->next += d->interval;
    }
}

void datagrams_report(FILE *out, unsigned first, unsigned count)
{
    static uint64_t silences[SESSIONS_MAX];
    unsigned long long received = 0, duplicated = 0, misdelivered = 0;
    unsigned known = 0, up = 0, alive = 0;

    for (unsigned i = first; i < first + count && i < SESSIONS_MAX; i++) {
        const struct datagrams *d = sessions[i];

        if (!d)
            continue;
        known++;
        received += d->tally.received;
        duplicated += d->tally.duplicated;
        misdelivered += d->tally.misdelivered;
        if (d->kind != UP)
            continue;
        silences[up++] = d->tally.silence;
        alive += is_alive(&d->tally);
    }
    fprintf(out,
            "{\"sessions\":%u,\"received\":%llu,\"duplicated\":%llu"
            ",\"misdelivered\":%llu,\"corrupt\":%llu,\"up\":%u"
            ",\"up_alive\":%u",
            known, received, duplicated, misdelivered,
            (unsigned long long)server.corrupt, up, alive);
    times_print(out, "silence", silences, up);
    fprintf(out, "}");
}

/* ---- the client ---- */

static void hear(struct datagrams *d, const uint8_t *bytes, size_t len,
                 uint64_t now)
{
    enum kind kind = d->kind == OPEN ? PUSHED : ANSWER;

    if (!is_whole(bytes, len))
        d->tally.corrupt++;
    else if (get64(bytes + 8) != d->id || get64(bytes + 24) != kind)
        d->tally.misdelivered++;
    else
        count_one(&d->tally, get64(bytes + 16), now);
}

static void ready(struct source *source, uint64_t now)
{
    struct datagrams *d = (struct datagrams *)source;
    uint8_t bytes[LONGEST + 1];
    ssize_t len;

    while ((len = recv(d->fd, bytes, sizeof bytes, MSG_DONTWAIT)) >= 0 ||
           errno == ECONNREFUSED || errno == EHOSTUNREACH ||
           errno == ENETUNREACH || errno == EACCES)
        if (len >= 0)
            hear(d, bytes, (size_t)len, now);
}

static int open_one(int epoll, const struct load *load, unsigned number,
                    enum kind kind, uint64_t now)
{
    struct datagrams *d = make(load->first + number, kind, load->interval,
                               load->time / load->interval, load->size);

    d->fd = client_socket(SOCK_DGRAM, d->id);
    if (d->fd < 0 || connect(d->fd, (const struct sockaddr *)&load->server,
                             sizeof load->server) < 0)
        return -1;
    /* Not all in the same millisecond. */
    d->next = now + (number - load->tcp) * load->interval /
                        (load->udp + load->down + load->up);
    if (!(d->sent_at = calloc(d->count, sizeof *d->sent_at)))
        exit(1);
    watch(epoll, d->fd, &d->source);
    d->source.ready = ready;
    sessions[opened++] = d;
    return 0;
}

int datagrams_open(int epoll, const struct load *load, uint64_t now)
{
    unsigned end = load->tcp, number = load->tcp;
    const unsigned counts[] = {
        [ASK] = load->udp, [OPEN] = load->down, [UP] = load->up};

    for (enum kind kind = ASK; kind <= UP; kind++)
        for (end += counts[kind]; number < end; number++)
            if (open_one(epoll, load, number, kind, now) < 0)
                return -1;
    return 0;
}

void datagrams_tick(uint64_t now)
{
    for (unsigned i = 0; i < opened; i++) {
        struct datagrams *d = sessions[i];

        if (now < d->next || d->sent == d->count)
            continue;
        if (now - d->next > d->late)
            d->late = now - d->next;
        d->next += d->interval;
        d->sent_at[d->sent] = now;
        if (d->kind != OPEN)
            send_one(d, d->fd, d->kind, d->sent++, NULL);
        else if (d->tally.received == 0)
            send_one(d, d->fd, OPEN, 0, NULL);
    }
}

bool datagrams_run(void)
{
    for (unsigned i = 0; i < opened; i++)
        if (sessions[i]->kind == UP ? sessions[i]->sent < 2
                                    : sessions[i]->tally.received == 0)
            return false;
    return true;
}

static uint64_t ran_at; /* all have made progress */

void datagrams_ran(uint64_t now)
{
    ran_at = now;
}

/* Milliseconds from the first to the last question that was not answered, of
 * those since all sessions have run. */
static uint64_t lost_span(void)
{
    uint64_t first = UINT64_MAX, last = 0;

    for (unsigned i = 0; i < opened; i++) {
        const struct datagrams *d = sessions[i];

        for (uint64_t k = 0; d->kind == ASK && k < d->sent; k++) {
            if (d->tally.seen[k] || d->sent_at[k] < ran_at)
                continue;
            if (d->sent_at[k] < first)
                first = d->sent_at[k];
            if (d->sent_at[k] > last)
                last = d->sent_at[k];
        }
    }
    return last > first ? last - first : 0;
}

void datagrams_print(FILE *out)
{
    static uint64_t silences[SESSIONS_MAX], lates[SESSIONS_MAX];
    unsigned long long sent = 0, received = 0, duplicated = 0, foreign = 0,
                       corrupt = 0;
    unsigned count = 0, alive = 0;

    for (unsigned i = 0; i < opened; i++) {
        const struct datagrams *d = sessions[i];

        foreign += d->tally.misdelivered;
        corrupt += d->tally.corrupt;
        if (d->kind == UP)
            continue;
        sent += d->kind == OPEN ? d->count : d->sent;
        received += d->tally.received;
        duplicated += d->tally.duplicated;
        alive += is_alive(&d->tally);
        lates[count] = d->late;
        silences[count++] = d->tally.silence;
    }
    fprintf(out,
            "{\"sessions\":%u,\"alive\":%u,\"expected\":%llu"
            ",\"received\":%llu,\"duplicated\":%llu,\"misdelivered\":%llu"
            ",\"corrupt\":%llu,\"lost_span\":%llu",
            count, alive, sent, received, duplicated, foreign, corrupt,
            (unsigned long long)lost_span());
    times_print(out, "late", lates, count);
    times_print(out, "silence", silences, count);
    fprintf(out, "}");
}
