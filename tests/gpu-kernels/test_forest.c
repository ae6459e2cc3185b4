/* test_forest.c - forests: every twin, backend and PTX gives the canonical bits. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cpu.h"
#include "gpu-kernels/cuda_image.h"
#include "gpu-kernels/emu_block.h"
#include "gpu-kernels/kind.h"
#include "gpu-kernels/pack.h"
#include "tests/gpu-kernels/forests.h"
#include "tests/gpu-kernels/ptx/ptx.h"
#include "tests/sanitized.h"

static const uint32_t batches[] = {1, 2, 7, 16, 63, 64, 65, 100, 129};
enum { BATCHES = sizeof batches / sizeof *batches };

/* ---- the twins -------------------------------------------------------------- */

static void twins_agree(const struct forest *f, uint32_t rows, const float *x)
{
    float *want = forest_outputs(f, rows);
    forest_canonical(f, rows, x, want);
    for (uint32_t level = 0; cpu_twins[level].name; level++) {
        if (!cpu_twins[level].supported())
            continue;
        float *y = forest_outputs(f, rows);
        void *twin = kind_forest.twin_make(&f->net, level);
        cr_assert_neq(twin, NULL);
        cr_assert(kind_forest.twin_run(twin, rows, x, y));
        kind_forest.twin_free(twin);
        const size_t differ = forest_differ(f, rows, y, want);
        cr_expect_eq(differ, 0, "%s: %zu of %u answers differ, %u trees, %u in, %u out",
                     cpu_twins[level].name, differ, rows * f->f.n_out, f->f.n_trees, f->f.n_in,
                     f->f.n_out);
        cr_expect_not(forest_overran(f, rows, y), "%s", cpu_twins[level].name);
        free(y);
    }
    free(want);
}

Test(kernels_forest, random_forests_on_every_twin)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct forest *f = forest_make_any(seed);
        const uint32_t rows = batches[seed % BATCHES];
        float *x = forest_inputs(f, rows, seed);
        twins_agree(f, rows, x);
        free(x);
        forest_free(f);
    }
}

Test(kernels_forest, the_largest_forests_on_every_twin)
{
    static const uint32_t shapes[][4] = {{128, 1, 2048, 4}, {128, 16, 2048, 3}, {5, 3, 2, 12}};
    for (int i = 0; i < 3; i++) {
        const uint32_t *s = shapes[i];
        struct forest *f = forest_make(s[0], s[1], s[2], s[3], 7);
        float *x = forest_inputs(f, 70, 3);
        twins_agree(f, 70, x);
        free(x);
        forest_free(f);
    }
}

Test(kernels_forest, close_to_double_precision)
{
    for (uint64_t seed = 0; seed < 24; seed++) {
        struct forest *f = forest_make_any(seed);
        f->f.transform = FOREST_LINEAR;
        float *x = forest_inputs(f, 9, seed), *y = forest_outputs(f, 9);
        void *twin = kind_forest.twin_make(&f->net, 0);
        cr_assert(kind_forest.twin_run(twin, 9, x, y));
        kind_forest.twin_free(twin);
        for (uint32_t a = 0; a < 9 * f->f.n_out; a++) {
            double scale,
                want = forest_exact(f, x + a / f->f.n_out * f->f.n_in, a % f->f.n_out, &scale);
            cr_assert_leq(fabs((double)y[a] - want), 1e-6 * scale, "seed %d: %g, want %g",
                          (int)seed, (double)y[a], want);
        }
        free(x), free(y);
        forest_free(f);
    }
}

Test(kernels_forest, sums_beyond_all_floats_and_transforms)
{
    for (int transform = 0; transform < FOREST_TRANSFORMS; transform++) {
        struct forest *f = forest_make(3, 2, 300, 4, 5);
        f->f.transform = (enum forest_transform)transform;
        for (uint32_t i = 0; i < f->first[299] + f->sizes[299]; i++)
            f->values[i] *= f->features[i] < 0 && i % 3 ? 3e38f : 1.0f;
        float *x = forest_inputs(f, 130, 3);
        twins_agree(f, 130, x);
        free(x);
        forest_free(f);
    }
}

Test(kernels_forest, a_tie_goes_right_and_nan_as_trained)
{
    const uint32_t sizes[] = {3};
    const int32_t features[] = {0, -1, -1};
    const float values[] = {0.5f, 1, 2}, x[] = {0.5f, 0.4999999f, NAN, 0.50001f, -0.0f};
    for (uint8_t left = 0; left < 2; left++) {
        const uint8_t default_left[] = {left, 0, 0};
        const struct infer_forest one = {1,     1,        1,      FOREST_LINEAR, 10,
                                         sizes, features, values, default_left};
        const struct infer_net net = {.kind = INFER_FOREST, .forest = &one};
        const float want[] = {12, 11, left ? 11 : 12, 12, 11};
        for (uint32_t level = 0; cpu_twins[level].name; level++) {
            float y[5];
            if (!cpu_twins[level].supported())
                continue;
            void *twin = kind_forest.twin_make(&net, level);
            cr_assert(kind_forest.twin_run(twin, 5, x, y));
            kind_forest.twin_free(twin);
            cr_expect_arr_eq(y, want, sizeof want, "%s", cpu_twins[level].name);
        }
    }
}

/* ---- backends ------------------------------------------------------------------ */

static float *answers(struct infer *r, const struct forest *f, uint32_t rows, const float *x)
{
    char why[256] = "";
    struct infer_model *m = NULL;
    float *y = forest_outputs(f, rows);
    cr_assert_eq(infer_load(r, &f->net, &m, why, sizeof why), 0, "%s", why);
    cr_assert_eq(infer_run(m, rows, x, y, why, sizeof why), 0, "%s", why);
    cr_assert_not(forest_overran(f, rows, y), "%s", infer_name(r));
    infer_unload(m);
    return y;
}

static void backend_agrees(enum infer_backend backend, struct forest *f, uint32_t rows)
{
    char why[256] = "";
    struct infer *r = NULL, *cpu = NULL;
    cr_assert_eq(infer_open(&r, backend, why, sizeof why), 0, "%s", why);
    cr_assert_eq(infer_open(&cpu, INFER_CPU, why, sizeof why), 0, "%s", why);
    float *x = forest_inputs(f, rows, rows);
    float *y = answers(r, f, rows, x), *want = answers(cpu, f, rows, x);
    const size_t differ = forest_differ(f, rows, y, want);
    cr_expect_eq(differ, 0, "%s: %zu answers differ, %u rows, %u trees", infer_name(r), differ,
                 rows, f->f.n_trees);
    free(x), free(y), free(want);
    infer_close(r);
    infer_close(cpu);
    forest_free(f);
}

Test(kernels_forest, emulated_kernel_on_batches_of_1_to_4096)
{
    static const uint32_t some[] = {1, 7, 8, 9, 64, 500, 4096, 4100};
    for (uint32_t i = 0; i < 8; i++)
        backend_agrees(INFER_EMU, forest_make(9, 1 + i % 3, 40, 4, i), some[i]);
    for (uint64_t seed = 0; seed < 24; seed++)
        backend_agrees(INFER_EMU, forest_make_any(seed), 1 + (uint32_t)seed * 5 % 40);
}

Test(kernels_forest, a_hundred_thousand_inputs_emulated, .timeout = 120)
{
    backend_agrees(INFER_EMU, forest_make(12, 1, 32, 5, 3), SANITIZED ? 10000 : 100000);
}

Test(kernels_forest, cuda_backend_on_the_fake_driver)
{
    if (!cuda_image_ptx("forest"))
        cr_skip_test("built with neither nvcc nor clang");
    setenv("MALV_LIBCUDA", BUILD "/tests/gpu-kernels/fake/libcuda.so.1", 1);
    for (uint64_t seed = 0; seed < 12; seed++)
        backend_agrees(INFER_CUDA, forest_make_any(seed), 1 + (uint32_t)seed * 5 % 40);
    backend_agrees(INFER_CUDA, forest_make(9, 2, 40, 4, 3), 4100);
}

/* ---- schedules, and the PTX of both compilers --------------------------------------- */

typedef int run_launch(void *with, const struct kind_launch *l, char *why, size_t n);

/* Packs, stages, plans; `blobs` is told each piece of memory, `run` each launch. */
static void planned(const struct forest *f, uint32_t rows, uint32_t blocks,
                    void (*tell)(const void *at, size_t size), run_launch *run, void *with)
{
    struct kind_pack p;
    struct kind_launch l[KIND_LAUNCHES];
    char why[512] = "";
    cr_assert(kind_forest.pack(&p, &f->net));
    float *x = forest_inputs(f, rows, rows), *y = forest_outputs(f, rows);
    float *want = forest_outputs(f, rows);
    void *staged = pack_alloc(rows * p.row_size);
    struct kind_places at = {.x = staged, .y = y};
    kind_forest.stage(&p, staged, x, rows);
    for (uint32_t i = 0; i < p.n_blobs; i++) {
        at.blob[i] = p.blob[i].at;
        tell(p.blob[i].at, p.blob[i].size);
    }
    tell(staged, rows * p.row_size);
    tell(y, (size_t)rows * f->f.n_out * sizeof *y);
    const uint32_t n = kind_forest.plan(&p, &at, rows, blocks, l);
    for (uint32_t i = 0; i < n; i++)
        cr_assert_eq(run(with, &l[i], why, sizeof why), 0, "%s", why);
    forest_canonical(f, rows, x, want);
    cr_expect_eq(forest_differ(f, rows, y, want), 0, "%u trees, %u out, %u rows", f->f.n_trees,
                 f->f.n_out, rows);
    cr_expect_not(forest_overran(f, rows, y));
    free(x), free(y), free(want), free(staged);
    kind_forest.unpack(&p);
}

static void tell_nobody(const void *at, size_t size)
{
    (void)at, (void)size;
}

static int on_fibers(void *with, const struct kind_launch *l, char *why, size_t n)
{
    struct emu *e = emu_new();
    const struct emu_options *o = with;
    const int rc = emu_launch(e, kind_forest.emu[l->kernel], l->blocks, l->threads, l->args, o);
    snprintf(why, n, "%s", e->why);
    emu_free(e);
    return rc;
}

Test(kernels_forest, any_order_of_threads_gives_the_same_bits)
{
    for (uint64_t seed = 1; seed < 30; seed++) {
        struct emu_options o = {.seed = seed};
        struct forest *f = forest_make_any(seed);
        planned(f, 1 + (uint32_t)seed % 20, 1 + (uint32_t)seed % 3, tell_nobody, on_fibers, &o);
        forest_free(f);
    }
}

static int on_ptx(void *with, const struct kind_launch *l, char *why, size_t n)
{
    const struct ptx_launch pl = {.kernel = kind_forest.kernels[l->kernel],
                                  .grid = l->blocks,
                                  .block = l->threads,
                                  .args = l->args,
                                  .args_size = sizeof(struct forest_args)};
    return ptx_launch(with, &pl, why, n);
}

Test(kernels_forest, ptx_of_both_compilers)
{
    static const char *const paths[] = {BUILD "/gpu-kernels/forest.nvcc.ptx",
                                        BUILD "/gpu-kernels/forest.clang.ptx"};
    int ran = 0;
    for (int c = 0; c < 2; c++) {
        char why[256] = "", *text = NULL;
        size_t size = 0;
        FILE *file = fopen(paths[c], "r");
        if (!file)
            continue;
        cr_assert_neq(getdelim(&text, &size, 0, file), -1);
        fclose(file);
        struct ptx_module *m = ptx_load(text, why, sizeof why);
        cr_assert_neq(m, NULL, "%s: %s", paths[c], why);
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct forest *f = forest_make_any(seed);
            planned(f, 1 + (uint32_t)seed % 17, 1 + (uint32_t)seed % 3, ptx_memory_add, on_ptx, m);
            forest_free(f);
        }
        ptx_free(m);
        free(text);
        ran++;
    }
    if (!ran)
        cr_skip_test("neither nvcc nor clang made PTX");
}

/* ---- what is refused ----------------------------------------------------------------- */

static void refused(const struct infer_forest *one, const char *sentence)
{
    const struct infer_net net = {.kind = INFER_FOREST, .forest = one};
    char why[256] = "";
    cr_expect_eq(kind_forest.check(&net, why, sizeof why), -1, "taken, want: %s", sentence);
    cr_expect_str_eq(why, sentence);
}

Test(kernels_forest, what_is_no_forest_is_refused)
{
    struct forest *f = forest_make(4, 1, 1, 3, 4);
    const struct infer_forest good = f->f;
    uint32_t size = 3;
    int32_t features[5] = {1, -1, -1, -1, -1};
    float values[5] = {0, 1, 2, 3, 4};
    struct infer_forest one = {4, 1, 1, FOREST_LINEAR, 0, &size, features, values, f->default_left};
    char why[256] = "";
    cr_expect_eq(kind_forest.check(&f->net, why, sizeof why), 0, "%s", why);
    one.n_in = 129;
    refused(&one, "n_in is 129, want 1..128");
    one.n_in = 4, one.n_trees = 0;
    refused(&one, "n_trees is 0, want 1..2048");
    one.n_trees = 1, one.base = NAN;
    refused(&one, "base is nan, want a finite number");
    one.base = 0, features[0] = 4;
    refused(&one, "node 0 of tree 0 asks for feature 4, want -1..3");
    features[0] = -1;
    refused(&one, "node 1 of tree 0 has no parent");
    features[0] = 0, features[1] = 2;
    refused(&one, "node 1 of tree 0 has no children");
    features[1] = -1, values[2] = INFINITY;
    refused(&one, "node 2 of tree 0 has the value inf, want a number");
    values[2] = 1, size = 0;
    refused(&one, "tree 0 has 0 nodes, want 1..8191");
    size = 3, one.transform = FOREST_TRANSFORMS;
    refused(&one, "there is no transform number 3");
    f->f = good;
    forest_free(f);
}

Test(kernels_forest, a_tree_too_deep_is_refused)
{
    enum { SPLITS = FOREST_DEPTH_MAX + 1, N = 2 * SPLITS + 1 };
    uint32_t size = N;
    int32_t features[N];
    float values[N] = {0};
    uint8_t left[N] = {0};
    for (int i = 0; i < N; i++) /* a chain of splits: the right child splits again */
        features[i] = i % 2 == 0 && i < N - 1 ? 0 : -1;
    const struct infer_forest one = {1, 1, 1, FOREST_LINEAR, 0, &size, features, values, left};
    refused(&one, "tree 0 is deeper than 12 splits");
}
