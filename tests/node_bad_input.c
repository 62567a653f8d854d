/*
 * S24 as a table: for each kind of bad input the counted reason, that nothing
 * is kept of it, that the session which runs does not notice, and that nobody
 * is answered but where S24 says so.
 */
#include "base/bytes.h"
#include "base/text.h"
#include "node/node.h"
#include "node_forge.h"

#include <criterion/criterion.h>
#include <string.h>

/* Of an empty router, for a new session; how it becomes bad, and what for. */
struct row {
    const char *text;
    enum svr_drop reason;
    bool answered;                        /* with control 6 (S6.10) */
    void (*metadata)(svr_metadata *);     /* before it is signed */
    void (*bytes)(uint8_t *md, size_t n); /* after it: the tag is wrong then */
    bool resign;                          /* no: it is signed anew */
    struct net_options options;
    const char *source; /* another one than branch's waypoint */
};

static void version_2(uint8_t *md, size_t n)
{
    (void)n;
    md[8] = (uint8_t)(0x20 | (md[8] & 15));
}

static void header_of_11(uint8_t *md, size_t n)
{
    (void)n;
    md[8] = 0x10;
    md[9] = 11;
}

static void header_too_long(uint8_t *md, size_t n)
{
    (void)n;
    md[8] = 0x1f;
    md[9] = 0xff;
}

static void payload_too_long(uint8_t *md, size_t n)
{
    (void)n;
    md[10] = md[11] = 0xff;
}

/* The first attribute of the header section, and the last of the payload's. */
static void attribute_of_header_overruns(uint8_t *md, size_t n)
{
    (void)n;
    svr__store_be16(md + SVR_BASE_HEADER_SIZE + 2, 2000);
}

static void attribute_of_payload_overruns(uint8_t *md, size_t n)
{
    (void)n;
    size_t at = svr__load_be16(md + 8) & 0xfff;
    svr__store_be16(md + at + 2, 2000);
}

static void other_key_id(uint8_t *md, size_t n)
{
    (void)n;
    md[SVR_BASE_HEADER_SIZE + 4] ^= 1;
}

static void flip_tag(uint8_t *md, size_t n)
{
    md[n - 1] ^= 1;
}

static void flip_payload(uint8_t *md, size_t n)
{
    md[n - 17] ^= 1;
}

static void no_tag(uint8_t *md, size_t n)
{
    memset(md + n - 16, 0, 16);
}

static void no_uuid(svr_metadata *md)
{
    md->present &= ~SVR_HAS(SESSION_UUID);
}

static void no_number(svr_metadata *md)
{
    md->present &= ~SVR_HAS(PACKET_NUMBER);
}

static void number_of_before(svr_metadata *md)
{
    md->packet_number = 5; /* that of the session that runs */
}

static void other_signer(svr_metadata *md)
{
    md->source_router = svr__text("hub");
}

static void contradiction(svr_metadata *md)
{
    md->uuid.b[0] = 1; /* the session that runs, with another context */
}

static void guest(svr_metadata *md)
{
    md->tenant = svr__text("guest");
}

static void unknown_service(svr_metadata *md)
{
    md->service = svr__text("unknown");
}

static void control_delete(svr_metadata *md)
{
    svr_metadata_init(md);
    md->present = SVR_HAS(SECURITY_ID) | SVR_HAS(PACKET_NUMBER) |
                  SVR_HAS(CONTROL) | SVR_HAS(SESSION_UUID);
    md->packet_number = 1000;
    md->uuid.b[0] = 9;
    md->control = SVR_CONTROL_DELETE_SESSION;
}

static void control_unknown(svr_metadata *md)
{
    control_delete(md);
    md->control = 7;
}

static const struct row rows[] = {
    {"the control: nothing is wrong", SVR_DROP_NONE, .metadata = NULL},

    /* truncated, inconsistent or overlong block, TLV or header */
    {"version 2", SVR_DROP_MD_VERSION, .bytes = version_2},
    {"header length 11", SVR_DROP_MD_LENGTH, .bytes = header_of_11},
    {"header length 4095", SVR_DROP_MD_LENGTH, .bytes = header_too_long},
    {"payload length 65535", SVR_DROP_MD_LENGTH, .bytes = payload_too_long},
    {"an attribute runs out of the header section", SVR_DROP_MD_TLV,
     .bytes = attribute_of_header_overruns, .resign = true},
    {"an attribute runs out of the payload section", SVR_DROP_MD_TLV,
     .bytes = attribute_of_payload_overruns, .resign = true},
    {"no UUID", SVR_DROP_MD_INCOMPLETE, .metadata = no_uuid},
    {"no packet number", SVR_DROP_MD_INCOMPLETE, .metadata = no_number},

    /* wrong tag, old time step, replay, unknown generation, not the signer */
    {"a bit of the tag", SVR_DROP_TAG, .bytes = flip_tag},
    {"a bit of the payload", SVR_DROP_TAG, .bytes = flip_payload},
    {"no tag", SVR_DROP_TAG, .bytes = no_tag},
    {"signed for no time", SVR_DROP_TAG, .options = {.peer_rate = 100}},
    {"a number of before", SVR_DROP_REPLAY, .metadata = number_of_before},
    {"an unknown key", SVR_DROP_KEY, .bytes = other_key_id, .resign = true},
    {"another router's name", SVR_DROP_SIGNER, .metadata = other_signer},

    /* unknown source on a waypoint port */
    {"from nobody's waypoint", SVR_DROP_UNKNOWN_SOURCE,
     .source = "203.0.113.9"},

    /* metadata of a session that contradicts its state */
    {"another context", SVR_DROP_MD_CONFLICT, .metadata = contradiction},

    /* control or health packet for no session */
    {"delete no session", SVR_DROP_CONTROL_NO_SESSION,
     .metadata = control_delete},
    {"an unknown control message for none", SVR_DROP_CONTROL_NO_SESSION,
     .metadata = control_unknown},

    /* authentic metadata that policy refuses */
    {"access denied", SVR_DROP_ACCESS, true, .metadata = guest},
    {"unknown service", SVR_DROP_MD_SERVICE, true, .metadata = unknown_service},

    /* tables full, floods */
    {"no place for a session", SVR_DROP_SESSIONS_FULL, true,
     .options = {.regular = true, .sessions = 1}},
    {"all sessions of the peer", SVR_DROP_PEER_SESSIONS, true,
     .options = {.regular = true, .peer_sessions = 1}},
    {"all sessions of the tenant", SVR_DROP_TENANT_SESSIONS, true,
     .options = {.regular = true, .tenant_sessions = 1}},
    {"too many a second of the peer", SVR_DROP_PEER_RATE, true,
     .options = {.regular = true, .peer_rate = 1}},
    {"too many a second of the tenant", SVR_DROP_TENANT_RATE, true,
     .options = {.regular = true, .tenant_rate = 1}},
};

/* S11.1, in the mode regular, over UDP. */
static void sign_anew(uint8_t *bytes, size_t n)
{
    uint8_t shared[SVR_KEY_SIZE];
    svr_direction_key key;
    svr_mac mac;

    memset(shared, 0x42, sizeof(shared));
    svr_direction_key_derive(&key, shared, "branch", "dc", 1);
    cr_assert_eq(svr_mac_init(&mac, &svr_hmac_sha256_128, key.key), 0);
    cr_assert_eq(
        svr_mac_sign(&mac, &(svr_span){bytes, n - 16}, 1, bytes + n - 16), 0);
    svr_mac_wipe(&mac);
}

static struct frame make_bad(const struct row *r)
{
    svr_metadata md = forge_metadata();
    svr_tuple t = {addr(r->source ? r->source : "203.0.113.1"),
                   addr("203.0.113.2"), 20010, 20001, SVR_PROTO_UDP};

    md.packet_number = 1000;
    md.uuid.b[0] = 2;
    md.forward.sport = 51;
    if (r->metadata)
        r->metadata(&md);
    struct frame f = forge_signed("branch", "dc", &md, &t);
    svr_headers h = frame_headers(&f);
    uint8_t *bytes = f.p.data + h.payload;
    if (r->bytes)
        r->bytes(bytes, f.p.len - h.payload);
    if (r->resign)
        sign_anew(bytes, f.p.len - h.payload);
    svr_packet_checksum_write(&f.p, &h);
    return f;
}

/* A session of before, which must not notice. */
static void open_good(struct net *net, bool timed)
{
    svr_metadata md = forge_metadata();

    md.packet_number = 5;
    if (timed)
        return;
    struct frame f = forge_from_branch(&md, 20000, SVR_PROTO_UDP);
    cr_assert_eq(net_input(net, net->dc, &f, NET_WAN), SVR_DROP_NONE);
    frame_free(&f);
}

static void expect_good(struct net *net, const char *text)
{
    struct frame f = frame_udp(SERVER, 9, CLIENT, 50, NULL, 9);

    cr_assert_eq(net_input(net, net->dc, &f, NET_LAN), SVR_DROP_NONE, "%s",
                 text);
    cr_assert_eq(frame_headers(&net->out[0]).tuple.dport, 20000, "%s", text);
    frame_free(&f);
}

static void expect_answer(struct net *net, const struct row *r)
{
    cr_assert_eq(net->out_count, r->answered, "%s: %zu", r->text,
                 net->out_count);
    if (r->answered)
        cr_assert_eq(frame_metadata(&net->out[0]).control,
                     SVR_CONTROL_DELETE_SESSION, "%s", r->text);
}

static void check_row(const struct row *r)
{
    bool timed = r->reason == SVR_DROP_TAG && r->options.peer_rate;
    struct net_options options = r->options;
    struct net net;

    options.regular = !timed;
    net_open(&net, &options);
    open_good(&net, timed);
    size_t before = svr_node_session_count(net.dc);
    struct frame f = make_bad(r);
    enum svr_drop got = net_input(&net, net.dc, &f, NET_WAN);
    cr_assert_eq(got, r->reason, "%s: %s", r->text, svr_drop_name(got));
    if (got == SVR_DROP_NONE) {
        cr_assert_eq(svr_node_session_count(net.dc), before + 1);
    } else {
        cr_assert_eq(net_dropped(net.dc, got), 1, "%s", r->text);
        cr_assert_eq(svr_node_session_count(net.dc), before, "%s", r->text);
        expect_answer(&net, r);
    }
    if (!timed)
        expect_good(&net, r->text);
    frame_free(&f);
    net_close(&net);
}

Test(node_bad_input, table)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_row(&rows[i]);
}

/* Ports are the client's router's to choose. */
Test(node_bad_input, no_port_is_left)
{
    struct net net;

    net_open(&net, &(struct net_options){.ports = {20000, 20001}});
    for (uint16_t i = 0; i < 2; i++) {
        struct frame f =
            frame_udp(CLIENT, (uint16_t)(50 + i), SERVER, 9, NULL, 9);
        cr_assert_eq(net_input(&net, net.branch, &f, NET_LAN),
                     i ? SVR_DROP_PORTS : SVR_DROP_NONE);
        frame_free(&f);
    }
    cr_assert_eq(svr_node_session_count(net.branch), 1);
    net_close(&net);
}

/* A configuration with an error: a running router keeps its old one. */
Test(node_bad_input, configuration)
{
    struct net net;
    struct net_plan p;

    net_open(&net, &(struct net_options){.regular = true});
    open_good(&net, false);
    net_plan(&net, net.dc, &p);
    p.pathways[0].peer = 99;
    cr_assert_eq(svr_node_reconfigure(net.dc, &p.config, net.now, NULL),
                 SVR_ERR_ARGUMENT);
    expect_good(&net, "configuration");
    net_close(&net);
}
