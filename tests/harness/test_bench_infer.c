/* test_bench_infer.c - the benchmark measures what it says; how fast is not asked here. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/rivals.h"
#include "harness/bench/bench.h"

/* Every network in each of its forms, at the two batches of a quick run. */
Test(bench_infer, every_batch_has_rows_and_the_rivals_agree)
{
    static const char *const ours[] = {
        "linnos.f32",    "linnos.int8", "linnos+1.f32", "linnos+1.int8", "linnos+2.f32",
        "linnos+2.int8", "kml.f32",     "mllb.f32",     "sjf_mlp.f32",   "sjf_mlp.int8",
        "knn.int8",      "forest.f32",  "kleio.f32"};
    enum { OURS = sizeof ours / sizeof *ours };
    struct bench b = {.quick = true, .repeats = 1, .which = "infer"};
    struct err e = {0};
    int found[OURS] = {0}, ratios = 0, times = 0;
    cr_assert_eq(bench_infer(&b, &e), 0, "%s", e.msg); /* a rival that computed else would fail */
    for (size_t i = 0; i < b.rows; i++) {
        const char *name = b.row[i].name;
        cr_expect_gt(b.row[i].min, 0, "%s", name);
        cr_expect_eq(b.row[i].target > 0, strchr(name, '/') != NULL, "%s", name);
        ratios += strchr(name, '/') != NULL;
        times += strchr(name, '/') == NULL;
        for (int o = 0; o < OURS; o++)
            found[o] += !strncmp(name, ours[o], strlen(ours[o])) &&
                        !strncmp(name + strlen(ours[o]), ".batch", 6);
    }
    for (int o = 0; o < OURS; o++)
        cr_expect_eq(found[o], 2, "%s: %d rows", ours[o], found[o]);
    if (*rivals_open())
        cr_expect(ratios > 0 && times > 2 * OURS);
    free(b.row);
}
