/* netdev.h - questions to the kernel about a network device. */
#ifndef SVR_ROUTER_NETDEV_H
#define SVR_ROUTER_NETDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netdev {
    bool exists;
    bool up;
    bool ethernet;
    int mtu;
    uint8_t mac[6];
};

/* What device is; exists is false where there is none of that name. */
void netdev_read(struct netdev *out, const char *device);

/* Whether it has an IP address; link_local says whether only such were found,
 * which the kernel gives it by itself. */
bool netdev_has_address(const char *device, bool *link_local);

/* Writes to buf the arguments for `ethtool -K` that turn off those offloads
 * with which frames are not as they are on the wire; empty where all are off.
 */
void netdev_offloads(const char *device, char *buf, size_t cap);

/* Whether the kernel itself forwards IPv4 or IPv6 packets that come in there.
 */
bool netdev_forwards(const char *device);

#endif
