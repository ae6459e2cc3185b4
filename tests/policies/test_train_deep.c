/* The trainer of deep networks: slopes of its losses and of its layers against differences of an
 * independent forward pass. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "harness/learn/train_loss.h"
#include "harness/learn/train_net.h"
#include "sim/rng.h"

#define STEP 1e-6

Test(train_loss, slopes_are_differences_of_the_loss)
{
    struct rng r;
    rng_init(&r, 3, "test", "losses");
    for (int round = 0; round < 200; round++) {
        double y[4], d[4], up[4], unused[4];
        const uint32_t label = (uint32_t)rng_below(&r, 4);
        for (int i = 0; i < 4; i++)
            y[i] = rng_normal(&r, 0, 4);
        const double at = train_loss_softmax(y, 4, label, d);
        double p[4], sum = 0;
        for (int i = 0; i < 4; i++)
            sum += p[i] = exp(y[i]);
        cr_expect_float_eq(at, -log(p[label] / sum), 1e-9);
        for (int i = 0; i < 4; i++) {
            memcpy(up, y, sizeof y);
            up[i] += STEP;
            cr_expect_float_eq((train_loss_softmax(up, 4, label, unused) - at) / STEP, d[i], 1e-5);
        }
        const double one = train_loss_sigmoid(y[0], label & 1, d);
        cr_expect_float_eq(one, log(1 + exp(label & 1 ? -y[0] : y[0])), 1e-9);
        cr_expect_float_eq((train_loss_sigmoid(y[0] + STEP, label & 1, unused) - one) / STEP, d[0],
                           1e-5);
    }
}

Test(train_loss, far_from_zero_nothing_overflows)
{
    double d[2];
    const double y[2] = {-2000, 2000};
    cr_expect_float_eq(train_loss_softmax(y, 2, 0, d), 4000, 1e-9);
    cr_expect_eq(d[1], 1);
    cr_expect_float_eq(train_loss_sigmoid(-1000, true, d), 1000, 1e-9);
    cr_expect_eq(d[0], -1);
    cr_expect_eq(train_sigmoid(-1e6), 0);
    cr_expect_eq(train_sigmoid(1e6), 1);
}

/* ---- the layers ------------------------------------------------------------------- */

enum { ROWS = 24, IN = 3, OUT = 3 };
struct toy {
    float x[2 * ROWS * IN];
    uint32_t label[2 * ROWS];
};

static double toy_loss(const void *ctx, size_t row, const double *y, double *d)
{
    return train_loss_softmax(y, OUT, ((const struct toy *)ctx)->label[row], d);
}

static void toy_make(struct toy *t)
{
    struct rng r;
    rng_init(&r, 5, "test", "toy");
    for (int i = 0; i < 2 * ROWS * IN; i++)
        t->x[i] = (float)rng_normal(&r, 0, 1);
    for (int i = 0; i < 2 * ROWS; i++)
        t->label[i] = t->x[i * IN] > 0 ? t->x[i * IN + 1] > 0 : 2;
}

static double neuron(const float *w, const float *b, uint32_t j, const double *in, uint32_t n)
{
    double a = (double)b[j];
    for (uint32_t i = 0; i < n; i++)
        a += (double)w[j * n + i] * in[i];
    return a;
}

/* Mean loss of the fitted rows, from the delivered weights alone. */
static double mean_loss(const struct infer_mlp *m, const struct toy *t)
{
    double total = 0;
    for (int row = 0; row < ROWS; row++) {
        double at[2][64], d[OUT];
        uint32_t n = IN;
        for (int i = 0; i < IN; i++)
            at[0][i] = (double)t->x[row * IN + i];
        for (uint32_t l = 0; l <= m->n_deep + 1; l++) {
            const bool last = l == m->n_deep + 1;
            const uint32_t width = last ? OUT : l ? m->deep[l - 1].width : m->n_hidden;
            const float *w = last ? m->w2 : l ? m->deep[l - 1].w : m->w1;
            const float *b = last ? m->b2 : l ? m->deep[l - 1].b : m->b1;
            for (uint32_t j = 0; j < width; j++) {
                const double a = neuron(w, b, j, at[l & 1], n);
                at[!(l & 1)][j] = last ? a : m->sigmoid ? 1 / (1 + exp(-a)) : a > 0 ? a : 0;
            }
            n = width;
        }
        total += toy_loss(t, (size_t)row, at[m->n_deep & 1], d);
    }
    return total / ROWS;
}

/* The first step of Adam goes `rate` against the sign of each slope. */
static void check_slopes(bool sigmoid, uint32_t n_deep)
{
    static struct toy t;
    struct train_fit before, after;
    struct err e = {0};
    toy_make(&t);
    const struct train_task task = {.n_in = IN,
                                    .n_out = OUT,
                                    .n_deep = n_deep,
                                    .deep = {6, 5, 4},
                                    .sigmoid = sigmoid,
                                    .x = t.x,
                                    .loss = toy_loss,
                                    .ctx = &t};
    struct train_options o = {
        .seed = 9, .hidden = 7, .epochs = 1, .batch = ROWS, .patience = 1, .rate = 1e-12};
    cr_assert_eq(train_net(&task, ROWS, ROWS, &o, true, &before, &e), 0, "%s", e.msg);
    o.rate = 0.01;
    cr_assert_eq(train_net(&task, ROWS, ROWS, &o, true, &after, &e), 0, "%s", e.msg);
    const size_t n = (size_t)(before.mlp.b2 + OUT - before.weights);
    int checked = 0;
    for (size_t i = 0; i < n; i++) {
        const float was = before.weights[i];
        before.weights[i] = was + 1e-3f;
        const double up = mean_loss(&before.mlp, &t);
        before.weights[i] = was - 1e-3f;
        const double slope = (up - mean_loss(&before.mlp, &t)) / 2e-3;
        before.weights[i] = was;
        const double moved = (double)after.weights[i] - (double)was;
        if (fabs(slope) < 1e-4)
            continue; /* too flat to tell by differences of floats */
        checked++;
        cr_expect_float_eq(moved, slope > 0 ? -0.01 : 0.01, 2e-4, "weight %zu: slope %g, moved %g",
                           i, slope, moved);
    }
    cr_expect_gt(checked, (int)n / 3, "%d of %zu", checked, n);
    train_fit_free(&before);
    train_fit_free(&after);
}

Test(train_deep, every_weight_steps_down_its_slope)
{
    for (uint32_t n_deep = 0; n_deep <= INFER_DEEP_MAX; n_deep++) {
        check_slopes(true, n_deep);
        check_slopes(false, n_deep);
    }
}

Test(train_deep, two_sigmoid_layers_learn_what_no_line_separates)
{
    static struct toy t;
    struct train_fit fit;
    struct err e = {0};
    toy_make(&t);
    for (int i = 0; i < 2 * ROWS; i++) {
        t.x[i * IN] = i & 1 ? 1 : -1; /* the corners of a square, and noise beside them */
        t.x[i * IN + 1] = i & 2 ? 1 : -1;
        t.label[i] = (i & 1) != (i >> 1 & 1);
    }
    const struct train_task task = {.n_in = IN,
                                    .n_out = OUT,
                                    .n_deep = 1,
                                    .deep = {5},
                                    .sigmoid = true,
                                    .x = t.x,
                                    .loss = toy_loss,
                                    .ctx = &t};
    const struct train_options o = {
        .seed = 1, .hidden = 15, .epochs = 2000, .batch = 8, .patience = 2000, .rate = 0.05};
    cr_assert_eq(train_net(&task, ROWS, ROWS, &o, true, &fit, &e), 0, "%s", e.msg);
    cr_expect_lt(fit.train_loss, 0.3, "%g", fit.train_loss);
    train_fit_free(&fit);
}
