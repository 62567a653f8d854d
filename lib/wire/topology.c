#include "wire/topology.h"

enum {
    VERSION = 1,
    UNHEARD = 1, /* of the head's flags */
    UP = 1,      /* of a pathway's */
    MEASURED = 2,
    SEEN_SIZE = 18, /* values */
    PART_SIZE = 20,
    PATHWAY_SIZE = 21,
    SERVICE_SIZE = 12,
    EVERYTHING = 1000000,
};

static void read_entry(svr__rd *rd, svr__topology_entry *e)
{
    e->id = svr__rd_u64(rd);
    if (e->kind == SVR__TOPOLOGY_SERVICE) {
        e->load = svr__rd_u32(rd);
        return;
    }
    uint8_t flags = svr__rd_u8(rd);
    e->up = flags & UP;
    e->measured = flags & MEASURED;
    e->latency_us = svr__rd_u32(rd);
    e->jitter_us = svr__rd_u32(rd);
    e->loss_ppm = svr__rd_u32(rd);
}

bool svr__topology_next_entry(svr__rd *rd, svr__topology_entry *out)
{
    while (rd->left > 0) {
        svr__rd value;

        *out = (svr__topology_entry){.kind = svr__rd_u8(rd)};
        svr__rd_sub(rd, svr__rd_u8(rd), &value);
        if (out->kind != SVR__TOPOLOGY_PATHWAY &&
            out->kind != SVR__TOPOLOGY_SERVICE)
            continue;
        read_entry(&value, out);
        return true;
    }
    return false;
}

static int check_entry(uint8_t kind, svr__rd value)
{
    svr__topology_entry e = {.kind = kind};
    size_t want = kind == SVR__TOPOLOGY_PATHWAY ? PATHWAY_SIZE : SERVICE_SIZE;

    if (kind != SVR__TOPOLOGY_PATHWAY && kind != SVR__TOPOLOGY_SERVICE)
        return 0;
    if (value.left != want)
        return SVR_ERR_LENGTH;
    read_entry(&value, &e);
    return e.loss_ppm > EVERYTHING ? SVR_ERR_VALUE : 0;
}

static int check_body(svr_span body)
{
    svr__rd rd = svr__rd_over(body.data, body.len);

    if (body.len > SVR__TOPOLOGY_BODY)
        return SVR_ERR_LENGTH;
    while (rd.left > 0) {
        svr__rd value;
        uint8_t kind = svr__rd_u8(&rd);

        svr__rd_sub(&rd, svr__rd_u8(&rd), &value);
        if (rd.overrun)
            return SVR_ERR_TRUNCATED;
        int err = check_entry(kind, value);
        if (err != 0)
            return err;
    }
    return 0;
}

static void read_item(svr__rd *rd, svr__topology_item *item)
{
    item->origin = svr__rd_u64(rd);
    item->number = svr__rd_u16(rd);
    item->sequence = svr__rd_u64(rd);
    if (item->kind != SVR__TOPOLOGY_PART)
        return;
    item->age = svr__rd_u16(rd);
    item->body = svr__rd_rest(rd);
}

bool svr__topology_next(svr__rd *rd, svr__topology_item *out)
{
    while (rd->left > 0) {
        svr__rd value;

        *out = (svr__topology_item){.kind = svr__rd_u8(rd)};
        svr__rd_sub(rd, svr__rd_u16(rd), &value);
        if (out->kind != SVR__TOPOLOGY_PART && out->kind != SVR__TOPOLOGY_SEEN)
            continue;
        read_item(&value, out);
        return true;
    }
    return false;
}

static int check_item(uint8_t kind, svr__rd value)
{
    svr__topology_item item = {.kind = kind};

    if (kind != SVR__TOPOLOGY_PART && kind != SVR__TOPOLOGY_SEEN)
        return 0;
    if (kind == SVR__TOPOLOGY_PART ? value.left < PART_SIZE
                                   : value.left != SEEN_SIZE)
        return SVR_ERR_LENGTH;
    read_item(&value, &item);
    if (item.sequence == 0 || item.sequence >= SVR__TOPOLOGY_SEQUENCE_END)
        return SVR_ERR_VALUE;
    return check_body(item.body);
}

static int check_items(svr__rd rd)
{
    while (rd.left > 0) {
        svr__rd value;
        uint8_t kind = svr__rd_u8(&rd);

        svr__rd_sub(&rd, svr__rd_u16(&rd), &value);
        if (rd.overrun)
            return SVR_ERR_TRUNCATED;
        int err = check_item(kind, value);
        if (err != 0)
            return err;
    }
    return 0;
}

int svr__topology_open(svr__topology_head *head, svr__rd *rd, svr_span message)
{
    svr__rd at = svr__rd_over(message.data, message.len);
    uint8_t version = svr__rd_u8(&at);
    svr__topology_head got = {.unheard = svr__rd_u8(&at) & UNHEARD};

    got.own = svr__rd_u64(&at);
    got.peer = svr__rd_u64(&at);
    if (at.overrun)
        return SVR_ERR_TRUNCATED;
    if (version != VERSION)
        return SVR_ERR_VERSION;
    if (got.own == 0)
        return SVR_ERR_VALUE;
    int err = check_items(at);
    if (err != 0)
        return err;
    *head = got;
    *rd = at;
    return 0;
}

void svr__topology_put_head(svr__wr *wr, const svr__topology_head *head)
{
    svr__wr_u8(wr, VERSION);
    svr__wr_u8(wr, head->unheard ? UNHEARD : 0);
    svr__wr_u64(wr, head->own);
    svr__wr_u64(wr, head->peer);
}

void svr__topology_put(svr__wr *wr, const svr__topology_item *item)
{
    bool part = item->kind == SVR__TOPOLOGY_PART;

    svr__wr_u8(wr, item->kind);
    svr__wr_u16(wr, (uint16_t)(part ? PART_SIZE + item->body.len : SEEN_SIZE));
    svr__wr_u64(wr, item->origin);
    svr__wr_u16(wr, item->number);
    svr__wr_u64(wr, item->sequence);
    if (!part)
        return;
    svr__wr_u16(wr, item->age);
    svr__wr_bytes(wr, item->body.data, item->body.len);
}

void svr__topology_put_entry(svr__wr *wr, const svr__topology_entry *e)
{
    svr__wr_u8(wr, e->kind);
    if (e->kind == SVR__TOPOLOGY_SERVICE) {
        svr__wr_u8(wr, SERVICE_SIZE);
        svr__wr_u64(wr, e->id);
        svr__wr_u32(wr, e->load);
        return;
    }
    svr__wr_u8(wr, PATHWAY_SIZE);
    svr__wr_u64(wr, e->id);
    svr__wr_u8(wr, (uint8_t)((e->up ? UP : 0) | (e->measured ? MEASURED : 0)));
    svr__wr_u32(wr, e->latency_us);
    svr__wr_u32(wr, e->jitter_us);
    svr__wr_u32(wr, e->loss_ppm);
}
