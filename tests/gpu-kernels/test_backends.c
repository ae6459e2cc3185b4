/* test_backends.c - all backends side by side, through infer.h alone: the
 * cuda one on the fake driver, so that its PTX is executed too. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cuda_image.h"
#include "tests/gpu-kernels/nets.h"
#include "tests/sanitized.h"

enum { BACKENDS = 3 };
static const enum infer_backend backends[BACKENDS] = {INFER_CPU, INFER_EMU, INFER_CUDA};

static void open_all(struct infer *r[BACKENDS])
{
    char why[256] = "";
    setenv("MALV_LIBCUDA", BUILD "/tests/gpu-kernels/fake/libcuda.so.1", 1);
    for (int i = 0; i < BACKENDS; i++) {
        r[i] = NULL;
        if (backends[i] == INFER_CUDA && !cuda_image_ptx("mlp"))
            continue; /* built with neither nvcc nor clang */
        cr_assert_eq(infer_open(&r[i], backends[i], why, sizeof why), 0, "%s", why);
    }
}

/* What a policy would see: load, run, unload, and nothing of how. */
static float *answers(struct infer *r, const struct net *n, uint32_t rows, const float *x)
{
    char why[256] = "";
    struct infer_model *m = NULL;
    float *y = net_outputs(n, rows);
    cr_assert_eq(infer_load_mlp(r, &n->mlp, &m, why, sizeof why), 0, "%s", why);
    cr_assert_eq(infer_run(m, rows, x, y, why, sizeof why), 0, "%s", why);
    cr_assert_not(net_overran(n, rows, y), "%s", infer_name(r));
    infer_unload(m);
    return y;
}

static void agree(struct infer *r[BACKENDS], const struct net *n, uint32_t rows, uint64_t seed)
{
    float *x = net_inputs(n, rows, seed % 4 ? 1.0f : 1000.0f, seed);
    float *want = answers(r[0], n, rows, x);
    for (int i = 1; i < BACKENDS && r[i]; i++) {
        float *y = answers(r[i], n, rows, x);
        size_t differ = net_differ(n, rows, y, want);
        cr_expect_eq(differ, 0, "%s and %s: %zu answers of %u-%u-%u differ, %u rows, seed %llu",
                     infer_name(r[0]), infer_name(r[i]), differ, n->mlp.n_in, n->mlp.n_hidden,
                     n->mlp.n_out, rows, (unsigned long long)seed);
        free(y);
    }
    free(want), free(x);
}

Test(kernels_backends, random_networks_and_batches_give_the_same_bits)
{
    struct infer *r[BACKENDS];
    uint64_t s = 41;
    open_all(r);
    for (uint64_t seed = 0; seed < 30; seed++) {
        enum infer_type type = seed % 2 ? INFER_S8 : INFER_F32;
        struct net *n = net_make(1 + nets_random(&s) % 64, 1 + nets_random(&s) % 200,
                                 1 + nets_random(&s) % 16, type, seed);
        agree(r, n, 1 + nets_random(&s) % 64, seed);
        net_free(n);
    }
    for (int i = 0; i < BACKENDS; i++)
        infer_close(r[i]);
}

Test(kernels_backends, deep_networks_and_batches_give_the_same_bits)
{
    static const uint32_t batches[] = {1, 9, 17, 64, 33};
    const uint32_t kml[] = {5};
    struct infer *r[BACKENDS];
    open_all(r);
    for (uint64_t seed = 0; seed < (SANITIZED ? 10 : 20); seed++) {
        struct net *n = net_make_any_deep(seed % 5 ? 80 : 300, seed);
        agree(r, n, batches[seed % 5], seed);
        net_free(n);
    }
    for (int type = INFER_F32; type <= INFER_S8; type++) {
        struct net *n = net_make_deep(5, 15, 4, (enum infer_type)type, 1, kml, 3);
        n->mlp.sigmoid = type == INFER_F32;
        agree(r, n, SANITIZED ? 500 : 4096, 2);
        net_free(n);
    }
    for (int i = 0; i < BACKENDS; i++)
        infer_close(r[i]);
}

Test(kernels_backends, batches_of_1_to_4096_give_the_same_bits)
{
    static const uint32_t batches[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 500, 4096};
    struct infer *r[BACKENDS];
    open_all(r);
    for (int type = INFER_F32; type <= INFER_S8; type++) {
        struct net *n = net_make(9, 30, 2, (enum infer_type)type, 3);
        for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
            agree(r, n, batches[i], i + 1);
        net_free(n);
    }
    for (int i = 0; i < BACKENDS; i++)
        infer_close(r[i]);
}
