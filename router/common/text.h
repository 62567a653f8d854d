/* text.h - values of the protocol as text for people and JSON. */
#ifndef SVR_ROUTER_TEXT_H
#define SVR_ROUTER_TEXT_H

#include <svr/svr.h>

/* Buffer sizes, with the terminating zero. */
#define TEXT_ADDR 46
#define TEXT_PREFIX (TEXT_ADDR + 4)
#define TEXT_UUID 37
#define TEXT_PROTO 8

/* Each writes to buf and returns it. */
char *text_addr(char buf[TEXT_ADDR], const svr_addr *a);
char *text_prefix(char buf[TEXT_PREFIX], const svr_prefix *p);
char *text_uuid(char buf[TEXT_UUID], const svr_uuid *u);
/* "tcp", "udp", …, or the number. */
char *text_proto(char buf[TEXT_PROTO], uint8_t proto);

/* Copies len bytes that came from outside, with everything but printable ASCII
 * as \xNN and the backslash doubled, so that nothing steers a terminal. Cuts at
 * cap, never within an escape; the result is terminated. Returns buf. */
char *text_escape(char *buf, size_t cap, const void *data, size_t len);

#endif
