/* kind_forest.c - the trees of forest.cu, for every backend. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cpu.h"
#include "gpu-kernels/forest_pack.h"
#include "gpu-kernels/kind.h"

/* ---- what is a valid one -------------------------------------------------- */

static int check_shape(const struct infer_forest *f, char *why, size_t n)
{
    const struct {
        const char *name;
        uint32_t is, max;
    } dims[] = {{"n_in", f->n_in, FOREST_IN_MAX},
                {"n_out", f->n_out, FOREST_OUT_MAX},
                {"n_trees", f->n_trees, FOREST_TREES_MAX}};
    for (int i = 0; i < 3; i++)
        if (dims[i].is < 1 || dims[i].is > dims[i].max)
            return infer_fail(why, n, "%s is %u, want 1..%u", dims[i].name, dims[i].is,
                              dims[i].max);
    if ((unsigned)f->transform >= FOREST_TRANSFORMS)
        return infer_fail(why, n, "there is no transform number %d", (int)f->transform);
    if (!isfinite(f->base))
        return infer_fail(why, n, "base is %g, want a finite number", (double)f->base);
    if (!f->sizes || !f->features || !f->values || !f->default_left)
        return infer_fail(why, n, "a forest lacks sizes, features, values or default_left");
    return 0;
}

static int check_node(const struct infer_forest *f, uint32_t t, uint32_t i, size_t at, char *why,
                      size_t n)
{
    const int32_t feature = f->features[at];
    if (feature >= (int32_t)f->n_in || feature < -1)
        return infer_fail(why, n, "node %u of tree %u asks for feature %d, want -1..%u", i, t,
                          feature, f->n_in - 1);
    if (feature < 0 ? !isfinite(f->values[at]) : isnan(f->values[at]))
        return infer_fail(why, n, "node %u of tree %u has the value %g, want a number", i, t,
                          (double)f->values[at]);
    return 0;
}

/* That a tree has as many nodes as its splits have children, none too deep. */
static int check_tree(const struct infer_forest *f, uint32_t t, size_t first, char *why, size_t n)
{
    uint8_t depth[FOREST_NODES_MAX + 2] = {0};
    const uint32_t size = f->sizes[t];
    uint32_t child = 1;
    if (size < 1 || size > FOREST_NODES_MAX)
        return infer_fail(why, n, "tree %u has %u nodes, want 1..%u", t, size, FOREST_NODES_MAX);
    for (uint32_t i = 0; i < size; i++) {
        if (check_node(f, t, i, first + i, why, n))
            return -1;
        if (f->features[first + i] < 0)
            continue;
        if (depth[i] == FOREST_DEPTH_MAX)
            return infer_fail(why, n, "tree %u is deeper than %d splits", t, FOREST_DEPTH_MAX);
        if (child + 1 >= size)
            return infer_fail(why, n, "node %u of tree %u has no children", i, t);
        depth[child] = depth[child + 1] = (uint8_t)(depth[i] + 1);
        child += 2;
    }
    if (child != size)
        return infer_fail(why, n, "node %u of tree %u has no parent", child, t);
    return 0;
}

static int check(const struct infer_net *net, char *why, size_t n)
{
    const struct infer_forest *f = net->forest;
    size_t first = 0;
    if (check_shape(f, why, n))
        return -1;
    for (uint32_t t = 0; t < f->n_trees; first += f->sizes[t++])
        if (check_tree(f, t, first, why, n))
            return -1;
    return 0;
}

static void shape(const struct infer_net *net, uint32_t *n_in, uint32_t *n_out)
{
    *n_in = net->forest->n_in;
    *n_out = net->forest->n_out;
}

/* A comparison, a test for NaN, a choice and an addition at every split on the longest
 * path, and the addition of its leaf. */
static uint64_t flops(const struct infer_net *net)
{
    const struct infer_forest *f = net->forest;
    uint64_t sum = 0;
    size_t first = 0;
    for (uint32_t t = 0; t < f->n_trees; first += f->sizes[t++]) {
        uint8_t depth[FOREST_NODES_MAX] = {0};
        uint32_t child = 1, deepest = 0;
        for (uint32_t i = 0; i < f->sizes[t]; i++)
            if (f->features[first + i] >= 0) {
                deepest = depth[child] = depth[child + 1] = (uint8_t)(depth[i] + 1);
                child += 2;
            }
        sum += 4 * deepest + 1;
    }
    return sum;
}

/* ---- the kernel ------------------------------------------------------------- */

enum { NODES, ROOTS, BLOBS };

static bool pack(struct kind_pack *k, const struct infer_net *net)
{
    struct forest_pack *p = malloc(sizeof *p);
    if (!p || !forest_pack_make(p, net->forest, 32)) {
        free(p);
        return false;
    }
    *k = (struct kind_pack){
        .own = p,
        .blob = {[NODES] = {p->nodes, (p->n_nodes + 1) * sizeof *p->nodes},
                 [ROOTS] = {p->roots, (size_t)p->n_out * p->stride * sizeof *p->roots}},
        .n_blobs = BLOBS,
        .n_in = p->n_in,
        .n_out = p->n_out,
        .row_size = p->n_in * sizeof(float)};
    return true;
}

static void unpack(struct kind_pack *k)
{
    forest_pack_free(k->own);
    free(k->own);
}

static void stage(const struct kind_pack *k, void *to, const float *x, uint32_t rows)
{
    memcpy(to, x, rows * k->row_size);
}

static uint32_t plan(const struct kind_pack *k, const struct kind_places *at, uint32_t rows,
                     uint32_t blocks, struct kind_launch launch[KIND_LAUNCHES])
{
    const struct forest_pack *p = k->own;
    uint32_t share = 1;
    while (share < FOREST_WARPS && share * 32 < p->stride)
        share *= 2;
    const uint32_t slots = FOREST_WARPS / share, wanted = (rows + slots - 1) / slots;
    const struct forest_args args = {.x = at->x,
                                     .nodes = at->blob[NODES],
                                     .roots = at->blob[ROOTS],
                                     .y = at->y,
                                     .base = p->base,
                                     .rows = rows,
                                     .n_in = p->n_in,
                                     .n_out = p->n_out,
                                     .n_trees = p->n_trees,
                                     .stride = p->stride,
                                     .transform = p->transform,
                                     .share = share};
    _Static_assert(sizeof args <= KIND_ARGS, "arguments of the kernel");
    launch[0] = (struct kind_launch){.blocks = wanted < blocks ? wanted : blocks,
                                     .threads = FOREST_THREADS};
    memcpy(launch[0].args, &args, sizeof args);
    return 1;
}

/* ---- the twin ----------------------------------------------------------------- */

struct twin {
    struct forest_pack pack;
    forest_forward *forward;
};

static void *twin_make(const struct infer_net *net, uint32_t level)
{
    forest_forward *const by_level[] = {
        forest_scalar,
#if defined(__x86_64__)
        forest_avx2,
        forest_avx512,
        forest_avx512
#endif
    };
    struct twin *made = malloc(sizeof *made);
    if (made && !forest_pack_make(&made->pack, net->forest, 1)) {
        free(made);
        made = NULL;
    }
    if (made)
        made->forward = by_level[level];
    return made;
}

static bool twin_run(void *twin, uint32_t rows, const float *x, float *y)
{
    const struct twin *t = twin;
    t->forward(&t->pack, rows, x, y);
    return true;
}

static void twin_free(void *twin)
{
    forest_pack_free(&((struct twin *)twin)->pack);
    free(twin);
}

kind_kernel emu_forest; /* forest.cu, as C */
static kind_kernel *const emu[] = {emu_forest};
static const char *const kernels[] = {"forest"};

const struct kind kind_forest = {.name = "forest",
                                 .kernels = kernels,
                                 .emu = emu,
                                 .n_kernels = 1,
                                 .check = check,
                                 .shape = shape,
                                 .flops = flops,
                                 .pack = pack,
                                 .unpack = unpack,
                                 .stage = stage,
                                 .plan = plan,
                                 .twin_make = twin_make,
                                 .twin_run = twin_run,
                                 .twin_free = twin_free};
