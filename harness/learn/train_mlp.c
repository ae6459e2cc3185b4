#include "harness/learn/train_mlp.h"

#include <assert.h>

struct lengths {
    const struct train_rows *rows;
    double quantile;
};

/* Errors in octaves: squared for the mean, pinball for the quantile. */
static double loss(const void *ctx, size_t row, const double *y, double *d)
{
    const struct lengths *t = ctx;
    double want = (double)length_log(t->rows->tokens[row]);
    double miss = (y[0] - want) * (double)LENGTH_SCALE,
           under = (want - y[1]) * (double)LENGTH_SCALE;
    double side = under > 0 ? t->quantile : t->quantile - 1;
    d[0] = 2 * miss * (double)LENGTH_SCALE;
    d[1] = -side * (double)LENGTH_SCALE;
    return miss * miss + side * under;
}

int train_mlp(const struct train_rows *rows, size_t train, size_t valid,
              const struct train_options *o, bool quiet, struct train_fit *fit, struct err *e)
{
    assert(train + valid <= rows->n);
    const struct lengths lengths = {rows, o->quantile};
    struct train_task task = {
        .n_in = LENGTH_N, .n_out = 2, .x = rows->x, .loss = loss, .ctx = &lengths};
    for (size_t i = 0; i < train; i++) /* the outputs begin at the mean of what they must say */
        task.start += (double)length_log(rows->tokens[i]);
    task.start /= train ? (double)train : 1;
    return train_net(&task, train, valid, o, quiet, fit, e);
}
