/* bench_nets.h - the networks that malv bench infer runs: shapes as published
 * or as shipped, weights at random, for arithmetic takes as long whatever it
 * multiplies.  A forest is random too, every tree full.                      */
#ifndef HARNESS_BENCH_BENCH_NETS_H
#define HARNESS_BENCH_BENCH_NETS_H

#include "gpu-kernels/infer.h"
#include "sim/err.h"

enum { BENCH_NET_VARIANTS = 2 };

struct bench_net {
    const char *name;
    struct infer_net net[BENCH_NET_VARIANTS]; /* the first is what other libraries are given */
    const char *variant[BENCH_NET_VARIANTS];  /* "f32"; NULL: there is none */
    uint32_t n_in, n_out;
    int32_t from, to; /* inputs: integers of this range */
    void *own;
};

struct bench_nets {
    struct bench_net *net;
    size_t n;
};

/* quick: sizes that fit a test. */
int bench_nets_make(struct bench_nets *n, bool quick, struct err *e) MUST_CHECK;
void bench_nets_free(struct bench_nets *n);

float *bench_nets_inputs(const struct bench_net *n, uint32_t rows); /* NULL: out of memory */

#endif
