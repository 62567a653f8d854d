#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "svrd/control.h"

#define BIG ((size_t)4 << 20)

static const struct privileges nobody_else;
static char directory[64];
static char path[96];
static pid_t server;

/* The server: says what it was asked, or for "big" a lot, or nothing; "late"
 * waits until "now" is said by another; after "listen" one listens, and to
 * "publish N" all of these are told N lines. */

static struct control *control;
static struct control_client *late;

static char *answer(void *user, const char *line, size_t len)
{
    size_t size = len == 3 && memcmp(line, "big", 3) == 0 ? BIG : len + 1;
    char *out;

    (void)user;
    if (len == 7 && memcmp(line, "nothing", 7) == 0)
        return NULL;
    out = malloc(size + 1);
    memset(out, 'x', size);
    memcpy(out, line, len);
    out[size - 1] = '\n';
    out[size] = '\0';
    return out;
}

static char *gap(uint64_t lines)
{
    char *out = NULL;

    cr_assert_gt(asprintf(&out, "lost %lu\n", (unsigned long)lines), 0);
    return out;
}

static void publish(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char line[80];
        int len = snprintf(line, sizeof line, "event %050u\n", i);

        control_publish(control, line, (size_t)len);
    }
}

static void handle(void *user, struct control_client *client, const char *line,
                   size_t len)
{
    char word[64] = "";
    unsigned count;

    memcpy(word, line, len < sizeof word - 1 ? len : sizeof word - 1);
    if (strcmp(word, "listen") == 0) {
        control_listen_on(client, strdup("listening\n"), gap);
        return;
    }
    if (strcmp(word, "late") == 0) {
        late = client;
        return;
    }
    if (strcmp(word, "now") == 0)
        control_reply(late, strdup("at last\n"));
    if (sscanf(word, "publish %u", &count) == 1)
        publish(count);
    if (sscanf(word, "gap %u", &count) == 1)
        control_publish_gap(control, count);
    control_reply(client, answer(user, line, len));
}

static void on_stop(uv_signal_t *handle, int number)
{
    (void)number;
    uv_stop(handle->loop);
}

/* Patience ends after two seconds. */
static void on_tick(uv_timer_t *timer)
{
    control_tick(timer->data, uv_hrtime() + CONTROL_PATIENCE - 2 * SVR_SECOND);
}

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static int serve(void)
{
    struct control *c = control_open(path, &nobody_else);
    uv_loop_t loop;
    uv_signal_t stop;
    uv_timer_t tick;

    if (c == NULL)
        return 9;
    control = c;
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    uv_signal_init(&loop, &stop);
    uv_signal_start(&stop, on_stop, SIGTERM);
    uv_timer_init(&loop, &tick);
    tick.data = c;
    uv_timer_start(&tick, on_tick, 10, 10);
    if (control_listen(c, &loop, handle, NULL) < 0)
        return 9;
    uv_run(&loop, UV_RUN_DEFAULT);
    control_close(c);
    uv_walk(&loop, close_handle, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    control_free(c);
    return uv_loop_close(&loop) == 0 ? 0 : 8;
}

/* A client */

static int try_connect(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_soon(void)
{
    for (int i = 0; i < 500; i++) {
        int fd = try_connect();

        if (fd >= 0)
            return fd;
        usleep(10000);
    }
    cr_assert_fail("nobody listens");
    return -1;
}

static void say(int fd, const char *text)
{
    cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL),
                 (ssize_t)strlen(text));
}

/* The next len bytes, within ten seconds; fewer where the server closes. */
static size_t hear(int fd, char *buf, size_t len)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t got = 0;

    while (got < len && poll(&p, 1, 10000) == 1) {
        ssize_t n = read(fd, buf + got, len - got);

        if (n <= 0)
            break;
        got += (size_t)n;
    }
    return got;
}

static bool is_closed(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char c;

    return poll(&p, 1, 10000) == 1 && read(fd, &c, 1) <= 0;
}

static void expect(int fd, const char *wanted)
{
    char buf[256] = {0};

    cr_assert_eq(hear(fd, buf, strlen(wanted)), strlen(wanted));
    cr_assert_str_eq(buf, wanted);
}

static void start_server(void)
{
    server = fork();
    if (server == 0)
        exit(serve());
    close(connect_soon());
}

static void start(void)
{
    snprintf(directory, sizeof directory, "/tmp/svr-control-XXXXXX");
    cr_assert_neq(mkdtemp(directory), NULL);
    snprintf(path, sizeof path, "%s/r.sock", directory);
    start_server();
}

static int stop_server(int number)
{
    int status;

    kill(server, number);
    cr_assert_eq(waitpid(server, &status, 0), server);
    server = 0;
    return status;
}

static void finish(void)
{
    if (server > 0) {
        int status = stop_server(SIGTERM);

        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        cr_assert_neq(access(path, F_OK), 0, "the socket is removed");
    }
    unlink(path);
    cr_assert_eq(rmdir(directory), 0);
}

Test(router_control, answers_each_line, .init = start, .fini = finish)
{
    int fd = connect_soon();

    say(fd, "one\n");
    expect(fd, "one\n");
    say(fd, "two\nthree\n\nfo");
    expect(fd, "two\nthree\n\n");
    say(fd, "ur\n");
    expect(fd, "four\n");
    close(fd);
}

Test(router_control, lines_may_come_byte_by_byte, .init = start, .fini = finish)
{
    int fd = connect_soon();

    for (const char *c = "slowly\n"; *c != '\0'; c++) {
        say(fd, (char[]){*c, '\0'});
        usleep(2000);
    }
    expect(fd, "slowly\n");
    close(fd);
}

Test(router_control, only_its_owner_may_connect, .init = start, .fini = finish)
{
    struct stat st;

    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 07777, 0600);
}

Test(router_control, endless_lines_end_the_client, .init = start,
     .fini = finish)
{
    int bad = connect_soon();
    char garbage[CONTROL_REQUEST];

    memset(garbage, 0xff, sizeof garbage);
    cr_assert_gt(send(bad, garbage, sizeof garbage, MSG_NOSIGNAL), 0);
    cr_assert(is_closed(bad));
    close(bad);

    int good = connect_soon();
    say(good, "still there\n");
    expect(good, "still there\n");
    close(good);
}

Test(router_control, no_answer_ends_the_client, .init = start, .fini = finish)
{
    int fd = connect_soon();

    say(fd, "nothing\n");
    cr_assert(is_closed(fd));
    close(fd);
}

Test(router_control, who_does_not_read_holds_nobody_up, .init = start,
     .fini = finish)
{
    int deaf = connect_soon();
    int fd = connect_soon();

    say(deaf, "big\nbig\nbig\n");
    for (int i = 0; i < 20; i++) {
        say(fd, "quick\n");
        expect(fd, "quick\n");
    }
    close(deaf);
    close(fd);
}

Test(router_control, a_large_answer_arrives_whole, .init = start,
     .fini = finish)
{
    char *buf = malloc(BIG);
    int fd = connect_soon();

    say(fd, "big\n");
    cr_assert_eq(hear(fd, buf, BIG), BIG);
    cr_assert_eq(buf[BIG - 1], '\n');
    free(buf);
    close(fd);
}

Test(router_control, one_too_many_is_sent_away, .init = start, .fini = finish)
{
    int fds[CONTROL_CLIENTS];
    int more;

    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        fds[i] = connect_soon();
        say(fds[i], "here\n");
        expect(fds[i], "here\n");
    }
    more = connect_soon();
    cr_assert(is_closed(more));
    close(more);
    say(fds[0], "still here\n");
    expect(fds[0], "still here\n");
    close(fds[0]);
    usleep(100000);
    fds[0] = connect_soon();
    say(fds[0], "a place again\n");
    expect(fds[0], "a place again\n");
    for (size_t i = 0; i < CONTROL_CLIENTS; i++)
        close(fds[i]);
}

Test(router_control, silent_clients_are_ended, .init = start, .fini = finish)
{
    int fd = connect_soon();

    say(fd, "half a li");
    cr_assert(is_closed(fd));
    close(fd);
}

Test(router_control, clients_that_vanish, .init = start, .fini = finish)
{
    for (int i = 0; i < 200; i++) {
        const char *words[] = {"", "big\n", "part"};
        const char *text = words[i % 3];
        int fd = connect_soon();

        /* The server refuses where it still holds too many: no failure here. */
        if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
            cr_assert(errno == EPIPE || errno == ECONNRESET);
        close(fd);
    }
    /* Until the server has noticed, there may be no place left. */
    for (int i = 0; i < 500; i++) {
        char buf[10] = {0};
        int fd = connect_soon();
        size_t got;

        send(fd, "after all\n", 10, MSG_NOSIGNAL);
        got = hear(fd, buf, 10);
        close(fd);
        if (got == 10)
            return;
        usleep(10000);
    }
    cr_assert_fail("no place for the next client");
}

Test(router_control, a_dead_socket_is_replaced, .init = start, .fini = finish)
{
    int fd;

    cr_assert(WIFSIGNALED(stop_server(SIGKILL)));
    cr_assert_eq(access(path, F_OK), 0);
    start_server();
    fd = connect_soon();
    say(fd, "anew\n");
    expect(fd, "anew\n");
    close(fd);
}

Test(router_control, a_living_socket_is_left_alone, .init = start,
     .fini = finish)
{
    int fd;

    cr_assert_neq(freopen("/dev/null", "w", stderr), NULL);
    cr_assert_eq(control_open(path, &nobody_else), NULL);
    fd = connect_soon();
    say(fd, "unharmed\n");
    expect(fd, "unharmed\n");
    close(fd);
}

Test(router_control, other_files_are_left_alone, .init = start, .fini = finish)
{
    char other[128];
    char longer[200];

    cr_assert_neq(freopen("/dev/null", "w", stderr), NULL);
    snprintf(other, sizeof other, "%s/file", directory);
    fclose(fopen(other, "w"));
    cr_assert_eq(control_open(other, &nobody_else), NULL);
    cr_assert_eq(access(other, F_OK), 0);
    unlink(other);
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    cr_assert_eq(control_open(longer, &nobody_else), NULL);
}

/* An answer may come later; meanwhile the client waits, however long, and
 * others do not. */
Test(router_control, late_answers, .init = start, .fini = finish)
{
    int patient = connect_soon();
    int fd = connect_soon();

    say(patient, "late\nnext\n");
    for (int i = 0; i < 5; i++) {
        sleep(1);
        say(fd, "quick\n");
        expect(fd, "quick\n");
    }
    say(fd, "now\n");
    expect(fd, "now\n");
    expect(patient, "at last\nnext\n");
    say(patient, "late\n");
    usleep(50000);
    close(patient); /* who has left is answered all the same */
    say(fd, "now\n");
    expect(fd, "now\n");
    say(fd, "alive\n");
    expect(fd, "alive\n");
    close(fd);
}

static int listen_to(void)
{
    int fd = connect_soon();

    say(fd, "listen\n");
    expect(fd, "listening\n");
    return fd;
}

static void expect_events(int fd, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char line[80];

        snprintf(line, sizeof line, "event %050u\n", i);
        expect(fd, line);
    }
}

/* All who listen are told the same, whatever they say themselves, and however
 * long nothing happens. */
Test(router_control, listeners_are_told, .init = start, .fini = finish)
{
    int fd = connect_soon();
    int a = listen_to(), b = listen_to();

    say(a, "what I say does not matter\n");
    say(fd, "publish 3\n");
    expect(fd, "publish 3\n");
    expect_events(a, 3);
    expect_events(b, 3);
    close(fd);
    sleep(3); /* longer than the patience with others */
    close(b);
    fd = connect_soon();
    say(fd, "publish 2\n");
    expect(fd, "publish 2\n");
    expect_events(a, 2);
    say(fd, "gap 7\n");
    expect(fd, "gap 7\n");
    expect(a, "lost 7\n");
    close(a);
    close(fd);
}

/* Reads lines up to the first that tells of a gap; returns how many it tells
 * of, and counts the others. */
static unsigned read_to_gap(int fd, unsigned *events)
{
    FILE *in = fdopen(dup(fd), "r");
    char line[128];
    unsigned lost = 0;

    for (*events = 0; lost == 0; (*events)++) {
        unsigned i;

        cr_assert_not_null(fgets(line, sizeof line, in));
        if (sscanf(line, "lost %u", &lost) == 1)
            break;
        cr_assert_eq(sscanf(line, "event %u", &i), 1);
        cr_assert_eq(i, *events, "none is missing in between");
    }
    fclose(in);
    return lost;
}

/* A listener that is behind misses lines, and is told how many; nobody waits
 * for it. */
Test(router_control, slow_listeners_miss_lines, .init = start, .fini = finish)
{
    const unsigned all = 100000;
    int fd = connect_soon();
    int slow = listen_to();
    unsigned events, lost;
    char word[32];

    snprintf(word, sizeof word, "publish %u\n", all);
    say(fd, word);
    expect(fd, word);
    lost = read_to_gap(slow, &events);
    cr_assert_gt(events, CONTROL_BACKLOG / 60);
    cr_assert_eq(events + lost, all);
    say(fd, "publish 4\n");
    expect(fd, "publish 4\n");
    expect_events(slow, 4);
    close(slow);
    close(fd);
}

/* One that takes nothing at all is cut off. */
Test(router_control, deaf_listeners_are_ended, .init = start, .fini = finish)
{
    int fd = connect_soon();
    int deaf = listen_to();
    char buf[4096];

    say(fd, "publish 100000\n");
    expect(fd, "publish 100000\n");
    sleep(3);
    while (read(deaf, buf, sizeof buf) > 0)
        ;
    close(deaf);
    close(fd);
}
