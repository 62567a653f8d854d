/*
 * bfd.h - what two routers say to each other about a pathway (S14): a BFD
 * control packet (RFC 5880) in UDP.
 *
 * This is the codec alone. What does not hang on the state of a session is
 * checked here; the rest of RFC 5880 section 6.8.6 is the caller's.
 */
#ifndef SVR_BFD_H
#define SVR_BFD_H

#include <svr/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SVR_BFD_PORT 1280
/* A packet as it is sent: without an authentication section. */
#define SVR_BFD_SIZE 24

/* X(NAME, number, "text"), as RFC 5880 section 4.1 spells them. */
#define SVR_BFD_STATE_MAP(X)      \
    X(ADMIN_DOWN, 0, "AdminDown") \
    X(DOWN, 1, "Down")            \
    X(INIT, 2, "Init")            \
    X(UP, 3, "Up")

enum svr_bfd_state {
#define X(name, number, text) SVR_BFD_##name = number,
    SVR_BFD_STATE_MAP(X)
#undef X
};

/* Why the session was last taken down. X(NAME, number, "text") */
#define SVR_BFD_DIAG_MAP(X)                           \
    X(NONE, 0, "none")                                \
    X(EXPIRED, 1, "detection-time-expired")           \
    X(ECHO_FAILED, 2, "echo-failed")                  \
    X(NEIGHBOUR_DOWN, 3, "neighbour-signalled-down")  \
    X(PLANE_RESET, 4, "forwarding-plane-reset")       \
    X(PATH_DOWN, 5, "path-down")                      \
    X(CONCATENATED_DOWN, 6, "concatenated-path-down") \
    X(ADMIN_DOWN, 7, "administratively-down")         \
    X(REVERSE_DOWN, 8, "reverse-concatenated-path-down")

enum svr_bfd_diag {
#define X(name, number, text) SVR_BFD_DIAG_##name = number,
    SVR_BFD_DIAG_MAP(X)
#undef X
};

/* The texts above; "reserved" for a value that is not in the list. Static
 * storage, never NULL. */
SVR_API const char *svr_bfd_state_name(uint8_t state);
SVR_API const char *svr_bfd_diag_name(uint8_t diag);

/* A control packet. Version, the bits A and M and the length have no field:
 * only one value of each is accepted or sent. All intervals in microseconds. */
typedef struct svr_bfd_packet {
    uint8_t state; /* enum svr_bfd_state */
    uint8_t diag;  /* enum svr_bfd_diag, or another value up to 31 */
    bool poll, final;
    bool control_plane_independent;
    bool demand;
    uint8_t multiplier;
    uint32_t my_discriminator, your_discriminator;
    uint32_t desired_min_tx, required_min_rx, required_min_echo_rx;
} svr_bfd_packet;

/*
 * Reads the packet at buf, where len bytes follow the UDP header. Returns how
 * many bytes it takes, as its length field says; the block (S14.3) follows
 * them. Errors, by the first rule of RFC 5880 section 6.8.6 that is broken:
 * SVR_ERR_TRUNCATED (less than SVR_BFD_SIZE), VERSION (not 1), LENGTH (the
 * length field is under 24, under 26 with the bit A, or passes len), VALUE
 * (multiplier 0, the bit M, my discriminator 0, your discriminator 0 in Init
 * or Up), UNSUPPORTED (an authentication section: S14.3 signs otherwise).
 */
SVR_API SVR_MUST_CHECK ptrdiff_t svr_bfd_decode(svr_bfd_packet *p,
                                                const uint8_t *buf, size_t len);

/* Writes p to buf, which has room for SVR_BFD_SIZE bytes. 0, or
 * SVR_ERR_ARGUMENT where p breaks a rule of svr_bfd_decode or a field has more
 * bits than the packet. */
SVR_API SVR_MUST_CHECK int svr_bfd_encode(uint8_t *buf,
                                          const svr_bfd_packet *p);

#ifdef __cplusplus
}
#endif

#endif
