/* test_lstm_ptx.c - lstm.cu as nvcc and clang emit it: in the interpreter with
 * its checks of races and bounds, and under the cuda backend on the fake driver. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cuda_image.h"
#include "gpu-kernels/emu_block.h"
#include "tests/gpu-kernels/lstms.h"
#include "tests/gpu-kernels/nets.h"
#include "tests/gpu-kernels/ptx/ptx.h"
#include "tests/sanitized.h"

static const char *const compilers[] = {"nvcc", "clang"};

/* BUILD/FILE.COMPILER.ptx, or NULL where that compiler is not installed. */
static struct ptx_module *module(const char *file, const char *compiler)
{
    char path[256], why[256] = "", *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, BUILD "/%s.%s.ptx", file, compiler);
    FILE *f = fopen(path, "r");
    if (!f)
        return NULL;
    cr_assert_neq(getdelim(&text, &size, 0, f), -1);
    fclose(f);
    struct ptx_module *m = ptx_load(text, why, sizeof why);
    cr_assert_neq(m, NULL, "%s: %s", path, why);
    free(text);
    return m;
}

struct interpreter {
    struct ptx_module *m;
    const char *prefix; /* of a kernel's name */
    char why[512];      /* the first that a launch complained of */
};

static void interpret(void *ctx, const struct kind *kind, const struct kind_launch *l)
{
    struct interpreter *i = ctx;
    char name[64];
    snprintf(name, sizeof name, "%s%s", i->prefix, kind->kernels[l->kernel]);
    struct ptx_launch p = {.kernel = name,
                           .grid = l->blocks,
                           .block = l->threads,
                           .args = l->args,
                           .args_size = ptx_param_size(i->m, name)};
    if (!*i->why)
        ptx_launch(i->m, &p, i->why, sizeof i->why);
}

static void agrees(struct interpreter *i, struct lstm *l, uint32_t rows, uint32_t blocks,
                   uint64_t seed)
{
    const struct lstm_machine on = {i, interpret, ptx_memory_add, ptx_memory_remove};
    float *x = lstm_inputs(l, rows, seed), *y = lstm_outputs(l, rows);
    float *want = lstm_outputs(l, rows);
    lstm_canonical(l, rows, x, want);
    lstm_launch(l, rows, x, y, blocks, &on);
    cr_assert_not(*i->why, "%s", i->why);
    cr_expect_eq(lstm_differ(l, rows, y, want), 0, "seed %llu: %u steps, %u x %u, %u rows",
                 (unsigned long long)seed, l->net.steps, l->net.layers, l->net.width, rows);
    cr_expect_not(lstm_overran(l, rows, y));
    free(x), free(y), free(want);
    lstm_free(l);
}

Test(kernels_lstm, ptx_of_both_compilers_gives_the_canonical_bits)
{
    static const uint32_t batches[] = {1, 9, 3, 20, 65}, blocks[] = {2, 8, 50};
    static const struct infer_lstm kleio = {.steps = 6,
                                            .n_step = 1,
                                            .vocab = 621,
                                            .layers = 2,
                                            .width = 256,
                                            .n_out = 621,
                                            .softmax = true};
    int ran = 0;
    for (int c = 0; c < 2; c++) {
        struct interpreter i = {.m = module("gpu-kernels/lstm", compilers[c]), .prefix = ""};
        for (uint64_t seed = 0; i.m && seed < (SANITIZED ? 5 : 20); seed++)
            agrees(&i, lstm_make_any(seed % 10 ? 40 : 100, seed), batches[seed % 5],
                   blocks[seed % 3], seed);
        if (i.m && !(SANITIZED && ran))
            agrees(&i, lstm_make(&kleio, 3), 1, 264, 3);
        ran += i.m != NULL;
        ptx_free(i.m);
    }
    if (!ran)
        cr_skip_test("neither nvcc nor clang made PTX");
}

/* Eight segments, so that every warp waits for seven others. */
static const struct infer_lstm wide = {
    .steps = 2, .n_step = 64, .layers = 1, .width = 448, .n_out = 3};

Test(kernels_lstm, a_missing_barrier_is_a_race_in_the_ptx_of_both_compilers)
{
    for (int c = 0; c < 2; c++) {
        struct interpreter i = {.m = module("tests/gpu-kernels/bugs/lstm_bugs", compilers[c]),
                                .prefix = "bug_"};
        const struct lstm_machine on = {&i, interpret, ptx_memory_add, ptx_memory_remove};
        struct lstm *l = lstm_make(&wide, 1);
        float *x = lstm_inputs(l, 1, 1), *y = lstm_outputs(l, 1);
        if (i.m)
            lstm_launch(l, 1, x, y, 264, &on);
        cr_expect(!i.m || strstr(i.why, "race: ") || strstr(i.why, ", which nobody wrote"),
                  "%s said: %s", compilers[c], i.why);
        free(x), free(y);
        lstm_free(l);
        ptx_free(i.m);
    }
}

emu_kernel emu_bug_lstm_step;

static void without_barriers(void *ctx, const struct kind *kind, const struct kind_launch *l)
{
    const bool step = !strcmp(kind->kernels[l->kernel], "lstm_step");
    struct emu_options o = {.seed = 7};
    cr_assert_not(emu_launch(ctx, step ? emu_bug_lstm_step : kind->emu[l->kernel], l->blocks,
                             l->threads, l->args, &o));
}

Test(kernels_lstm, a_missing_barrier_gives_other_bits_on_fibers)
{
    struct emu *e = emu_new();
    const struct lstm_machine on = {.ctx = e, .run = without_barriers};
    struct lstm *l = lstm_make(&wide, 1);
    float *x = lstm_inputs(l, 1, 1), *y = lstm_outputs(l, 1), *want = lstm_outputs(l, 1);
    lstm_canonical(l, 1, x, want);
    lstm_launch(l, 1, x, y, 264, &on);
    cr_expect_neq(lstm_differ(l, 1, y, want), 0);
    free(x), free(y), free(want);
    lstm_free(l);
    emu_free(e);
}

Test(kernels_lstm, all_backends_give_the_same_bits)
{
    static const enum infer_backend backends[] = {INFER_CPU, INFER_EMU, INFER_CUDA};
    setenv("MALV_LIBCUDA", BUILD "/tests/gpu-kernels/fake/libcuda.so.1", 1);
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct lstm *l = lstm_make_any(40, seed);
        const uint32_t rows = 1 + (uint32_t)seed * 9;
        float *x = lstm_inputs(l, rows, seed), *want = lstm_outputs(l, rows);
        lstm_canonical(l, rows, x, want);
        for (int i = 0; i < (cuda_image_ptx("lstm") ? 3 : 2); i++) {
            struct infer *r = NULL;
            struct infer_model *m = NULL;
            char why[512] = "";
            float *y = lstm_outputs(l, rows);
            cr_assert_not(infer_open(&r, backends[i], why, sizeof why), "%s", why);
            cr_assert_not(infer_load(r, &l->of, &m, why, sizeof why), "%s", why);
            cr_assert_not(infer_run(m, rows, x, y, why, sizeof why), "%s", why);
            cr_expect_eq(lstm_differ(l, rows, y, want), 0, "%s, seed %d", infer_name(r), (int)seed);
            infer_unload(m);
            infer_close(r);
            free(y);
        }
        free(x), free(want);
        lstm_free(l);
    }
}
