/* The frames of a capture, one after the other. */
#include "follow.h"
#include "restore.h"
#include "svrdump.h"
#include "verify.h"

static const char *source_name(const struct dump_options *options)
{
    return options->file ? options->file : options->iface;
}

static int report(pcap_t *pcap, const char *what)
{
    fprintf(stderr, "svrdump: %s: %s\n", what, pcap_geterr(pcap));
    return -1;
}

static int report_memory(void)
{
    fprintf(stderr, "svrdump: out of memory\n");
    return -1;
}

static int set_filter(pcap_t *pcap, const char *expression)
{
    struct bpf_program program;
    int err;

    if (pcap_compile(pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return report(pcap, "filter, expected an expression as in "
                            "pcap-filter(7)");
    err = pcap_setfilter(pcap, &program);
    pcap_freecode(&program);
    return err != 0 ? report(pcap, "filter") : 0;
}

/* A capture file may claim any time. libpcap takes the seconds of a pcap file,
 * which have no sign, as if they had one. */
static void set_time(struct dump_frame *f, const struct timeval *tv,
                     bool nanoseconds)
{
    uint64_t fraction = (uint64_t)tv->tv_usec;

    if (!nanoseconds)
        fraction *= 1000;
    f->sec = tv->tv_sec < 0 ? (uint32_t)tv->tv_sec : (uint64_t)tv->tv_sec;
    f->nsec = (uint32_t)(fraction % 1000000000);
}

/* What the keys and the frames before say of the frame. */
static bool look_up(struct dump_frame *f, const struct dump_options *options,
                    struct follow_table *flows)
{
    if (options->keys)
        verify_metadata(options->keys, f);
    if (!follow_frame(flows, f))
        return false;
    if (options->keys)
        verify_plain(f);
    unseal_frame(f);
    if (options->restore)
        restore_frame(options->restore, f);
    return true;
}

static bool is_wanted(const struct dump_frame *f,
                      const struct dump_options *options)
{
    return options->all || f->is_bfd || f->status != DUMP_NONE;
}

static void print_frame(FILE *out, const struct dump_frame *f,
                        const struct dump_options *options)
{
    if (options->json)
        dump_print_json(out, f);
    else
        dump_print_text(out, f, options->verbose);
    if (!options->file)
        fflush(out);
}

static int dump_frames(pcap_t *pcap, const struct dump_options *options,
                       struct follow_table *flows, FILE *out)
{
    bool nanoseconds =
        pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO;
    int datalink = pcap_datalink(pcap);
    unsigned long printed = 0;
    uint64_t number = 0;
    const uint8_t *bytes;
    struct pcap_pkthdr *header;
    int got;

    /* A live capture answers 0 when nothing came in time. */
    while ((got = pcap_next_ex(pcap, &header, &bytes)) >= 0) {
        struct dump_frame f = {0};
        bool ok;
        if (got == 0)
            continue;
        f.number = ++number;
        set_time(&f, &header->ts, nanoseconds);
        ok = dump_frame_read(
                 &f, dump_link_strip(datalink, bytes, header->caplen)) &&
             look_up(&f, options, flows);
        if (ok && is_wanted(&f, options)) {
            print_frame(out, &f, options);
            printed++;
        }
        dump_frame_free(&f);
        if (!ok)
            return report_memory();
        if ((options->count > 0 && printed >= options->count) || ferror(out))
            return 0;
    }
    return got == PCAP_ERROR_BREAK ? 0 : report(pcap, source_name(options));
}

int dump_capture(pcap_t *pcap, const struct dump_options *options, FILE *out)
{
    struct follow_table *flows;
    const char *link;
    int err;

    if (!dump_link_supported(pcap_datalink(pcap))) {
        link = pcap_datalink_val_to_name(pcap_datalink(pcap));
        fprintf(stderr,
                "svrdump: %s: found link type %s, expected Ethernet, Linux "
                "cooked (SLL, SLL2) or raw IP\n",
                source_name(options), link ? link : "unknown");
        return -1;
    }
    if (options->filter && set_filter(pcap, options->filter) != 0)
        return -1;
    flows = follow_new();
    err = flows ? dump_frames(pcap, options, flows, out) : report_memory();
    follow_free(flows);
    return err;
}
