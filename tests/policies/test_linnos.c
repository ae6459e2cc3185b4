/* LinnOS's network: its inputs digit by digit, its training, and whether the shipped weights are
 * still those of the runs they were trained on. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/model_file.h"
#include "harness/learn/model_steer_lake.h"

#define COSMOS  "synth:lake-cosmos"
#define TESTBED "machines/lake-testbed.json"
#define ROWS    250000 /* as in the shipped command */

static int sh(const char *fmt, const char *a, const char *b)
{
    char cmd[600];
    snprintf(cmd, sizeof cmd, fmt, a, b);
    return system(cmd);
}

Test(linnos, features_are_digits_oldest_first_and_saturate)
{
    const struct policy_device d = {.pending = 3,
                                    .pending_pages = 40,
                                    .latency_us = {5, 123, 45678, 9999},
                                    .then_pending_pages = {1, 999, 1000, 70}};
    static const char want[] = "070"
                               "999"
                               "999"
                               "001"
                               "042" /* 40 and two of its own */
                               "9999"
                               "9999"
                               "0123"
                               "0005";
    float x[LINNOS_N];
    linnos_features(&d, 4097, x);
    cr_assert_eq(strlen(want), LINNOS_N);
    for (int i = 0; i < LINNOS_N; i++)
        cr_expect_eq(x[i], want[i] - '0', "digit %d is %g", i, (double)x[i]);
}

static struct steer_rows rows_of(const char *trace, uint64_t seed, size_t most)
{
    struct steer_rows rows;
    struct err e = {0};
    char *about = NULL;
    cr_assert_eq(model_steer_rows(&rows, trace, TESTBED, seed, most, &about, &e), 0, "%s", e.msg);
    free(about);
    return rows;
}

Test(linnos, a_tenth_of_each_device_is_slow)
{
    struct steer_rows rows = rows_of("synth:lake-mixed-1x", 5, 20000);
    double n[3] = {0}, slow[3] = {0};
    for (size_t i = 0; i < rows.n; i++) {
        n[rows.device[i]]++;
        slow[rows.device[i]] += rows.slow[i];
        cr_assert_eq(rows.slow[i], (double)rows.latency_us[i] >= rows.threshold_us[rows.device[i]]);
    }
    for (int d = 0; d < 3; d++)
        cr_expect(slow[d] / n[d] > 0.07 && slow[d] / n[d] < 0.14, "device %d: %g", d,
                  slow[d] / n[d]);
    cr_expect_gt(rows.threshold_us[2], 5 * rows.threshold_us[0], "cosmos beside azure");
    steer_rows_free(&rows);
}

Test(linnos, the_command_trains_the_same_bytes_twice, .timeout = 120)
{
    char dir[] = "/tmp/malv-linnos-XXXXXX";
    cr_assert(mkdtemp(dir));
    for (int i = 0; i < 2; i++)
        cr_assert_eq(sh(BUILD "/malv model train %s -q --steer --int8 --trace " COSMOS
                              " --requests 9000 --epochs 2 --hidden 16 -o %s",
                        i ? "b" : "a", dir),
                     0);
    cr_expect_eq(sh("cmp %s/a.safetensors %s/b.safetensors", dir, dir), 0);
    cr_expect_eq(sh("cmp %s/a_s8.safetensors %s/b_s8.safetensors", dir, dir), 0);
    sh("rm -r %s%s", dir, "");
}

/* The shipped weights on runs of a seed they never saw: on the trace where there is something to
 * see, both find more than half of the slow reads and are mostly right. */
Test(linnos, the_shipped_network_sees_slow_reads_on_a_seed_it_never_saw)
{
    static const char *const names[] = {"linnos", "linnos_s8"};
    struct steer_rows rows = rows_of(COSMOS, 77, 40000);
    for (size_t i = 0; i < 2; i++) {
        struct infer *runtime;
        struct infer_model *net;
        struct model_file *file;
        struct steer_score s;
        struct err e = {0};
        char why[256];
        cr_assert_eq(model_file_open(&file, names[i], &e), 0, "%s", e.msg);
        cr_expect_str_eq(model_file_meta(file, "features"), "linnos/1");
        cr_assert_eq(model_file_mlp(file)->n_in, LINNOS_N);
        cr_assert_eq(infer_open(&runtime, INFER_CPU, why, sizeof why), 0);
        cr_assert_eq(infer_load_mlp(runtime, model_file_mlp(file), &net, why, sizeof why), 0);
        cr_assert_eq(steer_score(&s, net, STEER_DIGITS, &rows, 0, rows.n, 1, &e), 0, "%s", e.msg);
        cr_expect_lt(s.false_submit, s.slow / 2, "%s: %g of %g slow reads let pass", names[i],
                     s.false_submit, s.slow);
        cr_expect_gt(s.accuracy, 0.8, "%s: accuracy %g", names[i], s.accuracy);
        infer_unload(net);
        infer_close(runtime);
        model_file_free(file);
    }
    steer_rows_free(&rows);
}

/* What counted as slow when the weights were trained is what counts as slow now: drive, trace and
 * model are the same.  If this fails, train again: the command stands in linnos.json. */
Test(linnos, the_provenance_is_of_this_drive_and_these_traces)
{
    struct config *c;
    struct err e = {0};
    cr_assert_eq(config_load(&c, "policies/weights/linnos.json", &e), 0, "%s", e.msg);
    const struct config *part = config_at(config_get(c, "trained_on"), 1);
    const char *trace, *then, *now;
    char *about = NULL;
    struct steer_rows rows;
    struct config *said;
    cr_assert_eq(config_str(config_get(part, "trace"), &trace, &e), 0);
    cr_assert_str_eq(trace, COSMOS);
    cr_assert_eq(model_steer_rows(&rows, trace, TESTBED, 1001, ROWS, &about, &e), 0, "%s", e.msg);
    cr_assert_eq(config_parse(&said, "about", about, strlen(about), &e), 0);
    cr_assert_eq(config_str(config_get(config_get(part, "about"), "digest"), &then, &e), 0);
    cr_assert_eq(config_str(config_get(said, "digest"), &now, &e), 0);
    cr_expect_str_eq(now, then, "%s is another trace now", trace);
    for (size_t d = 0; d < 3; d++) {
        double was;
        cr_assert_eq(config_f64(config_at(config_get(part, "slow_from_us"), d), 0, 1e9, &was, &e),
                     0);
        cr_expect_float_eq(rows.threshold_us[d], was, 1e-5 * was, "device %zu: %g us, was %g", d,
                           rows.threshold_us[d], was);
    }
    config_free(said);
    config_free(c);
    free(about);
    steer_rows_free(&rows);
}

/* Keras' categorical hinge, max(0, 1 + max(0, y of the wrong one) - y of the right one), times five
 * where slow looks fast; slopes by differences. */
Test(linnos, lakes_loss_is_keras_hinge)
{
    static const double outputs[][2] = {{0.3, -0.2}, {-0.4, 0.7}, {2.5, 0.1}, {-1, -2}, {0.2, 1.9}};
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
        for (unsigned char slow = 0; slow < 2; slow++) {
            const double *y = outputs[i], other = y[!slow] > 0 ? y[!slow] : 0;
            const double weight = slow && y[0] >= y[1] ? 5 : 1, gap = 1 + other - y[slow];
            double d[2], ignored[2];
            cr_expect_float_eq(model_steer_lake_loss(&slow, 0, y, d), gap > 0 ? weight * gap : 0,
                               1e-12);
            for (int k = 0; k < 2; k++) {
                double up[2] = {y[0], y[1]}, down[2] = {y[0], y[1]};
                up[k] += 1e-6, down[k] -= 1e-6;
                const double slope = (model_steer_lake_loss(&slow, 0, up, ignored) -
                                      model_steer_lake_loss(&slow, 0, down, ignored)) /
                                     2e-6;
                cr_expect_float_eq(d[k], slope, 1e-6, "row %zu, output %d: %g, not %g", i, k, d[k],
                                   slope);
            }
        }
}

/* One network for each device, the same bytes again, other bytes for another device. */
Test(linnos, lakes_command_trains_a_network_for_each_device, .timeout = 120)
{
    char dir[] = "/tmp/malv-linnos-XXXXXX";
    cr_assert(mkdtemp(dir));
    for (int i = 0; i < 2; i++)
        cr_assert_eq(sh(BUILD "/malv model train %s -q --steer-lake --trace " COSMOS
                              " --requests 9000 --epochs 2 --hidden 16 -o %s",
                        i ? "b" : "a", dir),
                     0);
    cr_expect_eq(sh("cmp %s/a_0.safetensors %s/b_0.safetensors", dir, dir), 0);
    cr_expect_eq(sh("cmp %s/a_2.safetensors %s/b_2.safetensors", dir, dir), 0);
    cr_expect_neq(sh("cmp -s %s/a_0.safetensors %s/a_1.safetensors", dir, dir), 0);
    cr_expect_neq(sh("test -e %s/a_3.safetensors%s", dir, ""), 0);
    sh("rm -r %s%s", dir, "");
}

/* What LAKE's networks were trained on is what the drive still does. */
Test(linnos, lakes_networks_are_of_this_drive_and_these_traces)
{
    struct config *c;
    struct steer_rows rows;
    struct err e = {0};
    char *about = NULL;
    double was;
    size_t n = 0, above = 0;
    cr_assert_eq(config_load(&c, "policies/weights/linnos_cosmos_1.json", &e), 0, "%s", e.msg);
    const struct config *part = config_at(config_get(c, "trained_on"), 0);
    cr_assert_eq(config_f64(config_get(part, "slow_from_us"), 0, 1e9, &was, &e), 0);
    cr_assert_eq(model_steer_log(&rows, COSMOS, TESTBED, STEER_WHOLE, 1001, ROWS, &about, &e), 0,
                 "%s", e.msg);
    for (size_t i = 0; i < rows.n; i++) {
        n += rows.device[i] == 1;
        above += rows.device[i] == 1 && (double)rows.latency_us[i] >= was * (1 - 1e-5);
    }
    cr_expect_float_eq((double)above / (double)n, 0.1, 2 / (double)n, "%zu of %zu", above, n);
    config_free(c);
    free(about);
    steer_rows_free(&rows);
}
