/* What svrdump makes of frames and files that are cut, damaged or hostile. */
#include "svrdump_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Captures that keep the beginning of each packet only. */
Test(svrdump_hostile, cut_at_every_byte)
{
    uint8_t packet[FRAME_MAX];
    size_t len = make_forward_packet(packet, "hello");
    size_t block_end = len - strlen("hello");

    for (size_t n = 0; n <= len; n++) {
        json_t *frame = dump_one(packet, n, len);
        const char *expected = n < 28 + 8      ? "none"
                               : n < block_end ? "malformed"
                                               : "ok";
        cr_expect_str_eq(status_of(frame), expected, "%zu bytes", n);
        if (strcmp(expected, "malformed") == 0)
            cr_expect_str_eq(reason_of(frame), "truncated", "%zu bytes", n);
        if (strcmp(expected, "ok") == 0)
            cr_expect_eq(
                json_integer_value(json_object_get(frame, "payload_len")), 5);
        json_decref(frame);
    }
}

/* Names that would steer a terminal, refused by the codec or not. */
Test(svrdump_hostile, hostile_names)
{
    static const char *const names[] = {
        "\x1b[2J", "\x07",         "\r\n",          "\x7f",        "\xc2\x9b[m",
        "\xff",    "\xe2\x80\xae", "\"},{\"x\":\"", "\\x1b\\u001b"};
    static struct bytes file;

    for (size_t i = 0; i < 3 * COUNT(names); i++) {
        struct dump_options options = {
            .file = "test", .json = i % 3 == 0, .verbose = i % 3 == 1};
        const char *name = names[i / 3];
        svr_tuple t = waypoints();
        uint8_t block[PAYLOAD_MAX], packet[FRAME_MAX];
        size_t len = strlen(name);
        char *text;
        svr_block_write_bare(block);
        block[11] = (uint8_t)(4 + len);
        memcpy(block + 12, (uint8_t[4]){0, 7, 0, (uint8_t)len}, 4);
        memcpy(block + 16, name, len);
        len = make_packet(packet, &t, block, 16 + len);
        begin_capture(&file, 101);
        add_frame(&file, packet, len);
        text = dump(&file, &options);
        cr_expect(*text && is_printable(text), "name %zu: %s", i / 3, text);
        if (options.json) {
            json_t *frame = json_loads(text, 0, NULL);
            cr_expect(frame, "%s", text);
            json_decref(frame);
        }
        free(text);
    }
}

/* A file with an example of all that svrdump tells apart. */
static void make_mixed_capture(struct bytes *file, uint32_t datalink)
{
    static const char *const payloads[] = {
        COOKIE "100c0000" COOKIE,
        COOKIE "10140004 0010000400000007 deadbeef aabb",
        COOKIE "100c0016 00330007 0002 0161 026263 80060007 0101 0161 026263",
        COOKIE "1026000f 001a000a 100000052000000680070001000a00000001 0002"
               "6003 0004 0032000b 04010a010007e000005011",
        "aabb",
    };
    uint8_t frame[FRAME_MAX] = {[12] = 8};
    size_t link = datalink == 1 ? 14 : 0;

    begin_capture(file, datalink);
    add_frame(file, frame, link + make_forward_packet(frame + link, "hello"));
    for (size_t i = 0; i < COUNT(payloads); i++) {
        uint8_t payload[PAYLOAD_MAX];
        svr_tuple t = waypoints();
        size_t len = from_hex(payload, payloads[i]);
        t.proto = i % 2 ? SVR_PROTO_TCP : SVR_PROTO_UDP;
        len = make_packet(frame + link, &t, payload, len);
        add_frame(file, frame, link + len);
    }
}

Test(svrdump_hostile, mutated_files, .timeout = 300)
{
    static struct bytes original, file;
    unsigned printed = 0;

    freopen("/dev/null", "w", stderr);
    for (int i = 0; i < 5000; i++) {
        struct dump_options options = {
            .file = "test", .all = draw_below(2), .json = i % 2};
        char *text;
        options.verbose = !options.json;
        make_mixed_capture(&original, i % 3 ? 101 : 1);
        file = original;
        mutate(&file);
        text = dump(&file, &options);
        if (!text)
            continue;
        printed += *text != '\0';
        cr_assert(is_printable(text), "run %d: %s", i, text);
        if (options.json)
            check_json_lines(text);
        free(text);
    }
    cr_expect_gt(printed, 2500);
}
