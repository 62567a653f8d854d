/*
 * config.h - the authority file: one YAML file that describes every router,
 * read for one of them.
 *
 * The result holds a complete svr_node_config and what the ports need. Nothing
 * in it changes after loading.
 */
#ifndef SVR_ROUTER_CONFIG_H
#define SVR_ROUTER_CONFIG_H

#include <stdio.h>
#include <svr/svr.h>
#include <sys/types.h>

enum port_kind {
    PORT_TAP,
    PORT_TUN,
    PORT_PCAP,
};

/* How an interface attaches to the world. */
struct config_port {
    enum port_kind kind;
    const char *device;
    uint8_t mac[6]; /* TAP: the router's own address on that network, from
                       the file or derived from the names of authority, router
                       and interface; TUN: zero; PCAP: zero, the device's own
                       is used */
};

/* A hash of a file, as text: HMAC-SHA-256 under an empty key. */
#define CONFIG_HASH 65

struct config {
    const char *authority;
    const char *router;
    const char *file; /* as it was named */
    char hash[CONFIG_HASH];
    svr_node_config node;    /* alloc, random, boot and identity are left to the
                                caller */
    const uint8_t *identity; /* SVR_IDENTITY_SEED_SIZE bytes, which
                                svr_identity_init wants, in guarded memory; NULL
                                where no keys are exchanged */
    const struct config_port *ports; /* one for each node.interfaces[] */
};

/* A longer file is refused. */
#define CONFIG_FILE_MAX ((size_t)16 << 20)

/* Who opens files for reading, where that is not the loader itself. */
struct config_opener {
    int (*open)(void *user, const char *path); /* -1 with errno, as open(2) */
    void *user;
    uid_t owner; /* whom key files must belong to */
};

/*
 * Loads `file` for `router`. keys is the folder of the key files; NULL: the
 * folder of the file. Every problem found, up to a bound, goes to `report`, one
 * line each: file:line:column: what was found, what was expected. Returns NULL
 * if there was any. The whole file is checked whichever router it is loaded
 * for; of the key files only those that the router's pathways need. With router
 * NULL all key files are checked but for identities, of which each router has
 * its own alone, and the result is that of the first router.
 */
struct config *config_load(const char *file, const char *router,
                           const char *keys, FILE *report);
/* The same with an opener, or NULL. */
struct config *config_load_with(const struct config_opener *opener,
                                const char *file, const char *router,
                                const char *keys, FILE *report);
/* The same for text in memory; file is its name in the report. */
struct config *config_load_text(const char *text, size_t len, const char *file,
                                const char *router, const char *keys,
                                FILE *report);
/* Loads the file once and hands each router's configuration, without its
 * identity, to visit, which may keep nothing of it and answers whether to go
 * on. False where a problem was reported, or where visit answered false. */
typedef bool config_visitor(void *user, const struct config *c);
bool config_visit(const char *file, const char *keys, config_visitor *visit,
                  void *user, FILE *report);
void config_free(struct config *c); /* wipes keys; NULL is allowed */

/* The reference page (Markdown), the man page svrd.yaml(5) and the JSON Schema,
 * made from the same table that the loader follows. */
void config_write_markdown(FILE *out);
void config_write_man(FILE *out);
void config_write_schema(FILE *out);

#endif
