/*
 * link.h - one direction of a line: what a network does to packets.
 */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "buffer.h"
#include "prng.h"

struct link {
    svr_time delay;
    svr_time jitter; /* added at random; keeps the order */
    uint32_t loss_ppm;
    uint32_t copy_ppm;    /* arrive twice */
    uint32_t reorder_ppm; /* are overtaken */
    uint32_t corrupt_ppm;
    bool sly;      /* corruption that a checksum does not see, too */
    unsigned cut;  /* for how many reasons nothing passes */
    uint16_t mtu;  /* longer packets vanish */
    uint64_t rate; /* bits a second, 0: any */
    svr_time free; /* where there is a rate: when the last packet is through */
    svr_time last; /* arrival of the last one that was not reordered */
};

/* Why a packet did not arrive. */
enum link_fate {
    LINK_ARRIVES,
    LINK_DOWN,
    LINK_LOSES,
    LINK_TOO_LONG,
    LINK_QUEUE_FULL,
};

/* As a network without troubles has it. */
void link_init(struct link *l, svr_time delay);

/* What becomes of a packet of that length; *at is when it arrives. */
enum link_fate link_send(struct link *l, struct prng *p, size_t len,
                         svr_time now, svr_time *at);

/* Changes a bit or, if sly, perhaps exchanges two words of 16 bits instead.
 * Returns which byte. */
size_t link_corrupt(const struct link *l, struct prng *p, svr_packet *packet);

#endif
