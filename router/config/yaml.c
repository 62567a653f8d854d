#include "read.h"

#include <string.h>

/* More than any correct file has: the schema has seven levels. */
#define DEPTH_MAX 32
#define ANCHORS_MAX 1000

/* Which some editors put in front of UTF-8. libyaml counts it as a column. */
static const char byte_order_mark[] = "\xef\xbb\xbf";

static struct mark mark_of(const yaml_mark_t *m)
{
    return (struct mark){(unsigned)m->line + 1, (unsigned)m->column + 1};
}

/* The place of a byte; columns count characters, as libyaml's do. */
static struct mark mark_at(const char *data, size_t offset)
{
    struct mark at = {1, 1};

    for (size_t i = 0; i < offset; i++) {
        if (data[i] == '\n')
            at = (struct mark){at.line + 1, 1};
        else if (((unsigned char)data[i] & 0xc0) != 0x80)
            at.column++;
    }
    return at;
}

static void report_memory(struct report *report)
{
    report_problem(report, (struct mark){0}, "there is not enough memory");
}

static void report_parser(struct report *report, const yaml_parser_t *p,
                          const char *data, size_t len)
{
    const char *problem = p->problem ? p->problem : "unknown error";
    struct mark at = mark_of(&p->problem_mark);

    if (p->error == YAML_MEMORY_ERROR) {
        report_memory(report);
        return;
    }
    if (p->error == YAML_READER_ERROR)
        at = mark_at(data, p->problem_offset < len ? p->problem_offset : len);
    if (p->context && p->context_mark.line + 1 < at.line)
        report_problem(report, at,
                       "found no valid YAML: %s (%s from line %zu on)", problem,
                       p->context, p->context_mark.line + 1);
    else
        report_problem(report, at, "found no valid YAML: %s", problem);
}

/* A parser for the data, to be given back with yaml_parser_delete. */
static bool parser_init(yaml_parser_t *p, struct report *report,
                        const char *data, size_t len)
{
    if (!yaml_parser_initialize(p)) {
        report_memory(report);
        return false;
    }
    yaml_parser_set_encoding(p, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(p, (const unsigned char *)data, len);
    return true;
}

/* How far a scan over the document has come. */
struct scan {
    struct report *report;
    unsigned depth, anchors, documents;
};

static bool limit(struct scan *s, unsigned *count, unsigned max,
                  const yaml_event_t *e, const char *what)
{
    if (++*count <= max)
        return true;
    report_problem(s->report, mark_of(&e->start_mark),
                   "found more than %u %s, expected no more", max, what);
    return false;
}

static bool scan_start(struct scan *s, const yaml_event_t *e, bool anchor)
{
    return limit(s, &s->depth, DEPTH_MAX, e, "levels of lists and mappings") &&
           (!anchor || limit(s, &s->anchors, ANCHORS_MAX, e, "anchors"));
}

static bool scan_event(struct scan *s, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        return limit(s, &s->documents, 1, e, "YAML document");
    case YAML_SCALAR_EVENT:
        return !e->data.scalar.anchor ||
               limit(s, &s->anchors, ANCHORS_MAX, e, "anchors");
    case YAML_SEQUENCE_START_EVENT:
        return scan_start(s, e, e->data.sequence_start.anchor != NULL);
    case YAML_MAPPING_START_EVENT:
        return scan_start(s, e, e->data.mapping_start.anchor != NULL);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        s->depth--;
        return true;
    default:
        return true;
    }
}

/* Looks at the whole file without keeping anything of it. What libyaml does
 * with each level and each anchor takes as many steps as there are levels or
 * anchors, so these are bounded before it loads a document. */
static bool scan(struct report *report, const char *data, size_t len)
{
    struct scan s = {.report = report};
    bool ok = true, end = false;
    yaml_parser_t p;

    if (!parser_init(&p, report, data, len))
        return false;
    while (ok && !end) {
        yaml_event_t e;

        if (!yaml_parser_parse(&p, &e)) {
            report_parser(report, &p, data, len);
            ok = false;
            break;
        }
        ok = scan_event(&s, &e);
        end = e.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
    }
    yaml_parser_delete(&p);
    return ok;
}

static bool load(yaml_document_t *doc, struct report *report, const char *data,
                 size_t len)
{
    yaml_parser_t p;
    bool ok;

    if (!parser_init(&p, report, data, len))
        return false;
    ok = yaml_parser_load(&p, doc);
    if (!ok)
        report_parser(report, &p, data, len);
    yaml_parser_delete(&p);
    if (!ok || yaml_document_get_root_node(doc))
        return ok;
    report_problem(report, (struct mark){1, 1},
                   "found nothing, expected a mapping");
    yaml_document_delete(doc);
    return false;
}

bool read_document(yaml_document_t *doc, struct report *report,
                   const char *data, size_t len)
{
    size_t skip = len >= 3 && memcmp(data, byte_order_mark, 3) == 0 ? 3 : 0;
    const char *nul;

    data += skip;
    len -= skip;
    nul = memchr(data, '\0', len);
    if (!nul)
        return scan(report, data, len) && load(doc, report, data, len);
    report_problem(report, mark_at(data, (size_t)(nul - data)),
                   "found a NUL byte, expected text in UTF-8");
    return false;
}
