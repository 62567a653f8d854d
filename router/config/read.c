/*
 * The walk over the YAML document, led by the schema. The schema has no cycle,
 * so however the document's aliases run, the walk ends at the schema's depth;
 * how far aliases can blow it up is bounded by the arena.
 */
#include "read.h"

#include <string.h>

struct reader {
    yaml_document_t *doc;
    struct arena *arena;
    struct report *report;
};

static bool read_key(struct reader *r, yaml_node_t *node, struct value *v);
static bool read_one(struct reader *r, yaml_node_t *node, struct value *v);
static bool read_absent(struct reader *r, struct value *v);

static struct mark mark_of(const yaml_node_t *node)
{
    return (struct mark){(unsigned)node->start_mark.line + 1,
                         (unsigned)node->start_mark.column + 1};
}

static bool is_empty(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0 &&
           node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static struct short_text describe(const yaml_node_t *node)
{
    struct short_text out = {.s = "a list"};

    if (is_empty(node))
        snprintf(out.s, sizeof(out.s), "nothing");
    else if (node->type == YAML_SCALAR_NODE)
        out = quote((const char *)node->data.scalar.value);
    else if (node->type == YAML_MAPPING_NODE)
        snprintf(out.s, sizeof(out.s), "a mapping");
    return out;
}

/* Tags would change what a value means. libyaml gives every value one. */
static bool check_tag(struct reader *r, const yaml_node_t *node,
                      struct value *v)
{
    static const char *const plain[] = {
        [YAML_SCALAR_NODE] = YAML_DEFAULT_SCALAR_TAG,
        [YAML_SEQUENCE_NODE] = YAML_DEFAULT_SEQUENCE_TAG,
        [YAML_MAPPING_NODE] = YAML_DEFAULT_MAPPING_TAG,
    };
    const char *tag = (const char *)node->tag;

    if (strcmp(tag, plain[node->type]) == 0)
        return true;
    report_problem(r->report, mark_of(node),
                   "found the tag %s, expected a value without a tag",
                   quote(tag).s);
    v->broken = true;
    return false;
}

/* Whether the node is of the kind of YAML node that the value needs. */
static bool check_kind(struct reader *r, const yaml_node_t *node,
                       struct value *v, yaml_node_type_t type,
                       const char *expected)
{
    if (node->type == type && !is_empty(node))
        return check_tag(r, node, v);
    report_problem(r->report, mark_of(node), "found %s, expected %s",
                   describe(node).s, expected);
    v->broken = true;
    return false;
}

/* The text of a scalar, or NULL with a problem reported. */
static const char *scalar_text(struct reader *r, const yaml_node_t *node,
                               struct value *v, const char *expected)
{
    const char *text;

    if (!check_kind(r, node, v, YAML_SCALAR_NODE, expected))
        return NULL;
    text = (const char *)node->data.scalar.value;
    if (strlen(text) == node->data.scalar.length)
        return text;
    report_problem(r->report, mark_of(node),
                   "found a NUL character behind %s, expected %s",
                   quote(text).s, expected);
    v->broken = true;
    return NULL;
}

static bool read_scalar(struct reader *r, yaml_node_t *node, struct value *v)
{
    v->text = scalar_text(r, node, v, schema_types[v->key->type].expected);
    v->broken = !v->text || !scalar_read(r->report, v);
    return !report_full(r->report);
}

static const char *key_name(const void *keys, size_t i)
{
    return ((const struct schema_key *)keys)[i].name;
}

/* The place of a key in its mapping, or the number of keys. */
static size_t find_key(const struct schema_mapping *m, const char *name)
{
    size_t i = 0;

    while (i < m->count && strcmp(m->keys[i].name, name) != 0)
        i++;
    return i;
}

/* A key of v as text, or NULL with a problem reported. */
static const char *key_text(struct reader *r, const yaml_node_t *node,
                            struct value *v)
{
    const char *text = scalar_text(r, node, v, "a key");

    if (text && strcmp(text, "<<") == 0) {
        report_problem(r->report, mark_of(node),
                       "found a merge key (<<), expected each key written "
                       "out or an alias to a whole value");
        v->broken = true;
        return NULL;
    }
    return text;
}

/* One key of a mapping that has fixed keys. */
static bool read_pair(struct reader *r, const yaml_node_pair_t *pair,
                      struct value *v)
{
    const struct schema_mapping *m = v->key->mapping;
    yaml_node_t *node = yaml_document_get_node(r->doc, pair->key);
    const char *text = key_text(r, node, v);
    size_t i = text ? find_key(m, text) : m->count;
    struct words words = {key_name, m->keys, m->count};

    if (i == m->count) {
        if (text)
            report_unknown(r->report, mark_of(node), "the key ", text, NULL,
                           &words);
        v->broken = true;
        v->lost = true; /* another key may have been meant */
    } else if (v->items[i].given) {
        report_problem(r->report, mark_of(node),
                       "found the key %s a second time, first at line %u",
                       quote(text).s, v->items[i].at.line);
        v->broken = true;
    } else {
        v->items[i].given = true;
        if (!read_key(r, yaml_document_get_node(r->doc, pair->value),
                      &v->items[i]))
            return false;
        v->broken |= v->items[i].broken;
    }
    return !report_full(r->report);
}

static void report_missing(struct reader *r, struct value *v,
                           const struct schema_key *key)
{
    const struct schema_mapping *m = v->key->mapping;

    if (v->text)
        report_problem(r->report, v->at,
                       "found no key \"%s\" in %s %s, expected %s", key->name,
                       m->name, quote(v->text).s, key->text);
    else
        report_problem(r->report, v->at,
                       "found no key \"%s\" in %s, expected %s", key->name,
                       m->article, key->text);
    v->broken = true;
}

/* Exactly one of the alternative keys, where a mapping has any. */
static void check_alternatives(struct reader *r, struct value *v)
{
    const struct schema_mapping *m = v->key->mapping;
    const struct schema_key *first = NULL;
    size_t given = 0;

    for (size_t i = m->count; i-- > 0;) {
        if (m->keys[i].alternative) {
            first = &m->keys[i];
            given += v->items[i].given;
        }
    }
    if (!first || v->broken)
        return;
    if (given == 0) {
        report_missing(r, v, first);
    } else if (given > 1) {
        report_problem(r->report, v->at,
                       "found %zu keys in %s that exclude each other, expected "
                       "\"%s\" or another",
                       given, m->article, first->name);
        v->broken = true;
    }
}

/* The keys that the file left out. Where it left out the whole mapping, or gave
 * something else, they are not missed. */
static bool fill_absent(struct reader *r, struct value *v, bool missed)
{
    const struct schema_mapping *m = v->key->mapping;

    for (size_t i = 0; i < m->count; i++) {
        if (v->items[i].given)
            continue;
        if (m->keys[i].required && missed)
            report_missing(r, v, &m->keys[i]);
        v->items[i].lost = v->lost;
        if (!read_absent(r, &v->items[i]))
            return false;
    }
    return true;
}

static bool take_keys(struct reader *r, struct value *v)
{
    const struct schema_mapping *m = v->key->mapping;

    v->count = m->count;
    v->items = arena_array(r->arena, m->count, sizeof(*v->items));
    for (size_t i = 0; v->items && i < m->count; i++)
        v->items[i] = (struct value){.key = &m->keys[i], .at = v->at};
    return v->items != NULL;
}

static bool read_mapping(struct reader *r, yaml_node_t *node, struct value *v)
{
    if (!take_keys(r, v))
        return false;
    v->lost = !check_kind(r, node, v, YAML_MAPPING_NODE, "a mapping");
    if (v->lost)
        return fill_absent(r, v, false) && !report_full(r->report);
    for (const yaml_node_pair_t *p = node->data.mapping.pairs.start;
         p < node->data.mapping.pairs.top; p++) {
        if (!read_pair(r, p, v))
            return false;
    }
    if (!fill_absent(r, v, true))
        return false;
    check_alternatives(r, v);
    return !report_full(r->report);
}

static bool read_one(struct reader *r, yaml_node_t *node, struct value *v)
{
    if (v->key->type == SCHEMA_MAPPING)
        return read_mapping(r, node, v);
    return read_scalar(r, node, v);
}

/* Whether a list or mapping of count entries has neither too many nor, where
 * it must have some, none. */
static bool check_count(struct reader *r, const yaml_node_t *node,
                        struct value *v, size_t count)
{
    if (count > v->key->most)
        report_problem(r->report, mark_of(node),
                       "found %zu entries, expected at most %u in \"%s\"",
                       count, v->key->most, v->key->name);
    else if (count == 0 && (v->key->required || v->key->shape != SCHEMA_NAMED))
        report_problem(r->report, mark_of(node),
                       "found no entries, expected at least one in \"%s\"%s",
                       v->key->name,
                       v->key->required ? "" : ", or no such key");
    else
        return true;
    v->broken = true;
    return false;
}

/* An entry of a list. */
static bool read_item(struct reader *r, yaml_node_t *node, struct value *list,
                      struct value *item)
{
    *item =
        (struct value){.key = list->key, .at = mark_of(node), .given = true};
    if (!read_one(r, node, item))
        return false;
    list->broken |= item->broken;
    return true;
}

/* Room for the items; from here on the value counts as read. */
static bool make_items(struct reader *r, struct value *v, size_t count)
{
    v->items = arena_array(r->arena, count, sizeof(*v->items));
    if (!v->items)
        return false;
    v->count = count;
    v->lost = false;
    return true;
}

static bool read_items(struct reader *r, const yaml_node_item_t *nodes,
                       struct value *v, size_t count)
{
    if (!make_items(r, v, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!read_item(r, yaml_document_get_node(r->doc, nodes[i]), v,
                       &v->items[i]))
            return false;
    }
    return v->key->type == SCHEMA_MAPPING || value_sort(v, r->arena, r->report);
}

static bool read_list(struct reader *r, yaml_node_t *node, struct value *v)
{
    const yaml_node_item_t *start;
    size_t count;

    v->lost = true; /* until it was read */
    if (!check_kind(r, node, v, YAML_SEQUENCE_NODE, "a list"))
        return !report_full(r->report);
    start = node->data.sequence.items.start;
    count = (size_t)(node->data.sequence.items.top - start);
    if (!check_count(r, node, v, count))
        return !report_full(r->report);
    return read_items(r, start, v, count);
}

static bool read_single(struct reader *r, yaml_node_t *node, struct value *v)
{
    v->items = arena_array(r->arena, 1, sizeof(*v->items));
    if (!v->items)
        return false;
    v->count = 1;
    return read_item(r, node, v, &v->items[0]) &&
           value_sort(v, r->arena, r->report);
}

/* An entry of a mapping from names. */
static bool read_entry(struct reader *r, const yaml_node_pair_t *pair,
                       struct value *list, struct value *item)
{
    yaml_node_t *node = yaml_document_get_node(r->doc, pair->key);
    const char *name = key_text(r, node, list);

    if (name && !scalar_is_name(name)) {
        report_problem(r->report, mark_of(node), "found %s, expected %s",
                       quote(name).s, schema_types[SCHEMA_NAME].expected);
        name = NULL;
    }
    list->broken |= !name;
    *item = (struct value){
        .key = list->key, .at = mark_of(node), .text = name, .given = true};
    if (!read_one(r, yaml_document_get_node(r->doc, pair->value), item))
        return false;
    list->broken |= item->broken;
    return true;
}

static bool read_named(struct reader *r, yaml_node_t *node, struct value *v)
{
    const yaml_node_pair_t *pairs;
    size_t count;

    v->lost = true; /* until it was read */
    if (!check_kind(r, node, v, YAML_MAPPING_NODE, "a mapping"))
        return !report_full(r->report);
    pairs = node->data.mapping.pairs.start;
    count = (size_t)(node->data.mapping.pairs.top - pairs);
    if (!check_count(r, node, v, count))
        return !report_full(r->report);
    if (!make_items(r, v, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!read_entry(r, &pairs[i], v, &v->items[i]))
            return false;
    }
    return value_sort(v, r->arena, r->report);
}

/* v has its key; the rest comes from the node. */
static bool read_key(struct reader *r, yaml_node_t *node, struct value *v)
{
    v->at = mark_of(node);
    switch (v->key->shape) {
    case SCHEMA_LIST:
        return read_list(r, node, v);
    case SCHEMA_ONE_OR_LIST:
        if (node->type == YAML_SEQUENCE_NODE)
            return read_list(r, node, v);
        return read_single(r, node, v);
    case SCHEMA_NAMED:
        return read_named(r, node, v);
    case SCHEMA_ONE:
        break;
    }
    return read_one(r, node, v);
}

/* What holds where the file does not give the key. */
static bool read_absent(struct reader *r, struct value *v)
{
    if (v->key->shape != SCHEMA_ONE)
        return true;
    if (v->key->type == SCHEMA_MAPPING)
        return take_keys(r, v) && fill_absent(r, v, false);
    v->text = v->key->fallback;
    return !v->text || scalar_read(r->report, v);
}

bool read_values(struct value *root, yaml_document_t *doc, struct arena *arena,
                 struct report *report)
{
    static const struct schema_key key = {
        .type = SCHEMA_MAPPING,
        .required = true,
        .mapping = &schema_root,
    };
    struct reader r = {doc, arena, report};
    yaml_node_t *node = yaml_document_get_root_node(doc);

    *root = (struct value){.key = &key, .given = true};
    return read_key(&r, node, root);
}
