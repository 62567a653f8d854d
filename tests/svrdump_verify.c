/* svrdump with keys, on what two routers send to each other. */
#include "node_net.h"
#include "svrdump/restore.h"
#include "svrdump/verify.h"
#include "svrdump_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Unix time where the routers' clocks begin, as node_net sets it. */
#define START 1700001000

static struct bytes file;

static struct verify_keys *keys_of(const svr_security_config *policy)
{
    struct verify_keys *keys = verify_keys_new();

    cr_assert(keys);
    cr_assert(verify_keys_add(keys, "dc", "branch", policy, false));
    return keys;
}

static json_t *list_with(struct verify_keys *keys)
{
    const struct dump_options options = {
        .file = "test", .json = true, .all = true, .keys = keys};

    return dump_list(&file, &options);
}

static void add_wire(struct frame *wire)
{
    add_frame_at(&file, START, wire->p.data, wire->p.len);
    frame_free(wire);
}

/* A capture of the WAN: two UDP packets and two TCP segments each way. */
static void capture_sessions(const struct net_options *o)
{
    struct net net;
    struct frame wire;

    net_open(&net, o);
    begin_capture(&file, 101);
    for (int i = 0; i < 2; i++) {
        forward_trip(&net, frame_udp(CLIENT, 50, SERVER, 53, NULL, 100), &wire);
        add_wire(&wire);
        reverse_trip(&net, frame_udp(SERVER, 53, CLIENT, 50, NULL, 100), &wire);
        add_wire(&wire);
    }
    forward_trip(&net,
                 frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_SYN, 1, 0, NULL, 0),
                 &wire);
    add_wire(&wire);
    reverse_trip(&net,
                 frame_tcp(SERVER, 80, CLIENT, 40, SVR_TCP_SYN | SVR_TCP_ACK, 9,
                           2, NULL, 0),
                 &wire);
    add_wire(&wire);
    forward_trip(
        &net, frame_tcp(CLIENT, 40, SERVER, 80, SVR_TCP_ACK, 2, 10, NULL, 100),
        &wire);
    add_wire(&wire);
    reverse_trip(
        &net, frame_tcp(SERVER, 80, CLIENT, 40, SVR_TCP_ACK, 10, 102, NULL, 0),
        &wire);
    add_wire(&wire);
    net_close(&net);
}

/* The handshake's packets come first in each direction. */
static const struct {
    bool plain;
    int payload_len;
} captured[] = {
    {false, 100}, {false, 100}, {true, 100}, {true, 100},
    {false, 0},   {false, 0},   {true, 100}, {true, 0},
};

static void check_sessions(const struct net_options *o, const char *plain_tag)
{
    svr_security_config policy = net_security(o);
    struct verify_keys *keys = keys_of(&policy);
    json_t *list;

    capture_sessions(o);
    list = list_with(keys);
    cr_assert_eq(json_array_size(list), COUNT(captured));
    for (size_t i = 0; i < COUNT(captured); i++) {
        json_t *frame = json_array_get(list, i);
        bool plain = captured[i].plain;
        cr_expect_str_eq(status_of(frame), plain ? "none" : "ok", "%zu", i);
        cr_expect_str_eq(text_at(frame, "metadata.tag"), plain ? "" : "ok",
                         "%zu", i);
        cr_expect_str_eq(text_at(frame, "session.tag"), plain ? plain_tag : "",
                         "%zu", i);
        cr_expect_str_eq(text_at(frame, "session.direction"),
                         i % 2 ? "reverse" : "forward");
        cr_expect_str_eq(text_at(frame, "session.tenant"), "staff.corp");
        cr_expect_str_eq(text_at(frame, "session.service"), "apps");
        cr_expect_eq(json_integer_value(json_object_get(frame, "payload_len")),
                     captured[i].payload_len, "%zu", i);
    }
    json_decref(list);
    verify_keys_free(keys);
}

/* Encrypted metadata is opened with the keys, and says nothing without;
 * sessions' keys are not shown. */
Test(svrdump_verify, encrypted_metadata)
{
    const struct net_options options = {.per_packet = true,
                                        .cipher = &svr_cipher_chacha20_poly1305,
                                        .encryption = SVR_ENCRYPT_ALWAYS};
    svr_security_config policy = net_security(&options);
    struct verify_keys *keys = keys_of(&policy);
    json_t *list, *frame;
    char *text;

    capture_sessions(&options);
    list = list_with(keys);
    for (size_t i = 0; i < 2; i++) {
        frame = json_array_get(list, i);
        cr_expect_str_eq(status_of(frame), "ok", "%zu", i);
        cr_expect_str_eq(text_at(frame, "metadata.tag"), "ok", "%zu", i);
        cr_expect(json_is_true(json_object_get(
                      json_object_get(frame, "metadata"), "encrypted")),
                  "%zu", i);
        cr_expect_str_eq(text_at(frame, "session.tenant"), "staff.corp", "%zu",
                         i);
    }
    text = json_dumps(list, 0);
    cr_expect_not_null(strstr(text, CLIENT));
    cr_expect_not_null(strstr(text, "session-encryption-key"));
    free(text);
    json_decref(list);
    verify_keys_free(keys);

    list = list_with(NULL);
    cr_expect_str_eq(status_of(json_array_get(list, 0)), "opaque");
    text = json_dumps(list, 0);
    cr_expect_null(strstr(text, CLIENT));
    free(text);
    json_decref(list);
}

/* The packets that hosts have sent in capture_sessions. */
static const struct {
    const char *src;
    uint16_t sport;
    uint8_t proto;
    size_t payload_len;
} restored[] = {
    {CLIENT, 50, SVR_PROTO_UDP, 100}, {SERVER, 53, SVR_PROTO_UDP, 100},
    {CLIENT, 50, SVR_PROTO_UDP, 100}, {SERVER, 53, SVR_PROTO_UDP, 100},
    {CLIENT, 40, SVR_PROTO_TCP, 0},   {SERVER, 80, SVR_PROTO_TCP, 0},
    {CLIENT, 40, SVR_PROTO_TCP, 100}, {SERVER, 80, SVR_PROTO_TCP, 0},
};

static void check_restored(const char *path, size_t row)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline(path, error);
    struct pcap_pkthdr *header;
    const uint8_t *bytes;
    size_t count = 0;

    cr_assert_not_null(pcap, "%s", error);
    for (; pcap_next_ex(pcap, &header, &bytes) == 1; count++) {
        svr_packet p = {.data = (uint8_t *)(uintptr_t)bytes,
                        .len = header->caplen};
        svr_addr src = addr(restored[count].src);
        svr_headers h;
        cr_assert_lt(count, COUNT(restored));
        cr_assert_eq(header->caplen, header->len);
        cr_assert_eq(header->ts.tv_sec, START);
        cr_assert_eq(svr_packet_parse(&h, &p), 0, "row %zu packet %zu", row,
                     count);
        cr_expect(svr_packet_checksum_ok(&p, &h), "row %zu packet %zu", row,
                  count);
        cr_expect(svr_addr_equal(&h.tuple.src, &src), "row %zu packet %zu", row,
                  count);
        cr_expect_eq(h.tuple.sport, restored[count].sport, "row %zu packet %zu",
                     row, count);
        cr_expect_eq(h.tuple.proto, restored[count].proto, "row %zu packet %zu",
                     row, count);
        cr_assert_eq(p.len - h.payload, restored[count].payload_len,
                     "row %zu packet %zu", row, count);
        for (size_t i = h.payload; i < p.len; i++)
            cr_assert_eq(bytes[i], (uint8_t)((i - h.payload) * 7 + 1),
                         "row %zu packet %zu", row, count);
    }
    cr_expect_eq(count, COUNT(restored));
    pcap_close(pcap);
}

/* Packets of hosts come out as they went in, whatever was done to them between
 * routers: clear, encrypted, masked, signed or not. */
Test(svrdump_verify, packets_of_hosts)
{
    static const svr_cipher *const ciphers[] = {
        NULL, &svr_cipher_chacha20_poly1305, &svr_cipher_aes_gcm_256};

    for (size_t row = 0; row < 4 * COUNT(ciphers); row++) {
        const svr_cipher *cipher = ciphers[row / 4];
        const struct net_options options = {
            .per_packet = row & 1,
            .masked = row & 2 ? NET_MASK_BRANCH | NET_MASK_DC : 0,
            .cipher = cipher,
            .encryption = cipher ? SVR_ENCRYPT_ALWAYS : SVR_ENCRYPT_NEVER,
        };
        char path[] = "/tmp/svrdump-test-XXXXXX";
        svr_security_config policy = net_security(&options);
        struct dump_options with = {.file = "test",
                                    .json = true,
                                    .all = true,
                                    .keys = keys_of(&policy)};
        if (cipher && !svr_cipher_find(NULL, cipher->name))
            continue; /* not on this machine */
        int fd = mkstemp(path);
        cr_assert_geq(fd, 0);
        close(fd);
        capture_sessions(&options);
        with.restore = restore_open(path);
        json_t *list = dump_list(&file, &with);
        cr_assert_eq(restore_close(with.restore), 0);
        check_restored(path, row);
        cr_expect_str_eq(text_at(json_array_get(list, 6), "payload_seal"),
                         cipher ? "opened" : "", "row %zu", row);
        json_decref(list);
        verify_keys_free(with.keys);
        unlink(path);
    }
}

/* Without the keys nothing is opened, and what was changed is not either. */
Test(svrdump_verify, sealed_payloads_stay_sealed)
{
    const struct net_options options = {.cipher = &svr_cipher_chacha20_poly1305,
                                        .encryption = SVR_ENCRYPT_ALWAYS};
    svr_security_config policy = net_security(&options);
    struct verify_keys *keys = keys_of(&policy);

    capture_sessions(&options);
    json_t *list = list_with(NULL);
    for (size_t i = 0; i < COUNT(captured); i++)
        cr_expect_str_eq(text_at(json_array_get(list, i), "payload_seal"), "");
    json_decref(list);
    list = list_with(keys);
    cr_expect_str_eq(text_at(json_array_get(list, 2), "payload_seal"),
                     "opened");
    cr_expect_eq(json_integer_value(
                     json_object_get(json_array_get(list, 2), "opened_len")),
                 100);
    json_decref(list);
    file.data[file.len - 60 - 30] ^= 1; /* in the last packet with payload */
    list = list_with(keys);
    cr_expect_str_eq(text_at(json_array_get(list, 6), "payload_seal"), "wrong");
    json_decref(list);
    verify_keys_free(keys);
}

Test(svrdump_verify, tags_of_routers_are_right)
{
    static const struct {
        struct net_options options;
        const char *plain_tag;
    } rows[] = {
        {{.per_packet = true}, "ok"},
        {{.per_packet = true, .regular = true}, "ok"},
        {{.per_packet = true, .v6_pathway = true}, "ok"},
        {{.per_packet = true, .unbound = true}, "ok"},
        {{.per_packet = true, .disabled = true}, ""},
        {{.per_packet = false}, ""},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        check_sessions(&rows[i].options, rows[i].plain_tag);
}

/* Records of the capture in memory. */
#define FILE_HEADER 24
#define RECORD_HEADER 16

static uint8_t *record_at(size_t number)
{
    uint8_t *at = file.data + FILE_HEADER;
    uint32_t len;

    for (; number > 0; number--) {
        memcpy(&len, at + 8, sizeof(len));
        at += RECORD_HEADER + len;
    }
    return at;
}

/* The tag of a frame of the capture, whichever member has it. */
static void expect_tag(struct verify_keys *keys, size_t number,
                       const char *expected, const char *what)
{
    json_t *list = list_with(keys), *frame = json_array_get(list, number);
    const char *path = captured[number].plain ? "session.tag" : "metadata.tag";

    cr_expect_str_eq(text_at(frame, path), expected, "%s, frame %zu", what,
                     number);
    json_decref(list);
}

/* A changed bit in what a tag covers, in frames of each kind. The offsets are
 * those of IPv4 and a TCP header without options. */
Test(svrdump_verify, changes_are_seen)
{
    static const struct net_options options = {.per_packet = true};
    static const struct {
        size_t frame, at;
        const char *tag, *what;
    } rows[] = {
        {0, 28 + 150, "wrong", "metadata"},
        {2, 28, "wrong", "payload"},
        {3, 28 + 99, "wrong", "end of the payload"},
        {3, 28 + 100, "wrong", "tag"},
        {3, 28 + 115, "wrong", "end of the tag"},
        {6, 20 + 7, "wrong", "sequence number"},
        {6, 20 + 11, "wrong", "acknowledgement number"},
        {6, 20 + 13, "wrong", "flags"},
        {6, 20 + 15, "wrong", "window"},
        {7, 40, "wrong", "tag alone"},
    };
    svr_security_config policy = net_security(&options);
    struct verify_keys *keys = keys_of(&policy);

    capture_sessions(&options);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t *at = record_at(rows[i].frame) + RECORD_HEADER + rows[i].at;
        *at ^= 1;
        expect_tag(keys, rows[i].frame, rows[i].tag, rows[i].what);
        *at ^= 1;
    }
    verify_keys_free(keys);
}

/* What the authority file says of the policy is what counts. */
Test(svrdump_verify, policies_differ)
{
    static const struct net_options options = {.per_packet = true};
    static const struct {
        enum svr_hmac_mode mode;
        bool bind_tcp, other_key;
        const char *udp, *tcp;
    } rows[] = {
        {SVR_HMAC_TIME_BASED, true, false, "ok", "ok"},
        {SVR_HMAC_TIME_BASED, false, false, "ok", "wrong"},
        {SVR_HMAC_REGULAR, true, false, "wrong", "wrong"},
        {SVR_HMAC_TIME_BASED, true, true, "no-key", "no-key"},
    };

    capture_sessions(&options);
    for (size_t i = 0; i < COUNT(rows); i++) {
        svr_security_config policy = net_security(&options);
        struct verify_keys *keys;
        policy.mode = rows[i].mode;
        policy.bind_tcp = rows[i].bind_tcp;
        policy.key[0] += rows[i].other_key;
        keys = keys_of(&policy);
        expect_tag(keys, 0, rows[i].udp, "UDP");
        expect_tag(keys, 4, rows[i].tcp, "TCP");
        verify_keys_free(keys);
    }
}

/* Two policies may share a key file, and thus a security id. */
Test(svrdump_verify, every_key_of_an_id_is_tried)
{
    static const struct net_options options = {.per_packet = true};
    svr_security_config policy = net_security(&options), other = policy;
    struct verify_keys *before, *behind;

    other.mode = SVR_HMAC_REGULAR;
    other.per_packet = false;
    before = keys_of(&other);
    cr_assert(verify_keys_add(before, "dc", "branch", &policy, false));
    behind = keys_of(&policy);
    cr_assert(verify_keys_add(behind, "dc", "branch", &other, false));
    capture_sessions(&options);
    for (size_t i = 0; i < COUNT(captured); i++) {
        expect_tag(before, i, "ok", "before");
        expect_tag(behind, i, "ok", "behind");
    }
    verify_keys_free(before);
    verify_keys_free(behind);
}

/* Time comes from the capture (S11.3): START begins a step of 2 s. */
Test(svrdump_verify, steps_of_time)
{
    static const struct net_options options = {.per_packet = true};
    static const struct {
        int shift;
        const char *tag;
    } rows[] = {
        {-3, "wrong"}, {-2, "ok"}, {0, "ok"}, {3, "ok"}, {4, "wrong"},
    };
    svr_security_config policy = net_security(&options);
    struct verify_keys *keys = keys_of(&policy);

    capture_sessions(&options);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t sec = (uint32_t)(START + rows[i].shift);
        memcpy(record_at(2), &sec, sizeof(sec));
        expect_tag(keys, 2, rows[i].tag, "shifted");
    }
    verify_keys_free(keys);
}

/* A capture that lacks the packet's last byte. */
Test(svrdump_verify, tag_is_not_captured)
{
    static const struct net_options options = {.per_packet = true};
    static uint8_t packet[FRAME_MAX];
    svr_security_config policy = net_security(&options);
    struct verify_keys *keys = keys_of(&policy);
    uint32_t len;

    capture_sessions(&options);
    memcpy(&len, record_at(0) + 8, sizeof(len));
    memcpy(packet, record_at(0) + RECORD_HEADER, len);
    begin_capture(&file, 101);
    add_cut_frame(&file, packet, len - 1, len);
    expect_tag(keys, 0, "not-captured", "cut");
    verify_keys_free(keys);
}

/* A plain packet of a session, shorter than a tag. */
Test(svrdump_verify, no_room_for_a_tag)
{
    static const struct net_options options = {.per_packet = true};
    svr_security_config policy = net_security(&options);
    struct verify_keys *keys = keys_of(&policy);
    const uint8_t *ip;
    uint8_t packet[FRAME_MAX];
    svr_tuple t = {.proto = SVR_PROTO_UDP};
    json_t *list, *frame;

    capture_sessions(&options);
    ip = record_at(2) + RECORD_HEADER;
    t.src = svr_addr_from_v4(ip + 12);
    t.dst = svr_addr_from_v4(ip + 16);
    t.sport = (uint16_t)(ip[20] << 8 | ip[21]);
    t.dport = (uint16_t)(ip[22] << 8 | ip[23]);
    add_frame_at(
        &file, START, packet,
        make_packet(packet, &t, (const uint8_t *)"fifteen bytes..", 15));
    list = list_with(keys);
    frame = json_array_get(list, COUNT(captured));
    cr_expect_str_eq(text_at(frame, "session.tag"), "wrong");
    cr_expect_eq(json_integer_value(json_object_get(frame, "payload_len")), 15);
    json_decref(list);
    verify_keys_free(keys);
}

/* A right tag that the base header counts as part of the attributes; routers
 * refuse it. */
Test(svrdump_verify, tag_within_the_metadata)
{
    static const struct net_options options = {.per_packet = true};
    static const svr_tag_scope scope = {.timed = true, .step = START / 2};
    svr_security_config policy = net_security(&options);
    struct verify_keys *keys = keys_of(&policy);
    uint8_t packet[FRAME_MAX], block[SVR_METADATA_MAX];
    svr_tuple t = waypoints();
    svr_direction_key key;
    svr_metadata md;
    svr_mac mac;
    size_t len;

    svr_direction_key_derive(&key, policy.key, "branch", "dc", 1);
    svr_metadata_init(&md);
    md.present = SVR_HAS(SECURITY_ID);
    md.security_id = key.security_id;
    len = (size_t)svr_metadata_encode(block, sizeof(block), &md);
    block[11] = 4 + 16;
    memcpy(block + len, "\x77\x77\0\x10", 4);
    len += 4;
    svr_mac_init(&mac, policy.hmac, key.key);
    svr_tag_write(&mac, (svr_span){block, len}, &scope, block + len);
    begin_capture(&file, 101);
    add_frame_at(&file, START, packet,
                 make_packet(packet, &t, block, len + 16));
    expect_tag(keys, 0, "wrong", "swallowed");
    verify_keys_free(keys);
}

/* Forged metadata does not take a flow over, where there are keys. */
Test(svrdump_verify, forged_metadata_teaches_nothing)
{
    static const struct net_options options = {.per_packet = true};
    svr_security_config policy = net_security(&options);
    struct verify_keys *keys = keys_of(&policy);
    json_t *list;

    capture_sessions(&options);
    *(record_at(0) + RECORD_HEADER + 28 + 150) ^= 1;
    *(record_at(1) + RECORD_HEADER + 28 + 100) ^= 1;
    list = list_with(keys);
    for (size_t i = 0; i < COUNT(captured); i++)
        cr_expect_eq(json_object_get(json_array_get(list, i), "session") !=
                         NULL,
                     i >= 4, "frame %zu", i);
    json_decref(list);
    list = list_with(NULL);
    for (size_t i = 0; i < COUNT(captured); i++) {
        json_t *frame = json_array_get(list, i);
        cr_expect(json_object_get(frame, "session"), "without keys, %zu", i);
        cr_expect_str_eq(text_at(frame, "metadata.tag"), "");
        cr_expect_str_eq(text_at(frame, "session.tag"), "");
    }
    json_decref(list);
    verify_keys_free(keys);
}

/* How lines for people tell it. */
Test(svrdump_verify, lines)
{
    static const struct net_options options = {.per_packet = true};
    svr_security_config policy = net_security(&options);
    struct dump_options dump_options = {.file = "test", .all = true};
    struct verify_keys *keys = keys_of(&policy);
    char *text;

    dump_options.keys = keys;
    capture_sessions(&options);
    *(record_at(3) + RECORD_HEADER + 28) ^= 1;
    text = dump(&file, &dump_options);
    cr_expect(strstr(text, " service apps tag ok payload 100\n"), "%s", text);
    cr_expect(strstr(text, " service apps TAG WRONG payload 100\n"), "%s",
              text);
    cr_expect(strstr(text, " tag ok metadata "), "%s", text);
    free(text);
    verify_keys_free(keys);
}

/* A BFD packet with a block that names the key of dc, and its tag. */
static size_t make_bfd(uint8_t *out, const svr_security_config *policy,
                       uint8_t change)
{
    static const char bfd[] = "20c00318 00000007 00000009 000f4240 000f4240 "
                              "00000000" COOKIE "10140000 00100004";
    svr_tuple t = waypoints();
    svr_direction_key key;
    uint8_t payload[PAYLOAD_MAX];
    size_t len = from_hex(payload, bfd);
    static const svr_tag_scope scope = {.timed = false}; /* S11.7 */
    svr_mac mac;

    svr_direction_key_derive(&key, policy->key, "dc", "branch", 1);
    for (int i = 24; i >= 0; i -= 8)
        payload[len++] = (uint8_t)(key.security_id >> i);
    svr_mac_init(&mac, policy->hmac, key.key);
    svr_tag_write(&mac, (svr_span){payload, len}, &scope, payload + len);
    svr_mac_wipe(&mac);
    payload[12] ^= change;
    t.dport = SVR_BFD_PORT;
    return make_packet(out, &t, payload, len + policy->hmac->tag_len);
}

static void check_bfd(const struct net_options *o, uint8_t change,
                      const char *tag)
{
    svr_security_config policy = net_security(o);
    struct verify_keys *keys = keys_of(&policy);
    uint8_t packet[FRAME_MAX];
    json_t *list, *frame;

    begin_capture(&file, 101);
    add_frame_at(&file, START, packet, make_bfd(packet, &policy, change));
    list = list_with(keys);
    frame = json_array_get(list, 0);
    cr_expect_str_eq(text_at(frame, "bfd.tag"), tag);
    cr_expect_str_eq(text_at(frame, "bfd.block.tag"), "");
    cr_expect_eq(json_integer_value(json_object_get(frame, "payload_len")), 0);
    json_decref(list);
    verify_keys_free(keys);
}

/* The tag covers all behind the UDP header. */
Test(svrdump_verify, bfd)
{
    check_bfd(&(struct net_options){0}, 0, "ok");
    check_bfd(&(struct net_options){.regular = true}, 0, "ok");
    check_bfd(&(struct net_options){0}, 1, "wrong");
}
