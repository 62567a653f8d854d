/*
 * topology.h - how routers tell each other of the network (S14.3, S16.1).
 *
 * Who exists is said by the authority: which routers, which pathways between
 * them, which services where. A svr_chart is one router's knowledge of how all
 * that is doing: it begins as the authority has it, with every pathway down,
 * and learns. Each router says of its own pathways whether they are up and how
 * good, of its services how loaded they are; that goes from neighbour to
 * neighbour until all have it. What comes out is a svr_topology for
 * svr_path_find, the same on every router once it is quiet.
 *
 * What a router says comes in numbered parts, each with a sequence that rises:
 * the higher one is the newer. Whoever gets a newer part sends it on to all
 * other neighbours, and again until they say that they have seen it. A part
 * that its router has not renewed for SVR_CHART_MAX_AGE is void. A pathway
 * counts as up only if both its ends say so.
 *
 * A chart has no clock and no packets: messages are bytes, which the caller
 * carries as the attribute TOPOLOGY of BFD packets, signed as these are. One
 * loop serves it:
 *
 *     for each message that arrives:  svr_chart_receive
 *     now >= svr_chart_due:           svr_chart_handle, then for each neighbour
 *                                     svr_chart_send until it answers 0
 *
 * Its memory is allocated at its creation. A neighbour is believed what it says
 * of others: all routers of an authority trust each other so far.
 */
#ifndef SVR_TOPOLOGY_H
#define SVR_TOPOLOGY_H

#include <svr/path.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A part is renewed this long after it was last said, */
#define SVR_CHART_REFRESH (1800 * SVR_SECOND)
/* and void this long after. */
#define SVR_CHART_MAX_AGE (3600 * SVR_SECOND)
/* Small changes are told so late, */
#define SVR_CHART_LATE (10 * SVR_SECOND)
/* and large ones at once, but so far apart; after ten of them one each second.
 */
#define SVR_CHART_APART (100 * SVR_MILLISECOND)
/* Room that any message fits in, and that is wanted for one. */
#define SVR_CHART_MESSAGE 800
#define SVR_CHART_MESSAGE_LEAST 256
/* What a message costs beyond its bytes, for svr_chart_config.rate. */
#define SVR_CHART_OVERHEAD 256

/* A limit of quality that is of interest, as a policy of services has it: to
 * cross it is a large change. */
typedef struct svr_chart_limit {
    uint32_t latency_us, jitter_us, loss_ppm; /* at most; SVR_PATH_NO_LIMIT */
    uint16_t min_mos;                         /* thousandths; 0: none */
} svr_chart_limit;

typedef struct svr_chart_config {
    const svr_topology *network; /* as the authority has it; all of it is
                                    copied. up, latency, jitter and loss of
                                    pathways, and loads of services, are not
                                    looked at. Both directions of a pathway have
                                    one link. No index is needed */
    const char *const *services; /* names, by svr_path_instance.service */
    size_t service_count;
    uint32_t self;              /* which router this is */
    const uint32_t *neighbours; /* routers that it speaks to */
    size_t neighbour_count;
    uint32_t boot;                 /* higher after each start (S11.7) */
    const svr_chart_limit *limits; /* copied */
    size_t limit_count;
    uint32_t rate, burst; /* bytes a second to each neighbour, and at once:
                             16,000 and 64,000 */
    svr_allocator alloc;
} svr_chart_config;

/* All empty but rate, burst and the limits of S16.2: 250 ms, 100 ms, 0.5 %. */
SVR_API void svr_chart_config_init(svr_chart_config *c);

typedef struct svr_chart svr_chart;

/* 0, or SVR_ERR_NO_MEMORY, ARGUMENT (self, a neighbour, an end of a pathway, a
 * service or a link out of range; the router as its own neighbour; three
 * directions of one link, or two that are not opposite; a rate or a burst that
 * is too small for a message), EXISTS (two routers, or two pathways of one,
 * have the same name). */
SVR_API SVR_MUST_CHECK int
svr_chart_create(svr_chart **out, const svr_chart_config *config, svr_time now);
SVR_API void svr_chart_destroy(svr_chart *c); /* NULL is allowed */

/* Takes over what another chart of this router knows, before either is used
 * any more: after a change of the authority, of which both may be different
 * versions. What the new one has no place for is lost. */
SVR_API void svr_chart_adopt(svr_chart *c, const svr_chart *old, svr_time now);

/* ---- what this router has to say ---- */

/* How a pathway is doing, as one of its ends has it. */
typedef struct svr_chart_figures {
    bool up;
    bool measured; /* the figures are known */
    uint32_t latency_us, jitter_us, loss_ppm;
} svr_chart_figures;

/* An own pathway by its name: its edge, or SVR_PATH_NONE. */
SVR_API uint32_t svr_chart_own(const svr_chart *c, const char *pathway);

/* An own pathway is as it says, as often as anything is known: what is worth
 * telling is decided here. Large changes are those of its state, of more than
 * half of a figure, and across a limit; small ones of more than a tenth. Others
 * are not told. Nothing where the edge is none of the own. */
SVR_API void svr_chart_report(svr_chart *c, uint32_t edge,
                              const svr_chart_figures *figures, svr_time now);
/* The load of a service that leaves here. */
SVR_API void svr_chart_load(svr_chart *c, uint32_t service, uint32_t load,
                            svr_time now);

/* ---- neighbours, by their place in the configuration ---- */

/* Messages get through to the neighbour, or no longer. They do not at first. */
SVR_API void svr_chart_neighbour(svr_chart *c, size_t neighbour, bool up,
                                 svr_time now);

/* Takes a message of the neighbour. 0, or, with nothing changed, what is wrong
 * with it: SVR_ERR_TRUNCATED, VERSION, LENGTH, VALUE; REPLAY: of a neighbour
 * that has restarted since. */
SVR_API SVR_MUST_CHECK int svr_chart_receive(svr_chart *c, size_t neighbour,
                                             svr_span message, svr_time now);

/* The next message to the neighbour: its length, or 0 where there is none now.
 * cap is SVR_CHART_MESSAGE_LEAST or more. */
SVR_API SVR_MUST_CHECK size_t svr_chart_send(svr_chart *c, size_t neighbour,
                                             uint8_t *buf, size_t cap,
                                             svr_time now);

/* When svr_chart_handle or svr_chart_send have something to do; the latter to
 * that neighbour. */
SVR_API svr_time svr_chart_due(const svr_chart *c);
SVR_API svr_time svr_chart_neighbour_due(const svr_chart *c, size_t neighbour);
/* Does what time asks for. */
SVR_API void svr_chart_handle(svr_chart *c, svr_time now);

/* ---- what is known ---- */

/*
 * The network as it is, of the routers, edges and instances of the
 * configuration, in the same order; without an index, for which the caller has
 * memory: it stays good as long as the chart. A pathway whose figures its own
 * end does not know has those of the other end; if there are none, the worst.
 */
SVR_API const svr_topology *svr_chart_graph(const svr_chart *c);
/* Another number whenever that has changed, or what is told of any edge; */
SVR_API uint64_t svr_chart_version(const svr_chart *c);
/* and whenever something went up or down. */
SVR_API uint64_t svr_chart_states(const svr_chart *c);
/* When the load of an instance was last said, as far as its age is known; 0:
 * never. */
SVR_API svr_time svr_chart_load_said(const svr_chart *c, size_t instance);
/* The other direction of an edge, or SVR_PATH_NONE. */
SVR_API uint32_t svr_chart_other(const svr_chart *c, uint32_t edge);

typedef struct svr_chart_router {
    bool heard;        /* something of it is valid */
    uint32_t parts;    /* that are */
    uint64_t sequence; /* the highest: of which start, in its upper half */
    svr_time age;      /* of the newest part */
} svr_chart_router;

SVR_API void svr_chart_describe(const svr_chart *c, uint32_t router,
                                svr_chart_router *out, svr_time now);

/* What the beginning of an edge says of it; false: nothing. */
SVR_API bool svr_chart_figures_of(const svr_chart *c, uint32_t edge,
                                  svr_chart_figures *out);

/* What has happened so far. */
typedef struct svr_chart_counters {
    uint64_t sent, received; /* messages, */
    uint64_t bytes_sent, bytes_received;
    uint64_t refused;     /* broken or late ones among the latter */
    uint64_t parts_sent;  /* with those sent again */
    uint64_t parts_again; /* those */
    uint64_t parts_new;   /* received and taken */
    uint64_t parts_old;   /* received and known */
    uint64_t parts_alien; /* of no router of the authority, or one too many */
    uint64_t parts_void;  /* not renewed in time */
    uint64_t told;        /* own parts, each time */
} svr_chart_counters;

SVR_API void svr_chart_count(const svr_chart *c, svr_chart_counters *out);

#ifdef __cplusplus
}
#endif

#endif
