/* test_cuda.c - the production cuda backend, whole, on the fake driver. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/backend.h"
#include "gpu-kernels/cuda_image.h"
#include "tests/gpu-kernels/nets.h"

static void with_fake_driver(const char *fake)
{
    if (!cuda_image_ptx("mlp"))
        cr_skip_test("built with neither nvcc nor clang");
    setenv("MALV_LIBCUDA", BUILD "/tests/gpu-kernels/fake/libcuda.so.1", 1);
    setenv("FAKE_CUDA", fake, 1);
}

static struct infer *opened(enum infer_backend backend)
{
    char why[256] = "";
    struct infer *r = NULL;
    cr_assert_eq(infer_open(&r, backend, why, sizeof why), 0, "%s", why);
    return r;
}

static void agrees(struct infer *r, const struct net *n, uint32_t rows)
{
    char why[256] = "";
    struct infer_model *m;
    float *x = net_inputs(n, rows, 1.0f, rows), *y = net_outputs(n, rows);
    float *want = net_outputs(n, rows);
    cr_assert_eq(infer_load_mlp(r, &n->mlp, &m, why, sizeof why), 0, "%s", why);
    cr_assert_eq(infer_run(m, rows, x, y, why, sizeof why), 0, "%s", why);
    net_canonical(n, rows, x, want);
    cr_expect_eq(net_differ(n, rows, y, want), 0, "%u rows", rows);
    cr_expect_not(net_overran(n, rows, y));
    infer_unload(m);
    free(x), free(y), free(want);
}

Test(kernels_cuda, auto_finds_the_device_and_gives_the_canonical_bits)
{
    with_fake_driver("");
    struct infer *r = opened(INFER_AUTO);
    cr_assert_str_eq(infer_name(r), "cuda (PTX interpreter)");
    cr_assert_eq(infer_notice(r), NULL);
    for (int type = INFER_F32; type <= INFER_S8; type++) {
        struct net *n = net_make(31, 256, 2, (enum infer_type)type, 5);
        agrees(r, n, 1);
        agrees(r, n, 70);
        net_free(n);
        n = net_make(5, 40, 3, (enum infer_type)type, 5);
        agrees(r, n, 4100); /* more than one launch */
        net_free(n);
    }
    infer_close(r);
}

Test(kernels_cuda, a_cubin_that_the_driver_refuses_gives_way_to_ptx)
{
    with_fake_driver("hopper");
    struct infer *r = opened(INFER_CUDA);
    struct net *n = net_make(16, 64, 1, INFER_F32, 5);
    agrees(r, n, 3);
    net_free(n);
    infer_close(r);
}

static void fails(const char *fake, const char *sentence)
{
    char why[256] = "";
    struct infer *r = NULL;
    with_fake_driver(fake);
    cr_assert_eq(infer_open(&r, INFER_CUDA, why, sizeof why), -1);
    cr_expect_str_eq(why, sentence);
    r = opened(INFER_AUTO);
    cr_expect_eq(strncmp(infer_name(r), "cpu (", 5), 0);
    cr_expect_neq((void *)strstr(infer_notice(r), sentence), NULL, "%s", infer_notice(r));
    infer_close(r);
}

Test(kernels_cuda, no_device_falls_back_with_the_reason)
{
    fails("none", "cuInit says CUDA_ERROR_NO_DEVICE");
}
Test(kernels_cuda, an_old_device_falls_back_with_the_reason)
{
    fails("old", "PTX interpreter is sm_70, want sm_80 or newer");
}
Test(kernels_cuda, no_memory_falls_back_with_the_reason)
{
    fails("oom", "pinning memory on PTX interpreter failed: CUDA_ERROR_OUT_OF_MEMORY");
}
