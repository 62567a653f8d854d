/* Counters for Prometheus: the text format 0.0.4, and the same numbers as in
 * JSON. */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <jansson.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "svrctl/prometheus.h"

enum {
    METRICS = 256,
    SAMPLES = 1024,
};

/* A metric, as its HELP and TYPE lines say. */
struct metric {
    char name[128], type[16];
};

/* What was printed, line by line. */
struct page {
    struct metric metrics[METRICS];
    size_t metric_count;
    char *samples[SAMPLES]; /* whole lines */
    size_t sample_count;
};

static const char status[] =
    "{\"authority\": \"a\", \"router\": \"r\\\"1\\\\\", \"version\": \"1.0\","
    " \"uptime_s\": 12, \"sessions\": 34, \"session_limit\": 56,"
    " \"configuration\": {\"file\": \"/etc/f\", \"hash\": \"abc\"}}";

static const char counters[] =
    "{\"received\": 101, \"forwarded\": 102, \"consumed\": 103, \"held\": 104,"
    " \"originated\": 105, \"brand_new\": 106,"
    " \"aliases_refused\": 115,"
    " \"dropped\": {\"ttl\": 107, \"wrong-tag\": 108},"
    " \"exchange\": {\"accepted\": 116, \"stranger\": 117},"
    " \"ports\": {\"tun0\": {\"received_frames\": 109, \"transmit\": 110},"
    "            \"lan0\": {\"received_frames\": 111, \"transmit\": 112,"
    "            \"neighbours\": {\"known\": 113, \"asked\": 114}}}}";

static const char paths[] =
    "[{\"name\": \"p1\", \"peer\": \"x\", \"interface\": \"lan0\","
    "  \"state\": \"Up\", \"ready\": true, \"flaps\": 201, \"mtu\": 202,"
    "  \"sessions\": 203, \"quality\": {\"loss_ppm\": 2500,"
    "  \"latency_us\": 12345, \"jitter_us\": 7, \"mos\": 4.25}},"
    " {\"name\": \"p2\", \"peer\": \"x\", \"interface\": \"lan0\","
    "  \"state\": \"Down\", \"ready\": false, \"flaps\": 204, \"mtu\": 205,"
    "  \"sessions\": 206, \"quality\": null}]";

static const char keys[] =
    "[{\"peer\": \"x\", \"state\": \"keyed\", \"keyed\": true,"
    "  \"generation\": 301, \"age_s\": 302},"
    " {\"peer\": \"y\", \"state\": \"keying\", \"keyed\": false,"
    "  \"generation\": 0, \"age_s\": null},"
    " {\"peer\": \"z\", \"state\": \"overdue\", \"keyed\": false,"
    "  \"generation\": 0, \"age_s\": null}]";

static json_t *parse(const char *text)
{
    json_t *o = json_loads(text, 0, NULL);

    cr_assert_not_null(o);
    return o;
}

static char *print(void)
{
    json_t *s = parse(status), *c = parse(counters), *p = parse(paths);
    json_t *k = parse(keys);
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    prometheus_print(s, c, p, k, out);
    fclose(out);
    json_decref(s);
    json_decref(c);
    json_decref(p);
    json_decref(k);
    return text;
}

static bool matches(const char *line, const char *pattern)
{
    regex_t r;
    bool ok;

    cr_assert_eq(regcomp(&r, pattern, REG_EXTENDED | REG_NOSUB), 0);
    ok = regexec(&r, line, 0, NULL, 0) == 0;
    regfree(&r);
    return ok;
}

#define NAME "[a-zA-Z_:][a-zA-Z0-9_:]*"
#define LABEL "[a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\\\]|\\\\[\"\\\\n])*\""
#define NUMBER "-?[0-9]+(\\.[0-9]+)?(e[-+][0-9]+)?"

/* The name that a sample's line begins with is the last metric's. */
static bool belongs(const char *line, const struct metric *m)
{
    size_t len = strlen(m->name);

    return strncmp(line, m->name, len) == 0 &&
           (line[len] == '{' || line[len] == ' ');
}

static void take_sample(struct page *page, const char *line)
{
    size_t key = (size_t)(strrchr(line, ' ') - line);

    cr_assert(
        matches(line, "^" NAME "(\\{" LABEL "(," LABEL ")*\\})? " NUMBER "$"),
        "%s", line);
    cr_assert_gt(page->metric_count, 0);
    cr_assert(belongs(line, &page->metrics[page->metric_count - 1]), "%s",
              line);
    for (size_t i = 0; i < page->sample_count; i++)
        cr_assert(strncmp(page->samples[i], line, key + 1) != 0, "twice: %s",
                  line);
    page->samples[page->sample_count++] = strdup(line);
}

/* HELP, then TYPE, once for each metric; a counter's name says so. */
static void take_comment(struct page *page, const char *line)
{
    struct metric m;
    bool total;

    if (matches(line, "^# HELP " NAME " [^\\]+$")) {
        cr_assert_eq(sscanf(line, "# HELP %127s", m.name), 1);
        for (size_t i = 0; i < page->metric_count; i++)
            cr_assert_str_neq(page->metrics[i].name, m.name);
        m.type[0] = '\0';
        page->metrics[page->metric_count++] = m;
        return;
    }
    cr_assert(matches(line, "^# TYPE " NAME " (counter|gauge)$"), "%s", line);
    cr_assert_eq(sscanf(line, "# TYPE %127s %15s", m.name, m.type), 2);
    cr_assert_str_eq(m.name, page->metrics[page->metric_count - 1].name);
    total = strlen(m.name) > 6 &&
            strcmp(m.name + strlen(m.name) - 6, "_total") == 0;
    cr_assert_eq(strcmp(m.type, "counter") == 0, total, "%s", line);
    page->metrics[page->metric_count - 1] = m;
}

static struct page *read_page(void)
{
    struct page *page = calloc(1, sizeof *page);
    char *text = print();
    char *rest = text;
    char *line;

    cr_assert_eq(text[strlen(text) - 1], '\n');
    while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
        if (line[0] == '#')
            take_comment(page, line);
        else
            take_sample(page, line);
    }
    free(text);
    return page;
}

static void free_page(struct page *page)
{
    for (size_t i = 0; i < page->sample_count; i++)
        free(page->samples[i]);
    free(page);
}

static bool has(const struct page *page, const char *line)
{
    for (size_t i = 0; i < page->sample_count; i++)
        if (strcmp(page->samples[i], line) == 0)
            return true;
    return false;
}

Test(router_prometheus, follows_the_format)
{
    struct page *page = read_page();

    cr_assert_gt(page->metric_count, 20);
    cr_assert_gt(page->sample_count, 30);
    free_page(page);
}

/* Every integer of the counters is there once, by whatever name. */
static void expect_numbers(const struct page *page, const json_t *o)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)o, key, value)
    {
        char end[32];
        size_t found = 0;

        if (json_is_object(value))
            expect_numbers(page, value);
        if (!json_is_integer(value))
            continue;
        snprintf(end, sizeof end, " %" JSON_INTEGER_FORMAT,
                 json_integer_value(value));
        for (size_t i = 0; i < page->sample_count; i++)
            found += strcmp(strrchr(page->samples[i], ' '), end) == 0;
        cr_assert_eq(found, 1, "%s%s", key, end);
    }
}

Test(router_prometheus, has_every_counter)
{
    struct page *page = read_page();
    json_t *c = parse(counters);

    expect_numbers(page, c);
    json_decref(c);
    free_page(page);
}

Test(router_prometheus, lines)
{
    static const char *const lines[] = {
        "svr_router_info{authority=\"a\",router=\"r\\\"1\\\\\",version=\"1.0\","
        "configuration=\"abc\"} 1",
        "svr_packets_received_total 101",
        "svr_packets_held 104",
        "svr_brand_new_total 106",
        "svr_aliases_refused_total 115",
        "svr_packets_dropped_total{reason=\"wrong-tag\"} 108",
        "svr_port_transmit_total{interface=\"tun0\"} 110",
        "svr_neighbours_known{interface=\"lan0\"} 113",
        "svr_pathway_up{pathway=\"p1\",peer=\"x\",interface=\"lan0\"} 1",
        "svr_pathway_up{pathway=\"p2\",peer=\"x\",interface=\"lan0\"} 0",
        "svr_pathway_latency_seconds{pathway=\"p1\",peer=\"x\","
        "interface=\"lan0\"} 0.012345",
        "svr_pathway_jitter_seconds{pathway=\"p1\",peer=\"x\","
        "interface=\"lan0\"} 7e-06",
        "svr_pathway_loss_ratio{pathway=\"p1\",peer=\"x\",interface=\"lan0\"} "
        "0.0025",
        "svr_pathway_mos{pathway=\"p1\",peer=\"x\",interface=\"lan0\"} 4.25",
        "svr_pathway_sessions{pathway=\"p2\",peer=\"x\",interface=\"lan0\"} "
        "206",
        "svr_pathway_flaps_total{pathway=\"p2\",peer=\"x\","
        "interface=\"lan0\"} 204",
        "svr_exchange_messages_total{verdict=\"stranger\"} 117",
        "svr_peer_keyed{peer=\"x\"} 1",
        "svr_peer_keyed{peer=\"z\"} 0",
        "svr_peer_key_overdue{peer=\"y\"} 0",
        "svr_peer_key_overdue{peer=\"z\"} 1",
        "svr_peer_key_age_seconds{peer=\"x\"} 302",
        "svr_peer_key_generation{peer=\"x\"} 301",
    };
    struct page *page = read_page();

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        cr_expect(has(page, lines[i]), "%s", lines[i]);
    cr_expect_not(has(page, "svr_pathway_mos{pathway=\"p2\",peer=\"x\","
                            "interface=\"lan0\"} 0"),
                  "what is not known is not there");
    cr_expect_not(has(page, "svr_peer_key_age_seconds{peer=\"y\"} 0"));
    free_page(page);
}
