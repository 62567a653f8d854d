#include "restore.h"

#include "follow.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROOM = SVR_HEADROOM + SVR_PACKET_MAX + SVR_TAILROOM,
};

struct restore {
    const char *file;
    pcap_t *format;
    pcap_dumper_t *out;
    unsigned long sealed; /* packets that could not be opened */
    uint8_t buf[ROOM];
};

static struct restore *give_up(struct restore *r, const char *file,
                               const char *why)
{
    fprintf(stderr, "svrdump: %s: %s\n", file, why);
    if (r && r->format)
        pcap_close(r->format);
    free(r);
    return NULL;
}

struct restore *restore_open(const char *file)
{
    struct restore *r = calloc(1, sizeof(*r));

    if (!r)
        return give_up(r, file, "out of memory");
    r->file = file;
    r->format = pcap_open_dead_with_tstamp_precision(
        DLT_RAW, SVR_PACKET_MAX, PCAP_TSTAMP_PRECISION_NANO);
    if (!r->format)
        return give_up(r, file, "out of memory");
    r->out = pcap_dump_open(r->format, file);
    if (!r->out)
        return give_up(r, file, pcap_geterr(r->format));
    return r;
}

static bool is_wanted(const struct dump_frame *f)
{
    return f->flow && !dump_is_own(f) && f->tag != DUMP_TAG_WRONG &&
           f->l4_captured.len == f->l4_len &&
           (dump_is_plain(f) || f->status == DUMP_OK);
}

/* Takes away what routers have added. */
static bool strip(svr_packet *p, svr_headers *h, const struct dump_frame *f)
{
    size_t block =
        f->block.data ? (size_t)f->block.header_len + f->block.payload_len : 0;
    size_t kept = block + f->payload_len;

    if (f->seal == DUMP_SEAL_OPENED)
        kept = (size_t)(f->clear.data - f->l4_captured.data) + f->clear.len;
    return svr_packet_extend(p, h, (int)kept - (int)f->l4_len) == 0 &&
           svr_packet_remove(p, h, block) == 0;
}

static bool readdress(svr_packet *p, svr_headers *h, const svr_tuple *to)
{
    svr_rewrite rw;

    if (h->tuple.proto != to->proto ||
        svr_addr_is_v4(&h->tuple.src) != svr_addr_is_v4(&to->src))
        return svr_packet_convert(p, h, to) == 0;
    svr_rewrite_init(&rw, &h->tuple, to);
    svr_packet_rewrite(p, h, &rw);
    return true;
}

static bool make_packet(svr_packet *p, uint8_t *buf, const struct dump_frame *f)
{
    const svr_tuple *context = &f->flow->context;
    svr_tuple to = f->reverse ? svr_tuple_reverse(context) : *context;
    svr_headers h;

    memcpy(buf + SVR_HEADROOM, f->bytes, f->length);
    if (svr_packet_init(p, buf, ROOM, f->length) != 0 ||
        svr_packet_parse(&h, p) != 0 || h.ttl == 0 || !strip(p, &h, f))
        return false;
    if (h.tuple.proto == SVR_PROTO_UDP && to.proto == SVR_PROTO_TCP &&
        svr_packet_unmask(p, &h) != 0)
        return false;
    if (!readdress(p, &h, &to))
        return false;
    svr_packet_checksum_write(p, &h);
    return svr_packet_parse(&h, p) == 0;
}

void restore_frame(struct restore *r, const struct dump_frame *f)
{
    struct pcap_pkthdr header = {0};
    svr_packet p;

    if (!is_wanted(f))
        return;
    if (f->seal != DUMP_SEAL_NONE && f->seal != DUMP_SEAL_OPENED) {
        r->sealed++;
        return;
    }
    if (!make_packet(&p, r->buf, f))
        return;
    header.ts.tv_sec = (time_t)f->sec;
    header.ts.tv_usec = (suseconds_t)f->nsec; /* as the file has it */
    header.caplen = header.len = p.len;
    pcap_dump((u_char *)r->out, &header, p.data);
}

int restore_close(struct restore *r)
{
    bool ok = pcap_dump_flush(r->out) == 0;

    pcap_dump_close(r->out);
    pcap_close(r->format);
    if (!ok)
        fprintf(stderr, "svrdump: %s: cannot be written\n", r->file);
    else if (r->sealed > 0)
        fprintf(stderr, "svrdump: %s lacks %lu packets that were not opened\n",
                r->file, r->sealed);
    free(r);
    return ok ? 0 : -1;
}
