/* forest_xgboost.c - malv-xgboost.so: boosting by XGBoost's C library (train_forest.h). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xgboost/c_api.h>

#include "harness/learn/train_forest.h"

/* A pinball loss has no curvature: a tenth lets a leaf move by ten times its slope. */
#define PINBALL_HESS 0.1f

struct boosting {
    const struct forest_task *t;
    DMatrixHandle train, valid;
    BoosterHandle booster;
    float *grad, *hess;
    double best_loss;
    uint32_t best;
};

static int matrix(DMatrixHandle *m, const struct forest_task *t, size_t from, size_t n)
{
    return XGDMatrixCreateFromMat(t->x + from * t->n_in, n, t->n_in, NAN, m) ||
           XGDMatrixSetFloatInfo(*m, "label", t->y + from, n);
}

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* Where boosting begins: the mean, or the quantile, of what is fitted. */
static double start(const struct forest_task *t)
{
    double sum = 0;
    if (t->quantile > 0) {
        float *sorted = malloc(t->train * sizeof *sorted);
        if (!sorted)
            return 0;
        memcpy(sorted, t->y, t->train * sizeof *sorted);
        qsort(sorted, t->train, sizeof *sorted, ascending);
        const float at = sorted[(size_t)(t->quantile * (double)(t->train - 1))];
        free(sorted);
        return (double)at;
    }
    for (size_t i = 0; i < t->train; i++)
        sum += (double)t->y[i];
    return sum / (double)t->train;
}

static int set(BoosterHandle b, const char *name, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.9g", value);
    return XGBoosterSetParam(b, name, text);
}

static int create(struct boosting *g)
{
    const struct forest_task *t = g->t;
    const DMatrixHandle both[] = {g->train, g->valid};
    const double child = t->quantile > 0 ? t->child * (double)PINBALL_HESS : t->child;
    return XGBoosterCreate(both, 2, &g->booster) ||
           XGBoosterSetParam(g->booster, "objective", "reg:squarederror") ||
           XGBoosterSetParam(g->booster, "tree_method", "hist") ||
           XGBoosterSetParam(g->booster, "nthread", "1") ||
           XGBoosterSetParam(g->booster, "verbosity", "0") ||
           set(g->booster, "seed", (double)t->seed) || set(g->booster, "eta", t->rate) ||
           set(g->booster, "max_depth", t->depth) || set(g->booster, "base_score", start(t)) ||
           set(g->booster, "min_child_weight", child);
}

static double loss(const struct forest_task *t, size_t from, const float *p, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = (double)t->y[from + i] - (double)p[i];
        sum += t->quantile > 0 ? d * (d > 0 ? t->quantile : t->quantile - 1) : d * d;
    }
    return n ? sum / (double)n : 0;
}

static int round_of(struct boosting *g, uint32_t round)
{
    const struct forest_task *t = g->t;
    const float q = (float)t->quantile;
    bst_ulong n;
    const float *p;
    if (XGBoosterPredict(g->booster, g->train, 1, 0, 1, &n, &p))
        return -1;
    for (size_t i = 0; i < t->train; i++) {
        g->grad[i] = q > 0 ? (t->y[i] > p[i] ? -q : 1 - q) : p[i] - t->y[i];
        g->hess[i] = q > 0 ? PINBALL_HESS : 1;
    }
    if (XGBoosterBoostOneIter(g->booster, g->train, g->grad, g->hess, t->train) ||
        XGBoosterPredict(g->booster, g->valid, 1, 0, 0, &n, &p))
        return -1;
    const double now = loss(t, t->train, p, t->valid);
    if (!round || now < g->best_loss) {
        g->best_loss = now;
        g->best = round + 1;
    }
    return 0;
}

static int save(struct boosting *g, char **json, size_t *size)
{
    BoosterHandle kept;
    bst_ulong n = 0;
    const char *text;
    if (XGBoosterSlice(g->booster, 0, (int)g->best, 1, &kept))
        return -1;
    int bad = XGBoosterSaveModelToBuffer(kept, "{\"format\": \"json\"}", &n, &text);
    *json = bad ? NULL : malloc(n + 1);
    if (*json)
        memcpy(*json, text, n);
    *size = n;
    XGBoosterFree(kept);
    return *json ? 0 : -1;
}

static int boost(struct boosting *g, struct forest_fit *fit)
{
    const struct forest_task *t = g->t;
    int bad =
        matrix(&g->train, t, 0, t->train) || matrix(&g->valid, t, t->train, t->valid) || create(g);
    uint32_t round = 0;
    while (!bad && round < t->rounds && round < g->best + t->patience)
        bad = round_of(g, round++);
    fit->rounds = round;
    fit->best = g->best;
    fit->valid_loss = g->best_loss;
    return bad;
}

static int train(const struct forest_task *t, struct forest_fit *fit, char **json, size_t *size,
                 char *why, size_t n)
{
    struct boosting g = {
        .t = t, .grad = malloc(t->train * sizeof(float)), .hess = malloc(t->train * sizeof(float))};
    int major, minor, patch;
    XGBoostVersion(&major, &minor, &patch);
    snprintf(fit->version, sizeof fit->version, "%d.%d.%d", major, minor, patch);
    int bad = !g.grad || !g.hess || boost(&g, fit) || save(&g, json, size);
    if (bad)
        snprintf(why, n, "%.200s", XGBGetLastError());
    if (g.booster)
        XGBoosterFree(g.booster);
    if (g.train)
        XGDMatrixFree(g.train);
    if (g.valid)
        XGDMatrixFree(g.valid);
    free(g.grad);
    free(g.hess);
    return bad ? -1 : 0;
}

__attribute__((visibility("default"))) extern const struct forest_xgboost malv_xgboost;
const struct forest_xgboost malv_xgboost = {train};
