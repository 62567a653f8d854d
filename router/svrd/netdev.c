#include "netdev.h"

#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int open_socket(void)
{
    return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static bool request_init(struct ifreq *r, const char *device)
{
    size_t len = strlen(device);

    memset(r, 0, sizeof *r);
    if (len >= sizeof r->ifr_name)
        return false;
    memcpy(r->ifr_name, device, len);
    return true;
}

void netdev_read(struct netdev *out, const char *device)
{
    struct ifreq r;
    int fd;

    memset(out, 0, sizeof *out);
    fd = open_socket();
    if (fd < 0)
        return;
    if (request_init(&r, device) && ioctl(fd, SIOCGIFFLAGS, &r) == 0) {
        out->exists = true;
        out->up = (r.ifr_flags & IFF_UP) != 0;
        if (ioctl(fd, SIOCGIFMTU, &r) == 0)
            out->mtu = r.ifr_mtu;
        if (ioctl(fd, SIOCGIFHWADDR, &r) == 0) {
            out->ethernet = r.ifr_hwaddr.sa_family == ARPHRD_ETHER;
            memcpy(out->mac, r.ifr_hwaddr.sa_data, sizeof out->mac);
        }
    }
    close(fd);
}

static bool is_link_local(const struct sockaddr *a)
{
    struct sockaddr_in6 v6;

    if (a->sa_family != AF_INET6)
        return false;
    memcpy(&v6, a, sizeof v6);
    return IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr);
}

bool netdev_has_address(const char *device, bool *link_local)
{
    struct ifaddrs *list;
    bool found = false;

    *link_local = true;
    if (getifaddrs(&list) < 0)
        return false;
    for (const struct ifaddrs *a = list; a != NULL; a = a->ifa_next) {
        if (a->ifa_addr == NULL || strcmp(a->ifa_name, device) != 0 ||
            (a->ifa_addr->sa_family != AF_INET &&
             a->ifa_addr->sa_family != AF_INET6))
            continue;
        found = true;
        *link_local = *link_local && is_link_local(a->ifa_addr);
    }
    freeifaddrs(list);
    return found;
}

static bool offload_is_on(int fd, const char *device, uint32_t command)
{
    struct ethtool_value value = {.cmd = command};
    struct ifreq r;

    if (!request_init(&r, device))
        return false;
    r.ifr_data = (char *)&value;
    return ioctl(fd, SIOCETHTOOL, &r) == 0 && value.data != 0;
}

void netdev_offloads(const char *device, char *buf, size_t cap)
{
    static const struct {
        uint32_t command;
        const char *name;
    } offloads[] = {
        {ETHTOOL_GTSO, "tso"},
        {ETHTOOL_GGSO, "gso"},
        {ETHTOOL_GGRO, "gro"},
        {ETHTOOL_GTXCSUM, "tx"},
    };
    int fd = open_socket();
    size_t len = 0;

    buf[0] = '\0';
    if (fd < 0)
        return;
    for (size_t i = 0; i < sizeof offloads / sizeof offloads[0]; i++)
        if (offload_is_on(fd, device, offloads[i].command) && len < cap)
            len += (size_t)snprintf(buf + len, cap - len, " %s off",
                                    offloads[i].name);
    close(fd);
}

static bool read_flag(const char *family, const char *device)
{
    char path[128];
    FILE *in;
    int c;

    snprintf(path, sizeof path, "/proc/sys/net/%s/conf/%s/forwarding", family,
             device);
    in = fopen(path, "re");
    if (in == NULL)
        return false;
    c = getc(in);
    fclose(in);
    return c == '1';
}

bool netdev_forwards(const char *device)
{
    return read_flag("ipv4", device) || read_flag("ipv6", device);
}
