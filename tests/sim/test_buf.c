#include <criterion/criterion.h>
#include <stdlib.h>

#include "sim/buf.h"

Test(buf, little_endian_whatever_the_machine)
{
    struct buf b = {0};
    buf_u64(&b, UINT64_C(0x0102030405060708));
    cr_expect_eq(b.data[0], 8);
    cr_expect_eq(b.data[7], 1);
    buf_free(&b);
}

Test(buf, reads_back_what_was_written)
{
    struct buf b = {0};
    buf_str(&b, "sojourn");
    buf_f64(&b, -0.1);
    char *s = buf_take_str(&b);
    cr_expect_str_eq(s, "sojourn");
    cr_expect_eq(buf_take_f64(&b), -0.1);
    cr_expect_not(b.failed);
    free(s);
    buf_free(&b);
}

Test(buf, a_short_buffer_fails_for_good)
{
    struct buf b = {0};
    buf_u64(&b, UINT64_MAX); /* a length that can't be */
    cr_expect_null(buf_take_str(&b));
    cr_expect(b.failed);
    cr_expect_eq(buf_take_u64(&b), 0u);
    buf_free(&b);
}
