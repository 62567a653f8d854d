#include "wire/route_record.h"

#include "wire/cursor.h"

int svr__route_record_read(svr_span record, svr_span *names, size_t max,
                           size_t *coming)
{
    svr__rd rd = svr__rd_over(record.data, record.len);
    size_t passed = svr__rd_u8(&rd);
    size_t count = passed + svr__rd_u8(&rd);
    if (passed > max)
        return SVR_ERR_NO_SPACE;
    if (count > max)
        count = max;
    for (size_t i = 0; i < count; i++) {
        svr__rd name;
        svr__rd_sub(&rd, svr__rd_u8(&rd), &name);
        names[i] = svr__rd_rest(&name);
    }
    *coming = count - passed;
    return (int)passed;
}

bool svr__route_record_versions(svr_span record, uint64_t *versions,
                                size_t passed)
{
    svr__rd rd = svr__rd_over(record.data, record.len);
    size_t count = svr__rd_u8(&rd);

    for (count += svr__rd_u8(&rd); count > 0; count--)
        svr__rd_bytes(&rd, svr__rd_u8(&rd));
    bool any = rd.left > 0;
    for (size_t i = 0; i < passed; i++)
        versions[i] = any ? svr__rd_u64(&rd) : 0;
    return any;
}

svr_span svr__route_record_write(uint8_t *buf, size_t cap,
                                 const svr_span *names, size_t passed,
                                 size_t coming, const uint64_t *versions)
{
    svr__wr wr = svr__wr_over(buf, cap);
    svr__wr_u8(&wr, (uint8_t)passed);
    svr__wr_u8(&wr, (uint8_t)coming);
    for (size_t i = 0; i < passed + coming; i++) {
        svr__wr_u8(&wr, (uint8_t)names[i].len);
        svr__wr_bytes(&wr, names[i].data, names[i].len);
    }
    for (size_t i = 0; versions && i < passed; i++)
        svr__wr_u64(&wr, versions[i]);
    return (svr_span){buf, wr.len};
}
