/* test_ptx.c - the PTX that nvcc and clang emit, executed, against the
 * canonical bits; and the interpreter against kernels with planted bugs. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/grid.h"
#include "tests/gpu-kernels/bugs/bugs.h"
#include "tests/gpu-kernels/nets.h"
#include "tests/gpu-kernels/ptx/ptx.h"

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

static void run(const struct ptx_module *m, const struct net *n, uint32_t rows, const float *x,
                float *y, uint32_t blocks)
{
    const bool f32 = n->mlp.type == INFER_F32;
    char why[512] = "";
    struct pack p;
    struct grid g;
    cr_assert(pack_make(&p, &n->mlp, f32 ? PACK_F32 : PACK_MMA));
    void *staged = pack_alloc(rows * grid_row_size(&p));
    grid_stage(&p, staged, x, rows);
    struct grid_places at = {
        staged, p.w1, p.w2, f32 ? (void *)p.b1 : p.c1, f32 ? (void *)p.b2 : p.c2, y, p.table};
    const size_t sizes[] = {rows * grid_row_size(&p),
                            p.w1_size,
                            p.w2_size,
                            p.bias1_size,
                            p.n_out * 4,
                            (size_t)rows * p.n_out * 4,
                            p.n_layers * sizeof *p.table};
    const void *const places[] = {at.x, at.w1, at.w2, at.bias1, at.bias2, at.y, at.layers};
    for (int i = 0; i < 7; i++)
        ptx_memory_add(places[i], sizes[i]);
    grid_plan(&g, &p, &at, rows, blocks);
    struct ptx_launch pl = {.kernel = grid_kernels[g.kernel],
                            .grid = g.blocks,
                            .block = g.threads,
                            .args = &g.args,
                            .args_size = g.args_size};
    int bad = ptx_launch(m, &pl, why, sizeof why);
    cr_assert_not(bad, "%s", why);
    for (int i = 0; i < 7; i++)
        ptx_memory_remove(places[i]);
    free(staged);
    pack_free(&p);
}

static void net_agrees(const struct ptx_module *m, const char *compiler, struct net *n,
                       uint32_t rows, uint64_t seed)
{
    float *x = net_inputs(n, rows, 1.0f, seed), *y = net_outputs(n, rows);
    float *want = net_outputs(n, rows);
    x[seed % 5 % n->mlp.n_in] = seed % 3 ? 1e9f : NAN;
    net_canonical(n, rows, x, want);
    run(m, n, rows, x, y, 1 + seed % 3);
    size_t differ = net_differ(n, rows, y, want);
    cr_expect_eq(differ, 0, "%s, %u-%u-%u +%u type %d, %u rows: %zu answers differ", compiler,
                 n->mlp.n_in, n->mlp.n_hidden, n->mlp.n_out, n->mlp.n_deep, n->mlp.type, rows,
                 differ);
    cr_expect_not(net_overran(n, rows, y));
    free(x), free(y), free(want);
    net_free(n);
}

static void agrees(const struct ptx_module *m, const char *compiler, const uint32_t shape[4],
                   enum infer_type type, uint64_t seed)
{
    net_agrees(m, compiler, net_make(shape[0], shape[1], shape[2], type, seed), shape[3], seed);
}

Test(kernels_ptx, ptx_of_both_compilers_gives_the_canonical_bits)
{
    const uint32_t fixed[][4] = {{31, 256, 2, 1},   {31, 256, 2, 37}, {16, 64, 1, 70},
                                 {64, 1024, 16, 3}, {1, 1, 1, 2},     {33, 40, 9, 20}};
    int ran = 0;
    for (int c = 0; c < 2; c++) {
        struct ptx_module *m = module("gpu-kernels/mlp", compilers[c]);
        uint64_t s = 11;
        for (uint32_t i = 0; m && i < 24; i++) {
            uint32_t shape[] = {1 + nets_random(&s) % 64, 1 + nets_random(&s) % 200,
                                1 + nets_random(&s) % 16, 1 + nets_random(&s) % 40};
            agrees(m, compilers[c], i < 12 ? fixed[i / 2] : shape, i % 2 ? INFER_S8 : INFER_F32, i);
        }
        ran += m != NULL;
        ptx_free(m);
    }
    if (!ran)
        cr_skip_test("neither nvcc nor clang made PTX");
}

Test(kernels_ptx, deep_networks_in_the_ptx_of_both_compilers_give_the_canonical_bits)
{
    const uint32_t widths[] = {256, 256}, kml[] = {5};
    for (int c = 0; c < 2; c++) {
        struct ptx_module *m = module("gpu-kernels/mlp", compilers[c]);
        for (uint64_t seed = 0; m && seed < 24; seed++)
            net_agrees(m, compilers[c], net_make_any_deep(seed % 6 ? 70 : 300, seed),
                       1 + (uint32_t)(seed * 7 % 40), seed);
        for (int t = INFER_F32; m && t <= INFER_S8; t++) {
            enum infer_type type = (enum infer_type)t;
            net_agrees(m, compilers[c], net_make_deep(31, 256, 2, type, 1, widths, 1), 1, 1);
            net_agrees(m, compilers[c], net_make_deep(31, 256, 2, type, 2, widths, 1), 9, 1);
            net_agrees(m, compilers[c], net_make_deep(5, 15, 4, type, 1, kml, 1), 130, 1);
        }
        ptx_free(m);
    }
}

/* ---- planted bugs ----------------------------------------------------------- */

static int run_bug(const struct ptx_module *m, const char *kernel, char *why, size_t n)
{
    struct {
        float in[BUG_THREADS], gap[BUG_THREADS], out[BUG_THREADS];
    } io = {{0}, {0}, {0}};
    struct bug_args args = {io.in, io.out};
    struct ptx_launch l = {.kernel = kernel,
                           .grid = 1,
                           .block = BUG_THREADS,
                           .args = &args,
                           .args_size = sizeof args,
                           .step_limit = 100000};
    ptx_memory_add(io.in, sizeof io.in);
    ptx_memory_add(io.out, sizeof io.out);
    int bad = ptx_launch(m, &l, why, n);
    ptx_memory_remove(io.in);
    ptx_memory_remove(io.out);
    return bad;
}

static const struct {
    const char *kernel, *says; /* NULL: nothing is wrong */
} bugs[] = {
    {"bug_none", NULL},
    {"bug_missing_sync", "reads shared word 63, which nobody wrote"}, /* yet */
    {"bug_missing_second_sync", "race: reads shared word "},
    {"bug_divergent_shuffle", "waits for lanes "},
    {"bug_out_of_bounds", "reads 4 bytes outside every allocation"},
    {"bug_uninitialised_shared", "reads shared word 7, which nobody wrote"},
    {"bug_divergent_barrier", "divergent barrier: other threads wait at line "},
    {"bug_divergent_ballot", "waits for lanes "},
    {"bug_sums_in_one_place", "race: writes shared word "},
    {"bug_endless_wait", "still running after 100000 steps"},
};

Test(kernels_ptx, every_planted_bug_is_caught_in_the_ptx_of_both_compilers)
{
    for (int c = 0; c < 2; c++) {
        struct ptx_module *m = module("tests/gpu-kernels/bugs/bugs", compilers[c]);
        for (size_t i = 0; m && i < sizeof bugs / sizeof *bugs; i++) {
            char why[512] = "";
            int bad = run_bug(m, bugs[i].kernel, why, sizeof why);
            cr_expect_eq(bad, bugs[i].says ? -1 : 0, "%s, %s: %s", compilers[c], bugs[i].kernel,
                         why);
            cr_expect(!bugs[i].says || strstr(why, bugs[i].says), "%s, %s said: %s", compilers[c],
                      bugs[i].kernel, why);
        }
        ptx_free(m);
    }
}
