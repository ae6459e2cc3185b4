/* test_knn.c - nearest neighbours on every backend, against the naive reference. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cpu.h"
#include "gpu-kernels/cuda_image.h"
#include "gpu-kernels/knn_cpu.h"
#include "tests/gpu-kernels/knns.h"
#include "tests/gpu-kernels/nets.h"
#include "tests/sanitized.h"

static void same(const struct knn *n, uint32_t rows, const float *y, const float *want,
                 const char *who)
{
    const size_t differ = knn_differ(n, rows, y, want);
    cr_expect_eq(differ, 0, "%s: %u refs x %u, k %u, %u labels, %u rows: %zu answers differ", who,
                 n->m.n_refs, n->m.n_dim, n->m.k, n->m.n_labels, rows, differ);
    cr_expect_not(knn_overran(n, rows, y), "%s wrote beyond its outputs", who);
}

/* ---- twins ------------------------------------------------------------------------ */

static void twins_agree(const struct knn *n, uint32_t rows, const float *x)
{
    float *want = knn_outputs(n, rows);
    knn_naive(n, rows, x, want);
    for (const struct cpu_twin *t = cpu_twins; t->name; t++) {
        if (!t->supported())
            continue;
        float *y = knn_outputs(n, rows);
        void *twin = kind_knn.twin_make(&n->net, (uint32_t)(t - cpu_twins));
        cr_assert_neq(twin, NULL);
        cr_assert(kind_knn.twin_run(twin, rows, x, y));
        same(n, rows, y, want, t->name);
        kind_knn.twin_free(twin);
        free(y);
    }
    free(want);
}

Test(kernels_knn, twins_give_what_sorting_gives_for_any_shape)
{
    const uint32_t batches[] = {1, 2, 3, 4, 7, 64, 70, 130};
    for (uint64_t seed = 0; seed < 120; seed++) {
        struct knn *n = knn_make_any(seed % 4 ? 90 : 700, seed);
        const uint32_t rows = seed % 4 ? batches[seed % 8] : 5;
        float *x = knn_inputs(n, rows, seed % 2 ? 3 : 130, seed);
        twins_agree(n, rows, x);
        free(x);
        knn_free(n);
    }
}

Test(kernels_knn, twins_at_the_size_of_a_malware_detector_and_at_the_largest)
{
    const uint32_t shapes[][4] = {{4096, 128, 16, 9}, {8192, 256, 32, 2}, {8192, 5, 17, 3}};
    for (int i = 0; i < 3; i++) {
        struct knn *n = knn_make(shapes[i][0], shapes[i][1], shapes[i][2], 2, 128, 9);
        float *x = knn_inputs(n, shapes[i][3], 127, 4);
        twins_agree(n, shapes[i][3], x);
        free(x);
        knn_free(n);
    }
}

Test(kernels_knn, of_equally_near_references_the_first_count)
{
    struct knn *n = knn_make(300, 7, 5, 16, 1, 3);
    float *x = knn_inputs(n, 40, 1, 8);
    memset(n->refs, 3, 300 * 7); /* all the same: labels of the first five, then six .. */
    for (n->m.k = 1; n->m.k <= 32; n->m.k++)
        twins_agree(n, 40, x);
    float y[17];
    n->m.k = 3;
    n->labels[0] = n->labels[1] = 4, n->labels[2] = 9;
    knn_naive(n, 1, x, y);
    cr_expect_eq(y[4], 2.0f);
    cr_expect_eq(y[9], 1.0f);
    free(x);
    knn_free(n);
}

Test(kernels_knn, inputs_that_saturate_or_are_no_numbers_give_the_same_bits)
{
    struct knn *n = knn_make(77, 33, 6, 3, 128, 3);
    float *x = knn_inputs(n, 9, 127, 8);
    x[0] = NAN, x[40] = INFINITY, x[70] = -INFINITY, x[100] = 1e30f, x[140] = -127.5f;
    x[170] = 127.49f, x[200] = 0.5f, x[201] = 1.5f, x[202] = -0.5f;
    twins_agree(n, 9, x);
    n->m.in_scale = 1e-12f;
    twins_agree(n, 9, x);
    n->m.in_scale = 1e12f;
    twins_agree(n, 9, x);
    free(x);
    knn_free(n);
}

Test(kernels_knn, the_largest_distance_there_is)
{
    struct knn *n = knn_make(40, 256, 32, 2, 128, 3);
    float *x = knn_inputs(n, 20, 127, 8);
    memset(n->refs, -128, 40 * 256);
    for (int i = 0; i < 20 * 256; i++)
        x[i] = 1000;
    twins_agree(n, 20, x);
    float y[3];
    knn_naive(n, 1, x, y);
    cr_expect_eq(y[2], 16646400.0f);
    free(x);
    knn_free(n);
}

/* ---- a model by hand, and refusals --------------------------------------------------- */

static struct infer *opened(enum infer_backend backend)
{
    char why[256] = "";
    struct infer *r = NULL;
    cr_assert_eq(infer_open(&r, backend, why, sizeof why), 0, "%s", why);
    return r;
}

static void answer(struct infer *r, const struct knn *n, uint32_t rows, const float *x, float *y)
{
    char why[256] = "";
    struct infer_model *m = NULL;
    cr_assert_eq(infer_load(r, &n->net, &m, why, sizeof why), 0, "%s", why);
    cr_assert_eq(infer_run(m, rows, x, y, why, sizeof why), 0, "%s", why);
    infer_unload(m);
}

Test(kernels_knn, neighbours_worked_out_by_hand)
{
    /* on a line at 0, 10, 12, 30; of 9 the nearest are 10 and 12, at 1 and 9 */
    const int8_t refs[] = {0, 10, 12, 30};
    const uint8_t labels[] = {0, 1, 1, 0};
    const struct infer_knn m = {4, 1, 2, 2, refs, labels, 0.5f};
    const struct knn n = {.m = m, .net = {.kind = INFER_KNN, .knn = &m}};
    const float x[] = {4.5f, 1.0f}, want[] = {0, 2, 1.25f, 1, 1, 8.5f}; /* 9, and 2: at 4 and 64 */
    float y[6];
    uint32_t n_in, n_out;
    infer_shape(&n.net, &n_in, &n_out);
    cr_expect(n_in == 1 && n_out == 3 && infer_flops(&n.net) == 8);
    struct infer *r = opened(INFER_CPU);
    answer(r, &n, 2, x, y);
    for (int i = 0; i < 6; i++)
        cr_expect_eq(y[i], want[i], "%d: %g, want %g", i, (double)y[i], (double)want[i]);
    infer_close(r);
}

static void refused(const struct infer_knn *m, const char *sentence)
{
    char why[256] = "";
    struct infer *r = opened(INFER_CPU);
    struct infer_model *out = NULL;
    const struct infer_net net = {.kind = INFER_KNN, .knn = m};
    cr_expect_eq(infer_load(r, &net, &out, why, sizeof why), -1, "accepted: %s", sentence);
    cr_expect_str_eq(why, sentence);
    infer_close(r);
}

Test(kernels_knn, what_is_out_of_range_is_refused_with_a_sentence)
{
    struct knn *n = knn_make(20, 4, 3, 2, 9, 1);
    struct infer_knn m = n->m;
    m.n_refs = 8193;
    refused(&m, "n_refs is 8193, want 1..8192");
    m = n->m, m.n_dim = 0;
    refused(&m, "n_dim is 0, want 1..256");
    m = n->m, m.k = 21;
    refused(&m, "k is 21, want 1..20");
    m = n->m, m.n_labels = 17;
    refused(&m, "n_labels is 17, want 1..16");
    m = n->m, m.in_scale = NAN;
    refused(&m, "in_scale is nan, want 1e-12..1e12");
    m = n->m, m.labels = NULL;
    refused(&m, "nearest neighbours lack refs or labels");
    n->labels[7] = 2;
    refused(&n->m, "labels[7] is 2, want 0..1");
    knn_free(n);
}

/* ---- kernels on fibers ------------------------------------------------------------------ */

static void emu_agrees(struct emu *e, struct knn *n, uint32_t rows, uint64_t seed)
{
    char why[512] = "";
    float *x = knn_inputs(n, rows, seed % 2 ? 3 : 130, seed), *y = knn_outputs(n, rows);
    float *want = knn_outputs(n, rows);
    knn_naive(n, rows, x, want);
    int bad = knn_on_emu(e, n, rows, x, y, 1 + (uint32_t)(seed % 5), seed, why, sizeof why);
    cr_assert_not(bad, "%s", why);
    same(n, rows, y, want, "emu");
    free(x), free(y), free(want);
    knn_free(n);
}

Test(kernels_knn, any_shape_batch_and_schedule_on_fibers)
{
    const uint32_t batches[] = {1, 2, 15, 16, 17, 31, 32, 33, 64, 70};
    struct emu *e = emu_new();
    for (uint64_t seed = 0; seed < (SANITIZED ? 20 : 60); seed++)
        emu_agrees(e, knn_make_any(seed % 4 ? 90 : 800, seed), batches[seed % 10], seed);
    emu_agrees(e, knn_make(4096, 128, 16, 2, 20, 1), 3, 0);
    emu_agrees(e, knn_make(4096, 128, 16, 2, 20, 1), 40, 0);
    emu_agrees(e, knn_make(8192, 256, 32, 16, 1, 1), 17, 3);
    emu_agrees(e, knn_make(8192, 2, 32, 16, 3, 1), 1, 3); /* ties by the hundred */
    emu_free(e);
}

/* ---- PTX of both compilers --------------------------------------------------------------- */

static struct ptx_module *module(const char *compiler)
{
    char path[256], why[256] = "", *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, BUILD "/gpu-kernels/knn.%s.ptx", compiler);
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

static void ptx_agrees(const struct ptx_module *m, const char *compiler, struct knn *n,
                       uint32_t rows, uint64_t seed)
{
    char why[512] = "";
    float *x = knn_inputs(n, rows, seed % 2 ? 3 : 130, seed), *y = knn_outputs(n, rows);
    float *want = knn_outputs(n, rows);
    knn_naive(n, rows, x, want);
    int bad = knn_on_ptx(m, n, rows, x, y, 1 + (uint32_t)(seed % 3), why, sizeof why);
    cr_assert_not(bad, "%s: %s", compiler, why);
    same(n, rows, y, want, compiler);
    free(x), free(y), free(want);
    knn_free(n);
}

Test(kernels_knn, ptx_of_both_compilers_gives_what_sorting_gives)
{
    static const char *const compilers[] = {"nvcc", "clang"};
    const uint32_t batches[] = {1, 16, 17, 2, 33, 3, 70};
    int ran = 0;
    for (int c = 0; c < 2; c++) {
        struct ptx_module *m = module(compilers[c]);
        for (uint64_t seed = 0; m && seed < (SANITIZED ? 7 : 28); seed++)
            ptx_agrees(m, compilers[c], knn_make_any(seed % 7 ? 60 : 600, seed), batches[seed % 7],
                       seed);
        if (m && !(SANITIZED && ran))
            ptx_agrees(m, compilers[c], knn_make(4096, 128, 16, 2, 20, 1), 1, 2);
        ran += m != NULL;
        ptx_free(m);
    }
    if (!ran)
        cr_skip_test("neither nvcc nor clang made PTX");
}

/* ---- through the door: the backends side by side ------------------------------------------- */

Test(kernels_knn, batches_of_1_to_4096_on_all_backends_give_the_same_bits)
{
    static const uint32_t batches[] = {1, 2, 7, 15, 16, 17, 31, 33, 64, 500, 4096, 4100};
    struct infer *r[] = {opened(INFER_CPU), opened(INFER_EMU), NULL};
    struct knn *n = knn_make(60, 12, 5, 3, 4, 9);
    setenv("MALV_LIBCUDA", BUILD "/tests/gpu-kernels/fake/libcuda.so.1", 1);
    if (cuda_image_ptx("knn"))
        r[2] = opened(INFER_CUDA);
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        const uint32_t rows = batches[i];
        float *x = knn_inputs(n, rows, 4, i), *want = knn_outputs(n, rows);
        knn_naive(n, rows, x, want);
        for (int b = 0; b < (rows > 4096 ? 1 : SANITIZED && rows > 500 ? 2 : 3) && r[b]; b++) {
            float *y = knn_outputs(n, rows);
            answer(r[b], n, rows, x, y);
            same(n, rows, y, want, infer_name(r[b]));
            free(y);
        }
        free(x), free(want);
    }
    for (int b = 0; b < 3; b++)
        infer_close(r[b]);
    knn_free(n);
}

/* Inputs of another seed than the references': 100,000 of them. */
Test(kernels_knn, a_hundred_thousand_held_out_inputs_on_cpu_and_emu)
{
    enum { ROWS = SANITIZED ? 10000 : 100000 };
    struct infer *cpu = opened(INFER_CPU), *emu = opened(INFER_EMU);
    struct knn *n = knn_make(24, 8, 2, 2, 20, 4);
    float *x = knn_inputs(n, ROWS, 25, 1234), *a = knn_outputs(n, ROWS), *b = knn_outputs(n, ROWS);
    answer(cpu, n, ROWS, x, a);
    answer(emu, n, ROWS, x, b);
    same(n, ROWS, b, a, "emu");
    free(x), free(a), free(b);
    infer_close(cpu);
    infer_close(emu);
    knn_free(n);
}
