#include "harness/learn/onnx_trees.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/forest.h"

/* ---- attributes -------------------------------------------------------------------- */

struct columns {
    const int64_t *tree, *id, *feature, *yes, *no, *missing; /* missing NULL: none track true */
    const float *value;
    ProtobufCBinaryData *mode;
};

static int whole(const struct onnx_trees *t, const char *name, bool optional, size_t *n,
                 const int64_t **out, struct err *e)
{
    const Onnx__Attribute *a = onnx_attribute(t->from, name);
    *out = a && a->n_ints ? a->ints : NULL;
    if (optional && !*out)
        return 0;
    if (!*n && *out && a->n_ints <= INT32_MAX)
        *n = a->n_ints;
    if (!*out || a->n_ints != *n)
        return onnx_complain(t->o, t->from, e, "%s has %zu whole numbers, want %zu", name,
                             a ? a->n_ints : 0, *n ? *n : 1);
    return 0;
}

static int real(const struct onnx_trees *t, const char *name, size_t n, const float **out,
                struct err *e)
{
    const Onnx__Attribute *a = onnx_attribute(t->from, name);
    *out = a ? a->floats : NULL;
    if (!a || a->n_floats != n)
        return onnx_complain(t->o, t->from, e, "%s has %zu numbers, want %zu of float32", name,
                             a ? a->n_floats : 0, n);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(a->floats[i]))
            return onnx_complain(t->o, t->from, e, "%s[%zu] is not a finite number", name, i);
    return 0;
}

static int columns(struct onnx_trees *t, struct columns *c, struct err *e)
{
    const Onnx__Attribute *modes = onnx_attribute(t->from, "nodes_modes");
    size_t n = 0;
    int rc = whole(t, "nodes_treeids", false, &n, &c->tree, e);
    rc = rc ? rc : whole(t, "nodes_nodeids", false, &n, &c->id, e);
    rc = rc ? rc : whole(t, "nodes_featureids", false, &n, &c->feature, e);
    rc = rc ? rc : whole(t, "nodes_truenodeids", false, &n, &c->yes, e);
    rc = rc ? rc : whole(t, "nodes_falsenodeids", false, &n, &c->no, e);
    rc = rc ? rc : whole(t, "nodes_missing_value_tracks_true", true, &n, &c->missing, e);
    rc = rc ? rc : real(t, "nodes_values", n, &c->value, e);
    if (!rc && (!modes || modes->n_strings != n))
        rc = onnx_complain(t->o, t->from, e, "nodes_modes has %zu texts, want %zu",
                           modes ? modes->n_strings : 0, n);
    c->mode = modes ? modes->strings : NULL;
    t->n_nodes = (uint32_t)n;
    return rc;
}

/* ---- nodes --------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    const struct onnx_tree_node *x = a, *y = b;
    return x->tree != y->tree ? (x->tree > y->tree) - (x->tree < y->tree)
                              : (x->id > y->id) - (x->id < y->id);
}

static struct onnx_tree_node *find(const struct onnx_trees *t, int64_t tree, int64_t id)
{
    const struct onnx_tree_node key = {.tree = tree, .id = id};
    return bsearch(&key, t->node, t->n_nodes, sizeof key, by_id);
}

enum { LEAF, LEQ, LT, GTE, GT, MODES };
static const char *const modes[MODES] = {[LEAF] = "LEAF",
                                         [LEQ] = "BRANCH_LEQ",
                                         [LT] = "BRANCH_LT",
                                         [GTE] = "BRANCH_GTE",
                                         [GT] = "BRANCH_GT"};

static int read_mode(const struct onnx_trees *t, const struct columns *c, size_t i, int *mode,
                     struct err *e)
{
    const ProtobufCBinaryData *s = &c->mode[i];
    char text[64];
    for (*mode = 0; *mode < MODES; ++*mode)
        if (onnx_says(s, modes[*mode]))
            return 0;
    return onnx_complain(t->o, t->from, e,
                         "nodes_modes[%zu] is \"%s\", want LEAF, BRANCH_LT, BRANCH_LEQ, BRANCH_GT "
                         "or BRANCH_GTE",
                         i, onnx_bytes(s, text));
}

static int read_node(struct onnx_trees *t, const struct columns *c, size_t i, struct err *e)
{
    int mode;
    int rc = read_mode(t, c, i, &mode, e);
    if (rc)
        return rc;
    struct onnx_tree_node *n = &t->node[i];
    *n = (struct onnx_tree_node){.tree = c->tree[i], .id = c->id[i], .leaf = mode == LEAF};
    if (n->leaf)
        return 0;
    if (c->feature[i] < 0 || c->feature[i] >= FOREST_IN_MAX)
        return onnx_complain(t->o, t->from, e, "nodes_featureids[%zu] is %lld, want 0..%d", i,
                             (long long)c->feature[i], FOREST_IN_MAX - 1);
    const bool swap = mode == GTE || mode == GT;
    n->feature = (uint32_t)c->feature[i];
    n->value = mode == LEQ || mode == GT ? nextafterf(c->value[i], INFINITY) : c->value[i];
    n->default_left = (c->missing && c->missing[i] == 1) != swap;
    n->left = (uint32_t)i; /* until all nodes are in their order */
    n->right = swap;
    if (n->feature >= t->features)
        t->features = n->feature + 1;
    return 0;
}

static int adopt(struct onnx_trees *t, const struct onnx_tree_node *of, int64_t id, uint32_t *place,
                 struct err *e)
{
    struct onnx_tree_node *n = find(t, of->tree, id);
    if (!n)
        return onnx_complain(t->o, t->from, e,
                             "tree %lld has no node %lld, which node %lld goes to",
                             (long long)of->tree, (long long)id, (long long)of->id);
    if (n->child)
        return onnx_complain(t->o, t->from, e, "node %lld of tree %lld has two parents, want one",
                             (long long)id, (long long)of->tree);
    n->child = true;
    *place = (uint32_t)(n - t->node);
    return 0;
}

static int link_nodes(struct onnx_trees *t, const struct columns *c, struct err *e)
{
    int rc = 0;
    qsort(t->node, t->n_nodes, sizeof *t->node, by_id);
    for (uint32_t i = 1; i < t->n_nodes; i++)
        if (!by_id(&t->node[i - 1], &t->node[i]))
            return onnx_complain(t->o, t->from, e, "tree %lld has two nodes %lld",
                                 (long long)t->node[i].tree, (long long)t->node[i].id);
    for (uint32_t i = 0; i < t->n_nodes && !rc; i++) {
        struct onnx_tree_node *n = &t->node[i];
        if (n->leaf)
            continue;
        const uint32_t at = n->left, swap = n->right;
        rc = adopt(t, n, swap ? c->no[at] : c->yes[at], &n->left, e);
        rc = rc ? rc : adopt(t, n, swap ? c->yes[at] : c->no[at], &n->right, e);
    }
    return rc;
}

/* One node of each tree is nobody's child. */
static int find_roots(struct onnx_trees *t, struct err *e)
{
    for (uint32_t i = 0; i < t->n_nodes; i++) {
        const struct onnx_tree_node *n = &t->node[i];
        if (!i || n->tree != n[-1].tree)
            t->tree[t->n_trees++] = (struct onnx_tree){.first = i, .root = UINT32_MAX};
        struct onnx_tree *tree = &t->tree[t->n_trees - 1];
        tree->size++;
        if (n->child)
            continue;
        if (tree->root != UINT32_MAX)
            return onnx_complain(
                t->o, t->from, e, "nodes %lld and %lld of tree %lld have no parent, want one root",
                (long long)t->node[tree->root].id, (long long)n->id, (long long)n->tree);
        tree->root = i;
    }
    for (uint32_t i = 0; i < t->n_trees; i++)
        if (t->tree[i].root == UINT32_MAX)
            return onnx_complain(t->o, t->from, e, "tree %lld has no root: every node has a parent",
                                 (long long)t->node[t->tree[i].first].tree);
    return 0;
}

/* ---- votes ----------------------------------------------------------------------------- */

static int by_node(const void *a, const void *b)
{
    const struct onnx_vote *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    if (x->target != y->target)
        return x->target < y->target ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static int read_vote(struct onnx_trees *t, uint32_t i, int64_t tree, int64_t id, int64_t target,
                     const char *prefix, struct err *e)
{
    const struct onnx_tree_node *n = find(t, tree, id);
    if (!n || !n->leaf)
        return onnx_complain(t->o, t->from, e, "%s_nodeids[%u]: node %lld of tree %lld is no leaf",
                             prefix, i, (long long)id, (long long)tree);
    if (target < 0 || target >= (int64_t)t->targets)
        return onnx_complain(t->o, t->from, e, "%s_ids[%u] is %lld, want 0..%u", prefix, i,
                             (long long)target, t->targets - 1);
    t->vote[i].node = (uint32_t)(n - t->node);
    t->vote[i].target = (uint32_t)target;
    t->vote[i].at = i;
    return 0;
}

static int read_votes(struct onnx_trees *t, const char *prefix, struct err *e)
{
    const int64_t *tree, *id, *target;
    const float *weight;
    char name[32];
    size_t n = 0;
    snprintf(name, sizeof name, "%s_treeids", prefix);
    int rc = whole(t, name, false, &n, &tree, e);
    snprintf(name, sizeof name, "%s_nodeids", prefix);
    rc = rc ? rc : whole(t, name, false, &n, &id, e);
    snprintf(name, sizeof name, "%s_ids", prefix);
    rc = rc ? rc : whole(t, name, false, &n, &target, e);
    snprintf(name, sizeof name, "%s_weights", prefix);
    rc = rc ? rc : real(t, name, n, &weight, e);
    if (!rc && !(t->vote = calloc(n + 1, sizeof *t->vote)))
        rc = err_set(e, ERR_ENOMEM, "%s: out of memory", t->o->name);
    t->n_votes = rc ? 0 : (uint32_t)n;
    for (uint32_t i = 0; i < t->n_votes && !rc; i++) {
        rc = read_vote(t, i, tree[i], id[i], target[i], prefix, e);
        t->vote[i].weight = weight[i];
    }
    return rc;
}

static void count_votes(struct onnx_trees *t)
{
    qsort(t->vote, t->n_votes, sizeof *t->vote, by_node);
    for (uint32_t i = 0, tree = 0; i < t->n_votes; i++) {
        struct onnx_tree_node *n = &t->node[t->vote[i].node];
        while (t->vote[i].node >= t->tree[tree].first + t->tree[tree].size)
            tree++;
        if (!n->n_votes++)
            n->votes = i;
        t->tree[tree].targets |= 1u << t->vote[i].target;
    }
}

float onnx_trees_leaf(const struct onnx_trees *t, uint32_t node, uint32_t target)
{
    const struct onnx_tree_node *n = &t->node[node];
    float sum = 0;
    for (uint32_t i = n->votes; i < n->votes + n->n_votes; i++)
        if (t->vote[i].target == target)
            sum += t->vote[i].weight;
    return sum;
}

/* ---- the ensemble --------------------------------------------------------------------------- */

int onnx_trees_read(struct onnx_trees *t, const struct onnx *o, const Onnx__Node *from,
                    const char *prefix, uint32_t targets, struct err *e)
{
    struct columns c;
    *t = (struct onnx_trees){.o = o, .from = from, .targets = targets};
    int rc = columns(t, &c, e);
    if (rc)
        return rc;
    t->node = calloc(t->n_nodes, sizeof *t->node);
    t->tree = calloc(t->n_nodes, sizeof *t->tree);
    if (!t->node || !t->tree)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", o->name);
    for (size_t i = 0; i < t->n_nodes && !rc; i++)
        rc = read_node(t, &c, i, e);
    rc = rc ? rc : link_nodes(t, &c, e);
    rc = rc ? rc : find_roots(t, e);
    rc = rc ? rc : read_votes(t, prefix, e);
    if (!rc)
        count_votes(t);
    return rc;
}

void onnx_trees_free(struct onnx_trees *t)
{
    free(t->node);
    free(t->vote);
    free(t->tree);
    *t = (struct onnx_trees){0};
}
