#include "harness/learn/train_forest.h"

#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/beside.h"
#include "harness/learn/model_xgboost.h"

bool train_forest_possible(void)
{
    void *library = beside_open(FOREST_XGBOOST_LIBRARY);
    beside_close(library);
    return library != NULL;
}

int train_forest(const struct forest_task *t, struct forest_fit *fit, struct model_forest **m,
                 struct err *e)
{
    void *library = beside_open(FOREST_XGBOOST_LIBRARY);
    const struct forest_xgboost *x = library ? beside_symbol(library, FOREST_XGBOOST_SYMBOL) : NULL;
    char why[256] = "", *json = NULL;
    size_t size = 0;
    int rc = 0;
    if (!x)
        rc = err_set(e, ERR_EFAIL,
                     "%s is not beside the program: it is built where XGBoost is (apt install "
                     "libxgboost-dev, then make)",
                     FOREST_XGBOOST_LIBRARY);
    else if (x->train(t, fit, &json, &size, why, sizeof why))
        rc = err_set(e, ERR_EFAIL, "XGBoost: %s", why);
    rc = rc ? rc : model_xgboost_parse(m, "XGBoost", json, size, e);
    free(json);
    /* Not closed: its threads' pools do not outlive their code. */
    return rc;
}

/* ---- several outputs ---------------------------------------------------------------- */

/* Copies tree t of `from`, or a leaf of nothing where it has fewer. */
static void put_tree(struct model_forest *to, uint32_t at, size_t *node, struct model_forest *from,
                     uint32_t t, size_t *first)
{
    const bool there = t < from->f.n_trees;
    const uint32_t n = there ? from->sizes[t] : 1;
    to->sizes[at] = n;
    to->features[*node] = -1;
    if (there) {
        memcpy(to->features + *node, from->features + *first, n * sizeof *to->features);
        memcpy(to->values + *node, from->values + *first, n * sizeof *to->values);
        memcpy(to->default_left + *node, from->default_left + *first, n);
        *first += n;
    }
    *node += n;
}

int train_forest_join(struct model_forest *const *one, uint32_t n, struct model_forest **all,
                      struct err *e)
{
    size_t first[FOREST_OUT_MAX] = {0}, nodes = 0, node = 0;
    uint32_t trees = 0;
    for (uint32_t o = 0; o < n; o++)
        trees = one[o]->f.n_trees > trees ? one[o]->f.n_trees : trees;
    for (uint32_t o = 0; o < n; o++)
        nodes += one[o]->nodes + (trees - one[o]->f.n_trees);
    int rc = model_forest_new(all, trees * n, nodes, "forest", e);
    if (rc)
        return rc;
    (*all)->f.n_in = one[0]->f.n_in;
    (*all)->f.n_out = n;
    (*all)->f.transform = one[0]->f.transform;
    for (uint32_t t = 0; t < trees; t++)
        for (uint32_t o = 0; o < n; o++)
            put_tree(*all, t * n + o, &node, one[o], t, &first[o]);
    /* One base for all: the first tree of each output takes the rest. */
    (*all)->f.base = one[0]->f.base;
    size_t at = 0;
    for (uint32_t o = 0; o < n; at += (*all)->sizes[o++])
        for (uint32_t i = 0; i < (*all)->sizes[o]; i++)
            if ((*all)->features[at + i] < 0)
                (*all)->values[at + i] += one[o]->f.base - one[0]->f.base;
    return 0;
}
