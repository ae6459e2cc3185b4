/* synth_net_ops.c - layers into operations. */
#include "traces/synth_net_ops.h"

#include <stdlib.h>

#define DROPOUT_PASSES 2.25 /* numbers in and out, a byte of mask each (of four) */

static void put(struct net_ops *to, const struct net_op *op)
{
    if (to->n == to->cap && !to->failed) {
        const uint64_t cap = to->cap ? 2 * to->cap : 256;
        struct net_op *at = cap > 2 * SYNTH_OPS_KERNELS ? NULL : realloc(to->at, cap * sizeof *at);
        to->failed = !at;
        to->at = at ? at : to->at;
        to->cap = at ? cap : to->cap;
    }
    if (!to->failed)
        to->at[to->n++] = *op;
}

static void point(struct net_ops *to, enum net_name name, uint64_t elements, double forward,
                  double backward)
{
    put(to, &(struct net_op){.kind = NET_OP_POINT,
                             .name = name,
                             .m = elements,
                             .forward = forward,
                             .backward = backward});
}

static void norm(struct net_ops *to, uint64_t rows, uint64_t width)
{
    put(to, &(struct net_op){.kind = NET_OP_NORM, .m = rows, .n = width});
}

static void product(struct net_ops *to, uint64_t rows, uint64_t in, uint64_t out, bool bias)
{
    put(to, &(struct net_op){.kind = NET_OP_PRODUCT, .m = rows, .n = out, .k = in, .bias = bias});
}

static void dropout(struct net_ops *to, bool any, uint64_t elements)
{
    if (any)
        point(to, NET_DROPOUT_KERNEL, elements, DROPOUT_PASSES, DROPOUT_PASSES);
}

/* The scores go through memory: q k, what is done to them, softmax, dropout, their product by v. */
static void eager(struct net_ops *to, const struct net_layer *l, uint64_t heads, uint64_t keys)
{
    const uint64_t scores = heads * l->tokens * keys, part = l->width / l->heads;
    put(to, &(struct net_op){
                .kind = NET_OP_BATCHED, .batch = heads, .m = l->tokens, .n = keys, .k = part});
    for (uint32_t i = 0; i < l->passes; i++)
        point(to, NET_SCALE_KERNEL, scores, 2, i ? 0 : 2); /* a mask has no gradient */
    put(to, &(struct net_op){.kind = NET_OP_SOFTMAX, .m = heads * l->tokens, .n = keys});
    dropout(to, l->dropout_att, scores);
    put(to, &(struct net_op){
                .kind = NET_OP_BATCHED, .batch = heads, .m = l->tokens, .n = part, .k = keys});
}

static void attention(struct net_ops *to, const struct synth_net *net, const struct net_layer *l,
                      uint64_t keys, bool fused_qkv)
{
    const uint64_t rows = (uint64_t)net->batch * l->tokens, others = (uint64_t)net->batch * keys;
    const uint64_t heads = (uint64_t)net->batch * l->heads;
    norm(to, rows, l->width);
    product(to, rows, l->width, fused_qkv ? 3 * l->width : l->width, true);
    for (int i = 0; i < 2 && !fused_qkv; i++)
        product(to, others, l->width, l->width, true);
    for (int i = 0; i < 3; i++) /* heads apart */
        point(to, NET_COPY_KERNEL, (i ? others : rows) * l->width, 2, 2);
    if (l->eager)
        eager(to, l, heads, keys);
    else
        put(to, &(struct net_op){.kind = NET_OP_ATTENTION,
                                 .batch = heads,
                                 .m = l->tokens,
                                 .n = keys,
                                 .k = l->width / l->heads});
    point(to, NET_COPY_KERNEL, rows * l->width, 2, 2); /* together again */
    product(to, rows, l->width, l->width, true);
    dropout(to, l->dropout, rows * l->width);
    point(to, NET_ADD_KERNEL, rows * l->width, 3, 3);
}

static void transformer(struct net_ops *to, const struct synth_net *net, const struct net_layer *l)
{
    const uint64_t rows = (uint64_t)net->batch * l->tokens;
    attention(to, net, l, l->tokens, l->fused_qkv);
    if (l->context)
        attention(to, net, l, l->context, false);
    norm(to, rows, l->width);
    product(to, rows, l->width, l->ffn, true);
    point(to, NET_ACTIVATION_KERNEL, rows * l->ffn, 2, 3);
    product(to, rows, l->ffn, l->width, true);
    dropout(to, l->dropout, rows * l->width);
    point(to, NET_ADD_KERNEL, rows * l->width, 3, 3);
}

static void embedding(struct net_ops *to, const struct synth_net *net, const struct net_layer *l)
{
    const uint64_t rows = (uint64_t)net->batch * l->tokens;
    put(to, &(struct net_op){.kind = NET_OP_LOOKUP, .m = rows, .n = l->width, .k = l->rows});
    if (l->positions) {
        put(to, &(struct net_op){
                    .kind = NET_OP_LOOKUP, .m = l->tokens, .n = l->width, .k = l->positions});
        point(to, NET_ADD_KERNEL, rows * l->width, 3, 0);
    }
    if (l->norm)
        norm(to, rows, l->width);
    dropout(to, l->dropout, rows * l->width);
}

static uint64_t places(const struct net_layer *l, uint32_t stride)
{
    if (l->length)
        return net_ceil(l->length, stride);
    const uint64_t side = net_ceil(l->size, stride);
    return side * side;
}

/* Norm, sum with what came before, ReLU: of `channels` at so many places of each sample. */
static void after(struct net_ops *to, const struct synth_net *net, const struct net_layer *l,
                  uint64_t channels, uint64_t at)
{
    const uint64_t all = channels * at * net->batch;
    if (l->norm)
        put(to, &(struct net_op){.kind = NET_OP_BATCHNORM, .m = channels, .n = at * net->batch});
    if (l->residual)
        point(to, NET_ADD_KERNEL, all, 3, 3);
    if (l->relu)
        point(to, NET_ACTIVATION_KERNEL, all, 2, 3);
}

static void conv(struct net_ops *to, const struct synth_net *net, const struct net_layer *l)
{
    const uint64_t window = l->length ? l->kernel : (uint64_t)l->kernel * l->kernel;
    const uint64_t at = places(l, l->stride);
    put(to, &(struct net_op){.kind = NET_OP_CONV,
                             .m = at,
                             .m_in = places(l, 1),
                             .n = l->out,
                             .k = l->in,
                             .window = window,
                             .batch = net->batch,
                             .bias = l->bias,
                             .columns = l->kernel != 1 || l->stride != 1});
    after(to, net, l, l->out, at);
}

static void linear(struct net_ops *to, const struct synth_net *net, const struct net_layer *l)
{
    const uint64_t rows = (uint64_t)net->batch * l->tokens;
    put(to, &(struct net_op){.kind = NET_OP_PRODUCT,
                             .m = rows,
                             .n = l->out,
                             .k = l->in,
                             .bias = l->bias,
                             .tied = l->tied});
    after(to, net, l, l->out, l->tokens);
}

static void layer(struct net_ops *to, const struct synth_net *net, const struct net_layer *l)
{
    const uint64_t out = l->in * places(l, l->stride) * net->batch;
    switch (l->kind) {
    case NET_EMBEDDING:
        embedding(to, net, l);
        break;
    case NET_TRANSFORMER:
        transformer(to, net, l);
        break;
    case NET_CONV:
        conv(to, net, l);
        break;
    case NET_LINEAR:
        linear(to, net, l);
        break;
    case NET_POOL:
        point(to, NET_POOL_KERNEL, out, 1.0 + l->stride, 1.0 + l->stride);
        break;
    case NET_LOSS:
    case NET_LAYER_KINDS:
        put(to, &(struct net_op){
                    .kind = NET_OP_LOSS, .m = (uint64_t)net->batch * l->tokens, .n = l->rows});
    }
}

/* What is not said of them is 1. */
static struct net_layer whole(const struct net_layer *l)
{
    struct net_layer w = *l;
    uint32_t *const ones[] = {&w.count, &w.tokens, &w.kernel, &w.stride};
    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++)
        *ones[i] += !*ones[i];
    return w;
}

void net_ops_of(struct net_ops *to, const struct synth_net *net)
{
    uint32_t group = 0;
    *to = (struct net_ops){0};
    for (uint32_t i = 0; i < net->layers; i++) {
        const struct net_layer w = whole(&net->layer[i]), *l = &w;
        for (uint32_t c = 0; c < l->count && !to->failed; c++) {
            const uint64_t from = to->n;
            layer(to, net, l);
            group++;
            for (uint64_t k = from; k < to->n && l->kind == NET_TRANSFORMER; k++)
                to->at[k].group = group;
        }
    }
    if (to->n)
        to->at[0].leaf = true;
}
