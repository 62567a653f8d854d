/* What one configuration changes of another, as svrctl diff says it. */
#include <criterion/criterion.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svrd/diff.h"

/* KEY and OTHER are files with keys. */
static const char base[] =
    "authority: test\n"
    "routers:\n"
    "  r1:\n"
    "    interfaces:\n"
    "      lan0: { kind: tap, device: tap0, tenant: staff,\n"
    "              address: [10.1.0.1/24, \"fd00:1::1/64\"],\n"
    "              tenants: [{ prefix: 10.1.0.128/25, tenant: guest }] }\n"
    "      wan0: { kind: tap, device: tap1, mtu: 1400, gateway: 192.0.2.9,\n"
    "              address: [192.0.2.1/24, 192.0.2.3/24] }\n"
    "    pathways:\n"
    "      one: { interface: wan0, peer: r2, remote: 192.0.2.2,\n"
    "             local: 192.0.2.1, security: default }\n"
    "      two: { interface: wan0, peer: r2, remote: 192.0.2.2,\n"
    "             local: 192.0.2.3, security: default }\n"
    "  r2:\n"
    "    interfaces:\n"
    "      wan0: { kind: tap, device: tap0, address: 192.0.2.2/24 }\n"
    "    pathways:\n"
    "      a: { interface: wan0, peer: r1, remote: 192.0.2.1,\n"
    "           security: default }\n"
    "      b: { interface: wan0, peer: r1, remote: 192.0.2.3,\n"
    "           security: default }\n"
    "tenants: [staff, guest]\n"
    "services:\n"
    "  web:\n"
    "    prefixes: [10.2.0.0/24]\n"
    "    transports: [{ protocol: tcp, ports: [80, 443] }]\n"
    "    access: [{ allow: staff }]\n"
    "    routes: [{ router: r1, interface: lan0 }]\n"
    "security-policies: { default: { key: KEY, cipher: none } }\n";

static const struct row {
    const char *from, *to; /* in the text */
    const char *changes;
} rows[] = {
    {"web", "web", ""},
    {"authority: test", "authority: text",
     "changed authority name;changed interface lan0 mac;"
     "changed interface wan0 mac;"},
    {"authority: test", "authority: test\nrekey: never",
     "changed authority rekey;"},
    {"authority: test", "authority: test\nrekey: 24h", ""},
    {"local: 192.0.2.1, security", "local: 192.0.2.1, vector: mpls, security",
     "changed pathway one vector;"},
    {"local: 192.0.2.1, security",
     "local: 192.0.2.1, cost: 3, capacity: 9, security",
     "changed pathway one cost capacity;"},
    {"    routes:", "    policy: voice\n    routes:",
     "changed service web policy routes;"},
    {"interface: lan0 }]", "interface: lan0, capacity: 5 }]",
     "changed service web routes;"},
    {"  r2:\n",
     "  r2:\n    identity: "
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\n",
     "changed router r2 identity;"},
    {"tenants: [staff, guest]", "tenants: [guest, staff]", ""},
    {"tenants: [staff, guest]", "tenants: [staff, guest, more]",
     "added tenant more;"},
    {"device: tap1", "device: tap7", "changed interface wan0 device;"},
    {"kind: tap, device: tap1", "kind: pcap, device: tap1",
     "changed interface wan0 kind mac;"},
    {"mtu: 1400", "mtu: 1500", "changed interface wan0 mtu;"},
    {"192.0.2.9", "192.0.2.8", "changed interface wan0 gateway;"},
    {"\"fd00:1::1/64\"", "\"fd00:2::1/64\"", "changed interface lan0 address;"},
    {", \"fd00:1::1/64\"", "", "changed interface lan0 address;"},
    {"tenant: staff,", "tenant: guest,", "changed interface lan0 tenant;"},
    {"tenant: staff,", "", "changed interface lan0 tenant;"},
    {"10.1.0.128/25", "10.1.0.128/26", "changed interface lan0 tenants;"},
    {"security: default }\n      two",
     "security: default, tcp-as-udp: always "
     "}\n      two",
     "changed pathway one tcp-as-udp;"},
    {"security: default }\n      two",
     "security: default, bfd: { multiplier: 4 } }\n      two",
     "changed pathway one bfd;"},
    {"key: KEY", "key: OTHER", "changed security policy default key;"},
    {"key: KEY", "key: KEY, hmac: sha256",
     "changed security policy default hmac;"},
    {"cipher: none", "cipher: chacha20-poly1305",
     "changed security policy default cipher;"},
    {"key: KEY", "key: KEY, mode: regular",
     "changed security policy default mode;"},
    {"key: KEY", "key: KEY, sign: metadata-only",
     "changed security policy default sign;"},
    {"key: KEY", "key: KEY, bind-tcp: false",
     "changed security policy default bind-tcp;"},
    {"10.2.0.0/24", "10.3.0.0/24", "changed service web prefixes;"},
    {"[10.2.0.0/24]", "[10.2.0.0/24, 10.3.0.0/24]",
     "changed service web prefixes;"},
    {"[80, 443]", "[80, 444]", "changed service web transports;"},
    {"[80, 443]", "[80]", "changed service web transports;"},
    {"allow: staff", "deny: staff", "changed service web access;"},
    {"[{ allow: staff }]", "[{ allow: staff }, { allow: guest }]",
     "changed service web access;"},
    {"allow: staff", "allow: guest", "changed service web access;"},
    {"access: [{ allow: staff }]",
     "access: [{ allow: staff }]\n    scope: public",
     "changed service web scope;"},
    {"access: [{ allow: staff }]",
     "access: [{ allow: staff }]\n    denial: reset",
     "changed service web denial;"},
    {"access: [{ allow: staff }]",
     "access: [{ allow: staff }]\n    tcp-midstream: allow",
     "changed service web tcp-midstream;"},
    {"  web:", "  web: # the same", ""},
    {"services:",
     "service-policies: { fast: { resiliency: failover } }\n"
     "services:",
     ""},
    {"services:\n  web:",
     "service-policies: { fast: { resiliency: failover } "
     "}\nservices:\n  web:\n    policy: fast",
     "changed service web policy;"},
    {"{ router: r1, interface: lan0 }", "{ router: r2, interface: wan0 }",
     "changed service web routes;"},
    {"  web:", "  net:", "removed service web;added service net;"},
    {"tenants: [staff, guest]",
     "limits: { sessions: 7 }\ntenants: [staff, "
     "guest]",
     "changed authority limits sessions;"},
    {"tenants: [staff, guest]",
     "timeouts: { udp: 7s, dns: 1s }\ntenants: "
     "[staff, guest]",
     "changed authority timeouts udp dns;"},
};

/* Files with keys, one of which the text names. */
static char keys[2][32];

static void make_keys(void)
{
    for (size_t k = 0; k < 2; k++) {
        int fd;

        strcpy(keys[k], "/tmp/svr-diff-XXXXXX");
        fd = mkstemp(keys[k]);
        cr_assert_geq(fd, 0);
        for (size_t i = 0; i < 64; i++)
            cr_assert_eq(write(fd, &"0123456789abcdef"[(i + k) % 16], 1), 1);
        close(fd);
    }
}

static void remove_keys(void)
{
    unlink(keys[0]);
    unlink(keys[1]);
}

/* text with the first `from` as `to`, to be freed. */
static char *replace(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    char *out = NULL;

    if (at == NULL)
        return strdup(text);
    cr_assert_gt(asprintf(&out, "%.*s%s%s", (int)(at - text), text, to,
                          at + strlen(from)),
                 0);
    return out;
}

static struct config *load(const struct row *row)
{
    char *changed = replace(base, row->from, row->to);
    char *keyed = replace(changed, "KEY", keys[0]);
    char *text = replace(keyed, "OTHER", keys[1]);
    struct config *c =
        config_load_text(text, strlen(text), "test", "r1", NULL, stderr);

    cr_assert_not_null(c, "%s", row->to);
    free(changed);
    free(keyed);
    free(text);
    return c;
}

/* "CHANGE PART NAME WHAT…;" for each. */
static void write_changes(char *out, size_t cap, json_t *list)
{
    size_t used = 0, i, k;
    json_t *o, *what;

    out[0] = '\0';
    json_array_foreach(list, i, o)
    {
        used +=
            (size_t)snprintf(out + used, cap - used, "%s %s %s",
                             json_string_value(json_object_get(o, "change")),
                             json_string_value(json_object_get(o, "part")),
                             json_string_value(json_object_get(o, "name")));
        json_array_foreach(json_object_get(o, "what"), k, what)
        {
            used += (size_t)snprintf(out + used, cap - used, " %s",
                                     json_string_value(what));
        }
        used += (size_t)snprintf(out + used, cap - used, ";");
    }
}

Test(router_diff, rows, .init = make_keys, .fini = remove_keys)
{
    struct config *old = load(&rows[0]);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config *new = load(&rows[i]);
        json_t *list = diff_configs(old, new);
        char text[512];

        cr_assert(i == 0 || strstr(base, rows[i].from) != NULL, "%s",
                  rows[i].from);
        write_changes(text, sizeof text, list);
        cr_expect_str_eq(text, rows[i].changes, "%s: %s", rows[i].to, text);
        json_decref(list);
        config_free(new);
    }
    config_free(old);
}
