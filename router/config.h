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
                       the file or derived from router and interface name;
                       PCAP: zero, the device's own is used */
};

struct config {
    const char *authority;
    const char *router;
    svr_node_config node;      /* alloc, random and boot are left to the caller */
    struct config_port *ports; /* one for each node.interfaces[] */
};

/*
 * Loads `file` for `router`. keys is the folder of the key files; NULL: the
 * folder of the file. Every problem found goes to `report`, one line each:
 * file:line:column: what was found, what was expected. Returns NULL if there
 * was any. With router NULL the file is checked for all its routers, and the
 * result is that of the first.
 */
struct config *config_load(const char *file, const char *router,
                           const char *keys, FILE *report);
void config_free(struct config *c); /* wipes keys; NULL is allowed */

/* The reference page (Markdown), the man page svrd.yaml(5) and the JSON Schema,
 * made from the same table that the loader follows. */
void config_write_markdown(FILE *out);
void config_write_man(FILE *out);
void config_write_schema(FILE *out);

#endif
