/* mtu.c - path MTU by padded packets (S14.6). */
#include "pathway/mtu.h"

#include <string.h>

enum {
    PAD_EVERY = 4,
    PAD_EVERY_SUSPECTED = 2,
};

void svr__mtu_init(svr__mtu *m, uint16_t floor, uint16_t max)
{
    *m = (svr__mtu){
        .due = SVR_NEVER,
        .floor = floor,
        .max = max > floor ? max : floor,
        .too_big = UINT32_MAX,
        .mtu = floor,
    };
}

bool svr__mtu_known(const svr__mtu *m)
{
    return m->mtu > m->floor || m->too_big <= m->max || m->max == m->floor;
}

static void try_size(svr__mtu *m, uint16_t size, svr_time now)
{
    m->size = size;
    m->tries = 0;
    m->due = now;
}

/* The middle between what passes and what does not, while there is one. */
static void search_on(svr__mtu *m, svr_time now)
{
    if (m->too_big > m->mtu + 1u) {
        try_size(m, (uint16_t)((m->mtu + m->too_big) / 2), now);
    } else {
        m->size = 0;
        m->due = now + SVR__MTU_INTERVAL;
    }
}

static void start_search(svr__mtu *m, svr_time now)
{
    m->too_big = m->max + 1u;
    if (m->mtu < m->max)
        try_size(m, m->max, now);
    else
        search_on(m, now);
}

void svr__mtu_start(svr__mtu *m, svr_time now)
{
    m->lost_count = 0;
    m->suspected = false;
    start_search(m, now);
}

void svr__mtu_stop(svr__mtu *m)
{
    m->due = SVR_NEVER;
    m->size = 0;
}

uint16_t svr__mtu_pad(svr__mtu *m, uint64_t number)
{
    uint8_t every = m->suspected ? PAD_EVERY_SUSPECTED : PAD_EVERY;

    if (m->due == SVR_NEVER || ++m->unpadded < every)
        return 0;
    m->unpadded = 0;
    if (m->lost_count < SVR__MTU_TRIES)
        m->lost[m->lost_count++] = number;
    return m->mtu;
}

/* Whether a try is due: the silence after the last one may have ended the
 * search, or begun one with another size. */
static bool is_try_due(svr__mtu *m, svr_time now)
{
    if (now < m->due)
        return false;
    if (m->size == 0) {
        start_search(m, now);
    } else if (m->tries == SVR__MTU_TRIES) {
        m->too_big = m->size;
        search_on(m, now);
    }
    return now >= m->due;
}

uint16_t svr__mtu_send(svr__mtu *m, uint64_t number, svr_time now)
{
    if (!is_try_due(m, now))
        return 0;
    if (m->tries++ == 0)
        m->first = number;
    m->due = now + SVR__MTU_PATIENCE;
    return m->size;
}

void svr__mtu_suspect(svr__mtu *m)
{
    m->suspected = true;
}

/* The peer had that padded packet, and so the ones before it are no sign. */
static void forget_lost(svr__mtu *m, uint64_t number)
{
    uint8_t gone = 0;

    while (gone < m->lost_count && m->lost[gone] <= number)
        gone++;
    if (gone == 0)
        return;
    m->suspected = false;
    m->lost_count = (uint8_t)(m->lost_count - gone);
    memmove(m->lost, m->lost + gone, m->lost_count * sizeof(m->lost[0]));
}

static bool take_report(svr__mtu *m, const svr_bfd_padded *padded, svr_time now)
{
    forget_lost(m, padded->number);
    if (m->size == 0 || m->tries == 0 || padded->number < m->first ||
        padded->size < m->size)
        return false;
    m->mtu = m->size;
    search_on(m, now);
    return true;
}

/* Three in a row, and the peer has had a later packet. */
static bool take_loss(svr__mtu *m, uint64_t highest, svr_time now)
{
    if (m->lost_count == 0 || highest <= m->lost[m->lost_count - 1])
        return false;
    m->suspected = true;
    if (m->lost_count < SVR__MTU_TRIES || m->mtu == m->floor)
        return false;
    m->too_big = m->mtu;
    m->mtu = m->floor;
    m->lost_count = 0;
    m->suspected = false;
    search_on(m, now);
    return true;
}

bool svr__mtu_heard(svr__mtu *m, uint64_t highest, const svr_bfd_padded *padded,
                    svr_time now)
{
    bool grown;

    if (m->due == SVR_NEVER)
        return false;
    grown = padded && take_report(m, padded, now);
    return take_loss(m, highest, now) || grown;
}
