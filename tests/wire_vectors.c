/* The named vectors, and that they hold what they are to hold. */
#include "vectors.h"
#include "wire_packets.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <svr/bfd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static unsigned replay(void (*seen)(void *user, const struct vector *v,
                                    const char *got),
                       void *user)
{
    const char *path = getenv("WIRE_VECTORS");

    cr_assert(path, "WIRE_VECTORS names the file");
    return vectors_replay(path, seen, user);
}

static void compare(void *user, const struct vector *v, const char *got)
{
    (void)user;
    cr_expect_str_eq(got, v->expected, "line %u, %s %s: expected\n%sgot\n%s",
                     v->line, v->kind, v->name, v->expected, got);
}

Test(wire_vectors, all)
{
    cr_expect_gt(replay(compare, NULL), 1200);
}

/* What is malformed in the wire formats, item by item; each needs three
 * vectors at least. */
static const char *const items[] = {
    /* L2 and L3 */
    "trailer", "runt", "ip-version", "ihl", "total-length",
    "ipv6-payload-length", "ipv4-checksum", "ttl", "martian", "ip-fragment",
    "ipv4-options", "extension",
    /* L4 */
    "udp-length", "udp-cut", "udp-checksum", "udp-zero-checksum", "tcp-offset",
    "tcp-cut", "tcp-flags", "tcp-options", "tcp-checksum", "icmp-cut",
    "icmp-checksum", "no-l4",
    /* base header */
    "base-cut", "cookie-wrong", "version", "header-length", "payload-length",
    "length-sum", "bare", "false-positive", "message-base-cut",
    "message-length", "message-tlv",
    /* attributes */
    "tlv-cut", "tlv-overrun", "flag-with-data", "unknown", "wrong-section",
    "duplicate", "both-families", "mapped-address", "type-46", "multicast",
    "egress-list", "route-record", "hostile-name", "reserved-bits",
    /* fragments */
    "fragment", "fragment-value", "fragment-malformed",
    /* ICMP */
    "quote", "quote-cut", "quote-type", "quote-version", "quote-mtu",
    "quote-odd", "quote-rewrite",
    /* BFD, field by field, and the block behind it */
    "bfd-cut", "bfd-version", "bfd-diagnostic", "bfd-state", "bfd-flags",
    "bfd-authentication", "bfd-multipoint", "bfd-multiplier", "bfd-length",
    "bfd-my-discriminator", "bfd-your-discriminator", "bfd-intervals",
    "bfd-block-cookie", "bfd-block-cut", "bfd-block-version",
    "bfd-block-header-length", "bfd-block-payload", "bfd-block-overrun",
    "bfd-block-duplicate", "bfd-block-families", "bfd-block-mapped",
    "bfd-block-name", "bfd-block-section", "bfd-block-unknown",
    /* TCP as UDP */
    "masked", "unmasked", "masked-urgent", "unmasked-urgent",
    "mask-zero-checksum", "mask-wrong-checksum", "mask-refused",
    "mask-malformed", "unmask-refused", "unmask-cut", "unmask-offset",
    /* IP fragments, and pieces between routers */
    "pieces-whole", "pieces-overlap", "pieces-again", "pieces-tiny",
    "pieces-gap", "pieces-last-only", "pieces-end", "pieces-length",
    "pieces-other-packet", "pieces-refused", "pieces-congestion",
    "pieces-flood", "fabric-whole", "fabric-overlap", "fabric-again",
    "fabric-tiny", "fabric-gap", "fabric-last-only", "fabric-end",
    "fabric-other-packet", "fabric-refused"};

struct tally {
    unsigned vectors[COUNT(items)];
};

static void count(void *user, const struct vector *v, const char *got)
{
    struct tally *t = user;
    size_t len = strcspn(v->name, "/");

    (void)got;
    cr_expect(v->name[len] == '/' && v->name[len + 1], "line %u", v->line);
    for (size_t i = 0; i < COUNT(items); i++)
        t->vectors[i] +=
            strlen(items[i]) == len && strncmp(v->name, items[i], len) == 0;
}

Test(wire_vectors, the_catalogue_is_complete)
{
    struct tally t = {0};

    replay(count, &t);
    for (size_t i = 0; i < COUNT(items); i++)
        cr_expect_geq(t.vectors[i], 3, "%s: %u", items[i], t.vectors[i]);
}

/* Those of metadata, then those of the block behind BFD. */
static const char *const attributes[SVR_BFD_INDEX_END] = {
#define X(name, number, text) text,
    SVR_ATTR_MAP(X)
#undef X
        "session-encryption-key",
    "security-id",
#define X(name, number, text) text,
    SVR_BFD_ATTR_MAP(X)
#undef X
};

static bool has_line(const char *lines, const char *word)
{
    size_t len = strlen(word);

    for (; *lines; lines = strchr(lines, '\n') + 1) {
        if (strncmp(lines, word, len) == 0 &&
            (lines[len] == ' ' || lines[len] == '\n'))
            return true;
    }
    return false;
}

static void find_attributes(void *user, const struct vector *v, const char *got)
{
    bool *found = user;
    bool bfd = strcmp(v->kind, "bfd-block") == 0;
    size_t from = bfd ? SVR_ATTR_COUNT : 0;
    size_t to = bfd ? SVR_BFD_INDEX_END : SVR_ATTR_COUNT;

    (void)got;
    for (size_t i = from; i < to; i++)
        found[i] |= has_line(v->expected, attributes[i]);
}

/* S3, S14.3 */
Test(wire_vectors, every_attribute_is_accepted_somewhere)
{
    bool found[SVR_BFD_INDEX_END] = {false};

    replay(find_attributes, found);
    for (size_t i = 0; i < SVR_BFD_INDEX_END; i++)
        cr_expect(found[i], "%zu, %s", i, attributes[i]);
}

/* What a good packet is cut to is too little, whatever it is. */
static void cut(void *user, const struct vector *v, const char *got)
{
    unsigned *packets = user;
    unsigned long len;

    (void)got;
    if (strcmp(v->kind, "packet") != 0 ||
        sscanf(v->expected, "length %lu", &len) != 1)
        return;
    ++*packets;
    for (size_t keep = 0; keep < len; keep++)
        cr_assert_eq(parse_exact(v->bytes, keep), SVR_ERR_TRUNCATED,
                     "%s cut to %zu", v->name, keep);
}

Test(wire_vectors, packets_cut_at_every_byte)
{
    unsigned packets = 0;

    replay(cut, &packets);
    cr_expect_gt(packets, 50);
}

/* The same with a length that agrees, as far as the extension headers go. */
static void cut_extensions(void *user, const struct vector *v, const char *got)
{
    unsigned *packets = user;
    const char *at = strstr(v->expected, "\nl4 ");
    uint8_t *bytes;
    unsigned l4;

    (void)got;
    if (strncmp(v->name, "extension/", 10) != 0 || !at ||
        sscanf(at, " l4 %u", &l4) != 1)
        return;
    ++*packets;
    bytes = malloc(v->len);
    memcpy(bytes, v->bytes, v->len);
    for (size_t keep = 40; keep <= l4; keep++) {
        put16(bytes + 4, keep - 40);
        cr_assert_eq(parse_exact(bytes, keep), SVR_ERR_TRUNCATED,
                     "%s cut to %zu", v->name, keep);
    }
    free(bytes);
}

Test(wire_vectors, extensions_cut_at_every_byte)
{
    unsigned packets = 0;

    replay(cut_extensions, &packets);
    cr_expect_gt(packets, 10);
}
