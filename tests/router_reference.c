/* The pages that are made from the schema. */
#include "config/config.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char *write_page(void (*write)(FILE *out))
{
    char *text;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    cr_assert_not_null(f);
    write(f);
    fclose(f);
    return text;
}

static char *read_page(const char *path)
{
    char *text = calloc(1, 1 << 20);
    FILE *f = fopen(path, "r");

    cr_assert_not_null(text);
    cr_assert_not_null(f, "%s is missing", path);
    cr_assert_lt(fread(text, 1, (1 << 20) - 1, f), (1 << 20) - 1);
    fclose(f);
    return text;
}

/* The page in the tree is the one that is made. */
Test(reference, markdown)
{
    char *made = write_page(config_write_markdown);
    char *kept = read_page(SOURCE_ROOT "/docs/authority-file.md");

    cr_expect(strcmp(made, kept) == 0,
              "docs/authority-file.md is old: run "
              "router/svrd-reference markdown > docs/authority-file.md");
    free(made);
    free(kept);
}

Test(reference, man)
{
    char *page = write_page(config_write_man);

    cr_expect_not_null(strstr(page, "\n.B \\&bind\\-tcp\n"));
    cr_expect_not_null(strstr(page, "\\fB1500\\fR"));
    cr_expect_null(strchr(page, '`'));
    free(page);
}

static const json_t *at(const json_t *value, const char *const *path)
{
    for (; *path && value; path++)
        value = json_object_get(value, *path);
    return value;
}

#define AT(value, ...) at(value, (const char *const[]){__VA_ARGS__, NULL})

Test(reference, json_schema)
{
    char *page = write_page(config_write_schema);
    json_error_t error;
    json_t *schema = json_loads(page, JSON_REJECT_DUPLICATES, &error);
    const json_t *kind, *mtu, *multiplier;

    cr_assert_not_null(schema, "line %d: %s", error.line, error.text);
    cr_expect(json_is_false(AT(schema, "additionalProperties")));
    cr_expect_eq(json_array_size(AT(schema, "required")), 2);
    kind = AT(schema, "$defs", "interface", "properties", "kind", "enum");
    cr_expect_eq(json_array_size(kind), 3);
    mtu = AT(schema, "$defs", "interface", "properties", "mtu");
    cr_expect_eq(json_integer_value(AT(mtu, "minimum")), 1280);
    cr_expect_eq(json_integer_value(AT(mtu, "default")), 1500);
    cr_expect_eq(json_array_size(AT(schema, "$defs", "access", "oneOf")), 2);
    multiplier = AT(schema, "$defs", "bfd", "properties", "multiplier");
    cr_expect_eq(json_integer_value(AT(multiplier, "maximum")), 20);
    json_decref(schema);
    free(page);
}

/* Every reference within the schema leads somewhere. */
Test(reference, json_schema_references)
{
    char *page = write_page(config_write_schema);
    json_t *schema = json_loads(page, 0, NULL);
    static const char start[] = "\"#/$defs/";

    for (const char *p = page; (p = strstr(p, start)); p++) {
        char name[64] = "";

        cr_assert_eq(sscanf(p + strlen(start), "%63[^\"]", name), 1);
        cr_expect_not_null(AT(schema, "$defs", name), "%s", name);
    }
    json_decref(schema);
    free(page);
}
