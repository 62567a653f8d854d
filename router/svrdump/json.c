/* A frame as one JSON object on a line of its own. */
#include "common/text.h"
#include "follow.h"
#include "svrdump.h"

static const char *status_name(enum dump_status status)
{
    switch (status) {
    case DUMP_OK:
        return "ok";
    case DUMP_OPAQUE:
        return "opaque";
    case DUMP_FALSE_POSITIVE:
        return "false-positive";
    default:
        return "malformed";
    }
}

static void set_new(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

static void set_text(json_t *object, const char *key, const char *text)
{
    set_new(object, key, json_string(text));
}

static void set_number(json_t *object, const char *key, uint32_t v)
{
    set_new(object, key, json_integer(v));
}

static void set_tag(json_t *object, enum dump_tag tag)
{
    if (tag != DUMP_TAG_NONE)
        set_text(object, "tag", dump_tag_name(tag));
}

static void append_tlv(void *user, const svr_tlv *tlv, enum svr_section section)
{
    json_t *list = user;
    json_t *o = json_object();
    const svr_attribute_info *info = svr_attribute_find(tlv->type, section);

    set_number(o, "type", tlv->type);
    set_text(o, "name", info ? info->name : "unknown");
    set_text(o, "section",
             section == SVR_SECTION_PAYLOAD ? "payload" : "header");
    set_number(o, "length", (uint32_t)tlv->value.len);
    set_new(o, "value", dump_value(tlv, section));
    json_array_append_new(list, o);
}

static json_t *metadata_object(const struct dump_frame *f)
{
    json_t *o = json_object();
    json_t *tlvs = json_array();

    set_text(o, "status", status_name(f->status));
    if (f->status == DUMP_MALFORMED)
        set_text(o, "reason", svr_err_name(f->reason));
    if (f->has_header) {
        set_number(o, "version", f->version);
        set_number(o, "header_len", f->header_section_len);
        set_number(o, "payload_len", f->payload_section_len);
    }
    if (!dump_is_plain(f) && !f->is_bfd)
        set_tag(o, f->tag);
    if (f->opened)
        set_new(o, "encrypted", json_true());
    dump_visit(f, append_tlv, tlvs);
    set_new(o, "tlvs", tlvs);
    return o;
}

static void set_name(json_t *o, const char *key, const struct follow_name *name)
{
    if (name->len > 0)
        set_new(o, key, json_stringn((const char *)name->text, name->len));
}

static json_t *session_object(const struct dump_frame *f)
{
    const struct follow_flow *flow = f->flow;
    char uuid[TEXT_UUID];
    json_t *o = json_object();

    set_text(o, "uuid", text_uuid(uuid, &flow->uuid));
    set_name(o, "tenant", &flow->tenant);
    set_name(o, "service", &flow->service);
    set_new(o, "context", dump_tuple_value(&flow->context));
    set_text(o, "direction", f->reverse ? "reverse" : "forward");
    if (dump_is_plain(f))
        set_tag(o, f->tag);
    return o;
}

static void set_packet(json_t *o, const struct dump_frame *f)
{
    char text[TEXT_ADDR];
    char proto[TEXT_PROTO];

    set_text(o, "src", text_addr(text, &f->tuple.src));
    set_text(o, "dst", text_addr(text, &f->tuple.dst));
    if (f->error == 0) {
        set_number(o, "sport", f->tuple.sport);
        set_number(o, "dport", f->tuple.dport);
    }
    set_text(o, "proto", text_proto(proto, f->tuple.proto));
    set_number(o, "length", f->length);
    if (f->error == 0)
        set_number(o, "payload_len", f->payload_len);
    if (f->seal != DUMP_SEAL_NONE)
        set_text(o, "payload_seal", dump_seal_name(f->seal));
    if (f->seal == DUMP_SEAL_OPENED)
        set_number(o, "opened_len", (uint32_t)f->clear.len);
}

void dump_print_json(FILE *out, const struct dump_frame *f)
{
    char time[32];
    json_t *o = json_object();
    json_t *block;

    snprintf(time, sizeof(time), "%llu.%09u", (unsigned long long)f->sec,
             f->nsec);
    set_new(o, "frame", json_integer((json_int_t)f->number));
    set_text(o, "time", time);
    if (f->is_ip)
        set_packet(o, f);
    if (!f->is_ip || f->error != 0)
        set_text(o, "error", f->is_ip ? svr_err_name(f->error) : "not_ip");
    block = f->status == DUMP_NONE ? json_null() : metadata_object(f);
    set_new(o, "metadata", f->is_bfd ? json_null() : block);
    if (f->is_bfd) {
        json_t *bfd = dump_bfd_object(f, block);

        set_tag(bfd, f->tag);
        set_new(o, "bfd", bfd);
    }
    if (f->flow)
        set_new(o, "session", session_object(f));
    /* ASCII only, so that no name can steer a terminal. */
    json_dumpf(o, out, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(o);
    fputc('\n', out);
}
