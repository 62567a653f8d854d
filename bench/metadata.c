/*
 * metadata - the cost of writing and reading forward metadata (S2, S5): by
 * svr_metadata_encode and svr_metadata_decode, by protobuf-c with the same
 * content, and of copying the block.
 *
 * "typical" is a block with context, UUID, tenant, service, both routers'
 * names and the security id; "first packet" is what svrd puts on the first
 * packet of a session. Each has 64 different blocks, taken in turn or in a
 * random order, in which the processor foresees no branch that depends on the
 * length of a name. libsvr's decode checks all that S2.5 asks for, names
 * included.
 *
 * protobuf-c packs by get_packed_size and pack; it unpacks, and frees what it
 * unpacked, with its default allocator, which is malloc. It checks no names.
 */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svr/wire.h>

#if HAVE_PROTOBUF_C
#include "metadata.pb-c.h"
#endif

#define MESSAGES 64
#define ORDER 4096
#define ROOM 512

enum { SVR, PROTOBUF, COPY };

struct input {
    uint8_t order[ORDER];
    uint8_t out[ROOM];
    svr_metadata md[MESSAGES];
    uint8_t block[MESSAGES][ROOM];
    size_t len[MESSAGES];
#if HAVE_PROTOBUF_C
    Metadata message[MESSAGES];
    Context context[MESSAGES];
    Exchange exchange[MESSAGES];
    uint8_t packed[MESSAGES][ROOM];
    size_t packed_len[MESSAGES];
#endif
};

static void fail(const char *what)
{
    fprintf(stderr, "metadata: %s\n", what);
    exit(1);
}

/* ---- libsvr ---- */

static void svr_write(void *user)
{
    struct input *in = user;

    for (size_t i = 0; i < ORDER; i++) {
        const svr_metadata *md = &in->md[in->order[i]];
        if (svr_metadata_encode(in->out, ROOM, md) < 0)
            fail("a block cannot be encoded");
        bench_use(in->out);
    }
}

static void svr_read(void *user)
{
    struct input *in = user;
    svr_metadata md;

    for (size_t i = 0; i < ORDER; i++) {
        size_t m = in->order[i];
        if (svr_metadata_decode(&md, in->block[m], in->len[m]) < 0)
            fail("a block cannot be decoded");
        bench_use(&md);
    }
}

/* ---- memcpy ---- */

static void copy(void *user)
{
    struct input *in = user;

    for (size_t i = 0; i < ORDER; i++) {
        size_t m = in->order[i];
        memcpy(in->out, in->block[m], in->len[m]);
        bench_use(in->out);
    }
}

/* ---- protobuf-c ---- */

#if HAVE_PROTOBUF_C
static void protobuf_write(void *user)
{
    struct input *in = user;

    for (size_t i = 0; i < ORDER; i++) {
        const Metadata *m = &in->message[in->order[i]];
        if (metadata__get_packed_size(m) > ROOM)
            fail("a message is too long");
        metadata__pack(m, in->out);
        bench_use(in->out);
    }
}

static void protobuf_read(void *user)
{
    struct input *in = user;

    for (size_t i = 0; i < ORDER; i++) {
        size_t m = in->order[i];
        Metadata *read =
            metadata__unpack(NULL, in->packed_len[m], in->packed[m]);
        if (!read)
            fail("a message cannot be unpacked");
        bench_use(read);
        metadata__free_unpacked(read, NULL);
    }
}

static ProtobufCBinaryData address(svr_addr *a)
{
    bool v4 = svr_addr_is_v4(a);

    return (ProtobufCBinaryData){v4 ? 4 : 16, a->b + (v4 ? 12 : 0)};
}

/* The names are literals: they end in a NUL and outlive the message. */
static char *text(svr_span name)
{
    return name.data ? (char *)(uintptr_t)name.data : "";
}

/* What stands in in->md[m], as a message. */
static void prepare_protobuf(struct input *in, size_t m)
{
    svr_metadata *md = &in->md[m];
    Context *context = &in->context[m];
    Exchange *exchange = &in->exchange[m];
    Metadata *message = &in->message[m];

    context__init(context);
    context->source = address(&md->forward.src);
    context->destination = address(&md->forward.dst);
    context->source_port = md->forward.sport;
    context->destination_port = md->forward.dport;
    context->protocol = md->forward.proto;
    exchange__init(exchange);
    exchange->own = md->exchange.own;
    exchange->echo = md->exchange.echo;
    exchange->unechoed = md->exchange.unechoed;
    metadata__init(message);
    message->forward = context;
    if (md->present & SVR_HAS(EXCHANGE_NUMBER))
        message->exchange = exchange;
    message->security_id = md->security_id;
    message->packet_number = md->packet_number;
    message->uuid = (ProtobufCBinaryData){sizeof(md->uuid.b), md->uuid.b};
    message->tenant = text(md->tenant);
    message->service = text(md->service);
    message->source_router = text(md->source_router);
    message->destination_router = text(md->destination_router);
    message->security_policy = text(md->security_policy);
    message->pathway = text(md->pathway);
    if (metadata__get_packed_size(message) > ROOM)
        fail("a message is too long");
    in->packed_len[m] = metadata__pack(message, in->packed[m]);
}
#else
#define protobuf_write NULL
#define protobuf_read NULL

static void prepare_protobuf(struct input *in, size_t m)
{
    (void)in;
    (void)m;
}
#endif

/* ---- the blocks ---- */

/* splitmix64: each run has the same blocks in the same order. */
static uint64_t next_random(void)
{
    static uint64_t state;
    uint64_t z = state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

#define NAMES 8

static svr_span any(const char *const names[NAMES])
{
    const char *name = names[next_random() % NAMES];

    return (svr_span){(const uint8_t *)name, strlen(name)};
}

static const char *const tenants[NAMES] = {
    "corp",         "guest",         "staff.corp",       "voice.corp",
    "finance.corp", "cameras.plant", "printers.hq.corp", "lab.research.corp",
};
static const char *const services[NAMES] = {
    "web",       "dns",        "mail.dc",         "crm",
    "voip.core", "backup.dc2", "erp.finance.dc1", "file-shares",
};
static const char *const routers[NAMES] = {
    "dc1",      "dc2",       "branch1",      "branch112",
    "hq-north", "plant-044", "warehouse-12", "shop-berlin-mitte",
};
static const char *const policies[NAMES] = {
    "default", "default", "default", "default",
    "default", "strict",  "partner", "signed-only",
};
static const char *const pathways[NAMES] = {
    "wan0-dc1", "wan0-dc2", "wan1-dc1", "mpls-dc1",
    "lte-dc2",  "isp-a-hq", "isp-b-hq", "wan0-branch112",
};

static svr_addr any_v4(void)
{
    uint64_t r = next_random();

    return svr_addr_from_v4(
        (uint8_t[]){10, (uint8_t)r, (uint8_t)(r >> 8), (uint8_t)(r >> 16)});
}

static void fill_typical(svr_metadata *md)
{
    svr_metadata_init(md);
    md->present = SVR_HAS(SECURITY_ID) | SVR_HAS(FORWARD_CONTEXT_V4) |
                  SVR_HAS(SESSION_UUID) | SVR_HAS(TENANT) | SVR_HAS(SERVICE) |
                  SVR_HAS(SOURCE_ROUTER) | SVR_HAS(DESTINATION_ROUTER);
    md->security_id = (uint32_t)next_random();
    md->forward = (svr_tuple){
        .src = any_v4(),
        .dst = any_v4(),
        .sport = (uint16_t)(next_random() | 0x8000),
        .dport = next_random() % 2 ? 443 : 53,
        .proto = next_random() % 2 ? SVR_PROTO_TCP : SVR_PROTO_UDP,
    };
    for (size_t i = 0; i < sizeof(md->uuid.b); i++)
        md->uuid.b[i] = (uint8_t)next_random();
    md->tenant = any(tenants);
    md->service = any(services);
    md->source_router = any(routers);
    md->destination_router = any(routers);
}

/* S5: the set of attributes that svrd sends. */
static void fill_first_packet(svr_metadata *md)
{
    fill_typical(md);
    md->present &= ~SVR_HAS(DESTINATION_ROUTER);
    md->destination_router = (svr_span){0};
    md->present |= SVR_HAS(EXCHANGE_NUMBER) | SVR_HAS(PACKET_NUMBER) |
                   SVR_HAS(SECURITY_POLICY) | SVR_HAS(PATHWAY);
    md->exchange.own = (uint64_t)3 << 32 | (uint32_t)next_random();
    md->exchange.echo = (uint64_t)5 << 32 | (uint32_t)next_random();
    md->exchange.unechoed = true;
    md->packet_number = (uint64_t)3 << 32 | (uint32_t)next_random();
    md->security_policy = any(policies);
    md->pathway = any(pathways);
}

static void prepare(struct input *in, void (*fill)(svr_metadata *md),
                    bool in_turn)
{
    for (size_t m = 0; m < MESSAGES; m++) {
        ptrdiff_t len;

        fill(&in->md[m]);
        len = svr_metadata_encode(in->block[m], ROOM, &in->md[m]);
        if (len < 0)
            fail(svr_strerror((int)len));
        in->len[m] = (size_t)len;
        prepare_protobuf(in, m);
    }
    for (size_t i = 0; i < ORDER; i++)
        in->order[i] = (uint8_t)((in_turn ? i : next_random()) % MESSAGES);
}

int main(int argc, char **argv)
{
    static struct input in_turn, typical, first;
    struct bench_row rows[] = {
        {"encode, typical, in turn",
         {svr_write, protobuf_write, copy},
         &in_turn},
        {"decode, typical, in turn", {svr_read, protobuf_read, copy}, &in_turn},
        {"encode, typical", {svr_write, protobuf_write, copy}, &typical},
        {"decode, typical", {svr_read, protobuf_read, copy}, &typical},
        {"encode, first packet", {svr_write, protobuf_write, copy}, &first},
        {"decode, first packet", {svr_read, protobuf_read, copy}, &first},
    };
    struct bench b = {
        .name = "metadata",
        .operations = ORDER,
        .ways =
            {[SVR] = "libsvr", [PROTOBUF] = "protobuf-c", [COPY] = "memcpy"},
        .ratios = {{PROTOBUF, SVR}, {SVR, COPY}},
        .ratio_count = 2,
        .rows = rows,
        .row_count = sizeof(rows) / sizeof(rows[0]),
    };

    prepare(&in_turn, fill_typical, true);
    prepare(&typical, fill_typical, false);
    prepare(&first, fill_first_packet, false);
    return bench_main(&b, argc, argv);
}
