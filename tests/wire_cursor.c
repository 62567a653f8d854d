/* The cursor on which every parser stands: up to the end, and past it. */
#include "wire/cursor.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};

/* The first len bytes in a block of exactly their size. */
static uint8_t *exact(size_t len)
{
    uint8_t *buf = malloc(len ? len : 1);

    return memcpy(buf, bytes, len);
}

static uint64_t read_number(svr__rd *rd, size_t size)
{
    switch (size) {
    case 1:
        return svr__rd_u8(rd);
    case 2:
        return svr__rd_u16(rd);
    case 4:
        return svr__rd_u32(rd);
    default:
        return svr__rd_u64(rd);
    }
}

Test(wire_cursor, numbers_are_read_whole_or_not_at_all)
{
    for (size_t size = 1; size <= 8; size *= 2) {
        for (size_t len = 0; len <= 8; len++) {
            uint8_t *buf = exact(len);
            svr__rd rd = svr__rd_over(buf, len);
            uint64_t want = len < size ? 0 : 0x0102030405060708;

            cr_expect_eq(read_number(&rd, size), want >> (64 - 8 * size));
            cr_expect_eq(rd.overrun, len < size);
            cr_expect_eq(rd.left, len < size ? 0 : len - size);
            free(buf);
        }
    }
}

Test(wire_cursor, bytes_are_read_whole_or_not_at_all)
{
    for (size_t len = 0; len <= 8; len++) {
        uint8_t *buf = exact(len), got[8] = {9, 9, 9, 9};
        svr__rd rd = svr__rd_over(buf, len), sub;

        svr__rd_copy(&rd, got, 4);
        cr_expect_eq(got[0], len < 4 ? 9 : 1);
        cr_expect_eq(rd.overrun, len < 4);
        rd = svr__rd_over(buf, len);
        svr__rd_sub(&rd, 4, &sub);
        cr_expect_eq(sub.left, len < 4 ? 0 : 4);
        cr_expect_eq(rd.overrun, len < 4);
        cr_expect_not(sub.overrun);
        rd = svr__rd_over(buf, len);
        cr_expect_eq(svr__rd_rest(&rd).len, len);
        cr_expect(rd.left == 0 && !rd.overrun);
        cr_expect_eq(svr__rd_bytes(&rd, SIZE_MAX), NULL);
        cr_expect(rd.overrun);
        free(buf);
    }
}

/* After a number that was too much nothing is read, though it would fit. */
Test(wire_cursor, an_overrun_is_remembered)
{
    svr__rd rd = svr__rd_over(bytes, 3);

    cr_expect_eq(svr__rd_u32(&rd), 0);
    cr_expect_eq(svr__rd_u8(&rd), 0);
    cr_expect(rd.overrun);
}

static void write_number(svr__wr *wr, size_t size, uint64_t v)
{
    if (size == 1)
        svr__wr_u8(wr, (uint8_t)v);
    else if (size == 2)
        svr__wr_u16(wr, (uint16_t)v);
    else if (size == 4)
        svr__wr_u32(wr, (uint32_t)v);
    else
        svr__wr_u64(wr, v);
}

Test(wire_cursor, numbers_are_written_whole_or_not_at_all)
{
    for (size_t size = 1; size <= 8; size *= 2) {
        for (size_t cap = 0; cap <= 8; cap++) {
            uint8_t *buf = exact(cap);
            svr__wr wr = svr__wr_over(buf, cap);
            svr__wr measure = svr__wr_over(NULL, 0);

            memset(buf, 0xee, cap);
            write_number(&wr, size, 0x0102030405060708 >> (64 - 8 * size));
            cr_expect_eq(wr.len, cap < size ? 0 : size);
            cr_expect_eq(wr.overrun, cap < size);
            if (cap >= size)
                cr_expect_eq(memcmp(buf, bytes, size), 0);
            else if (cap > 0)
                cr_expect_eq(buf[0], 0xee);
            write_number(&measure, size, 1);
            cr_expect(measure.len == size && !measure.overrun);
            free(buf);
        }
    }
}

Test(wire_cursor, a_patch_needs_both_its_bytes_written)
{
    uint8_t buf[4] = {0};
    svr__wr wr = svr__wr_over(buf, sizeof(buf));
    svr__wr measure = svr__wr_over(NULL, 0);

    svr__wr_bytes(&wr, bytes, 3);
    svr__wr_patch_u16(&wr, 2, 0xffff);
    cr_expect_eq(memcmp(buf, "\1\2\3\0", 4), 0);
    svr__wr_patch_u16(&wr, 1, 0xabcd);
    cr_expect_eq(memcmp(buf, "\1\xab\xcd\0", 4), 0);
    svr__wr_bytes(&measure, bytes, 3);
    svr__wr_patch_u16(&measure, 0, 0xffff);
    cr_expect_eq(measure.len, 3);
}
