/* BFD packets and the block behind them (S14.3). */
#include "common/bytes.h"
#include "svrdump.h"

#include <string.h>

enum {
    TLV_HEADER = 4,
    VERSION_1 = 0x1000,
    BLOCK_MAX = 0xfff,
};

bool dump_is_bfd(const svr_tuple *t)
{
    return t->proto == SVR_PROTO_UDP && t->dport == SVR_BFD_PORT;
}

/* Where the capture holds only the beginning, zeros stand for the rest. */
static ptrdiff_t read_packet(struct dump_frame *f, svr_span captured)
{
    ptrdiff_t size;

    if (captured.len < SVR_BFD_SIZE)
        return SVR_ERR_TRUNCATED;
    size = svr_bfd_decode(&f->bfd, captured.data, f->payload_len);
    return size > (ptrdiff_t)captured.len ? SVR_ERR_TRUNCATED : size;
}

svr_span dump_bfd_take(struct dump_frame *f, svr_span captured)
{
    ptrdiff_t size = read_packet(f, captured);

    f->is_bfd = true;
    if (size < 0) {
        f->bfd_error = (int)size;
        return (svr_span){captured.data, 0};
    }
    f->payload_len -= (uint32_t)size;
    return (svr_span){captured.data + size, captured.len - (size_t)size};
}

void dump_bfd_read_block(struct dump_frame *f)
{
    ptrdiff_t len = svr_bfd_block_decode(&f->bfd_block, f->block.data,
                                         (size_t)f->block.header_len +
                                             f->block.payload_len);

    f->status = len < 0 ? DUMP_MALFORMED : DUMP_OK;
    f->reason = len < 0 ? (int)len : 0;
}

static json_t *endpoint_value(const svr_bfd_endpoint *e)
{
    return json_pack("{s:o, s:i}", "addr", dump_addr_value(&e->addr), "port",
                     (int)e->port);
}

static json_t *echo_value(const svr_bfd_echo *e)
{
    return json_pack("{s:o, s:o, s:o}", "own", dump_number_value(e->own),
                     "peer", dump_number_value(e->peer), "held",
                     dump_number_value(e->held));
}

static json_t *probe_value(const svr_bfd_probe *p)
{
    return json_pack("{s:i, s:i, s:i, s:i}", "round", (int)p->round, "kind",
                     (int)p->kind, "heard-round", (int)p->heard_round, "heard",
                     (int)p->heard);
}

static json_t *known_value(const svr_bfd_block *b, const svr_tlv *tlv)
{
    switch (tlv->type) {
    case SVR_ATTR_SECURITY_ID:
        return dump_number_value(b->security_id);
    case SVR_BFD_ATTR_ROUTER:
        return dump_name_value(&b->router);
    case SVR_BFD_ATTR_BOOT_COUNTER:
        return dump_number_value(b->boot_counter);
    case SVR_BFD_ATTR_SOURCE_V4:
    case SVR_BFD_ATTR_SOURCE_V6:
        return endpoint_value(&b->source);
    case SVR_BFD_ATTR_NUMBERS:
        return json_pack("{s:o, s:o}", "own", dump_number_value(b->numbers.own),
                         "peer", dump_number_value(b->numbers.peer));
    case SVR_BFD_ATTR_ECHO:
        return echo_value(&b->echo);
    case SVR_BFD_ATTR_OBSERVED_V4:
    case SVR_BFD_ATTR_OBSERVED_V6:
        return endpoint_value(&b->observed);
    case SVR_BFD_ATTR_PINHOLE:
        return json_pack("{s:i, s:i}", "local", (int)b->pinhole.local, "remote",
                         (int)b->pinhole.remote);
    case SVR_BFD_ATTR_PADDED:
        return json_pack("{s:o, s:i}", "number",
                         dump_number_value(b->padded.number), "size",
                         (int)b->padded.size);
    case SVR_BFD_ATTR_PROBE:
        return probe_value(&b->probe);
    case SVR_BFD_ATTR_RESYNC_END:
        return dump_number_value(b->resync_end);
    case SVR_BFD_ATTR_PADDING:
        return dump_number_value(b->padding);
    default:
        return dump_hex_value(&tlv->value);
    }
}

json_t *dump_bfd_value(const svr_tlv *tlv)
{
    const size_t tlv_len = TLV_HEADER + tlv->value.len;
    const size_t len = SVR_BASE_HEADER_SIZE + tlv_len;
    uint8_t alone[BLOCK_MAX];
    svr_bfd_block b;

    /* As if it were alone, so that it can be shown within a block that is
     * malformed elsewhere. */
    svr_block_write_bare(alone);
    put_u16(alone + SVR_COOKIE_SIZE, (uint16_t)(VERSION_1 | len));
    memcpy(alone + SVR_BASE_HEADER_SIZE, tlv->value.data - TLV_HEADER, tlv_len);
    if (svr_bfd_block_decode(&b, alone, len) < 0)
        return dump_hex_value(&tlv->value);
    return known_value(&b, tlv);
}

static void print_attribute(void *user, const svr_tlv *tlv,
                            enum svr_section section)
{
    const svr_attribute_info *info = svr_attribute_find(tlv->type, section);
    json_t *value = dump_value(tlv, section);
    FILE *out = user;

    if (info)
        fprintf(out, " %s ", info->name);
    else
        fprintf(out, " unknown %u ", tlv->type);
    /* What only programs can read is too long for a line. */
    if (json_object_get(value, "hex"))
        fprintf(out, "%zu bytes", tlv->value.len);
    else if (value)
        dump_print_value(out, value);
    json_decref(value);
}

static void print_packet(FILE *out, const svr_bfd_packet *p)
{
    fprintf(out, " bfd %s diag %s (%u) my %u your %u",
            svr_bfd_state_name(p->state), svr_bfd_diag_name(p->diag), p->diag,
            p->my_discriminator, p->your_discriminator);
    fprintf(out, "%s%s%s%s", p->poll ? " poll" : "", p->final ? " final" : "",
            p->control_plane_independent ? " independent" : "",
            p->demand ? " demand" : "");
    fprintf(out, " multiplier %u tx %u us rx %u us", p->multiplier,
            p->desired_min_tx, p->required_min_rx);
    if (p->required_min_echo_rx > 0)
        fprintf(out, " echo-rx %u us", p->required_min_echo_rx);
}

void dump_bfd_print(FILE *out, const struct dump_frame *f)
{
    if (f->bfd_error != 0) {
        fprintf(out, " bfd malformed: %s", svr_strerror(f->bfd_error));
        return;
    }
    print_packet(out, &f->bfd);
    if (f->status == DUMP_NONE)
        return;
    fputs(" svr", out);
    if (f->status == DUMP_MALFORMED)
        fprintf(out, " malformed: %s", svr_strerror(f->reason));
    else
        dump_visit(f, print_attribute, out);
}

json_t *dump_bfd_object(const struct dump_frame *f, json_t *block)
{
    const svr_bfd_packet *p = &f->bfd;

    if (f->bfd_error != 0)
        return json_pack("{s:s, s:s, s:o}", "status", "malformed", "reason",
                         svr_err_name(f->bfd_error), "block", block);
    return json_pack(
        "{s:s, s:s, s:i, s:s, s:b, s:b, s:b, s:b, s:i, s:I, s:I, s:I, s:I, "
        "s:I, s:o}",
        "status", "ok", "state", svr_bfd_state_name(p->state), "diag",
        (int)p->diag, "diag_name", svr_bfd_diag_name(p->diag), "poll",
        (int)p->poll, "final", (int)p->final, "control_plane_independent",
        (int)p->control_plane_independent, "demand", (int)p->demand,
        "multiplier", (int)p->multiplier, "my_discriminator",
        (json_int_t)p->my_discriminator, "your_discriminator",
        (json_int_t)p->your_discriminator, "desired_min_tx",
        (json_int_t)p->desired_min_tx, "required_min_rx",
        (json_int_t)p->required_min_rx, "required_min_echo_rx",
        (json_int_t)p->required_min_echo_rx, "block", block);
}
