/* synth_net_passes.c - what an operation launches, forward and backward. */
#include <stdlib.h>

#include "traces/synth_net_ops.h"

#define NORM_BLOCK   128
#define WEIGHT_ROWS  32 /* columns of a block that adds up gradients of weights over rows */
#define STATS_BLOCK  512
#define REDUCE_BLOCK 512
#define QUERIES      64 /* of a block of attention */
#define ATT_BLOCK    128
#define ATT_REGS     168
#define ATT_SMEM     (48 << 10)
#define COLUMN_BLOCK 1024

/* ---- products -------------------------------------------------------------------- */

static void product_forward(struct net_out *o, const struct net_op *op)
{
    net_product(o, op->m, op->n, op->k);
    if (op->bias && o->net->gemm.bias_kernel)
        net_point(o, NET_BIAS_KERNEL, op->m * op->n, 2);
}

static void bias_backward(struct net_out *o, uint64_t rows, uint64_t columns)
{
    net_rows(o, NET_REDUCE_KERNEL, net_ceil(columns, WEIGHT_ROWS), REDUCE_BLOCK,
             (double)rows * (double)columns);
}

static void product_backward(struct net_out *o, const struct net_op *op)
{
    net_product(o, op->m, op->k, op->n);
    net_product(o, op->k, op->n, op->m);
    if (op->bias)
        bias_backward(o, op->m, op->n);
}

static void batched_backward(struct net_out *o, const struct net_op *op)
{
    net_batched(o, op->batch, op->m, op->k, op->n);
    net_batched(o, op->batch, op->k, op->n, op->m);
}

/* Two products forward, five backward (the scores once more). */
static void attention(struct net_out *o, const struct net_op *op, bool back)
{
    const double each = 2.0 * (double)op->batch * (double)op->m * (double)op->n * (double)op->k;
    const double flops = each * (back ? 5 : 2);
    const uint64_t blocks = op->batch * net_ceil(back ? op->n : op->m, QUERIES);
    const uint64_t q = net_ceil(blocks, o->net->sms);
    const double peak = o->net->tflops * 1e3 * o->net->gemm.efficiency;
    const double tensors =
        (double)op->batch * (double)op->k * (double)(2 * op->m + 2 * op->n) * (back ? 2 : 1);
    net_kernel(o, &(struct net_shape){
                      .name = back ? NET_ATTENTION_BACK_KERNEL : NET_ATTENTION_KERNEL,
                      .grid = blocks,
                      .block = ATT_BLOCK,
                      .registers = ATT_REGS,
                      .smem = ATT_SMEM,
                      .bytes = tensors * o->net->element,
                      .flops = back ? 2 * 2 * each : flops, /* recomputing is no part of the work */
                      .compute_ns = flops / (double)blocks * (double)(q * o->net->sms) / peak});
}

/* ---- convolutions ---------------------------------------------------------------- */

static void columns(struct net_out *o, const struct net_op *op)
{
    const uint64_t in = op->k * op->m_in, out = op->k * op->window * op->m;
    net_kernel(o, &(struct net_shape){.name = NET_COLUMNS_KERNEL,
                                      .grid = net_ceil(op->k * op->m, COLUMN_BLOCK),
                                      .block = COLUMN_BLOCK,
                                      .registers = 32,
                                      .bytes = (double)(in + out) * o->net->element});
}

/* All at once: the columns are made on the way, and what is read is the picture. */
static void implicit(struct net_out *o, const struct net_op *op, uint64_t m, uint64_t n, uint64_t k)
{
    const struct net_gemm *g = &o->net->gemm;
    const double tensors =
        (double)op->batch * ((double)op->k * (double)op->m_in + (double)op->n * (double)op->m) +
        (double)op->n * (double)op->k * (double)op->window;
    struct net_out alone = {.net = o->net};
    net_product(&alone, m, n, k);
    if (alone.failed) {
        o->failed = true;
        return;
    }
    net_kernel(o, &(struct net_shape){.name = NET_CONV_KERNEL,
                                      .grid = alone.at[0].grid,
                                      .block = g->block,
                                      .registers = g->registers,
                                      .smem = alone.at[0].smem,
                                      .flight = alone.at[0].smem,
                                      .bytes = tensors * o->net->element,
                                      .flops = 2.0 * (double)m * (double)n * (double)k,
                                      .compute_ns = (double)alone.at[0].ns});
    free(alone.at);
}

static void conv_forward(struct net_out *o, const struct net_op *op)
{
    const uint64_t in = op->k * op->window;
    if (o->net->cudnn) {
        implicit(o, op, op->batch * op->m, op->n, in);
        return;
    }
    net_point(o, op->bias ? NET_BIAS_KERNEL : NET_FILL_KERNEL, op->batch * op->n * op->m, 1);
    for (uint64_t i = 0; i < op->batch; i++) {
        if (op->columns)
            columns(o, op);
        net_product(o, op->m, op->n, in);
    }
}

static void conv_backward(struct net_out *o, const struct net_op *op)
{
    const uint64_t in = op->k * op->window;
    if (o->net->cudnn) {
        if (!op->leaf)
            implicit(o, op, op->batch * op->m_in, op->k, op->n * op->window);
        implicit(o, op, in, op->n, op->batch * op->m);
        return;
    }
    for (uint64_t i = 0; i < op->batch && !op->leaf; i++) {
        net_product(o, op->m, in, op->n);
        columns(o, op);
    }
    if (op->bias)
        net_rows(o, NET_REDUCE_KERNEL, op->n, REDUCE_BLOCK,
                 (double)op->batch * (double)op->n * (double)op->m);
    net_point(o, NET_FILL_KERNEL, in * op->n, 1);
    for (uint64_t i = 0; i < op->batch; i++) {
        if (op->columns)
            columns(o, op);
        net_product(o, in, op->n, op->m);
    }
}

/* ---- rows ------------------------------------------------------------------------ */

static void norm_backward(struct net_out *o, const struct net_op *op)
{
    const double all = (double)op->m * (double)op->n;
    net_rows(o, NET_NORM_BACK_KERNEL, op->m, NORM_BLOCK, 3 * all);
    net_rows(o, NET_NORM_WEIGHTS_KERNEL, net_ceil(op->n, WEIGHT_ROWS), REDUCE_BLOCK, 2 * all);
}

/* cuDNN has a kernel for each pass; PyTorch's own one for the statistics, one that goes over the
 * channels, and one that applies them.  Either counts its batches. */
static void batch_norm(struct net_out *o, const struct net_op *op, bool back)
{
    const double all = (double)op->m * (double)op->n;
    if (!back)
        net_point(o, NET_SCALE_KERNEL, 1, 2);
    if (o->net->cudnn) {
        net_rows(o, NET_BATCH_NORM_KERNEL, op->m, STATS_BLOCK, (back ? 5 : 3) * all);
        return;
    }
    net_rows(o, NET_BATCH_STATS_KERNEL, op->m, STATS_BLOCK, (back ? 2 : 1) * all);
    if (!back)
        net_point(o, NET_SCALE_KERNEL, op->m, 4);
    net_point(o, NET_BATCH_NORM_KERNEL, op->m * op->n, back ? 3 : 2);
}

static void lookup_backward(struct net_out *o, const struct net_op *op)
{
    net_point(o, NET_FILL_KERNEL, op->n * op->k, 1);
    net_point(o, NET_LOOKUP_KERNEL, op->m * op->n, 3);
}

static void loss(struct net_out *o, const struct net_op *op, bool back)
{
    const double all = (double)op->m * (double)op->n;
    if (back) {
        net_point(o, NET_FILL_KERNEL, op->m * op->n, 1);
        net_point(o, NET_LOSS_KERNEL, op->m, 2);
    }
    net_rows(o, NET_SOFTMAX_KERNEL, op->m, op->n < 1024 ? NORM_BLOCK : COLUMN_BLOCK,
             (back ? 3 : 2) * all);
    if (!back)
        net_rows(o, NET_LOSS_KERNEL, 1, 32, (double)op->m);
}

/* ---- both ways ------------------------------------------------------------------- */

void net_forward(struct net_out *o, const struct net_op *op)
{
    const double all = (double)op->m * (double)op->n;
    switch (op->kind) {
    case NET_OP_PRODUCT:
        product_forward(o, op);
        break;
    case NET_OP_BATCHED:
        net_batched(o, op->batch, op->m, op->n, op->k);
        break;
    case NET_OP_ATTENTION:
        attention(o, op, false);
        break;
    case NET_OP_POINT:
        net_point(o, op->name, op->m, op->forward);
        break;
    case NET_OP_NORM:
        net_rows(o, NET_NORM_KERNEL, op->m, NORM_BLOCK, 2 * all);
        break;
    case NET_OP_BATCHNORM:
        batch_norm(o, op, false);
        break;
    case NET_OP_SOFTMAX:
        net_rows(o, NET_SOFTMAX_KERNEL, op->m, NORM_BLOCK, 2 * all);
        break;
    case NET_OP_CONV:
        conv_forward(o, op);
        break;
    case NET_OP_LOOKUP:
        net_point(o, NET_LOOKUP_KERNEL, op->m * op->n, 2);
        break;
    case NET_OP_LOSS:
        loss(o, op, false);
        break;
    }
}

void net_backward(struct net_out *o, const struct net_op *op)
{
    const double all = (double)op->m * (double)op->n;
    switch (op->kind) {
    case NET_OP_PRODUCT:
        product_backward(o, op);
        break;
    case NET_OP_BATCHED:
        batched_backward(o, op);
        break;
    case NET_OP_ATTENTION:
        attention(o, op, true);
        break;
    case NET_OP_POINT:
        net_point(o, op->name, op->m, op->backward);
        break;
    case NET_OP_NORM:
        norm_backward(o, op);
        break;
    case NET_OP_BATCHNORM:
        batch_norm(o, op, true);
        break;
    case NET_OP_SOFTMAX:
        net_rows(o, NET_SOFTMAX_KERNEL, op->m, NORM_BLOCK, 3 * all);
        break;
    case NET_OP_CONV:
        conv_backward(o, op);
        break;
    case NET_OP_LOOKUP:
        lookup_backward(o, op);
        break;
    case NET_OP_LOSS:
        loss(o, op, true);
        break;
    }
}
