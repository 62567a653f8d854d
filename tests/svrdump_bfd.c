/* svrdump over BFD packets and the block behind them. */
#include "svrdump_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define BFD_UP "20f20318 00000007 00000009 000f4240 0007a120 00000001"
#define BFD_DOWN "21400318 00000007 00000000 000f4240 000f4240 00000000"

/* A packet to the port of BFD around a payload written in hex. */
static size_t make_bfd_packet(uint8_t *out, const char *hex)
{
    uint8_t payload[PAYLOAD_MAX];
    svr_tuple t = waypoints();
    size_t len = from_hex(payload, hex);

    t.sport = 50000;
    t.dport = SVR_BFD_PORT;
    return make_packet(out, &t, payload, len);
}

static const json_t *bfd_of(const json_t *frame)
{
    return json_object_get(frame, "bfd");
}

static const json_t *bfd_block_of(const json_t *frame)
{
    return json_object_get(bfd_of(frame), "block");
}

static void check_bfd_line(const char *hex, const char *expected)
{
    static struct bytes file;
    const struct dump_options options = {.file = "test"};
    uint8_t packet[FRAME_MAX];
    char *text;

    begin_capture(&file, 101);
    add_frame(&file, packet, make_bfd_packet(packet, hex));
    text = dump(&file, &options);
    cr_expect(strstr(text, expected), "%s: %s", expected, text);
    free(text);
}

Test(svrdump_bfd, lines)
{
    static const struct {
        const char *hex, *text;
    } rows[] = {
        {BFD_DOWN, "udp 203.0.113.1:50000 > 203.0.113.2:1280 "
                   "bfd Down diag detection-time-expired (1) my 7 your 0 "
                   "multiplier 3 tx 1000000 us rx 1000000 us payload 0\n"},
        {BFD_UP "aabb",
         " bfd Up diag none (0) my 7 your 9 poll final demand multiplier 3 "
         "tx 1000000 us rx 500000 us echo-rx 1 us payload 2\n"},
        {"3fc80318 00000007 00000009 00000000 00000000 00000000",
         " bfd Up diag reserved (31) my 7 your 9 independent multiplier 3 "},
        {BFD_UP COOKIE "100c0000 00",
         " echo-rx 1 us svr metadata 12 payload 1\n"},
        {BFD_UP COOKIE "104d0000 0010000400000007 80100003646331"
                       "8012000acb0071010500 00000000"
                       "80140010000000000000000c000000000000000b"
                       "801d0003616263 801c00050000000000",
         " echo-rx 1 us svr malformed: an attribute has a length that its type "
         "forbids metadata 77 "},
        {BFD_UP COOKIE "10480000 0010000400000007 80100003646331"
                       "80120006cb0071010500"
                       "80140010000000000000000c000000000000000b"
                       "801d0003616263 801c0004 00000000",
         " us svr security-id 7 router dc1 true-source-ipv4 addr 203.0.113.1, "
         "port "
         "1280 sequence-numbers own 12, peer 11 key-exchange 3 bytes padding 4 "
         "metadata 72 payload 0\n"},
        {BFD_UP COOKIE "10120000 777700020102",
         " us svr unknown 30583 2 bytes "},
        {BFD_UP COOKIE "10110000 0007000161",
         " svr malformed: an attribute stands in the wrong section metadata 17 "
         "payload 0\n"},
        {BFD_UP COOKIE "100c0004 801c0000", " svr malformed: a length "},
        {"40f20318" BFD_UP,
         ":1280 bfd malformed: the version is not supported payload 28\n"},
        {"20", " bfd malformed: the input ends too early payload 1\n"},
        {"", " bfd malformed: the input ends too early payload 0\n"},
        {"20f40318 00000007 00000009 000f4240 0007a120 00000001 0000",
         " bfd malformed: a length contradicts another or its limits "},
        {"20f4031a 00000007 00000009 000f4240 0007a120 00000001 0000",
         " bfd malformed: the input is valid but not supported payload 26\n"},
        {"20f20018 00000007 00000009 000f4240 0007a120 00000001",
         " bfd malformed: a field has a value that is forbidden payload 24\n"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        check_bfd_line(rows[i].hex, rows[i].text);
}

Test(svrdump_bfd, attributes_on_lines)
{
    static struct bytes file;
    const struct dump_options options = {.file = "test", .verbose = true};
    uint8_t packet[FRAME_MAX];
    char *text;

    begin_capture(&file, 101);
    add_frame(&file, packet,
              make_bfd_packet(packet, BFD_UP COOKIE
                              "101b0000 8010000464630031 801d0003616263"));
    text = dump(&file, &options);
    cr_expect(strstr(text, " svr malformed: an attribute has a value that its "
                           "type forbids "));
    cr_expect(strstr(text,
                     "\n    router (32784, header, 4 bytes): hex 64630031\n"
                     "    key-exchange (32797, header, 3 bytes): hex 616263\n"),
              "%s", text);
    free(text);
}

Test(svrdump_bfd, json)
{
    uint8_t packet[FRAME_MAX];
    size_t len = make_bfd_packet(packet, BFD_UP COOKIE
                                 "10170000 8010000364 6331 80190000 abcd");
    json_t *frame = dump_one(packet, len, len);
    char *text = json_dumps(bfd_of(frame), JSON_COMPACT);

    cr_expect_str_eq(
        text,
        "{\"status\":\"ok\",\"state\":\"Up\",\"diag\":0,\"diag_name\":\"none\","
        "\"poll\":true,\"final\":true,\"control_plane_independent\":false,"
        "\"demand\":true,\"multiplier\":3,\"my_discriminator\":7,"
        "\"your_discriminator\":9,\"desired_min_tx\":1000000,"
        "\"required_min_rx\":500000,\"required_min_echo_rx\":1,"
        "\"block\":{\"status\":\"malformed\",\"reason\":\"tlv_length\","
        "\"version\":1,\"header_len\":23,\"payload_len\":0,\"tlvs\":["
        "{\"type\":32784,\"name\":\"router\",\"section\":\"header\","
        "\"length\":3,\"value\":\"dc1\"},"
        "{\"type\":32793,\"name\":\"challenge-answer\",\"section\":\"header\","
        "\"length\":0,\"value\":{\"hex\":\"\"}}]}}");
    cr_expect_str_eq(status_of(frame), "none");
    cr_expect_eq(json_integer_value(json_object_get(frame, "payload_len")), 2);
    free(text);
    json_decref(frame);
}

/* What stands beside BFD keeps its form. */
Test(svrdump_bfd, json_is_for_bfd_alone)
{
    uint8_t packet[FRAME_MAX];
    svr_tuple t = waypoints();
    size_t len;
    json_t *frame;

    t.proto = SVR_PROTO_TCP;
    t.dport = SVR_BFD_PORT;
    len = make_packet(packet, &t, (const uint8_t *)"x", 1);
    frame = dump_one(packet, len, len);
    cr_expect(!bfd_of(frame));
    json_decref(frame);
    len = make_bfd_packet(packet, BFD_UP);
    frame = dump_one(packet, len, len);
    cr_expect(json_is_null(bfd_block_of(frame)));
    json_decref(frame);
    len = make_bfd_packet(packet, "40");
    frame = dump_one(packet, len, len);
    cr_expect_str_eq(text_at(bfd_of(frame), "status"), "malformed");
    cr_expect_str_eq(text_at(bfd_of(frame), "reason"), "truncated");
    cr_expect(json_is_null(bfd_block_of(frame)));
    json_decref(frame);
}

/* Every attribute's value. */
Test(svrdump_bfd, values)
{
    static const struct {
        const char *hex, *value;
    } rows[] = {
        {"00100004 ffffffff", "4294967295"},
        {"80100003 c3bc61", "\"\\u00FCa\""},
        {"80110004 00000003", "3"},
        {"80120006 cb007101 0500", "{\"addr\":\"203.0.113.1\",\"port\":1280}"},
        {"80130012 fd000001000000000000000000000007 0500",
         "{\"addr\":\"fd00:1::7\",\"port\":1280}"},
        {"80140010 0000000000000001 ffffffffffffffff",
         "{\"own\":1,\"peer\":\"18446744073709551615\"}"},
        {"80150018 0000000000000001 0000000000000002 0000000000000003",
         "{\"own\":1,\"peer\":2,\"held\":3}"},
        {"80160006 cb007102 ffff", "{\"addr\":\"203.0.113.2\",\"port\":65535}"},
        {"80170012 fd000001000000000000000000000008 0000",
         "{\"addr\":\"fd00:1::8\",\"port\":0}"},
        {"80180008 0102030405060708", "{\"hex\":\"0102030405060708\"}"},
        {"80190008 0807060504030201", "{\"hex\":\"0807060504030201\"}"},
        {"801a0004 4000 4001", "{\"local\":16384,\"remote\":16385}"},
        {"801b000a 0000000000000007 05dc", "{\"number\":7,\"size\":1500}"},
        {"801c0003 000000", "3"},
        {"801d0001 ff", "{\"hex\":\"ff\"}"},
        {"801e0001 fe", "{\"hex\":\"fe\"}"},
        {"801f0001 fd", "{\"hex\":\"fd\"}"},
        {"80200004 01020304",
         "{\"round\":1,\"kind\":2,\"heard-round\":3,\"heard\":4}"},
        {"80210004 ffffffff", "4294967295"},
        {"7777 0001 fc", "{\"hex\":\"fc\"}"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char hex[256];
        uint8_t tlv[64], packet[FRAME_MAX];
        json_t *frame;
        char *text;
        size_t len = from_hex(tlv, rows[i].hex);
        snprintf(hex, sizeof(hex), BFD_UP COOKIE "10%02x0000 %s",
                 (unsigned)(12 + len), rows[i].hex);
        len = make_bfd_packet(packet, hex);
        frame = dump_one(packet, len, len);
        cr_expect_str_eq(text_at(bfd_block_of(frame), "status"), "ok", "%zu",
                         i);
        text = json_dumps(
            json_object_get(
                json_array_get(json_object_get(bfd_block_of(frame), "tlvs"), 0),
                "value"),
            JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        cr_expect_str_eq(text, rows[i].value, "row %zu", i);
        free(text);
        json_decref(frame);
    }
}

/* Captures that keep the beginning of each packet only. */
Test(svrdump_bfd, cut_at_every_byte)
{
    uint8_t packet[FRAME_MAX];
    size_t len =
        make_bfd_packet(packet, BFD_UP COOKIE "10120000 801e000205dc abcd");

    for (size_t n = 28; n <= len; n++) {
        json_t *frame = dump_one(packet, n, len);
        const json_t *block = bfd_block_of(frame);
        bool whole = n >= 28 + SVR_BFD_SIZE;
        cr_expect_str_eq(text_at(bfd_of(frame), "status"),
                         whole ? "ok" : "malformed", "%zu bytes", n);
        cr_expect_str_eq(text_at(bfd_of(frame), "reason"),
                         whole ? "" : "truncated", "%zu bytes", n);
        cr_expect_str_eq(text_at(block, "status"),
                         n < 28 + SVR_BFD_SIZE + 8 ? ""
                         : n < len - 2             ? "malformed"
                                                   : "ok",
                         "%zu bytes", n);
        json_decref(frame);
    }
    len = make_bfd_packet(packet, "20f20319 00000007 00000009 000f4240"
                                  "0007a120 00000001 00");
    for (size_t n = 28 + 24; n <= len; n++) {
        json_t *frame = dump_one(packet, n, len);
        cr_expect_str_eq(text_at(bfd_of(frame), "reason"),
                         n < len ? "truncated" : "", "%zu bytes", n);
        json_decref(frame);
    }
}

Test(svrdump_bfd, mutated_files)
{
    static struct bytes original, file;
    uint8_t packet[FRAME_MAX];
    unsigned printed = 0;

    freopen("/dev/null", "w", stderr);
    begin_capture(&original, 101);
    add_frame(&original, packet,
              make_bfd_packet(
                  packet, BFD_UP COOKIE
                  "107b0000 0010000400000007 80100003646331 80110004 00000003"
                  "80120006cb0071010500 80160006cb0071020500"
                  "80140010000000000000000c000000000000000b"
                  "80180008 0102030405060708 801a0004 40004001"
                  "801b000a000000000000000805dc"
                  "801c0003000000 801d0003616263 abcd"));
    for (int i = 0; i < 3000; i++) {
        struct dump_options options = {
            .file = "test", .all = true, .json = i % 2};
        char *text;
        options.verbose = !options.json;
        file = original;
        mutate(&file);
        text = dump(&file, &options);
        if (!text)
            continue;
        printed += strstr(text, "bfd") != NULL;
        cr_assert(is_printable(text), "run %d: %s", i, text);
        if (options.json)
            check_json_lines(text);
        free(text);
    }
    cr_expect_gt(printed, 1000);
}
