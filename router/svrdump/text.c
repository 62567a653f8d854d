/* A frame as one line for people, and a line for each of its attributes. */
#include "common/text.h"
#include "follow.h"
#include "svrdump.h"

#include <string.h>
#include <time.h>

#define TEXT_NAME (4 * SVR_NAME_ACCEPT_MAX + 1)

static void print_endpoint(FILE *out, const svr_addr *a, uint16_t port)
{
    char text[TEXT_ADDR];
    bool v4 = svr_addr_is_v4(a);

    text_addr(text, a);
    fprintf(out, v4 ? "%s:%u" : "[%s]:%u", text, port);
}

static void print_tuple(FILE *out, const svr_tuple *t)
{
    char proto[TEXT_PROTO];

    fprintf(out, " %s ", text_proto(proto, t->proto));
    print_endpoint(out, &t->src, t->sport);
    fputs(" > ", out);
    print_endpoint(out, &t->dst, t->dport);
}

/* Local time of day, as tcpdump prints it. */
static void print_time(FILE *out, const struct dump_frame *f)
{
    time_t seconds = (time_t)f->sec;
    struct tm tm = {0};
    char text[16];

    localtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%H:%M:%S", &tm);
    fprintf(out, "%s.%06u", text, f->nsec / 1000);
}

static void print_packet(FILE *out, const struct dump_frame *f)
{
    char addr[TEXT_ADDR];
    char proto[TEXT_PROTO];

    if (!f->is_ip) {
        fputs(" not IP", out);
        return;
    }
    if (f->error == 0) {
        print_tuple(out, &f->tuple);
        return;
    }
    fprintf(out, " %s", text_proto(proto, f->tuple.proto));
    fprintf(out, " %s", text_addr(addr, &f->tuple.src));
    fprintf(out, " > %s length %u: %s", text_addr(addr, &f->tuple.dst),
            f->length, svr_strerror(f->error));
}

static void print_name(FILE *out, const char *label, svr_span name)
{
    char text[TEXT_NAME];

    fprintf(out, " %s %s", label,
            text_escape(text, sizeof(text), name.data, name.len));
}

static void print_names(FILE *out, const svr_metadata *md)
{
    const struct {
        uint64_t bit;
        const char *label;
        svr_span name;
    } names[] = {
        {SVR_HAS(TENANT), "tenant", md->tenant},
        {SVR_HAS(SERVICE), "service", md->service},
        {SVR_HAS(APPLICATION), "application", md->application},
        {SVR_HAS(SOURCE_ROUTER), "from", md->source_router},
        {SVR_HAS(DESTINATION_ROUTER), "to", md->destination_router},
        {SVR_HAS(PATHWAY), "pathway", md->pathway},
        {SVR_HAS(SECURITY_POLICY), "policy", md->security_policy},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (md->present & names[i].bit)
            print_name(out, names[i].label, names[i].name);
    }
}

static void print_session(FILE *out, const svr_metadata *md)
{
    char uuid[TEXT_UUID];

    if (md->present &
        (SVR_HAS(FORWARD_CONTEXT_V4) | SVR_HAS(FORWARD_CONTEXT_V6))) {
        fputs(" forward", out);
        print_tuple(out, &md->forward);
    }
    if (md->present &
        (SVR_HAS(REVERSE_CONTEXT_V4) | SVR_HAS(REVERSE_CONTEXT_V6))) {
        fputs(" reverse", out);
        print_tuple(out, &md->reverse);
    }
    if (md->present & SVR_HAS(SESSION_UUID))
        fprintf(out, " uuid %s", text_uuid(uuid, &md->uuid));
}

static const char *control_name(uint8_t control)
{
    switch (control) {
    case SVR_CONTROL_KEEP_ALIVE:
        return "keep-alive";
    case SVR_CONTROL_ENABLE_METADATA:
        return "enable-metadata";
    case SVR_CONTROL_DISABLE_METADATA:
        return "disable-metadata";
    case SVR_CONTROL_DELETE_SESSION:
        return "delete-session";
    case SVR_CONTROL_HEALTH_ANSWER:
        return "health-answer";
    default:
        return "unknown";
    }
}

static void print_numbers(FILE *out, const svr_metadata *md)
{
    if (md->present & SVR_HAS(SECURITY_ID))
        fprintf(out, " security-id %u", md->security_id);
    if (md->present & SVR_HAS(PACKET_NUMBER))
        fprintf(out, " number %llu", (unsigned long long)md->packet_number);
    if (md->present & SVR_HAS(EXCHANGE_NUMBER))
        fprintf(out, " exchange %llu echo %llu%s%s%s",
                (unsigned long long)md->exchange.own,
                (unsigned long long)md->exchange.echo,
                md->exchange.unechoed ? " unechoed" : "",
                md->exchange.undecided ? " undecided" : "",
                md->exchange.asks ? " asks" : "");
    if (md->present & SVR_HAS(CONTROL))
        fprintf(out, " control %s (%u)", control_name(md->control),
                md->control);
    if (md->present & SVR_HAS(HEALTH_OR_KEY))
        fprintf(out, " health %u", md->health);
}

/* S18; the offset in bytes. */
static void print_fragment(FILE *out, const svr_metadata *md)
{
    if (md->present & SVR_HAS(FRAGMENT))
        fprintf(out, " piece %u offset %u %s", md->fragment.extended_id,
                md->fragment.offset * 8u, md->fragment.more ? "more" : "last");
}

static void print_icmp_location(FILE *out, const svr_metadata *md)
{
    char addr[TEXT_ADDR];

    if (md->present & (SVR_HAS(ICMP_LOCATION_V4) | SVR_HAS(ICMP_LOCATION_V6)))
        fprintf(out, " icmp-error-at %s", text_addr(addr, &md->icmp_location));
}

static void print_flags(FILE *out, const svr_metadata *md)
{
    if (md->present & SVR_HAS(ENCRYPTED))
        fputs(" encrypted", out);
    if (md->present & SVR_HAS(TCP_SYN))
        fputs(" syn", out);
    if (md->present & SVR_HAS(DISABLE_FORWARD))
        fputs(" disable-forward", out);
    if (md->unknown > 0)
        fprintf(out, " unknown-attributes %u", md->unknown);
}

static void print_metadata(FILE *out, const struct dump_frame *f)
{
    if (f->is_bfd) {
        dump_bfd_print(out, f);
        return;
    }
    switch (f->status) {
    case DUMP_NONE:
        return;
    case DUMP_FALSE_POSITIVE:
        fputs(" svr false-positive", out);
        return;
    case DUMP_MALFORMED:
        fprintf(out, " svr malformed: %s", svr_strerror(f->reason));
        return;
    case DUMP_OPAQUE:
        fputs(" svr opaque", out);
        break;
    case DUMP_OK:
        fputs(f->opened ? " svr encrypted" : " svr", out);
        break;
    }
    print_session(out, &f->md);
    print_names(out, &f->md);
    print_numbers(out, &f->md);
    print_fragment(out, &f->md);
    print_icmp_location(out, &f->md);
    print_flags(out, &f->md);
}

static void print_followed_name(FILE *out, const char *label,
                                const struct follow_name *name)
{
    if (name->len > 0)
        print_name(out, label, (svr_span){name->text, name->len});
}

/* What is known of the frame's session and does not stand in its metadata. */
static void print_followed(FILE *out, const struct dump_frame *f)
{
    const struct follow_flow *flow = f->flow;
    char uuid[TEXT_UUID];

    if (!(f->md.present & SVR_HAS(SESSION_UUID))) {
        fputs(f->reverse ? " session reverse" : " session forward", out);
        print_tuple(out, &flow->context);
        fprintf(out, " uuid %s", text_uuid(uuid, &flow->uuid));
    }
    if (!(f->md.present & SVR_HAS(TENANT)))
        print_followed_name(out, "tenant", &flow->tenant);
    if (!(f->md.present & SVR_HAS(SERVICE)))
        print_followed_name(out, "service", &flow->service);
}

static void print_tag(FILE *out, enum dump_tag tag)
{
    if (tag == DUMP_TAG_WRONG)
        fputs(" TAG WRONG", out);
    else if (tag != DUMP_TAG_NONE)
        fprintf(out, " tag %s", dump_tag_name(tag));
}

/* Text in JSON is UTF-8, names among it. */
static void print_json_text(FILE *out, const json_t *value)
{
    char text[TEXT_NAME];

    fputs(text_escape(text, sizeof(text), json_string_value(value),
                      json_string_length(value)),
          out);
}

static void print_members(FILE *out, json_t *object)
{
    const char *key, *gap = "";
    json_t *member;

    json_object_foreach(object, key, member)
    {
        fprintf(out, "%s%s ", gap, key);
        dump_print_value(out, member);
        gap = ", ";
    }
}

static void print_elements(FILE *out, json_t *array)
{
    json_t *element;
    size_t i;

    fputc('[', out);
    json_array_foreach(array, i, element)
    {
        if (i > 0)
            fputc(' ', out);
        dump_print_value(out, element);
    }
    fputc(']', out);
}

void dump_print_value(FILE *out, json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        print_members(out, value);
        break;
    case JSON_ARRAY:
        print_elements(out, value);
        break;
    case JSON_STRING:
        print_json_text(out, value);
        break;
    case JSON_INTEGER:
        fprintf(out, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_NULL:
        fputs("not shown", out);
        break;
    default:
        fputs(json_is_true(value) ? "yes" : "no", out);
    }
}

static void print_attribute(void *user, const svr_tlv *tlv,
                            enum svr_section section)
{
    const svr_attribute_info *info = svr_attribute_find(tlv->type, section);
    json_t *value = dump_value(tlv, section);
    FILE *out = user;

    fprintf(out, "    %s (%u, %s, %zu bytes): ", info ? info->name : "unknown",
            tlv->type, section == SVR_SECTION_PAYLOAD ? "payload" : "header",
            tlv->value.len);
    if (value)
        dump_print_value(out, value);
    fputc('\n', out);
    json_decref(value);
}

static void print_lengths(FILE *out, const struct dump_frame *f)
{
    if (f->status != DUMP_NONE && f->block.data)
        fprintf(out, " metadata %u",
                (unsigned)f->block.header_len + f->block.payload_len);
    if (f->is_ip && f->error == 0)
        fprintf(out, " payload %u", f->payload_len);
    if (f->seal == DUMP_SEAL_OPENED)
        fprintf(out, " opened %zu", f->clear.len);
    else if (f->seal != DUMP_SEAL_NONE)
        fprintf(out, " sealed %s", dump_seal_name(f->seal));
}

void dump_print_text(FILE *out, const struct dump_frame *f, bool verbose)
{
    print_time(out, f);
    print_packet(out, f);
    print_metadata(out, f);
    if (f->flow)
        print_followed(out, f);
    print_tag(out, f->tag);
    print_lengths(out, f);
    fputc('\n', out);
    if (verbose)
        dump_visit(f, print_attribute, out);
}
