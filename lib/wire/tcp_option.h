/* tcp_option.h - the options of a TCP header. */
#ifndef SVR_LIB_WIRE_TCP_OPTION_H
#define SVR_LIB_WIRE_TCP_OPTION_H

#include <svr/packet.h>

/* An option of that kind and whole size in the header tcp of len bytes: its
 * value, or NULL where there is none or the options are malformed. *at is where
 * the search begins, 0 at first, and moves behind what was found. */
uint8_t *svr__tcp_option_find(uint8_t *tcp, size_t len, size_t *at,
                              uint8_t kind, uint8_t size);

/* The shift of a SYN's window scale option (RFC 7323), or 0. */
uint8_t svr__tcp_window_shift(const svr_packet *p, const svr_headers *h);

#endif
