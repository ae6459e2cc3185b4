/* synth_net.c - a step: forward, backward, optimizer. */
#include "traces/synth_net.h"

#include <stdlib.h>

#include "traces/synth_net_ops.h"

/* Of PyTorch's kernels over lists of tensors: numbers of a block, blocks of a launch. */
#define CHUNK        65536
#define CHUNKS       320
#define CHUNK_BLOCK  512
#define CHUNK_REGS   32
#define TENSORS_OF_1 2 /* of an operation: weights, biases */

const char *synth_net_name(enum net_name n)
{
    static const char *const names[] = {
#define X(id, text) text,
        NET_NAMES_MAP(X)
#undef X
    };
    return names[n];
}

/* ---- weights ---------------------------------------------------------------------- */

/* The tensors of weights that an operation has: their numbers; how many there are. */
static int weights(const struct net_op *op, uint64_t *size)
{
    size[1] = op->bias ? op->n : 0;
    switch (op->kind) {
    case NET_OP_PRODUCT:
        size[0] = op->tied ? 0 : op->n * op->k;
        break;
    case NET_OP_CONV:
        size[0] = op->n * op->k * op->window;
        break;
    case NET_OP_LOOKUP:
        size[0] = op->n * op->k;
        break;
    case NET_OP_NORM:
        size[0] = size[1] = op->n;
        break;
    case NET_OP_BATCHNORM:
        size[0] = size[1] = op->m;
        break;
    case NET_OP_BATCHED:
    case NET_OP_ATTENTION:
    case NET_OP_POINT:
    case NET_OP_SOFTMAX:
    case NET_OP_LOSS:
        size[0] = size[1] = 0;
    }
    return TENSORS_OF_1;
}

struct weights {
    uint64_t numbers, chunks;
};

static struct weights all_weights(const struct net_ops *ops)
{
    struct weights w = {0};
    uint64_t size[TENSORS_OF_1];
    for (uint64_t i = 0; i < ops->n; i++)
        for (int t = weights(&ops->at[i], size); t-- > 0;) {
            w.numbers += size[t];
            w.chunks += net_ceil(size[t], CHUNK);
        }
    return w;
}

/* ---- optimizers ------------------------------------------------------------------- */

/* One operation on all tensors, CHUNKS of their chunks a launch. */
static void over_all(struct net_out *o, const struct weights *w, double passes)
{
    for (uint64_t done = 0; done < w->chunks && !o->failed; done += CHUNKS) {
        const uint64_t rest = w->chunks - done, blocks = rest < CHUNKS ? rest : CHUNKS;
        const double share = (double)blocks / (double)w->chunks;
        net_kernel(
            o, &(struct net_shape){.name = NET_OPTIMIZER_KERNEL,
                                   .grid = blocks,
                                   .block = CHUNK_BLOCK,
                                   .registers = CHUNK_REGS,
                                   .bytes = share * (double)w->numbers * passes * o->net->element});
    }
}

/* Tensor by tensor: an operation is a kernel. */
static void one_by_one(struct net_out *o, const struct net_ops *ops, const double *passes, int n)
{
    uint64_t size[TENSORS_OF_1];
    for (uint64_t i = 0; i < ops->n; i++)
        for (int t = 0, tensors = weights(&ops->at[i], size); t < tensors; t++)
            for (int k = 0; k < n && size[t]; k++)
                net_point(o, NET_OPTIMIZER_KERNEL, size[t], passes[k]);
}

/* Tensors that each operation of an optimizer reads or writes: decay; the two means (lerp; mul,
 * addcmul); root, its correction and its epsilon; the step. */
static const double adam[] = {2, 3, 2, 4, 2, 2, 2, 4};
static const double adam_loop[] = {2, 3, 2, 4, 2, 2, 4};
#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

static void step(struct net_out *o, const struct net_ops *ops, const struct weights *w)
{
    const enum net_optimizer kind = o->net->optimizer;
    if (kind == NET_SGD)
        over_all(o, w, 3);
    if (kind == NET_ADAMW_LOOP)
        one_by_one(o, ops, adam_loop, COUNT(adam_loop));
    for (int i = kind == NET_ADAM; (kind == NET_ADAM || kind == NET_ADAMW) && i < COUNT(adam); i++)
        over_all(o, w, adam[i]);
}

void net_optimize(struct net_out *o, const struct net_ops *ops)
{
    const struct weights w = all_weights(ops);
    if (o->net->clip) {
        over_all(o, &w, 1);
        over_all(o, &w, 2);
    }
    step(o, ops, &w);
}

/* ---- the step --------------------------------------------------------------------- */

/* Operations [*from, to) of one group; 0: the one before `to` alone. */
static uint64_t group_from(const struct net_ops *ops, uint64_t to)
{
    const uint32_t group = ops->at[to - 1].group;
    uint64_t from = to - 1;
    while (group && from && ops->at[from - 1].group == group)
        from--;
    return from;
}

static void backward(struct net_out *o, const struct net_ops *ops)
{
    for (uint64_t to = ops->n, from; to && !o->failed; to = from) {
        from = group_from(ops, to);
        for (uint64_t i = from; i < to && o->net->checkpoint && ops->at[from].group; i++)
            net_forward(o, &ops->at[i]);
        for (uint64_t i = to; i-- > from;)
            net_backward(o, &ops->at[i]);
    }
}

static void run(struct net_out *o, const struct net_ops *ops)
{
    for (uint64_t i = 0; i < ops->n && !o->failed; i++)
        net_forward(o, &ops->at[i]);
    if (!o->net->train)
        return;
    backward(o, ops);
    net_optimize(o, ops);
}

int synth_net_step(struct synth_kernel **out, uint64_t *n, struct net_sum *sum,
                   const struct synth_net *net, struct err *e)
{
    struct net_out o = {.net = net};
    struct net_ops ops;
    net_ops_of(&ops, net);
    if (!ops.failed)
        run(&o, &ops);
    o.sum.parameters = all_weights(&ops).numbers;
    const bool failed = ops.failed || o.failed;
    free(ops.at);
    if (sum)
        *sum = o.sum;
    if (n)
        *n = o.n;
    if (out && !failed)
        *out = o.at;
    else
        free(o.at);
    return failed ? err_set(e, ERR_ENOMEM, "network: out of memory, or of kernels") : 0;
}

int synth_net_size(struct synth_net *net, struct err *e)
{
    struct net_sum sum;
    const int rc = synth_net_step(NULL, NULL, &sum, net, e);
    net->kernels = (uint32_t)sum.kernels;
    net->busy_us = sum.ns * 1e-3;
    return rc;
}
