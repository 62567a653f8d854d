#include "prometheus.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <svr/node.h>

/* The parts of a line */

static void head(FILE *out, const char *name, const char *type,
                 const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void label(FILE *out, bool first, const char *name, const char *value)
{
    fprintf(out, "%s%s=\"", first ? "{" : ",", name);
    for (; value != NULL && *value != '\0'; value++) {
        if (*value == '\n')
            fputs("\\n", out);
        else if (*value == '"' || *value == '\\')
            fprintf(out, "\\%c", *value);
        else
            fputc(*value, out);
    }
    fputc('"', out);
}

static const char *text(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static void value(FILE *out, const json_t *number)
{
    fprintf(out, " %" JSON_INTEGER_FORMAT "\n", json_integer_value(number));
}

/* Counters of the node: those that are not named here have their own name. */
static const struct named {
    const char *key, *name, *help;
    bool gauge;
} node_names[] = {
    {"received", "svr_packets_received_total", "Packets that came in.", false},
    {"forwarded", "svr_packets_forwarded_total", "Packets sent on.", false},
    {"consumed", "svr_packets_consumed_total",
     "Packets that were for the router, or became several or a part of one.",
     false},
    {"held", "svr_packets_held", "Packets that wait for a neighbour.", true},
    {"originated", "svr_packets_originated_total",
     "Packets that the router itself has made.", false},
    {"originated_lost", "svr_packets_originated_lost_total",
     "Those of them that could not be sent.", false},
    {"cut", "svr_packets_cut_total", "TCP packets cut into segments.", false},
    {"split", "svr_packets_split_total", "Packets sent in pieces.", false},
    {"reassembled", "svr_packets_reassembled_total",
     "Packets put together from pieces.", false},
    {"reassembly_lost", "svr_packets_reassembly_lost_total",
     "Packets of which a piece did not come in time.", false},
    {"sessions_created", "svr_sessions_created_total",
     "Sessions that have begun.", false},
    {"sessions_ended", "svr_sessions_ended_total", "Sessions that have ended.",
     false},
    {"control_sent", "svr_control_sent_total", "Control packets sent.", false},
    {"control_received", "svr_control_received_total",
     "Authentic control packets received.", false},
    {"bfd_sent", "svr_bfd_sent_total", "BFD packets and probes sent.", false},
    {"bfd_received", "svr_bfd_received_total",
     "Authentic BFD packets and probes received.", false},
    {"aliases_refused", "svr_aliases_refused_total",
     "Times that there was no room for a further tuple of a session.", false},
    {"ports_exhausted", "svr_ports_exhausted_total",
     "Times that a pathway had no waypoint port left.", false},
    {"peer_restarts", "svr_peer_restarts_total", "Restarts of peers seen.",
     false},
    {"unknown_attributes", "svr_unknown_attributes_total",
     "Attributes skipped as unknown.", false},
    {"metadata_sent", "svr_metadata_sent_total", "Blocks of metadata sent.",
     false},
    {"metadata_received", "svr_metadata_received_total",
     "Authentic blocks of metadata received.", false},
};

static void print_node_counter(const char *key, const json_t *number, FILE *out)
{
    char other[128];
    struct named n = {key, other, key, false};

    snprintf(other, sizeof other, "svr_%s_total", key);
    for (size_t i = 0; i < sizeof node_names / sizeof node_names[0]; i++)
        if (strcmp(node_names[i].key, key) == 0)
            n = node_names[i];
    head(out, n.name, n.gauge ? "gauge" : "counter", n.help);
    fputs(n.name, out);
    value(out, number);
}

static void print_drops(json_t *dropped, FILE *out)
{
    static const char name[] = "svr_packets_dropped_total";
    const char *reason;
    json_t *number;

    head(out, name, "counter", "Packets dropped, each for one reason.");
    json_object_foreach(dropped, reason, number)
    {
        fputs(name, out);
        label(out, true, "reason", reason);
        fputc('}', out);
        value(out, number);
    }
}

static void print_exchange(json_t *exchange, FILE *out)
{
    static const char name[] = "svr_exchange_messages_total";
    const char *verdict;
    json_t *number;

    head(out, name, "counter",
         "Messages of the key exchange, by what became of them.");
    json_object_foreach(exchange, verdict, number)
    {
        fputs(name, out);
        label(out, true, "verdict", verdict);
        fputc('}', out);
        value(out, number);
    }
}

static void print_node(json_t *counters, FILE *out)
{
    const char *key;
    json_t *number;

    json_object_foreach(counters, key, number)
    {
        if (json_is_integer(number))
            print_node_counter(key, number, out);
    }
    print_drops(json_object_get(counters, "dropped"), out);
    print_exchange(json_object_get(counters, "exchange"), out);
}

/* Ports: the same counters of each interface, and of its neighbours. */

static bool is_gauge(const char *key)
{
    return strcmp(key, "known") == 0 || strcmp(key, "held") == 0;
}

static const json_t *part_of(const json_t *port, const char *part)
{
    return part != NULL ? json_object_get(port, part) : port;
}

/* One counter of all ports; part NULL: of the port itself. */
static void print_port_counter(json_t *ports, const char *part, const char *key,
                               FILE *out)
{
    const char *what = part != NULL ? part : "port";
    const char *end = is_gauge(key) ? "" : "_total";
    char name[128];
    const char *interface;
    json_t *port;

    snprintf(name, sizeof name, "svr_%s_%s%s", what, key, end);
    fprintf(out, "# HELP %s %s %s, of each interface.\n# TYPE %s %s\n", name,
            what, key, name, is_gauge(key) ? "gauge" : "counter");
    json_object_foreach(ports, interface, port)
    {
        const json_t *number = json_object_get(part_of(port, part), key);

        if (number == NULL)
            continue;
        fputs(name, out);
        label(out, true, "interface", interface);
        fputc('}', out);
        value(out, number);
    }
}

/* The first port that has the part names its counters. */
static void print_ports(json_t *ports, const char *part, FILE *out)
{
    const char *interface, *key;
    json_t *port, *number;
    json_t *names = NULL;

    json_object_foreach(ports, interface, port)
    {
        if (names == NULL)
            names = part != NULL ? json_object_get(port, part) : port;
    }
    json_object_foreach(names, key, number)
    {
        if (json_is_integer(number))
            print_port_counter(ports, part, key, out);
    }
}

/* Pathways */

/* A figure as a double; false where it is not known. */
typedef bool figure(const json_t *path, double *out);

static bool is_up(const json_t *path, double *out)
{
    const char *state = text(path, "state");

    *out = state != NULL && strcmp(state, svr_bfd_state_name(SVR_BFD_UP)) == 0;
    return true;
}

static bool is_ready(const json_t *path, double *out)
{
    *out = json_is_true(json_object_get(path, "ready"));
    return true;
}

static bool member(const json_t *o, const char *key, double unit, double *out)
{
    const json_t *number = json_object_get(o, key);

    *out = json_number_value(number) * unit;
    return json_is_number(number);
}

static bool measured(const json_t *path, const char *key, double unit,
                     double *out)
{
    return member(json_object_get(path, "quality"), key, unit, out);
}

static bool latency(const json_t *path, double *out)
{
    return measured(path, "latency_us", 1e-6, out);
}

static bool jitter(const json_t *path, double *out)
{
    return measured(path, "jitter_us", 1e-6, out);
}

static bool loss(const json_t *path, double *out)
{
    return measured(path, "loss_ppm", 1e-6, out);
}

static bool mos(const json_t *path, double *out)
{
    return measured(path, "mos", 1, out);
}

static bool flaps(const json_t *path, double *out)
{
    return member(path, "flaps", 1, out);
}

static bool mtu(const json_t *path, double *out)
{
    return member(path, "mtu", 1, out);
}

static bool sessions(const json_t *path, double *out)
{
    return member(path, "sessions", 1, out);
}

static const struct measure {
    const char *name, *type, *help;
    figure *get;
} measures[] = {
    {"svr_pathway_up", "gauge", "Whether sessions may use the pathway.", is_up},
    {"svr_pathway_ready", "gauge", "Whether new ones prefer it.", is_ready},
    {"svr_pathway_latency_seconds", "gauge", "Latency one way.", latency},
    {"svr_pathway_jitter_seconds", "gauge", "Jitter.", jitter},
    {"svr_pathway_loss_ratio", "gauge", "Share of packets lost.", loss},
    {"svr_pathway_mos", "gauge", "Mean opinion score, 1 to 4.4.", mos},
    {"svr_pathway_mtu_bytes", "gauge", "The largest IP packet that passes.",
     mtu},
    {"svr_pathway_sessions", "gauge", "Sessions that go along it.", sessions},
    {"svr_pathway_flaps_total", "counter", "How often it has failed.", flaps},
};

/* Keys that are exchanged */

static bool is_keyed(const json_t *key, double *out)
{
    *out = json_is_true(json_object_get(key, "keyed"));
    return true;
}

static bool is_overdue(const json_t *key, double *out)
{
    const char *state = text(key, "state");

    *out = state != NULL && strcmp(state, "overdue") == 0;
    return true;
}

static bool age(const json_t *key, double *out)
{
    return member(key, "age_s", 1, out);
}

static bool generation(const json_t *key, double *out)
{
    return member(key, "generation", 1, out);
}

static const struct measure key_measures[] = {
    {"svr_peer_keyed", "gauge", "Whether there are keys with the peer.",
     is_keyed},
    {"svr_peer_key_overdue", "gauge",
     "Whether it has not answered for an hour.", is_overdue},
    {"svr_peer_key_age_seconds", "gauge", "How old the keys in use are.", age},
    {"svr_peer_key_generation", "gauge", "Their number.", generation},
};

/* A label, and the member of what is measured that it shows. */
struct shown {
    const char *label, *member;
};

/* Of each in what, with labels that end with a NULL. */
static void print_measure(const struct measure *m, json_t *what,
                          const struct shown *labels, FILE *out)
{
    size_t i;
    json_t *each;
    double number;

    head(out, m->name, m->type, m->help);
    json_array_foreach(what, i, each)
    {
        if (!m->get(each, &number))
            continue;
        fputs(m->name, out);
        for (const struct shown *l = labels; l->label != NULL; l++)
            label(out, l == labels, l->label, text(each, l->member));
        fprintf(out, "} %.9g\n", number);
    }
}

/* The router */

static void print_gauge(const json_t *status, const char *key, const char *name,
                        const char *help, FILE *out)
{
    head(out, name, "gauge", help);
    fputs(name, out);
    value(out, json_object_get(status, key));
}

static void print_status(const json_t *status, FILE *out)
{
    const json_t *configuration = json_object_get(status, "configuration");

    head(out, "svr_router_info", "gauge", "Which router this is.");
    fputs("svr_router_info", out);
    label(out, true, "authority", text(status, "authority"));
    label(out, false, "router", text(status, "router"));
    label(out, false, "version", text(status, "version"));
    label(out, false, "configuration", text(configuration, "hash"));
    fputs("} 1\n", out);
    print_gauge(status, "uptime_s", "svr_uptime_seconds", "Since its start.",
                out);
    print_gauge(status, "sessions", "svr_sessions", "Sessions alive.", out);
    print_gauge(status, "session_limit", "svr_session_limit",
                "The most there can be.", out);
}

void prometheus_print(const json_t *status, json_t *counters, json_t *paths,
                      json_t *keys, FILE *out)
{
    static const struct shown path_labels[] = {{"pathway", "name"},
                                               {"peer", "peer"},
                                               {"interface", "interface"},
                                               {NULL, NULL}};
    static const struct shown key_labels[] = {{"peer", "peer"}, {NULL, NULL}};
    json_t *ports = json_object_get(counters, "ports");

    print_status(status, out);
    print_node(counters, out);
    print_ports(ports, NULL, out);
    print_ports(ports, "neighbours", out);
    for (size_t i = 0; i < sizeof measures / sizeof measures[0]; i++)
        print_measure(&measures[i], paths, path_labels, out);
    for (size_t i = 0; i < sizeof key_measures / sizeof key_measures[0]; i++)
        print_measure(&key_measures[i], keys, key_labels, out);
}
