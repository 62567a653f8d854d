#include "wire/headers.h"

/* Moves all headers by -change bytes: a gap opens behind them, or what stood
 * there is covered. */
static void move_headers(svr_packet *p, const svr_headers *h, int change)
{
    memmove(p->data - change, p->data, h->payload);
    p->data -= change;
    p->len = (uint32_t)((int64_t)p->len + change);
    p->headroom = svr__room(p->headroom, -change);
    svr__lengths_write(p->data, p->len, h->l4, h->tuple.proto);
}

int svr_packet_insert(svr_packet *p, svr_headers *h, size_t len)
{
    if (!svr__has_ports(h->tuple.proto))
        return SVR_ERR_ARGUMENT;
    if (len > SVR_PACKET_MAX || p->len + len > SVR_PACKET_MAX)
        return SVR_ERR_LENGTH;
    if (len > p->headroom)
        return SVR_ERR_NO_SPACE;
    move_headers(p, h, (int)len);
    return 0;
}

int svr_packet_remove(svr_packet *p, svr_headers *h, size_t len)
{
    if (!svr__has_ports(h->tuple.proto))
        return SVR_ERR_ARGUMENT;
    if (len > p->len - h->payload)
        return SVR_ERR_TRUNCATED;
    move_headers(p, h, -(int)len);
    return 0;
}

int svr_packet_extend(svr_packet *p, svr_headers *h, int len)
{
    int64_t now = (int64_t)p->len + len;

    if (now > SVR_PACKET_MAX)
        return SVR_ERR_LENGTH;
    if (len > p->tailroom)
        return SVR_ERR_NO_SPACE;
    if (now < h->payload)
        return SVR_ERR_TRUNCATED;
    p->len = (uint32_t)now;
    p->tailroom = svr__room(p->tailroom, -(long)len);
    svr__lengths_write(p->data, p->len, h->l4, h->tuple.proto);
    return 0;
}
