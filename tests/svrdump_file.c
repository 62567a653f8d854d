#include "svrdump_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 0x5356522d64756d70;

size_t draw_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state * 0x2545f4914f6cdd1d >> 16) % limit;
}

void put(struct bytes *b, const void *data, size_t len)
{
    cr_assert_leq(b->len + len, sizeof(b->data));
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

static void put_u32(struct bytes *b, uint32_t v)
{
    put(b, &v, sizeof(v));
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

size_t from_hex(uint8_t *buf, const char *hex)
{
    size_t digits = 0;

    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        buf[digits / 2] = (uint8_t)(buf[digits / 2] << 4 | hex_digit(*hex));
        digits++;
    }
    return digits / 2;
}

void begin_capture(struct bytes *file, uint32_t datalink)
{
    file->len = 0;
    put_u32(file, 0xa1b23c4d);
    put_u32(file, 4 << 16 | 2);
    put_u32(file, 0);
    put_u32(file, 0);
    put_u32(file, 65535);
    put_u32(file, datalink);
}

static void add_record(struct bytes *file, uint32_t sec, const uint8_t *frame,
                       size_t captured, size_t len)
{
    put_u32(file, sec);
    put_u32(file, 123456789);
    put_u32(file, (uint32_t)captured);
    put_u32(file, (uint32_t)len);
    put(file, frame, captured);
}

void add_cut_frame(struct bytes *file, const uint8_t *frame, size_t captured,
                   size_t len)
{
    add_record(file, 1700000000, frame, captured, len);
}

void add_frame_at(struct bytes *file, uint32_t sec, const uint8_t *frame,
                  size_t len)
{
    add_record(file, sec, frame, len, len);
}

void add_frame(struct bytes *file, const uint8_t *frame, size_t len)
{
    add_cut_frame(file, frame, len, len);
}

svr_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return svr_addr_from_v4((uint8_t[4]){a, b, c, d});
}

svr_tuple waypoints(void)
{
    return (svr_tuple){v4(203, 0, 113, 1), v4(203, 0, 113, 2), 16384, 16385,
                       SVR_PROTO_UDP};
}

size_t make_packet(uint8_t *out, const svr_tuple *t, const uint8_t *payload,
                   size_t len)
{
    static uint8_t buf[SVR_HEADROOM + PAYLOAD_MAX + SVR_TAILROOM];
    svr_packet p;

    cr_assert_eq(svr_packet_init(&p, buf, sizeof(buf), len), 0);
    memcpy(p.data, payload, len);
    if (t->proto == SVR_PROTO_TCP)
        cr_assert_eq(svr_tcp_wrap(&p, t, 1, 2), 0);
    else
        cr_assert_eq(svr_udp_wrap(&p, t), 0);
    memcpy(out, p.data, p.len);
    return p.len;
}

svr_span span(const char *text)
{
    return (svr_span){(const uint8_t *)text, strlen(text)};
}

svr_metadata forward_metadata(void)
{
    svr_metadata md;

    svr_metadata_init(&md);
    md.present = SVR_HAS(SECURITY_ID) | SVR_HAS(PACKET_NUMBER) |
                 SVR_HAS(EXCHANGE_NUMBER) | SVR_HAS(FORWARD_CONTEXT_V4) |
                 SVR_HAS(SESSION_UUID) | SVR_HAS(TENANT) | SVR_HAS(SERVICE) |
                 SVR_HAS(SOURCE_ROUTER) | SVR_HAS(DESTINATION_ROUTER) |
                 SVR_HAS(PATHWAY) | SVR_HAS(TCP_SYN);
    md.security_id = 7;
    md.packet_number = 12;
    md.exchange = (svr_exchange){UINT64_C(1) << 32 | 1, 0, true};
    md.forward = (svr_tuple){v4(10, 1, 0, 7), v4(10, 2, 0, 80), 40000, 443,
                             SVR_PROTO_TCP};
    memcpy(md.uuid.b, "\x12\x34\x56\x78\x9a\xbc\x4d\xef\x81\2\3\4\5\6\7\x8",
           16);
    md.tenant = span("staff.corp");
    md.service = span("web");
    md.source_router = span("branch1");
    md.destination_router = span("dc1");
    md.pathway = span("wan0-dc1");
    return md;
}

size_t make_metadata_packet(uint8_t *out, const svr_tuple *t,
                            const svr_metadata *md, const char *data)
{
    uint8_t payload[PAYLOAD_MAX];
    ptrdiff_t len = svr_metadata_encode(payload, sizeof(payload), md);

    cr_assert_gt(len, 0);
    memcpy(payload + len, data, strlen(data));
    return make_packet(out, t, payload, (size_t)len + strlen(data));
}

size_t make_forward_packet(uint8_t *out, const char *data)
{
    svr_metadata md = forward_metadata();
    svr_tuple t = waypoints();

    return make_metadata_packet(out, &t, &md, data);
}

pcap_t *open_capture(const struct bytes *file)
{
    char error[PCAP_ERRBUF_SIZE];
    FILE *in = fmemopen((void *)(uintptr_t)file->data, file->len, "r");
    pcap_t *pcap = pcap_fopen_offline_with_tstamp_precision(
        in, PCAP_TSTAMP_PRECISION_NANO, error);

    if (!pcap)
        fclose(in);
    return pcap;
}

char *dump(const struct bytes *file, const struct dump_options *options)
{
    char *text = NULL;
    size_t len;
    FILE *out;
    pcap_t *pcap = open_capture(file);

    if (!pcap)
        return NULL;
    out = open_memstream(&text, &len);
    dump_capture(pcap, options, out);
    pcap_close(pcap);
    fclose(out);
    cr_assert_eq(strlen(text), len);
    return text;
}

json_t *dump_list(const struct bytes *file, const struct dump_options *options)
{
    char *text = dump(file, options), *rest = NULL;
    json_t *list = json_array();

    for (char *line = strtok_r(text, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        json_t *frame = json_loads(line, 0, NULL);
        cr_assert(frame, "%s", line);
        json_array_append_new(list, frame);
    }
    free(text);
    return list;
}

json_t *dump_one(const uint8_t *packet, size_t captured, size_t len)
{
    static struct bytes file;
    const struct dump_options options = {
        .file = "test", .json = true, .all = true};
    json_t *list, *frame;

    begin_capture(&file, 101);
    add_cut_frame(&file, packet, captured, len);
    list = dump_list(&file, &options);
    cr_assert_eq(json_array_size(list), 1);
    frame = json_incref(json_array_get(list, 0));
    json_decref(list);
    return frame;
}

const char *text_at(const json_t *frame, const char *path)
{
    const char *text;

    while (strchr(path, '.')) {
        frame = json_object_getn(frame, path, strcspn(path, "."));
        path = strchr(path, '.') + 1;
    }
    text = json_string_value(json_object_get(frame, path));
    return text ? text : "";
}

const char *status_of(const json_t *frame)
{
    const json_t *metadata = json_object_get(frame, "metadata");

    return json_is_null(metadata)
               ? "none"
               : json_string_value(json_object_get(metadata, "status"));
}

const char *reason_of(const json_t *frame)
{
    return text_at(frame, "metadata.reason");
}

bool is_printable(const char *text)
{
    for (; *text; text++) {
        if (*text != '\n' && (*text < 0x20 || *text > 0x7e))
            return false;
    }
    return true;
}

size_t count_lines(const char *text)
{
    size_t lines = 0;

    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

void check_json_lines(char *text)
{
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *frame = json_loads(line, 0, NULL);
        cr_assert(frame, "%s", line);
        json_decref(frame);
    }
}

void mutate(struct bytes *file)
{
    for (size_t n = 1 + draw_below(6); n > 0; n--) {
        uint8_t *at = &file->data[draw_below(file->len)];
        if (draw_below(2))
            *at = (uint8_t)draw_below(256);
        else
            *at ^= (uint8_t)(1 << draw_below(8));
    }
    if (draw_below(8) == 0)
        file->len = 24 + draw_below(file->len - 24);
}
