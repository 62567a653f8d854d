/* The generations of keys that are alive (S11.6, S12.4). */
#include "crypto/exchange.h"

#include <string.h>

static bool is_live(const svr_generation *g)
{
    return g->number != 0;
}

svr_generation *svr__generation_find(svr_exchange *x, uint32_t number)
{
    for (size_t i = 0; number != 0 && i < SVR_EXCHANGE_LIVE; i++)
        if (x->live[i].number == number)
            return &x->live[i];
    return NULL;
}

/* Its run was given up before CONFIRM came. */
static bool is_abandoned(const svr_exchange *x, const svr_generation *g)
{
    return g->send_id == 0 && g->number != x->run.number;
}

svr_generation *svr__generation_place(svr_exchange *x)
{
    svr_generation *oldest = NULL;

    for (size_t i = 0; i < SVR_EXCHANGE_LIVE; i++) {
        svr_generation *g = &x->live[i];
        if (!is_live(g))
            return g;
        if (is_abandoned(x, g) && (!oldest || g->number < oldest->number))
            oldest = g;
    }
    return oldest;
}

uint32_t svr__generation_newest(const svr_exchange *x)
{
    uint32_t newest = 0;

    for (size_t i = 0; i < SVR_EXCHANGE_LIVE; i++)
        if (x->live[i].number > newest)
            newest = x->live[i].number;
    return newest;
}

uint32_t svr__generation_next(uint32_t after, bool by_lower)
{
    uint32_t next = after + 1;

    return (next % 2 == 0) == by_lower ? next : next + 1;
}

static uint32_t take_id(svr_identity *id)
{
    if (id->next_id == 0)
        id->next_id = 1;
    return id->next_id++;
}

void svr__generation_make(svr_exchange *x, svr_generation *g, uint32_t number,
                          const uint8_t peer_key[SVR_KEY_SIZE], svr_time now)
{
    *g = (svr_generation){
        .number = number,
        .receive_id = take_id(x->identity),
        .made = now,
        .dies = SVR_NEVER,
    };
    memcpy(g->peer_key, peer_key, SVR_KEY_SIZE);
    memcpy(g->own_metadata, x->identity->metadata_key, SVR_KEY_SIZE);
}

void svr__generation_use(svr_exchange *x, const svr_generation *g)
{
    if (g->number > x->current)
        x->current = g->number;
}

void svr_exchange_heard(svr_exchange *x, uint32_t number, svr_time now)
{
    if (number > x->current || !svr__generation_find(x, number))
        return;
    for (size_t i = 0; i < SVR_EXCHANGE_LIVE; i++) {
        svr_generation *g = &x->live[i];
        if (is_live(g) && g->number < number && g->dies == SVR_NEVER)
            g->dies = now + SVR_EXCHANGE_OVERLAP;
    }
}

svr_time svr__generations_due(const svr_exchange *x)
{
    svr_time due = SVR_NEVER;

    for (size_t i = 0; i < SVR_EXCHANGE_LIVE; i++)
        if (is_live(&x->live[i]) && x->live[i].dies < due)
            due = x->live[i].dies;
    return due;
}

void svr__generations_expire(svr_exchange *x, svr_time now)
{
    for (size_t i = 0; i < SVR_EXCHANGE_LIVE; i++)
        if (is_live(&x->live[i]) && x->live[i].dies <= now)
            svr_wipe(&x->live[i], sizeof(x->live[i]));
}

const svr_generation *svr_exchange_current(const svr_exchange *x)
{
    return svr_exchange_by_number(x, x->current);
}

const svr_generation *svr_exchange_by_number(const svr_exchange *x,
                                             uint32_t number)
{
    for (size_t i = 0; number != 0 && i < SVR_EXCHANGE_LIVE; i++)
        if (x->live[i].number == number)
            return &x->live[i];
    return NULL;
}

const svr_generation *svr_exchange_by_id(const svr_exchange *x,
                                         uint32_t receive_id)
{
    for (size_t i = 0; i < SVR_EXCHANGE_LIVE; i++)
        if (is_live(&x->live[i]) && x->live[i].receive_id == receive_id)
            return &x->live[i];
    return NULL;
}
