/*
 * resend - what somebody on the way can do with the BFD packets that he sees.
 *
 *   resend [--admin-down] [--from ADDRESS] [--times N] DEVICE FILE
 *
 * Sends the Ethernet frames of a capture out of DEVICE: as they were, or with
 * the state that ends a session, or from another IPv4 address. Checksums are
 * made to fit; nothing is signed anew. Prints how many it has sent.
 */
#define _DEFAULT_SOURCE

#include <arpa/inet.h>
#include <getopt.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Offsets into a frame with IPv4 without options, UDP and BFD. */
enum {
    AT_IP_CHECKSUM = 14 + 10,
    AT_SOURCE = 14 + 12,
    AT_UDP_CHECKSUM = 14 + 20 + 6,
    AT_BFD = 14 + 20 + 8,
    LEAST = AT_BFD + 24,
};

static bool admin_down;
static struct in_addr from;

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* RFC 1624: what a checksum becomes where one word it covers changes. */
static void adjust(uint8_t *checksum, unsigned before, unsigned after)
{
    uint32_t sum = (~get16(checksum) & 0xffff) + (~before & 0xffff) + after;

    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    put16(checksum, ~sum & 0xffff);
}

static void change(uint8_t *frame, size_t at, unsigned value)
{
    unsigned before = get16(frame + at);

    if (at < AT_BFD)
        adjust(frame + AT_IP_CHECKSUM, before, value);
    if (get16(frame + AT_UDP_CHECKSUM) != 0)
        adjust(frame + AT_UDP_CHECKSUM, before, value);
    put16(frame + at, value);
}

static void alter(uint8_t *frame)
{
    const uint8_t *source = (const uint8_t *)&from;

    /* Version 1, diagnostic 7, state 0 (RFC 5880 section 4.1). */
    if (admin_down)
        change(frame, AT_BFD, 0x2700);
    if (from.s_addr != 0) {
        change(frame, AT_SOURCE, get16(source));
        change(frame, AT_SOURCE + 2, get16(source + 2));
    }
}

/* One round through the file: the number of frames sent, or -1. */
static int resend(pcap_t *out, const char *file)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *in = pcap_open_offline(file, why);
    struct pcap_pkthdr *header;
    const u_char *data;
    uint8_t frame[65536];
    int sent = 0;

    if (!in) {
        fprintf(stderr, "resend: %s\n", why);
        return -1;
    }
    while (pcap_next_ex(in, &header, &data) == 1) {
        if (header->caplen < LEAST || header->caplen != header->len)
            continue;
        memcpy(frame, data, header->caplen);
        alter(frame);
        if (pcap_inject(out, frame, header->caplen) > 0)
            sent++;
    }
    pcap_close(in);
    return sent;
}

static int usage(void)
{
    fputs("usage: resend [--admin-down] [--from ADDRESS] [--times N] "
          "DEVICE FILE\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"admin-down", no_argument, NULL, 'd'},
        {"from", required_argument, NULL, 'f'},
        {"times", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    char why[PCAP_ERRBUF_SIZE];
    int times = 1, total = 0, option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            admin_down = true;
        else if (option == 't')
            times = atoi(optarg);
        else if (option != 'f' || inet_pton(AF_INET, optarg, &from) != 1)
            return usage();
    }
    if (argc - optind != 2)
        return usage();

    pcap_t *out = pcap_open_live(argv[optind], 0, 0, 0, why);
    if (!out) {
        fprintf(stderr, "resend: %s\n", why);
        return 1;
    }
    for (int sent = 0; times > 0 && sent >= 0; times--) {
        sent = resend(out, argv[optind + 1]);
        total += sent > 0 ? sent : 0;
    }
    pcap_close(out);
    printf("%d\n", total);
    return total > 0 ? 0 : 1;
}
