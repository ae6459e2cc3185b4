/* synth_net_kernels.c - kernels: their blocks, their bytes, how long they take. */
#include <stdlib.h>

#include "traces/synth_net_ops.h"

#define POINT_BLOCK   128 /* threads of an elementwise kernel, each with 4 numbers */
#define POINT_NUMBERS 512
#define POINT_REGS    32 /* assumed, as are those of all but products */
#define FLIGHT_THREAD 16 /* bytes that a thread asks for at once: a vector of 4 numbers */
#define FLIGHT_NEEDED                                                                              \
    8 /* by half of the threads that fit: as te42kyfo/gpu-benches' scale kernel                    \
       */
#define NS_MOST       1e13
#define SLICE_LEAST   128
#define DROPOUT_BLOCK 256
#define DROPOUT_PER_SM                                                                             \
    8                 /* blocks: more than fit are never launched, each goes on to the next part */
#define SUM_ROWS    4 /* of a block that adds slices */
#define SUM_COLUMNS 128

uint64_t net_ceil(uint64_t a, uint64_t b)
{
    return a / b + (a % b > 0);
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static struct synth_kernel *next(struct net_out *o)
{
    if (o->n == o->cap) {
        const uint64_t cap = o->cap ? 2 * o->cap : 1024;
        struct synth_kernel *at =
            cap > SYNTH_OPS_KERNELS * UINT64_C(2) ? NULL : realloc(o->at, cap * sizeof *at);
        if (!at) {
            o->failed = true;
            return NULL;
        }
        o->at = at;
        o->cap = cap;
    }
    return &o->at[o->n++];
}

/* Bytes that are asked for at once, over those that keep the memory busy. */
static double reach(const struct synth_net *net, const struct net_shape *k)
{
    const double needed = (double)net->sms * net->threads_per_sm / 2 * FLIGHT_NEEDED;
    const double each = k->flight ? k->flight : k->block * FLIGHT_THREAD;
    return least(1, (double)k->grid * each / needed);
}

static uint32_t some(uint64_t n)
{
    return n < UINT32_MAX / 2 ? (uint32_t)n : UINT32_MAX / 2;
}

/* A block that computes keeps its SM busy alone, however many fit: so many SMs it can fill. */
void net_kernel(struct net_out *o, const struct net_shape *k)
{
    const struct synth_net *net = o->net;
    const double memory_ns = k->bytes / (net->bandwidth_gbs * net->efficiency * reach(net, k));
    double ns = k->compute_ns > memory_ns ? k->compute_ns : memory_ns;
    o->failed |= ns > NS_MOST;
    struct synth_kernel *to = o->failed ? NULL : next(o);
    if (!to)
        return;
    if (ns < net->least_us * 1e3)
        ns = net->least_us * 1e3;
    const bool computes = k->compute_ns > memory_ns;
    *to = (struct synth_kernel){.ns = (uint64_t)(ns + 0.5),
                                .sms = computes ? some(k->grid) : 0,
                                .cls = k->name,
                                .bound = computes ? TRACE_OP_BOUND_COMPUTE : TRACE_OP_BOUND_MEMORY,
                                .bytes = (uint64_t)(k->bytes + 0.5),
                                .grid = k->grid,
                                .block = k->block,
                                .registers = k->registers,
                                .smem = k->smem};
    o->sum.flops += k->flops;
    o->sum.bytes += k->bytes;
    o->sum.ns += (double)to->ns;
    o->sum.kernels++;
    o->sum.of[k->name]++;
}

/* What the busiest SM has to do. */
static double product_ns(const struct synth_net *net, uint64_t blocks, uint64_t depth)
{
    const struct net_gemm *g = &net->gemm;
    const double whole = (double)(net_ceil(depth, g->k) * g->k);
    const double each = 2.0 * g->m * g->n * whole;
    return (double)net_ceil(blocks, net->sms) * each * net->sms /
           (net->tflops * 1e3 * g->efficiency);
}

static void tiles(struct net_out *o, enum net_name name, uint64_t batch, uint64_t m, uint64_t n,
                  uint64_t k, uint64_t slices)
{
    const struct net_gemm *g = &o->net->gemm;
    const double numbers =
        (double)m * (double)k + (double)k * (double)n + (double)m * (double)n * (double)slices;
    const uint64_t blocks = batch * slices * net_ceil(m, g->m) * net_ceil(n, g->n);
    net_kernel(o,
               &(struct net_shape){.name = name,
                                   .grid = blocks,
                                   .block = g->block,
                                   .registers = g->registers,
                                   .smem = g->stages * (g->m + g->n) * g->k * o->net->element,
                                   .flight = (g->stages > 1 ? g->stages - 1 : 1) * (g->m + g->n) *
                                             g->k * o->net->element,
                                   .bytes = (double)batch * numbers * o->net->element,
                                   .flops = 2.0 * (double)batch * (double)m * (double)n * (double)k,
                                   .compute_ns = product_ns(o->net, blocks, net_ceil(k, slices))});
}

void net_batched(struct net_out *o, uint64_t batch, uint64_t m, uint64_t n, uint64_t k)
{
    tiles(o, NET_BMM_KERNEL, batch, m, n, k, 1);
}

/* Slices of the inner dimension: by the rule said, or as many as fill the SMs. */
static uint64_t slices_of(const struct synth_net *net, uint64_t m, uint64_t n, uint64_t k)
{
    const struct net_gemm *g = &net->gemm;
    const uint64_t blocks = net_ceil(m, g->m) * net_ceil(n, g->n);
    if (g->split_k)
        return blocks < g->split_below && k >= g->split_k ? net_ceil(k, g->split_k) : 1;
    const uint64_t fill = blocks < net->sms ? net->sms / blocks : 1;
    const uint64_t most = net_ceil(k, SLICE_LEAST);
    return fill < most ? fill : most;
}

void net_product(struct net_out *o, uint64_t m, uint64_t n, uint64_t k)
{
    const uint64_t slices = slices_of(o->net, m, n, k);
    tiles(o, NET_GEMM_KERNEL, 1, m, n, k, slices);
    if (slices == 1)
        return;
    net_kernel(o, &(struct net_shape){.name = NET_SPLIT_SUM_KERNEL,
                                      .grid = net_ceil(m, SUM_ROWS) * net_ceil(n, SUM_COLUMNS),
                                      .block = POINT_BLOCK,
                                      .registers = POINT_REGS,
                                      .bytes = (double)m * (double)n * (double)(slices + 1) *
                                               o->net->element});
}

void net_point(struct net_out *o, enum net_name name, uint64_t elements, double passes)
{
    const bool looping = name == NET_DROPOUT_KERNEL;
    const uint64_t most = (uint64_t)o->net->sms * DROPOUT_PER_SM;
    uint64_t grid = net_ceil(elements, looping ? 4 * DROPOUT_BLOCK : POINT_NUMBERS);
    if (looping && grid > most)
        grid = most;
    if (passes <= 0)
        return;
    net_kernel(o, &(struct net_shape){.name = name,
                                      .grid = grid,
                                      .block = looping ? DROPOUT_BLOCK : POINT_BLOCK,
                                      .registers = POINT_REGS,
                                      .bytes = (double)elements * passes * o->net->element});
}

void net_rows(struct net_out *o, enum net_name name, uint64_t rows, uint32_t threads,
              double elements)
{
    net_kernel(o, &(struct net_shape){.name = name,
                                      .grid = rows,
                                      .block = threads,
                                      .registers = POINT_REGS,
                                      .bytes = elements * o->net->element});
}
