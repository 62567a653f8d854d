#include "journal.h"

#include <inttypes.h>
#include <svr/crypto.h>
#include <svr/node.h>

static const uint8_t hash_key[SVR_HASH_KEY_SIZE] = "simulated";

static const char *const formats[] = {
#define X(name, format) format,
    JOURNAL_MAP(X)
#undef X
};

uint64_t journal_digest(const void *bytes, size_t len)
{
    return svr_hash(hash_key, bytes, len);
}

static void print(const struct journal_entry *e, FILE *out)
{
    unsigned long long v[4];

    for (int i = 0; i < 4; i++)
        v[i] = e->value[i];
    fprintf(out, "%" PRIu64 ".%09" PRIu64 " ", e->at / SVR_SECOND,
            e->at % SVR_SECOND);
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#endif
    fprintf(out, formats[e->kind], v[0], v[1], v[2], v[3]);
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
    if (e->kind == JOURNAL_DROP)
        fprintf(out, " %s", svr_drop_name((enum svr_drop)v[3]));
    fputc('\n', out);
}

void journal_add(struct journal *j, svr_time at, enum journal_kind kind,
                 uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    struct journal_entry e = {at, kind, {a, b, c, d}};
    uint64_t chain[7] = {j->hash, e.at, e.kind, a, b, c, d};

    j->hash = journal_digest(chain, sizeof(chain));
    j->kept[j->count++ % JOURNAL_KEPT] = e;
    if (j->text)
        print(&e, j->text);
}

void journal_tail(const struct journal *j, FILE *out, unsigned count)
{
    uint64_t first = j->count > count ? j->count - count : 0;

    for (uint64_t i = first; i < j->count; i++)
        print(&j->kept[i % JOURNAL_KEPT], out);
}
