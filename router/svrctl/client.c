#include "client.h"

#include "common/paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 10

static int not_running(const char *what)
{
    fprintf(stderr, "svrctl: no router is running%s%s\n",
            what != NULL ? " at " : "", what != NULL ? what : "");
    return SVRCTL_NOT_RUNNING;
}

static bool is_socket_name(const char *name)
{
    size_t len = strlen(name);
    size_t suffix = strlen(PATHS_SOCKET_SUFFIX);

    return len > suffix && name[0] != '.' &&
           strcmp(name + len - suffix, PATHS_SOCKET_SUFFIX) == 0;
}

/* The only socket in the default folder. */
static int find_only(char *buf, size_t cap)
{
    DIR *dir = opendir(PATHS_RUN);
    const struct dirent *entry;
    size_t found = 0;

    if (dir == NULL && errno != ENOENT) {
        fprintf(stderr, "svrctl: %s: %s\n", PATHS_RUN, strerror(errno));
        return SVRCTL_ERROR;
    }
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (!is_socket_name(entry->d_name))
            continue;
        snprintf(buf, cap, "%s/%s", PATHS_RUN, entry->d_name);
        found++;
    }
    if (dir != NULL)
        closedir(dir);
    if (found == 0)
        return not_running(NULL);
    if (found == 1)
        return SVRCTL_DONE;
    fprintf(stderr,
            "svrctl: %zu routers have sockets in %s; choose one with "
            "--router NAME\n",
            found, PATHS_RUN);
    return SVRCTL_USAGE;
}

int client_find(char *buf, size_t cap, const char *router, const char *socket)
{
    int len;

    if (router == NULL && socket == NULL)
        return find_only(buf, cap);
    if (socket != NULL)
        len = snprintf(buf, cap, "%s", socket);
    else
        len = snprintf(buf, cap, "%s/%s%s", PATHS_RUN, router,
                       PATHS_SOCKET_SUFFIX);
    if ((size_t)len < cap)
        return SVRCTL_DONE;
    fprintf(stderr, "svrctl: the path of the socket is too long\n");
    return SVRCTL_ERROR;
}

static int explain_connect(const char *path, int error)
{
    if (error == ENOENT || error == ECONNREFUSED)
        return not_running(path);
    fprintf(stderr, "svrctl: %s: %s%s\n", path, strerror(error),
            error == EACCES ? "; only root and the user of svrd may ask" : "");
    return SVRCTL_ERROR;
}

static void set_patience(int fd, unsigned seconds)
{
    const struct timeval patience = {.tv_sec = seconds};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

void client_patience(struct client *c, unsigned seconds)
{
    set_patience(fileno(c->stream), seconds);
}

int client_open(struct client *c, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memset(c, 0, sizeof *c);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd < 0)
        return explain_connect(path, errno);
    set_patience(fd, PATIENCE_S);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        c->stream = fdopen(fd, "r");
    if (c->stream == NULL) {
        int error = errno;

        close(fd);
        return explain_connect(path, error);
    }
    return SVRCTL_DONE;
}

void client_close(struct client *c)
{
    if (c->stream != NULL)
        fclose(c->stream);
    free(c->line);
}

static bool send_line(const struct client *c, const char *line)
{
    size_t len = strlen(line);

    while (len > 0) {
        ssize_t sent = send(fileno(c->stream), line, len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        line += sent;
        len -= (size_t)sent;
    }
    return true;
}

static json_t *read_answer(struct client *c)
{
    ssize_t len = getline(&c->line, &c->cap, c->stream);
    json_t *answer;

    if (len < 0) {
        fprintf(stderr, "svrctl: the router gave no answer\n");
        return NULL;
    }
    answer = json_loadb(c->line, (size_t)len, 0, NULL);
    if (answer == NULL)
        fprintf(stderr, "svrctl: the router's answer is not JSON\n");
    return answer;
}

/* What is wrong with a file: lines that svrd has made safe to print. */
static void print_problems(const json_t *data)
{
    json_t *problems = json_object_get(data, "problems");
    size_t i;
    json_t *line;

    json_array_foreach(problems, i, line)
    {
        const char *s = json_string_value(line);

        for (; s != NULL && *s != '\0'; s++)
            fputc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, stderr);
        fputc('\n', stderr);
    }
}

static bool is_error(const json_t *answer)
{
    const char *schema = json_string_value(json_object_get(answer, "schema"));
    const json_t *data = json_object_get(answer, "data");
    const char *message = json_string_value(json_object_get(data, "message"));

    if (schema != NULL && strcmp(schema, "svr.error/1") != 0 && data != NULL)
        return false;
    fprintf(stderr, "svrctl: %s\n",
            message != NULL ? message : "the router's answer is not known");
    print_problems(data);
    return true;
}

json_t *client_next(struct client *c)
{
    json_t *answer = read_answer(c);

    if (answer != NULL && is_error(answer)) {
        json_decref(answer);
        return NULL;
    }
    return answer;
}

json_t *client_ask(struct client *c, json_t *request)
{
    char *line = json_dumps(request, JSON_COMPACT);
    json_t *answer = NULL;

    json_decref(request);
    if (line != NULL && send_line(c, line) && send_line(c, "\n"))
        answer = client_next(c);
    else
        fprintf(stderr, "svrctl: cannot ask: %s\n", strerror(errno));
    free(line);
    return answer;
}
