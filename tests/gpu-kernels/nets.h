/* nets.h - random networks and two references for the tests of the kernels.
 *
 * The references share no code with gpu-kernels/: one computes in double, to
 * say what is right, one spells out the canonical order of mlp.h, to say
 * which of the nearly right answers is wanted.                              */
#ifndef TESTS_NETS_H
#define TESTS_NETS_H

#include "gpu-kernels/infer.h"

struct net {
    struct infer_mlp mlp;
    float *w1, *b1, *w2, *b2;
    int8_t *q1, *q2;
    int32_t *c1, *c2;
    void *deep[2 * INFER_DEEP_MAX];
};

uint64_t nets_random(uint64_t *state);
float nets_uniform(uint64_t *state); /* -1 .. 1 */

struct net *net_make(uint32_t n_in, uint32_t n_hidden, uint32_t n_out, enum infer_type type,
                     uint64_t seed);
/* The same with n_deep hidden layers more, each of its width. */
struct net *net_make_deep(uint32_t n_in, uint32_t n_hidden, uint32_t n_out, enum infer_type type,
                          uint32_t n_deep, const uint32_t *widths, uint64_t seed);
/* One of random shape: 0 .. 3 further layers, now and then sigmoids, widths to `widest`. */
struct net *net_make_any_deep(uint32_t widest, uint64_t seed);
void net_free(struct net *n);

/* rows x n_in inputs, -1..1 times `size`; free() them. */
float *net_inputs(const struct net *n, uint32_t rows, float size, uint64_t seed);

/* Double precision; for int8 with the roundings of mlp.h.  *scale gets the sum
 * of magnitudes of the terms, against which an fp32 error is to be judged.   */
double net_exact(const struct net *n, const float *x, uint32_t o, double *scale);

/* The bits that every backend must give. */
void net_canonical(const struct net *n, uint32_t rows, const float *x, float *y);

/* How many of rows * n_out answers differ in any bit. */
size_t net_differ(const struct net *n, uint32_t rows, const float *a, const float *b);

/* Outputs with a poison behind them: a kernel that wrote nothing, or too much, shows. */
float *net_outputs(const struct net *n, uint32_t rows);
int net_overran(const struct net *n, uint32_t rows, const float *y);

#endif
