#include "config.h"

#include "build.h"
#include "check.h"
#include "limit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a file may make the loader take for its values, and again for the
 * result. */
#define MEMORY_MAX ((size_t)256 << 20)

static const struct mark whole_file = {0, 0};

/* The folder of a file, to be freed, or NULL. */
static char *folder_of(const char *file)
{
    const char *slash = strrchr(file, '/');

    if (!slash)
        return strdup(".");
    return strndup(file, slash > file ? (size_t)(slash - file) : 1);
}

/* The router that the configuration is for; the first where none is named. */
static const struct value *find_router(struct checker *c, const char *name)
{
    const struct value *routers = value_of(c->root, ROOT_ROUTERS);
    const struct value *found;
    struct words words = value_words(routers);

    if (!name)
        return routers->count > 0 ? &routers->items[0] : NULL;
    found = value_find(routers, name);
    if (!found && !routers->lost)
        report_unknown(c->report, routers->at, "no router ", name,
                       "--router to name", &words);
    return found;
}

static void report_memory(struct report *report)
{
    report_problem(report, whole_file,
                   "there is not enough memory for it, or it needs too much "
                   "with its aliases followed");
}

/* A problem is in the report wherever this fails. */
static struct config *build(struct builder *b, const struct load *load)
{
    struct loaded *out = calloc(1, sizeof(*out));
    char *folder = load->keys ? strdup(load->keys) : folder_of(load->file);
    bool ok = false;

    if (out && folder) {
        arena_init(&out->arena, load->memory);
        b->out = out;
        b->keys = folder;
        ok = (load->router || build_check_keys(b)) && build_config(b);
    }
    free(folder);
    if (ok)
        return &out->config;
    if (b->report->count == 0)
        report_memory(b->report);
    config_free(out ? &out->config : NULL);
    return NULL;
}

static struct config *load_values(const struct load *load, yaml_document_t *doc,
                                  struct arena *scratch, struct report *report)
{
    struct value root;
    struct checker c = {&root, scratch, report};
    struct builder b = {.root = &root, .report = report};

    if (!read_values(&root, doc, scratch, report) || !check_values(&c)) {
        if (!report_full(report))
            report_memory(report);
        return NULL;
    }
    b.router = find_router(&c, load->router);
    return report->count == 0 ? build(&b, load) : NULL;
}

struct config *config_load_limited(const struct load *load, FILE *out)
{
    struct report report = {.out = out, .file = load->file};
    struct config *config;
    struct arena scratch;
    yaml_document_t doc;

    if (svr_crypto_init() != 0) {
        report_problem(&report, whole_file, "there is no source of randomness");
        return NULL;
    }
    if (!read_document(&doc, &report, load->text, load->len))
        return NULL;
    arena_init(&scratch, load->memory);
    config = load_values(load, &doc, &scratch, &report);
    arena_free(&scratch);
    yaml_document_delete(&doc);
    return config;
}

struct config *config_load_text(const char *text, size_t len, const char *file,
                                const char *router, const char *keys,
                                FILE *report)
{
    struct load load = {text, len, file, router, keys, MEMORY_MAX};

    if (len <= CONFIG_FILE_MAX)
        return config_load_limited(&load, report);
    fprintf(report, "%s: found more than %zu MiB, expected a shorter file\n",
            file, CONFIG_FILE_MAX >> 20);
    return NULL;
}

/* All of the file, to be freed, or NULL with errno set. One byte more than is
 * allowed at most. */
static char *read_all(FILE *in, size_t *len)
{
    char *text = malloc(CONFIG_FILE_MAX + 1);

    if (!text)
        return NULL;
    *len = fread(text, 1, CONFIG_FILE_MAX + 1, in);
    if (!ferror(in))
        return text;
    free(text);
    return NULL;
}

static char *read_file(const char *file, size_t *len)
{
    FILE *in = fopen(file, "re");
    char *text = in ? read_all(in, len) : NULL;
    int error = errno;

    if (in)
        fclose(in);
    errno = error;
    return text;
}

struct config *config_load(const char *file, const char *router,
                           const char *keys, FILE *report)
{
    struct config *config;
    size_t len;
    char *text = read_file(file, &len);

    if (!text) {
        fprintf(report, "%s: cannot be read: %s\n", file, strerror(errno));
        return NULL;
    }
    config = config_load_text(text, len, file, router, keys, report);
    free(text);
    return config;
}

void config_free(struct config *c)
{
    struct loaded *l = (struct loaded *)c;

    if (!l)
        return;
    svr_secret_free(l->securities); /* wipes */
    arena_free(&l->arena);
    free(l);
}
