/* Identities, and keys that are exchanged. */
#include "router_config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(identity, .init = folder_make, .fini = folder_remove);

/* RFC 8032, section 7.1, tests 1 and 2 */
#define A_SEED \
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define A_PUBLIC \
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define B_SEED \
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
#define B_PUBLIC \
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"

/* base_file whose two routers exchange their keys. */
static char *text_with(const char *a, const char *b, const char *more)
{
    char *out = NULL;
    size_t len;
    FILE *f = open_memstream(&out, &len);
    const char *at_b = strstr(base_file, "  b:\n");
    const char *key = strstr(base_file, "key: s.key");

    cr_assert_not_null(f);
    fprintf(f, "%.*s", (int)(at_b - base_file), base_file);
    fprintf(f, "%s  b:\n%s", a, b);
    at_b += strlen("  b:\n");
    fprintf(f, "%.*skey: exchanged%s%s", (int)(key - at_b), at_b, more,
            key + strlen("key: s.key"));
    fclose(f);
    return out;
}

static char *good_text(void)
{
    return text_with("    identity: " A_PUBLIC "\n",
                     "    identity: " B_PUBLIC "\n", "");
}

/* The text is refused for that, and for nothing else. */
static void check_refused(const char *text, const char *router,
                          const char *problem)
{
    struct outcome o = load_text(text, router);

    cr_expect_null(o.config, "%s", problem);
    cr_expect_not_null(strstr(o.report, problem), "found %s, expected %s",
                       o.report, problem);
    cr_expect_eq(strchr(o.report, '\n') + 1, o.report + strlen(o.report), "%s",
                 o.report);
    outcome_free(&o);
}

static void check_refused_with(const char *a, const char *b, const char *more,
                               const char *problem)
{
    char *text = text_with(a, b, more);

    check_refused(text, NULL, problem);
    free(text);
}

Test(identity, none)
{
    check_refused_with(
        "", "    identity: " B_PUBLIC "\n", "",
        "3:3: found router \"a\" without \"identity\", expected one, for "
        "pathway \"to-b\" has keys that are exchanged (line 11): svrctl "
        "keygen a makes one");
    check_refused_with("    identity: " A_PUBLIC "\n", "", "",
                       "found router \"b\" without \"identity\"");
}

Test(identity, that_is_none)
{
    static const char *const wrong[] = {
        "",
        "d75a",
        A_PUBLIC "00",
        "g75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "0000000000000000000000000000000000000000000000000000000000000000",
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char line[128];

        snprintf(line, sizeof(line), "    identity: '%s'\n", wrong[i]);
        check_refused_with(line, "    identity: " B_PUBLIC "\n", "",
                           "expected 64 hexadecimal digits, as svrctl keygen "
                           "prints them");
    }
}

Test(identity, of_two_routers)
{
    check_refused_with("    identity: " A_PUBLIC "\n",
                       "    identity: " A_PUBLIC "\n", "",
                       "found the identity a second time, first at line 12");
}

Test(identity, without_the_block)
{
    char *text = good_text();
    char *at = strstr(text, "security: s}");
    char *bad;

    cr_assert_not_null(at);
    cr_assert_gt(asprintf(&bad, "%.*sbfd: {form: plain}, %s", (int)(at - text),
                          text, at),
                 0);
    free(text);
    text = bad;
    at = strstr(strstr(text, "to-a:"), "security: s}");
    cr_assert_gt(asprintf(&bad, "%.*sbfd: {form: plain}, %s", (int)(at - text),
                          text, at),
                 0);
    struct outcome o = load_text(bad, NULL);
    cr_expect_null(o.config);
    cr_expect_not_null(strstr(o.report, "found BFD form \"plain\" in a pathway "
                                        "whose keys are exchanged"));
    outcome_free(&o);
    free(text);
    free(bad);
}

Test(identity, files)
{
    char *text = good_text();

    check_refused(text, "a",
                  "/a.identity\" does not exist, expected the private half of "
                  "this identity, or a new one: svrctl keygen a");
    file_write("a.identity", A_SEED "\n", 0640);
    check_refused(text, "a", "identity file \"");
    check_refused(text, "a", "has mode 0640, expected 0600: chmod 600 /tmp/");
    file_write("a.identity", "abc\n", 0600);
    check_refused(text, "a", "has fewer than 64 characters");
    file_write("a.identity", A_SEED "0\n", 0600);
    check_refused(text, "a", "has more than 64 characters");
    file_write("a.identity",
               "0000000000000000000000000000000000000000000000000000000000000"
               "000\n",
               0600);
    check_refused(text, "a",
                  "is all zero, expected a random key: svrctl keygen a");
    file_write("a.identity", B_SEED "\n", 0600);
    check_refused(text, "a",
                  "the private half of identity " B_PUBLIC
                  ", expected that of " A_PUBLIC);
    free(text);
}

Test(identity, exchanged)
{
    char *text = good_text();
    uint8_t public_key[SVR_IDENTITY_SIZE];
    uint8_t secret[SVR_ED25519_SECRET_SIZE];
    struct config *c;

    file_write("a.identity", A_SEED "\n", 0600);
    c = load_good(text, "a");
    cr_assert_not_null(c->identity);
    svr_ed25519_keypair(public_key, secret, c->identity);
    cr_expect_eq(public_key[0], 0xd7);
    cr_expect_eq(public_key[31], 0x1a);
    cr_expect_null(c->node.identity);
    cr_assert_eq(c->node.peer_count, 1);
    cr_assert_not_null(c->node.peers[0].identity);
    cr_expect_eq(c->node.peers[0].identity[0], 0x3d);
    cr_expect_eq(c->node.peers[0].identity[31], 0x0c);
    cr_expect(c->node.securities[0].exchanged);
    for (size_t i = 0; i < SVR_KEY_SIZE; i++)
        cr_expect_eq(c->node.securities[0].key[i], 0);
    cr_expect_eq(c->node.rekey, SVR_EXCHANGE_REKEY);
    config_free(c);
    free(text);
}

/* Where no pathway wants it, the private half is not looked for; who has none
 * of his own may still name others'. */
Test(identity, not_needed)
{
    char *text = file_with("  b:\n", "    identity: " A_PUBLIC "\n  b:\n");
    struct config *c = load_good(text, "a");

    cr_expect_null(c->identity);
    cr_expect_null(c->node.peers[0].identity);
    cr_expect_not(c->node.securities[0].exchanged);
    config_free(c);
    c = load_good(text, "b");
    cr_expect_not_null(c->node.peers[0].identity);
    config_free(c);
    free(text);
}

/* Nobody has the private halves of all routers. */
Test(identity, of_all_routers)
{
    char *text = good_text();
    struct config *c = load_good(text, NULL);

    cr_expect_null(c->identity);
    config_free(c);
    free(text);
}

/* A file can still bear that name. */
Test(identity, file_of_that_name)
{
    char *text = file_with("key: s.key", "key: ./exchanged");
    struct config *c;

    file_write("exchanged", A_SEED "\n", 0600);
    c = load_good(text, "a");
    cr_expect_not(c->node.securities[0].exchanged);
    cr_expect_eq(c->node.securities[0].key[0], 0x9d);
    config_free(c);
    free(text);
}

Test(identity, rekey)
{
    static const struct {
        const char *text;
        svr_time rekey; /* 0: refused */
    } table[] = {
        {"1s", SVR_SECOND},
        {"90m", 5400 * SVR_SECOND},
        {"720h", 2592000 * SVR_SECOND},
        {"never", SVR_NEVER},
        {"721h", 0},
        {"999ms", 0},
        {"0s", 0},
        {"Never", 0},
        {"24", 0},
        {"-1h", 0},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char line[64];
        char *text;
        struct outcome o;

        snprintf(line, sizeof(line), "rekey: %s\ntenants:", table[i].text);
        text = file_with("tenants:", line);
        o = load_text(text, "a");
        if (table[i].rekey == 0)
            cr_expect_null(o.config, "%s", table[i].text);
        else
            cr_expect_eq(o.config->node.rekey, table[i].rekey, "%s",
                         table[i].text);
        outcome_free(&o);
        free(text);
    }
}
