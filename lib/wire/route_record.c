#include "wire/route_record.h"

#include "wire/cursor.h"

int svr__route_record_read(svr_span record, svr_span *names, size_t max)
{
    svr__rd rd = svr__rd_over(record.data, record.len);
    unsigned count = svr__rd_u8(&rd);
    svr__rd_u8(&rd); /* those to come stand behind */
    if (count > max)
        return SVR_ERR_NO_SPACE;
    for (unsigned i = 0; i < count; i++) {
        svr__rd name;
        svr__rd_sub(&rd, svr__rd_u8(&rd), &name);
        names[i] = svr__rd_rest(&name);
    }
    return (int)count;
}

svr_span svr__route_record_write(uint8_t *buf, size_t cap,
                                 const svr_span *names, size_t count)
{
    svr__wr wr = svr__wr_over(buf, cap);
    svr__wr_u8(&wr, (uint8_t)count);
    svr__wr_u8(&wr, 0);
    for (size_t i = 0; i < count; i++) {
        svr__wr_u8(&wr, (uint8_t)names[i].len);
        svr__wr_bytes(&wr, names[i].data, names[i].len);
    }
    return (svr_span){buf, wr.len};
}
