#include "topology.h"

#include "common/text.h"
#include "table.h"

#include <stdbool.h>
#include <string.h>

#define CELL 256

/* S16.2 */
#define LATENCY_US 250000
#define JITTER_US 100000
#define LOSS_PPM 5000

/* A member as text that is safe for a terminal. */
struct cell {
    char text[CELL];
};

static struct cell get(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    struct cell c = {"-"};

    if (s != NULL)
        text_escape(c.text, sizeof c.text, s, strlen(s));
    return c;
}

static json_int_t figure(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static bool is(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

static bool is_router(const json_t *o)
{
    return json_object_get(o, "router") != NULL;
}

/* For people */

static struct cell services(const json_t *list)
{
    struct cell c = {"-"};
    size_t used = 0;
    size_t i;
    json_t *o;

    json_array_foreach(list, i, o)
    {
        int len = snprintf(c.text + used, sizeof c.text - used,
                           "%s%s %" JSON_INTEGER_FORMAT, i > 0 ? ", " : "",
                           get(o, "name").text, figure(o, "sessions"));
        if ((size_t)len >= sizeof c.text - used)
            break;
        used += (size_t)len;
    }
    return c;
}

static void print_routers(const json_t *data, FILE *out)
{
    static const char *const heads[] = {"ROUTER", "HEARD", "SERVICES"};
    struct table t;
    size_t i;
    json_t *o;

    table_init(&t, heads, 3, 1 << 1);
    json_array_foreach(data, i, o)
    {
        if (!is_router(o))
            continue;
        table_add(&t, "%s", get(o, "router").text);
        if (is(o, "heard"))
            table_add(&t, "%" JSON_INTEGER_FORMAT " s ago", figure(o, "age_s"));
        else
            table_add(&t, "never");
        table_add(&t, "%s", services(json_object_get(o, "services")).text);
    }
    table_print(&t, out);
    table_free(&t);
}

static const char *state(const json_t *o)
{
    if (is(o, "up"))
        return "up";
    return is(o, "heard") ? "down" : "unknown";
}

static void print_pathways(const json_t *data, FILE *out)
{
    static const char *const heads[] = {"FROM",    "TO",     "PATHWAY", "STATE",
                                        "LATENCY", "JITTER", "LOSS"};
    struct table t;
    size_t i;
    json_t *o;

    table_init(&t, heads, 7, 0x70);
    json_array_foreach(data, i, o)
    {
        const json_t *q = json_object_get(o, "quality");
        if (is_router(o))
            continue;
        table_add(&t, "%s", get(o, "from").text);
        table_add(&t, "%s", get(o, "to").text);
        table_add(&t, "%s", get(o, "pathway").text);
        table_add(&t, "%s", state(o));
        if (!json_is_object(q)) {
            for (int k = 0; k < 3; k++)
                table_add(&t, "-");
            continue;
        }
        table_add(&t, "%.1fms", (double)figure(q, "latency_us") / 1e3);
        table_add(&t, "%.1fms", (double)figure(q, "jitter_us") / 1e3);
        table_add(&t, "%.2f%%", (double)figure(q, "loss_ppm") / 1e4);
    }
    fputc('\n', out);
    table_print(&t, out);
    table_free(&t);
}

void topology_print(const json_t *data, FILE *out)
{
    print_routers(data, out);
    print_pathways(data, out);
}

/* For Graphviz. Escaped for a terminal, a name has only the quote left that
 * means something there; the backslash of an escape is doubled once more. */

static void put_text(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void put_member(const json_t *o, const char *key, FILE *out)
{
    fputc('"', out);
    put_text(get(o, key).text, out);
    fputc('"', out);
}

static void dot_router(const json_t *o, FILE *out)
{
    size_t i;
    json_t *service;

    fputs("  ", out);
    put_member(o, "router", out);
    fputs(" [label=\"", out);
    put_text(get(o, "router").text, out);
    json_array_foreach(json_object_get(o, "services"), i, service)
    {
        fputs("\\n", out);
        put_text(get(service, "name").text, out);
    }
    fprintf(out, "\"%s];\n",
            is(o, "heard") ? "" : ", color=grey60, fontcolor=grey60");
}

static bool is_good(const json_t *q)
{
    return figure(q, "latency_us") <= LATENCY_US &&
           figure(q, "jitter_us") <= JITTER_US &&
           figure(q, "loss_ppm") <= LOSS_PPM;
}

static const char *colour(const json_t *there, const json_t *back)
{
    if (!is(there, "heard") && !is(back, "heard"))
        return "grey60";
    if (!is(there, "up"))
        return "red3";
    return is_good(json_object_get(there, "quality")) &&
                   is_good(json_object_get(back, "quality"))
               ? "green4"
               : "orange3";
}

/* The other direction of a pathway; NULL where this is the second one. */
static const json_t *back_of(const json_t *data, size_t at)
{
    json_int_t link = figure(json_array_get(data, at), "link");
    size_t i;
    json_t *o;

    json_array_foreach(data, i, o)
    {
        if (i == at || is_router(o) || figure(o, "link") != link)
            continue;
        return i > at ? o : NULL;
    }
    return NULL;
}

static void dot_pathway(const json_t *there, const json_t *back, FILE *out)
{
    const json_t *q = json_object_get(there, "quality");

    fputs("  ", out);
    put_member(there, "from", out);
    fputs(" -- ", out);
    put_member(there, "to", out);
    fputs(" [label=\"", out);
    put_text(get(there, "pathway").text, out);
    if (is(there, "up") && json_is_object(q))
        fprintf(out, "\\n%.1f ms, %.2f %%",
                (double)figure(q, "latency_us") / 1e3,
                (double)figure(q, "loss_ppm") / 1e4);
    fprintf(out, "\", color=%s%s];\n", colour(there, back),
            is(there, "up") ? "" : ", style=dashed");
}

void topology_dot(const json_t *data, FILE *out)
{
    size_t i;
    json_t *o;

    fputs("graph network {\n"
          "  rankdir=LR;\n"
          "  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n"
          "  edge [fontname=\"sans-serif\", fontsize=10, penwidth=2];\n",
          out);
    json_array_foreach(data, i, o)
    {
        const json_t *back = is_router(o) ? NULL : back_of(data, i);
        if (is_router(o))
            dot_router(o, out);
        else if (back != NULL)
            dot_pathway(o, back, out);
    }
    fputs("}\n", out);
}
