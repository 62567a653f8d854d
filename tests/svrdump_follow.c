/* svrdump and sessions: what it learns from metadata, and what it then says of
 * packets without. */
#include "svrdump/follow.h"
#include "svrdump_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct bytes file;

static void add_plain(svr_tuple t)
{
    uint8_t packet[FRAME_MAX];

    add_frame(&file, packet,
              make_packet(packet, &t, (const uint8_t *)"data", 4));
}

static void add_metadata(svr_tuple t, const svr_metadata *md)
{
    uint8_t packet[FRAME_MAX];

    add_frame(&file, packet, make_metadata_packet(packet, &t, md, "data"));
}

/* What the server's side answers to forward_metadata() (S6.5). */
static svr_metadata reverse_metadata(void)
{
    svr_metadata forward = forward_metadata(), md;

    svr_metadata_init(&md);
    md.present = SVR_HAS(REVERSE_CONTEXT_V4) | SVR_HAS(SESSION_UUID);
    md.reverse = svr_tuple_reverse(&forward.forward);
    md.uuid = forward.uuid;
    return md;
}

static json_t *list_all(void)
{
    const struct dump_options options = {
        .file = "test", .json = true, .all = true};

    return dump_list(&file, &options);
}

#define UUID "12345678-9abc-4def-8102-030405060708"

/* Plain packets of both directions, before and after metadata is seen. */
Test(svrdump_follow, lines)
{
    static const char *const expected[] = {
        "203.0.113.1:16384 > 203.0.113.2:16385 payload 4\n",
        " pathway wan0-dc1 security-id 7 number 12 exchange 4294967297 echo 0 "
        "unechoed syn metadata 145 payload 4\n",
        "203.0.113.1:16384 > 203.0.113.2:16385 session forward tcp "
        "10.1.0.7:40000 > 10.2.0.80:443 uuid " UUID " tenant staff.corp "
        "service web payload 4\n",
        " svr reverse tcp 10.2.0.80:443 > 10.1.0.7:40000 uuid " UUID
        " tenant staff.corp service web metadata 49 payload 4\n",
        "203.0.113.2:16385 > 203.0.113.1:16384 session reverse tcp "
        "10.1.0.7:40000 > 10.2.0.80:443 uuid " UUID " tenant staff.corp "
        "service web payload 4\n",
    };
    struct dump_options options = {.file = "test", .all = true};
    svr_metadata forward = forward_metadata(), reverse = reverse_metadata();
    svr_tuple there = waypoints(), back = svr_tuple_reverse(&there);
    char *text, *at;

    begin_capture(&file, 101);
    add_plain(there);
    add_metadata(there, &forward);
    add_plain(there);
    add_metadata(back, &reverse);
    add_plain(back);
    at = text = dump(&file, &options);
    for (size_t i = 0; i < COUNT(expected); i++) {
        at = strstr(at, expected[i]);
        cr_assert(at, "line %zu of\n%s", i, text);
        at += strlen(expected[i]);
    }
    cr_expect_str_eq(at, "");
    free(text);
    options.all = false;
    text = dump(&file, &options);
    cr_expect_eq(count_lines(text), 2, "without -a: %s", text);
    free(text);
}

/* A file that begins in the middle of a handshake. */
Test(svrdump_follow, reverse_metadata_alone)
{
    svr_metadata reverse = reverse_metadata();
    svr_tuple there = waypoints(), back = svr_tuple_reverse(&there);
    json_t *list, *session;
    char *text;

    begin_capture(&file, 101);
    add_metadata(back, &reverse);
    add_plain(there);
    list = list_all();
    session = json_object_get(json_array_get(list, 1), "session");
    text = json_dumps(session, JSON_COMPACT);
    cr_expect_str_eq(text,
                     "{\"uuid\":\"" UUID "\",\"context\":{\"src\":\"10.1.0.7\","
                     "\"dst\":\"10.2.0.80\",\"sport\":40000,\"dport\":443,"
                     "\"proto\":\"tcp\"},\"direction\":\"forward\"}");
    free(text);
    json_decref(list);
}

/* Waypoint ports are used again (S10), and the new session may be the other
 * side's. */
Test(svrdump_follow, flows_change_over)
{
    svr_metadata first = forward_metadata(), second = forward_metadata(),
                 third = reverse_metadata();
    svr_tuple there = waypoints(), back = svr_tuple_reverse(&there);
    json_t *list;

    second.uuid.b[15]++;
    second.tenant = span("guest");
    second.present &= ~SVR_HAS(SERVICE);
    third.uuid.b[15] += 2;
    begin_capture(&file, 101);
    add_metadata(there, &first);
    add_metadata(back, &second);
    add_plain(there);
    add_metadata(there, &third);
    add_plain(there);
    list = list_all();
    cr_expect_str_eq(text_at(json_array_get(list, 2), "session.uuid"),
                     "12345678-9abc-4def-8102-030405060709");
    cr_expect_str_eq(text_at(json_array_get(list, 2), "session.tenant"),
                     "guest");
    cr_expect_str_eq(text_at(json_array_get(list, 2), "session.service"), "");
    cr_expect_str_eq(text_at(json_array_get(list, 2), "session.direction"),
                     "reverse");
    cr_expect_str_eq(text_at(json_array_get(list, 4), "session.uuid"),
                     "12345678-9abc-4def-8102-03040506070a");
    cr_expect_str_eq(text_at(json_array_get(list, 4), "session.tenant"), "");
    cr_expect_str_eq(text_at(json_array_get(list, 4), "session.direction"),
                     "reverse");
    json_decref(list);
}

/* What has another tuple, and what is no session metadata (S2.7). */
Test(svrdump_follow, what_is_not_learned)
{
    svr_metadata md = forward_metadata(), control;
    svr_tuple t = waypoints();
    json_t *list;

    svr_metadata_init(&control);
    control.present = SVR_HAS(SESSION_UUID) | SVR_HAS(CONTROL);
    control.control = SVR_CONTROL_ENABLE_METADATA;
    begin_capture(&file, 101);
    add_metadata(t, &control);
    add_plain(t);
    md.present &= ~SVR_HAS(SESSION_UUID);
    add_metadata(t, &md);
    add_plain(t);
    md.present |= SVR_HAS(SESSION_UUID);
    add_metadata(t, &md);
    t.sport++;
    add_plain(t);
    t = waypoints();
    t.proto = SVR_PROTO_TCP;
    add_plain(t);
    t = waypoints();
    t.src.b[15]++;
    add_plain(t);
    list = list_all();
    cr_expect_eq(json_array_size(list), 8);
    for (size_t i = 0; i < json_array_size(list); i++)
        cr_expect_eq(json_object_get(json_array_get(list, i), "session") !=
                         NULL,
                     i == 4, "frame %zu", i);
    json_decref(list);
}

static struct dump_frame session_frame(uint32_t number, bool with_metadata)
{
    struct dump_frame f = {.is_ip = true, .tuple = waypoints()};

    f.tuple.src.b[12] = (uint8_t)(number >> 16);
    f.tuple.src.b[13] = (uint8_t)(number >> 8);
    f.tuple.src.b[14] = (uint8_t)number;
    if (with_metadata) {
        f.status = DUMP_OK;
        f.md = forward_metadata();
    }
    return f;
}

static bool is_followed(struct follow_table *t, uint32_t number)
{
    struct dump_frame f = session_frame(number, false);

    cr_assert(follow_frame(t, &f));
    return f.flow != NULL;
}

/* The oldest makes room, and only it. */
Test(svrdump_follow, table_is_bounded)
{
    struct follow_table *t = follow_new();

    cr_assert(t);
    for (uint32_t i = 0; i < FOLLOW_FLOWS + 2; i++) {
        struct dump_frame f = session_frame(i, true);
        cr_assert(follow_frame(t, &f));
        cr_assert_eq(is_followed(t, 0), i < FOLLOW_FLOWS);
    }
    cr_expect_not(is_followed(t, 1));
    for (uint32_t i = 2; i < FOLLOW_FLOWS + 2; i++)
        cr_assert(is_followed(t, i), "%u", i);
    follow_free(t);
}
