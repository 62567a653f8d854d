#include "express.h"

#include "common/text.h"
#include "log.h"
#include "offload.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define VNET_HEADER sizeof(struct virtio_net_hdr)

/* A thousand pathways at 50 ms for a quarter of a second. */
#define BUFFER_BYTES (4 << 20)

/* The filter */

static bool is_watched(const struct port *p, const svr_pathway_config *pathway)
{
    return pathway->iface == p->index && !pathway->unwatched;
}

/* Whether a pathway before `end` asks for the same packets. */
static bool is_told(const struct port *p, const svr_node_config *node,
                    size_t end)
{
    const svr_pathway_config *own = &node->pathways[end];

    for (size_t i = 0; i < end; i++) {
        const svr_pathway_config *other = &node->pathways[i];

        if (is_watched(p, other) &&
            svr_addr_equal(&other->local, &own->local) &&
            other->watch.local.port == own->watch.local.port)
            return true;
    }
    return false;
}

/* The packets in the language of pcap-filter(7); none without pathways. */
static void write_expression(FILE *out, const struct port *p,
                             const svr_node_config *node)
{
    const char *before =
        p->ethernet ? "arp or (icmp6 and ip6[40] >= 135 and ip6[40] <= 136) or "
                    : "";
    char addr[TEXT_ADDR];

    for (size_t i = 0; i < node->pathway_count; i++) {
        const svr_pathway_config *pathway = &node->pathways[i];

        if (!is_watched(p, pathway) || is_told(p, node, i))
            continue;
        fprintf(out, "%s(dst host %s and (udp dst port %u", before,
                text_addr(addr, &pathway->local), pathway->watch.local.port);
        fprintf(out, " or tcp dst port %d or tcp dst port %d))",
                SVR_TCP_PROBE_PORT, SVR_TCP_PROBE_OTHER_PORT);
        before = " or ";
    }
}

static int refuse(const struct port *p, const char *what)
{
    log_warn("interface %s: no way of its own for BFD on %s: %s; pathways may "
             "go down under load",
             p->interface->name, p->config->device, what);
    return -1;
}

static int compile(struct port *p, const char *expression)
{
    pcap_t *pcap = pcap_open_dead(p->ethernet ? DLT_EN10MB : DLT_RAW,
                                  ETHER_HEADER + SVR_PACKET_MAX);
    int status = 0;

    if (pcap == NULL)
        return refuse(p, "no memory");
    if (pcap_compile(pcap, &p->express_filter, expression, 1,
                     PCAP_NETMASK_UNKNOWN) < 0)
        status = refuse(p, pcap_geterr(pcap));
    pcap_close(pcap);
    return status;
}

/* Life */

static bool set(int fd, int level, int option, const void *value, size_t len)
{
    return setsockopt(fd, level, option, value, (socklen_t)len) == 0;
}

static bool attach_filter(int fd, const struct port *p)
{
    const struct sock_fprog program = {
        .len = (unsigned short)p->express_filter.bf_len,
        .filter = (struct sock_filter *)p->express_filter.bf_insns,
    };

    return set(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/* The filter is there before the first packet. */
static bool attach(int fd, const struct port *p)
{
    const struct sockaddr_ll device = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = (int)if_nametoindex(p->config->device),
    };
    const int bytes = BUFFER_BYTES;
    const int on = 1;

    if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes))
        set(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    return attach_filter(fd, p) &&
           set(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) &&
           bind(fd, (const struct sockaddr *)&device, sizeof device) == 0;
}

static int open_socket(struct port *p)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return refuse(p, errno == EPERM ? "it needs CAP_NET_RAW"
                                        : strerror(errno));
    if (!attach(fd, p)) {
        refuse(p, strerror(errno));
        close(fd);
        return -1;
    }
    p->express = fd;
    return 0;
}

/* To be freed; empty where the port has no pathways, NULL after one line in the
 * log. */
static char *make_expression(const struct port *p, const svr_node_config *node)
{
    char *expression = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&expression, &len);

    if (out != NULL) {
        write_expression(out, p, node);
        fclose(out);
    }
    if (expression == NULL)
        refuse(p, "no memory");
    return expression;
}

void express_open(struct port *p, const svr_node_config *node)
{
    char *expression = make_expression(p, node);

    if (expression != NULL && expression[0] != '\0' &&
        compile(p, expression) == 0 && open_socket(p) < 0)
        pcap_freecode(&p->express_filter);
    free(expression);
}

/* Without pathways nothing comes by the way that is open. */
static int compile_renewed(struct port *p, const svr_node_config *node)
{
    char *expression = make_expression(p, node);
    int status = -1;

    if (expression != NULL)
        status = compile(p, expression[0] != '\0' ? expression : "len == 0");
    free(expression);
    return status;
}

void express_renew(struct port *p, const svr_node_config *node)
{
    struct bpf_program before = p->express_filter;

    if (p->express < 0) {
        express_open(p, node);
        return;
    }
    if (compile_renewed(p, node) < 0) {
        p->express_filter = before;
        return;
    }
    if (!attach_filter(p->express, p))
        refuse(p, strerror(errno));
    pcap_freecode(&before);
}

void express_close(struct port *p)
{
    if (p->express < 0)
        return;
    close(p->express);
    pcap_freecode(&p->express_filter);
    p->express = -1;
}

/* Frames */

/* What the kernel sends to a TAP or TUN device comes to the router; on any
 * other device it is what the router itself has sent. */
static bool is_inward(const struct port *p, const struct sockaddr_ll *from)
{
    return (from->sll_pkttype == PACKET_OUTGOING) ==
           (p->config->kind != PORT_PCAP);
}

/* One frame: 1, 0 where it is none for the router, -1 where none waits. An
 * error, such as that the device went down, is told once, and then cleared. */
static int receive(struct port *p, svr_packet *frame)
{
    size_t link = p->ethernet ? ETHER_HEADER : 0;
    uint8_t *start = frame->data - link - VNET_HEADER;
    struct virtio_net_hdr header;
    struct sockaddr_ll from = {0};
    socklen_t from_len = sizeof from;
    ssize_t got =
        recvfrom(p->express, start, VNET_HEADER + link + SVR_PACKET_MAX, 0,
                 (struct sockaddr *)&from, &from_len);

    if (got < (ssize_t)VNET_HEADER)
        return -1;
    memcpy(&header, start, VNET_HEADER);
    frame->data -= link;
    frame->len = (uint32_t)((size_t)got - VNET_HEADER);
    return is_inward(p, &from) && offload_read(frame, &header, link);
}

int express_read(struct port *p, svr_packet *frame, uint8_t *buf)
{
    if (p->express < 0)
        return 0;
    for (int tries = 0; tries < SVR_BATCH_MAX; tries++) {
        int got;

        port_prepare(p, frame, buf);
        got = receive(p, frame);
        if (got < 0)
            return 0;
        if (got > 0) {
            port_finish(p, frame, buf);
            return 1;
        }
    }
    return 0;
}

bool express_takes(const struct port *p, const svr_packet *frame)
{
    return p->express >= 0 && bpf_filter(p->express_filter.bf_insns,
                                         frame->data, frame->len, frame->len);
}
