#include "harness/learn/train_net.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/train_loss.h"
#include "sim/progress.h"
#include "sim/rng.h"

#define BETA1  0.9
#define BETA2  0.999
#define TINY   1e-8
#define LAYERS (INFER_DEEP_MAX + 2) /* the hidden ones and the outputs */

/* All parameters in one array, so that Adam is one loop: of each layer the
 * weights [width][before], then the biases [width]. */
struct layer {
    uint32_t width, before;
    size_t w, b; /* where its parameters begin */
    double *y;   /* its values for the row at hand */
    double *d;   /* and the loss's slope at each, before its activation */
};

struct net {
    uint32_t n_layers;
    struct layer layer[LAYERS];
    size_t n, values;
    double *p;
};

struct trainer {
    const struct train_task *task;
    const struct train_options *o;
    struct net net;
    double *grad, *m, *v, *best;
    uint32_t *order, *lit, n_lit; /* inputs of the row at hand that are not zero */
    uint64_t steps;
    struct rng shuffle;
};

/* ---- one row ------------------------------------------------------------------- */

static void list_lit(struct trainer *t, const float *x)
{
    t->n_lit = 0;
    for (uint32_t i = 0; i < t->task->n_in; i++)
        if (x[i] != 0)
            t->lit[t->n_lit++] = i;
}

static double activated(const struct trainer *t, double a)
{
    if (t->task->sigmoid)
        return train_sigmoid(a);
    return a > 0 ? a : 0;
}

/* Values of layer l before its activation, from those of the one below or from the row. */
static void sum_layer(struct trainer *t, uint32_t l, const float *x)
{
    const struct layer *at = &t->net.layer[l];
    const double *p = t->net.p, *below = l ? t->net.layer[l - 1].y : NULL;
    for (uint32_t j = 0; j < at->width; j++) {
        const double *w = p + at->w + (size_t)j * at->before;
        double a = p[at->b + j];
        for (uint32_t k = 0; !below && k < t->n_lit; k++)
            a += w[t->lit[k]] * (double)x[t->lit[k]];
        for (uint32_t i = 0; below && i < at->before; i++)
            a += w[i] * below[i];
        at->y[j] = a;
    }
}

static const double *forward(struct trainer *t, const float *x)
{
    const uint32_t last = t->net.n_layers - 1;
    list_lit(t, x);
    for (uint32_t l = 0; l <= last; l++) {
        const struct layer *at = &t->net.layer[l];
        sum_layer(t, l, x);
        for (uint32_t j = 0; l < last && j < at->width; j++)
            at->y[j] = activated(t, at->y[j]);
    }
    return t->net.layer[last].y;
}

/* The slope at a hidden layer's sums, from the slopes at the layer above. */
static void slopes(struct trainer *t, uint32_t l)
{
    const struct layer *at = &t->net.layer[l], *above = &t->net.layer[l + 1];
    const double *w = t->net.p + above->w;
    for (uint32_t j = 0; j < at->width; j++) {
        const double y = at->y[j];
        double g = 0;
        for (uint32_t o = 0; o < above->width; o++)
            g += above->d[o] * w[(size_t)o * above->before + j];
        at->d[j] = t->task->sigmoid ? g * y * (1 - y) : y > 0 ? g : 0;
    }
}

static void backward(struct trainer *t, const float *x)
{
    for (uint32_t l = t->net.n_layers; l-- > 0;) {
        const struct layer *at = &t->net.layer[l];
        const double *below = l ? t->net.layer[l - 1].y : NULL;
        if (l + 1 < t->net.n_layers)
            slopes(t, l);
        for (uint32_t j = 0; j < at->width; j++) {
            const double g = at->d[j];
            double *w = t->grad + at->w + (size_t)j * at->before;
            if (g == 0)
                continue; /* nothing flows back */
            t->grad[at->b + j] += g;
            for (uint32_t k = 0; !below && k < t->n_lit; k++)
                w[t->lit[k]] += g * (double)x[t->lit[k]];
            for (uint32_t i = 0; below && i < at->before; i++)
                w[i] += g * below[i];
        }
    }
}

/* ---- epochs -------------------------------------------------------------------- */

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
    const struct layer *out = &t->net.layer[t->net.n_layers - 1];
    double total = 0;
    shuffle(t, n);
    for (size_t from = 0; from < n; from += t->o->batch) {
        size_t batch = n - from < t->o->batch ? n - from : t->o->batch;
        memset(t->grad, 0, t->net.n * sizeof *t->grad);
        for (size_t k = from; k < from + batch; k++) {
            const float *x = t->task->x + (size_t)t->order[k] * t->task->n_in;
            const double *y = forward(t, x);
            total += t->task->loss(t->task->ctx, t->order[k], y, out->d);
            backward(t, x);
        }
        double left = t->task->keras ? 1 : 1 - (double)t->steps / (double)planned;
        adam_step(t, t->o->rate * left, batch, fade1, fade2);
    }
    return total / (double)n;
}

static double mean_loss(struct trainer *t, size_t from, size_t n)
{
    double total = 0, d[TRAIN_OUT_MAX];
    for (size_t i = from; i < from + n; i++)
        total += t->task->loss(t->task->ctx, i, forward(t, t->task->x + i * t->task->n_in), d);
    return total / (double)n;
}

/* He initialisation for ReLU, half its variance for sigmoids; outputs begin near `start`. */
static void begin(struct trainer *t, size_t train)
{
    const uint32_t last = t->net.n_layers - 1;
    struct rng r;
    rng_init(&r, t->o->seed, "train", "weights");
    for (uint32_t l = 0; l <= last; l++) {
        const struct layer *at = &t->net.layer[l];
        const double deviation = l == last ? 0.1 * sqrt(1.0 / at->before)
                                           : sqrt((t->task->sigmoid ? 1.0 : 2.0) / at->before),
                     most = sqrt(6.0 / (at->before + at->width));
        for (size_t i = 0; i < (size_t)at->width * at->before; i++)
            t->net.p[at->w + i] =
                t->task->keras ? most * (2 * rng_unit(&r) - 1) : rng_normal(&r, 0, deviation);
    }
    for (uint32_t o = 0; o < t->task->n_out; o++)
        t->net.p[t->net.layer[last].b + o] = t->task->start;
    for (size_t i = 0; i < train; i++)
        t->order[i] = (uint32_t)i;
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
        if (i == 1 || t->task->keras || unseen < fit->valid_loss) {
            fit->best_epoch = i;
            fit->train_loss = seen;
            fit->valid_loss = unseen;
            memcpy(t->best, t->net.p, t->net.n * sizeof *t->best);
        }
        progress_at(&p, i);
    }
    progress_end(&p);
}

/* ---- the network ---------------------------------------------------------------- */

static int deliver(const struct trainer *t, struct train_fit *fit)
{
    const struct net *net = &t->net;
    const struct layer *last = &net->layer[net->n_layers - 1];
    float *w = fit->weights = malloc(net->n * sizeof *w);
    if (!w)
        return -1;
    for (size_t i = 0; i < net->n; i++)
        w[i] = (float)t->best[i];
    fit->mlp = (struct infer_mlp){.n_in = t->task->n_in,
                                  .n_hidden = net->layer[0].width,
                                  .n_out = t->task->n_out,
                                  .type = INFER_F32,
                                  .w1 = w,
                                  .b1 = w + net->layer[0].b,
                                  .w2 = w + last->w,
                                  .b2 = w + last->b,
                                  .n_deep = t->task->n_deep,
                                  .sigmoid = t->task->sigmoid,
                                  .sigmoid_out = t->task->sigmoid_out};
    for (uint32_t i = 0; i < t->task->n_deep; i++) {
        const struct layer *l = &net->layer[1 + i];
        fit->mlp.deep[i] = (struct infer_layer){.width = l->width, .w = w + l->w, .b = w + l->b};
    }
    return 0;
}

static void shape(struct net *net, const struct train_task *task, uint32_t hidden)
{
    uint32_t before = task->n_in;
    net->n_layers = task->n_deep + 2;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        struct layer *at = &net->layer[l];
        at->before = before;
        at->width = l == 0 ? hidden : l <= task->n_deep ? task->deep[l - 1] : task->n_out;
        at->w = net->n;
        at->b = at->w + (size_t)at->width * before;
        net->n = at->b + at->width;
        net->values += at->width;
        before = at->width;
    }
}

static void place(struct trainer *t, double *all, size_t train)
{
    const size_t n = t->net.n;
    t->net.p = all, t->grad = all + n, t->m = all + 2 * n, t->v = all + 3 * n;
    t->best = all + 4 * n;
    double *values = all + 5 * n;
    for (uint32_t l = 0; l < t->net.n_layers; l++) {
        t->net.layer[l].y = values;
        t->net.layer[l].d = values + t->net.values;
        values += t->net.layer[l].width;
    }
    t->lit = t->order + train;
}

int train_net(const struct train_task *task, size_t train, size_t valid,
              const struct train_options *o, bool quiet, struct train_fit *fit, struct err *e)
{
    assert(o->batch > 0 && o->hidden > 0 && task->n_in > 0 && task->n_out > 0);
    assert(task->n_out <= TRAIN_OUT_MAX && task->n_deep <= INFER_DEEP_MAX);
    *fit = (struct train_fit){0};
    if (!train || !valid)
        return err_set(e, ERR_ERANGE, "%zu rows to train and %zu to validate, want some of each",
                       train, valid);
    struct trainer t = {.task = task, .o = o};
    shape(&t.net, task, o->hidden);
    double *all = calloc(5 * t.net.n + 2 * t.net.values, sizeof *all);
    t.order = malloc((train + task->n_in) * sizeof *t.order);
    int rc = 0;
    if (all && t.order) {
        place(&t, all, train);
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
