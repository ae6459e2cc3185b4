/* test_infer.c - the runtime's door: a network by hand, and every refusal. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/infer.h"
#include "tests/gpu-kernels/nets.h"

static struct infer *opened(enum infer_backend backend)
{
    char why[256] = "";
    struct infer *r = NULL;
    cr_assert_eq(infer_open(&r, backend, why, sizeof why), 0, "%s", why);
    return r;
}

Test(kernels_infer, a_network_worked_out_by_hand)
{
    /* h = relu(x0 + 2 x1 - 1), relu(3 x0 - x1 + 0.5); y = 10 h0 - h1 + 4 */
    const float w1[] = {1, 2, 3, -1}, b1[] = {-1, 0.5f}, w2[] = {10, -1}, b2[] = {4};
    const struct infer_mlp net = {.n_in = 2,
                                  .n_hidden = 2,
                                  .n_out = 1,
                                  .type = INFER_F32,
                                  .w1 = w1,
                                  .b1 = b1,
                                  .w2 = w2,
                                  .b2 = b2};
    const float x[] = {1, 1, 0, 0, 2, -3}, want[] = {21.5f, 3.5f, -5.5f};
    char why[256] = "";
    float y[3];
    struct infer *r = opened(INFER_CPU);
    struct infer_model *m;
    cr_assert_eq(infer_load_mlp(r, &net, &m, why, sizeof why), 0, "%s", why);
    cr_assert_eq(infer_run(m, 3, x, y, why, sizeof why), 0, "%s", why);
    for (int i = 0; i < 3; i++)
        cr_assert_float_eq(y[i], want[i], 0.0f, "row %d: %g, want %g", i, (double)y[i],
                           (double)want[i]);
    infer_unload(m);
    infer_close(r);
}

Test(kernels_infer, auto_says_why_it_fell_back)
{
    struct infer *r = opened(INFER_AUTO);
    if (!infer_notice(r))
        cr_assert(!strncmp(infer_name(r), "cuda", 4), "%s", infer_name(r));
    else
        cr_assert(!strncmp(infer_notice(r), "no GPU (", 8), "%s", infer_notice(r));
    infer_close(r);
}

Test(kernels_infer, cuda_without_a_driver_is_an_error_that_says_so)
{
    char why[256] = "";
    struct infer *r = NULL;
    setenv("MALV_LIBCUDA", "/nonexistent/libcuda.so.1", 1);
    cr_assert_eq(infer_open(&r, INFER_CUDA, why, sizeof why), -1);
    cr_assert_eq(strncmp(why, "no NVIDIA driver library: /nonexistent/libcuda.so.1", 51), 0, "%s",
                 why);
    r = opened(INFER_AUTO);
    cr_assert_eq(strncmp(infer_name(r), "cpu (", 5), 0);
    cr_assert_neq((void *)strstr(infer_notice(r), "networks run on cpu ("), NULL);
    infer_close(r);
}

Test(kernels_infer, a_library_that_is_no_driver_is_refused)
{
    char why[256] = "";
    struct infer *r = NULL;
    setenv("MALV_LIBCUDA", "libm.so.6", 1);
    cr_assert_eq(infer_open(&r, INFER_CUDA, why, sizeof why), -1);
    cr_assert_str_eq(why, "the NVIDIA driver is too old, it lacks cuInit");
}

static void refused(const struct infer_mlp *net, const char *sentence)
{
    char why[256] = "";
    struct infer *r = opened(INFER_CPU);
    struct infer_model *m = NULL;
    cr_expect_eq(infer_load_mlp(r, net, &m, why, sizeof why), -1, "accepted: %s", sentence);
    cr_expect_str_eq(why, sentence);
    infer_close(r);
}

Test(kernels_infer, shapes_out_of_range_are_refused_with_a_sentence)
{
    struct net *n = net_make(4, 8, 2, INFER_F32, 1);
    struct infer_mlp m = n->mlp;
    m.n_in = 65;
    refused(&m, "n_in is 65, want 1..64");
    m = n->mlp, m.n_hidden = 0;
    refused(&m, "n_hidden is 0, want 1..1024");
    m = n->mlp, m.n_out = 17;
    refused(&m, "n_out is 17, want 1..16");
    m = n->mlp, m.b1 = NULL;
    refused(&m, "a float network lacks w1, b1, w2 or b2");
    net_free(n);
}

Test(kernels_infer, deep_networks_out_of_range_are_refused_with_a_sentence)
{
    const uint32_t widths[] = {8, 8};
    struct net *n = net_make_deep(4, 8, 2, INFER_F32, 2, widths, 1);
    struct infer_mlp m = n->mlp;
    m.n_deep = 4;
    refused(&m, "n_deep is 4, want 0..3");
    m = n->mlp, m.deep[1].width = 513;
    refused(&m, "hidden layer 3 is 513 wide, want 1..512");
    m = n->mlp, m.n_hidden = 1000;
    refused(&m, "hidden layer 1 is 1000 wide, want 1..512");
    m = n->mlp, m.deep[0].w = NULL;
    refused(&m, "hidden layer 2 of a float network lacks w or b");
    net_free(n);
    n = net_make_deep(4, 8, 2, INFER_S8, 2, widths, 1);
    m = n->mlp, m.sigmoid_out = true;
    refused(&m, "an int8 network has a sigmoid, want ReLU and linear outputs");
    m = n->mlp, m.deep[0].scale = -1;
    refused(&m, "scale of layer 2 is -1, want a positive number");
    m = n->mlp, m.deep[1].q = NULL;
    refused(&m, "hidden layer 3 of an int8 network lacks q or c");
    ((int32_t *)n->deep[1])[2] = 8388609;
    refused(&n->mlp, "c of hidden layer 2[2] is 8388609, want at most 8388608 in magnitude");
    net_free(n);
}

Test(kernels_infer, int8_networks_that_could_overflow_are_refused)
{
    struct net *n = net_make(4, 8, 2, INFER_S8, 1);
    struct infer_mlp m = n->mlp;
    m.in_scale = 0;
    refused(&m, "in_scale is 0, want a positive number");
    m = n->mlp, m.hidden_scale = NAN;
    refused(&m, "hidden_scale is nan, want a positive number");
    m = n->mlp, m.out_scale = -1;
    refused(&m, "out_scale is -1, want a positive number");
    m = n->mlp, m.q2 = NULL;
    refused(&m, "an int8 network lacks q1, q2, c1 or c2");
    n->c1[3] = 8388609;
    refused(&n->mlp, "c1[3] is 8388609, want at most 8388608 in magnitude");
    n->c1[3] = 0, n->c2[1] = -1073741825;
    refused(&n->mlp, "c2[1] is -1073741825, want at most 1073741824 in magnitude");
    net_free(n);
}

Test(kernels_infer, no_rows_is_an_error)
{
    char why[256] = "";
    struct net *n = net_make(4, 8, 2, INFER_F32, 1);
    struct infer *r = opened(INFER_CPU);
    struct infer_model *m;
    cr_assert_eq(infer_load_mlp(r, &n->mlp, &m, why, sizeof why), 0, "%s", why);
    cr_assert_eq(infer_run(m, 0, NULL, NULL, why, sizeof why), -1);
    cr_assert_str_eq(why, "rows is 0, want at least 1");
    infer_unload(m);
    infer_close(r);
    net_free(n);
}
