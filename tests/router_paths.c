/* Pathways, and the ways to a service, for people. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "svrctl/show.h"

/* Each row is what the answer has beside these, and a part of what is shown. */
static const char base[] =
    "{\"name\": \"one\", \"peer\": \"dc\", \"remote\": \"192.0.2.2\","
    " \"state\": \"Up\", \"ready\": true, \"since_s\": 61, \"flaps\": 0,"
    " \"reason\": \"none\", \"mtu\": 1500, \"sessions\": 14, \"cost\": 3,"
    " \"vector\": \"mpls\", \"capacity\": null, \"beyond\": null,"
    " \"quality\": {\"loss_ppm\": 12345, \"latency_us\": 10250,"
    "  \"jitter_us\": 99, \"mos\": 4.25, \"by_traffic\": true},"
    " \"nat\": {\"own\": null, \"peer\": null}, \"tcp_as_udp\": false}";

static char *row_of(const char *members)
{
    json_t *o = json_loads(base, 0, NULL), *more = json_loads(members, 0, NULL);
    json_t *data = json_array();
    struct table t;
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    cr_assert(o != NULL && more != NULL);
    json_object_update(o, more);
    json_array_append_new(data, o);
    svrctl_paths_init(&t);
    svrctl_paths_add(&t, data);
    table_print(&t, out);
    table_free(&t);
    fclose(out);
    json_decref(more);
    json_decref(data);
    return text;
}

Test(router_paths, what_is_shown_of_a_pathway)
{
    static const struct {
        const char *members, *line;
    } rows[] = {
        {"{}", "one      dc    192.0.2.2  Up     00:01:01  mpls     10.2ms   "
               "0.1ms  1.23%  4.25        14     3  1500  -       -\n"},
        {"{\"state\": \"Down\", \"ready\": false}", "192.0.2.2  Down   "},
        {"{\"ready\": false}", "192.0.2.2  held   "},
        {"{\"quality\": null, \"vector\": null}",
         "00:01:01  -             -       -     -    -        14"},
        {"{\"capacity\": 200}", "  14 of 200  "},
        {"{\"beyond\": []}", "  kept    -\n"},
        {"{\"beyond\": [\"web\", \"calls\"]}", "  beyond: web, calls  -\n"},
        {"{\"flaps\": 2, \"reason\": \"detection-time-expired\"}",
         "  detection-time-expired, failed 2x\n"},
        {"{\"nat\": {\"own\": {}, \"peer\": {}}, \"tcp_as_udp\": true}",
         "  behind a NAT, peer behind a NAT, TCP as UDP\n"},
        {"{\"name\": \"\\u001b[2J\"}", "\\x1b[2J"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = row_of(rows[i].members);
        cr_expect_not_null(strstr(text, rows[i].line), "no\n%s\nin\n%s",
                           rows[i].line, text);
        free(text);
    }
}

/* Nobody asks for a service as a tenant. */
Test(router_paths, the_ways_to_a_service)
{
    json_t *data = json_pack("{s:s, s:s, s:n, s:n, s:[]}", "router", "branch",
                             "service", "web", "policy", "refused", "ways");
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    cr_assert_not_null(data);
    svrctl_print_explain(data, out);
    fclose(out);
    cr_expect_str_eq(text, "from branch to service web\n");
    free(text);
    json_decref(data);
}

/* Why each way is taken or not, where its pathway is up. */
Test(router_paths, why)
{
    static const struct {
        const char *members, *why;
    } rows[] = {
        {"{}", "comes behind in the file, or no way is known"},
        {"{\"rank\": \"good\", \"reason\": \"none\"}",
         "others are better, or equal"},
        {"{\"rank\": \"poor\", \"reason\": \"latency\","
         " \"reason_text\": \"its latency is too long\"}",
         "its latency is too long"},
        {"{\"rank\": \"good\", \"reason\": \"none\", \"passed_over\":"
         " {\"reason\": \"not-sealed\", \"text\": \"it is clear\"}}",
         "it is clear"},
        {"{\"rank\": \"good\", \"reason\": \"none\","
         " \"passed_over\": null, \"full\": true}",
         "it has all the sessions it should"},
        {"{\"state\": \"down\"}", "a pathway is down"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *way = json_loads("{\"pathway\": \"one\", \"peer\": \"dc\","
                                 " \"state\": \"up\"}",
                                 0, NULL);
        json_t *more = json_loads(rows[i].members, 0, NULL);
        json_t *data = json_pack("{s:s, s:s, s:n, s:n, s:n, s:[o]}", "router",
                                 "branch", "service", "web", "policy",
                                 "refused", "choice", "ways", way);
        char *text;
        size_t len;
        FILE *out = open_memstream(&text, &len);

        cr_assert(data != NULL && more != NULL);
        json_object_update(way, more);
        svrctl_print_explain(data, out);
        fclose(out);
        cr_expect_not_null(strstr(text, rows[i].why), "no %s in\n%s",
                           rows[i].why, text);
        free(text);
        json_decref(more);
        json_decref(data);
    }
}
