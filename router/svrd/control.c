#include "control.h"

#include "common/paths.h"
#include "control_socket.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum state {
    ASKING,   /* a request is awaited, or comes in */
    THINKING, /* a request has been taken and not been answered yet */
    ANSWERED, /* its answer is being written */
    LISTENING,
};

struct control_client {
    uv_pipe_t pipe;
    uv_write_t write;
    struct control *control; /* NULL: this place is free */
    enum state state;
    svr_time active; /* when it last did something */
    char *writing;   /* what is under way, or NULL */
    char *backlog;   /* LISTENING: lines that wait, or NULL */
    size_t backlog_len;
    uint64_t missed; /* lines behind the backlog that it will not get */
    control_gap *gap;
    size_t used;
    char request[CONTROL_REQUEST];
};

struct control {
    uv_pipe_t pipe;
    int fd; /* before the pipe has it */
    char path[PATHS_SOCKET_MAX];
    control_handler *handler;
    void *user;
    size_t listeners;
    struct control_client clients[CONTROL_CLIENTS];
};

/* Clients that leave */

static void on_client_closed(uv_handle_t *handle)
{
    struct control_client *client = handle->data;

    free(client->writing);
    free(client->backlog);
    client->writing = client->backlog = NULL;
    client->control = NULL;
}

static bool is_leaving(const struct control_client *client)
{
    return uv_is_closing((const uv_handle_t *)&client->pipe);
}

static void end_client(struct control_client *client)
{
    if (is_leaving(client))
        return;
    if (client->state == LISTENING)
        client->control->listeners--;
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

/* What is written */

static void serve(struct control_client *client);
static void write_backlog(struct control_client *client);

static void on_written(uv_write_t *request, int status)
{
    struct control_client *client = request->data;

    free(client->writing);
    client->writing = NULL;
    client->active = uv_hrtime();
    if (status < 0)
        end_client(client);
    else if (client->state == LISTENING)
        write_backlog(client);
    else
        serve(client);
}

/* Takes the text. */
static void write_text(struct control_client *client, char *text, size_t len)
{
    uv_buf_t buf = uv_buf_init(text, (unsigned)len);

    client->writing = text;
    client->active = uv_hrtime();
    client->write.data = client;
    if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &buf, 1,
                 on_written) < 0)
        end_client(client);
}

/* What waits goes out as one piece; where lines are missing behind it, the next
 * piece says so. */
static void write_backlog(struct control_client *client)
{
    char *text = client->backlog;
    size_t len = client->backlog_len;

    if (text == NULL && client->missed > 0) {
        text = client->gap(client->missed);
        len = text != NULL ? strlen(text) : 0;
        client->missed = text != NULL ? 0 : client->missed;
    }
    client->backlog = NULL;
    client->backlog_len = 0;
    if (text != NULL)
        write_text(client, text, len);
}

/* What is read */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct control_client *client = handle->data;

    (void)suggested;
    *buf = uv_buf_init(client->request + client->used,
                       (unsigned)(CONTROL_REQUEST - client->used));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct control_client *client = stream->data;

    (void)buf;
    if (got < 0) {
        end_client(client);
        return;
    }
    if (client->state == LISTENING)
        return; /* whatever it says */
    client->used += (size_t)got;
    client->active = uv_hrtime();
    serve(client);
}

static void await_request(struct control_client *client)
{
    uv_stream_t *stream = (uv_stream_t *)&client->pipe;
    int status = client->used < CONTROL_REQUEST
                     ? uv_read_start(stream, on_alloc, on_read)
                     : UV_ENOBUFS;

    client->state = ASKING;
    if (status < 0 && status != UV_EALREADY)
        end_client(client);
}

/* Takes the next whole request, or waits for the rest of it. One answer is
 * under way at a time: who asks much has to take what was said first. */
static void serve(struct control_client *client)
{
    struct control *c = client->control;
    char *end = memchr(client->request, '\n', client->used);
    char line[CONTROL_REQUEST];
    size_t len;

    if (end == NULL) {
        await_request(client);
        return;
    }
    uv_read_stop((uv_stream_t *)&client->pipe);
    len = (size_t)(end - client->request);
    memcpy(line, client->request, len);
    client->used -= len + 1;
    memmove(client->request, end + 1, client->used);
    client->state = THINKING;
    c->handler(c->user, client, line, len);
}

void control_reply(struct control_client *client, char *line)
{
    if (client->control == NULL || is_leaving(client)) {
        free(line);
        return;
    }
    client->state = ANSWERED;
    if (line == NULL)
        end_client(client);
    else
        write_text(client, line, strlen(line));
}

/* Listeners */

void control_listen_on(struct control_client *client, char *line,
                       control_gap *gap)
{
    control_reply(client, line);
    if (client->control == NULL || is_leaving(client))
        return;
    client->state = LISTENING;
    client->gap = gap;
    client->missed = 0;
    client->used = 0; /* there is room for what it says, and then again */
    client->control->listeners++;
    if (uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) < 0)
        end_client(client);
}

bool control_has_listeners(const struct control *c)
{
    return c->listeners > 0;
}

static bool listens(const struct control_client *client)
{
    return client->control != NULL && client->state == LISTENING &&
           !is_leaving(client);
}

/* Once lines are missing, no more are kept until that has been said. */
static bool has_room(const struct control_client *client, size_t len)
{
    return client->missed == 0 && client->backlog_len + len <= CONTROL_BACKLOG;
}

static void keep_line(struct control_client *client, const char *line,
                      size_t len)
{
    if (has_room(client, len) && client->backlog == NULL)
        client->backlog = malloc(CONTROL_BACKLOG);
    if (!has_room(client, len) || client->backlog == NULL) {
        client->missed++;
        return;
    }
    memcpy(client->backlog + client->backlog_len, line, len);
    client->backlog_len += len;
}

void control_publish(struct control *c, const char *line, size_t len)
{
    for (size_t i = 0; c->listeners > 0 && i < CONTROL_CLIENTS; i++) {
        struct control_client *client = &c->clients[i];

        if (!listens(client))
            continue;
        keep_line(client, line, len);
        if (client->writing == NULL)
            write_backlog(client);
    }
}

void control_publish_gap(struct control *c, uint64_t lines)
{
    for (size_t i = 0; c->listeners > 0 && i < CONTROL_CLIENTS; i++) {
        struct control_client *client = &c->clients[i];

        if (!listens(client))
            continue;
        client->missed += lines;
        if (client->writing == NULL)
            write_backlog(client);
    }
}

/* Clients that come */

static struct control_client *find_place(struct control *c)
{
    for (size_t i = 0; i < CONTROL_CLIENTS; i++)
        if (c->clients[i].control == NULL)
            return &c->clients[i];
    return NULL;
}

static void on_refused(uv_handle_t *handle)
{
    free(handle);
}

/* libuv waits until a connection is accepted, so one too many is accepted and
 * closed. */
static void refuse(uv_stream_t *server)
{
    uv_pipe_t *pipe = malloc(sizeof *pipe);

    if (pipe == NULL)
        return;
    uv_pipe_init(server->loop, pipe, 0);
    uv_accept(server, (uv_stream_t *)pipe);
    uv_close((uv_handle_t *)pipe, on_refused);
}

static void on_connection(uv_stream_t *server, int status)
{
    struct control *c = server->data;
    struct control_client *client = find_place(c);

    if (status < 0)
        return;
    if (client == NULL) {
        refuse(server);
        return;
    }
    uv_pipe_init(server->loop, &client->pipe, 0);
    client->pipe.data = client;
    client->control = c;
    client->state = ASKING;
    client->used = 0;
    client->active = uv_hrtime();
    if (uv_accept(server, (uv_stream_t *)&client->pipe) < 0)
        end_client(client);
    else
        serve(client);
}

/* A listener may be silent as long as it takes what it is sent, and one whose
 * answer is not there yet as long as that takes. */
static bool is_patient(const struct control_client *client)
{
    return client->state == THINKING ||
           (client->state == LISTENING && client->writing == NULL);
}

void control_tick(struct control *c, svr_time now)
{
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        struct control_client *client = &c->clients[i];

        if (client->control != NULL && !is_patient(client) &&
            now > client->active + CONTROL_PATIENCE)
            end_client(client);
    }
}

/* Life */

struct control *control_open(const char *path, const struct privileges *owner)
{
    struct control *c = calloc(1, sizeof *c);

    if (c == NULL) {
        log_error("no memory");
        return NULL;
    }
    c->fd = control_socket_bind(path, owner);
    if (c->fd < 0) {
        free(c);
        return NULL;
    }
    snprintf(c->path, sizeof c->path, "%s", path);
    return c;
}

int control_listen(struct control *c, uv_loop_t *loop, control_handler *handler,
                   void *user)
{
    int status;

    c->handler = handler;
    c->user = user;
    uv_pipe_init(loop, &c->pipe, 0);
    c->pipe.data = c;
    status = uv_pipe_open(&c->pipe, c->fd);
    if (status == 0) {
        c->fd = -1;
        status =
            uv_listen((uv_stream_t *)&c->pipe, CONTROL_CLIENTS, on_connection);
    }
    if (status < 0) {
        log_error("control socket %s: %s", c->path, uv_strerror(status));
        return -1;
    }
    return 0;
}

/* Without the right to remove it the file stays; the next start replaces it. */
static void remove_file(struct control *c)
{
    if (c->path[0] != '\0' && unlink(c->path) < 0)
        log_debug("control socket %s stays behind", c->path);
    c->path[0] = '\0';
}

void control_close(struct control *c)
{
    remove_file(c);
    for (size_t i = 0; i < CONTROL_CLIENTS; i++)
        if (c->clients[i].control != NULL)
            end_client(&c->clients[i]);
    if (c->pipe.loop != NULL)
        uv_close((uv_handle_t *)&c->pipe, NULL);
}

void control_free(struct control *c)
{
    if (c == NULL)
        return;
    remove_file(c);
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}
