/*
 * node_forge.h - packets with metadata of a test's own making, rightly signed,
 * for networks of node_net.h in HMAC mode regular.
 */
#ifndef SVR_TESTS_NODE_FORGE_H
#define SVR_TESTS_NODE_FORGE_H

#include "node_net.h"

/* A packet from one router to another on this tuple, TCP (an ACK) or UDP, with
 * nine bytes of payload. The security id is filled in. */
struct frame forge_signed(const char *from, const char *to,
                          const svr_metadata *md, const svr_tuple *t);
/* From branch to dc, to port 20001. */
struct frame forge_from_branch(const svr_metadata *md, uint16_t sport,
                               uint8_t proto);
/* What dc takes from branch: a session of UDP, client port 50, server port 9,
 * UUID 1, packet number 1, without an exchange number. */
svr_metadata forge_metadata(void);
void forge_record(svr_metadata *md, const char *bytes, size_t len);

#endif
