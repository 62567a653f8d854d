#include "topology.h"

#include "cell.h"
#include "table.h"

#include <stdbool.h>
#include <string.h>

/* S16.2 */
#define LATENCY_US 250000
#define JITTER_US 100000
#define LOSS_PPM 5000

#define GREEN "#2e7d32"
#define ORANGE "#d35400"
#define RED "#c62828"
#define GREY "grey60"

/* Services that a picture names of a router. */
#define SERVICES_DRAWN 4

struct quality {
    json_int_t latency_us, jitter_us, loss_ppm;
};

static json_int_t figure(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static json_int_t max(json_int_t x, json_int_t y)
{
    return x > y ? x : y;
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
    struct cell c = {""}, one;
    size_t i;
    json_t *o;

    json_array_foreach(list, i, o)
    {
        snprintf(one.text, sizeof one.text, "%.200s %" JSON_INTEGER_FORMAT,
                 cell_get(o, "name").text, figure(o, "sessions"));
        cell_append(&c, one.text);
    }
    return i > 0 ? c : (struct cell){"-"};
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
        table_add(&t, "%s", cell_get(o, "router").text);
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
        table_add(&t, "%s", cell_get(o, "from").text);
        table_add(&t, "%s", cell_get(o, "to").text);
        table_add(&t, "%s", cell_get(o, "pathway").text);
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
    put_text(cell_get(o, key).text, out);
    fputc('"', out);
}

/* Name and services, of which few fit into a picture. */
static void dot_router(const json_t *o, FILE *out)
{
    const json_t *list = json_object_get(o, "services");
    size_t count = json_array_size(list);
    size_t i;
    json_t *service;

    fputs("  ", out);
    put_member(o, "router", out);
    fputs(" [label=\"", out);
    put_text(cell_get(o, "router").text, out);
    json_array_foreach(list, i, service)
    {
        if (i == SERVICES_DRAWN && count > SERVICES_DRAWN + 1)
            break;
        fputs("\\n", out);
        put_text(cell_get(service, "name").text, out);
        fprintf(out, " %" JSON_INTEGER_FORMAT, figure(service, "sessions"));
    }
    if (i < count)
        fprintf(out, "\\nand %zu more", count - i);
    fprintf(out, "\"%s];\n",
            is(o, "heard")
                ? ""
                : ", color=grey60, fontcolor=grey60, fillcolor=white");
}

/* The worse of both directions; false where nothing is measured. */
static bool worse(const json_t *there, const json_t *back, struct quality *q)
{
    const json_t *both[] = {json_object_get(there, "quality"),
                            json_object_get(back, "quality")};

    *q = (struct quality){0};
    for (int i = 0; i < 2; i++) {
        q->latency_us = max(q->latency_us, figure(both[i], "latency_us"));
        q->jitter_us = max(q->jitter_us, figure(both[i], "jitter_us"));
        q->loss_ppm = max(q->loss_ppm, figure(both[i], "loss_ppm"));
    }
    return json_is_object(both[0]) || json_is_object(both[1]);
}

static bool is_good(const struct quality *q)
{
    return q->latency_us <= LATENCY_US && q->jitter_us <= JITTER_US &&
           q->loss_ppm <= LOSS_PPM;
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
    bool heard = is(there, "heard") || is(back, "heard");
    bool up = is(there, "up");
    const char *colour = GREY;
    struct quality q = {0};

    fputs("  ", out);
    put_member(there, "from", out);
    fputs(" -- ", out);
    put_member(there, "to", out);
    fputs(" [label=\"", out);
    put_text(cell_get(there, "pathway").text, out);
    if (!up)
        fputs(heard ? "\\ndown" : "\\nunknown", out);
    else if (worse(there, back, &q))
        fprintf(out, "\\n%.1f ms ± %.1f, %.2f %%", (double)q.latency_us / 1e3,
                (double)q.jitter_us / 1e3, (double)q.loss_ppm / 1e4);
    if (up)
        colour = is_good(&q) ? GREEN : ORANGE;
    else if (heard)
        colour = RED;
    fprintf(out, "\", color=\"%s\", fontcolor=\"%s\"%s];\n", colour, colour,
            up ? "" : ", style=dashed");
}

void topology_dot(const json_t *data, FILE *out)
{
    size_t i;
    json_t *o;

    fputs("graph network {\n"
          "  graph [rankdir=LR, nodesep=0.5, ranksep=1.6, pad=0.2,\n"
          "    bgcolor=white];\n"
          "  node [shape=box, style=\"rounded,filled\", margin=\"0.2,0.1\",\n"
          "    color=\"#4a6785\", fillcolor=\"#eef3f8\", penwidth=1.5,\n"
          "    fontname=\"sans-serif\"];\n"
          "  edge [fontname=\"sans-serif\", fontsize=10, penwidth=2.5];\n",
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
