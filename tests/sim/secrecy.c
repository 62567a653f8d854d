#include "secrecy.h"

#include "packet.h"
#include "world.h"

#include <string.h>

struct pattern {
    const char *what;
    size_t len;
    uint8_t bytes[8];
};

/* Contexts of metadata (S3): type and length, and where all hosts' addresses
 * begin. */
static const struct pattern contexts[] = {
    {"a forward context", 5, {0, 2, 0, 13, 10}},
    {"a forward context", 8, {0, 3, 0, 37, 0xfd, 0, 0, 0}},
    {"a reverse context", 5, {0, 4, 0, 13, 10}},
    {"a reverse context", 8, {0, 5, 0, 37, 0xfd, 0, 0, 0}},
};

static void refuse(struct world *w, const struct station *from,
                   const struct buffer *b, const void *bytes, size_t len,
                   const char *what)
{
    if (memmem(b->packet.data, b->packet.len, bytes, len))
        world_fail(w, "router %u: %s is readable on segment %u", from->router,
                   what, from->segment);
}

void secrecy_check(struct world *w, const struct station *from,
                   const struct buffer *b)
{
    if (!w->options.cipher)
        return;
    refuse(w, from, b, content_mark, sizeof(content_mark), "content");
    for (size_t i = 0; i < sizeof(contexts) / sizeof(contexts[0]); i++)
        refuse(w, from, b, contexts[i].bytes, contexts[i].len,
               contexts[i].what);
}
