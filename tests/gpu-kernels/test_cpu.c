/* test_cpu.c - every CPU twin against the canonical order and against double. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>

#include "gpu-kernels/cpu.h"
#include "gpu-kernels/cu_math.h"
#include "tests/gpu-kernels/nets.h"

static const struct shape {
    uint32_t n_in, n_hidden, n_out, rows;
} shapes[] = {
    {31, 256, 2, 1},   {31, 256, 2, 7},   {31, 256, 2, 64},  {31, 256, 2, 4096}, {16, 64, 1, 33},
    {16, 64, 8, 1024}, {1, 1, 1, 1},      {64, 1024, 16, 9}, {64, 1024, 16, 3},  {33, 65, 5, 17},
    {3, 31, 3, 8},     {17, 100, 16, 12}, {32, 32, 4, 5},    {48, 511, 7, 2},    {63, 129, 9, 31},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static struct criterion_test_params each_shape(void)
{
    static int rows[SHAPES];
    for (int i = 0; i < SHAPES; i++)
        rows[i] = i;
    return cr_make_param_array(int, rows, SHAPES);
}

static void run_twin(const struct cpu_twin *t, const struct net *n, uint32_t rows, const float *x,
                     float *y)
{
    struct cpu_model m;
    cr_assert(cpu_model_make(&m, t, &n->mlp));
    m.forward(&m.pack, rows, x, y);
    pack_free(&m.pack);
}

static void twins_agree(const struct net *n, uint32_t rows, const float *x)
{
    float *want = net_outputs(n, rows);
    net_canonical(n, rows, x, want);
    for (const struct cpu_twin *t = cpu_twins; t->name; t++) {
        if (!t->supported())
            continue;
        float *y = net_outputs(n, rows);
        run_twin(t, n, rows, x, y);
        size_t differ = net_differ(n, rows, y, want);
        cr_expect_eq(differ, 0, "%s: %zu of %u answers differ", t->name, differ,
                     rows * n->mlp.n_out);
        cr_expect_not(net_overran(n, rows, y), "%s wrote beyond its outputs", t->name);
        free(y);
    }
    free(want);
}

static void shape_agrees(const struct shape *s, enum infer_type type, float size)
{
    struct net *n = net_make(s->n_in, s->n_hidden, s->n_out, type, s->n_in * 77 + s->rows);
    float *x = net_inputs(n, s->rows, size, s->rows);
    twins_agree(n, s->rows, x);
    free(x);
    net_free(n);
}

ParameterizedTestParameters(kernels_cpu, twins_give_the_canonical_bits)
{
    return each_shape();
}
ParameterizedTest(const int *i, kernels_cpu, twins_give_the_canonical_bits)
{
    shape_agrees(&shapes[*i], INFER_F32, 1.0f);
    shape_agrees(&shapes[*i], INFER_S8, 1.0f);
}

Test(kernels_cpu, random_shapes_and_batches_agree)
{
    uint64_t s = 2026;
    for (int i = 0; i < 60; i++) {
        struct shape a = {.n_in = 1 + nets_random(&s) % 64,
                          .n_hidden = 1 + nets_random(&s) % 300,
                          .n_out = 1 + nets_random(&s) % 16,
                          .rows = 1 + nets_random(&s) % 40};
        shape_agrees(&a, i % 2 ? INFER_S8 : INFER_F32, 1.0f);
    }
}

Test(kernels_cpu, deep_networks_agree)
{
    const uint32_t batches[] = {1, 2, 5, 8, 23};
    for (uint64_t seed = 0; seed < 80; seed++) {
        struct net *n = net_make_any_deep(seed % 4 ? 100 : 512, seed);
        uint32_t rows = batches[seed % 5];
        float *x = net_inputs(n, rows, seed % 3 ? 1.0f : 1e5f, seed);
        if (seed % 7 < 3)
            x[seed % n->mlp.n_in] = seed % 7 ? INFINITY : NAN;
        twins_agree(n, rows, x);
        free(x);
        net_free(n);
    }
}

Test(kernels_cpu, deep_networks_are_close_to_double_precision)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct net *n = net_make_any_deep(60, seed);
        float *x = net_inputs(n, 3, 1.0f, 4), *y = net_outputs(n, 3);
        run_twin(cpu_twins, n, 3, x, y);
        for (uint32_t a = 0; a < 3 * n->mlp.n_out; a++) {
            double scale,
                want = net_exact(n, x + a / n->mlp.n_out * n->mlp.n_in, a % n->mlp.n_out, &scale);
            cr_assert_leq(fabs((double)y[a] - want), 4e-6 * scale, "seed %d: %g, want %g",
                          (int)seed, (double)y[a], want);
        }
        free(x), free(y);
        net_free(n);
    }
}

Test(kernels_cpu, sigmoid_is_right_everywhere)
{
    for (float x = -90; x < 90; x += 0.0037f) {
        double want = 1 / (1 + exp(-fmin(fmax((double)x, -87), 87)));
        cr_assert_float_eq((double)cu_sigmoid(x), want, 3e-7 * want, "at %g", (double)x);
    }
    cr_expect_eq(cu_sigmoid(0), 0.5f);
    cr_expect_eq(cu_bits(cu_sigmoid(NAN)), cu_bits(cu_sigmoid(-INFINITY)));
    cr_expect_eq(cu_sigmoid(INFINITY), 1.0f);
}

Test(kernels_cpu, inputs_beyond_the_int8_range_saturate_alike)
{
    for (float size = 0.5f; size < 1e30f; size *= 1000.0f)
        shape_agrees(&shapes[9], INFER_S8, size);
}

Test(kernels_cpu, halves_round_to_even)
{
    struct net *n = net_make(2, 3, 1, INFER_S8, 5);
    float x[40];
    n->mlp.in_scale = 2.0f; /* x / 2 has every half */
    for (int i = 0; i < 40; i++)
        x[i] = (float)(i - 20);
    twins_agree(n, 20, x);
    net_free(n);
}

Test(kernels_cpu, extreme_hidden_scales_saturate_alike)
{
    const float scales[] = {1e-30f, 0.5f, 1.0f, 1e6f, 1e30f};
    struct net *n = net_make(64, 200, 4, INFER_S8, 6);
    float *x = net_inputs(n, 9, 1.0f, 1);
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        n->mlp.hidden_scale = scales[i];
        twins_agree(n, 9, x);
    }
    free(x);
    net_free(n);
}

Test(kernels_cpu, nan_and_infinity_give_the_same_bits)
{
    struct net *n = net_make(5, 70, 3, INFER_F32, 8);
    float *x = net_inputs(n, 12, 1.0f, 2);
    x[3] = NAN, x[9] = INFINITY, x[17] = -INFINITY, x[21] = -NAN, x[30] = 3e38f, x[41] = 1e-42f;
    twins_agree(n, 12, x);
    n->mlp.type = INFER_F32;
    n->w2[7] = INFINITY, n->w2[75] = -INFINITY, n->b2[2] = NAN;
    twins_agree(n, 12, x);
    net_free(n);
    n = net_make(5, 70, 3, INFER_S8, 8);
    twins_agree(n, 12, x);
    free(x);
    net_free(n);
}

ParameterizedTestParameters(kernels_cpu, close_to_double_precision)
{
    return each_shape();
}
ParameterizedTest(const int *i, kernels_cpu, close_to_double_precision)
{
    const struct shape *s = &shapes[*i];
    for (int type = INFER_F32; type <= INFER_S8; type++) {
        struct net *n = net_make(s->n_in, s->n_hidden, s->n_out, (enum infer_type)type, 3);
        uint32_t rows = s->rows < 64 ? s->rows : 64;
        float *x = net_inputs(n, rows, 1.0f, 4), *y = net_outputs(n, rows);
        run_twin(cpu_twins, n, rows, x, y);
        for (uint32_t a = 0; a < rows * s->n_out; a++) {
            double scale, want = net_exact(n, x + a / s->n_out * s->n_in, a % s->n_out, &scale);
            cr_assert_leq(fabs((double)y[a] - want), 2e-6 * scale, "answer %u: %g, want %g", a,
                          (double)y[a], want);
        }
        free(x), free(y);
        net_free(n);
    }
}
