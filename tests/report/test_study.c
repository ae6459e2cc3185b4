/* A small study against the runs that it stands for, made one by one. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/study.h"
#include "harness/run/experiment.h"
#include "harness/run/runner.h"
#include "results/metric.h"

#define FILE_NAME "tests/report/figures/study.json"

static struct study *done(unsigned jobs)
{
    struct study *s;
    struct err e = {0};
    cr_assert_eq(study_load(&s, FILE_NAME, &e), 0, "%s", e.msg);
    cr_assert_eq(study_run(s, jobs, true, &e), 0, "%s", e.msg);
    return s;
}

/* The mean of a measure of a mix, whose experiment is changed by "path=value ..". */
static double plain(const struct study_mix *m, const char *changes, const char *metric)
{
    const struct runner_options o = {.jobs = 1, .quiet = true};
    struct config *doc = config_copy(m->experiment);
    struct experiment *x;
    struct result_set *rs;
    struct err e = {0};
    char text[300], *save = NULL;
    double sum = 0, v;
    snprintf(text, sizeof text, "%s", changes);
    for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        char *equals = strchr(w, '=');
        *equals = 0;
        cr_assert_eq(config_set(doc, w, equals + 1, &e), 0, "%s", e.msg);
    }
    cr_assert_eq(experiment_from(&x, doc, FILE_NAME, NULL, &e), 0, "%s", e.msg);
    cr_assert_eq(experiment_run(x, &o, &rs, NULL, &e), 0, "%s", e.msg);
    for (size_t i = 0; i < rs->n_trial; i++) {
        cr_assert(metric_value(rs->trial[i].measures, metric, &v));
        sum += v / (double)rs->n_trial;
    }
    results_free(rs);
    experiment_free(x);
    config_free(doc);
    return sum;
}

static const struct study_column *column(const struct study_mix *m, const char *name)
{
    for (size_t i = 0; i < m->columns; i++)
        if (!strcmp(m->column[i].name, name))
            return &m->column[i];
    cr_assert_fail("no column %s", name);
    return NULL;
}

Test(study, every_column_is_the_run_that_it_says, .timeout = 400)
{
    static const struct {
        size_t mix;
        const char *column, *changes;
    } want[] = {
        {0, "native", "stack=native"},
        {0, "kvm", "stack=kvm"},
        {0, "malv", "stack=malv"},
        {0, "gpu-virtualization", "stack=malv-without-gpu-virtualization"},
        {1, "kvm", "stack=kvm"},
        {1, "malv", "stack=malv gpu.sharing=dispatch gpu.launch_us=7"},
        {1, "gpu-virtualization",
         "stack=malv-without-gpu-virtualization gpu.sharing=dispatch gpu.launch_us=7"},
        {1, "mlaas", "stack=malv-without-mlaas gpu.sharing=dispatch gpu.launch_us=0"},
        {1, "hurry", "stack=malv gpu.sharing=dispatch gpu.launch_us=1"},
    };
    struct study *s = done(2);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const struct study_mix *m = &s->mix[want[i].mix];
        const struct study_column *c = column(m, want[i].column);
        cr_expect_float_eq(c->mean[STUDY_p50], plain(m, want[i].changes, "latency.p50"), 1e-12,
                           "%s: %s", m->name, c->name);
    }
    cr_expect_str_eq(column(&s->mix[1], "kvm-remote")->absent, "it was not wanted");
    cr_expect_null(column(&s->mix[1], "kvm-remote")->value[STUDY_p50]);
    cr_expect(isnan(column(&s->mix[0], "malv")->mean[STUDY_policy]), "nobody said what it is");
    const double kvm = plain(&s->mix[0], "stack=kvm", "os_cpu"),
                 malv = plain(&s->mix[0], "stack=malv", "os_cpu");
    cr_expect_float_eq(s->mix[0].change[STUDY_os].change, malv / kvm, 1e-9);
    cr_expect_float_eq(s->mix[0].tornado.base, malv / kvm, 1e-9);
    study_free(s);
}

static void written(char **text, const struct study *s, void print(const struct study *, FILE *))
{
    size_t n;
    FILE *f = open_memstream(text, &n);
    print(s, f);
    fclose(f);
}

/* The sentences name the winners that the numbers have, for any number of processes. */
Test(study, it_says_where_malv_loses, .timeout = 400)
{
    struct study *a = done(1), *b = done(3);
    char *text, *same, *says, *json, percent[40];
    written(&text, a, study_text);
    written(&same, b, study_text);
    written(&says, a, study_says);
    written(&json, a, study_json);
    cr_expect_str_eq(text, same);
    cr_expect_eq(study_verdict(a, &a->mix[0], STUDY_os), -1);
    snprintf(percent, sizeof percent, "OS CPU %+.2f %%",
             100 * (a->mix[0].change[STUDY_os].change - 1));
    const char *loses = strstr(says, "malv loses to kvm: "), *beats = strstr(says, "malv beats");
    cr_assert(loses && beats && loses < beats, "%s", says);
    const char *os = strstr(loses, percent);
    cr_expect(os && os < beats, "%s", says);
    cr_expect(strstr(text, "kvm-remote   not run: it was not wanted"), "%s", text);
    struct config *c;
    struct err e = {0};
    cr_assert_eq(config_parse(&c, "json", json, strlen(json), &e), 0, "%s", e.msg);
    cr_expect_eq(config_count(config_get(c, "points")), 6 * 4 + 6);
    const struct config *p = config_at(config_get(c, "points"), 0);
    cr_expect(config_get(p, "series") && config_get(p, "x") && config_get(p, "ours") &&
              config_kind(config_get(p, "published")) == CONFIG_NULL && config_get(p, "error"));
    config_free(c);
    free(text);
    free(same);
    free(says);
    free(json);
    study_free(a);
    study_free(b);
}

/* An interval that has 1 in it decides nothing, nor does a change below `least`. */
Test(study, a_verdict_needs_an_interval_on_one_side_of_one)
{
    static const struct {
        double change, lo, hi;
        enum study_measure k;
        int verdict;
    } want[] = {
        {1.2, 1.1, 1.3, STUDY_p99, -1},        {0.8, 0.7, 0.9, STUDY_p99, 1},
        {1.2, 0.9, 1.5, STUDY_p99, 0},         {1.2, 1.1, 1.3, STUDY_throughput, 1},
        {0.8, 0.7, 0.9, STUDY_throughput, -1}, {1.2, 1.1, 1.3, STUDY_gpu, 0},
        {1.0005, 1.0004, 1.0006, STUDY_os, 0}, {1.2, NAN, NAN, STUDY_p50, 0},
    };
    const struct study s = {.least = 0.001};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct study_mix m = {0};
        m.change[want[i].k] = (struct paired){
            .n = 3, .change = want[i].change, .change_lo = want[i].lo, .change_hi = want[i].hi};
        cr_expect_eq(study_verdict(&s, &m, want[i].k), want[i].verdict, "%zu", i);
    }
}

/* A constant turns nothing where nobody is ahead, nor where the short runs say otherwise. */
Test(study, a_constant_turns_only_what_is_decided)
{
    const struct study s = {.least = 0.001};
    const struct tornado_row r = {.less = 0.9, .more = 1.4};
    struct study_mix m = {.headline = STUDY_p99, .tornado = {.base = 1.2}};
    m.change[STUDY_p99] =
        (struct paired){.n = 3, .change = 1.2, .change_lo = 1.1, .change_hi = 1.3};
    cr_expect(study_flips(&s, &m, &r));
    m.tornado.base = 0.98;
    cr_expect(!study_flips(&s, &m, &r));
    m.tornado.base = 1.2;
    m.change[STUDY_p99].change_lo = 0.9;
    cr_expect(!study_flips(&s, &m, &r));
}

Test(study, the_shipped_one_compares_enough, .timeout = 60)
{
    struct study *s;
    struct err e = {0};
    cr_assert_eq(study_load(&s, "experiments/figures/malv-stacks.json", &e), 0, "%s", e.msg);
    cr_expect_geq(s->n, 6);
    cr_expect_eq(config_count(s->stacks), 5);
    cr_expect_geq(config_count(s->mechanisms), 4);
    for (size_t i = 0; i < s->n; i++)
        cr_expect(s->mix[i].metric[STUDY_p50] && s->mix[i].metric[STUDY_p99] &&
                  s->mix[i].metric[STUDY_throughput] && s->mix[i].metric[STUDY_os]);
    study_free(s);
}
