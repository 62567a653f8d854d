/* An existing interface through libpcap, such as one end of a veth pair. The
 * kernel must leave it alone: no IP address, no offloads. */
#include "log.h"
#include "netdev.h"
#include "offload.h"
#include "port.h"

#include <linux/if_packet.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define BUFFER_BYTES (8 << 20)
#define VLAN_TAG 4

static int refuse(const struct port *p, const char *what)
{
    log_error("interface %s: %s", p->interface->name, what);
    return -1;
}

/* Whether the device is as a pcap port needs it. */
static int check_device(const struct port *p, struct netdev *dev)
{
    const char *name = p->interface->name;
    const char *device = p->config->device;
    char offloads[64];
    bool link_local;

    netdev_read(dev, device);
    if (!dev->exists) {
        log_error("interface %s: there is no device %s; it must exist before "
                  "svrd starts",
                  name, device);
        return -1;
    }
    if (!dev->ethernet) {
        log_error("interface %s: %s is not an Ethernet device", name, device);
        return -1;
    }
    if (netdev_has_address(device, &link_local)) {
        log_error("interface %s: %s has an IP address; run: %s%s%sip addr "
                  "flush dev %s",
                  name, device, link_local ? "ip link set dev " : "",
                  link_local ? device : "",
                  link_local ? " addrgenmode none && " : "", device);
        return -1;
    }
    netdev_offloads(device, offloads, sizeof offloads);
    if (offloads[0] != '\0') {
        log_error("interface %s: %s has offloads on; run: ethtool -K %s%s",
                  name, device, device, offloads);
        return -1;
    }
    return 0;
}

static void warn_if_forwarding(const struct port *p)
{
    const char *name = p->interface->name;
    const char *device = p->config->device;

    if (netdev_forwards(device))
        log_warn("interface %s: the kernel forwards what comes to %s as well; "
                 "run: sysctl -w net.ipv4.conf.%s.forwarding=0 "
                 "net.ipv6.conf.%s.forwarding=0",
                 name, device, device, device);
}

/* Neighbour solicitations come to multicast addresses. */
static void receive_multicast(const struct port *p, int fd)
{
    struct packet_mreq request = {
        .mr_ifindex = (int)if_nametoindex(p->config->device),
        .mr_type = PACKET_MR_ALLMULTI,
    };

    if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request,
                   sizeof request) < 0)
        log_debug("interface %s: cannot ask for multicast", p->interface->name);
}

static int explain_activate(const struct port *p, pcap_t *pcap, int error)
{
    const char *detail = pcap_geterr(pcap);

    if (error == PCAP_ERROR_PERM_DENIED)
        log_error("interface %s: capturing on %s needs CAP_NET_RAW; start svrd "
                  "as root or through svrd@.service",
                  p->interface->name, p->config->device);
    else
        log_error("interface %s: cannot capture on %s: %s%s%s",
                  p->interface->name, p->config->device,
                  pcap_statustostr(error), detail[0] != '\0' ? ": " : "",
                  detail);
    return -1;
}

static int activate(const struct port *p, pcap_t *pcap, int mtu)
{
    char message[PCAP_ERRBUF_SIZE];
    int status;

    pcap_set_snaplen(pcap, mtu + ETHER_HEADER + VLAN_TAG);
    pcap_set_promisc(pcap, 0);
    pcap_set_immediate_mode(pcap, 1);
    pcap_set_buffer_size(pcap, BUFFER_BYTES);
    status = pcap_activate(pcap);
    if (status < 0)
        return explain_activate(p, pcap, status);
    if (pcap_setnonblock(pcap, 1, message) < 0)
        return refuse(p, message);
    if (pcap_setdirection(pcap, PCAP_D_IN) < 0)
        return refuse(p, pcap_geterr(pcap));
    if (pcap_datalink(pcap) != DLT_EN10MB)
        return refuse(p, "the device gives no Ethernet frames");
    return 0;
}

static int port_pcap_open(struct port *p)
{
    char message[PCAP_ERRBUF_SIZE];
    struct netdev dev;
    pcap_t *pcap;

    if (check_device(p, &dev) < 0)
        return -1;
    pcap = pcap_create(p->config->device, message);
    if (pcap == NULL)
        return refuse(p, message);
    if (activate(p, pcap, dev.mtu) < 0) {
        pcap_close(pcap);
        return -1;
    }
    port_warn_if_unfit(p, dev.up, dev.mtu);
    warn_if_forwarding(p);
    memcpy(p->mac, dev.mac, ETHER_ADDR);
    p->device = pcap;
    p->fd = pcap_get_selectable_fd(pcap);
    receive_multicast(p, p->fd);
    return 0;
}

static int port_pcap_read(struct port *p, svr_packet *frame)
{
    struct pcap_pkthdr *header;
    const uint8_t *data;

    for (int tries = 0; tries < SVR_BATCH_MAX; tries++) {
        int got = pcap_next_ex(p->device, &header, &data);

        if (got <= 0)
            return got;
        if (header->caplen < header->len ||
            header->caplen > ETHER_HEADER + SVR_PACKET_MAX) {
            p->counters.truncated++;
            continue;
        }
        frame->data -= ETHER_HEADER;
        frame->len = header->caplen;
        memcpy(frame->data, data, header->caplen);
        return 1;
    }
    return 0;
}

static bool port_pcap_write(struct port *p, svr_packet *frame)
{
    return offload_complete(frame, ETHER_HEADER) &&
           pcap_inject(p->device, frame->data, frame->len) == (int)frame->len;
}

static bool port_pcap_usable(const struct port *p)
{
    struct netdev dev;

    netdev_read(&dev, p->config->device);
    return dev.up && memcmp(dev.mac, p->mac, ETHER_ADDR) == 0;
}

static void port_pcap_close(struct port *p)
{
    pcap_close(p->device);
    p->device = NULL;
}

const struct port_ops port_pcap_ops = {
    .open = port_pcap_open,
    .read = port_pcap_read,
    .write = port_pcap_write,
    .usable = port_pcap_usable,
    .close = port_pcap_close,
};
