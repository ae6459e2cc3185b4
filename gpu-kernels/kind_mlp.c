/* kind_mlp.c - the perceptrons of mlp.cu, for every backend. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cpu.h"
#include "gpu-kernels/grid.h"
#include "gpu-kernels/kind.h"

/* ---- what is a valid one -------------------------------------------------- */

struct infer_layer infer_layer(const struct infer_mlp *m, uint32_t i)
{
    return i ? m->deep[i - 1]
             : (struct infer_layer){m->n_hidden, m->w1, m->b1, m->q1, m->c1, m->hidden_scale};
}

/* What several layers, or a sigmoid, ask for beyond check_shape. */
static int check_deep(const struct infer_mlp *m, char *why, size_t n)
{
    if (m->n_deep > INFER_DEEP_MAX)
        return infer_fail(why, n, "n_deep is %u, want 0..%d", m->n_deep, INFER_DEEP_MAX);
    if (m->type == INFER_S8 && (m->sigmoid || m->sigmoid_out))
        return infer_fail(why, n, "an int8 network has a sigmoid, want ReLU and linear outputs");
    for (uint32_t i = 0; i <= m->n_deep; i++)
        if (infer_layer(m, i).width - 1 >= MLP_DEEP_WIDTH_MAX)
            return infer_fail(why, n, "hidden layer %u is %u wide, want 1..%d", i + 1,
                              infer_layer(m, i).width, MLP_DEEP_WIDTH_MAX);
    return 0;
}

static int check_shape(const struct infer_mlp *m, char *why, size_t n)
{
    const struct {
        const char *name;
        uint32_t is, max;
    } dims[] = {{"n_in", m->n_in, MLP_IN_MAX},
                {"n_hidden", m->n_hidden, MLP_HIDDEN_MAX},
                {"n_out", m->n_out, MLP_OUT_MAX}};
    for (int i = 0; i < 3; i++)
        if (dims[i].is < 1 || dims[i].is > dims[i].max)
            return infer_fail(why, n, "%s is %u, want 1..%u", dims[i].name, dims[i].is,
                              dims[i].max);
    return m->n_deep || m->sigmoid || m->sigmoid_out ? check_deep(m, why, n) : 0;
}

/* Sums stay below 2^24 in the first layer, so that float(sum) is exact, and
 * below 2^31 in the second. */
enum { C1_MAX = 1 << 23, C2_MAX = 1 << 30 };

static int check_biases(const char *name, const int32_t *c, uint32_t count, int32_t max, char *why,
                        size_t n)
{
    for (uint32_t i = 0; i < count; i++)
        if (c[i] > max || c[i] < -max)
            return infer_fail(why, n, "%s[%u] is %d, want at most %d in magnitude", name, i, c[i],
                              max);
    return 0;
}

static int check_scale(const char *name, float scale, char *why, size_t n)
{
    if (!isnormal(scale) || scale < 0 || !isfinite(1.0f / scale))
        return infer_fail(why, n, "%s is %g, want a positive number", name, (double)scale);
    return 0;
}

static int check_deep_s8(const struct infer_layer *l, uint32_t i, char *why, size_t n)
{
    char c[24], scale[24];
    snprintf(c, sizeof c, "c of hidden layer %u", i);
    snprintf(scale, sizeof scale, "scale of layer %u", i);
    if (!l->q || !l->c)
        return infer_fail(why, n, "hidden layer %u of an int8 network lacks q or c", i);
    if (check_scale(scale, l->scale, why, n))
        return -1;
    return check_biases(c, l->c, l->width, C1_MAX, why, n);
}

static int check_s8(const struct infer_mlp *m, char *why, size_t n)
{
    if (check_scale("in_scale", m->in_scale, why, n) ||
        check_scale("hidden_scale", m->hidden_scale, why, n) ||
        check_scale("out_scale", m->out_scale, why, n))
        return -1;
    if (!m->q1 || !m->q2 || !m->c1 || !m->c2)
        return infer_fail(why, n, "an int8 network lacks q1, q2, c1 or c2");
    if (check_biases("c1", m->c1, m->n_hidden, C1_MAX, why, n))
        return -1;
    for (uint32_t i = 0; i < m->n_deep; i++)
        if (check_deep_s8(&m->deep[i], i + 2, why, n))
            return -1;
    return check_biases("c2", m->c2, m->n_out, C2_MAX, why, n);
}

static int check_f32(const struct infer_mlp *m, char *why, size_t n)
{
    if (!m->w1 || !m->b1 || !m->w2 || !m->b2)
        return infer_fail(why, n, "a float network lacks w1, b1, w2 or b2");
    for (uint32_t i = 0; i < m->n_deep; i++)
        if (!m->deep[i].w || !m->deep[i].b)
            return infer_fail(why, n, "hidden layer %u of a float network lacks w or b", i + 2);
    return 0;
}

static int check(const struct infer_net *net, char *why, size_t n)
{
    const struct infer_mlp *m = net->mlp;
    return check_shape(m, why, n) || (m->type == INFER_S8 ? check_s8 : check_f32)(m, why, n) ? -1
                                                                                             : 0;
}

static void shape(const struct infer_net *net, uint32_t *n_in, uint32_t *n_out)
{
    *n_in = net->mlp->n_in;
    *n_out = net->mlp->n_out;
}

static uint64_t flops(const struct infer_net *net)
{
    const struct infer_mlp *m = net->mlp;
    uint64_t sum = 0, before = m->n_in;
    for (uint32_t i = 0; i <= m->n_deep; i++) {
        struct infer_layer l = infer_layer(m, i);
        sum += 2 * before * l.width;
        before = l.width;
    }
    return sum + 2 * before * m->n_out;
}

/* ---- the kernels ------------------------------------------------------------ */

enum { W1, W2, BIAS1, BIAS2, LAYERS, BLOBS };

static bool pack(struct kind_pack *k, const struct infer_net *net)
{
    struct pack *p = malloc(sizeof *p);
    if (!p || !pack_make(p, net->mlp, net->mlp->type == INFER_F32 ? PACK_F32 : PACK_MMA)) {
        free(p);
        return false;
    }
    const bool f32 = p->layout == PACK_F32; /* biases are 4 bytes either way */
    *k = (struct kind_pack){
        .own = p,
        .blob = {[W1] = {p->w1, p->w1_size},
                 [W2] = {p->w2, p->w2_size},
                 [BIAS1] = {f32 ? (void *)p->b1 : p->c1, p->bias1_size},
                 [BIAS2] = {f32 ? (void *)p->b2 : p->c2, MLP_OUT_MAX * sizeof(float)},
                 [LAYERS] = {p->table, sizeof p->table}},
        .n_blobs = BLOBS,
        .n_in = p->n_in,
        .n_out = p->n_out,
        .row_size = grid_row_size(p)};
    return true;
}

static void unpack(struct kind_pack *k)
{
    pack_free(k->own);
    free(k->own);
}

static void stage(const struct kind_pack *k, void *to, const float *x, uint32_t rows)
{
    grid_stage(k->own, to, x, rows);
}

static struct grid_places places(const struct kind_places *at)
{
    return (struct grid_places){.x = at->x,
                                .w1 = at->blob[W1],
                                .w2 = at->blob[W2],
                                .bias1 = at->blob[BIAS1],
                                .bias2 = at->blob[BIAS2],
                                .y = at->y,
                                .layers = at->blob[LAYERS]};
}

static void put(struct kind_launch *launch, const struct grid *g)
{
    _Static_assert(sizeof g->args <= KIND_ARGS, "arguments of a kernel");
    *launch = (struct kind_launch){.kernel = g->kernel, .blocks = g->blocks, .threads = g->threads};
    memcpy(launch->args, &g->args, g->args_size);
}

static uint32_t plan(const struct kind_pack *k, const struct kind_places *at, uint32_t rows,
                     uint32_t blocks, struct kind_launch launch[KIND_LAUNCHES])
{
    const struct grid_places here = places(at);
    struct grid g;
    grid_plan(&g, k->own, &here, rows, blocks);
    put(&launch[0], &g);
    return 1;
}

static uint32_t mail(const struct kind_pack *k, const struct kind_places *at,
                     const struct mail_args *args, struct kind_launch *launch)
{
    const struct grid_places here = places(at);
    struct grid g;
    const uint32_t rows = grid_plan_mail(&g, k->own, &here, args);
    if (rows)
        put(launch, &g);
    return rows;
}

/* ---- the twin ----------------------------------------------------------------- */

static void *twin_make(const struct infer_net *net, uint32_t level)
{
    struct cpu_model *made = malloc(sizeof *made);
    if (made && !cpu_model_make(made, &cpu_twins[level], net->mlp)) {
        free(made);
        made = NULL;
    }
    return made;
}

static bool twin_run(void *twin, uint32_t rows, const float *x, float *y)
{
    const struct cpu_model *m = twin;
    m->forward(&m->pack, rows, x, y);
    return true;
}

static void twin_free(void *twin)
{
    pack_free(&((struct cpu_model *)twin)->pack);
    free(twin);
}

kind_kernel emu_mlp_f32, emu_mlp_s8, emu_mlp_deep_f32, emu_mlp_deep_s8, emu_mlp_f32_mail,
    emu_mlp_s8_mail; /* mlp.cu, as C */
static kind_kernel *const emu[GRID_KERNELS] = {emu_mlp_f32,     emu_mlp_s8,       emu_mlp_deep_f32,
                                               emu_mlp_deep_s8, emu_mlp_f32_mail, emu_mlp_s8_mail};

const struct kind kind_mlp = {.name = "mlp",
                              .kernels = grid_kernels,
                              .emu = emu,
                              .n_kernels = GRID_KERNELS,
                              .check = check,
                              .shape = shape,
                              .flops = flops,
                              .pack = pack,
                              .unpack = unpack,
                              .stage = stage,
                              .plan = plan,
                              .mail = mail,
                              .twin_make = twin_make,
                              .twin_run = twin_run,
                              .twin_free = twin_free};
