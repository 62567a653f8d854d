/* Route records: names passed, names to come, versions (S20, S16.4). */
#include "wire/route_record.h"

#include <criterion/criterion.h>
#include <string.h>

static svr_span name(const char *text)
{
    return (svr_span){(const uint8_t *)text, strlen(text)};
}

Test(wire_route_record, what_is_written_is_read)
{
    const svr_span names[] = {name("a"), name("bc"), name("def"), name("g")};
    const uint64_t versions[] = {1, UINT64_C(0x0102030405060708), UINT64_MAX};

    for (size_t passed = 0; passed <= 3; passed++)
        for (int told = 0; told < 2; told++) {
            uint8_t buf[SVR__ROUTE_RECORD_SIZE(4)];
            svr_span got[4];
            uint64_t said[4] = {9, 9, 9, 9};
            size_t coming;
            svr_span record =
                svr__route_record_write(buf, sizeof(buf), names, passed,
                                        4 - passed, told ? versions : NULL);
            cr_assert_eq(record.len, 2 + 4 + 7 + (told ? 8 * passed : 0));
            cr_assert_eq(
                (size_t)svr__route_record_read(record, got, 4, &coming),
                passed);
            cr_assert_eq(coming, 4 - passed);
            for (size_t i = 0; i < 4; i++) {
                cr_assert_eq(got[i].len, names[i].len);
                cr_assert_arr_eq(got[i].data, names[i].data, names[i].len);
            }
            cr_assert_eq(svr__route_record_versions(record, said, passed),
                         told && passed > 0);
            for (size_t i = 0; i < 4; i++)
                cr_assert_eq(said[i], i >= passed ? 9 : told ? versions[i] : 0);
        }
}

/* Those to come are left out where there is no room; of those passed each
 * counts. */
Test(wire_route_record, room)
{
    const svr_span names[] = {name("a"), name("b"), name("c")};
    uint8_t buf[64];
    svr_span got[3];
    size_t coming;
    svr_span record =
        svr__route_record_write(buf, sizeof(buf), names, 2, 1, NULL);

    cr_assert_eq(svr__route_record_read(record, got, 1, &coming),
                 SVR_ERR_NO_SPACE);
    cr_assert_eq(svr__route_record_read(record, got, 2, &coming), 2);
    cr_assert_eq(coming, 0);
}
