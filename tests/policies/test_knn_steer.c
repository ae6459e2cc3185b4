/* Steering by nearest neighbours: its features, its references, and whether those shipped are
 * still the ones that the command gives. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/model_file.h"
#include "harness/learn/model_steer.h"
#include "policies/linnos_features.h"
#include "tests/policies/retrain.h"

Test(knn_steer, octaves_rise_eight_to_a_doubling)
{
    const uint32_t at[] = {0, 1, 2, 3, 4, 6, 7, 1023, 9999};
    const float want[] = {0, 8, 12, 16, 18, 22, 24, 80, 105};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        cr_expect_eq(knn_octaves(at[i]), want[i], "%u is at %g", at[i], (double)knn_octaves(at[i]));
    for (uint32_t v = 1; v <= 9999; v++)
        cr_assert_geq(knn_octaves(v), knn_octaves(v - 1), "%u", v);
}

Test(knn_steer, digits_are_put_together_again)
{
    const struct policy_device d = {
        .pending_pages = 6, .latency_us = {1, 3, 7, 123456}, .then_pending_pages = {3, 1, 0, 5000}};
    const uint32_t number[] = {999, 0, 1, 3, 7, 9999, 7, 3, 1}; /* the oldest first */
    float digits[LINNOS_N], x[KNN_FEATURES_N];
    linnos_features(&d, 4096, digits);
    knn_features(digits, x);
    for (int i = 0; i < KNN_FEATURES_N; i++)
        cr_expect_eq(x[i], knn_octaves(number[i]), "feature %d is %g", i, (double)x[i]);
}

/* Any change of drive, trace or model "io" that reaches the references shows here: then train
 * again, the command stands in knn_steer.json. */
Test(knn_steer, the_command_gives_the_references_that_are_shipped, .timeout = 300)
{
    retrain("knn_steer", "--requests 9000");
}

/* On reads of a seed that gave no reference. */
Test(knn_steer, slow_reads_are_seen_on_a_seed_never_seen)
{
    struct steer_rows rows;
    struct model_file *file;
    struct infer *runtime;
    struct infer_model *net;
    struct err e = {0};
    char why[256], *about = NULL;
    size_t slow = 0, seen = 0, right = 0;
    cr_assert_eq(model_steer_rows(&rows, "synth:lake-cosmos", "machines/lake-testbed.json", 77,
                                  40000, &about, &e),
                 0, "%s", e.msg);
    cr_assert_eq(model_file_open(&file, "knn_steer", &e), 0, "%s", e.msg);
    cr_expect_str_eq(model_file_meta(file, "features"), "knn/1");
    cr_assert_eq(infer_open(&runtime, INFER_CPU, why, sizeof why), 0);
    cr_assert_eq(infer_load(runtime, model_file_net(file), &net, why, sizeof why), 0, "%s", why);
    for (size_t i = 0; i < rows.n; i++) {
        float x[KNN_FEATURES_N], y[3];
        knn_features(rows.x + i * LINNOS_N, x);
        cr_assert_eq(infer_run(net, 1, x, y, why, sizeof why), 0, "%s", why);
        slow += rows.slow[i];
        seen += rows.slow[i] && y[1] > y[0];
        right += rows.slow[i] == (y[1] > y[0]);
    }
    cr_expect_gt(seen, slow / 2, "%zu of %zu slow reads", seen, slow);
    cr_expect_gt((double)right, 0.8 * (double)rows.n, "%zu of %zu right", right, rows.n);
    infer_unload(net);
    infer_close(runtime);
    model_file_free(file);
    steer_rows_free(&rows);
    free(about);
}
