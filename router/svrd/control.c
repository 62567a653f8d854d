#include "control.h"

#include "common/paths.h"
#include "control_socket.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct client {
    uv_pipe_t pipe;
    uv_write_t write;
    struct control *control; /* NULL: this place is free */
    svr_time active;         /* when it last did something */
    char *answer;            /* being written */
    size_t used;
    char request[CONTROL_REQUEST];
};

struct control {
    uv_pipe_t pipe;
    int fd; /* before the pipe has it */
    char path[PATHS_SOCKET_MAX];
    control_answer *answer;
    void *user;
    struct client clients[CONTROL_CLIENTS];
};

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;

    free(client->answer);
    client->answer = NULL;
    client->control = NULL;
}

static void end_client(struct client *client)
{
    uv_handle_t *handle = (uv_handle_t *)&client->pipe;

    if (!uv_is_closing(handle))
        uv_close(handle, on_client_closed);
}

static void serve(struct client *client);

static void on_written(uv_write_t *request, int status)
{
    struct client *client = request->data;

    free(client->answer);
    client->answer = NULL;
    client->active = uv_hrtime();
    if (status < 0)
        end_client(client);
    else
        serve(client);
}

static void write_answer(struct client *client)
{
    uv_buf_t buf =
        uv_buf_init(client->answer, (unsigned)strlen(client->answer));

    client->write.data = client;
    if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &buf, 1,
                 on_written) < 0)
        end_client(client);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct client *client = handle->data;

    (void)suggested;
    *buf = uv_buf_init(client->request + client->used,
                       (unsigned)(CONTROL_REQUEST - client->used));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct client *client = stream->data;

    (void)buf;
    if (got < 0) {
        end_client(client);
        return;
    }
    client->used += (size_t)got;
    client->active = uv_hrtime();
    serve(client);
}

/* Answers the next whole request, or waits for the rest of it. One answer is
 * under way at a time: who asks much has to take what was said first. */
static void serve(struct client *client)
{
    uv_stream_t *stream = (uv_stream_t *)&client->pipe;
    struct control *c = client->control;
    char *end = memchr(client->request, '\n', client->used);
    size_t len;
    int status;

    if (end == NULL) {
        status = client->used < CONTROL_REQUEST
                     ? uv_read_start(stream, on_alloc, on_read)
                     : UV_ENOBUFS;
        if (status < 0 && status != UV_EALREADY)
            end_client(client);
        return;
    }
    uv_read_stop(stream);
    len = (size_t)(end - client->request);
    client->answer = c->answer(c->user, client->request, len);
    client->used -= len + 1;
    memmove(client->request, end + 1, client->used);
    if (client->answer == NULL)
        end_client(client);
    else
        write_answer(client);
}

static struct client *find_place(struct control *c)
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
    struct client *client = find_place(c);

    if (status < 0)
        return;
    if (client == NULL) {
        refuse(server);
        return;
    }
    uv_pipe_init(server->loop, &client->pipe, 0);
    client->pipe.data = client;
    client->control = c;
    client->used = 0;
    client->active = uv_hrtime();
    if (uv_accept(server, (uv_stream_t *)&client->pipe) < 0)
        end_client(client);
    else
        serve(client);
}

void control_tick(struct control *c, svr_time now)
{
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        struct client *client = &c->clients[i];

        if (client->control != NULL && now > client->active + CONTROL_PATIENCE)
            end_client(client);
    }
}

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

int control_listen(struct control *c, uv_loop_t *loop, control_answer *answer,
                   void *user)
{
    int status;

    c->answer = answer;
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
