#include "harness/learn/jobs_choose.h"

#include <stdlib.h>

#include "gpu-kernels/infer.h"
#include "policies/duration_features.h"

static const double candidates[JOBS_CANDIDATES] = {0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95};

/* ---- the cost of an order ------------------------------------------------------------ */

struct queued {
    double key, work; /* GPU-seconds: predicted, true */
    size_t number;
};

static int by_key(const void *a, const void *b)
{
    const struct queued *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* The sum of waits, one after the other. */
static double waits(struct queued *q, size_t n)
{
    double sum = 0, before = 0;
    qsort(q, n, sizeof *q, by_key);
    for (size_t i = 0; i < n; i++) {
        sum += before;
        before += q[i].work;
    }
    return sum;
}

int jobs_order_cost(double *cost, const double *predicted, const double *gpus,
                    const uint32_t *seconds, size_t n, struct err *e)
{
    struct queued q[JOBS_BATCH] = {{0}};
    double ours = 0, best = 0;
    for (size_t at = 0; at < n; at += JOBS_BATCH) {
        const size_t some = n - at < JOBS_BATCH ? n - at : JOBS_BATCH;
        for (int truth = 0; truth < 2; truth++) {
            for (size_t i = 0; i < some; i++) {
                const double work = seconds[at + i] * gpus[at + i];
                q[i] = (struct queued){truth ? work : predicted[at + i] * gpus[at + i], work, i};
            }
            *(truth ? &best : &ours) += waits(q, some);
        }
    }
    if (!(best > 0))
        return err_set(e, ERR_ERANGE, "no job of %zu would wait for another", n);
    *cost = ours / best;
    return 0;
}

/* ---- candidates ------------------------------------------------------------------------ */

static int predict(const struct model_forest *m, const float *x, size_t n, uint32_t n_in, float *y,
                   struct err *e)
{
    enum { BATCH = 1024 };
    const struct infer_net net = model_forest_net(m);
    struct infer *runtime;
    struct infer_model *model;
    char why[256];
    if (infer_open(&runtime, INFER_CPU, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    int rc = infer_load(runtime, &net, &model, why, sizeof why);
    for (size_t at = 0; !rc && at < n; at += BATCH)
        rc = infer_run(model, (uint32_t)(n - at < BATCH ? n - at : BATCH), x + at * n_in, y + at,
                       why, sizeof why);
    if (!rc)
        infer_unload(model);
    infer_close(runtime);
    return rc ? err_set(e, ERR_EFAIL, "inference: %s", why) : 0;
}

struct judge {
    const struct forest_task *task;
    const uint32_t *seconds;
    const size_t *valid;
    size_t n_logs;
    float *y;
    double *predicted, *gpus;
};

/* GPUs as the features have them: their log, less what a part of one leaves. */
static double gpus_of(const float *x)
{
    return x[0] < 1 ? (double)x[0] : duration_seconds(x[0]);
}

static int judge(const struct judge *j, double quantile, double *cost, struct err *e)
{
    struct forest_task task = *j->task;
    struct forest_fit fit;
    struct model_forest *m;
    task.quantile = quantile;
    int rc = train_forest(&task, &fit, &m, e);
    if (rc)
        return rc;
    const float *x = task.x + task.train * task.n_in;
    rc = predict(m, x, task.valid, task.n_in, j->y, e);
    model_forest_free(m);
    for (size_t i = 0; i < task.valid && !rc; i++) {
        j->predicted[i] = duration_seconds(j->y[i]);
        j->gpus[i] = gpus_of(x + i * task.n_in);
    }
    *cost = 0;
    for (size_t log = 0, at = 0; log < j->n_logs && !rc; at += j->valid[log++]) {
        double one = 0;
        rc = jobs_order_cost(&one, j->predicted + at, j->gpus + at, j->seconds + at, j->valid[log],
                             e);
        *cost += one / (double)j->n_logs;
    }
    return rc;
}

int jobs_choose(struct jobs_choice *c, const struct forest_task *task, const uint32_t *seconds,
                const size_t *valid, size_t n_logs, struct err *e)
{
    struct judge j = {task,
                      seconds,
                      valid,
                      n_logs,
                      malloc(task->valid * sizeof *j.y),
                      malloc(task->valid * sizeof *j.predicted),
                      malloc(task->valid * sizeof *j.gpus)};
    int rc = j.y && j.predicted && j.gpus ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    c->best = 1;
    for (int i = 0; i < JOBS_CANDIDATES && !rc; i++) {
        c->quantile[i] = candidates[i];
        rc = judge(&j, candidates[i], &c->cost[i], e);
        if (i > 1 && c->cost[i] < c->cost[c->best])
            c->best = i;
    }
    free(j.y);
    free(j.predicted);
    free(j.gpus);
    return rc;
}
