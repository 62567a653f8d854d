#include "wire/tls.h"

#include "wire/cursor.h"

enum {
    HANDSHAKE = 22, /* type of a record */
    CLIENT_HELLO = 1,
    MESSAGE_HEADER = 4,
    RECORD_MAX = 1 << 14,
    TLS_1_0 = 0x0301,
    TLS_1_3 = 0x0304,
};

bool svr__tls_is_hello(svr_span first)
{
    svr__rd rd = svr__rd_over(first.data, first.len);
    uint8_t record = svr__rd_u8(&rd);
    uint16_t version = svr__rd_u16(&rd);
    uint16_t len = svr__rd_u16(&rd);
    uint8_t message = svr__rd_u8(&rd);

    return !rd.overrun && record == HANDSHAKE && version >= TLS_1_0 &&
           version <= TLS_1_3 && len >= MESSAGE_HEADER && len <= RECORD_MAX &&
           message == CLIENT_HELLO;
}
