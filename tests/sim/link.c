#include "link.h"

/* A queue before a slow line holds as much as that. */
#define LINK_PATIENCE (200 * SVR_MILLISECOND)

void link_init(struct link *l, svr_time delay)
{
    *l = (struct link){.delay = delay, .mtu = SIM_MTU};
}

/* When the packet has left through a line that has a rate. */
static bool through(struct link *l, size_t len, svr_time now, svr_time *at)
{
    *at = now;
    if (!l->rate)
        return true;
    if (l->free < now)
        l->free = now;
    if (l->free - now > LINK_PATIENCE)
        return false;
    l->free += len * 8 * SVR_SECOND / l->rate;
    *at = l->free;
    return true;
}

enum link_fate link_send(struct link *l, struct prng *p, size_t len,
                         svr_time now, svr_time *at)
{
    if (l->cut)
        return LINK_DOWN;
    if (len > l->mtu)
        return LINK_TOO_LONG;
    if (prng_chance(p, l->loss_ppm))
        return LINK_LOSES;
    if (!through(l, len, now, at))
        return LINK_QUEUE_FULL;
    *at += l->delay;
    if (l->jitter)
        *at += prng_below(p, l->jitter);
    if (prng_chance(p, l->reorder_ppm)) {
        *at += prng_below(p, l->delay + 5 * SVR_MILLISECOND);
    } else {
        if (*at < l->last)
            *at = l->last;
        l->last = *at;
    }
    return LINK_ARRIVES;
}

/* Exchanges two words of 16 bits behind the headers, which no checksum sees. A
 * tag does not cover TCP's options (S11.4b), so those are left alone. */
static bool exchange(struct prng *p, svr_packet *packet, size_t *at)
{
    enum { HEADERS = 80 };
    size_t words = packet->len > HEADERS ? (packet->len - HEADERS) / 2 : 0;
    uint8_t *a, *b;

    if (words < 2)
        return false;
    *at = HEADERS + 2 * prng_below(p, words);
    a = packet->data + *at;
    b = packet->data + HEADERS + 2 * prng_below(p, words);
    for (int i = 0; i < 2; i++) {
        uint8_t keep = a[i];
        a[i] = b[i];
        b[i] = keep;
    }
    return true;
}

size_t link_corrupt(const struct link *l, struct prng *p, svr_packet *packet)
{
    size_t at = prng_below(p, packet->len);

    if (!l->sly || prng_below(p, 2) || !exchange(p, packet, &at))
        packet->data[at] = (uint8_t)(packet->data[at] ^ 1u << prng_below(p, 8));
    return at;
}
