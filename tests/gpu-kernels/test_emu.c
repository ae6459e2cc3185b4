/* test_emu.c - the kernels themselves on fibers, and what the fibers catch. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/emu_block.h"
#include "gpu-kernels/grid.h"
#include "tests/gpu-kernels/bugs/bugs.h"
#include "tests/gpu-kernels/nets.h"
#include "tests/sanitized.h"

emu_kernel emu_mlp_f32, emu_mlp_s8, emu_mlp_deep_f32, emu_mlp_deep_s8;
static emu_kernel *const kernels[GRID_KERNELS] = {emu_mlp_f32, emu_mlp_s8, emu_mlp_deep_f32,
                                                  emu_mlp_deep_s8};
emu_kernel emu_bug_none, emu_bug_missing_sync, emu_bug_missing_second_sync,
    emu_bug_divergent_shuffle, emu_bug_out_of_bounds, emu_bug_uninitialised_shared,
    emu_bug_divergent_barrier, emu_bug_endless_wait, emu_bug_divergent_ballot;

/* Runs a network on fibers in a seeded order, on at most `blocks` blocks. */
static void run(struct emu *e, const struct net *n, uint32_t rows, const float *x, float *y,
                uint64_t seed, uint32_t blocks)
{
    const bool f32 = n->mlp.type == INFER_F32;
    struct pack p;
    cr_assert(pack_make(&p, &n->mlp, f32 ? PACK_F32 : PACK_MMA));
    void *staged = pack_alloc(rows * grid_row_size(&p));
    grid_stage(&p, staged, x, rows);
    struct grid_places at = {
        staged, p.w1, p.w2, f32 ? (void *)p.b1 : p.c1, f32 ? (void *)p.b2 : p.c2, y, p.table};
    struct grid g;
    grid_plan(&g, &p, &at, rows, blocks);
    struct emu_options o = {.seed = seed};
    int bad = emu_launch(e, kernels[g.kernel], g.blocks, g.threads, &g.args, &o);
    cr_assert_not(bad, "%s", e->why);
    free(staged);
    pack_free(&p);
}

static void net_agrees(struct emu *e, struct net *n, uint32_t rows, uint64_t seed)
{
    float *x = net_inputs(n, rows, 1.0f, seed), *y = net_outputs(n, rows);
    float *want = net_outputs(n, rows);
    net_canonical(n, rows, x, want);
    run(e, n, rows, x, y, seed, 1 + seed % 5);
    size_t differ = net_differ(n, rows, y, want);
    cr_expect_eq(differ, 0, "%u-%u-%u +%u type %d, %u rows, seed %llu: %zu answers differ",
                 n->mlp.n_in, n->mlp.n_hidden, n->mlp.n_out, n->mlp.n_deep, n->mlp.type, rows,
                 (unsigned long long)seed, differ);
    cr_expect_not(net_overran(n, rows, y));
    free(x), free(y), free(want);
    net_free(n);
}

static void agrees(struct emu *e, uint32_t n_in, uint32_t n_hidden, uint32_t n_out, uint32_t rows,
                   enum infer_type type, uint64_t seed)
{
    net_agrees(e, net_make(n_in, n_hidden, n_out, type, seed + 9), rows, seed);
}

Test(kernels_emu, deep_networks_in_any_schedule_give_the_canonical_bits)
{
    struct emu *e = emu_new();
    uint64_t s = 8;
    for (uint64_t seed = 0; seed < (SANITIZED ? 20 : 60); seed++)
        net_agrees(e, net_make_any_deep(seed % 5 ? 90 : 512, seed),
                   1 + (uint32_t)(nets_random(&s) % 70), seed);
    const uint32_t widths[] = {256, 256}, largest[] = {512, 512, 512};
    for (int type = INFER_F32; type <= INFER_S8; type++) {
        net_agrees(e, net_make_deep(31, 256, 2, (enum infer_type)type, 1, widths, 1), 1, 0);
        net_agrees(e, net_make_deep(31, 256, 2, (enum infer_type)type, 2, widths, 1), 65, 0);
        net_agrees(e, net_make_deep(64, 512, 16, (enum infer_type)type, 3, largest, 1), 9, 1);
    }
    emu_free(e);
}

Test(kernels_emu, random_shapes_batches_and_schedules_give_the_canonical_bits)
{
    struct emu *e = emu_new();
    uint64_t s = 7;
    for (uint64_t seed = 0; seed < 60; seed++) {
        uint32_t n_in = 1 + nets_random(&s) % 64, n_hidden = 1 + nets_random(&s) % 330;
        agrees(e, n_in, n_hidden, 1 + nets_random(&s) % 16, 1 + nets_random(&s) % 70,
               seed % 2 ? INFER_S8 : INFER_F32, seed);
    }
    emu_free(e);
}

Test(kernels_emu, largest_shape_and_whole_batches)
{
    struct emu *e = emu_new();
    for (int type = INFER_F32; type <= INFER_S8; type++) {
        agrees(e, 64, 1024, 16, 9, (enum infer_type)type, 3);
        agrees(e, 31, 256, 2, 1, (enum infer_type)type, 0);
        agrees(e, 31, 256, 2, 1024, (enum infer_type)type, 0);
        agrees(e, 16, 64, 1, 4096, (enum infer_type)type, 0);
        agrees(e, 1, 1, 1, 65, (enum infer_type)type, 4);
    }
    emu_free(e);
}

Test(kernels_emu, saturation_and_nan_give_the_same_bits)
{
    struct emu *e = emu_new();
    for (int type = INFER_F32; type <= INFER_S8; type++) {
        struct net *n = net_make(40, 90, 9, (enum infer_type)type, 2);
        float *x = net_inputs(n, 20, 1e4f, 5), *y = net_outputs(n, 20), *want = net_outputs(n, 20);
        x[0] = NAN, x[77] = INFINITY, x[200] = -INFINITY, x[333] = 3e38f, x[500] = -1e-41f;
        n->mlp.hidden_scale = 1e30f; /* every sum that is not 0 saturates */
        net_canonical(n, 20, x, want);
        run(e, n, 20, x, y, 0, 2);
        cr_expect_eq(net_differ(n, 20, y, want), 0);
        free(x), free(y), free(want);
        net_free(n);
    }
    emu_free(e);
}

/* ---- planted bugs ----------------------------------------------------------- */

struct caught {
    int bad;
    char why[256];
    int right; /* how many of the 64 answers */
};

static struct caught run_bug(emu_kernel *kernel, uint64_t seed)
{
    struct caught c = {0};
    float *in = malloc(BUG_THREADS * sizeof *in), *out = malloc(BUG_THREADS * sizeof *out);
    for (int i = 0; i < BUG_THREADS; i++)
        in[i] = (float)i, out[i] = -1.0f;
    struct bug_args args = {in, out};
    struct emu_options o = {.seed = seed, .step_limit = 100000};
    struct emu *e = emu_new();
    c.bad = emu_launch(e, kernel, 1, BUG_THREADS, &args, &o);
    memcpy(c.why, e->why, sizeof c.why);
    for (int i = 0; i < BUG_THREADS; i++)
        c.right += out[i] == (float)(BUG_THREADS - 1 - i);
    emu_free(e);
    free(in), free(out);
    return c;
}

Test(kernels_emu, a_kernel_without_a_bug_passes_in_any_order)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct caught c = run_bug(emu_bug_none, seed);
        cr_expect(!c.bad && c.right == BUG_THREADS, "%s", c.why);
    }
}

Test(kernels_emu, a_missing_barrier_gives_wrong_answers_in_any_order)
{
    for (uint64_t seed = 0; seed < 20; seed++)
        cr_expect_lt(run_bug(emu_bug_missing_sync, seed).right, BUG_THREADS);
    cr_expect_lt(run_bug(emu_bug_missing_second_sync, 0).right, BUG_THREADS);
}

Test(kernels_emu, an_unwritten_shared_word_is_nan)
{
    cr_expect_eq(run_bug(emu_bug_uninitialised_shared, 0).right, BUG_THREADS - 1);
}

static void reports(emu_kernel *kernel, const char *begin, const char *place)
{
    struct caught c = run_bug(kernel, 0);
    cr_expect(c.bad, "not caught");
    cr_expect_eq(strncmp(c.why, begin, strlen(begin)), 0, "said: %s", c.why);
    cr_expect_neq((void *)strstr(c.why, place), NULL, "said: %s", c.why);
}

Test(kernels_emu, a_shuffle_that_a_lane_skips_is_a_deadlock_with_its_line)
{
    reports(emu_bug_divergent_shuffle, "deadlock in block 0; thread 0 waits for its warp at ",
            "bugs.cu:41");
}

Test(kernels_emu, a_vote_that_a_lane_skips_is_reported_with_its_line)
{
    reports(emu_bug_divergent_ballot, "lane 10 waits at ",
            "bugs.cu:84 for lanes 00000200, which have left the kernel");
}

Test(kernels_emu, threads_at_different_barriers_are_reported_with_both_lines)
{
    reports(emu_bug_divergent_barrier, "divergent barrier in block 0: thread 0 waits at ",
            "bugs.cu:68");
}

Test(kernels_emu, an_endless_wait_ends_at_the_step_limit)
{
    reports(emu_bug_endless_wait, "still running after 100000 steps, thread ", "bugs.cu:76");
}

/* Only AddressSanitizer sees this one; it aborts (make test asks it to). */
#if SANITIZED
Test(kernels_emu, a_read_beyond_the_input_is_caught_by_the_sanitizer, .signal = SIGABRT)
{
    run_bug(emu_bug_out_of_bounds, 0);
}
#endif
