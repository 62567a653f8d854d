#include "config.h"
#include "reference.h"

static void write_row(FILE *out, const struct schema_key *key)
{
    fprintf(out, "| `%s` | ", key->name);
    reference_value(out, key);
    fputs(" | ", out);
    reference_default(out, key);
    fprintf(out, " | %s |\n", key->text);
}

static void write_choices(FILE *out, const struct schema_key *key)
{
    if (key->choice_count == 0)
        return;
    fprintf(out, "\n`%s`:\n\n", key->name);
    for (size_t i = 0; i < key->choice_count; i++)
        fprintf(out, "* `%s`: %s\n", key->choices[i].name,
                key->choices[i].text);
}

static void write_mapping(FILE *out, const struct schema_mapping *m,
                          const char *path)
{
    fprintf(out, "\n## %s\n\n", m->title);
    if (path[0])
        fprintf(out, "`%s`\n\n", path);
    fprintf(out, "%s\n\n", m->text);
    fputs("| key | value | without it | meaning |\n|---|---|---|---|\n", out);
    for (size_t i = 0; i < m->count; i++)
        write_row(out, &m->keys[i]);
    for (size_t i = 0; i < m->count; i++)
        write_choices(out, &m->keys[i]);
}

static void write_types(FILE *out)
{
    fputs("\n## Values\n\n", out);
    for (size_t i = 0; i < SCHEMA_TYPE_COUNT; i++) {
        if (schema_types[i].text)
            fprintf(out, "* **%s**: %s\n", schema_types[i].name,
                    schema_types[i].text);
    }
}

void config_write_markdown(FILE *out)
{
    fputs("# The authority file\n\n"
          "<!-- Made by svrd-reference from router/config/schema.c. -->\n\n"
          "`svrd --check FILE` looks for problems and tells each with line and "
          "column. `examples/authority.yaml` is a complete file with "
          "comments; `authority.schema.json`, made from the same table as "
          "this page, lets editors check and complete while you type.\n\n"
          "In outline:\n\n",
          out);
    reference_outline(out, "    ");
    reference_walk(write_mapping, out);
    write_types(out);
}
