#include "harness/learn/train_loss.h"

#include <assert.h>

#include "sim/dmath.h"

double train_sigmoid(double y)
{
    if (y >= 0)
        return 1 / (1 + dmath_exp(-y));
    const double up = dmath_exp(y);
    return up / (1 + up);
}

void train_softmax(const double *y, uint32_t n, double *p)
{
    double most = y[0], sum = 0;
    for (uint32_t i = 1; i < n; i++)
        most = y[i] > most ? y[i] : most;
    for (uint32_t i = 0; i < n; i++)
        sum += p[i] = dmath_exp(y[i] - most);
    for (uint32_t i = 0; i < n; i++)
        p[i] /= sum;
}

double train_loss_softmax(const double *y, uint32_t n, uint32_t label, double *d)
{
    assert(label < n);
    double most = y[0], sum = 0;
    const double right = y[label];
    for (uint32_t i = 1; i < n; i++)
        most = y[i] > most ? y[i] : most;
    for (uint32_t i = 0; i < n; i++)
        sum += dmath_exp(y[i] - most);
    train_softmax(y, n, d);
    d[label] -= 1;
    return dmath_log(sum) + most - right;
}

double train_loss_sigmoid(double y, bool label, double *d)
{
    const double off = label ? -y : y; /* log(1 + exp(off)), without overflow */
    *d = train_sigmoid(y) - (label ? 1 : 0);
    return off > 0 ? off + dmath_log1p(dmath_exp(-off)) : dmath_log1p(dmath_exp(off));
}
