/* synth_net_params.c - the section "network". */
#include <stdio.h>

#include "traces/synth_net.h"
#include "traces/synth_ops.h"

#define DIM      SYNTH_NET_DIM
#define CHANNELS (1 << 18)
#define PLACES   (1 << 13)

static const char *const kinds[] = {"embedding", "transformer", "conv", "linear",
                                    "pool",      "loss",        NULL};
static const char *const optimizers[] = {"none", "sgd", "adam", "adamw", "adamw-loop", NULL};

struct layer_text {
    struct net_layer l;
    const struct config *kind;
};

#define L(key, lo, hi)                                                                             \
    {                                                                                              \
#key, CONFIG_T_U32, offsetof(struct layer_text, l.key), lo, hi, false                      \
    }
#define LB(key)                                                                                    \
    {                                                                                              \
#key, CONFIG_T_BOOL, offsetof(struct layer_text, l.key), 0, 0, false                       \
    }
static const struct config_field layer_fields[] = {
    CONFIG_ANY(struct layer_text, kind, true),
    L(count, 1, 10000),
    L(rows, 1, DIM),
    L(positions, 0, DIM),
    L(tokens, 1, 65536),
    L(context, 0, 65536),
    L(width, 1, 65536),
    L(heads, 1, 1024),
    L(ffn, 1, DIM),
    L(in, 1, CHANNELS),
    L(out, 1, CHANNELS),
    L(size, 1, PLACES),
    L(length, 1, 65536),
    L(kernel, 1, 256),
    L(stride, 1, 65536),
    L(passes, 0, 16),
    LB(fused_qkv),
    LB(eager),
    LB(bias),
    LB(norm),
    LB(relu),
    LB(residual),
    LB(tied),
    LB(dropout),
    LB(dropout_att),
    CONFIG_END,
};

/* What a kind of layer cannot do without. */
static int check_layer(const struct config *at, const struct net_layer *l, struct err *e)
{
    static const struct need {
        enum net_layer_kind kind;
        const char *want;
    } needs[] = {{NET_EMBEDDING, "an embedding of rows, width, tokens"},
                 {NET_TRANSFORMER, "a transformer of tokens, width, heads (that divide it), ffn"},
                 {NET_CONV, "a conv of in, out and one of size and length"},
                 {NET_LINEAR, "a linear of in, out"},
                 {NET_POOL, "a pool of in and one of size and length"},
                 {NET_LOSS, "a loss of rows"}};
    const bool place = !l->size != !l->length;
    const bool is[] = {
        l->rows && l->width,      l->width && l->heads && l->ffn && !(l->width % l->heads),
        l->in && l->out && place, l->in && l->out,
        l->in && place,           l->rows > 0};
    return is[l->kind] ? 0 : config_complain(at, e, "%s", needs[l->kind].want);
}

static int read_layer(const struct config *at, struct net_layer *out, struct err *e)
{
    struct layer_text t = {0};
    int kind = 0, rc = config_fill(at, layer_fields, &t, e);
    if (rc || (rc = config_choice(t.kind, kinds, &kind, e)))
        return rc;
    t.l.kind = (enum net_layer_kind)kind;
    *out = t.l;
    return check_layer(at, out, e);
}

static int read_layers(const struct config *c, struct synth_net *net, struct err *e)
{
    if (config_kind(c) != CONFIG_ARRAY || config_count(c) < 1 || config_count(c) > SYNTH_NET_LAYERS)
        return config_complain(c, e, "a list of 1..%d layers", SYNTH_NET_LAYERS);
    net->layers = (uint32_t)config_count(c);
    for (size_t i = 0; i < net->layers; i++) {
        int rc = read_layer(config_at(c, i), &net->layer[i], e);
        if (rc)
            return rc;
    }
    return 0;
}

struct net_text {
    struct synth_net n;
    const struct config *layers, *gemm, *optimizer;
};

static const struct config_field gemm_fields[] = {
    CONFIG_U32(struct net_gemm, m, 8, 1024, false),
    CONFIG_U32(struct net_gemm, n, 8, 1024, false),
    CONFIG_U32(struct net_gemm, k, 1, 1024, false),
    CONFIG_U32(struct net_gemm, block, 32, 1024, false),
    CONFIG_U32(struct net_gemm, registers, 16, 255, false),
    CONFIG_U32(struct net_gemm, stages, 1, 16, false),
    CONFIG_U32(struct net_gemm, split_below, 0, DIM, false),
    CONFIG_U32(struct net_gemm, split_k, 0, DIM, false),
    CONFIG_BOOL(struct net_gemm, bias_kernel, false),
    CONFIG_F64(struct net_gemm, efficiency, 0.01, 1, false),
    CONFIG_END,
};

#define N(type, key, lo, hi)                                                                       \
    {                                                                                              \
#key, CONFIG_T_##type, offsetof(struct net_text, n.key), lo, hi, false                     \
    }
static const struct config_field net_fields[] = {
    CONFIG_ANY(struct net_text, layers, true),
    CONFIG_ANY(struct net_text, gemm, false),
    CONFIG_ANY(struct net_text, optimizer, false),
    N(U32, sms, 1, 4096),
    N(U32, threads_per_sm, 32, 4096),
    N(F64, tflops, 1e-3, 1e6),
    N(F64, bandwidth_gbs, 1e-3, 1e6),
    N(F64, efficiency, 0.01, 1),
    N(F64, least_us, 1e-3, 1e6),
    N(U32, batch, 1, 65536),
    N(U32, element, 1, 8),
    N(BOOL, train, 0, 0),
    N(BOOL, checkpoint, 0, 0),
    N(BOOL, cudnn, 0, 0),
    N(BOOL, clip, 0, 0),
    CONFIG_END,
};

/* FP32 on an A100 40 GB, as machines/parts/gpu-a100.json and machines/a100-40gb.json have it, and a
 * tile of 128 x 128. */
static struct synth_net defaults(void)
{
    return (struct synth_net){.sms = 108,
                              .threads_per_sm = 2048,
                              .tflops = 19.5,
                              .bandwidth_gbs = 1555,
                              .efficiency = 0.8,
                              .least_us = 2,
                              .batch = 1,
                              .element = 4,
                              .train = true,
                              .cudnn = true,
                              .gemm = {.m = 128,
                                       .n = 128,
                                       .k = 8,
                                       .block = 256,
                                       .registers = 128,
                                       .stages = 2,
                                       .efficiency = 0.9}};
}

int synth_net_read(const struct config *section, struct synth_net *net, struct err *e)
{
    struct net_text t = {.n = defaults()};
    int optimizer = NET_NONE, rc = config_fill(section, net_fields, &t, e);
    if (rc || (rc = read_layers(t.layers, &t.n, e)) ||
        (rc = t.gemm ? config_fill(t.gemm, gemm_fields, &t.n.gemm, e) : 0) ||
        (rc = t.optimizer ? config_choice(t.optimizer, optimizers, &optimizer, e) : 0))
        return rc;
    struct err more = {0};
    t.n.optimizer = (enum net_optimizer)optimizer;
    *net = t.n;
    if (synth_net_size(net, &more) || net->kernels < 1 || net->kernels > SYNTH_OPS_KERNELS)
        return config_complain(section, e, "a step of 1..%d kernels", SYNTH_OPS_KERNELS);
    return 0;
}

static void put_layer(FILE *f, const struct net_layer *l)
{
    const uint32_t numbers[] = {l->kind,      l->count, l->rows,   l->positions, l->tokens,
                                l->context,   l->width, l->heads,  l->ffn,       l->in,
                                l->out,       l->size,  l->length, l->kernel,    l->stride,
                                l->fused_qkv, l->eager, l->bias,   l->norm,      l->relu,
                                l->residual,  l->tied,  l->passes, l->dropout,   l->dropout_att};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        fprintf(f, "%s%u", i ? "," : "[", numbers[i]);
    fputc(']', f);
}

void synth_net_json(FILE *f, const struct synth_net *net)
{
    const struct net_gemm *g = &net->gemm;
    const double numbers[] = {net->sms,
                              net->threads_per_sm,
                              net->tflops,
                              net->bandwidth_gbs,
                              net->efficiency,
                              net->least_us,
                              net->batch,
                              net->element,
                              net->train,
                              net->checkpoint,
                              net->cudnn,
                              net->clip,
                              net->optimizer,
                              g->m,
                              g->n,
                              g->k,
                              g->block,
                              g->registers,
                              g->stages,
                              g->split_below,
                              g->split_k,
                              g->bias_kernel,
                              g->efficiency};
    fputs("{\"numbers\":[", f);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        fprintf(f, "%s%.17g", i ? "," : "", numbers[i]);
    fputs("],\"layers\":[", f);
    for (uint32_t i = 0; i < net->layers; i++) {
        fputs(i ? "," : "", f);
        put_layer(f, &net->layer[i]);
    }
    fputs("]}", f);
}
