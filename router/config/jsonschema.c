#include "config.h"
#include "reference.h"

#include <string.h>

static void write_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* Defined types bear their names without what JSON pointers give a meaning. */
static void write_type_name(FILE *out, enum schema_type type)
{
    for (const char *p = schema_types[type].name; *p; p++)
        fputc(*p == ' ' || *p == '/' ? '-' : *p, out);
}

static void write_words(FILE *out, const struct schema_key *key)
{
    fputs("\"enum\": [", out);
    for (size_t i = 0; i < key->choice_count; i++) {
        fputs(i > 0 ? ", " : "", out);
        write_string(out, key->choices[i].name);
    }
    fputs("]", out);
}

/* The members of the schema of a single value. */
static void write_single(FILE *out, const struct schema_key *key)
{
    switch (key->type) {
    case SCHEMA_MAPPING:
        fprintf(out, "\"$ref\": \"#/$defs/%s\"", key->mapping->name);
        break;
    case SCHEMA_CHOICE:
        write_words(out, key);
        break;
    case SCHEMA_PROTOCOL:
        fputs("\"oneOf\": [{", out);
        write_words(out, key);
        fputs("}, {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 255}]",
              out);
        break;
    case SCHEMA_NUMBER:
        fprintf(out,
                "\"type\": \"integer\", \"minimum\": %llu, \"maximum\": %llu",
                (unsigned long long)key->min, (unsigned long long)key->max);
        break;
    default:
        fputs("\"$ref\": \"#/$defs/", out);
        write_type_name(out, key->type);
        fputs("\"", out);
    }
}

static void write_list(FILE *out, const struct schema_key *key)
{
    fputs("\"type\": \"array\", \"minItems\": 1, \"uniqueItems\": true, ", out);
    fprintf(out, "\"maxItems\": %u, \"items\": {", key->most);
    write_single(out, key);
    fputs("}", out);
}

static void write_named(FILE *out, const struct schema_key *key)
{
    fputs("\"type\": \"object\", \"propertyNames\": {\"$ref\": "
          "\"#/$defs/name\"}, ",
          out);
    fprintf(out, "\"minProperties\": %d, \"maxProperties\": %u, ",
            key->required, key->most);
    fputs("\"additionalProperties\": {", out);
    write_single(out, key);
    fputs("}", out);
}

static void write_value(FILE *out, const struct schema_key *key)
{
    switch (key->shape) {
    case SCHEMA_ONE:
        write_single(out, key);
        break;
    case SCHEMA_LIST:
        write_list(out, key);
        break;
    case SCHEMA_ONE_OR_LIST:
        fputs("\"oneOf\": [{", out);
        write_single(out, key);
        fputs("}, {", out);
        write_list(out, key);
        fputs("}]", out);
        break;
    case SCHEMA_NAMED:
        write_named(out, key);
        break;
    }
}

static void write_default(FILE *out, const struct schema_key *key)
{
    if (!key->fallback)
        return;
    fputs(", \"default\": ", out);
    if (key->type == SCHEMA_NUMBER || key->type == SCHEMA_BOOLEAN)
        fputs(key->fallback, out);
    else
        write_string(out, key->fallback);
}

static void write_required(FILE *out, const struct schema_mapping *m)
{
    const char *separator = "";

    fputs("\"required\": [", out);
    for (size_t i = 0; i < m->count; i++) {
        if (!m->keys[i].required)
            continue;
        fputs(separator, out);
        write_string(out, m->keys[i].name);
        separator = ", ";
    }
    fputs("]", out);
}

static void write_alternatives(FILE *out, const struct schema_mapping *m)
{
    const char *separator = ", \"oneOf\": [";
    bool any = false;

    for (size_t i = 0; i < m->count; i++) {
        if (!m->keys[i].alternative)
            continue;
        fprintf(out, "%s{\"required\": [\"%s\"]}", separator, m->keys[i].name);
        separator = ", ";
        any = true;
    }
    fputs(any ? "]" : "", out);
}

/* The members of a mapping's schema. */
static void write_members(FILE *out, const struct schema_mapping *m)
{
    fputs("\"type\": \"object\", \"additionalProperties\": false, ", out);
    write_required(out, m);
    write_alternatives(out, m);
    fputs(", \"properties\": {", out);
    for (size_t i = 0; i < m->count; i++) {
        const struct schema_key *key = &m->keys[i];

        fprintf(out, "%s\n  \"%s\": {\"description\": ", i > 0 ? "," : "",
                key->name);
        write_string(out, key->text);
        fputs(", ", out);
        write_value(out, key);
        write_default(out, key);
        fputs("}", out);
    }
    fputs("}", out);
}

static void write_mapping(FILE *out, const struct schema_mapping *m,
                          const char *path)
{
    if (path[0] == '\0') /* the root is the schema itself */
        return;
    fprintf(out, ",\n \"%s\": {", m->name);
    write_members(out, m);
    fputs("}", out);
}

void config_write_schema(FILE *out)
{
    const char *separator = "";

    fputs("{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
          "\"title\": \"The authority file of svrd\",\n\"$defs\": {",
          out);
    for (unsigned i = 0; i < SCHEMA_TYPE_COUNT; i++) {
        if (!schema_types[i].json)
            continue;
        fprintf(out, "%s\n \"", separator);
        write_type_name(out, (enum schema_type)i);
        fprintf(out, "\": %s", schema_types[i].json);
        separator = ",";
    }
    reference_walk(write_mapping, out);
    fputs("},\n", out);
    write_members(out, &schema_root);
    fputs("}\n", out);
}
