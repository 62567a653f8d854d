#include "wire/exchange.h"

#include "wire/cursor.h"

#include <assert.h>

enum {
    PREFIX = 2, /* kind and version */
};

static const uint8_t sealed_lens[] = {
    [SVR__EXCHANGE_START] = 0,    [SVR__EXCHANGE_ANSWER] = 128,
    [SVR__EXCHANGE_FINISH] = 164, [SVR__EXCHANGE_CONFIRM] = 52,
    [SVR__EXCHANGE_COOKIE] = 32,
};

static int read_start(svr__rd *rd, svr__exchange_message *m)
{
    m->highest = svr__rd_u32(rd);
    m->salt = svr__rd_bytes(rd, SVR__EXCHANGE_SALT);
    m->ephemeral = svr__rd_bytes(rd, SVR__EXCHANGE_EPHEMERAL);
    m->algorithms.len = svr__rd_u8(rd);
    m->algorithms.data = svr__rd_bytes(rd, m->algorithms.len);
    if (!rd->overrun && (m->algorithms.len == 0 ||
                         m->algorithms.len > SVR__EXCHANGE_ALGORITHMS))
        return SVR_ERR_LENGTH;
    return 0;
}

static void read_answer(svr__rd *rd, svr__exchange_message *m)
{
    m->generation = svr__rd_u32(rd);
    m->algorithm = svr__rd_u8(rd);
    m->salt = svr__rd_bytes(rd, SVR__EXCHANGE_SALT);
    m->ephemeral = svr__rd_bytes(rd, SVR__EXCHANGE_EPHEMERAL);
    m->ticket = svr__rd_bytes(rd, SVR__EXCHANGE_MAC);
}

static void read_finish(svr__rd *rd, svr__exchange_message *m)
{
    m->generation = svr__rd_u32(rd);
    m->algorithm = svr__rd_u8(rd);
    m->ticket = svr__rd_bytes(rd, SVR__EXCHANGE_MAC);
}

static void read_macs(svr__rd *rd, svr__exchange_message *m)
{
    m->mac1 = svr__rd_bytes(rd, SVR__EXCHANGE_MAC);
    m->mac2 = svr__rd_bytes(rd, SVR__EXCHANGE_MAC);
}

static int read_kind(svr__rd *rd, svr__exchange_message *m, svr_span bytes)
{
    int err = 0;

    switch (m->kind) {
    case SVR__EXCHANGE_START:
    case SVR__EXCHANGE_FINISH:
        err = read_start(rd, m);
        m->start =
            (svr_span){bytes.data + PREFIX, bytes.len - PREFIX - rd->left};
        if (m->kind == SVR__EXCHANGE_START)
            read_macs(rd, m);
        else
            read_finish(rd, m);
        return err;
    case SVR__EXCHANGE_ANSWER:
        read_answer(rd, m);
        return 0;
    case SVR__EXCHANGE_CONFIRM:
        m->generation = svr__rd_u32(rd);
        return 0;
    case SVR__EXCHANGE_COOKIE:
        m->nonce = svr__rd_bytes(rd, SVR__EXCHANGE_SALT);
        return 0;
    default:
        return SVR_ERR_VALUE;
    }
}

int svr__exchange_decode(svr__exchange_message *m, svr_span bytes)
{
    svr__rd rd = svr__rd_over(bytes.data, bytes.len);
    svr__exchange_message got = {.kind = svr__rd_u8(&rd)};
    uint8_t version = svr__rd_u8(&rd);

    got.index = svr__rd_u32(&rd);
    if (rd.overrun)
        return SVR_ERR_TRUNCATED;
    if (version != SVR__EXCHANGE_VERSION)
        return SVR_ERR_VERSION;
    int err = read_kind(&rd, &got, bytes);
    if (err != 0)
        return err;
    got.sealed.len = sealed_lens[got.kind];
    got.sealed.data = svr__rd_bytes(&rd, got.sealed.len);
    if (rd.overrun)
        return SVR_ERR_TRUNCATED;
    if (rd.left != 0)
        return SVR_ERR_LENGTH;
    *m = got;
    return 0;
}

static void write_start(svr__wr *wr, const svr__exchange_message *m)
{
    svr__wr_u32(wr, m->highest);
    svr__wr_bytes(wr, m->salt, SVR__EXCHANGE_SALT);
    svr__wr_bytes(wr, m->ephemeral, SVR__EXCHANGE_EPHEMERAL);
    svr__wr_u8(wr, (uint8_t)m->algorithms.len);
    svr__wr_bytes(wr, m->algorithms.data, m->algorithms.len);
}

static void write_kind(svr__wr *wr, const svr__exchange_message *m)
{
    static const uint8_t no_macs[2 * SVR__EXCHANGE_MAC];

    switch (m->kind) {
    case SVR__EXCHANGE_START:
        write_start(wr, m);
        svr__wr_bytes(wr, no_macs, sizeof(no_macs));
        break;
    case SVR__EXCHANGE_ANSWER:
        svr__wr_u32(wr, m->generation);
        svr__wr_u8(wr, m->algorithm);
        svr__wr_bytes(wr, m->salt, SVR__EXCHANGE_SALT);
        svr__wr_bytes(wr, m->ephemeral, SVR__EXCHANGE_EPHEMERAL);
        svr__wr_bytes(wr, m->ticket, SVR__EXCHANGE_MAC);
        break;
    case SVR__EXCHANGE_FINISH:
        write_start(wr, m);
        svr__wr_u32(wr, m->generation);
        svr__wr_u8(wr, m->algorithm);
        svr__wr_bytes(wr, m->ticket, SVR__EXCHANGE_MAC);
        break;
    case SVR__EXCHANGE_CONFIRM:
        svr__wr_u32(wr, m->generation);
        break;
    default:
        svr__wr_bytes(wr, m->nonce, SVR__EXCHANGE_SALT);
    }
}

size_t svr__exchange_encode(uint8_t *buf, size_t cap,
                            const svr__exchange_message *m)
{
    svr__wr wr = svr__wr_over(buf, cap);

    svr__wr_u8(&wr, m->kind);
    svr__wr_u8(&wr, SVR__EXCHANGE_VERSION);
    svr__wr_u32(&wr, m->index);
    write_kind(&wr, m);
    svr__wr_bytes(&wr, m->sealed.data, sealed_lens[m->kind]);
    assert(!wr.overrun);
    return wr.len;
}
