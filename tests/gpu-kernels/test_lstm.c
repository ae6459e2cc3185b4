/* test_lstm.c - recurrent networks: every CPU twin and the kernels on fibers
 * against the canonical order and against double. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cpu.h"
#include "gpu-kernels/cu_math.h"
#include "gpu-kernels/emu_block.h"
#include "tests/gpu-kernels/lstms.h"
#include "tests/gpu-kernels/nets.h"
#include "tests/sanitized.h"

static const struct infer_lstm kleio = {.steps = 6,
                                        .n_step = 1,
                                        .vocab = 621,
                                        .layers = 2,
                                        .width = 256,
                                        .n_out = 621,
                                        .softmax = true};

static void twin_agrees(const struct lstm *l, uint32_t level, uint32_t rows, const float *x,
                        const float *want)
{
    float *y = lstm_outputs(l, rows);
    void *twin = kind_lstm.twin_make(&l->of, level);
    cr_assert(twin && kind_lstm.twin_run(twin, rows, x, y));
    size_t differ = lstm_differ(l, rows, y, want);
    cr_expect_eq(differ, 0, "%s: %zu answers differ, %u steps, %u x %u, %u outputs, %u rows",
                 cpu_twins[level].name, differ, l->net.steps, l->net.layers, l->net.width,
                 l->net.n_out, rows);
    cr_expect_not(lstm_overran(l, rows, y));
    kind_lstm.twin_free(twin);
    free(y);
}

static void twins_agree(const struct lstm *l, uint32_t rows, const float *x)
{
    float *want = lstm_outputs(l, rows);
    lstm_canonical(l, rows, x, want);
    for (uint32_t i = 0; cpu_twins[i].name; i++)
        if (cpu_twins[i].supported())
            twin_agrees(l, i, rows, x, want);
    free(want);
}

static void any_agrees(struct lstm *l, uint32_t rows, uint64_t seed)
{
    float *x = lstm_inputs(l, rows, seed);
    if (seed % 5 == 0)
        x[seed % (rows * l->n_in)] = seed % 2 ? NAN : INFINITY;
    twins_agree(l, rows, x);
    free(x);
    lstm_free(l);
}

Test(kernels_lstm, twins_give_the_canonical_bits)
{
    static const uint32_t batches[] = {1, 2, 5, 6, 7, 13, 49, 100};
    for (uint64_t seed = 0; seed < 80; seed++)
        any_agrees(lstm_make_any(seed % 8 ? 40 : 130, seed), batches[seed % 8], seed);
    any_agrees(lstm_make(&kleio, 1), 7, 1);
    any_agrees(lstm_make(
                   &(struct infer_lstm){
                       .steps = 2, .n_step = 64, .layers = 2, .width = 512, .n_out = 1024},
                   1),
               3, 2);
}

Test(kernels_lstm, close_to_double_precision)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct lstm *l = seed ? lstm_make_any(60, seed) : lstm_make(&kleio, 1);
        float *x = lstm_inputs(l, 2, seed), *y = lstm_outputs(l, 2);
        void *twin = kind_lstm.twin_make(&l->of, 0);
        double want[INFER_LSTM_OUT];
        cr_assert(kind_lstm.twin_run(twin, 2, x, y));
        for (uint32_t i = 0; i < 2 * l->net.n_out; i++) {
            if (i % l->net.n_out == 0)
                lstm_exact(l, x + i / l->net.n_out * l->n_in, want);
            double most = l->net.softmax ? 1 : 3.0 * l->net.width;
            cr_assert_float_eq((double)y[i], want[i % l->net.n_out], 3e-5 * most,
                               "seed %d, output %u: %g, want %g", (int)seed, i, (double)y[i],
                               want[i % l->net.n_out]);
        }
        kind_lstm.twin_free(twin);
        free(x), free(y);
        lstm_free(l);
    }
}

Test(kernels_lstm, softmax_sums_to_one)
{
    struct lstm *l = lstm_make(&kleio, 4);
    float *x = lstm_inputs(l, 5, 4), *y = lstm_outputs(l, 5);
    void *twin = kind_lstm.twin_make(&l->of, 1);
    cr_assert(kind_lstm.twin_run(twin, 5, x, y));
    for (uint32_t r = 0; r < 5; r++) {
        double sum = 0;
        for (uint32_t o = 0; o < 621; o++)
            sum += (double)y[r * 621 + o];
        cr_expect_float_eq(sum, 1, 1e-5);
    }
    kind_lstm.twin_free(twin);
    free(x), free(y);
    lstm_free(l);
}

Test(kernels_lstm, tanh_is_right_everywhere)
{
    for (float x = -50; x < 50; x += 0.0023f) {
        double want = tanh((double)x);
        cr_assert_float_eq((double)cu_tanh(x), want, 3e-7 * fabs(want), "at %g", (double)x);
    }
    for (float x = 1e-30f; x < 1; x *= 1.7f)
        cr_assert_float_eq((double)cu_tanh(-x), tanh(-(double)x), 3e-7 * (double)x);
    cr_expect_eq(cu_bits(cu_tanh(-0.0f)), 0u);
    cr_expect_eq(cu_tanh(INFINITY), 1.0f);
    cr_expect_eq(cu_tanh(-INFINITY), -1.0f);
    cr_expect_eq(cu_tanh(NAN), 1.0f);
    cr_expect_eq(cu_tanh(-NAN), 1.0f);
}

/* ---- on fibers -------------------------------------------------------------------- */

struct fibers {
    struct emu *e;
    uint64_t seed;
};

static void on_fibers(void *ctx, const struct kind *kind, const struct kind_launch *l)
{
    struct fibers *f = ctx;
    struct emu_options o = {.seed = f->seed ? f->seed++ : 0};
    cr_assert_not(emu_launch(f->e, kind->emu[l->kernel], l->blocks, l->threads, l->args, &o), "%s",
                  f->e->why);
}

static void fibers_agree(struct fibers *f, struct lstm *l, uint32_t rows, uint32_t blocks)
{
    const struct lstm_machine on = {.ctx = f, .run = on_fibers};
    float *x = lstm_inputs(l, rows, f->seed), *y = lstm_outputs(l, rows);
    float *want = lstm_outputs(l, rows);
    lstm_canonical(l, rows, x, want);
    lstm_launch(l, rows, x, y, blocks, &on);
    size_t differ = lstm_differ(l, rows, y, want);
    cr_expect_eq(differ, 0, "%zu answers differ: %u steps, %u x %u, %u outputs, %u rows, %u blocks",
                 differ, l->net.steps, l->net.layers, l->net.width, l->net.n_out, rows, blocks);
    cr_expect_not(lstm_overran(l, rows, y));
    free(x), free(y), free(want);
    lstm_free(l);
}

Test(kernels_lstm, any_schedule_gives_the_canonical_bits)
{
    static const uint32_t batches[] = {1, 3, 8, 9, 17, 40, 70}, blocks[] = {2, 7, 30, 264};
    struct fibers f = {.e = emu_new()};
    for (uint64_t seed = 0; seed < (SANITIZED ? 28 : 56); seed++) {
        f.seed = seed;
        fibers_agree(&f, lstm_make_any(seed % 9 ? 40 : 130, seed), batches[seed % 7],
                     blocks[seed % 4]);
    }
    fibers_agree(&f, lstm_make(&kleio, 2), 1, 264);
    fibers_agree(&f, lstm_make(&kleio, 2), 17, 264);
    emu_free(f.e);
}

/* What a policy would see: a small network (fibers have no vectors), all its ids among the inputs.
 */
Test(kernels_lstm, cpu_and_emu_decide_alike_on_100000_inputs)
{
    enum { ROWS = SANITIZED ? 10000 : 100000 };
    struct lstm *l = lstm_make(
        &(struct infer_lstm){
            .steps = 2, .n_step = 1, .vocab = 64, .layers = 2, .width = 16, .n_out = 32},
        9);
    float *x = lstm_inputs(l, ROWS, 3), *y[2];
    static const enum infer_backend backends[] = {INFER_CPU, INFER_EMU};
    for (int i = 0; i < 2; i++) {
        struct infer *r = NULL;
        struct infer_model *m = NULL;
        char why[256] = "";
        y[i] = lstm_outputs(l, ROWS);
        cr_assert_not(infer_open(&r, backends[i], why, sizeof why), "%s", why);
        cr_assert_not(infer_load(r, &l->of, &m, why, sizeof why), "%s", why);
        cr_assert_not(infer_run(m, ROWS, x, y[i], why, sizeof why), "%s", why);
        cr_expect_not(lstm_overran(l, ROWS, y[i]));
        infer_unload(m);
        infer_close(r);
    }
    cr_expect_eq(lstm_differ(l, ROWS, y[0], y[1]), 0);
    free(x), free(y[0]), free(y[1]);
    lstm_free(l);
}

Test(kernels_lstm, what_is_not_a_network_gets_a_sentence)
{
    const struct infer_lstm good = {.steps = 2, .n_step = 3, .layers = 1, .width = 4, .n_out = 5};
    struct {
        struct infer_lstm net;
        const char *says;
    } bad[] = {
        {good, "steps is 33, want 1..32"},     {good, "n_step is 65, want 1..64"},
        {good, "n_step is 3, want 1..1"},      {good, "vocab is 5000, want 1..4096"},
        {good, "layers is 3, want 1..2"},      {good, "width is 0, want 1..512"},
        {good, "n_out is 1025, want 1..1024"}, {good, "layer 0 of a recurrent network lacks"}};
    bad[0].net.steps = 33;
    bad[1].net.n_step = 65;
    bad[2].net.vocab = 7;
    bad[3].net.vocab = 5000, bad[3].net.n_step = 1;
    bad[4].net.layers = 3;
    bad[5].net.width = 0;
    bad[6].net.n_out = 1025;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char why[256] = "";
        const struct infer_net net = {.kind = INFER_LSTM, .lstm = &bad[i].net};
        cr_expect_eq(kind_lstm.check(&net, why, sizeof why), -1);
        cr_expect(strstr(why, bad[i].says), "%s", why);
    }
}
