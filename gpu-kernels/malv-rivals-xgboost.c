/* malv-rivals-xgboost.c - XGBoost's own predictor on a forest: in place, from
 * dense rows, on one thread.  It is given the trees as it saves them itself. */
#if defined(HAVE_xgboost)
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xgboost/c_api.h>

#include "gpu-kernels/forest.h"
#include "gpu-kernels/malv-rivals.h"

/* ---- the trees as JSON ------------------------------------------------------------ */

/* Its first tree's k-th split has its children at 2k + 1 and 2k + 2: forest.h. */
struct tree {
    const int32_t *feature;
    const float *value;
    const uint8_t *left;
    uint32_t nodes;
};

static void put_integers(FILE *f, const char *key, const int64_t *v, uint32_t n)
{
    fprintf(f, "\"%s\":[", key);
    for (uint32_t i = 0; i < n; i++)
        fprintf(f, "%s%lld", i ? "," : "", (long long)v[i]);
    fputs("],", f);
}

/* A number of each node that a prediction does not ask for. */
static void put_unused(FILE *f, const char *key, uint32_t n)
{
    fprintf(f, "\"%s\":[", key);
    for (uint32_t i = 0; i < n; i++)
        fprintf(f, "%s0E0", i ? "," : "");
    fputs("],", f);
}

static void put_values(FILE *f, const struct tree *t)
{
    fputs("\"split_conditions\":[", f);
    for (uint32_t i = 0; i < t->nodes; i++)
        fprintf(f, "%s%.9E", i ? "," : "", (double)t->value[i]);
    fputs("],", f);
}

static int put_tree(FILE *f, const struct tree *t, uint32_t id, uint32_t n_in)
{
    enum { LEFT, RIGHT, PARENT, FEATURE, MISSING, TYPE, LISTS };
    static const char *const keys[LISTS] = {
        [LEFT] = "left_children",    [RIGHT] = "right_children", [PARENT] = "parents",
        [FEATURE] = "split_indices", [MISSING] = "default_left", [TYPE] = "split_type"};
    int64_t *list[LISTS] = {NULL};
    int rc = 0;
    for (int i = 0; i < LISTS; i++)
        rc |= !(list[i] = calloc(t->nodes, sizeof **list));
    uint32_t child = 1;
    for (uint32_t i = 0; !rc && i < t->nodes; i++) {
        const int split = t->feature[i] >= 0;
        list[LEFT][i] = split ? (int64_t)child : -1;
        list[RIGHT][i] = split ? (int64_t)child + 1 : -1;
        list[FEATURE][i] = split ? t->feature[i] : 0;
        list[MISSING][i] = t->left[i];
        if (split)
            list[PARENT][child] = list[PARENT][child + 1] = i;
        child += split ? 2 : 0;
    }
    if (!rc)
        list[PARENT][0] = INT32_MAX;
    fprintf(f, "%s{\"id\":%u,", id ? "," : "", id);
    for (int i = 0; !rc && i < LISTS; i++)
        put_integers(f, keys[i], list[i], t->nodes);
    put_unused(f, "base_weights", t->nodes);
    put_unused(f, "loss_changes", t->nodes);
    put_unused(f, "sum_hessian", t->nodes);
    put_values(f, t);
    fprintf(f,
            "\"categories\":[],\"categories_nodes\":[],\"categories_segments\":[],"
            "\"categories_sizes\":[],\"tree_param\":{\"num_deleted\":\"0\",\"num_feature\":\"%u\","
            "\"num_nodes\":\"%u\",\"size_leaf_vector\":\"0\"}}",
            n_in, t->nodes);
    for (int i = 0; i < LISTS; i++)
        free(list[i]);
    return rc ? -1 : 0;
}

static int put_forest(FILE *f, const struct infer_forest *m)
{
    uint32_t at = 0;
    int rc = 0;
    fprintf(f,
            "{\"learner\":{\"attributes\":{},\"feature_names\":[],\"feature_types\":[],"
            "\"gradient_booster\":{\"model\":{\"gbtree_model_param\":{\"num_parallel_tree\":\"1\","
            "\"num_trees\":\"%u\",\"size_leaf_vector\":\"0\"},\"tree_info\":[",
            m->n_trees);
    for (uint32_t t = 0; t < m->n_trees; t++)
        fputs(t ? ",0" : "0", f);
    fputs("],\"trees\":[", f);
    for (uint32_t t = 0; !rc && t < m->n_trees; at += m->sizes[t++]) {
        const struct tree tree = {m->features + at, m->values + at, m->default_left + at,
                                  m->sizes[t]};
        rc = put_tree(f, &tree, t, m->n_in);
    }
    fprintf(f,
            "]},\"name\":\"gbtree\"},\"learner_model_param\":{\"base_score\":\"%.9E\","
            "\"boost_from_average\":\"0\",\"num_class\":\"0\",\"num_feature\":\"%u\","
            "\"num_target\":\"1\"},\"objective\":{\"name\":\"reg:squarederror\","
            "\"reg_loss_param\":{\"scale_pos_weight\":\"1\"}}},\"version\":[1,7,4]}",
            (double)m->base, m->n_in);
    return rc;
}

/* ---- the rival ----------------------------------------------------------------------- */

struct boost {
    BoosterHandle booster;
    uint32_t rows;
    float *y;
    char values[192];
};

static void boost_free(void *self)
{
    struct boost *b = self;
    if (b->booster)
        XGBoosterFree(b->booster);
    free(b);
}

static int load(struct boost *b, const struct infer_forest *m)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    int rc = f ? put_forest(f, m) : -1;
    rc |= f ? fclose(f) : 0;
    rc = rc || XGBoosterCreate(NULL, 0, &b->booster) ||
         XGBoosterLoadModelFromBuffer(b->booster, text, n) ||
         XGBoosterSetParam(b->booster, "nthread", "1");
    free(text);
    return rc ? -1 : 0;
}

static void *boost_make(const struct infer_net *net, uint32_t rows, const float *x, float *y)
{
    const struct infer_forest *m = net->forest;
    if (m->n_out != 1 || m->transform != FOREST_LINEAR)
        return NULL;
    struct boost *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->rows = rows;
    b->y = y;
    snprintf(b->values, sizeof b->values,
             "{\"data\":[%llu,true],\"shape\":[%u,%u],\"typestr\":\"<f4\",\"version\":3}",
             (unsigned long long)(uintptr_t)x, rows, m->n_in);
    if (!load(b, m))
        return b;
    boost_free(b);
    return NULL;
}

static void boost_run(void *self)
{
    static const char config[] = "{\"type\":0,\"training\":false,\"iteration_begin\":0,"
                                 "\"iteration_end\":0,\"strict_shape\":false,\"missing\":NaN,"
                                 "\"cache_id\":0}";
    const struct boost *b = self;
    const bst_ulong *shape;
    bst_ulong dims;
    const float *result;
    if (!XGBoosterPredictFromDense(b->booster, b->values, config, NULL, &shape, &dims, &result))
        memcpy(b->y, result, b->rows * sizeof *b->y);
}

const struct rival rival_xgboost = {"xgboost", INFER_FOREST, boost_make,
                                    boost_run, NULL,         boost_free};
#endif
