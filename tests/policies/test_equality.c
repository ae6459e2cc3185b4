/* The shipped weights on every backend of this machine: the same bits, on inputs of which nobody
 * trained.  MALV_EQUALITY_ROWS sets how many; `make equality` asks for 100,000 of each. */
#include <criterion/criterion.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/forest.h"
#include "gpu-kernels/infer.h"
#include "gpu-kernels/lstm_net.h"
#include "harness/learn/model_file.h"
#include "sim/rng.h"
#include "tests/sanitized.h"

#define ROWS_USUAL     (SANITIZED ? 250 : 1000)
#define ROWS_AT_A_TIME 4096

/* Whole digits, as LinnOS and KML see them, and real numbers small and large. */
static void draw_mlp(const struct infer_mlp *m, struct rng *r, float *x)
{
    const uint64_t how = rng_below(r, 3);
    const double scale = how == 1 ? 1 : 40;
    for (uint32_t i = 0; i < m->n_in; i++)
        x[i] = how == 0 ? (float)rng_below(r, 10) : (float)((2 * rng_unit(r) - 1) * scale);
}

/* Close to references, where votes are close. */
static void draw_knn(const struct infer_knn *k, struct rng *r, float *x)
{
    const int8_t *ref = k->refs + rng_below(r, k->n_refs) * k->n_dim;
    for (uint32_t i = 0; i < k->n_dim; i++)
        x[i] = k->in_scale * (float)(ref[i] + (int)rng_below(r, 9) - 4);
}

static void draw_lstm(const struct infer_lstm *l, struct rng *r, float *x)
{
    for (uint32_t i = 0; i < l->steps * l->n_step; i++)
        x[i] = l->vocab ? (float)rng_below(r, l->vocab) : (float)(2 * rng_unit(r) - 1);
}

/* At the thresholds, and a step to either side, and missing: where a comparison could go wrong. */
static void draw_forest(const struct infer_forest *f, struct rng *r, float *x)
{
    uint64_t nodes = 0;
    for (uint32_t t = 0; t < f->n_trees; t++)
        nodes += f->sizes[t];
    for (uint32_t i = 0; i < f->n_in; i++)
        x[i] = rng_below(r, 50) ? (float)((2 * rng_unit(r) - 1) * 30) : NAN;
    for (uint32_t i = 0; i < f->n_in; i++) {
        const uint64_t at = rng_below(r, nodes);
        if (f->features[at] >= 0)
            x[f->features[at]] = f->values[at] + (float)((int)rng_below(r, 3) - 1) / 1024;
    }
}

static void draw(const struct infer_net *net, struct rng *r, float *x)
{
    switch (net->kind) {
    case INFER_MLP:
        draw_mlp(net->mlp, r, x);
        break;
    case INFER_KNN:
        draw_knn(net->knn, r, x);
        break;
    case INFER_LSTM:
        draw_lstm(net->lstm, r, x);
        break;
    default:
        draw_forest(net->forest, r, x);
    }
}

struct side { /* a backend with the network on it */
    struct infer *runtime;
    struct infer_model *model;
    float *y;
};

static bool side_open(struct side *s, enum infer_backend b, const struct infer_net *net,
                      uint32_t n_out)
{
    char why[256];
    *s = (struct side){0};
    if (infer_open(&s->runtime, b, why, sizeof why))
        return false;
    cr_assert_eq(infer_load(s->runtime, net, &s->model, why, sizeof why), 0, "%s", why);
    s->y = malloc(ROWS_AT_A_TIME * n_out * sizeof *s->y);
    cr_assert(s->y);
    return true;
}

static void side_close(struct side *s)
{
    if (!s->runtime)
        return;
    infer_unload(s->model);
    infer_close(s->runtime);
    free(s->y);
}

static void run(const struct side *s, uint32_t rows, const float *x)
{
    char why[256];
    cr_assert_eq(infer_run(s->model, rows, x, s->y, why, sizeof why), 0, "%s", why);
}

/* Backends that this machine has: cpu first, whose bits the others must give. */
static uint64_t compare(const char *name, const struct infer_net *net, uint64_t rows)
{
    static const enum infer_backend backends[] = {INFER_CPU, INFER_EMU, INFER_CUDA};
    uint32_t n_in, n_out, sides = 0;
    struct side side[3];
    struct rng r;
    rng_init(&r, 20261123, "equality", name);
    infer_shape(net, &n_in, &n_out);
    float *x = malloc(ROWS_AT_A_TIME * n_in * sizeof *x);
    cr_assert(x);
    for (int b = 0; b < 3; b++)
        sides += side_open(&side[sides], backends[b], net, n_out);
    for (uint64_t done = 0; done < rows;) {
        const uint32_t n = rows - done < ROWS_AT_A_TIME ? (uint32_t)(rows - done) : ROWS_AT_A_TIME;
        for (uint32_t i = 0; i < n; i++)
            draw(net, &r, x + i * n_in);
        for (uint32_t i = 0; i < sides; i++)
            run(&side[i], n, x);
        for (uint32_t i = 1; i < sides; i++)
            cr_assert_arr_eq(side[0].y, side[i].y, n * n_out * sizeof *x, "%s on %s", name,
                             infer_name(side[i].runtime));
        done += n;
    }
    for (uint32_t i = 0; i < sides; i++)
        side_close(&side[i]);
    free(x);
    return rows * (sides - 1);
}

Test(equality, shipped_weights_decide_alike_on_every_backend, .timeout = 3600)
{
    const char *asked = getenv("MALV_EQUALITY_ROWS");
    const uint64_t rows = asked ? strtoull(asked, NULL, 10) : ROWS_USUAL;
    glob_t g;
    cr_assert_eq(glob("policies/weights/*.safetensors", 0, NULL, &g), 0);
    cr_assert_geq(g.gl_pathc, 10);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        struct model_file *m;
        struct err e = {0};
        cr_assert_eq(model_file_open(&m, g.gl_pathv[i], &e), 0, "%s", e.msg);
        cr_expect_geq(compare(g.gl_pathv[i], model_file_net(m), rows), rows);
        if (asked)
            printf("%s: %llu inputs, the same bits\n", g.gl_pathv[i], (unsigned long long)rows);
        model_file_free(m);
    }
    globfree(&g);
}
