#include "check.h"
#include "suites.h"

#include <stdlib.h>
#include <string.h>

const struct value *check_reference(struct checker *c,
                                    const struct value *reference,
                                    const struct value *list, const char *what)
{
    const struct value *found = value_find(list, reference->text);
    struct words words = value_words(list);

    if (!found && !list->lost)
        report_unknown(c->report, reference->at, "", reference->text, what,
                       &words);
    return found;
}

struct claim *check_claims(struct checker *c, size_t count)
{
    return arena_array(c->arena, count, sizeof(struct claim));
}

static int compare_keys(const struct claim *a, const struct claim *b)
{
    size_t len = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->key, b->key, len);

    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static int compare_marks(struct mark a, struct mark b)
{
    if (a.line != b.line)
        return a.line < b.line ? -1 : 1;
    return (a.column > b.column) - (a.column < b.column);
}

static int compare_claims(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = compare_keys(x, y);

    return order ? order : compare_marks(x->by->at, y->by->at);
}

void check_distinct(struct checker *c, struct claim *claims, size_t count,
                    const char *what)
{
    const struct claim *told = NULL;

    qsort(claims, count, sizeof(*claims), compare_claims);
    for (size_t i = 1; i < count; i++) {
        if (compare_keys(&claims[i - 1], &claims[i]) != 0 ||
            (told && told->by == claims[i].by))
            continue;
        told = &claims[i];
        report_problem(c->report, told->by->at,
                       "found %s a second time, first at line %u", what,
                       claims[i - 1].by->at.line);
    }
}

/* What must be confirmed, and is not. */
static void check_confirmed(struct checker *c, const struct value *security)
{
    const struct value *mode = value_of(security, SECURITY_MODE);
    const struct value *hmac = value_of(security, SECURITY_HMAC);

    if (value_of(security, SECURITY_INSECURE)->number)
        return;
    if (mode->number == SVR_HMAC_DISABLED)
        report_problem(c->report, mode->at,
                       "found mode \"disabled\", expected \"insecure: "
                       "true\" beside it: other packets than those with "
                       "metadata could be forged");
    if (strcmp(hmac->text, "sha1") == 0)
        report_problem(c->report, hmac->at,
                       "found hmac \"sha1\", expected \"insecure: true\" "
                       "beside it, or a better one");
}

static bool has_cipher(const struct value *cipher)
{
    return cipher->number == 0 || svr_cipher_find(suites_more(), cipher->text);
}

/* S11.4: whoever changes a packet under CBC changes what it becomes. */
static void check_cipher(struct checker *c, const struct value *security)
{
    const struct value *cipher = value_of(security, SECURITY_CIPHER);
    bool each = value_of(security, SECURITY_SIGN)->number == SIGN_PER_PACKET &&
                value_of(security, SECURITY_MODE)->number != SVR_HMAC_DISABLED;

    if (!has_cipher(cipher))
        report_problem(c->report, cipher->at,
                       "found cipher \"%s\", expected one that this program "
                       "and this processor have: all have \"cipher: "
                       "chacha20-poly1305\"",
                       cipher->text);
    else if (strncmp(cipher->text, "aes-cbc-", 8) == 0 && !each)
        report_problem(c->report, cipher->at,
                       "found cipher \"%s\", expected \"sign: per-packet\" "
                       "beside it, and no \"mode: disabled\": without tags "
                       "packets could be changed",
                       cipher->text);
}

static void check_algorithms(struct checker *c, const struct value *security)
{
    const struct value *hmac = value_of(security, SECURITY_HMAC);

    if (!svr_hmac_find(suites_more(), hmac->text))
        report_problem(c->report, hmac->at,
                       "found hmac \"%s\", expected one that this program "
                       "has: it was built without libcrypto",
                       hmac->text);
}

static void check_securities(struct checker *c)
{
    const struct value *list = value_of(c->root, ROOT_SECURITY);

    for (size_t i = 0; i < list->count; i++) {
        const struct value *s = &list->items[i];
        if (s->broken)
            continue;
        check_confirmed(c, s);
        check_algorithms(c, s);
        check_cipher(c, s);
    }
}

bool check_values(struct checker *c)
{
    check_securities(c);
    return check_routers(c) && check_pathways(c) && check_identities(c) &&
           check_policies(c) && check_services(c);
}
