/* synth_net_ops.h - what the files of the network synthesizer share.  Private to
 * traces/synth_net*.c.
 *
 * An operation knows what it launches forward and backward.                                     */
#ifndef TRACES_SYNTH_NET_OPS_H
#define TRACES_SYNTH_NET_OPS_H

#include "traces/synth_net.h"
#include "traces/synth_ops.h"

enum net_op_kind {
    NET_OP_PRODUCT,   /* m x k by weights k x n, with a bias where one is said */
    NET_OP_BATCHED,   /* `batch` of m x k by k x n */
    NET_OP_ATTENTION, /* `batch` heads: m queries, n keys of k numbers */
    NET_OP_POINT,     /* m numbers: passes forward, backward */
    NET_OP_NORM,      /* m rows of n */
    NET_OP_BATCHNORM, /* m channels of n */
    NET_OP_SOFTMAX,   /* m rows of n */
    NET_OP_CONV,      /* m places, n channels out, k in, window of `window` */
    NET_OP_LOOKUP,    /* m rows of n, out of k */
    NET_OP_LOSS       /* m rows of n */
};

struct net_op {
    enum net_op_kind kind;
    enum net_name name; /* of a point operation */
    uint64_t m, n, k, batch, window;
    uint64_t m_in;            /* conv: places that come in */
    double forward, backward; /* point: tensors read or written; 0: no kernel */
    bool bias, tied, columns;
    bool leaf;      /* what it reads has no gradient */
    uint32_t group; /* layers that are run forward again together; 0: none */
};

struct net_ops {
    struct net_op *at;
    uint64_t n, cap;
    bool failed; /* out of memory */
};
void net_ops_of(struct net_ops *to, const struct synth_net *net); /* to->at: to be freed */

struct net_out { /* where kernels go */
    const struct synth_net *net;
    struct synth_kernel *at;
    uint64_t n, cap;
    bool failed;
    struct net_sum sum;
};
void net_forward(struct net_out *o, const struct net_op *op);
void net_backward(struct net_out *o, const struct net_op *op);
void net_optimize(struct net_out *o, const struct net_ops *ops);

/* Kernels.  Element counts and bytes of all blocks together. */
struct net_shape {
    enum net_name name;
    uint64_t grid;
    uint32_t block, registers, smem;
    uint32_t flight; /* bytes that a block asks for at once; 0: 16 of each thread */
    double bytes, flops, compute_ns;
};
void net_kernel(struct net_out *o, const struct net_shape *k);
/* c (m x n) = a (m x k) b (k x n), `batch` times in one kernel; split where the rule says so. */
void net_product(struct net_out *o, uint64_t m, uint64_t n, uint64_t k);
void net_batched(struct net_out *o, uint64_t batch, uint64_t m, uint64_t n, uint64_t k);
void net_point(struct net_out *o, enum net_name name, uint64_t elements, double passes);
/* A block for each row, of so many threads. */
void net_rows(struct net_out *o, enum net_name name, uint64_t rows, uint32_t threads,
              double elements);
uint64_t net_ceil(uint64_t a, uint64_t b);

#endif
