/* The second way into a port, on devices in a network namespace. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "svrd/express.h"

#define DEVICE "svrt-x"
#define QUEUE 1000 /* of a TAP device; what comes then is lost */

static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};

/* A port on a TAP device that carries a pathway, and a socket that sends to the
 * device what a bridge would. */
struct fixture {
    struct config config;
    svr_interface_config interface;
    svr_pathway_config pathways[3];
    struct config_port attach;
    struct port port;
    int wire;
    uint8_t buf[PORT_BUFFER];
};

static void set_up(const char *device, bool up)
{
    struct ifreq r = {.ifr_flags = (short)(up ? IFF_UP : 0)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    memcpy(r.ifr_name, device, strlen(device));
    cr_assert_eq(ioctl(fd, SIOCSIFFLAGS, &r), 0);
    close(fd);
}

/* The kernel has nothing to say there itself. */
static void silence(void)
{
    FILE *out = fopen("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w");

    if (out == NULL)
        return; /* a kernel without IPv6 */
    fputs("1", out);
    fclose(out);
}

/* A device that stays when svrd ends. */
static void make_device(const char *device, int mode)
{
    struct ifreq r = {.ifr_flags = (short)(mode | IFF_NO_PI | IFF_VNET_HDR)};
    int fd = open("/dev/net/tun", O_RDWR);

    memcpy(r.ifr_name, device, strlen(device));
    cr_assert_eq(ioctl(fd, TUNSETIFF, &r), 0);
    cr_assert_eq(ioctl(fd, TUNSETPERSIST, 1), 0);
    close(fd);
    set_up(device, true);
}

static void finish(struct fixture *f)
{
    close(f->wire);
    port_close(&f->port);
    cr_expect_eq(f->port.express, -1);
}

/* A packet to `host` in the network of the pathways; the port stands where both
 * TCP and UDP have it. */
static size_t write_v4(uint8_t *ip, uint8_t host, uint8_t proto, uint16_t port)
{
    static const uint8_t head[20] = {0x45, 0, 0,   60, 0, 0, 0,   0, 64, 0,
                                     0,    0, 192, 0,  2, 9, 192, 0, 2,  0};

    memset(ip, 0, 60);
    memcpy(ip, head, sizeof head);
    ip[9] = proto;
    ip[19] = host;
    ip[22] = (uint8_t)(port >> 8);
    ip[23] = (uint8_t)port;
    ip[25] = 40;
    return 60;
}

static size_t write_v6(uint8_t *ip, uint8_t next, uint8_t kind, uint16_t port)
{
    memset(ip, 0, 80);
    ip[0] = 0x60;
    ip[5] = 40;
    ip[6] = next;
    ip[24] = 0x20;
    ip[25] = 1;
    ip[39] = 1;
    ip[40] = kind;
    ip[42] = (uint8_t)(port >> 8);
    ip[43] = (uint8_t)port;
    ip[45] = 40;
    return 80;
}

/* What a device without Ethernet needs to know stands in the address. */
static void send_frame(const struct fixture *f, uint16_t type,
                       const uint8_t *data, size_t len)
{
    const struct sockaddr_ll to = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(type),
        .sll_ifindex = (int)if_nametoindex(DEVICE),
    };
    size_t link = f->port.ethernet ? ETHER_HEADER : 0;
    uint8_t frame[128];

    ether_write(frame, own_mac, (uint8_t[]){4, 4, 4, 4, 4, 4}, type);
    memcpy(frame + link, data, len);
    cr_assert_eq(sendto(f->wire, frame, link + len, 0,
                        (const struct sockaddr *)&to, sizeof to),
                 (ssize_t)(link + len));
}

static void send_v4(const struct fixture *f, uint8_t host, uint8_t proto,
                    uint16_t port)
{
    uint8_t ip[64];

    send_frame(f, ETHER_TYPE_IPV4, ip, write_v4(ip, host, proto, port));
}

static int read_express(struct fixture *f)
{
    svr_packet frame;

    return express_read(&f->port, &frame, f->buf);
}

static int read_port(struct fixture *f)
{
    svr_packet frame;

    return port_read(&f->port, &frame, f->buf);
}

/* A device that has come up drops what it is given for a moment. */
static void wait_for_device(struct fixture *f)
{
    int tries = 0;

    do {
        cr_assert_lt(tries++, 5000, "the device passes nothing");
        usleep(1000);
        send_v4(f, 1, SVR_PROTO_UDP, 1280);
    } while (read_express(f) == 0);
    cr_assert_eq(read_port(f), 0);
    f->port.counters = (struct port_counters){0};
}

static void start(struct fixture *f, enum port_kind kind)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
        cr_skip_test("needs root");
    silence();
    memset(f, 0, sizeof *f);
    make_device(DEVICE, kind == PORT_TAP ? IFF_TAP : IFF_TUN);
    f->interface.name = "wan";
    f->interface.mtu = 1500;
    f->attach = (struct config_port){.kind = kind, .device = DEVICE};
    memcpy(f->attach.mac, own_mac, sizeof own_mac);
    for (int i = 0; i < 3; i++) {
        svr_pathway_config_init(&f->pathways[i]);
        f->pathways[i].local = svr_addr_from_v4((uint8_t[]){192, 0, 2, 1});
    }
    f->pathways[1].watch.local.port = 3784;
    f->pathways[2].local = svr_addr_from_v6((uint8_t[16]){0x20, 1, [15] = 1});
    f->config.node.interfaces = &f->interface;
    f->config.node.interface_count = 1;
    f->config.node.pathways = f->pathways;
    f->config.node.pathway_count = 3;
    f->config.ports = &f->attach;
    port_init(&f->port, &f->config, 0);
    cr_assert_eq(port_open(&f->port), 0);
    express_open(&f->port, &f->config.node);
    cr_assert_geq(f->port.express, 0);
    f->wire = socket(AF_PACKET, SOCK_RAW, 0);
    wait_for_device(f);
}

static void expect_express(struct fixture *f, const char *what)
{
    cr_expect_eq(read_express(f), 1, "%s", what);
    cr_expect_eq(read_express(f), 0, "%s", what);
    cr_expect_eq(read_port(f), 0, "%s came twice", what);
}

static void expect_port(struct fixture *f, const char *what)
{
    cr_expect_eq(read_express(f), 0, "%s", what);
    cr_expect_eq(read_port(f), 1, "%s", what);
    cr_expect_eq(read_port(f), 0, "%s", what);
}

Test(router_express, what_comes_by_which_way)
{
    static const uint8_t arp[28] = {0, 1, 8, 0, 6, 4, 0, 1};
    static struct fixture f;
    uint8_t ip[128];

    start(&f, PORT_TAP);
    send_v4(&f, 1, SVR_PROTO_UDP, 1280);
    expect_express(&f, "BFD");
    send_v4(&f, 1, SVR_PROTO_UDP, 3784);
    expect_express(&f, "BFD of the other pathway");
    send_v4(&f, 1, SVR_PROTO_TCP, 1280);
    expect_express(&f, "a TCP probe");
    send_v4(&f, 1, SVR_PROTO_TCP, 1283);
    expect_express(&f, "another TCP probe");
    send_frame(&f, ETHER_TYPE_ARP, arp, sizeof arp);
    expect_express(&f, "ARP");
    send_frame(&f, ETHER_TYPE_IPV6, ip, write_v6(ip, SVR_PROTO_UDP, 0, 1280));
    expect_express(&f, "BFD on IPv6");
    send_frame(&f, ETHER_TYPE_IPV6, ip, write_v6(ip, SVR_PROTO_ICMPV6, 135, 0));
    expect_express(&f, "a neighbour solicitation");
    send_frame(&f, ETHER_TYPE_IPV6, ip, write_v6(ip, SVR_PROTO_ICMPV6, 136, 0));
    expect_express(&f, "a neighbour advertisement");

    send_v4(&f, 2, SVR_PROTO_UDP, 1280);
    expect_port(&f, "BFD to somebody else");
    send_v4(&f, 1, SVR_PROTO_UDP, 1281);
    expect_port(&f, "another port");
    send_v4(&f, 1, SVR_PROTO_TCP, 3784);
    expect_port(&f, "TCP to a port of BFD");
    send_frame(&f, ETHER_TYPE_IPV6, ip, write_v6(ip, SVR_PROTO_UDP, 0, 3784));
    expect_port(&f, "a port that only IPv4 has");
    send_frame(&f, ETHER_TYPE_IPV6, ip, write_v6(ip, SVR_PROTO_ICMPV6, 128, 0));
    expect_port(&f, "an echo request");
    cr_expect_eq(f.port.counters.received_frames, 13);
    finish(&f);
}

/* What the port sends itself does not come back. */
Test(router_express, one_way_only)
{
    static struct fixture f;
    uint8_t frame[ETHER_HEADER + 60];

    start(&f, PORT_TAP);
    ether_write(frame, ether_broadcast, own_mac, ETHER_TYPE_IPV4);
    write_v4(frame + ETHER_HEADER, 1, SVR_PROTO_UDP, 1280);
    port_write_frame(&f.port, frame, sizeof frame);
    cr_expect_eq(f.port.counters.sent_frames, 1);
    cr_expect_eq(read_express(&f), 0);
    finish(&f);
}

/* A queue that is full of data takes nothing from what matters. */
Test(router_express, full_queue)
{
    static struct fixture f;
    int data = 0;

    start(&f, PORT_TAP);
    for (int i = 0; i < 2 * QUEUE; i++)
        send_v4(&f, 1, SVR_PROTO_UDP, 9);
    for (int i = 0; i < 200; i++)
        send_v4(&f, 1, SVR_PROTO_UDP, 1280);
    for (int i = 0; i < 200; i++)
        cr_assert_eq(read_express(&f), 1, "%d", i);
    while (read_port(&f) > 0)
        data++;
    cr_expect_lt(data, 2 * QUEUE, "the queue was never full");
    finish(&f);
}

/* A device that goes down ends nothing. */
Test(router_express, down_and_up)
{
    static struct fixture f;

    start(&f, PORT_TAP);
    set_up(DEVICE, false);
    cr_expect_eq(read_express(&f), 0);
    set_up(DEVICE, true);
    wait_for_device(&f);
    finish(&f);
}

Test(router_express, tun)
{
    static struct fixture f;

    start(&f, PORT_TUN);
    send_v4(&f, 1, SVR_PROTO_UDP, 1280);
    expect_express(&f, "BFD");
    send_v4(&f, 1, SVR_PROTO_UDP, 1281);
    expect_port(&f, "another port");
    finish(&f);
}

Test(router_express, none_without_pathways)
{
    static struct fixture f;
    svr_node_config none = {0};

    start(&f, PORT_TAP);
    express_close(&f.port);
    express_open(&f.port, &none);
    cr_expect_eq(f.port.express, -1);
    for (int i = 0; i < 3; i++)
        f.pathways[i].unwatched = true;
    express_open(&f.port, &f.config.node);
    cr_expect_eq(f.port.express, -1);
    send_v4(&f, 1, SVR_PROTO_UDP, 1280);
    expect_port(&f, "BFD without a way of its own");
    finish(&f);
}
