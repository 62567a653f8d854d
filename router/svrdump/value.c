/* One attribute's value as JSON, of which the text form is made too. */
#include "common/bytes.h"
#include "common/text.h"
#include "svrdump.h"

#include <stdlib.h>
#include <string.h>

json_t *dump_hex_value(const svr_span *bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = malloc(2 * bytes->len + 1);
    json_t *value;

    if (!hex)
        return NULL;
    for (size_t i = 0; i < bytes->len; i++) {
        hex[2 * i] = digits[bytes->data[i] >> 4];
        hex[2 * i + 1] = digits[bytes->data[i] & 15];
    }
    hex[2 * bytes->len] = '\0';
    value = json_pack("{s:s}", "hex", hex);
    free(hex);
    return value;
}

json_t *dump_addr_value(const svr_addr *a)
{
    char text[TEXT_ADDR];

    return json_string(text_addr(text, a));
}

static json_t *uuid_value(const svr_uuid *u)
{
    char text[TEXT_UUID];

    return json_string(text_uuid(text, u));
}

json_t *dump_name_value(const svr_span *name)
{
    return json_stringn((const char *)name->data, name->len);
}

/* A number, as long as JSON's integers reach in this library; then text. */
json_t *dump_number_value(uint64_t v)
{
    char text[21];

    if (v <= INT64_MAX)
        return json_integer((json_int_t)v);
    snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
    return json_string(text);
}

json_t *dump_tuple_value(const svr_tuple *t)
{
    char proto[TEXT_PROTO];

    return json_pack("{s:o, s:o, s:i, s:i, s:s}", "src",
                     dump_addr_value(&t->src), "dst", dump_addr_value(&t->dst),
                     "sport", (int)t->sport, "dport", (int)t->dport, "proto",
                     text_proto(proto, t->proto));
}

static json_t *fragment_value(const svr_fragment *f)
{
    return json_pack("{s:o, s:i, s:b, s:b, s:i, s:i}", "extended_id",
                     dump_number_value(f->extended_id), "original_id",
                     (int)f->original_id, "dont_fragment",
                     (int)f->dont_fragment, "more", (int)f->more, "offset",
                     f->offset * 8, "largest", (int)f->largest);
}

static json_t *metrics_value(const svr_path_metrics *m)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:b, s:i}", "tx_colour",
                     (int)m->tx_colour, "tx_time", (int)m->tx_time, "rx_colour",
                     (int)m->rx_colour, "rx_time", (int)m->rx_time, "drop",
                     (int)m->drop, "count", (int)m->count);
}

static json_t *exchange_value(const svr_exchange *e)
{
    json_t *v =
        json_pack("{s:o, s:o, s:b}", "own", dump_number_value(e->own), "echo",
                  dump_number_value(e->echo), "unechoed", (int)e->unechoed);
    if (v && e->undecided)
        json_object_set_new(v, "undecided", json_true());
    if (v && e->asks)
        json_object_set_new(v, "asks", json_true());
    return v;
}

static json_t *multicast_value(const svr_multicast *m)
{
    char proto[TEXT_PROTO];

    return json_pack("{s:o, s:o, s:i, s:s}", "source",
                     dump_addr_value(&m->source), "group",
                     dump_addr_value(&m->group), "flags", (int)m->flags,
                     "proto", text_proto(proto, m->proto));
}

/* S3: F, D and the sequence; what follows is not known. */
static json_t *modify_value(const svr_span *bytes)
{
    uint16_t bits = get_u16(bytes->data);

    return json_pack("{s:b, s:b, s:i}", "f", bits >> 15, "d", bits >> 14 & 1,
                     "sequence", bits & 0xfff);
}

/* Takes `count` names, each behind a byte with its length, from *rest. The
 * codec has checked them. */
static json_t *names_value(svr_span *rest, unsigned count)
{
    json_t *list = json_array();

    for (; count > 0; count--) {
        svr_span name = {rest->data + 1, rest->data[0]};
        json_array_append_new(list, dump_name_value(&name));
        rest->data += 1 + name.len;
        rest->len -= 1 + name.len;
    }
    return list;
}

static json_t *egress_value(const svr_span *whole)
{
    svr_span rest = {whole->data + 2, whole->len - 2};

    return names_value(&rest, get_u16(whole->data));
}

static json_t *versions_value(const svr_span *numbers)
{
    json_t *list = json_array();

    for (size_t i = 0; i < numbers->len; i += 8) {
        uint64_t v = 0;
        for (size_t k = 0; k < 8; k++)
            v = v << 8 | numbers->data[i + k];
        json_array_append_new(list, dump_number_value(v));
    }
    return list;
}

static json_t *route_value(const svr_span *whole)
{
    svr_span rest = {whole->data + 2, whole->len - 2};
    json_t *passed = names_value(&rest, whole->data[0]);
    json_t *v = json_pack("{s:o, s:o}", "passed", passed, "to_come",
                          names_value(&rest, whole->data[1]));

    if (v && rest.len > 0)
        json_object_set_new(v, "versions", versions_value(&rest));
    return v;
}

static const svr_span *find_name(const svr_metadata *md, uint16_t type)
{
    switch (type) {
    case SVR_ATTR_TENANT:
        return &md->tenant;
    case SVR_ATTR_SERVICE:
        return &md->service;
    case SVR_ATTR_SOURCE_ROUTER:
        return &md->source_router;
    case SVR_ATTR_SECURITY_POLICY:
        return &md->security_policy;
    case SVR_ATTR_DESTINATION_ROUTER:
        return &md->destination_router;
    case SVR_ATTR_PATHWAY:
        return &md->pathway;
    case SVR_ATTR_APPLICATION:
        return &md->application;
    default:
        return NULL;
    }
}

static bool find_number(uint64_t *v, const svr_metadata *md, uint16_t type)
{
    switch (type) {
    case SVR_ATTR_INTERFACE_ID:
        *v = md->interface_id;
        return true;
    case SVR_ATTR_SERVICE_SESSIONS:
        *v = md->service_sessions;
        return true;
    case SVR_ATTR_SECURITY_ID:
        *v = md->security_id;
        return true;
    case SVR_ATTR_CONTROL:
        *v = md->control;
        return true;
    case SVR_ATTR_SESSION_TIME:
        *v = md->session_time;
        return true;
    case SVR_ATTR_PACKET_NUMBER:
        *v = md->packet_number;
        return true;
    case SVR_ATTR_COPY_NUMBER:
        *v = md->copy_number;
        return true;
    case SVR_ATTR_SERVICE_CLASS:
        *v = md->service_class;
        return true;
    default:
        return false;
    }
}

static json_t *known_value(const svr_metadata *md, const svr_tlv *tlv)
{
    switch (tlv->type) {
    case SVR_ATTR_FRAGMENT:
        return fragment_value(&md->fragment);
    case SVR_ATTR_FORWARD_CONTEXT_V4:
    case SVR_ATTR_FORWARD_CONTEXT_V6:
        return dump_tuple_value(&md->forward);
    case SVR_ATTR_REVERSE_CONTEXT_V4:
    case SVR_ATTR_REVERSE_CONTEXT_V6:
        return dump_tuple_value(&md->reverse);
    case SVR_ATTR_SESSION_UUID:
        return uuid_value(&md->uuid);
    case SVR_ATTR_ENCRYPTED:
    case SVR_ATTR_TCP_SYN:
    case SVR_ATTR_DISABLE_FORWARD:
        return json_true();
    case SVR_ATTR_ICMP_LOCATION_V4:
    case SVR_ATTR_ICMP_LOCATION_V6:
        return dump_addr_value(&md->icmp_location);
    case SVR_ATTR_SOURCE_NAT:
        return dump_addr_value(&md->source_nat);
    case SVR_ATTR_PATH_METRICS:
        return metrics_value(&md->metrics);
    case SVR_ATTR_MODIFY:
        return modify_value(&md->modify);
    case SVR_ATTR_HEALTH_OR_KEY:
        /* Dumps are passed around: a key is not printed. */
        return md->present & SVR_HAS(SESSION_KEY) ? json_null()
                                                  : json_integer(md->health);
    case SVR_ATTR_MULTICAST_GROUP:
        return multicast_value(&md->multicast);
    case SVR_ATTR_MULTICAST_EGRESS:
        return egress_value(&md->multicast_egress);
    case SVR_ATTR_EXCHANGE_NUMBER:
        return exchange_value(&md->exchange);
    case SVR_ATTR_ROUTE_RECORD:
        return route_value(&md->route_record);
    default:
        return dump_hex_value(&tlv->value);
    }
}

/* Decodes one attribute as if it were alone in its section, so that it can be
 * shown within a block that is malformed elsewhere. */
static int decode_alone(svr_metadata *md, const svr_tlv *tlv,
                        enum svr_section section)
{
    const uint8_t *start = tlv->value.data - 4;
    uint16_t len = (uint16_t)(4 + tlv->value.len);
    /* A base header's room stands before every attribute. */
    svr_block b = {start - SVR_BASE_HEADER_SIZE,
                   (uint16_t)(SVR_BASE_HEADER_SIZE + len), 0};

    svr_metadata_init(md);
    return section == SVR_SECTION_HEADER
               ? svr_metadata_decode_header(md, &b)
               : svr_metadata_decode_payload(md, start, 4 + tlv->value.len);
}

json_t *dump_value(const svr_tlv *tlv, enum svr_section section)
{
    svr_metadata md;
    const svr_span *name;
    uint64_t number;

    if (section == SVR_SECTION_BFD)
        return dump_bfd_value(tlv);
    if (decode_alone(&md, tlv, section) != 0 || md.unknown > 0)
        return dump_hex_value(&tlv->value);
    name = find_name(&md, tlv->type);
    if (name)
        return dump_name_value(name);
    if (find_number(&number, &md, tlv->type))
        return dump_number_value(number);
    return known_value(&md, tlv);
}
