#include "harness/learn/train_net.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/progress.h"
#include "sim/rng.h"

#define N_OUT TRAIN_OUT
#define BETA1 0.9
#define BETA2 0.999
#define TINY  1e-8

/* All parameters in one array, so that Adam is one loop:
 * w1 [hidden][in], b1 [hidden], w2 [out][hidden], b2 [out]. */
struct net {
    uint32_t in, hidden;
    size_t n;
    double *p;
};

struct trainer {
    const struct train_task *task;
    const struct train_options *o;
    struct net net;
    double *grad, *m, *v, *best, *h;
    uint32_t *order, *lit, n_lit; /* inputs of the row at hand that are not zero */
    uint64_t steps;
    struct rng shuffle;
};

static double *w1(const struct net *net, double *p, uint32_t j)
{
    return p + (size_t)j * net->in;
}

static double *b1(const struct net *net, double *p)
{
    return p + (size_t)net->hidden * net->in;
}

static double *w2(const struct net *net, double *p, uint32_t o)
{
    return b1(net, p) + net->hidden * (1 + (size_t)o);
}

static double *b2(const struct net *net, double *p)
{
    return w2(net, p, N_OUT);
}

static void forward(struct trainer *t, const float *x, double y[N_OUT])
{
    struct net *net = &t->net;
    t->n_lit = 0;
    for (uint32_t i = 0; i < net->in; i++)
        if (x[i] != 0)
            t->lit[t->n_lit++] = i;
    for (uint32_t j = 0; j < net->hidden; j++) {
        const double *w = w1(net, net->p, j);
        double a = b1(net, net->p)[j];
        for (uint32_t k = 0; k < t->n_lit; k++)
            a += w[t->lit[k]] * (double)x[t->lit[k]];
        t->h[j] = a > 0 ? a : 0;
    }
    for (uint32_t o = 0; o < N_OUT; o++) {
        const double *w = w2(net, net->p, o);
        y[o] = b2(net, net->p)[o];
        for (uint32_t j = 0; j < net->hidden; j++)
            y[o] += w[j] * t->h[j];
    }
}

static void backward(struct trainer *t, const float *x, const double d[N_OUT])
{
    struct net *net = &t->net;
    for (uint32_t o = 0; o < N_OUT; o++) {
        b2(net, t->grad)[o] += d[o];
        for (uint32_t j = 0; j < net->hidden; j++)
            w2(net, t->grad, o)[j] += d[o] * t->h[j];
    }
    for (uint32_t j = 0; j < net->hidden; j++) {
        if (!(t->h[j] > 0))
            continue; /* below zero nothing flows back */
        double g = d[0] * w2(net, net->p, 0)[j] + d[1] * w2(net, net->p, 1)[j];
        double *w = w1(net, t->grad, j);
        b1(net, t->grad)[j] += g;
        for (uint32_t k = 0; k < t->n_lit; k++)
            w[t->lit[k]] += g * (double)x[t->lit[k]];
    }
}

static void adam_step(struct trainer *t, double rate, size_t batch, double *fade1, double *fade2)
{
    *fade1 *= BETA1;
    *fade2 *= BETA2;
    for (size_t i = 0; i < t->net.n; i++) {
        double g = t->grad[i] / (double)batch;
        t->m[i] = BETA1 * t->m[i] + (1 - BETA1) * g;
        t->v[i] = BETA2 * t->v[i] + (1 - BETA2) * g * g;
        double m = t->m[i] / (1 - *fade1), v = t->v[i] / (1 - *fade2);
        t->net.p[i] -= rate * m / (sqrt(v) + TINY);
    }
    t->steps++;
}

static void shuffle(struct trainer *t, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)rng_below(&t->shuffle, i);
        uint32_t swap = t->order[i - 1];
        t->order[i - 1] = t->order[j];
        t->order[j] = swap;
    }
}

static double epoch(struct trainer *t, size_t n, uint64_t planned, double *fade1, double *fade2)
{
    double total = 0;
    shuffle(t, n);
    for (size_t from = 0; from < n; from += t->o->batch) {
        size_t batch = n - from < t->o->batch ? n - from : t->o->batch;
        memset(t->grad, 0, t->net.n * sizeof *t->grad);
        for (size_t k = from; k < from + batch; k++) {
            const float *x = t->task->x + (size_t)t->order[k] * t->net.in;
            double y[N_OUT], d[N_OUT];
            forward(t, x, y);
            total += t->task->loss(t->task->ctx, t->order[k], y, d);
            backward(t, x, d);
        }
        double left = 1 - (double)t->steps / (double)planned;
        adam_step(t, t->o->rate * left, batch, fade1, fade2);
    }
    return total / (double)n;
}

static double mean_loss(struct trainer *t, size_t from, size_t n)
{
    double total = 0, y[N_OUT], d[N_OUT];
    for (size_t i = from; i < from + n; i++) {
        forward(t, t->task->x + i * t->net.in, y);
        total += t->task->loss(t->task->ctx, i, y, d);
    }
    return total / (double)n;
}

/* He initialisation. */
static void begin(struct trainer *t, size_t train)
{
    struct rng r;
    rng_init(&r, t->o->seed, "train", "weights");
    for (uint32_t j = 0; j < t->net.hidden; j++)
        for (uint32_t i = 0; i < t->net.in; i++)
            w1(&t->net, t->net.p, j)[i] = rng_normal(&r, 0, sqrt(2.0 / t->net.in));
    for (uint32_t o = 0; o < N_OUT; o++)
        for (uint32_t j = 0; j < t->net.hidden; j++)
            w2(&t->net, t->net.p, o)[j] = rng_normal(&r, 0, 0.1 * sqrt(1.0 / t->net.hidden));
    for (size_t i = 0; i < train; i++)
        t->order[i] = (uint32_t)i;
    b2(&t->net, t->net.p)[0] = b2(&t->net, t->net.p)[1] = t->task->start;
    rng_init(&t->shuffle, t->o->seed, "train", "order");
}

static void run(struct trainer *t, size_t train, size_t valid, bool quiet, struct train_fit *fit)
{
    struct progress p;
    uint64_t batches = (train + t->o->batch - 1) / t->o->batch;
    double fade1 = 1, fade2 = 1;
    progress_begin(&p, "epochs", t->o->epochs, quiet);
    for (uint32_t i = 1; i <= t->o->epochs && i - fit->best_epoch <= t->o->patience; i++) {
        double seen = epoch(t, train, batches * t->o->epochs, &fade1, &fade2);
        double unseen = mean_loss(t, train, valid);
        fit->epochs = i;
        if (i == 1 || unseen < fit->valid_loss) {
            fit->best_epoch = i;
            fit->train_loss = seen;
            fit->valid_loss = unseen;
            memcpy(t->best, t->net.p, t->net.n * sizeof *t->best);
        }
        progress_at(&p, i);
    }
    progress_end(&p);
}

static int deliver(const struct trainer *t, struct train_fit *fit)
{
    size_t hidden = t->net.hidden, in = t->net.in;
    float *w = fit->weights = malloc(t->net.n * sizeof *w);
    if (!w)
        return -1;
    for (size_t i = 0; i < t->net.n; i++)
        w[i] = (float)t->best[i];
    fit->mlp = (struct infer_mlp){.n_in = t->net.in,
                                  .n_hidden = t->net.hidden,
                                  .n_out = N_OUT,
                                  .type = INFER_F32,
                                  .w1 = w,
                                  .b1 = w + hidden * in,
                                  .w2 = w + hidden * (in + 1),
                                  .b2 = w + hidden * (in + 1 + N_OUT)};
    return 0;
}

int train_net(const struct train_task *task, size_t train, size_t valid,
              const struct train_options *o, bool quiet, struct train_fit *fit, struct err *e)
{
    assert(o->batch > 0 && o->hidden > 0 && task->n_in > 0);
    *fit = (struct train_fit){0};
    if (!train || !valid)
        return err_set(e, ERR_ERANGE, "%zu rows to train and %zu to validate, want some of each",
                       train, valid);
    size_t n = (size_t)o->hidden * (task->n_in + 1 + N_OUT) + N_OUT;
    struct trainer t = {.task = task, .o = o, .net = {task->n_in, o->hidden, n, NULL}};
    double *all = calloc(5 * n + o->hidden, sizeof *all);
    t.order = malloc((train + task->n_in) * sizeof *t.order);
    int rc = 0;
    if (all && t.order) {
        t.net.p = all, t.grad = all + n, t.m = all + 2 * n, t.v = all + 3 * n;
        t.best = all + 4 * n, t.h = all + 5 * n;
        t.lit = t.order + train;
        begin(&t, train);
        run(&t, train, valid, quiet, fit);
    }
    if (!all || !t.order || deliver(&t, fit))
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    free(all);
    free(t.order);
    return rc;
}

void train_fit_free(struct train_fit *fit)
{
    free(fit->weights);
    *fit = (struct train_fit){0};
}
