#include "harness/learn/model_xgboost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/kind.h"
#include "harness/learn/model_grow.h"
#include "sim/config.h"
#include "sim/dmath.h"

/* ---- objectives ------------------------------------------------------------------ */

enum space { SPACE_SUM, SPACE_LOGIT, SPACE_LOG }; /* of base_score */

static const struct objective {
    const char *name;
    enum space base;
    enum forest_transform transform;
} objectives[] = {
    {"reg:squarederror", SPACE_SUM, FOREST_LINEAR},
    {"reg:squaredlogerror", SPACE_SUM, FOREST_LINEAR},
    {"reg:pseudohubererror", SPACE_SUM, FOREST_LINEAR},
    {"reg:absoluteerror", SPACE_SUM, FOREST_LINEAR},
    {"reg:quantileerror", SPACE_SUM, FOREST_LINEAR},
    {"reg:logistic", SPACE_LOGIT, FOREST_SIGMOID},
    {"binary:logistic", SPACE_LOGIT, FOREST_SIGMOID},
    {"binary:logitraw", SPACE_LOGIT, FOREST_LINEAR},
    {"reg:gamma", SPACE_LOG, FOREST_EXP},
    {"reg:tweedie", SPACE_LOG, FOREST_EXP},
    {"count:poisson", SPACE_LOG, FOREST_EXP},
    {"multi:softmax", SPACE_SUM, FOREST_LINEAR},
    {"multi:softprob", SPACE_SUM, FOREST_LINEAR},
    {"rank:pairwise", SPACE_SUM, FOREST_LINEAR},
    {"rank:ndcg", SPACE_SUM, FOREST_LINEAR},
    {"rank:map", SPACE_SUM, FOREST_LINEAR},
};

static const struct objective *objective_named(const char *name)
{
    for (size_t i = 0; i < sizeof objectives / sizeof *objectives; i++)
        if (!strcmp(objectives[i].name, name))
            return &objectives[i];
    return NULL;
}

/* ---- the document ------------------------------------------------------------------ */

static int child(const struct config *in, const char *key, enum config_kind kind,
                 const struct config **out, struct err *e)
{
    *out = config_kind(in) == CONFIG_OBJECT ? config_get(in, key) : NULL;
    if (!*out)
        return config_complain(in, e, "one with \"%s\", as XGBoost writes it", key);
    if (config_kind(*out) != kind)
        return config_complain(*out, e, kind == CONFIG_ARRAY ? "an array" : "an object");
    return 0;
}

/* XGBoost writes its parameters as texts: "16", "5E-1", newer ones "[5E-1]". */
static int text_number(const struct config *in, const char *key, double lo, double hi, double *out,
                       struct err *e)
{
    const struct config *c = config_get(in, key);
    const char *text;
    char *end;
    if (!c)
        return config_complain(in, e, "one with \"%s\", as XGBoost writes it", key);
    int rc = config_str(c, &text, e);
    if (rc)
        return rc;
    const bool list = *text == '[';
    *out = strtod(text + list, &end);
    if (end == text + list || strcmp(end, list ? "]" : "") || !(*out >= lo && *out <= hi))
        return config_complain(c, e, "a text with a number %.9g..%.9g", lo, hi);
    return 0;
}

static int whole(const struct config *c, double lo, double hi, int32_t *out, struct err *e)
{
    double v;
    bool flag;
    if (config_kind(c) == CONFIG_BOOL) { /* default_left, in newer versions */
        int rc = config_bool(c, &flag, e);
        *out = flag;
        return rc;
    }
    int rc = config_f64(c, lo, hi, &v, e);
    if (!rc && v != floor(v))
        rc = config_complain(c, e, "a whole number");
    *out = rc ? 0 : (int32_t)v;
    return rc;
}

/* ---- a tree ------------------------------------------------------------------------- */

struct columns { /* of one tree, in XGBoost's order */
    const struct config *left, *right, *feature, *value, *default_left, *type;
    size_t n;
};

static int columns(struct columns *c, const struct config *tree, struct err *e)
{
    const struct {
        const char *key;
        const struct config **to;
    } keys[] = {{"left_children", &c->left},
                {"right_children", &c->right},
                {"split_indices", &c->feature},
                {"split_conditions", &c->value},
                {"default_left", &c->default_left}};
    *c = (struct columns){0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        int rc = child(tree, keys[i].key, CONFIG_ARRAY, keys[i].to, e);
        if (rc)
            return rc;
        c->n = i ? c->n : config_count(*keys[i].to);
        if (config_count(*keys[i].to) != c->n)
            return config_complain(*keys[i].to, e, "%zu values, as left_children has", c->n);
    }
    c->type = config_get(tree, "split_type");
    if (c->n < 1 || c->n > INT32_MAX)
        return config_complain(c->left, e, "at least one node");
    return 0;
}

/* The trees under way, and what the one whose turn it is was read from. */
struct growing {
    struct model_grow to;
    struct columns c;
};

static int split(struct growing *g, size_t i, int32_t left, float value, struct err *e)
{
    const struct columns *c = &g->c;
    int32_t right, feature, default_left, type = 0;
    int rc = whole(config_at(c->right, i), 1, (double)c->n - 1, &right, e);
    rc = rc ? rc : whole(config_at(c->feature, i), 0, FOREST_IN_MAX - 1, &feature, e);
    rc = rc ? rc : whole(config_at(c->default_left, i), 0, 1, &default_left, e);
    if (!rc && c->type && config_at(c->type, i))
        rc = whole(config_at(c->type, i), 0, 1, &type, e);
    if (rc)
        return rc;
    if (type)
        return config_complain(config_at(c->type, i), e, "0: a split of numbers, not categories");
    if (!model_grow_split(&g->to, (uint32_t)feature, value, default_left, (uint32_t)left,
                          (uint32_t)right))
        return config_complain(c->left, e, "a tree of at most %u nodes, each with one parent",
                               g->to.most);
    return 0;
}

/* Takes the tree's nodes from its root on; those that XGBoost pruned are left behind. */
static int grow(struct growing *g, struct err *e)
{
    uint32_t i;
    int rc = 0;
    model_grow_root(&g->to, 0, g->c.n);
    while (!rc && model_grow_next(&g->to, &i)) {
        double value;
        int32_t left;
        rc = config_f64(config_at(g->c.value, i), -3.5e38, 3.5e38, &value, e);
        rc = rc ? rc : whole(config_at(g->c.left, i), -1, (double)g->c.n - 1, &left, e);
        if (!rc && left >= 0)
            rc = split(g, i, left, (float)value, e);
        else if (!rc)
            model_grow_leaf(&g->to, (float)value);
    }
    return rc;
}

/* ---- the forest --------------------------------------------------------------------- */

struct document {
    const struct config *trees, *tree_info, *param;
    const struct objective *objective;
    double base, classes;
};

static int read_head(struct document *d, const struct config *root, struct err *e)
{
    const struct config *learner, *booster, *model, *objective;
    const char *name;
    int rc = child(root, "learner", CONFIG_OBJECT, &learner, e);
    rc = rc ? rc : child(learner, "gradient_booster", CONFIG_OBJECT, &booster, e);
    if (!rc && config_get(booster, "name")) {
        rc = config_str(config_get(booster, "name"), &name, e);
        if (!rc && strcmp(name, "gbtree"))
            rc = config_complain(config_get(booster, "name"), e, "gbtree");
    }
    rc = rc ? rc : child(booster, "model", CONFIG_OBJECT, &model, e);
    rc = rc ? rc : child(model, "trees", CONFIG_ARRAY, &d->trees, e);
    rc = rc ? rc : child(model, "tree_info", CONFIG_ARRAY, &d->tree_info, e);
    rc = rc ? rc : child(learner, "learner_model_param", CONFIG_OBJECT, &d->param, e);
    rc = rc ? rc : child(learner, "objective", CONFIG_OBJECT, &objective, e);
    if (rc)
        return rc;
    if (!config_get(objective, "name"))
        return config_complain(objective, e, "an object with \"name\"");
    rc = config_str(config_get(objective, "name"), &name, e);
    if (!rc && !(d->objective = objective_named(name)))
        rc = config_complain(config_get(objective, "name"), e,
                             "an objective whose outputs are sums, their logistic or exp");
    return rc;
}

/* What the sum begins with, from base_score in the space of predictions. */
static int read_base(struct document *d, struct err *e)
{
    const bool sum = d->objective->base == SPACE_SUM, logit = d->objective->base == SPACE_LOGIT;
    double v;
    int rc =
        text_number(d->param, "base_score", sum ? -3e38 : 1e-30, logit ? 1 - 1e-7 : 3e38, &v, e);
    if (!rc)
        d->base = sum ? v : logit ? -dmath_log(1 / v - 1) : dmath_log(v);
    return rc;
}

static int read_shape(struct document *d, struct infer_forest *f, struct err *e)
{
    double features, classes;
    int rc = text_number(d->param, "num_feature", 1, FOREST_IN_MAX, &features, e);
    rc = rc ? rc : text_number(d->param, "num_class", 0, FOREST_OUT_MAX, &classes, e);
    rc = rc ? rc : read_base(d, e);
    if (rc)
        return rc;
    f->n_in = (uint32_t)features;
    f->n_out = classes > 1 ? (uint32_t)classes : 1;
    f->base = (float)d->base;
    f->transform = d->objective->transform;
    return 0;
}

/* Where tree i goes: its output's next place.  *order has the trees in our order. */
static int arrange(const struct document *d, uint32_t n_out, uint32_t *order, struct err *e)
{
    const uint32_t n = (uint32_t)config_count(d->trees);
    uint32_t next[FOREST_OUT_MAX] = {0};
    for (uint32_t i = 0; i < n; i++) {
        int32_t group;
        int rc = whole(config_at(d->tree_info, i), 0, n_out - 1, &group, e);
        if (rc)
            return rc;
        const uint32_t at = next[group]++ * n_out + (uint32_t)group;
        if (at >= n)
            return config_complain(d->tree_info, e, "as many trees for each of %u outputs", n_out);
        order[at] = i;
    }
    return 0;
}

static int read_trees(struct growing *g, const struct document *d, const uint32_t *order,
                      struct err *e)
{
    for (uint32_t t = 0; t < g->to.m->f.n_trees; t++) {
        int rc = columns(&g->c, config_at(d->trees, order[t]), e);
        rc = rc ? rc : grow(g, e);
        if (rc)
            return rc;
    }
    return 0;
}

static size_t most_nodes(const struct config *trees)
{
    size_t sum = 0;
    for (size_t i = 0; i < config_count(trees); i++) {
        const struct config *left = config_get(config_at(trees, i), "left_children");
        sum += left ? config_count(left) : 0;
    }
    return sum;
}

static int read_forest(struct model_forest **out, const struct document *d, const char *name,
                       const struct infer_forest *shape, struct err *e)
{
    const uint32_t n = (uint32_t)config_count(d->trees);
    uint32_t *order = calloc(n, sizeof *order);
    struct growing *g = calloc(1, sizeof *g);
    char why[160];
    int rc = order && g ? 0 : err_set(e, ERR_ENOMEM, "%s: out of memory", name);
    rc = rc ? rc : model_forest_new(out, n, most_nodes(d->trees), name, e);
    if (!rc) {
        struct infer_forest *f = &(*out)->f;
        f->n_in = shape->n_in;
        f->n_out = shape->n_out;
        f->base = shape->base;
        f->transform = shape->transform;
        g->to.m = *out;
        rc = arrange(d, f->n_out, order, e);
        rc = rc ? rc : read_trees(g, d, order, e);
        struct infer_net net = model_forest_net(*out);
        if (!rc && kind_forest.check(&net, why, sizeof why))
            rc = err_set(e, ERR_ERANGE, "%s: %s", name, why);
    }
    free(order);
    free(g);
    return rc;
}

static int read_document(struct model_forest **out, const struct config *root, const char *name,
                         struct err *e)
{
    struct document d = {0};
    struct infer_forest shape = {0};
    int rc = read_head(&d, root, e);
    if (!rc && config_count(d.trees) - 1 >= FOREST_TREES_MAX)
        rc = config_complain(d.trees, e, "1..%d trees", FOREST_TREES_MAX);
    if (!rc && config_count(d.tree_info) != config_count(d.trees))
        rc = config_complain(d.tree_info, e, "one value a tree");
    rc = rc ? rc : read_shape(&d, &shape, e);
    rc = rc ? rc : read_forest(out, &d, name, &shape, e);
    if (rc) {
        model_forest_free(*out);
        *out = NULL;
    }
    return rc;
}

int model_xgboost_parse(struct model_forest **out, const char *name, const char *text, size_t n,
                        struct err *e)
{
    struct config *root;
    *out = NULL;
    int rc = config_parse(&root, name, text, n, e);
    if (rc)
        return rc;
    rc = read_document(out, root, name, e);
    config_free(root);
    return rc;
}

int model_xgboost_load(struct model_forest **out, const char *path, struct err *e)
{
    struct config *root;
    *out = NULL;
    int rc = config_load(&root, path, e);
    if (rc)
        return rc;
    rc = read_document(out, root, path, e);
    config_free(root);
    return rc;
}
