/* svrdump on captures made here: its lines and its JSON. */
#include "svrdump_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(svrdump, lines)
{
    static struct bytes file;
    struct dump_options options = {.file = "test"};
    uint8_t packet[FRAME_MAX];
    size_t len = make_forward_packet(packet, "hello");
    char *text;

    setenv("TZ", "UTC", 1);
    begin_capture(&file, 101);
    add_frame(&file, packet, len);
    text = dump(&file, &options);
    cr_expect_str_eq(
        text,
        "22:13:20.123456 udp 203.0.113.1:16384 > 203.0.113.2:16385 svr forward "
        "tcp 10.1.0.7:40000 > 10.2.0.80:443 "
        "uuid 12345678-9abc-4def-8102-030405060708 tenant staff.corp "
        "service web from branch1 to dc1 pathway wan0-dc1 security-id 7 "
        "number 12 exchange 4294967297 echo 0 unechoed syn metadata 145 "
        "payload 5\n");
    free(text);
    options.verbose = true;
    text = dump(&file, &options);
    cr_expect(
        strstr(text, "\n    tenant (7, payload, 10 bytes): staff.corp\n"));
    cr_expect(strstr(text, "\n    tcp-syn (12, payload, 0 bytes): yes\n"));
    cr_expect(strstr(text, "\n    security-id (16, header, 4 bytes): 7\n"));
    free(text);
}

Test(svrdump, json)
{
    uint8_t packet[FRAME_MAX];
    size_t len = make_forward_packet(packet, "hello");
    json_t *frame = dump_one(packet, len, len);
    char *text = json_dumps(frame, JSON_COMPACT);

    cr_expect_str_eq(
        text,
        "{\"frame\":1,\"time\":\"1700000000.123456789\","
        "\"src\":\"203.0.113.1\",\"dst\":\"203.0.113.2\",\"sport\":16384,"
        "\"dport\":16385,\"proto\":\"udp\",\"length\":178,\"payload_len\":5,"
        "\"metadata\":{\"status\":\"ok\",\"version\":1,\"header_len\":53,"
        "\"payload_len\":92,\"tlvs\":["
        "{\"type\":16,\"name\":\"security-id\",\"section\":\"header\","
        "\"length\":4,\"value\":7},"
        "{\"type\":32769,\"name\":\"exchange-number\",\"section\":\"header\","
        "\"length\":17,\"value\":{\"own\":4294967297,\"echo\":0,"
        "\"unechoed\":true}},"
        "{\"type\":32770,\"name\":\"packet-number\",\"section\":\"header\","
        "\"length\":8,\"value\":12},"
        "{\"type\":2,\"name\":\"forward-context-ipv4\",\"section\":\"payload\","
        "\"length\":13,\"value\":{\"src\":\"10.1.0.7\",\"dst\":\"10.2.0.80\","
        "\"sport\":40000,\"dport\":443,\"proto\":\"tcp\"}},"
        "{\"type\":6,\"name\":\"session-uuid\",\"section\":\"payload\","
        "\"length\":16,\"value\":\"12345678-9abc-4def-8102-030405060708\"},"
        "{\"type\":7,\"name\":\"tenant\",\"section\":\"payload\",\"length\":10,"
        "\"value\":\"staff.corp\"},"
        "{\"type\":10,\"name\":\"service\",\"section\":\"payload\","
        "\"length\":3,\"value\":\"web\"},"
        "{\"type\":12,\"name\":\"tcp-syn\",\"section\":\"payload\","
        "\"length\":0,\"value\":true},"
        "{\"type\":14,\"name\":\"source-router\",\"section\":\"payload\","
        "\"length\":7,\"value\":\"branch1\"},"
        "{\"type\":17,\"name\":\"destination-router\",\"section\":\"payload\","
        "\"length\":3,\"value\":\"dc1\"},"
        "{\"type\":19,\"name\":\"pathway-id\",\"section\":\"payload\","
        "\"length\":8,\"value\":\"wan0-dc1\"}]},"
        "\"session\":{\"uuid\":\"12345678-9abc-4def-8102-030405060708\","
        "\"tenant\":\"staff.corp\",\"service\":\"web\",\"context\":"
        "{\"src\":\"10.1.0.7\",\"dst\":\"10.2.0.80\",\"sport\":40000,"
        "\"dport\":443,\"proto\":\"tcp\"},\"direction\":\"forward\"}}");
    free(text);
    json_decref(frame);
}

/* Parts of the line that a first packet does not have. */
Test(svrdump, parts_of_lines)
{
    static struct bytes file;
    static const struct {
        const char *hex, *text;
    } rows[] = {
        {COOKIE "100c0000 00", " svr false-positive metadata 12 payload 1\n"},
        {COOKIE "10140004 0010000400000007 deadbeef",
         " svr opaque security-id 7 metadata 24 payload 0\n"},
        {COOKIE "000c0000", " svr malformed: the version is not supported "
                            "payload 12\n"},
        {COOKIE "10110000 0018000101", " svr control keep-alive (1) "},
        {COOKIE "10110000 0018000102", " control enable-metadata (2) "},
        {COOKIE "10110000 0018000103", " control disable-metadata (3) "},
        {COOKIE "10110000 0018000106", " control delete-session (6) "},
        {COOKIE "10110000 0018000108", " control health-answer (8) "},
        {COOKIE "10110000 00180001ff", " control unknown (255) "},
        {COOKIE "10110000 002e000102", " health 2 "},
        {COOKIE "10100000 00120000", " disable-forward "},
        {COOKIE "100c0004 000b0000", " encrypted "},
        {COOKIE "10140000 00140004 0a010007", " icmp-error-at 10.1.0.7 "},
        {COOKIE "10140000 77770000 77780000", " unknown-attributes 2 "},
        {COOKIE "101a0000 0001000a 00000007 0002 2003 05b0",
         " piece 7 offset 24 more metadata 26 payload 0\n"},
        {COOKIE "101a0000 0001000a 00000007 0002 0003 05b0",
         " piece 7 offset 24 last metadata 26 payload 0\n"},
        {COOKIE "100c0011 0004000d 0a020050 0a010007 01bb 9c40 11",
         " svr reverse udp 10.2.0.80:443 > 10.1.0.7:40000 metadata 29 "},
        {COOKIE "100c0029 00050025 fd000001000000000000000000000007"
                "fd000002000000000000000000000050 01bb 9c40 11",
         " reverse udp [fd00:1::7]:443 > [fd00:2::50]:40000 "},
    };
    struct dump_options options = {.file = "test"};

    for (size_t k = 0; k < 2 * COUNT(rows); k++) {
        size_t i = k / 2;
        uint8_t payload[PAYLOAD_MAX], packet[FRAME_MAX];
        svr_tuple t = waypoints();
        t.proto = k % 2 ? SVR_PROTO_TCP : SVR_PROTO_UDP;
        size_t len = from_hex(payload, rows[i].hex);
        char *text;
        len = make_packet(packet, &t, payload, len);
        begin_capture(&file, 101);
        add_frame(&file, packet, len);
        text = dump(&file, &options);
        cr_expect(strstr(text, rows[i].text), "row %zu: %s", i, text);
        free(text);
    }
}

/* What stands behind the UDP or TCP header, and what it is taken for. */
Test(svrdump, what_a_payload_is)
{
    static const struct {
        const char *hex, *status, *reason;
        int payload_len;
    } rows[] = {
        {"00", "none", "", 1},
        {"4c48dbc6ddf667", "none", "", 7},
        {COOKIE, "malformed", "truncated", 8},
        {COOKIE "100c00", "malformed", "truncated", 11},
        {COOKIE "100c0000", "false-positive", "", 0},
        {COOKIE "100c0000" COOKIE, "false-positive", "", 8},
        {COOKIE "200c0000", "malformed", "version", 12},
        {COOKIE "100b0000", "malformed", "length", 12},
        {COOKIE "100d0000", "malformed", "length", 12},
        {COOKIE "10110000 0018000101 aabb", "ok", "", 2},
        {COOKIE "10140004 0010000400000007 000b0000 aabb", "ok", "", 2},
        {COOKIE "10140004 0010000400000007 deadbeef aabb", "opaque", "", 2},
        {COOKIE "10140004 0010000400000007 7777ffff", "opaque", "", 0},
        {COOKIE "10140004 0010000400000007 0007ffff", "malformed",
         "tlv_overrun", 0},
        {COOKIE "10140004 0010000400000007 00070000", "malformed", "tlv_length",
         0},
        {COOKIE "100c0004 deadbeef", "malformed", "tlv_overrun", 0},
        {COOKIE "100f0000 000000", "malformed", "tlv_overrun", 0},
        {COOKIE "10110000 0007000161", "malformed", "tlv_section", 0},
        {COOKIE "100c0005 000700010a", "malformed", "tlv_value", 0},
        {COOKIE "100c0008 000b0000 000b0000", "malformed", "tlv_duplicate", 0},
    };

    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        svr_tuple t = waypoints();
        uint8_t payload[PAYLOAD_MAX], packet[FRAME_MAX];
        size_t row = i / 2;
        size_t len = from_hex(payload, rows[row].hex);
        json_t *frame;
        t.proto = i % 2 ? SVR_PROTO_TCP : SVR_PROTO_UDP;
        len = make_packet(packet, &t, payload, len);
        frame = dump_one(packet, len, len);
        cr_expect_str_eq(status_of(frame), rows[row].status, "row %zu", row);
        cr_expect_str_eq(reason_of(frame), rows[row].reason, "row %zu", row);
        cr_expect_eq(json_integer_value(json_object_get(frame, "payload_len")),
                     rows[row].payload_len, "row %zu", row);
        json_decref(frame);
    }
}

/* Each attribute's value, in a block of its own. */
Test(svrdump, values)
{
    static const struct {
        const char *hex, *value;
    } header[] = {
        {"0001000a 00000001 0002 6003 0004",
         "{\"extended_id\":1,\"original_id\":2,\"dont_fragment\":true,"
         "\"more\":true,\"offset\":24,\"largest\":4}"},
        {"00140004 0a010007", "\"10.1.0.7\""},
        {"00150010 fd000001000000000000000000000007", "\"fd00:1::7\""},
        {"00180001 02", "2"},
        {"001a000a 10000005 20000006 8007",
         "{\"tx_colour\":1,\"tx_time\":5,\"rx_colour\":2,\"rx_time\":6,"
         "\"drop\":true,\"count\":7}"},
        {"002e0001 01", "1"},
        {"00120000", "true"},
        {"80020008 7fffffffffffffff", "9223372036854775807"},
        {"80020008 ffffffffffffffff", "\"18446744073709551615\""},
        {"80030004 00000009", "9"},
        {"7777 0002 0a1b", "{\"hex\":\"0a1b\"}"},
        {"7777 0000", "{\"hex\":\"\"}"},
    };
    static const struct {
        const char *hex, *value;
    } payload[] = {
        {"00030025 fd000001000000000000000000000007"
         "fd000002000000000000000000000050 9c40 01bb 2f",
         "{\"src\":\"fd00:1::7\",\"dst\":\"fd00:2::50\",\"sport\":40000,"
         "\"dport\":443,\"proto\":\"gre\"}"},
        {"0004000d 0a020050 0a010007 01bb 9c40 fe",
         "{\"src\":\"10.2.0.80\",\"dst\":\"10.1.0.7\",\"sport\":443,"
         "\"dport\":40000,\"proto\":\"254\"}"},
        {"00080004 01020304", "16909060"},
        {"000d0008 0000000000000005", "5"},
        {"000f0003 616263", "\"abc\""},
        {"00190004 0a020050", "\"10.2.0.80\""},
        {"001c0002 c102", "{\"f\":true,\"d\":true,\"sequence\":258}"},
        {"00230003 646e73", "\"dns\""},
        {"002a0004 0000076c", "1900"},
        {"002e0004 01020304", "null"},
        {"0032000b 04 01 0a010007 e0000050 11",
         "{\"source\":\"10.1.0.7\",\"group\":\"224.0.0.80\",\"flags\":1,"
         "\"proto\":\"udp\"}"},
        {"00330007 0002 0161 026263", "[\"a\",\"bc\"]"},
        {"80040011 000102030405060708090a0b0c0d0e0f01",
         "{\"hex\":\"000102030405060708090a0b0c0d0e0f01\"}"},
        {"80050001 74", "{\"hex\":\"74\"}"},
        {"80060007 01 01 0161 026263",
         "{\"passed\":[\"a\"],\"to_come\":[\"bc\"]}"},
        {"8006000c 01 00 0161 0000010000000007",
         "{\"passed\":[\"a\"],\"to_come\":[],\"versions\":[1099511627783]}"},
        {"80070001 2e", "46"},
        {"000b0000", "true"},
        {"0007000b 62c3bc726f205c22202e2e", "\"b\\u00FCro \\\\\\\" ..\""},
    };

    for (size_t i = 0; i < COUNT(header) + COUNT(payload); i++) {
        bool in_header = i < COUNT(header);
        size_t row = in_header ? i : i - COUNT(header);
        uint8_t block[PAYLOAD_MAX], packet[FRAME_MAX];
        svr_tuple t = waypoints();
        json_t *frame, *value;
        char *text;
        size_t len = from_hex(block + 12,
                              in_header ? header[row].hex : payload[row].hex);
        svr_block_write_bare(block);
        block[in_header ? 9 : 11] = (uint8_t)(len + (in_header ? 12 : 0));
        len = make_packet(packet, &t, block, 12 + len);
        frame = dump_one(packet, len, len);
        cr_expect_str_eq(status_of(frame), "ok", "row %zu", i);
        value = json_object_get(
            json_array_get(
                json_object_get(json_object_get(frame, "metadata"), "tlvs"), 0),
            "value");
        text = json_dumps(value,
                          JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        cr_expect_str_eq(
            text, in_header ? header[row].value : payload[row].value, "%zu", i);
        free(text);
        json_decref(frame);
    }
}

/* The same packet behind every link header. */
Test(svrdump, links)
{
    static struct bytes file;
    static const struct {
        uint32_t datalink;
        const char *hex;
        bool found;
    } rows[] = {
        {101, "", true},
        {228, "", true},
        {1, "020000000002 020000000001 0800", true},
        {1, "020000000002 020000000001 8100 0064 0800", true},
        {1, "020000000002 020000000001 88a8 0064 0800", true},
        {1, "020000000002 020000000001 8100 0064 8100 0065 0800", false},
        {1, "020000000002 020000000001 0806", false},
        {1, "020000000002 020000000001", false},
        {113, "0000 0001 0006 020000000001 0000 0800", true},
        {113, "0000 0001 0006 020000000001 0000 8100 0064 0800", true},
        {113, "0000 0001 0006 020000000001 0000 0806", false},
        {276, "0800 0000 00000002 0001 00 06 0200000000010000", true},
        {276, "0806 0000 00000002 0001 00 06 0200000000010000", false},
    };
    struct dump_options options = {.file = "test"};

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t frame[FRAME_MAX];
        size_t link = from_hex(frame, rows[i].hex);
        size_t len = make_forward_packet(frame + link, "hello");
        char *text;
        begin_capture(&file, rows[i].datalink);
        add_frame(&file, frame, link + len);
        text = dump(&file, &options);
        cr_expect_eq(!*text, !rows[i].found, "row %zu: %s", i, text);
        free(text);
    }
}

/* The integer's lowest byte first, or last. */
static void put_int(struct bytes *file, bool big, uint64_t v, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)(v >> 8 * (big ? len - 1 - i : i));
        put(file, &byte, 1);
    }
}

static void put_ints(struct bytes *file, bool big, const uint32_t *list,
                     size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_int(file, big, list[i], 4);
}

static void put_pcap(struct bytes *file, bool big, uint32_t magic,
                     uint32_t seconds, uint32_t fraction)
{
    uint8_t packet[FRAME_MAX];
    uint32_t len = (uint32_t)make_forward_packet(packet, "");
    const uint32_t begin[] = {0, 0, 65535, 101};
    const uint32_t record[] = {seconds, fraction, len, len};

    file->len = 0;
    put_int(file, big, magic, 4);
    put_int(file, big, 2, 2);
    put_int(file, big, 4, 2);
    put_ints(file, big, begin, COUNT(begin));
    put_ints(file, big, record, COUNT(record));
    put(file, packet, len);
}

/* Both byte orders, both resolutions, and times that only a file can have. */
Test(svrdump, kinds_of_pcap)
{
    static const struct {
        uint32_t magic, seconds, fraction;
        const char *time;
    } rows[] = {
        {0xa1b2c3d4, 1700000000, 123456, "1700000000.123456000"},
        {0xa1b23c4d, 1700000000, 123456789, "1700000000.123456789"},
        {0xa1b23c4d, 0xffffffff, 5, "4294967295.000000005"},
        {0xa1b23c4d, 0, 1999999999, "0.999999999"},
    };
    static struct bytes file;
    const struct dump_options options = {.file = "test", .json = true};

    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        json_t *list;
        put_pcap(&file, i % 2, rows[i / 2].magic, rows[i / 2].seconds,
                 rows[i / 2].fraction);
        list = dump_list(&file, &options);
        cr_expect_eq(json_array_size(list), 1, "row %zu", i / 2);
        cr_expect_str_eq(text_at(json_array_get(list, 0), "time"),
                         rows[i / 2].time);
        json_decref(list);
    }
}

static void put_block(struct bytes *file, uint32_t type,
                      const struct bytes *body)
{
    static const uint8_t pad[4];
    size_t padded = (body->len + 3) / 4 * 4;
    const uint32_t len = (uint32_t)padded + 12, begin[] = {type, len};

    put_ints(file, false, begin, 2);
    put(file, body->data, body->len);
    put(file, pad, padded - body->len);
    put_ints(file, false, &len, 1);
}

/* Interface 0 counts microseconds, interface 1 nanoseconds. */
Test(svrdump, pcapng_of_two_interfaces)
{
    static struct bytes file, body;
    static const uint32_t section[] = {0x1a2b3c4d, 1, ~0u, ~0u};
    static const uint32_t interface[] = {1, 65535, 9 | 1 << 16, 9, 0};
    const struct dump_options options = {.file = "test", .json = true};
    uint8_t frame[FRAME_MAX] = {[12] = 8};
    json_t *list;

    put_ints(&body, false, section, COUNT(section));
    put_block(&file, 0x0a0d0d0a, &body);
    for (size_t words = 2; words <= 5; words += 3) {
        body.len = 0;
        put_ints(&body, false, interface, words);
        put_block(&file, 1, &body);
    }
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t len = (uint32_t)(14 + make_forward_packet(frame + 14, ""));
        uint64_t time =
            i ? UINT64_C(1700000000123456789) : UINT64_C(1700000000123456);
        const uint32_t packet[] = {i, (uint32_t)(time >> 32), (uint32_t)time,
                                   len, len};
        body.len = 0;
        put_ints(&body, false, packet, COUNT(packet));
        put(&body, frame, len);
        put_block(&file, 6, &body);
    }
    list = dump_list(&file, &options);
    cr_assert_eq(json_array_size(list), 2);
    cr_expect_str_eq(text_at(json_array_get(list, 0), "time"),
                     "1700000000.123456000");
    cr_expect_str_eq(text_at(json_array_get(list, 1), "time"),
                     "1700000000.123456789");
    json_decref(list);
}

Test(svrdump, unsupported_link)
{
    static struct bytes file;
    struct dump_options options = {.file = "test"};
    char *text;

    freopen("/dev/null", "w", stderr);
    begin_capture(&file, 147);
    text = dump(&file, &options);
    cr_expect_str_eq(text, "");
    free(text);
}

/* Frames that are not SVR's appear with -a alone. */
Test(svrdump, frames_without_metadata)
{
    static const struct {
        const char *hex, *error;
    } rows[] = {
        {"", "not_ip"},
        {"00", "not_ip"},
        {"45", "not_ip"},
        {"4500001c00010000401100007f0000017f000001 0001000200080000",
         "checksum"},
        {"60000000000011 40", "not_ip"},
    };
    static struct bytes file;
    struct dump_options options = {.file = "test"};
    uint8_t packet[FRAME_MAX];
    char *text;

    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = from_hex(packet, rows[i].hex);
        json_t *frame = dump_one(packet, len, len);
        cr_expect(json_is_null(json_object_get(frame, "metadata")));
        cr_expect_str_eq(json_string_value(json_object_get(frame, "error")),
                         rows[i].error, "row %zu", i);
        json_decref(frame);
        begin_capture(&file, 101);
        add_frame(&file, packet, len);
        options.all = false;
        text = dump(&file, &options);
        cr_expect_str_eq(text, "");
        free(text);
        options.all = true;
        text = dump(&file, &options);
        cr_expect(*text && is_printable(text));
        free(text);
    }
}

Test(svrdump, count_and_filter)
{
    static struct bytes file;
    struct dump_options options = {.file = "test"};
    uint8_t packet[FRAME_MAX];
    char good[] = "udp port 16384", none[] = "tcp", wrong[] = "no such thing";
    const struct {
        unsigned long count;
        char *filter;
        size_t lines;
    } rows[] = {
        {0, NULL, 3}, {1, NULL, 1}, {2, good, 2},
        {9, good, 3}, {0, none, 0}, {0, wrong, 0},
    };

    freopen("/dev/null", "w", stderr);
    begin_capture(&file, 101);
    for (int i = 0; i < 3; i++)
        add_frame(&file, packet, make_forward_packet(packet, ""));
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text;
        options.count = rows[i].count;
        options.filter = rows[i].filter;
        text = dump(&file, &options);
        cr_expect_eq(count_lines(text), rows[i].lines, "row %zu: %s", i, text);
        free(text);
    }
}

/* Nothing is read that could not be printed any more. */
Test(svrdump, stops_where_output_fails)
{
    static struct bytes file;
    const struct dump_options options = {.file = "test"};
    FILE *out = fopen("/dev/full", "w");
    struct pcap_pkthdr *header;
    const uint8_t *bytes;
    uint8_t packet[FRAME_MAX];
    pcap_t *pcap;

    setvbuf(out, NULL, _IONBF, 0);
    begin_capture(&file, 101);
    for (int i = 0; i < 3; i++)
        add_frame(&file, packet, make_forward_packet(packet, ""));
    pcap = open_capture(&file);
    cr_expect_eq(dump_capture(pcap, &options, out), 0);
    cr_expect_eq(pcap_next_ex(pcap, &header, &bytes), 1, "frames are left");
    pcap_close(pcap);
    fclose(out);
}
