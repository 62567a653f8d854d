/*
 * pathway.h - one peer pathway: whether it lives, how good it is, and what lies
 * between its two waypoints (S14, S15).
 *
 * A svr_pathway is a value without memory, clock or packets of its own.
 * Messages go in and out decoded; the caller signs, encodes, sends, receives
 * and verifies them. One loop serves it:
 *
 *     for each packet that has arrived:  svr_pathway_receive
 *     now >= svr_pathway_due:            svr_pathway_handle, then
 *                                        svr_pathway_send until it returns 0
 *
 * What has arrived is handed in first: a process that was stopped then takes
 * the packets that waited for it as a sign of life.
 */
#ifndef SVR_PATHWAY_H
#define SVR_PATHWAY_H

#include <svr/bfd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Figures over the last minute; after a sudden change for the worse, latency is
 * that of the last two rounds of measurement. */
typedef struct svr_quality {
    uint32_t loss_ppm;   /* packets lost, in a million */
    uint32_t latency_us; /* one way: half the round trip */
    uint32_t jitter_us;  /* root mean square of the change of the one-way time
                            from one packet to the next */
    uint16_t mos;        /* mean opinion score (S14.7), thousandths */
} svr_quality;

/* Start from svr_pathway_settings_init; local must be set. */
typedef struct svr_pathway_settings {
    svr_bfd_endpoint local;  /* as this router sees it; port 1280 */
    svr_bfd_endpoint remote; /* port 1280; without an address where the peer
                                must speak first (S14.9) */
    uint32_t boot_counter;   /* of this router (S8.4) */
    uint32_t desired_tx;     /* microseconds, 1,000,000; at least 1 */
    uint32_t required_rx;    /* microseconds, 1,000,000; at least 1 */
    uint8_t multiplier;      /* 3; at least 1 */
    bool peer_multiplier;    /* detection by RFC 5880: the peer's multiplier
                                counts, not the own one (S14.1) */
    bool plain;              /* BFD alone, for other implementations: messages
                                have no block and nothing is measured */
    bool tcp_probes;         /* find out whether TCP gets through (S14.8); says
                                nothing where the peer is behind a NAT */
    uint16_t mtu;            /* of the interface; 1500 */
    svr_time hold_down;      /* 5 s */
} svr_pathway_settings;

SVR_API void svr_pathway_settings_init(svr_pathway_settings *c);

/* TCP probes (S14.8), in the order in which they are sent. */
enum svr_tcp_probe {
    SVR_TCP_PROBE_SYN,       /* a SYN with data, to port 1280 */
    SVR_TCP_PROBE_MIDFLOW,   /* data without a SYN before it, to port 1280 */
    SVR_TCP_PROBE_OTHER_SYN, /* a SYN with data, to port 1283 */
    SVR_TCP_PROBE_JUMBO_SYN, /* one that fills the MTU, to port 1283 */
    SVR_TCP_PROBES
};

#define SVR_TCP_PROBE_PORT 1280
#define SVR_TCP_PROBE_OTHER_PORT 1283

/* What the caller makes of a message. */
enum svr_pathway_kind {
    SVR_PATHWAY_BFD,        /* `bfd` and, if not plain, `block`, in UDP */
    SVR_PATHWAY_TCP_PROBE,  /* the same in the TCP segment `tcp_probe` */
    SVR_PATHWAY_KEEP_ALIVE, /* a signed control packet 1 (S7, S14.9) */
    SVR_PATHWAY_METRICS,    /* a packet that carries `metrics` alone (S15) */
};

/*
 * A message. The block holds all that is this object's business; the caller
 * adds type 16, the router's name and whatever else it has to say.
 */
typedef struct svr_pathway_message {
    uint8_t kind;          /* enum svr_pathway_kind; only in messages sent */
    uint8_t tcp_probe;     /* enum svr_tcp_probe; only in messages sent */
    uint16_t size;         /* of the IP packet. Sent: fill it up to this by the
                              attribute PADDING, which is present then, 0: as it is.
                              Received: as it came */
    svr_bfd_endpoint from; /* received: as it came, not as the block says */
    svr_bfd_endpoint to;   /* only in messages sent */
    svr_bfd_packet bfd;
    svr_bfd_block block;
    svr_path_metrics metrics;
} svr_pathway_message;

/* What has changed, or'ed. */
enum svr_pathway_change {
    SVR_PATHWAY_CHANGED_STATE = 1,   /* or whether it is ready */
    SVR_PATHWAY_CHANGED_QUALITY = 2, /* there are new figures */
    SVR_PATHWAY_CHANGED_MTU = 4,
    SVR_PATHWAY_CHANGED_NAT = 8,      /* either end is seen elsewhere: metadata
                                         is due again (S6.8 b) */
    SVR_PATHWAY_PEER_RESTARTED = 16,  /* S8.4 */
    SVR_PATHWAY_CHANGED_TCP = 32,     /* whether TCP goes as UDP */
    SVR_PATHWAY_CHANGED_PINHOLE = 64, /* see svr_pathway_pinhole */
    SVR_PATHWAY_REPLAYED = 128,       /* nothing, by this message: its number,
                                         or the lack of one, forbids it */
};

typedef struct svr_pathway svr_pathway;

/* Bytes of a svr_pathway: a multiple of the strictest alignment, so that many
 * can stand in a row. */
SVR_API size_t svr_pathway_size(void);

/*
 * Makes a pathway, which is down and speaks at once, in svr_pathway_size()
 * bytes at p, aligned for any type. It holds nothing that would have to be
 * given back. random is copied. A pathway that is made in place of another one
 * speaks to a peer that remembers the other's numbers: both go by the same
 * clock, and the numbers begin with it. SVR_ERR_ARGUMENT: an interval or
 * multiplier of 0, or no local address.
 */
SVR_API SVR_MUST_CHECK int
svr_pathway_init(svr_pathway *p, const svr_pathway_settings *settings,
                 const svr_random *random, svr_time now);

/*
 * Takes a message of this pathway's peer that svr_bfd_decode and
 * svr_bfd_block_decode accept, with a tag that is right; a plain pathway takes
 * what svr_bfd_decode accepts. Returns what changed.
 *
 * The block's numbers are the protection against replay (S11.7): a message
 * with a lower boot counter than the peer's, or a number that was there before,
 * or 64 below the highest, changes nothing. One that was merely overtaken by
 * others counts for what is measured and moves nothing else.
 */
SVR_API unsigned
svr_pathway_receive(svr_pathway *p, const svr_pathway_message *m, svr_time now);

/* The next message that is due: 1, or 0 where there is none. */
SVR_API SVR_MUST_CHECK int
svr_pathway_send(svr_pathway *p, svr_pathway_message *out, svr_time now);

/* A message beside those that are due, for what the caller has to say. 0: the
 * pathway is plain, or its peer not yet known. */
SVR_API SVR_MUST_CHECK int svr_pathway_speak(svr_pathway *p,
                                             svr_pathway_message *out);

/* When svr_pathway_handle and svr_pathway_send have something to do: a time
 * that is past for at once, or SVR_NEVER. */
SVR_API svr_time svr_pathway_due(const svr_pathway *p);

/* Does what time asks for. Returns what changed, by this call or by one that
 * cannot say so itself. */
SVR_API unsigned svr_pathway_handle(svr_pathway *p, svr_time now);

/* Takes the pathway down until it is enabled again. */
SVR_API void svr_pathway_admin(svr_pathway *p, bool down, svr_time now);

/* Other intervals and another multiplier, which the peer is asked to confirm;
 * nothing else of settings is looked at. SVR_ERR_ARGUMENT as above. */
SVR_API SVR_MUST_CHECK int
svr_pathway_change(svr_pathway *p, const svr_pathway_settings *settings);

/* ICMP says that a packet was too big for the pathway. That makes it look
 * sooner, and is not believed otherwise (S14.6). */
SVR_API void svr_pathway_too_big(svr_pathway *p);

/* A packet of a session that needs no splitting is about to be sent: true where
 * it shall carry *out as type 26 (S15). */
SVR_API bool svr_pathway_mark(svr_pathway *p, svr_path_metrics *out,
                              svr_time now);
/* An authentic packet with type 26 has come, and not for the second time. */
SVR_API void svr_pathway_marked(svr_pathway *p, const svr_path_metrics *m,
                                svr_time now);

/* A pinhole that was asked for (S14.9). */
typedef struct svr_pinhole {
    svr_bfd_pinhole ports; /* `local` is this router's */
    svr_bfd_endpoint seen; /* the peer's end, if open */
    bool open;             /* else the peer did not answer in 3 s */
} svr_pinhole;

/* Asks the peer for a pinhole. SVR_ERR_FULL: four wait already; EXISTS: one
 * with the same own port does; NOT_FOUND: the pathway is not up, or plain. */
SVR_API SVR_MUST_CHECK int
svr_pathway_ask(svr_pathway *p, const svr_bfd_pinhole *ports, svr_time now);
/* A signed keep-alive of the peer came to that own port from `seen`. */
SVR_API void svr_pathway_heard(svr_pathway *p, uint16_t local_port,
                               const svr_bfd_endpoint *seen);
/* Takes the next pinhole whose outcome is known: 1, or 0. */
SVR_API SVR_MUST_CHECK int svr_pathway_pinhole(svr_pathway *p,
                                               svr_pinhole *out);

typedef struct svr_pathway_info {
    uint8_t state;   /* enum svr_bfd_state: sessions may use it when up */
    uint8_t reason;  /* enum svr_bfd_diag: why it last went down */
    bool ready;      /* new sessions may use it, and sessions move back to it:
                        hold-down is over and it has not flapped */
    bool measured;   /* quality is known */
    bool by_traffic; /* quality comes from real packets (S15) */
    bool peer_nat;   /* a NAT stands before the peer */
    bool own_nat;    /* or before this router */
    bool tcp_as_udp; /* S14.8 */
    bool mtu_known;  /* else mtu is only where the search begins */
    uint16_t mtu;    /* the largest IP packet known to pass */
    uint32_t flaps;  /* how often it has failed */
    uint32_t peer_boot_counter; /* 0: not known */
    svr_time since;             /* the state's beginning */
    svr_quality quality;
    svr_bfd_endpoint peer;     /* where messages go */
    svr_bfd_endpoint observed; /* this router, as the peer sees it */
} svr_pathway_info;

SVR_API void svr_pathway_describe(const svr_pathway *p, svr_pathway_info *out,
                                  svr_time now);

#ifdef __cplusplus
}
#endif

#endif
