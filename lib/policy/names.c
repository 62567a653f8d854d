#include "policy/names.h"

#include <string.h>

#include "base/memory.h"
#include "base/sort.h"
#include "wire/name.h"

static svr_span text_span(const char *text)
{
    return (svr_span){(const uint8_t *)text, strlen(text)};
}

bool svr__names_valid(const char *name)
{
    svr_span span = text_span(name);
    return span.len > 0 && span.len <= SVR_NAME_SEND_MAX &&
           svr__name_printable(span);
}

int svr__names_init(svr__names *n, size_t count, const svr_allocator *alloc)
{
    n->text = svr__alloc(alloc, count, sizeof(*n->text));
    n->sorted = svr__alloc(alloc, count, sizeof(*n->sorted));
    n->count = (uint32_t)count;
    return n->text && n->sorted ? 0 : SVR_ERR_NO_MEMORY;
}

void svr__names_fini(svr__names *n, const svr_allocator *alloc)
{
    svr__free(alloc, n->text, n->count, sizeof(*n->text));
    svr__free(alloc, n->sorted, n->count, sizeof(*n->sorted));
}

void svr__names_put(svr__names *n, size_t index, const char *name)
{
    memcpy(n->text[index], name, strlen(name) + 1);
    n->sorted[index] = (uint32_t)index;
}

/* Shorter names first: only names of one length need their bytes compared. */
static int compare_spans(svr_span a, svr_span b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len ? memcmp(a.data, b.data, a.len) : 0;
}

static svr_span span_at(const svr__names *n, uint32_t index)
{
    return text_span(n->text[index]);
}

static int compare_indexes(const void *a, const void *b, const void *context)
{
    const svr__names *n = context;
    return compare_spans(span_at(n, *(const uint32_t *)a),
                         span_at(n, *(const uint32_t *)b));
}

int svr__names_sort(svr__names *n)
{
    svr__sort(n->sorted, n->count, sizeof(*n->sorted), compare_indexes, n);
    for (uint32_t i = 1; i < n->count; i++) {
        if (compare_indexes(&n->sorted[i - 1], &n->sorted[i], n) == 0)
            return SVR_ERR_EXISTS;
    }
    return 0;
}

int svr__names_find(const svr__names *n, svr_span name)
{
    uint32_t first = 0, end = n->count;
    while (first < end) {
        uint32_t mid = first + (end - first) / 2;
        int order = compare_spans(name, span_at(n, n->sorted[mid]));
        if (order == 0)
            return (int)n->sorted[mid];
        if (order < 0)
            end = mid;
        else
            first = mid + 1;
    }
    return SVR_ERR_NOT_FOUND;
}

/* Takes the first label and its dot away; false if there is no parent. */
static bool strip_label(svr_span *name)
{
    while (name->len > 0) {
        name->len--;
        if (*name->data++ == '.')
            return true;
    }
    return false;
}

int svr__names_nearest(const svr__names *n, svr_span name)
{
    int index;
    do {
        index = svr__names_find(n, name);
    } while (index < 0 && strip_label(&name));
    return index;
}

const char *svr__names_at(const svr__names *n, int index)
{
    if (index < 0 || (uint32_t)index >= n->count)
        return NULL;
    return n->text[index];
}

bool svr__names_covers(const svr__names *n, int parent, int child)
{
    if (parent == child)
        return true;
    svr_span p = span_at(n, (uint32_t)parent);
    svr_span c = span_at(n, (uint32_t)child);
    if (c.len <= p.len)
        return false;
    const uint8_t *tail = c.data + (c.len - p.len);
    return tail[-1] == '.' && memcmp(tail, p.data, p.len) == 0;
}
