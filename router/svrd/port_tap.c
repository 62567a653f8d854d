/* TAP and TUN devices. The device exists already and stays when the router
 * ends: one that dies with the process would take routes along. */
#include "log.h"
#include "netdev.h"
#include "offload.h"
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define VNET_HEADER sizeof(struct virtio_net_hdr)
#define OFFLOADS (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)

/* Linux 6.2 and later, whatever the headers here are of. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static size_t link_size(const struct port *p)
{
    return p->ethernet ? ETHER_HEADER : 0;
}

static int explain_missing(const struct port *p)
{
    const char *device = p->config->device;
    const char *kind = port_kind_name(p->config->kind);

    log_error("interface %s: there is no device %s; run: ip tuntap add dev %s "
              "mode %s vnet_hdr && ip link set dev %s up",
              p->interface->name, device, device, kind, device);
    return -1;
}

static int explain_attach(const struct port *p, int error)
{
    const char *name = p->interface->name;
    const char *device = p->config->device;

    switch (error) {
    case EPERM:
    case EACCES:
        log_error("interface %s: attaching to %s needs CAP_NET_ADMIN; start "
                  "svrd as root or through svrd@.service",
                  name, device);
        break;
    case EBUSY:
        log_error("interface %s: another program is attached to %s", name,
                  device);
        break;
    case EINVAL:
        log_error("interface %s: %s is not a %s device with one queue", name,
                  device, port_kind_name(p->config->kind));
        break;
    default:
        log_error("interface %s: cannot attach to %s: %s", name, device,
                  strerror(error));
    }
    return -1;
}

static int set_offloads(int fd, struct port *p)
{
    p->datagrams =
        ioctl(fd, TUNSETOFFLOAD, OFFLOADS | TUN_F_USO4 | TUN_F_USO6) == 0;
    return p->datagrams ? 0 : ioctl(fd, TUNSETOFFLOAD, OFFLOADS);
}

static int attach(int fd, struct port *p)
{
    struct ifreq request = {0};
    int header = VNET_HEADER;

    request.ifr_flags =
        (short)((p->ethernet ? IFF_TAP : IFF_TUN) | IFF_NO_PI | IFF_VNET_HDR);
    memcpy(request.ifr_name, p->config->device, strlen(p->config->device));
    if (ioctl(fd, TUNSETIFF, &request) < 0 ||
        ioctl(fd, TUNSETVNETHDRSZ, &header) < 0 || set_offloads(fd, p) < 0)
        return explain_attach(p, errno);
    return 0;
}

static int tap_open(struct port *p)
{
    struct netdev dev;
    int fd;

    netdev_read(&dev, p->config->device);
    if (!dev.exists)
        return explain_missing(p);
    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        log_error("interface %s: cannot open /dev/net/tun: %s%s",
                  p->interface->name, strerror(errno),
                  errno == EACCES ? "; start svrd as root" : "");
        return -1;
    }
    if (attach(fd, p) < 0) {
        close(fd);
        return -1;
    }
    port_warn_if_unfit(p, dev.up, dev.mtu);
    memcpy(p->mac, p->config->mac, ETHER_ADDR);
    p->fd = fd;
    return 0;
}

static int tap_read(struct port *p, svr_packet *frame)
{
    size_t link = link_size(p);
    uint8_t *ip = frame->data;
    uint8_t *start = ip - link - VNET_HEADER;
    struct virtio_net_hdr header;
    ssize_t got;

    for (int tries = 0; tries < SVR_BATCH_MAX; tries++) {
        got = read(p->fd, start, VNET_HEADER + link + SVR_PACKET_MAX);
        if (got < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -1;
        if ((size_t)got < VNET_HEADER)
            return -1;
        memcpy(&header, start, VNET_HEADER);
        frame->data = ip - link;
        frame->len = (uint32_t)((size_t)got - VNET_HEADER);
        if (offload_read(frame, &header, link))
            return 1;
        p->counters.offload++;
    }
    return 0;
}

static bool tap_write(struct port *p, svr_packet *frame)
{
    uint8_t *start = frame->data - VNET_HEADER;
    size_t len = VNET_HEADER + frame->len;
    struct virtio_net_hdr header;

    if (!offload_write(&header, frame, link_size(p)))
        return false;
    memcpy(start, &header, VNET_HEADER);
    return write(p->fd, start, len) == (ssize_t)len;
}

/* A device that was deleted does not come back to this descriptor. */
static bool tap_usable(const struct port *p)
{
    struct ifreq request;

    return ioctl(p->fd, TUNGETIFF, &request) == 0;
}

static void tap_close(struct port *p)
{
    close(p->fd);
}

const struct port_ops port_tap_ops = {
    .open = tap_open,
    .read = tap_read,
    .write = tap_write,
    .usable = tap_usable,
    .close = tap_close,
};
