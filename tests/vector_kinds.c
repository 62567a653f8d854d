/* vector_kinds.c - what the library makes of each kind of vector. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <svr/wire.h>

#include "heap.h"
#include "vectors.h"

enum {
    BYTES_IN_A_LINE = 32,
};

static _Noreturn void give_up(const struct vector *v, const char *why)
{
    fprintf(stderr, "vectors: line %u, %s: %s\n", v->line, v->name, why);
    exit(2);
}

/* ---- notation ---- */

static void put_hex(struct text *out, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++)
        text_add(out, "%02x", buf[i]);
}

static void put_bytes(struct text *out, const uint8_t *buf, size_t len)
{
    for (size_t at = 0; at < len; at += BYTES_IN_A_LINE) {
        size_t left = len - at;

        text_add(out, "bytes ");
        put_hex(out, buf + at, left < BYTES_IN_A_LINE ? left : BYTES_IN_A_LINE);
        text_add(out, "\n");
    }
}

static void put_error(struct text *out, int err)
{
    text_add(out, "error %s\n", svr_err_name(err));
}

static void put_addr(struct text *out, const svr_addr *a)
{
    const uint8_t *b = a->b;

    if (svr_addr_is_v4(a)) {
        text_add(out, "%u.%u.%u.%u", b[12], b[13], b[14], b[15]);
        return;
    }
    for (int i = 0; i < 16; i += 2)
        text_add(out, "%s%02x%02x", i ? ":" : "", b[i], b[i + 1]);
}

static void put_tuple(struct text *out, const svr_tuple *t)
{
    put_addr(out, &t->src);
    text_add(out, " %u ", t->sport);
    put_addr(out, &t->dst);
    text_add(out, " %u %u", t->dport, t->proto);
}

static svr_addr read_addr(const struct vector *v, const char *text)
{
    unsigned g[8];
    uint8_t b[16];

    if (sscanf(text, "%u.%u.%u.%u", &g[0], &g[1], &g[2], &g[3]) == 4) {
        for (int i = 0; i < 4; i++)
            b[i] = (uint8_t)g[i];
        return svr_addr_from_v4(b);
    }
    if (sscanf(text, "%x:%x:%x:%x:%x:%x:%x:%x", &g[0], &g[1], &g[2], &g[3],
               &g[4], &g[5], &g[6], &g[7]) != 8)
        give_up(v, "not an address");
    for (int i = 0; i < 16; i++)
        b[i] = (uint8_t)(i % 2 ? g[i / 2] : g[i / 2] >> 8);
    return svr_addr_from_v6(b);
}

static svr_tuple read_tuple(const struct vector *v)
{
    const char *text = vector_given(v, "to");
    char src[48], dst[48];
    unsigned sport, dport, proto;

    if (!text || sscanf(text, "%47s %u %47s %u %u", src, &sport, dst, &dport,
                        &proto) != 5)
        give_up(v, "no \"to\" with a tuple");
    return (svr_tuple){read_addr(v, src), read_addr(v, dst), (uint16_t)sport,
                       (uint16_t)dport, (uint8_t)proto};
}

/* Silent where value is encoded as the len bytes at buf; encode answers as
 * svr_metadata_encode does. */
static void put_encoded(struct text *out,
                        ptrdiff_t (*encode)(uint8_t *buf, size_t cap,
                                            const void *value),
                        const void *value, const uint8_t *buf, size_t len)
{
    ptrdiff_t size = encode(NULL, 0, value);
    uint8_t *again;

    if (size < 0) {
        put_error(out, (int)size);
        return;
    }
    again = malloc((size_t)size);
    if (!again)
        abort();
    if (encode(again, (size_t)size, value) != size)
        text_add(out, "encoded in another length than measured\n");
    if ((size_t)size != len || memcmp(again, buf, len) != 0) {
        text_add(out, "encoded ");
        put_hex(out, again, (size_t)size);
        text_add(out, "\n");
    }
    free(again);
}

/* ---- blocks ---- */

static void put_flag(struct text *out, const void *field)
{
    (void)out;
    (void)field;
}

static void put_u8(struct text *out, const void *field)
{
    text_add(out, " %u", *(const uint8_t *)field);
}

static void put_u32(struct text *out, const void *field)
{
    text_add(out, " %lu", (unsigned long)*(const uint32_t *)field);
}

static void put_u64(struct text *out, const void *field)
{
    text_add(out, " %llu", (unsigned long long)*(const uint64_t *)field);
}

static void put_b16(struct text *out, const void *field)
{
    text_add(out, " ");
    put_hex(out, field, 16);
}

static void put_salt(struct text *out, const void *field)
{
    const svr_salt *salt = field;

    put_b16(out, salt->b);
    text_add(out, " flags %u", salt->flags);
}

static void put_span(struct text *out, const void *field)
{
    const svr_span *s = field;

    text_add(out, " ");
    put_hex(out, s->data, s->len);
}

static void put_name(struct text *out, const void *field)
{
    const svr_span *s = field;

    for (size_t i = 0; i < s->len; i++) {
        if (s->data[i] < ' ' || s->data[i] > '~') {
            put_span(out, field);
            return;
        }
    }
    text_add(out, " \"%.*s\"", (int)s->len, (const char *)s->data);
}

static void put_address(struct text *out, const void *field)
{
    text_add(out, " ");
    put_addr(out, field);
}

static void put_context(struct text *out, const void *field)
{
    text_add(out, " ");
    put_tuple(out, field);
}

static void put_fragment(struct text *out, const void *field)
{
    const svr_fragment *f = field;

    text_add(out, " id %lu original %u dont-fragment %d more %d offset %u",
             (unsigned long)f->extended_id, f->original_id, f->dont_fragment,
             f->more, f->offset);
    text_add(out, " largest %u", f->largest);
}

static void put_metrics(struct text *out, const void *field)
{
    const svr_path_metrics *m = field;

    text_add(out, " tx %u %lu rx %u %lu drop %d count %u", m->tx_colour,
             (unsigned long)m->tx_time, m->rx_colour, (unsigned long)m->rx_time,
             m->drop, m->count);
}

static void put_exchange(struct text *out, const void *field)
{
    const svr_exchange *e = field;

    text_add(out, " own %llu echo %llu unechoed %d%s%s",
             (unsigned long long)e->own, (unsigned long long)e->echo,
             e->unechoed, e->undecided ? " undecided" : "",
             e->asks ? " asks" : "");
}

static void put_multicast(struct text *out, const void *field)
{
    const svr_multicast *m = field;

    text_add(out, " flags %u source ", m->flags);
    put_addr(out, &m->source);
    text_add(out, " group ");
    put_addr(out, &m->group);
    text_add(out, " protocol %u", m->proto);
}

static const char *const names[SVR_ATTR_COUNT] = {
#define X(name, number, text) [SVR_ATTR_INDEX_##name] = text,
    SVR_ATTR_MAP(X)
#undef X
        [SVR_ATTR_INDEX_SESSION_KEY] = "session-encryption-key",
};

struct attribute {
    size_t field;
    void (*put)(struct text *out, const void *field);
};

#define ROW(name, member, kind) \
    [SVR_ATTR_INDEX_##name] = {offsetof(svr_metadata, member), put_##kind}

/* clang-format off */
static const struct attribute attributes[SVR_ATTR_COUNT] = {
    ROW(FRAGMENT, fragment, fragment),
    ROW(FORWARD_CONTEXT_V4, forward, context),
    ROW(FORWARD_CONTEXT_V6, forward, context),
    ROW(REVERSE_CONTEXT_V4, reverse, context),
    ROW(REVERSE_CONTEXT_V6, reverse, context),
    ROW(SESSION_UUID, uuid, b16),
    ROW(TENANT, tenant, name),
    ROW(INTERFACE_ID, interface_id, u32),
    ROW(SERVICE, service, name),
    ROW(ENCRYPTED, present, flag),
    ROW(TCP_SYN, present, flag),
    ROW(SERVICE_SESSIONS, service_sessions, u64),
    ROW(SOURCE_ROUTER, source_router, name),
    ROW(SECURITY_POLICY, security_policy, name),
    ROW(SECURITY_ID, security_id, u32),
    ROW(DESTINATION_ROUTER, destination_router, name),
    ROW(DISABLE_FORWARD, present, flag),
    ROW(PATHWAY, pathway, name),
    ROW(ICMP_LOCATION_V4, icmp_location, address),
    ROW(ICMP_LOCATION_V6, icmp_location, address),
    ROW(CONTROL, control, u8),
    ROW(SOURCE_NAT, source_nat, address),
    ROW(PATH_METRICS, metrics, metrics),
    ROW(MODIFY, modify, span),
    ROW(APPLICATION, application, name),
    ROW(SESSION_TIME, session_time, u32),
    ROW(HEALTH_OR_KEY, health, u8),
    ROW(MULTICAST_GROUP, multicast, multicast),
    ROW(MULTICAST_EGRESS, multicast_egress, span),
    ROW(EXCHANGE_NUMBER, exchange, exchange),
    ROW(PACKET_NUMBER, packet_number, u64),
    ROW(COPY_NUMBER, copy_number, u32),
    ROW(KEY_SALT, salt, salt),
    ROW(RECOVERY_TOKEN, recovery_token, span),
    ROW(ROUTE_RECORD, route_record, span),
    ROW(SERVICE_CLASS, service_class, u8),
    ROW(SESSION_KEY, session_key, span),
};
/* clang-format on */

/* Those whose bit is set in `present`, with their fields in block. */
static void put_attributes(struct text *out, uint64_t present,
                           const char *const *texts,
                           const struct attribute *rows, const void *block)
{
    for (; present; present >>= 1, texts++, rows++) {
        if (!(present & 1))
            continue;
        text_add(out, "%s", *texts);
        rows->put(out, (const char *)block + rows->field);
        text_add(out, "\n");
    }
}

static void put_unknown(struct text *out, unsigned count)
{
    if (count)
        text_add(out, "unknown %u\n", count);
}

static void put_metadata(struct text *out, const svr_metadata *md)
{
    put_attributes(out, md->present, names, attributes, md);
    put_unknown(out, md->unknown);
}

static ptrdiff_t encode_metadata(uint8_t *buf, size_t cap, const void *md)
{
    return svr_metadata_encode(buf, cap, md);
}

static void put_block(struct text *out, const uint8_t *buf, size_t len)
{
    svr_metadata md;
    ptrdiff_t got = svr_metadata_decode(&md, buf, len);

    if (got < 0) {
        put_error(out, (int)got);
        return;
    }
    text_add(out, "length %td\n", got);
    put_metadata(out, &md);
    put_encoded(out, encode_metadata, &md, buf, (size_t)got);
}

static void run_block(const struct vector *v, struct text *out)
{
    put_block(out, v->bytes, v->len);
}

/* Nothing of the payload section is looked at (S2.6). */
static void run_sealed_block(const struct vector *v, struct text *out)
{
    svr_metadata md;
    svr_block b;
    int err = svr_block_parse(&b, v->bytes, v->len);

    svr_metadata_init(&md);
    if (err == 0)
        err = svr_metadata_decode_header(&md, &b);
    if (err != 0) {
        put_error(out, err);
        return;
    }
    text_add(out, "header-length %u payload-length %u\n", b.header_len,
             b.payload_len);
    put_metadata(out, &md);
}

/* ---- BFD ---- */

static void put_bfd(struct text *out, const svr_bfd_packet *p)
{
    text_add(out, "state %s diagnostic %u\n", svr_bfd_state_name(p->state),
             p->diag);
    text_add(out, "poll %d final %d control-plane-independent %d demand %d\n",
             p->poll, p->final, p->control_plane_independent, p->demand);
    text_add(out, "multiplier %u discriminators %lu %lu\n", p->multiplier,
             (unsigned long)p->my_discriminator,
             (unsigned long)p->your_discriminator);
    text_add(out, "intervals %lu %lu %lu\n", (unsigned long)p->desired_min_tx,
             (unsigned long)p->required_min_rx,
             (unsigned long)p->required_min_echo_rx);
}

static ptrdiff_t encode_bfd(uint8_t *buf, size_t cap, const void *p)
{
    int err;

    (void)cap;
    err = buf ? svr_bfd_encode(buf, p) : 0;
    return err < 0 ? err : SVR_BFD_SIZE;
}

static void run_bfd(const struct vector *v, struct text *out)
{
    svr_bfd_packet p, untouched;
    ptrdiff_t got;

    memset(&p, 0xee, sizeof(p));
    memset(&untouched, 0xee, sizeof(untouched));
    got = svr_bfd_decode(&p, v->bytes, v->len);
    if (got < 0) {
        put_error(out, (int)got);
        if (memcmp(&p, &untouched, sizeof(p)) != 0)
            text_add(out, "changed though refused\n");
        return;
    }
    text_add(out, "length %td\n", got);
    put_bfd(out, &p);
    put_encoded(out, encode_bfd, &p, v->bytes, (size_t)got);
}

static void put_u16(struct text *out, const void *field)
{
    text_add(out, " %u", *(const uint16_t *)field);
}

static void put_b8(struct text *out, const void *field)
{
    text_add(out, " ");
    put_hex(out, field, SVR_BFD_CHALLENGE_SIZE);
}

static void put_endpoint(struct text *out, const void *field)
{
    const svr_bfd_endpoint *e = field;

    put_address(out, &e->addr);
    put_u16(out, &e->port);
}

static void put_numbers(struct text *out, const void *field)
{
    const svr_bfd_numbers *n = field;

    text_add(out, " own %llu peer %llu", (unsigned long long)n->own,
             (unsigned long long)n->peer);
}

static void put_echo(struct text *out, const void *field)
{
    const svr_bfd_echo *e = field;

    text_add(out, " own %llu peer %llu held %llu", (unsigned long long)e->own,
             (unsigned long long)e->peer, (unsigned long long)e->held);
}

static void put_pinhole(struct text *out, const void *field)
{
    const svr_bfd_pinhole *p = field;

    text_add(out, " local %u remote %u", p->local, p->remote);
}

static void put_padded(struct text *out, const void *field)
{
    const svr_bfd_padded *p = field;

    text_add(out, " number %llu size %u", (unsigned long long)p->number,
             p->size);
}

static void put_probe(struct text *out, const void *field)
{
    const svr_bfd_probe *p = field;

    text_add(out, " round %u kind %u heard-round %u heard %u", p->round,
             p->kind, p->heard_round, p->heard);
}

/* Those of the block behind BFD, from its first index on. */
static const char *const bfd_names[] = {"security-id",
#define X(name, number, text) text,
                                        SVR_BFD_ATTR_MAP(X)
#undef X
};

#define BFD_ROW(name, member, kind) \
    [SVR_BFD_INDEX_##name -         \
        SVR_ATTR_COUNT] = {offsetof(svr_bfd_block, member), put_##kind}

/* clang-format off */
static const struct attribute bfd_attributes[] = {
    BFD_ROW(SECURITY_ID, security_id, u32),
    BFD_ROW(ROUTER, router, name),
    BFD_ROW(BOOT_COUNTER, boot_counter, u32),
    BFD_ROW(SOURCE_V4, source, endpoint),
    BFD_ROW(SOURCE_V6, source, endpoint),
    BFD_ROW(NUMBERS, numbers, numbers),
    BFD_ROW(ECHO, echo, echo),
    BFD_ROW(OBSERVED_V4, observed, endpoint),
    BFD_ROW(OBSERVED_V6, observed, endpoint),
    BFD_ROW(CHALLENGE, challenge, b8),
    BFD_ROW(ANSWER, answer, b8),
    BFD_ROW(PINHOLE, pinhole, pinhole),
    BFD_ROW(PADDED, padded, padded),
    BFD_ROW(PADDING, padding, u16),
    BFD_ROW(KEY_EXCHANGE, key_exchange, span),
    BFD_ROW(LOAD, load, span),
    BFD_ROW(TOPOLOGY, topology, span),
    BFD_ROW(PROBE, probe, probe),
    BFD_ROW(RESYNC_END, resync_end, u32),
};
/* clang-format on */

static ptrdiff_t encode_bfd_block(uint8_t *buf, size_t cap, const void *b)
{
    return svr_bfd_block_encode(buf, cap, b);
}

static void run_bfd_block(const struct vector *v, struct text *out)
{
    svr_bfd_block b;
    ptrdiff_t got = svr_bfd_block_decode(&b, v->bytes, v->len);

    if (got < 0) {
        put_error(out, (int)got);
        return;
    }
    text_add(out, "length %td\n", got);
    put_attributes(out, b.present >> SVR_ATTR_COUNT, bfd_names, bfd_attributes,
                   &b);
    put_unknown(out, b.unknown);
    put_encoded(out, encode_bfd_block, &b, v->bytes, (size_t)got);
}

/* ---- packets ---- */

/* Parses the packet in its exact buffer; what is refused must stay as it was.
 * Tells of an error and answers whether there was none. */
static bool parse(const struct vector *v, struct text *out, svr_packet *p,
                  svr_headers *h)
{
    svr_packet before;
    svr_headers untouched;
    int err;

    *p = (svr_packet){.data = v->bytes, .len = (uint32_t)v->len};
    memset(h, 0xee, sizeof(*h));
    memset(&untouched, 0xee, sizeof(untouched));
    memcpy(&before, p, sizeof(before));
    err = svr_packet_parse(h, p);
    if (err == 0)
        return true;
    put_error(out, err);
    if (memcmp(h, &untouched, sizeof(*h)) != 0 ||
        memcmp(p, &before, sizeof(*p)) != 0)
        text_add(out, "changed though refused\n");
    return false;
}

static void put_headers(struct text *out, const svr_headers *h)
{
    text_add(out, "tuple ");
    put_tuple(out, &h->tuple);
    text_add(out, "\nl4 %u payload %u ttl %u tos %u\n", h->l4, h->payload,
             h->ttl, h->tos);
    if (h->tuple.proto == SVR_PROTO_TCP)
        text_add(out,
                 "tcp flags %u sequence %lu acknowledgement %lu window %u\n",
                 h->tcp_flags, (unsigned long)h->tcp_seq,
                 (unsigned long)h->tcp_ack, h->tcp_window);
    if (h->icmp_type || h->icmp_code || h->icmp_error || h->icmp_echo)
        text_add(out, "icmp type %u code %u%s%s\n", h->icmp_type, h->icmp_code,
                 h->icmp_error ? " error" : "", h->icmp_echo ? " echo" : "");
}

static void run_packet(const struct vector *v, struct text *out)
{
    svr_packet p;
    svr_headers h;

    if (!parse(v, out, &p, &h))
        return;
    text_add(out, "length %lu\n", (unsigned long)p.len);
    put_headers(out, &h);
    if (!svr_packet_checksum_ok(&p, &h))
        text_add(out, "checksum wrong\n");
}

/* A packet as it arrives on a waypoint. */
static void run_message(const struct vector *v, struct text *out)
{
    svr_packet p;
    svr_headers h;

    if (!parse(v, out, &p, &h))
        return;
    text_add(out, "tuple ");
    put_tuple(out, &h.tuple);
    text_add(out, "\n");
    put_block(out, p.data + h.payload, p.len - h.payload);
}

/* ---- changes ---- */

struct changing {
    uint8_t *block;
    svr_packet p;
    svr_headers h;
};

/* The packet once more, with room in front. */
static bool hold(const struct vector *v, struct text *out, struct changing *c)
{
    svr_packet p;

    if (!parse(v, out, &p, &c->h))
        return false;
    c->block = malloc(SVR_HEADROOM + p.len);
    if (!c->block)
        abort();
    memcpy(c->block + SVR_HEADROOM, p.data, p.len);
    c->p = (svr_packet){
        .data = c->block + SVR_HEADROOM,
        .len = p.len,
        .headroom = SVR_HEADROOM,
    };
    return true;
}

static void run_rewrite(const struct vector *v, struct text *out)
{
    svr_tuple to = read_tuple(v);
    struct changing c;
    svr_rewrite rw;

    if (!hold(v, out, &c))
        return;
    svr_rewrite_init(&rw, &c.h.tuple, &to);
    svr_packet_rewrite(&c.p, &c.h, &rw);
    put_bytes(out, c.p.data, c.p.len);
    free(c.block);
}

static void run_convert(const struct vector *v, struct text *out)
{
    svr_tuple to = read_tuple(v);
    struct changing c;
    int err;

    if (!hold(v, out, &c))
        return;
    err = svr_packet_convert(&c.p, &c.h, &to);
    if (err != 0)
        put_error(out, err);
    else
        put_bytes(out, c.p.data, c.p.len);
    free(c.block);
}

static void run_clamp_mss(const struct vector *v, struct text *out)
{
    const char *mss = vector_given(v, "mss");
    struct changing c;

    if (!mss)
        give_up(v, "no \"mss\"");
    if (!hold(v, out, &c))
        return;
    svr_packet_clamp_mss(&c.p, &c.h, (uint16_t)strtoul(mss, NULL, 10));
    put_bytes(out, c.p.data, c.p.len);
    free(c.block);
}

/* TCP as UDP or back; what is refused must stay as it was. */
static void put_masked(const struct vector *v, struct text *out,
                       int (*change)(svr_packet *p, svr_headers *h))
{
    struct changing c;
    int err;

    if (!hold(v, out, &c))
        return;
    err = change(&c.p, &c.h);
    if (err == 0) {
        put_bytes(out, c.p.data, c.p.len);
    } else {
        put_error(out, err);
        if (memcmp(c.p.data, v->bytes, c.p.len) != 0)
            text_add(out, "changed though refused\n");
    }
    free(c.block);
}

static void run_mask(const struct vector *v, struct text *out)
{
    put_masked(v, out, svr_packet_mask);
}

static void run_unmask(const struct vector *v, struct text *out)
{
    put_masked(v, out, svr_packet_unmask);
}

/* ---- pieces ---- */

/* p is an IP fragment or has a block that says that it is a piece. */
static int read_piece(svr_piece_key *key, svr_piece *piece, svr_packet *p)
{
    svr_metadata md;
    svr_headers h;
    ptrdiff_t len;
    int err = svr_packet_parse(&h, p);

    if (err == SVR_ERR_FRAGMENT)
        return svr_ip_fragment_parse(key, piece, p);
    if (err != 0)
        return err;
    len = svr_metadata_decode(&md, p->data + h.payload, p->len - h.payload);
    if (len < 0)
        return (int)len;
    if (!(md.present & SVR_HAS(FRAGMENT)))
        return SVR_ERR_NOT_FOUND;
    svr_fabric_piece(key, piece, p, &h, &md.fragment, (size_t)len);
    return 0;
}

/* One piece, in a block of exactly its length. */
static int add_piece(svr_reassembly *r, const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);
    svr_packet p = {.data = exact, .len = (uint32_t)len};
    svr_piece_key key;
    svr_piece piece;
    int answer;

    if (!exact)
        abort();
    if (len)
        memcpy(exact, bytes, len);
    answer = read_piece(&key, &piece, &p);
    if (answer == 0)
        answer = svr_reassembly_add(r, &key, &piece, 0);
    free(exact);
    return answer;
}

static void put_answer(struct text *out, svr_reassembly *r, int answer)
{
    const svr_packet *p;

    if (answer < 0) {
        put_error(out, answer);
        return;
    }
    text_add(out, answer ? "whole\n" : "kept\n");
    p = svr_reassembly_first(r);
    if (p) {
        put_bytes(out, p->data, p->len);
        svr_reassembly_release(r);
    }
}

static void run_pieces(const struct vector *v, struct text *out)
{
    svr_allocator a = HEAP;
    const char *at = v->given;
    unsigned long begin, end;
    svr_reassembly *r;

    if (svr_reassembly_create(&r, SVR_SECOND, &a) != 0)
        abort();
    for (unsigned number = 1; sscanf(at, "piece %lu", &begin) == 1; number++) {
        at = strchr(at, '\n') + 1;
        if (sscanf(at, "piece %lu", &end) != 1)
            end = v->len;
        text_add(out, "piece %u ", number);
        put_answer(out, r, add_piece(r, v->bytes + begin, end - begin));
    }
    svr_reassembly_destroy(r);
}

/* ---- ICMP ---- */

/* Rewriting has the same reasons to refuse, and changes nothing where the tuple
 * is the one that stands there. */
static void put_quote(struct text *out, const struct vector *v, bool v6)
{
    svr_tuple t = {.src = SVR_ADDR_NONE};
    uint8_t *msg = malloc(v->len ? v->len : 1);
    int err = svr_icmp_quote_parse(&t, v->bytes, v->len, v6);

    if (!msg)
        abort();
    if (v->len)
        memcpy(msg, v->bytes, v->len);
    if (svr_icmp_quote_rewrite(msg, v->len, v6, &t) != err ||
        memcmp(msg, v->bytes, v->len) != 0)
        text_add(out, "rewritten otherwise than read\n");
    free(msg);
    if (err != 0) {
        put_error(out, err);
        return;
    }
    text_add(out, "tuple ");
    put_tuple(out, &t);
    text_add(out, "\n");
}

static void run_quote(const struct vector *v, struct text *out, bool v6)
{
    svr_tuple to;
    int err;

    if (!vector_given(v, "to")) {
        put_quote(out, v, v6);
        return;
    }
    to = read_tuple(v);
    err = svr_icmp_quote_rewrite(v->bytes, v->len, v6, &to);
    if (err != 0)
        put_error(out, err);
    else
        put_bytes(out, v->bytes, v->len);
}

static void run_icmp_quote(const struct vector *v, struct text *out)
{
    run_quote(v, out, false);
}

static void run_icmpv6_quote(const struct vector *v, struct text *out)
{
    run_quote(v, out, true);
}

static const struct {
    const char *name;
    void (*run)(const struct vector *v, struct text *out);
} kinds[] = {
    {"block", run_block},
    {"sealed-block", run_sealed_block},
    {"bfd", run_bfd},
    {"bfd-block", run_bfd_block},
    {"packet", run_packet},
    {"message", run_message},
    {"rewrite", run_rewrite},
    {"convert", run_convert},
    {"clamp-mss", run_clamp_mss},
    {"mask", run_mask},
    {"unmask", run_unmask},
    {"pieces", run_pieces},
    {"icmp-quote", run_icmp_quote},
    {"icmpv6-quote", run_icmpv6_quote},
};

void vector_run(const struct vector *v, struct text *got)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(v->kind, kinds[i].name) == 0) {
            kinds[i].run(v, got);
            return;
        }
    }
    give_up(v, "a kind that is not known");
}
