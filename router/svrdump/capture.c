/* The frames of a capture, one after the other. */
#include "svrdump.h"

#include <inttypes.h>

static int report(pcap_t *pcap, const char *what)
{
    fprintf(stderr, "svrdump: %s: %s\n", what, pcap_geterr(pcap));
    return -1;
}

static int set_filter(pcap_t *pcap, const char *expression)
{
    struct bpf_program program;
    int err;

    if (pcap_compile(pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return report(pcap, "filter");
    err = pcap_setfilter(pcap, &program);
    pcap_freecode(&program);
    return err != 0 ? report(pcap, "filter") : 0;
}

static void set_time(struct dump_frame *f, const struct timeval *tv,
                     bool nanoseconds)
{
    uint64_t fraction = (uint64_t)tv->tv_usec;

    /* A capture file may claim any fraction. */
    if (!nanoseconds)
        fraction *= 1000;
    f->sec = (uint64_t)tv->tv_sec;
    f->nsec = (uint32_t)(fraction % 1000000000);
}

static bool is_wanted(const struct dump_frame *f,
                      const struct dump_options *options)
{
    return options->all || f->status != DUMP_NONE;
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
                       FILE *out)
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
        if (got == 0)
            continue;
        f.number = ++number;
        set_time(&f, &header->ts, nanoseconds);
        if (!dump_frame_read(
                &f, dump_link_strip(datalink, bytes, header->caplen))) {
            fprintf(stderr, "svrdump: out of memory\n");
            return -1;
        }
        if (is_wanted(&f, options)) {
            print_frame(out, &f, options);
            printed++;
        }
        dump_frame_free(&f);
        if (options->count > 0 && printed >= options->count)
            return 0;
    }
    return got == PCAP_ERROR_BREAK
               ? 0
               : report(pcap, options->file ? options->file : options->iface);
}

int dump_capture(pcap_t *pcap, const struct dump_options *options, FILE *out)
{
    const char *link;

    if (!dump_link_supported(pcap_datalink(pcap))) {
        link = pcap_datalink_val_to_name(pcap_datalink(pcap));
        fprintf(stderr, "svrdump: %s: link type %s is not supported\n",
                options->file ? options->file : options->iface,
                link ? link : "unknown");
        return -1;
    }
    if (options->filter && set_filter(pcap, options->filter) != 0)
        return -1;
    return dump_frames(pcap, options, out);
}
