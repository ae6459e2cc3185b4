/* Features, replay and the trainer: exactness, determinism, and that it learns
 * what there is to learn and no more. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/train_mlp.h"
#include "harness/learn/train_score.h"
#include "sim/rng.h"

Test(length, the_scale_is_exact_both_ways)
{
    cr_expect_eq(length_log(0), 0);
    cr_expect_eq(length_log(1), 1 / 16.0f);
    cr_expect_eq(length_log(65535), 1);
    for (uint32_t t = 0; t < 100000; t++)
        cr_assert_eq(length_tokens(length_log(t)), t, "%u", t);
}

Test(length, whatever_a_network_says_becomes_a_length)
{
    cr_expect_eq(length_tokens(-3), 0);
    cr_expect_eq(length_tokens(0.0f / (float)strlen("")), 0);
    cr_expect_eq(length_tokens(1e30f), (1 << 24) - 1);
}

Test(length, a_running_mean_is_the_mean_and_the_variance_at_first)
{
    struct length_stat s = {0};
    const float v[] = {1, 3, 5, 7};
    for (int i = 0; i < 4; i++)
        length_stat_add(&s, v[i]);
    cr_expect_float_eq(s.mean, 4, 1e-6);
    cr_expect_float_eq(s.var, 5, 1e-6);
}

/* Two tenants: one writes 10..20 tokens, one 200..400; prompts say nothing. */
struct toy {
    struct request_source face;
    struct rng r;
    uint64_t at, left;
};

static int toy_next(struct request_source *self, struct trace_request *out, struct err *e)
{
    struct toy *t = (struct toy *)self;
    (void)e;
    if (!t->left--)
        return 0;
    t->at += 1 + rng_below(&t->r, 200000000);
    uint32_t tenant = (uint32_t)rng_below(&t->r, 2);
    uint64_t length = tenant ? 200 + rng_below(&t->r, 201) : 10 + rng_below(&t->r, 11);
    *out = (struct trace_request){.time_ns = t->at,
                                  .tenant = tenant,
                                  .prompt_tokens = (uint32_t)(50 + rng_below(&t->r, 1000)),
                                  .output_tokens = (uint32_t)length,
                                  .model = TRACE_NAME_NONE};
    return 1;
}

static void toy_rows(struct train_rows *rows, uint64_t n)
{
    struct toy t = {.face = {.next = toy_next}, .left = n};
    struct err e = {0};
    rng_init(&t.r, 7, "test", "toy");
    *rows = (struct train_rows){0};
    cr_assert_eq(train_rows_replay(rows, &t.face, n, &e), 0, "%s", e.msg);
    cr_assert_eq(rows->n, n);
}

Test(train, features_never_know_their_own_answer)
{
    /* The first rows come before any answer has finished: nothing is known. */
    struct train_rows rows;
    toy_rows(&rows, 50);
    cr_expect_eq(rows.x[2], 0);
    cr_expect_eq(rows.x[4], 0);
    cr_expect_eq(rows.x[19], 1);
    for (size_t i = 0; i < rows.n * LENGTH_N; i++)
        cr_expect(rows.x[i] >= -1 && rows.x[i] <= 2, "row %zu feature %zu", i / LENGTH_N,
                  i % LENGTH_N);
    train_rows_free(&rows);
}

static const struct train_options quick = {.seed = 3,
                                           .hidden = 16,
                                           .epochs = 8,
                                           .batch = 32,
                                           .patience = 4,
                                           .rate = 4e-3,
                                           .quantile = 0.9};

static void predict(const struct infer_mlp *m, const float *x, double y[2])
{
    double h[64];
    for (uint32_t j = 0; j < m->n_hidden; j++) {
        h[j] = m->b1[j];
        for (uint32_t i = 0; i < m->n_in; i++)
            h[j] += m->w1[j * m->n_in + i] * x[i];
    }
    for (uint32_t o = 0; o < 2; o++) {
        y[o] = m->b2[o];
        for (uint32_t j = 0; j < m->n_hidden; j++)
            y[o] += m->w2[o * m->n_hidden + j] * (h[j] > 0 ? h[j] : 0);
    }
}

Test(train, learns_what_history_tells_and_its_quantile_covers)
{
    struct train_rows rows;
    struct train_fit fit;
    struct err e = {0};
    toy_rows(&rows, 4000);
    cr_assert_eq(train_mlp(&rows, 2800, 600, &quick, true, &fit, &e), 0, "%s", e.msg);
    double p[600], edges[3];
    size_t below = 0;
    for (size_t i = 0; i < 600; i++) {
        double y[2];
        predict(&fit.mlp, rows.x + (3400 + i) * LENGTH_N, y);
        p[i] = length_tokens((float)y[0]);
        below += rows.tokens[3400 + i] <= length_tokens((float)y[1]);
    }
    struct score s;
    cr_assert_eq(score_edges(edges, rows.tokens, 2800, &e), 0);
    cr_assert_eq(score_rows(&s, p, rows.tokens + 3400, 600, edges, &e), 0);
    cr_expect_gt(s.spearman, 0.7, "got %g", s.spearman); /* the tenant, told apart */
    cr_expect_lt(s.log2_rmse, 0.45, "got %g",
                 s.log2_rmse); /* the spread inside one tenant: ~0.29 */
    cr_expect(below > 480 && below < 590, "%zu of 600 under the 90 %% line", below);
    train_fit_free(&fit);
    train_rows_free(&rows);
}

Test(train, same_seed_same_bytes_other_seed_other_bytes)
{
    struct train_rows rows;
    struct train_fit fit[3];
    struct train_options o[3] = {quick, quick, quick};
    struct err e = {0};
    o[2].seed = 4;
    toy_rows(&rows, 600);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(train_mlp(&rows, 400, 100, &o[i], true, &fit[i], &e), 0);
    size_t n = (16 * (LENGTH_N + 3) + 2) * sizeof(float);
    cr_expect(!memcmp(fit[0].weights, fit[1].weights, n));
    cr_expect(memcmp(fit[0].weights, fit[2].weights, n));
    for (int i = 0; i < 3; i++)
        train_fit_free(&fit[i]);
    train_rows_free(&rows);
}

Test(train, keeps_the_best_epoch_not_the_last)
{
    struct train_rows rows;
    struct train_fit fit;
    struct train_options o = quick;
    struct err e = {0};
    toy_rows(&rows, 120);
    o.epochs = 200, o.hidden = 64, o.rate = 2e-2;
    cr_assert_eq(train_mlp(&rows, 60, 60, &o, true, &fit, &e), 0);
    cr_expect_leq(fit.best_epoch + o.patience, 200u);
    cr_expect_eq(fit.epochs, fit.best_epoch + o.patience, "ran %u, best %u", fit.epochs,
                 fit.best_epoch);
    train_fit_free(&fit);
    train_rows_free(&rows);
}

Test(train, no_rows_is_an_error)
{
    struct train_rows rows = {0};
    struct train_fit fit;
    struct err e = {0};
    cr_expect_eq(train_mlp(&rows, 0, 0, &quick, true, &fit, &e), ERR_ERANGE);
    cr_expect_str_eq(e.msg, "0 rows to train and 0 to validate, want some of each");
}
