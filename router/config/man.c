#include "config.h"
#include "reference.h"

#include <stdlib.h>

/* Text with words in backticks, as roff: those become bold. A line must not
 * begin with a dot or an apostrophe, hence the \&. */
static void write_text(FILE *out, const char *text)
{
    bool bold = false;

    fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '`') {
            bold = !bold;
            fputs(bold ? "\\fB" : "\\fR", out);
        } else if (*text == '-') {
            fputs("\\-", out);
        } else if (*text == '\\') {
            fputs("\\e", out);
        } else {
            fputc(*text, out);
        }
    }
}

/* What write puts out for the key, as roff. */
static void write_converted(FILE *out, const struct schema_key *key,
                            void (*write)(FILE *, const struct schema_key *))
{
    char *text = NULL;
    size_t len;
    FILE *memory = open_memstream(&text, &len);

    if (memory) {
        write(memory, key);
        fclose(memory);
        write_text(out, text);
    }
    free(text);
}

static void write_choices(FILE *out, const struct schema_key *key)
{
    if (key->choice_count == 0)
        return;
    fputs(".RS\n", out);
    for (size_t i = 0; i < key->choice_count; i++) {
        fputs(".TP\n.B ", out);
        write_text(out, key->choices[i].name);
        fputc('\n', out);
        write_text(out, key->choices[i].text);
        fputc('\n', out);
    }
    fputs(".RE\n", out);
}

static void write_key(FILE *out, const struct schema_key *key)
{
    fputs(".TP\n.B ", out);
    write_text(out, key->name);
    fputs("\n", out);
    write_text(out, key->text);
    fputs(".\nValue: ", out);
    write_converted(out, key, reference_value);
    fputs(key->required ? ".\nIt is " : ".\nWithout it: ", out);
    write_converted(out, key, reference_default);
    fputs(".\n", out);
    write_choices(out, key);
}

static void write_mapping(FILE *out, const struct schema_mapping *m,
                          const char *path)
{
    fputs(".SH \"", out);
    for (const char *p = m->title; *p; p++)
        fputc(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p, out);
    fputs("\"\n", out);
    if (path[0]) {
        fputs(".B ", out);
        write_text(out, path);
        fputs("\n.PP\n", out);
    }
    write_text(out, m->text);
    fputc('\n', out);
    for (size_t i = 0; i < m->count; i++)
        write_key(out, &m->keys[i]);
}

static void write_types(FILE *out)
{
    fputs(".SH VALUES\n", out);
    for (size_t i = 0; i < SCHEMA_TYPE_COUNT; i++) {
        if (!schema_types[i].text)
            continue;
        fputs(".TP\n.B ", out);
        write_text(out, schema_types[i].name);
        fputc('\n', out);
        write_text(out, schema_types[i].text);
        fputc('\n', out);
    }
}

void config_write_man(FILE *out)
{
    fprintf(out,
            ".TH SVRD.YAML 5 \"\" \"svr %s\"\n"
            ".SH NAME\n"
            "svrd.yaml \\- the authority file of svrd\n"
            ".SH DESCRIPTION\n"
            ".B svrd \\-\\-check\n"
            ".I FILE\n"
            "looks for problems and tells each with line and column.\n"
            "In outline:\n"
            ".PP\n"
            ".nf\n",
            SVR_VERSION);
    reference_outline(out, "\\&    ");
    fputs(".fi\n", out);
    reference_walk(write_mapping, out);
    write_types(out);
    fputs(".SH \"SEE ALSO\"\n.BR svrd (8),\n.BR svrctl (8)\n", out);
}
