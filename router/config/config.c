#include "config.h"

#include "build.h"
#include "check.h"
#include "limit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* A file's values, with what they lie in. */
struct source {
    struct value root;
    struct arena scratch;
    yaml_document_t doc;
    struct report report;
};

/* The router that the configuration is for; the first where none is named. */
static const struct value *find_router(struct source *s, const char *name)
{
    const struct value *routers = value_of(&s->root, ROOT_ROUTERS);
    const struct value *found;
    struct words words = value_words(routers);

    if (!name)
        return routers->count > 0 ? &routers->items[0] : NULL;
    found = value_find(routers, name);
    if (!found && !routers->lost)
        report_unknown(&s->report, routers->at, "no router ", name,
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

static void close_source(struct source *s)
{
    arena_free(&s->scratch);
    yaml_document_delete(&s->doc);
}

/* Where the values could be read, whatever problems they have, there is a
 * source to be closed. */
static bool open_source(struct source *s, const struct load *load, FILE *out)
{
    struct checker c = {&s->root, &s->scratch, &s->report};

    s->report = (struct report){.out = out, .file = load->file};
    if (svr_crypto_init() != 0) {
        report_problem(&s->report, whole_file,
                       "there is no source of randomness");
        return false;
    }
    if (!read_document(&s->doc, &s->report, load->text, load->len))
        return false;
    arena_init(&s->scratch, load->memory);
    if (read_values(&s->root, &s->doc, &s->scratch, &s->report) &&
        check_values(&c))
        return true;
    if (!report_full(&s->report))
        report_memory(&s->report);
    close_source(s);
    return false;
}

/* The same as openssl dgst -sha256 -hmac '' FILE. */
static void hash_text(char hash[CONFIG_HASH], const char *text, size_t len)
{
    static const uint8_t none[SVR_KEY_SIZE];
    const svr_span all = {(const uint8_t *)text, len};
    uint8_t tag[SVR_TAG_MAX];
    svr_mac mac;

    svr_mac_init(&mac, &svr_hmac_sha256, none);
    svr_mac_sign(&mac, &all, 1, tag);
    svr_mac_wipe(&mac);
    for (size_t i = 0; i < CONFIG_HASH / 2; i++)
        snprintf(hash + 2 * i, 3, "%02x", tag[i]);
}

/* The configuration of one router, where the file has no problem. */
static struct config *build_for(struct source *s, const struct load *load,
                                const struct value *router)
{
    struct builder b = {.root = &s->root,
                        .router = router,
                        .report = &s->report,
                        .file = load->file,
                        .opener = load->opener,
                        .secrets = load->router != NULL};
    struct config *config = s->report.count == 0 ? build(&b, load) : NULL;

    if (config)
        hash_text(config->hash, load->text, load->len);
    return config;
}

struct config *config_load_limited(const struct load *load, FILE *out)
{
    struct config *config;
    struct source s;

    if (!open_source(&s, load, out))
        return NULL;
    config = build_for(&s, load, find_router(&s, load->router));
    close_source(&s);
    return config;
}

static bool visit_routers(struct source *s, const struct load *load,
                          config_visitor *visit, void *user)
{
    const struct value *routers = value_of(&s->root, ROOT_ROUTERS);
    bool more = s->report.count == 0;

    for (size_t i = 0; more && i < routers->count; i++) {
        struct config *config = build_for(s, load, &routers->items[i]);

        more = config && visit(user, config);
        config_free(config);
    }
    return more;
}

static bool is_short(size_t len, const char *file, FILE *report)
{
    if (len > CONFIG_FILE_MAX)
        fprintf(report,
                "%s: found more than %zu MiB, expected a shorter file\n", file,
                CONFIG_FILE_MAX >> 20);
    return len <= CONFIG_FILE_MAX;
}

struct config *config_load_text(const char *text, size_t len, const char *file,
                                const char *router, const char *keys,
                                FILE *report)
{
    struct load load = {text, len, file, router, keys, MEMORY_MAX, NULL};

    return is_short(len, file, report) ? config_load_limited(&load, report)
                                       : NULL;
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

static FILE *open_file(const struct config_opener *opener, const char *file)
{
    int fd;
    FILE *in;

    if (!opener)
        return fopen(file, "re");
    fd = opener->open(opener->user, file);
    in = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!in && fd >= 0)
        close(fd);
    return in;
}

static char *read_file(const struct config_opener *opener, const char *file,
                       size_t *len)
{
    FILE *in = open_file(opener, file);
    char *text = in ? read_all(in, len) : NULL;
    int error = errno;

    if (in)
        fclose(in);
    errno = error;
    return text;
}

/* What the file says, to be freed, or NULL with the problem reported. */
static char *load_file(size_t *len, const struct config_opener *opener,
                       const char *file, FILE *report)
{
    char *text = read_file(opener, file, len);

    if (!text)
        fprintf(report, "%s: cannot be read: %s\n", file, strerror(errno));
    return text;
}

struct config *config_load_with(const struct config_opener *opener,
                                const char *file, const char *router,
                                const char *keys, FILE *report)
{
    struct load load = {.file = file,
                        .router = router,
                        .keys = keys,
                        .memory = MEMORY_MAX,
                        .opener = opener};
    struct config *config = NULL;
    char *text = load_file(&load.len, opener, file, report);

    load.text = text;
    if (text && is_short(load.len, file, report))
        config = config_load_limited(&load, report);
    free(text);
    return config;
}

struct config *config_load(const char *file, const char *router,
                           const char *keys, FILE *report)
{
    return config_load_with(NULL, file, router, keys, report);
}

bool config_visit(const char *file, const char *keys, config_visitor *visit,
                  void *user, FILE *report)
{
    struct load load = {.file = file, .keys = keys, .memory = MEMORY_MAX};
    char *text = load_file(&load.len, NULL, file, report);
    struct source s;
    bool ok = text && is_short(load.len, file, report);

    load.text = text;
    ok = ok && open_source(&s, &load, report);
    if (ok) {
        ok = visit_routers(&s, &load, visit, user);
        close_source(&s);
    }
    free(text);
    return ok;
}

void config_free(struct config *c)
{
    struct loaded *l = (struct loaded *)c;

    if (!l)
        return;
    svr_secret_free(l->securities); /* wipes */
    svr_secret_free(l->identity);
    arena_free(&l->arena);
    free(l);
}
