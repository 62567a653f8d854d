/* offload.h - what a TAP or TUN device says about a frame's checksum and
 * segments (the virtio net header), as facts of an svr_packet. */
#ifndef SVR_ROUTER_OFFLOAD_H
#define SVR_ROUTER_OFFLOAD_H

#include <linux/virtio_net.h>
#include <svr/svr.h>

/* Whether a packet, from its IP header on, holds UDP right behind that. */
bool offload_is_udp(const svr_packet *p);

/* Sets frame's segment_size and checksum from h; the IP header stands at
 * frame->data + link. A checksum that is to be completed at an unusual place is
 * completed here. False where h has no meaning for the frame. */
bool offload_read(svr_packet *frame, const struct virtio_net_hdr *h,
                  size_t link);

/* The reverse. False where the frame has no L4 header that h could name. */
bool offload_write(struct virtio_net_hdr *h, svr_packet *frame, size_t link);

/* Makes the frame's checksum complete, for devices without offload. False for
 * super-packets, and where the L4 header cannot be found. */
bool offload_complete(svr_packet *frame, size_t link);

#endif
