/* What a sensitivity says, held against runs of the same settings one by one. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/tornado.h"
#include "harness/run/experiment.h"
#include "harness/run/runner.h"
#include "models/machine.h"
#include "results/metric.h"

#define FILE_NAME "experiments/gpu-stacks.json"

static const char gpu[] =
    "{\"schema\": \"malv-experiment/1\", \"name\": \"t\", \"machine\": "
    "\"machines/v100-node.json\", "
    "\"model\": \"gpu\", \"stack\": \"native\", \"trials\": 2, \"programs\": {\"m\": {\"synth\": "
    "{\"preset\": \"mobilenetv2-inference\"}}}, \"gpu\": {\"tenants\": [{\"program\": \"m\", "
    "\"count\": 4, \"warmup\": 1}]}}";

static struct config *parsed(const char *text, const char *path, const char *value)
{
    struct config *doc = NULL;
    struct err e = {0};
    cr_assert_eq(config_parse(&doc, FILE_NAME, text, strlen(text), &e), 0, "%s", e.msg);
    if (path)
        cr_assert_eq(config_set(doc, path, value, &e), 0, "%s", e.msg);
    return doc;
}

/* The mean of a measure over the trials of a document, by the plain way. */
static double measure(const struct config *doc, const char *metric)
{
    const struct runner_options o = {.jobs = 1, .quiet = true};
    struct experiment *x = NULL;
    struct result_set *rs = NULL;
    struct err e = {0};
    double sum = 0, v = 0;
    cr_assert_eq(experiment_from(&x, doc, FILE_NAME, NULL, &e), 0, "%s", e.msg);
    cr_assert_eq(experiment_check(x, &e), 0, "%s", e.msg);
    cr_assert_eq(experiment_run(x, &o, &rs, NULL, &e), 0, "%s", e.msg);
    for (size_t i = 0; i < rs->n_trial; i++) {
        cr_assert(metric_value(rs->trial[i].measures, metric, &v));
        sum += v;
    }
    sum /= (double)rs->n_trial;
    results_free(rs);
    experiment_free(x);
    return sum;
}

static struct tornado tornado(const struct config *of, const struct config *over, unsigned jobs,
                              const char *constant)
{
    struct tornado t;
    struct err e = {0};
    const struct tornado_want w = {.file = FILE_NAME,
                                   .of = of,
                                   .over = over,
                                   .metric = "latency.mean",
                                   .factor = 2,
                                   .constant = &constant,
                                   .constants = constant != NULL,
                                   .jobs = jobs,
                                   .quiet = true};
    cr_assert_eq(tornado_run(&t, &w, &e), 0, "%s", e.msg);
    return t;
}

Test(tornado, each_row_is_what_a_run_with_that_factor_says, .timeout = 300)
{
    struct config *kvm = parsed(gpu, "stack", "kvm"), *malv = parsed(gpu, "stack", "malv");
    struct tornado t = tornado(malv, kvm, 2, NULL);
    const double base = measure(malv, "latency.mean") / measure(kvm, "latency.mean");
    cr_expect_float_eq(t.base, base, 1e-12);
    cr_assert_gt(t.n, 4);
    size_t moving = 0;
    for (size_t i = 0; i < t.n; i++) {
        char path[160];
        struct err e = {0};
        const struct tornado_row *r = &t.row[i];
        snprintf(path, sizeof path, "scale.%s", r->constant);
        for (int k = 0; k < 2; k++) {
            struct config *a = parsed(gpu, "stack", "malv"), *b = parsed(gpu, "stack", "kvm");
            cr_assert_eq(config_set(a, path, k ? "2" : "0.5", &e), 0);
            cr_assert_eq(config_set(b, path, k ? "2" : "0.5", &e), 0);
            const double want = measure(a, "latency.mean") / measure(b, "latency.mean");
            cr_expect_float_eq(k ? r->more : r->less, want, 1e-12, "%s", path);
            config_free(a);
            config_free(b);
        }
        cr_expect(!i || tornado_swing(&t, &t.row[i - 1]) >= tornado_swing(&t, r));
        moving += tornado_swing(&t, r) > 0;
    }
    cr_expect_gt(moving, 2);
    tornado_free(&t);
    config_free(kvm);
    config_free(malv);
}

Test(tornado, any_number_of_processes_says_the_same, .timeout = 300)
{
    struct config *kvm = parsed(gpu, "stack", "kvm"), *malv = parsed(gpu, "stack", "malv");
    struct tornado a = tornado(malv, kvm, 1, NULL), b = tornado(malv, kvm, 3, NULL);
    cr_assert_eq(a.n, b.n);
    for (size_t i = 0; i < a.n; i++) {
        cr_expect_str_eq(a.row[i].constant, b.row[i].constant);
        cr_expect_eq(a.row[i].less, b.row[i].less);
        cr_expect_eq(a.row[i].more, b.row[i].more);
    }
    tornado_free(&a);
    tornado_free(&b);
    config_free(kvm);
    config_free(malv);
}

static const struct tornado_row *row(const struct tornado *t, const char *constant)
{
    for (size_t i = 0; i < t->n; i++)
        if (!strcmp(t->row[i].constant, constant))
            return &t->row[i];
    return NULL;
}

/* A measured constant is varied when it is named, and only then. */
Test(tornado, a_named_constant_is_varied_whatever_its_tag, .timeout = 300)
{
    struct config *malv = parsed(gpu, "stack", "malv");
    struct tornado without = tornado(malv, NULL, 2, NULL),
                   with = tornado(malv, NULL, 2, "cost.vm_exit");
    cr_expect_null(row(&without, "cost.vm_exit"));
    const struct tornado_row *r = row(&with, "cost.vm_exit");
    cr_assert_not_null(r);
    cr_expect_lt(r->less, with.base);
    cr_expect_gt(r->more, with.base);
    cr_expect_eq(with.n, without.n + 1);
    tornado_free(&without);
    tornado_free(&with);
    config_free(malv);
}

Test(tornado, ahead_is_on_one_side_of_one)
{
    const struct tornado t = {.base = 1.5}, tie = {.base = 1};
    const struct tornado_row stays = {.less = 1.01, .more = 9}, flips = {.less = 2, .more = 0.99},
                             one = {.less = NAN, .more = 0.5}, even = {.less = 1, .more = 1.5};
    cr_expect(!tornado_flips(&t, &stays));
    cr_expect(tornado_flips(&t, &flips));
    cr_expect(tornado_flips(&t, &one));
    cr_expect(!tornado_flips(&t, &even));
    cr_expect(!tornado_flips(&tie, &flips), "nobody was ahead");
    cr_expect_float_eq(tornado_swing(&t, &one), 1, 1e-15);
}

/* Scaling is the same as writing the other number into the profile. */
Test(tornado, a_scaled_constant_is_another_number_assumed)
{
    static const char text[] =
        "{\"schema\": \"malv-machine/1\", \"name\": \"m\", \"title\": \"t\", \"cost\": {"
        "\"a\": {\"value\": 3, \"unit\": \"us\", \"source\": \"s\", \"evidence\": \"measured\"},"
        "\"b\": {\"x\": [1, 2], \"y\": [10, 30], \"unit\": \"ns\", \"source\": \"s\", "
        "\"evidence\": \"published\"}}}";
    struct config *doc = parsed(text, NULL, NULL);
    struct machine *m;
    struct err e = {0};
    cr_assert_eq(machine_load(&m, doc, &e), 0);
    cr_assert_eq(machine_scale(m, "cost.a", 0.5, &e), 0);
    cr_assert_eq(machine_scale(m, "cost.b", 3, &e), 0);
    const struct machine_cost *a = machine_find(m, "cost.a"), *b = machine_find(m, "cost.b");
    cr_expect_eq(a->value, 1.5e6);
    cr_expect_eq(a->evidence, EVIDENCE_ASSUMED);
    cr_expect_str_eq(a->source, "what if: 0.5 times s");
    cr_expect_eq(b->y[0], 30000);
    cr_expect_eq(b->y[1], 90000);
    cr_expect_eq(machine_scale(m, "cost.c", 2, &e), ERR_ENAME);
    cr_expect_eq(machine_scale(m, "cost.a", 1e12, &e), ERR_ERANGE);
    machine_free(m);
    config_free(doc);
}
