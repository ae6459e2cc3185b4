#include "harness/learn/model_file_forest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/kind.h"

static const char *const transforms[FOREST_TRANSFORMS] = {"linear", "sigmoid", "exp"};

int model_forest_new(struct model_forest **out, uint32_t trees, size_t nodes, const char *path,
                     struct err *e)
{
    struct model_forest *m = calloc(1, sizeof *m);
    *out = NULL;
    if (m) {
        m->nodes = nodes;
        m->sizes = calloc(trees + 1, sizeof *m->sizes);
        m->features = calloc(nodes + 1, sizeof *m->features);
        m->values = calloc(nodes + 1, sizeof *m->values);
        m->default_left = calloc(nodes + 1, 1);
    }
    if (!m || !m->sizes || !m->features || !m->values || !m->default_left) {
        model_forest_free(m);
        return err_set(e, ERR_ENOMEM, "%s: out of memory", path);
    }
    m->f.n_trees = trees;
    m->f.sizes = m->sizes;
    m->f.features = m->features;
    m->f.values = m->values;
    m->f.default_left = m->default_left;
    *out = m;
    return 0;
}

void model_forest_free(struct model_forest *m)
{
    if (!m)
        return;
    free(m->sizes);
    free(m->features);
    free(m->values);
    free(m->default_left);
    free(m);
}

struct infer_net model_forest_net(const struct model_forest *m)
{
    return (struct infer_net){.kind = INFER_FOREST, .forest = &m->f};
}

/* ---- reading ------------------------------------------------------------------ */

enum { SHAPE, BASE, SIZES, FEATURES, VALUES, DEFAULT_LEFT, TENSORS };
static const struct {
    const char *name, *dtype;
} tensors[TENSORS] = {[SHAPE] = {"shape", "I32"},   [BASE] = {"base", "F32"},
                      [SIZES] = {"sizes", "I32"},   [FEATURES] = {"features", "I32"},
                      [VALUES] = {"values", "F32"}, [DEFAULT_LEFT] = {"default_left", "U8"}};

static int find(const struct safetensor *t[TENSORS], const struct safetensors *st, const char *path,
                struct err *e)
{
    for (int i = 0; i < TENSORS; i++) {
        t[i] = safetensors_find(st, tensors[i].name);
        if (!t[i])
            return err_set(e, ERR_ENAME, "%s: a forest wants a tensor %s", path, tensors[i].name);
        if (strcmp(t[i]->dtype, tensors[i].dtype) || t[i]->n_dim != 1)
            return err_set(e, ERR_ERANGE, "%s: %s is %s of %u dimensions, want %s of one", path,
                           t[i]->name, t[i]->dtype, t[i]->n_dim, tensors[i].dtype);
    }
    return 0;
}

static int check_counts(const struct safetensor *const t[TENSORS], const char *path, struct err *e)
{
    const uint64_t nodes = t[FEATURES]->shape[0], trees = t[SIZES]->shape[0];
    const struct {
        int tensor;
        uint64_t want;
    } counts[] = {{SHAPE, 2}, {BASE, 1}, {VALUES, nodes}, {DEFAULT_LEFT, nodes}};
    for (int i = 0; i < 4; i++)
        if (t[counts[i].tensor]->shape[0] != counts[i].want)
            return err_set(e, ERR_ERANGE, "%s: %s has %llu values, want %llu", path,
                           t[counts[i].tensor]->name,
                           (unsigned long long)t[counts[i].tensor]->shape[0],
                           (unsigned long long)counts[i].want);
    if (trees - 1 >= FOREST_TREES_MAX)
        return err_set(e, ERR_ERANGE, "%s: %llu trees, want 1..%d", path, (unsigned long long)trees,
                       FOREST_TREES_MAX);
    return 0;
}

static int take_transform(struct model_forest *m, const struct safetensors *st, const char *path,
                          struct err *e)
{
    const char *text = safetensors_meta(st, "transform");
    for (int i = 0; i < FOREST_TRANSFORMS; i++)
        if (!strcmp(text ? text : "linear", transforms[i])) {
            m->f.transform = (enum forest_transform)i;
            return 0;
        }
    return err_set(e, ERR_ENAME, "%s: transform is \"%.32s\", want linear, sigmoid or exp", path,
                   text);
}

/* That the sizes come to as many nodes as there are, before anybody counts on it. */
static int check_sum(const struct model_forest *m, const char *path, struct err *e)
{
    uint64_t sum = 0;
    for (uint32_t t = 0; t < m->f.n_trees; t++)
        sum += m->sizes[t];
    if (sum == m->nodes)
        return 0;
    return err_set(e, ERR_ERANGE, "%s: the sizes of the trees come to %llu nodes, want %zu", path,
                   (unsigned long long)sum, m->nodes);
}

static int take(void **own, struct infer_net *net, const struct safetensors *st, const char *path,
                struct err *e)
{
    const struct safetensor *t[TENSORS];
    struct model_forest *m = NULL;
    int32_t shape[2];
    char why[160];
    int rc = find(t, st, path, e);
    rc = rc ? rc : check_counts(t, path, e);
    rc = rc ? rc
            : model_forest_new(&m, (uint32_t)t[SIZES]->shape[0], t[FEATURES]->shape[0], path, e);
    if (rc)
        return rc;
    *own = m;
    memcpy(shape, t[SHAPE]->data, sizeof shape);
    memcpy(&m->f.base, t[BASE]->data, sizeof m->f.base);
    memcpy(m->sizes, t[SIZES]->data, t[SIZES]->bytes);
    memcpy(m->features, t[FEATURES]->data, t[FEATURES]->bytes);
    memcpy(m->values, t[VALUES]->data, t[VALUES]->bytes);
    memcpy(m->default_left, t[DEFAULT_LEFT]->data, t[DEFAULT_LEFT]->bytes);
    m->f.n_in = (uint32_t)shape[0];
    m->f.n_out = (uint32_t)shape[1];
    *net = model_forest_net(m);
    rc = take_transform(m, st, path, e);
    rc = rc ? rc : check_sum(m, path, e);
    if (!rc && kind_forest.check(net, why, sizeof why))
        rc = err_set(e, ERR_ERANGE, "%s: %s", path, why);
    return rc;
}

static void release(void *own)
{
    model_forest_free(own);
}

static void say(const struct infer_net *net, char *text, size_t n)
{
    const struct infer_forest *f = net->forest;
    uint64_t nodes = 0;
    for (uint32_t t = 0; t < f->n_trees; t++)
        nodes += f->sizes[t];
    snprintf(text, n, "forest of %u trees, %llu nodes, %u inputs, %u output%s, %s", f->n_trees,
             (unsigned long long)nodes, f->n_in, f->n_out, f->n_out == 1 ? "" : "s",
             transforms[f->transform]);
}

const struct model_kind model_kind_forest = {"forest", take, release, say};

/* ---- writing ------------------------------------------------------------------ */

int model_forest_write(const char *path, const struct model_forest *m,
                       const struct safetensors_text *meta, size_t n_meta, struct err *e)
{
    const int32_t shape[2] = {(int32_t)m->f.n_in, (int32_t)m->f.n_out};
    const uint64_t trees = m->f.n_trees, nodes = m->nodes;
    /* In the order of their names, as the format's own writer has them. */
    const struct safetensor t[TENSORS] = {
        {"base", "F32", {1}, 1, &m->f.base, sizeof m->f.base},
        {"default_left", "U8", {nodes}, 1, m->default_left, nodes},
        {"features", "I32", {nodes}, 1, m->features, nodes * sizeof *m->features},
        {"shape", "I32", {2}, 1, shape, sizeof shape},
        {"sizes", "I32", {trees}, 1, m->sizes, trees * sizeof *m->sizes},
        {"values", "F32", {nodes}, 1, m->values, nodes * sizeof *m->values}};
    struct safetensors_text *all = calloc(n_meta + 2, sizeof *all);
    if (!all)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", path);
    all[0] = (struct safetensors_text){"kind", "forest"};
    all[1] = (struct safetensors_text){"transform", transforms[m->f.transform]};
    if (n_meta)
        memcpy(all + 2, meta, n_meta * sizeof *all);
    int rc = safetensors_write(path, t, TENSORS, all, n_meta + 2, e);
    free(all);
    return rc;
}
