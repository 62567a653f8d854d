/*
 * decode_metadata - reads a clear metadata block, given as hex in the argument
 * or on standard input, and prints what it says. Blanks are skipped.
 *
 *   decode_metadata 4c48dbc6ddf6670c100c000800070004636f7270
 *
 * svr_metadata_decode is all that it takes where both sections are clear; the
 * struct that it fills points into the buffer. What it says is proved by the
 * tag behind the packet's payload only, which is not looked at here.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <svr/metadata.h>

#define BLOCK_MAX 8192

/* One hex digit after the other; -1 where there is anything else. */
static int take_digit(uint8_t *buf, size_t *digits, int c)
{
    static const char hex[] = "0123456789abcdef";
    const char *found = c ? strchr(hex, tolower(c)) : NULL;

    if (!found || *digits == (size_t)2 * BLOCK_MAX)
        return -1;
    buf[*digits / 2] =
        (uint8_t)(buf[*digits / 2] << 4 | (uint8_t)(found - hex));
    ++*digits;
    return 0;
}

/* Returns the number of bytes, or -1. */
static int read_hex(uint8_t *buf, const char *text)
{
    size_t digits = 0;

    for (;;) {
        int c = text ? (unsigned char)*text++ : getchar();
        if (c == EOF || c == '\0')
            break;
        if (!isspace((unsigned char)c) && take_digit(buf, &digits, c) != 0)
            return -1;
    }
    return digits % 2 == 0 ? (int)(digits / 2) : -1;
}

/* Names come from the network: nothing in them may steer the terminal. */
static void print_name(const char *label, svr_span name)
{
    printf("%-14s ", label);
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        printf(c < 0x20 || c > 0x7e || c == '\\' ? "\\x%02x" : "%c", c);
    }
    putchar('\n');
}

static void print_end(const svr_addr *a, uint16_t port)
{
    char text[INET6_ADDRSTRLEN];
    bool v4 = svr_addr_is_v4(a);

    inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->b + 12 : a->b, text,
              sizeof text);
    printf(v4 ? "%s:%u" : "[%s]:%u", text, port);
}

static void print_context(const char *label, const svr_tuple *t)
{
    printf("%-14s protocol %u, ", label, t->proto);
    print_end(&t->src, t->sport);
    printf(" > ");
    print_end(&t->dst, t->dport);
    putchar('\n');
}

static void print_uuid(const svr_uuid *uuid)
{
    printf("%-14s ", "uuid");
    for (int i = 0; i < 16; i++)
        printf(i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
               uuid->b[i]);
    putchar('\n');
}

static void print_metadata(const svr_metadata *md)
{
    if (md->present &
        (SVR_HAS(FORWARD_CONTEXT_V4) | SVR_HAS(FORWARD_CONTEXT_V6)))
        print_context("forward", &md->forward);
    if (md->present &
        (SVR_HAS(REVERSE_CONTEXT_V4) | SVR_HAS(REVERSE_CONTEXT_V6)))
        print_context("reverse", &md->reverse);
    if (md->present & SVR_HAS(SESSION_UUID))
        print_uuid(&md->uuid);
    if (md->present & SVR_HAS(TENANT))
        print_name("tenant", md->tenant);
    if (md->present & SVR_HAS(SERVICE))
        print_name("service", md->service);
    if (md->present & SVR_HAS(SOURCE_ROUTER))
        print_name("source router", md->source_router);
    if (md->present & SVR_HAS(PATHWAY))
        print_name("pathway", md->pathway);
}

/* Every attribute, known or not, as it stands in its section. */
static void print_section(const char *label, svr_span rest,
                          enum svr_section section)
{
    svr_tlv tlv;

    while (svr_tlv_next(&tlv, &rest) == 1) {
        const svr_attribute_info *info = svr_attribute_find(tlv.type, section);
        printf("%-14s %5u %-28s %3zu bytes\n", label, tlv.type,
               info ? info->name : "unknown", tlv.value.len);
    }
}

int main(int argc, char **argv)
{
    static uint8_t buf[BLOCK_MAX];
    int len = read_hex(buf, argc > 1 ? argv[1] : NULL);
    svr_metadata md;
    svr_block b;
    ptrdiff_t used;

    if (argc > 2 || len < 0) {
        fprintf(stderr, "usage: decode_metadata [HEX]\n");
        return 2;
    }
    /* Refused whole where anything is wrong: nothing of md counts then. */
    used = svr_metadata_decode(&md, buf, (size_t)len);
    if (used < 0 || svr_block_parse(&b, buf, (size_t)len) != 0) {
        fprintf(stderr, "decode_metadata: %s\n", svr_strerror((int)used));
        return 1;
    }
    print_section("header",
                  (svr_span){buf + SVR_BASE_HEADER_SIZE,
                             b.header_len - (size_t)SVR_BASE_HEADER_SIZE},
                  SVR_SECTION_HEADER);
    print_section("payload", (svr_span){buf + b.header_len, b.payload_len},
                  SVR_SECTION_PAYLOAD);
    print_metadata(&md);
    printf("%td bytes of metadata, %td behind it\n", used, len - used);
    return 0;
}
