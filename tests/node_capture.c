/*
 * Writes a capture of all that two routers send, for tests/svrdump_tshark.sh:
 * of every kind of packet that a node changes or makes. CAPTURE names the file.
 */
#include "node_net.h"
#include "svrdump_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Unix time where the routers' clocks begin, as node_net sets it. */
#define START UINT64_C(1700000000)

static FILE *out;
static size_t written;

static void write_frame(const struct net *net, const struct frame *f)
{
    static struct bytes file;

    file.len = 0;
    add_frame_at(&file, (uint32_t)(START + net->now / SVR_SECOND), f->p.data,
                 f->p.len);
    cr_assert_eq(fwrite(file.data, 1, file.len, out), file.len);
    written++;
}

static void carry(struct net *net, svr_node *from);

/* A router gets a packet; all that is sent because of it is written down and
 * carried to where it goes. */
static void give(struct net *net, svr_node *n, struct frame f, uint16_t iface)
{
    net_input(net, n, &f, iface);
    frame_free(&f);
    carry(net, n);
}

static void carry(struct net *net, svr_node *from)
{
    struct frame sent[16];
    size_t count = net->out_count;

    cr_assert_leq(count, COUNT(sent));
    for (size_t i = 0; i < count; i++)
        sent[i] = net_take(net, i);
    for (size_t i = 0; i < count; i++) {
        write_frame(net, &sent[i]);
        if (sent[i].p.iface == NET_WAN)
            give(net, from == net->branch ? net->dc : net->branch, sent[i],
                 NET_WAN);
        else
            frame_free(&sent[i]);
    }
}

static void from_client(struct net *net, struct frame f)
{
    give(net, net->branch, f, NET_LAN);
}

static void from_server(struct net *net, struct frame f)
{
    give(net, net->dc, f, NET_LAN);
}

static struct frame with_ttl(struct frame f, uint8_t ttl)
{
    svr_headers h = frame_headers(&f);

    f.p.data[f.p.data[0] >> 4 == 6 ? 7 : 8] = ttl;
    svr_packet_checksum_write(&f.p, &h);
    return f;
}

static struct frame dont_fragment(struct frame f)
{
    svr_headers h = frame_headers(&f);

    if (f.p.data[0] >> 4 == 4)
        f.p.data[6] |= 0x40;
    svr_packet_checksum_write(&f.p, &h);
    return f;
}

static void talk_udp(struct net *net, const char *c, const char *s)
{
    static const uint8_t cookie[] = "\x4c\x48\xdb\xc6\xdd\xf6\x67\x0c...";

    for (size_t len = 0; len < 3; len++) {
        from_client(net, frame_udp(c, 40000, s, 40001, NULL, len));
        from_server(net, frame_udp(s, 40001, c, 40000, NULL, 501 * len));
    }
    from_client(net, frame_udp(c, 40000, s, 40001, cookie, sizeof(cookie)));
    from_client(net, with_ttl(frame_udp(c, 40000, s, 40001, NULL, 9), 1));
    from_client(net, with_ttl(frame_udp(c, 40000, s, 40001, NULL, 9), 2));
    from_client(net, dont_fragment(frame_udp(c, 40002, s, 40001, NULL, 1450)));
}

static void talk_tcp(struct net *net, const char *c, const char *s)
{
    const uint8_t ack = SVR_TCP_ACK, syn = SVR_TCP_SYN;

    from_client(net, frame_tcp(c, 40000, s, 40001, syn, 1, 0, NULL, 0));
    from_server(net, frame_tcp(s, 40001, c, 40000, syn | ack, 9, 2, NULL, 0));
    from_client(net, frame_tcp(c, 40000, s, 40001, ack, 2, 10, NULL, 1440));
    from_server(net, frame_tcp(s, 40001, c, 40000, ack, 10, 1442, NULL, 7));
    from_client(net, frame_tcp(c, 40000, s, 40001, ack, 1442, 17, NULL, 1460));
    from_client(net, frame_tcp(c, 40000, s, 40001, ack | SVR_TCP_FIN, 2902, 17,
                               NULL, 0));
    from_server(net, frame_tcp(s, 40001, c, 40000, ack | SVR_TCP_FIN, 17, 2903,
                               NULL, 0));
}

static void talk_icmp(struct net *net, const char *c, const char *s)
{
    for (size_t len = 0; len < 3; len++) {
        from_client(net, frame_echo(c, s, 7, false, 33 * len));
        from_server(net, frame_echo(s, c, 7, true, 33 * len));
    }
}

/* One way, so that metadata is answered by itself (S6.6), and after a loss of
 * state (S8.2). */
static void lose_state(struct net *net, const char *c, const char *s)
{
    for (int i = 0; i < 6; i++)
        from_client(net, frame_udp(c, 40010, s, 40011, NULL, 200));
    net_run(net, net->dc, net->now + 2 * SVR_SECOND);
    carry(net, net->dc);
    net_restart(net, &net->dc);
    for (int i = 0; i < 3; i++)
        from_client(net, frame_udp(c, 40010, s, 40011, NULL, 200));
}

static void talk(const struct net_options *o)
{
    static const char *const hosts[][2] = {{CLIENT, SERVER},
                                           {CLIENT6, SERVER6}};
    struct net net;

    net_open(&net, o);
    for (size_t i = 0; i < COUNT(hosts); i++) {
        talk_udp(&net, hosts[i][0], hosts[i][1]);
        talk_tcp(&net, hosts[i][0], hosts[i][1]);
        talk_icmp(&net, hosts[i][0], hosts[i][1]);
        lose_state(&net, hosts[i][0], hosts[i][1]);
    }
    net_close(&net);
}

Test(node_capture, write)
{
    struct bytes header;

    if (!getenv("CAPTURE"))
        cr_skip("CAPTURE does not name a file");
    out = fopen(getenv("CAPTURE"), "wb");
    cr_assert(out);
    begin_capture(&header, 101);
    cr_assert_eq(fwrite(header.data, 1, header.len, out), header.len);
    for (unsigned i = 0; i < 4; i++)
        talk(&(struct net_options){
            .no_offload = true, .v6_pathway = i & 1, .per_packet = i & 2});
    cr_assert_eq(fclose(out), 0);
    cr_expect_gt(written, 200);
}
