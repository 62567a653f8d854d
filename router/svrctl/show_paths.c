/* Pathways, for people. */
#include "show.h"

#include "cell.h"

#include <inttypes.h>
#include <string.h>

void svrctl_paths_init(struct table *t)
{
    static const char *const heads[] = {
        "PATHWAY",  "PEER",    "REMOTE", "STATE",  "SINCE",
        "VECTOR",   "LATENCY", "JITTER", "LOSS",   "MOS",
        "SESSIONS", "COST",    "MTU",    "LIMITS", "NOTES"};

    table_init(t, heads, 15, 1 << 4 | 0x7f << 6);
}

static bool is(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

/* Up, but not long enough for new sessions, is "held". */
static const char *state(const json_t *o, const struct cell *configured)
{
    return strcmp(configured->text, "Up") == 0 && !is(o, "ready")
               ? "held"
               : configured->text;
}

static void add_quality(struct table *t, const json_t *q)
{
    if (!json_is_object(q)) {
        for (int i = 0; i < 4; i++)
            table_add(t, "-");
        return;
    }
    table_add(t, "%.1fms", (double)cell_number(q, "latency_us") / 1e3);
    table_add(t, "%.1fms", (double)cell_number(q, "jitter_us") / 1e3);
    table_add(t, "%.2f%%", (double)cell_number(q, "loss_ppm") / 1e4);
    table_add(t, "%.2f", json_number_value(json_object_get(q, "mos")));
}

/* "14", or "14 of 200" where there is a limit. */
static void add_sessions(struct table *t, const json_t *o)
{
    if (json_is_integer(json_object_get(o, "capacity")))
        table_add(t, "%s of %s", cell_get(o, "sessions").text,
                  cell_get(o, "capacity").text);
    else
        table_add(t, "%s", cell_get(o, "sessions").text);
}

/* Which services it is too bad for. */
static void add_limits(struct table *t, const json_t *beyond)
{
    if (!json_is_array(beyond))
        table_add(t, "-");
    else if (json_array_size(beyond) == 0)
        table_add(t, "kept");
    else
        table_add(t, "beyond: %s", cell_join(beyond).text);
}

/* Before which end a NAT stands. */
static void note_nat(struct cell *notes, const json_t *nat)
{
    if (json_is_object(json_object_get(nat, "own")))
        cell_append(notes, "behind a NAT");
    if (json_is_object(json_object_get(nat, "peer")))
        cell_append(notes, "peer behind a NAT");
}

/* What is not as usual. */
static void add_notes(struct table *t, const json_t *o)
{
    uint64_t flaps = cell_number(o, "flaps");
    struct cell reason = cell_get(o, "reason");
    struct cell notes = {""}, note;

    if (strcmp(reason.text, "none") != 0)
        cell_append(&notes, reason.text);
    if (flaps > 0) {
        snprintf(note.text, sizeof note.text, "failed %" PRIu64 "x", flaps);
        cell_append(&notes, note.text);
    }
    note_nat(&notes, json_object_get(o, "nat"));
    if (is(o, "tcp_as_udp"))
        cell_append(&notes, "TCP as UDP");
    table_add(t, "%s", notes.text[0] != '\0' ? notes.text : "-");
}

static void add_path(struct table *t, const json_t *o)
{
    struct cell configured = cell_get(o, "state");

    table_add(t, "%s", cell_get(o, "name").text);
    table_add(t, "%s", cell_get(o, "peer").text);
    table_add(t, "%s", cell_get(o, "remote").text);
    table_add(t, "%s", state(o, &configured));
    table_add(t, "%s", cell_duration(cell_number(o, "since_s")).text);
    table_add(t, "%s", cell_get(o, "vector").text);
    add_quality(t, json_object_get(o, "quality"));
    add_sessions(t, o);
    table_add(t, "%s", cell_get(o, "cost").text);
    table_add(t, "%s", cell_get(o, "mtu").text);
    add_limits(t, json_object_get(o, "beyond"));
    add_notes(t, o);
}

void svrctl_paths_add(struct table *t, json_t *data)
{
    size_t i;
    json_t *o;

    json_array_foreach(data, i, o)
    {
        add_path(t, o);
    }
}
