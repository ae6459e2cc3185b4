/* model_onnx_forest.c - a forest of ours from an ensemble of ONNX.
 *
 * Ours has tree t add to output t % n_out, so each output gets its trees in
 * turn, and one of a single leaf of 0 where it has fewer than another.  A tree
 * whose leaves vote for several targets becomes one for each.               */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/kind.h"
#include "harness/learn/model_grow.h"
#include "harness/learn/model_onnx_chain.h"
#include "harness/learn/onnx_trees.h"

struct planting {
    struct onnx_chain *c;
    struct onnx_trees from;
    struct model_grow to;
    float divisor;        /* of what leaves vote: the trees of an average, else 1 */
    bool base_trees;      /* outputs begin with different numbers */
    uint32_t out, rounds; /* rounds: trees of each output */
    float base[FOREST_OUT_MAX];
    enum forest_transform transform;
    bool second; /* one score for two labels: votes are for the same one, whichever */
};

/* ---- what the node asks for ------------------------------------------------------------ */

/* Which of two texts an attribute is; the first where it is absent. */
static int one_of(const struct planting *p, const char *name, const char *first, const char *other,
                  bool *is_other, struct err *e)
{
    const Onnx__Attribute *a = onnx_attribute(p->from.from, name);
    char text[64];
    *is_other = a && onnx_says(&a->s, other);
    if (!a || *is_other || onnx_says(&a->s, first))
        return 0;
    return onnx_complain(p->c->o, p->from.from, e, "%s is \"%s\", want %s or %s", name,
                         onnx_bytes(&a->s, text), first, other);
}

static int read_head(struct planting *p, struct err *e)
{
    bool logistic, average;
    int rc = one_of(p, "post_transform", "NONE", "LOGISTIC", &logistic, e);
    rc = rc ? rc : one_of(p, "aggregate_function", "SUM", "AVERAGE", &average, e);
    if (rc)
        return rc;
    p->transform = logistic ? FOREST_SIGMOID : FOREST_LINEAR;
    p->divisor = average ? (float)p->from.n_trees : 1;
    return 0;
}

static int read_outputs(const struct planting *p, const Onnx__Node *n, bool classifier,
                        uint32_t *out, struct err *e)
{
    const Onnx__Attribute *ints = onnx_attribute(n, "classlabels_int64s");
    const Onnx__Attribute *texts = onnx_attribute(n, "classlabels_strings");
    int64_t count = (int64_t)((ints ? ints->n_ints : 0) + (texts ? texts->n_strings : 0));
    int rc = classifier ? 0 : onnx_int(p->c->o, n, "n_targets", 1, &count, e);
    if (!rc && (count < 1 || count > FOREST_OUT_MAX))
        rc = onnx_complain(p->c->o, n, e, "%lld %s, want 1..%d", (long long)count,
                           classifier ? "labels" : "targets", FOREST_OUT_MAX);
    *out = rc ? 0 : (uint32_t)count;
    return rc;
}

/* The number that a sum begins with, for each output. */
static int read_base(struct planting *p, struct err *e)
{
    const Onnx__Attribute *a = onnx_attribute(p->from.from, "base_values");
    const size_t n = a ? a->n_floats : 0;
    bool fits = !n || n == p->out;
    if (p->second && n == 2)
        fits = a->floats[0] == a->floats[1];
    if (!fits)
        return onnx_complain(p->c->o, p->from.from, e, "base_values has %zu numbers, want %u", n,
                             p->out);
    for (uint32_t i = 0; i < p->out && n; i++) {
        p->base[i] = a->floats[i];
        if (!isfinite(p->base[i]))
            return onnx_complain(p->c->o, p->from.from, e, "base_values[%u] is not a finite number",
                                 i);
        p->base_trees = p->base_trees || p->base[i] != p->base[0];
    }
    return 0;
}

static int refuse_doubles(const struct onnx_chain *c, const Onnx__Node *n, struct err *e)
{
    static const char suffix[] = "_as_tensor";
    char name[64];
    for (size_t i = 0; i < n->n_attribute; i++) {
        const char *at = n->attribute[i]->name ? strstr(n->attribute[i]->name, suffix) : NULL;
        if (at && !at[sizeof suffix - 1])
            return onnx_complain(c->o, n, e, "%s: want float32, without _as_tensor",
                                 onnx_plain(n->attribute[i]->name, name));
    }
    return 0;
}

/* ---- where the trees go ------------------------------------------------------------------- */

static uint32_t targets_of(const struct planting *p, uint32_t tree)
{
    const uint32_t bits = p->from.tree[tree].targets;
    return p->second ? bits != 0 : bits;
}

/* How many trees each output gets, and how many nodes they have together. */
static int count(struct planting *p, size_t *nodes, struct err *e)
{
    uint32_t trees[FOREST_OUT_MAX] = {0};
    *nodes = 0;
    for (uint32_t i = 0; i < p->from.n_trees; i++)
        for (uint32_t k = 0; k < p->out; k++)
            if (targets_of(p, i) >> k & 1) {
                *nodes += p->from.tree[i].size;
                p->rounds = ++trees[k] > p->rounds ? trees[k] : p->rounds;
            }
    p->rounds += p->base_trees || !p->rounds;
    const uint64_t all = (uint64_t)p->rounds * p->out;
    *nodes += all;
    if (all > FOREST_TREES_MAX)
        return onnx_complain(p->c->o, p->from.from, e,
                             "comes to %llu trees for %u outputs, want at most %d",
                             (unsigned long long)all, p->out, FOREST_TREES_MAX);
    return 0;
}

static float leaf(const struct planting *p, uint32_t node, uint32_t target)
{
    const struct onnx_trees *t = &p->from;
    float sum = onnx_trees_leaf(t, node, target);
    if (p->second)
        sum += onnx_trees_leaf(t, node, 1);
    return sum / p->divisor;
}

static int plant(struct planting *p, const struct onnx_tree *tree, uint32_t target, struct err *e)
{
    const long long id = p->from.node[tree->first].tree;
    uint32_t i;
    model_grow_root(&p->to, tree->root, tree->size);
    while (model_grow_next(&p->to, &i)) {
        const struct onnx_tree_node *n = &p->from.node[i];
        if (n->leaf)
            model_grow_leaf(&p->to, leaf(p, i, target));
        else if (!model_grow_split(&p->to, n->feature, n->value, n->default_left, n->left,
                                   n->right))
            return onnx_complain(p->c->o, p->from.from, e,
                                 "tree %lld has %u nodes, want at most %u", id, tree->size,
                                 FOREST_NODES_MAX);
    }
    if (p->to.size < tree->size)
        return onnx_complain(p->c->o, p->from.from, e,
                             "tree %lld goes in a circle: its root reaches %u of %u nodes", id,
                             p->to.size, tree->size);
    return 0;
}

static void plant_leaf(struct planting *p, float value)
{
    uint32_t i;
    model_grow_root(&p->to, 0, 1);
    while (model_grow_next(&p->to, &i))
        model_grow_leaf(&p->to, value);
}

static int plant_all(struct planting *p, struct err *e)
{
    uint32_t next[FOREST_OUT_MAX] = {0}; /* the tree to look at, for each output */
    int rc = 0;
    for (uint32_t t = 0; t < p->rounds * p->out && !rc; t++) {
        const uint32_t k = t % p->out;
        uint32_t *i = &next[k];
        while (*i < p->from.n_trees && !(targets_of(p, *i) >> k & 1))
            ++*i;
        if (*i < p->from.n_trees)
            rc = plant(p, &p->from.tree[(*i)++], k, e);
        else if ((*i)++ == p->from.n_trees && p->base_trees)
            plant_leaf(p, p->base[k]);
        else
            plant_leaf(p, 0);
    }
    return rc;
}

/* ---- the forest ----------------------------------------------------------------------------- */

static int make(struct planting *p, struct err *e)
{
    struct model_forest **m = &p->c->m->forest;
    const struct onnx_chain *c = p->c;
    char why[160];
    size_t nodes;
    int rc = count(p, &nodes, e);
    rc = rc ? rc : model_forest_new(m, p->rounds * p->out, nodes, c->o->name, e);
    if (rc)
        return rc;
    (*m)->f.n_in = c->width ? (uint32_t)c->width : p->from.features ? p->from.features : 1;
    (*m)->f.n_out = p->out;
    (*m)->f.base = p->base_trees ? 0 : p->base[0];
    (*m)->f.transform = p->transform;
    p->to.m = *m;
    rc = plant_all(p, e);
    const struct infer_net net = model_forest_net(*m);
    if (!rc && kind_forest.check(&net, why, sizeof why))
        rc = onnx_complain(c->o, p->from.from, e, "%s", why);
    return rc;
}

static int read_ensemble(struct planting *p, const Onnx__Node *n, struct err *e)
{
    const bool classifier = !strcmp(n->op_type, "TreeEnsembleClassifier");
    uint32_t voted = 0;
    int rc = read_outputs(p, n, classifier, &p->out, e);
    rc =
        rc ? rc : onnx_trees_read(&p->from, p->c->o, n, classifier ? "class" : "target", p->out, e);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < p->from.n_trees; i++)
        voted |= p->from.tree[i].targets;
    p->second = classifier && p->out == 2 && voted != 3;
    if (p->second)
        p->out = 1;
    rc = read_head(p, e);
    rc = rc ? rc : read_base(p, e);
    return rc ? rc : make(p, e);
}

int onnx_trees(struct onnx_chain *c, const Onnx__Node *n, struct err *e)
{
    if (c->m->forest || c->layers)
        return onnx_complain(c->o, n, e, "comes after another network, want one");
    struct planting *p = calloc(1, sizeof *p);
    if (!p)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", c->o->name);
    p->c = c;
    int rc = onnx_chain_row(c, n, 0, e);
    rc = rc ? rc : refuse_doubles(c, n, e);
    rc = rc ? rc : read_ensemble(p, n, e);
    c->width = p->out;
    onnx_trees_free(&p->from);
    free(p);
    return rc;
}
