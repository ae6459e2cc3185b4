/* Steps of gradient descent: against finite differences, against the same written otherwise in
 * doubles, and against the runtime that answers with what was learned. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/mlp_train.h"
#include "sim/rng.h"

enum { ROWS = 12, IN_MOST = 9, OUT_MOST = 5, PARAMS_MOST = 512 };

static const struct shape {
    uint32_t n_in, hidden, n_deep, deep[INFER_DEEP_MAX], n_out;
    bool sigmoid;
} shapes[] = {
    {5, 15, 1, {5}, 4, true}, /* KML's */
    {7, 40, 0, {0}, 3, false}, {9, 6, 2, {7, 5}, 5, false},
    {3, 35, 1, {33}, 2, true}, {4, 1, 0, {0}, 2, true},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

struct problem {
    struct infer_mlp net;
    float w[16384], x[ROWS * IN_MOST];
    uint32_t label[ROWS];
    struct mlp_batch batch;
};

static float *fill(float *to, size_t n, double deviation, struct rng *r)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)rng_normal(r, 0, deviation);
    return to + n;
}

static void pose(struct problem *p, const struct shape *s, uint64_t seed)
{
    struct rng r;
    float *at = p->w;
    uint32_t before = s->n_in;
    rng_init(&r, seed, "test", "train");
    p->net = (struct infer_mlp){.n_in = s->n_in,
                                .n_hidden = s->hidden,
                                .n_out = s->n_out,
                                .n_deep = s->n_deep,
                                .sigmoid = s->sigmoid};
    for (uint32_t i = 0; i <= s->n_deep + 1; i++) {
        const uint32_t width = i == 0 ? s->hidden : i <= s->n_deep ? s->deep[i - 1] : s->n_out;
        float *w = at, *b = at = fill(at, (size_t)width * before, 1 / sqrt(before), &r);
        at = fill(at, width, 0.3, &r);
        if (i == 0)
            p->net.w1 = w, p->net.b1 = b;
        else if (i <= s->n_deep)
            p->net.deep[i - 1] = (struct infer_layer){.width = width, .w = w, .b = b};
        else
            p->net.w2 = w, p->net.b2 = b;
        before = width;
    }
    cr_assert_leq(at - p->w, (ptrdiff_t)(sizeof p->w / sizeof *p->w));
    fill(p->x, (size_t)ROWS * s->n_in, 1, &r);
    for (int i = 0; i < ROWS; i++)
        p->label[i] = (uint32_t)rng_below(&r, s->n_out);
    p->batch = (struct mlp_batch){.rows = ROWS, .x = p->x, .label = p->label};
}

/* ---- the same in doubles, neurons by column: w[before][width], all rows at a time -------------
 */

enum { LAYERS_MOST = INFER_DEEP_MAX + 2, WIDTH_MOST = 64 };

struct twin {
    uint32_t layers, width[LAYERS_MOST + 1]; /* [0]: the inputs */
    bool sigmoid;
    double w[LAYERS_MOST][WIDTH_MOST][WIDTH_MOST], b[LAYERS_MOST][WIDTH_MOST];
    double vw[LAYERS_MOST][WIDTH_MOST][WIDTH_MOST], vb[LAYERS_MOST][WIDTH_MOST];
    double a[LAYERS_MOST + 1][ROWS][WIDTH_MOST]; /* values, before softmax */
};

/* Takes parameters in the order of mlp_train_params. */
static void twin_take(struct twin *t, const struct shape *s, const double *p)
{
    memset(t, 0, sizeof *t);
    t->layers = s->n_deep + 2;
    t->sigmoid = s->sigmoid;
    t->width[0] = s->n_in;
    for (uint32_t l = 0; l < t->layers; l++) {
        t->width[l + 1] = l == 0 ? s->hidden : l <= s->n_deep ? s->deep[l - 1] : s->n_out;
        for (uint32_t j = 0; j < t->width[l + 1]; j++)
            for (uint32_t k = 0; k < t->width[l]; k++)
                t->w[l][k][j] = *p++;
        for (uint32_t j = 0; j < t->width[l + 1]; j++)
            t->b[l][j] = *p++;
    }
}

static double twin_loss(struct twin *t, const struct mlp_batch *b)
{
    double loss = 0;
    for (uint32_t r = 0; r < b->rows; r++) {
        for (uint32_t k = 0; k < t->width[0]; k++)
            t->a[0][r][k] = (double)b->x[r * t->width[0] + k];
        for (uint32_t l = 0; l < t->layers; l++)
            for (uint32_t j = 0; j < t->width[l + 1]; j++) {
                double v = 0;
                for (uint32_t k = t->width[l]; k-- > 0;)
                    v += t->a[l][r][k] * t->w[l][k][j];
                v += t->b[l][j];
                if (l + 1 < t->layers)
                    v = t->sigmoid ? 1 / (1 + exp(-v)) : fmax(v, 0);
                t->a[l + 1][r][j] = v;
            }
        double sum = 0;
        for (uint32_t o = 0; o < t->width[t->layers]; o++)
            sum += exp(t->a[t->layers][r][o]);
        loss += log(sum) - t->a[t->layers][r][b->label[r]];
    }
    return loss / b->rows;
}

/* One step of all rows, deltas from the top down. */
static void twin_step(struct twin *t, const struct mlp_batch *b, double rate, double momentum)
{
    static double d[LAYERS_MOST + 1][ROWS][WIDTH_MOST];
    (void)twin_loss(t, b);
    for (uint32_t r = 0; r < b->rows; r++) {
        const double *y = t->a[t->layers][r];
        double sum = 0;
        for (uint32_t o = 0; o < t->width[t->layers]; o++)
            sum += exp(y[o]);
        for (uint32_t o = 0; o < t->width[t->layers]; o++)
            d[t->layers][r][o] = (exp(y[o]) / sum - (o == b->label[r])) / b->rows;
    }
    for (uint32_t l = t->layers; l-- > 1;)
        for (uint32_t r = 0; r < b->rows; r++)
            for (uint32_t k = 0; k < t->width[l]; k++) {
                const double a = t->a[l][r][k];
                double up = 0;
                for (uint32_t j = 0; j < t->width[l + 1]; j++)
                    up += t->w[l][k][j] * d[l + 1][r][j];
                d[l][r][k] = t->sigmoid ? up * a * (1 - a) : a > 0 ? up : 0;
            }
    for (uint32_t l = 0; l < t->layers; l++)
        for (uint32_t j = 0; j < t->width[l + 1]; j++) {
            double gb = 0;
            for (uint32_t r = 0; r < b->rows; r++)
                gb += d[l + 1][r][j];
            t->vb[l][j] = momentum * t->vb[l][j] + gb;
            t->b[l][j] -= rate * t->vb[l][j];
            for (uint32_t k = 0; k < t->width[l]; k++) {
                double g = 0;
                for (uint32_t r = 0; r < b->rows; r++)
                    g += t->a[l][r][k] * d[l + 1][r][j];
                t->vw[l][k][j] = momentum * t->vw[l][k][j] + g;
                t->w[l][k][j] -= rate * t->vw[l][k][j];
            }
        }
}

static double *as_doubles(const struct mlp_train *t, size_t *n)
{
    const float *p = mlp_train_params(t, n);
    double *to = malloc(*n * sizeof *to);
    for (size_t i = 0; i < *n; i++)
        to[i] = (double)p[i];
    return to;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

Test(mlp_train, the_gradient_is_that_of_finite_differences)
{
    static struct problem p;
    static struct twin twin;
    for (size_t i = 0; i < SHAPES; i++) {
        size_t n;
        pose(&p, &shapes[i], 7 + i);
        struct mlp_train *t = mlp_train_new(&p.net);
        double *at = as_doubles(t, &n);
        float *g = malloc(n * sizeof *g);
        mlp_train_gradient(t, &p.batch, g);
        const size_t step = n > 400 ? n / 199 : 1; /* of the large ones some */
        for (size_t k = 0; k < n; k += step) {
            const double was = at[k], h = 1e-6;
            double loss[2];
            for (int side = 0; side < 2; side++) {
                at[k] = side ? was + h : was - h;
                twin_take(&twin, &shapes[i], at);
                loss[side] = twin_loss(&twin, &p.batch);
            }
            at[k] = was;
            const double slope = (loss[1] - loss[0]) / (2 * h);
            cr_expect_float_eq((double)g[k], slope, 2e-6 + 2e-5 * fabs(slope),
                               "shape %zu, parameter %zu: %g, differences say %g", i, k,
                               (double)g[k], slope);
        }
        mlp_train_free(t);
        free(at);
        free(g);
    }
}

Test(mlp_train, steps_are_those_of_the_same_in_doubles)
{
    static struct problem p;
    static struct twin twin;
    for (size_t i = 0; i < SHAPES; i++) {
        size_t n;
        pose(&p, &shapes[i], 70 + i);
        struct mlp_train *t = mlp_train_new(&p.net);
        double *at = as_doubles(t, &n), worst = 0, moved = 0;
        twin_take(&twin, &shapes[i], at);
        for (int k = 0; k < 40; k++) {
            mlp_train_step(t, &p.batch, 0.05f, 0.9f);
            twin_step(&twin, &p.batch, (double)0.05f, (double)0.9f);
        }
        const float *is = mlp_train_params(t, &n);
        for (uint32_t l = 0, k = 0; l < twin.layers; l++) {
            for (uint32_t j = 0; j < twin.width[l + 1]; j++)
                for (uint32_t in = 0; in < twin.width[l]; in++, k++) {
                    worst = fmax(worst, fabs((double)is[k] - twin.w[l][in][j]));
                    moved = fmax(moved, fabs((double)is[k] - at[k]));
                }
            for (uint32_t j = 0; j < twin.width[l + 1]; j++, k++)
                worst = fmax(worst, fabs((double)is[k] - twin.b[l][j]));
        }
        cr_expect_gt(moved, 0.05, "shape %zu", i);
        cr_expect_lt(worst, 2e-5, "shape %zu: off by %g", i, worst);
        mlp_train_free(t);
        free(at);
    }
}

/* What is in training answers like what the runtime was given of it. */
Test(mlp_train, the_runtime_answers_with_what_was_learned)
{
    static struct problem p;
    struct infer *runtime;
    char why[256];
    cr_assert_eq(infer_open(&runtime, INFER_CPU, why, sizeof why), 0, "%s", why);
    for (size_t i = 0; i < SHAPES; i++) {
        struct infer_model *m;
        float y[ROWS * OUT_MOST], before[ROWS * OUT_MOST];
        pose(&p, &shapes[i], 700 + i);
        struct mlp_train *t = mlp_train_new(&p.net);
        for (int k = 0; k < 200; k++) {
            if (k == 0 || k == 199) {
                cr_assert_eq(infer_load_mlp(runtime, mlp_train_net(t), &m, why, sizeof why), 0);
                cr_assert_eq(infer_run(m, ROWS, p.x, k ? y : before, why, sizeof why), 0);
                infer_unload(m);
            }
            mlp_train_step(t, &p.batch, 0.1f, 0.9f);
        }
        double was = 0, is = 0;
        for (int r = 0; r < ROWS; r++) {
            double all[2] = {0};
            for (uint32_t o = 0; o < p.net.n_out; o++) {
                all[0] += exp((double)before[r * (int)p.net.n_out + (int)o]);
                all[1] += exp((double)y[r * (int)p.net.n_out + (int)o]);
            }
            const int at = r * (int)p.net.n_out + (int)p.label[r];
            was += exp((double)before[at]) / all[0] / ROWS;
            is += exp((double)y[at]) / all[1] / ROWS;
        }
        cr_expect_gt(is, was, "shape %zu: the right class had %g, has %g", i, was, is);
        if (!p.net.sigmoid)
            cr_expect_gt(is, 0.9, "shape %zu: %g", i, is);
        mlp_train_free(t);
    }
    infer_close(runtime);
}

/* One answer on every machine and by every compiler: a sum over the bits of what 300 steps make. */
Test(mlp_train, the_bits_are_the_same_everywhere)
{
    static const uint32_t known[] = {0xd1d0b062, 0xadf4f202, 0x8f589c98, 0x131023fc, 0x9e19510f};
    static struct problem p;
    for (size_t i = 0; i < SHAPES; i++) {
        size_t n;
        uint32_t sum = 2166136261u, bits;
        pose(&p, &shapes[i], 7000 + i);
        struct mlp_train *t = mlp_train_new(&p.net);
        for (int k = 0; k < 300; k++)
            mlp_train_step(t, &p.batch, 0.05f, 0.9f);
        const float *is = mlp_train_params(t, &n);
        for (size_t k = 0; k < n; k++) {
            memcpy(&bits, &is[k], sizeof bits);
            sum = (sum ^ bits) * 16777619u;
        }
        cr_expect_eq(sum, known[i], "shape %zu: 0x%08x", i, sum);
        mlp_train_free(t);
    }
}

Test(mlp_train, operations_are_counted_by_hand)
{
    static struct problem p;
    pose(&p, &shapes[0], 1); /* 170 weights, of them 75 in the first layer; 24 biases */
    cr_expect_eq(mlp_train_flops(&p.net, 1), 3 * 340 - 150 + 4 * 194);
    cr_expect_eq(mlp_train_flops(&p.net, 10), 10 * (3 * 340 - 150) + 4 * 194);
    p.net.sigmoid_out = true;
    cr_expect_not(mlp_train_can(&p.net));
    p.net = (struct infer_mlp){.type = INFER_S8};
    cr_expect_not(mlp_train_can(&p.net));
}
