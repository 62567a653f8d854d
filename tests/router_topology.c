/* The network for people and for Graphviz. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "svrctl/topology.h"

/* Three routers, one never heard of; a good pathway, a bad one, one that is
 * down, one of which nothing is known. A name that would end its quotes. */
static const char network[] =
    "[{\"router\": \"hub\", \"heard\": true, \"age_s\": 12, \"boot\": 1,"
    "  \"services\": [{\"name\": \"web\", \"sessions\": 7}]},"
    " {\"router\": \"a\\\"b\\\\\", \"heard\": true, \"age_s\": 3, \"boot\": 1,"
    "  \"services\": []},"
    " {\"router\": \"gone\", \"heard\": false, \"age_s\": null, \"boot\": 0,"
    "  \"services\": []},"
    " {\"pathway\": \"mpls\", \"from\": \"hub\", \"to\": \"a\\\"b\\\\\","
    "  \"link\": 0, \"heard\": true, \"up\": true, \"quality\":"
    "  {\"loss_ppm\": 100, \"latency_us\": 12345, \"jitter_us\": 1000}},"
    " {\"pathway\": \"back\", \"from\": \"a\\\"b\\\\\", \"to\": \"hub\","
    "  \"link\": 0, \"heard\": true, \"up\": true, \"quality\": null},"
    " {\"pathway\": \"lte\", \"from\": \"hub\", \"to\": \"a\\\"b\\\\\","
    "  \"link\": 2, \"heard\": true, \"up\": true, \"quality\": null},"
    " {\"pathway\": \"lte\", \"from\": \"a\\\"b\\\\\", \"to\": \"hub\","
    "  \"link\": 2, \"heard\": true, \"up\": true, \"quality\":"
    "  {\"loss_ppm\": 5001, \"latency_us\": 1, \"jitter_us\": 0}},"
    " {\"pathway\": \"x\", \"from\": \"hub\", \"to\": \"gone\","
    "  \"link\": 4, \"heard\": true, \"up\": false, \"quality\": null},"
    " {\"pathway\": \"x\", \"from\": \"gone\", \"to\": \"hub\","
    "  \"link\": 4, \"heard\": false, \"up\": false, \"quality\": null},"
    " {\"pathway\": \"y\", \"from\": \"gone\", \"to\": \"hub\","
    "  \"link\": 6, \"heard\": false, \"up\": false, \"quality\": null},"
    " {\"pathway\": \"y\", \"from\": \"hub\", \"to\": \"gone\","
    "  \"link\": 6, \"heard\": false, \"up\": false, \"quality\": null}]";

static char *printed(void (*print)(const json_t *data, FILE *out),
                     const json_t *data)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    cr_assert_not_null(data);
    print(data, out);
    fclose(out);
    return text;
}

static char *text_of(void (*print)(const json_t *data, FILE *out))
{
    json_t *data = json_loads(network, 0, NULL);
    char *text = printed(print, data);

    json_decref(data);
    return text;
}

static void expect_line(const char *text, const char *line)
{
    cr_expect_not_null(strstr(text, line), "no\n%s\nin\n%s", line, text);
}

Test(router_topology, for_graphviz)
{
    char *text = text_of(topology_dot);

    expect_line(text, "  \"hub\" [label=\"hub\\nweb 7\"];\n");
    expect_line(text, "  \"a\\\"b\\\\\\\\\" [label=\"a\\\"b\\\\\\\\\"];\n");
    expect_line(text, "  \"gone\" [label=\"gone\", color=grey60, "
                      "fontcolor=grey60, fillcolor=white];\n");
    expect_line(text, "  \"hub\" -- \"a\\\"b\\\\\\\\\" "
                      "[label=\"mpls\\n12.3 ms ± 1.0, 0.01 %\", "
                      "color=\"#2e7d32\", fontcolor=\"#2e7d32\"];\n");
    expect_line(text, "[label=\"lte\\n0.0 ms ± 0.0, 0.50 %\", "
                      "color=\"#d35400\", fontcolor=\"#d35400\"];\n");
    expect_line(text, "  \"hub\" -- \"gone\" [label=\"x\\ndown\", "
                      "color=\"#c62828\", fontcolor=\"#c62828\", "
                      "style=dashed];\n");
    expect_line(text, "  \"gone\" -- \"hub\" [label=\"y\\nunknown\", "
                      "color=\"grey60\", fontcolor=\"grey60\", "
                      "style=dashed];\n");
    size_t lines = 0;
    for (const char *at = text; (at = strstr(at, " -- ")); at++)
        lines++;
    cr_expect_eq(lines, 4, "each pathway once");
    free(text);
}

/* A picture has room for few of many services. */
Test(router_topology, services_of_a_router)
{
    static const struct {
        int count;
        const char *label;
    } rows[] = {
        {0, "[label=\"r\"]"},
        {1, "[label=\"r\\ns 0\"]"},
        {5, "[label=\"r\\ns 0\\ns 1\\ns 2\\ns 3\\ns 4\"]"},
        {6, "[label=\"r\\ns 0\\ns 1\\ns 2\\ns 3\\nand 2 more\"]"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *list = json_array();
        for (int k = 0; k < rows[i].count; k++)
            json_array_append_new(
                list, json_pack("{s:s, s:i}", "name", "s", "sessions", k));
        json_t *data = json_pack("[{s:s, s:b, s:o}]", "router", "r", "heard", 1,
                                 "services", list);
        char *text = printed(topology_dot, data);
        expect_line(text, rows[i].label);
        free(text);
        json_decref(data);
    }
}

Test(router_topology, for_people)
{
    char *text = text_of(topology_print);

    expect_line(text, "hub     12 s ago  web 7\n");
    expect_line(text, "gone       never  -\n");
    expect_line(text, "mpls     up        12.3ms   1.0ms  0.01%\n");
    expect_line(text, "down");
    expect_line(text, "unknown");
    free(text);
}
