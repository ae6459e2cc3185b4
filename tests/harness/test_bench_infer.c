/* test_bench_infer.c - the benchmark measures what it says; how fast is not asked here. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "harness/bench/bench.h"

Test(bench_infer, every_batch_has_rows_and_the_rivals_agree)
{
    struct bench b = {.quick = true, .repeats = 1, .which = "infer"};
    struct err e = {0};
    int found = 0;
    cr_assert_eq(bench_infer(&b, &e), 0, "%s", e.msg); /* a rival that computed else would fail */
    for (size_t i = 0; i < b.rows; i++) {
        cr_expect_gt(b.row[i].min, 0, "%s", b.row[i].name);
        found +=
            !strncmp(b.row[i].name, "f32.batch", 9) + !strncmp(b.row[i].name, "int8.batch", 10);
    }
    cr_expect_eq(found, 6);
    free(b.row);
}
