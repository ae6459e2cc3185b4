/* test_jobs.c - logs of jobs, their features, and the forest that XGBoost makes of them. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/learn/job_rows.h"
#include "harness/learn/jobs_score.h"
#include "harness/learn/model_file.h"
#include "harness/learn/train_forest.h"
#include "sim/rng.h"
#include "tests/gpu-kernels/forests.h"

enum { JOBS = 400 };
struct made { /* a random log, as this test keeps it */
    unsigned submitted[JOBS], duration[JOBS], gpus[JOBS], group[JOBS];
};

static void make(struct made *m, uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, "test", "jobs");
    for (unsigned i = 0, at = 1000; i < JOBS; i++, at += 1 + (unsigned)rng_below(&r, 40)) {
        m->submitted[i] = at;
        m->duration[i] = (unsigned)rng_below(&r, i % 7 ? 100 : 1000);
        m->gpus[i] = 1u << rng_below(&r, 3);
        m->group[i] = (unsigned)rng_below(&r, 5);
    }
}

/* Written backwards: logs are not sorted. */
static void load(struct job_rows *rows, const struct made *m)
{
    char path[] = "/tmp/malv-jobs-XXXXXX";
    struct err e = {0};
    FILE *f = fdopen(mkstemp(path), "w");
    cr_assert_neq(f, NULL);
    fputs("job_id,user,num_inst,submit_time,num_gpu,num_cpu,duration,gpu_type\n", f);
    for (int i = JOBS - 1; i >= 0; i--)
        fprintf(f, "%d,vc%u,1,%u,%u,4,%u,V100\n", i, m->group[i], m->submitted[i], m->gpus[i],
                m->duration[i]);
    fclose(f);
    cr_assert_eq(job_rows_load(rows, path, 1000, &e), 0, "%s", e.msg);
    unlink(path);
    cr_assert_eq(rows->n, JOBS);
}

Test(jobs, the_scale_is_exact_both_ways)
{
    for (uint64_t s = 0; s < 200000; s += 1 + s / 1000)
        cr_assert_eq(duration_seconds(duration_log(s)), (double)s, "%llu", (unsigned long long)s);
    cr_expect_eq(duration_seconds(NAN), 0);
    cr_expect_eq(duration_seconds(-1), 0);
    cr_expect_gt(duration_seconds(1e9f), 1e12);
}

/* The owner's mean and running jobs, from their definitions. */
Test(jobs, features_know_what_has_ended_and_nothing_else)
{
    static struct made m;
    struct job_rows rows;
    make(&m, 7);
    load(&rows, &m);
    for (int i = 0; i < JOBS; i++) {
        const float *x = rows.x + i * DURATION_N;
        double sum = 0;
        int n = 0, running = 0;
        for (int j = 0; j < JOBS; j++) {
            /* of equal times: the file's order, which is backwards */
            const bool before =
                m.submitted[j] < m.submitted[i] || (m.submitted[j] == m.submitted[i] && j > i);
            if (m.group[j] != m.group[i] || !before)
                continue;
            const unsigned end = m.submitted[j] + m.duration[j];
            if (end > m.submitted[i]) {
                running++;
                continue;
            }
            n++;
            sum += (double)duration_log(m.duration[j]);
        }
        cr_expect_eq(x[12], (float)running, "job %d", i);
        if (n && n < DURATION_FAR)
            cr_expect_float_eq(x[5], sum / n, 1e-4, "job %d: %g, want %g", i, (double)x[5],
                               sum / n);
        else if (!n)
            cr_expect(isnan(x[5]) && isnan(x[9]));
    }
    job_rows_free(&rows);
}

Test(jobs, features_do_not_see_the_future)
{
    static struct made m, other;
    struct job_rows a, b;
    make(&m, 9);
    other = m;
    for (int i = 250; i < JOBS; i++)
        other.duration[i] = m.duration[i] * 3 + 17;
    load(&a, &m);
    load(&b, &other);
    cr_expect_arr_eq(a.x, b.x, 251 * DURATION_N * sizeof *a.x);
    cr_expect_neq(memcmp(a.x, b.x, (size_t)JOBS * DURATION_N * sizeof *a.x), 0);
    job_rows_free(&a);
    job_rows_free(&b);
}

Test(jobs, a_log_that_is_not_there)
{
    struct job_rows rows;
    struct err e = {0};
    setenv("MALV_DATA", "/nowhere", 1);
    cr_expect_eq(job_rows_load(&rows, "data:philly-2017/philly.csv.xz", 10, &e), ERR_ENAME);
}

/* ---- training ---------------------------------------------------------------------- */

enum { ROWS = 1200, IN = 3 };

static int fit(struct model_forest **m, struct forest_fit *f, double quantile)
{
    static float x[ROWS * IN], y[ROWS];
    struct rng r;
    struct err e = {0};
    if (!train_forest_possible())
        cr_skip_test("built without XGBoost");
    rng_init(&r, 3, "test", "boosting");
    for (int i = 0; i < ROWS; i++) { /* a step in x0, a missing x1 that matters, x2 of noise */
        x[i * IN] = (float)rng_unit(&r);
        x[i * IN + 1] = rng_below(&r, 2) ? NAN : (float)rng_unit(&r);
        x[i * IN + 2] = (float)rng_unit(&r);
        y[i] = (x[i * IN] < 0.5f ? 2.0f : 5.0f) + (isnan(x[i * IN + 1]) ? 3.0f : 0.0f) +
               (float)rng_unit(&r);
    }
    const struct forest_task t = {.n_in = IN,
                                  .x = x,
                                  .y = y,
                                  .train = 1000,
                                  .valid = 200,
                                  .quantile = quantile,
                                  .rounds = 60,
                                  .patience = 10,
                                  .depth = 3,
                                  .rate = 0.2,
                                  .child = 10,
                                  .seed = 1};
    const int rc = train_forest(&t, f, m, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    return rc;
}

static void answers(const struct model_forest *m, uint32_t rows, const float *x, float *y)
{
    const struct infer_net net = model_forest_net(m);
    char why[256] = "";
    struct infer *r;
    struct infer_model *model;
    cr_assert_eq(infer_open(&r, INFER_CPU, why, sizeof why), 0, "%s", why);
    cr_assert_eq(infer_load(r, &net, &model, why, sizeof why), 0, "%s", why);
    cr_assert_eq(infer_run(model, rows, x, y, why, sizeof why), 0, "%s", why);
    infer_unload(model);
    infer_close(r);
}

static const float probe[4 * IN] = {0.2f, 0.5f, 0.5f, 0.8f, 0.5f, 0.5f,
                                    0.2f, NAN,  0.5f, 0.8f, NAN,  0.5f};

Test(jobs, boosting_learns_what_there_is_to_learn)
{
    const double mean[] = {2.5, 5.5, 5.5, 8.5};
    struct forest_fit f;
    struct model_forest *m;
    float y[4];
    fit(&m, &f, 0);
    answers(m, 4, probe, y);
    for (int i = 0; i < 4; i++)
        cr_expect_float_eq(y[i], mean[i], 0.15, "%d: %g", i, (double)y[i]);
    cr_expect_float_eq(f.valid_loss, 1.0 / 12, 0.06, "%g", f.valid_loss); /* of the noise */
    model_forest_free(m);
}

Test(jobs, a_quantile_lies_where_it_should)
{
    const double at[] = {2.9, 5.9, 5.9, 8.9};
    struct forest_fit f;
    struct model_forest *m;
    float y[4];
    fit(&m, &f, 0.9);
    answers(m, 4, probe, y);
    for (int i = 0; i < 4; i++)
        cr_expect_float_eq(y[i], at[i], 0.5, "%d: %g", i, (double)y[i]);
    model_forest_free(m);
}

Test(jobs, the_same_rows_give_the_same_forest)
{
    struct forest_fit f, g;
    struct model_forest *a, *b;
    fit(&a, &f, 0);
    fit(&b, &g, 0);
    cr_expect_eq(f.best, g.best);
    cr_assert_eq(a->nodes, b->nodes);
    cr_expect_arr_eq(a->features, b->features, a->nodes * sizeof *a->features);
    cr_expect_arr_eq(a->values, b->values, a->nodes * sizeof *a->values);
    model_forest_free(a);
    model_forest_free(b);
}

Test(jobs, forests_joined_are_the_outputs_of_one)
{
    for (uint64_t seed = 1; seed < 9; seed++) {
        struct forest *f[3];
        struct model_forest m[3], *one[3], *all;
        struct err e = {0};
        float want[3][20], y[60];
        for (uint32_t o = 0; o < 3; o++) {
            f[o] = forest_make(6, 1, 5 + (uint32_t)seed * o, 4, seed * 3 + o);
            f[o]->f.transform = FOREST_LINEAR;
            const uint32_t last = f[o]->f.n_trees - 1;
            m[o] = (struct model_forest){
                f[o]->f,      f[o]->sizes,        f[o]->features,
                f[o]->values, f[o]->default_left, f[o]->first[last] + f[o]->sizes[last]};
            one[o] = &m[o];
        }
        float *x = forest_inputs(f[0], 20, seed);
        for (uint32_t o = 0; o < 3; o++)
            answers(one[o], 20, x, want[o]);
        cr_assert_eq(train_forest_join(one, 3, &all, &e), 0, "%s", e.msg);
        answers(all, 20, x, y);
        for (int i = 0; i < 60; i++)
            cr_expect_float_eq(y[i], want[i % 3][i / 3], 1e-2, "%g, want %g", (double)y[i],
                               (double)want[i % 3][i / 3]);
        for (uint32_t o = 0; o < 3; o++)
            forest_free(f[o]);
        model_forest_free(all);
        free(x);
    }
}

Test(jobs, what_ships_is_what_the_features_are)
{
    struct model_file *m;
    struct err e = {0};
    uint32_t n_in, n_out;
    char want[32];
    cr_assert_eq(model_file_open(&m, "duration", &e), 0, "%s", e.msg);
    infer_shape(model_file_net(m), &n_in, &n_out);
    snprintf(want, sizeof want, "duration/%d", DURATION_VERSION);
    cr_expect_eq(n_in, DURATION_N);
    cr_expect_eq(n_out, 2);
    cr_expect_str_eq(model_file_meta(m, "features"), want);
    model_file_free(m);
}
