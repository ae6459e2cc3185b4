/* cu_math.h - functions that have one bit pattern everywhere: nothing but fma,
 * +, *, IEEE division and integer steps; never libm or an approximate opcode.
 * Read by the device and, through cu_host.h, by the CPU twins, whose compilers
 * vectorize it.                                                             */
#ifndef GPU_KERNELS_CU_MATH_H
#define GPU_KERNELS_CU_MATH_H

#if defined(__CUDACC__) || defined(__CUDA__)
#include "gpu-kernels/cu_portable.h"
#else
#include "gpu-kernels/cu_host.h"
#endif

#define CU_EXP_MAX 87.0f /* e^-87 and e^87 are both normal numbers */

/* e^x for |x| <= CU_EXP_MAX, to 1e-7 of itself: x = n ln 2 + r, and a polynomial
 * of r (its coefficients are those of expf in S. Moshier's Cephes). */
CU_DEV float cu_exp(float x)
{
    const float t = cu_fma(x, 1.44269504f, 12582912.0f), n = t - 12582912.0f;
    float r = cu_fma(n, -0.693359375f, x), p = 1.9875691500e-4f;
    r = cu_fma(n, 2.12194440e-4f, r);
    p = cu_fma(p, r, 1.3981999507e-3f);
    p = cu_fma(p, r, 8.3334519073e-3f);
    p = cu_fma(p, r, 4.1665795894e-2f);
    p = cu_fma(p, r, 1.6666665459e-1f);
    p = cu_fma(p, r, 5.0000001201e-1f);
    p = cu_fma(p * r, r, r) + 1.0f;
    return p * cu_float((cu_bits(t) - 0x4b400000u + 127u) << 23);
}

/* e^x; what is beyond CU_EXP_MAX counts as that, NaN stays. */
CU_DEV float cu_exp_any(float x)
{
    const float low = x > -CU_EXP_MAX ? x : -CU_EXP_MAX;
    return x == x ? cu_exp(low < CU_EXP_MAX ? low : CU_EXP_MAX) : x;
}

/* 1 / (1 + e^-x); what is beyond CU_EXP_MAX counts as that, NaN as -CU_EXP_MAX. */
CU_DEV float cu_sigmoid(float x)
{
    x = x > -CU_EXP_MAX ? x : -CU_EXP_MAX;
    x = x < CU_EXP_MAX ? x : CU_EXP_MAX;
    return 1.0f / (1.0f + cu_exp(-x));
}

/* tanh(x), to 3e-7 of itself; NaN gives 1.  Near 0 a polynomial (tanhf of Cephes), for the
 * quotient would lose digits there. */
CU_DEV float cu_tanh(float x)
{
    const float size = x < 0.0f ? -x : x, a = size < CU_EXP_MAX / 2 ? size : CU_EXP_MAX / 2;
    const float far = 1.0f - 2.0f / (cu_exp(2.0f * a) + 1.0f), z = a * a;
    float p = cu_fma(z, -5.70498872745e-3f, 2.06390887954e-2f);
    p = cu_fma(p, z, -5.37397155531e-2f);
    p = cu_fma(p, z, 1.33314422036e-1f);
    p = cu_fma(p, z, -3.33332819422e-1f);
    p = a < 0.625f ? cu_fma(p * z, a, a) : far;
    return x < 0.0f ? -p : p;
}

#endif
