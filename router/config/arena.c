#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* One block for each array, so that a sanitizer sees every overrun. */
struct arena_block {
    struct arena_block *next;
    _Alignas(max_align_t) unsigned char data[];
};

void arena_init(struct arena *a, size_t budget)
{
    a->blocks = NULL;
    a->left = budget;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    struct arena_block *b;
    size_t len;

    if (count > (SIZE_MAX - sizeof(*b)) / size)
        return NULL;
    len = sizeof(*b) + count * size;
    if (len > a->left)
        return NULL;
    b = calloc(1, len);
    if (!b)
        return NULL;
    a->left -= len;
    b->next = a->blocks;
    a->blocks = b;
    return b->data;
}

char *arena_text(struct arena *a, const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = arena_array(a, len, 1);

    if (copy)
        memcpy(copy, text, len);
    return copy;
}

void arena_free(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *b = a->blocks;

        a->blocks = b->next;
        free(b);
    }
}
