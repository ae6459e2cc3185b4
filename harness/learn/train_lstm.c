#include "harness/learn/train_lstm.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/train_lstm_net.h"
#include "sim/progress.h"
#include "sim/rng.h"

#define BETA1 0.9
#define BETA2 0.999
#define TINY  1e-8

struct trainer {
    const struct train_lstm_task *task;
    const struct train_lstm_options *o;
    struct train_lstm_shape s;
    size_t n;
    double *p, *grad, *m, *v, *best;
    struct train_lstm_tape tape;
    uint32_t *order;
    uint64_t steps;
    struct rng shuffle;
};

/* ---- epochs ------------------------------------------------------------------------------ */

static void adam_step(struct trainer *t, double rate, size_t batch, double fade[2])
{
    fade[0] *= BETA1;
    fade[1] *= BETA2;
    for (size_t i = 0; i < t->n; i++) {
        double g = t->grad[i] / (double)batch;
        t->m[i] = BETA1 * t->m[i] + (1 - BETA1) * g;
        t->v[i] = BETA2 * t->v[i] + (1 - BETA2) * g * g;
        double m = t->m[i] / (1 - fade[0]), v = t->v[i] / (1 - fade[1]);
        t->p[i] -= rate * m / (sqrt(v) + TINY);
    }
    t->steps++;
}

static double row_loss(struct trainer *t, const struct train_lstm_params *p, size_t row)
{
    train_lstm_forward(&t->s, p, &t->tape, t->task->id + row * t->s.steps);
    return train_lstm_loss(t->tape.y, t->s.n_out, t->task->class[row]);
}

static double epoch(struct trainer *t, size_t n, uint64_t planned, double fade[2])
{
    struct train_lstm_params p, g;
    double total = 0;
    (void)train_lstm_map(&t->s, t->p, &p);
    (void)train_lstm_map(&t->s, t->grad, &g);
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)rng_below(&t->shuffle, i);
        uint32_t swap = t->order[i - 1];
        t->order[i - 1] = t->order[j];
        t->order[j] = swap;
    }
    for (size_t from = 0; from < n; from += t->o->batch) {
        size_t batch = n - from < t->o->batch ? n - from : t->o->batch;
        memset(t->grad, 0, t->n * sizeof *t->grad);
        for (size_t k = from; k < from + batch; k++) {
            total += row_loss(t, &p, t->order[k]);
            train_lstm_backward(&t->s, &p, &g, &t->tape,
                                t->task->id + (size_t)t->order[k] * t->s.steps);
        }
        adam_step(t, t->o->rate * (1 - (double)t->steps / (double)planned), batch, fade);
    }
    return total / (double)n;
}

static double mean_loss(struct trainer *t, size_t from, size_t n)
{
    struct train_lstm_params p;
    double total = 0;
    (void)train_lstm_map(&t->s, t->p, &p);
    for (size_t i = from; i < from + n; i++)
        total += row_loss(t, &p, i);
    return total / (double)n;
}

/* Uniform within 1 / sqrt(width), as nn.LSTM begins; a gate that forgets starts at 1. */
static void begin(struct trainer *t, size_t train)
{
    struct train_lstm_params p;
    struct rng r;
    const double most = 1 / sqrt((double)t->s.width);
    rng_init(&r, t->o->seed, "train", "lstm");
    (void)train_lstm_map(&t->s, t->p, &p);
    for (size_t i = 0; i < t->n; i++)
        t->p[i] = (2 * rng_unit(&r) - 1) * most;
    for (uint32_t l = 0; l < t->s.layers; l++)
        for (uint32_t j = 0; j < t->s.width; j++)
            p.b[l][t->s.width + j] = 1;
    for (size_t i = 0; i < train; i++)
        t->order[i] = (uint32_t)i;
    rng_init(&t->shuffle, t->o->seed, "train", "order");
}

static void run(struct trainer *t, size_t train, size_t valid, bool quiet,
                struct train_lstm_fit *fit)
{
    struct progress bar;
    const uint64_t batches = (train + t->o->batch - 1) / t->o->batch;
    double fade[2] = {1, 1};
    progress_begin(&bar, "epochs", t->o->epochs, quiet);
    for (uint32_t i = 1; i <= t->o->epochs && i - fit->best_epoch <= t->o->patience; i++) {
        double seen = epoch(t, train, batches * t->o->epochs, fade);
        double unseen = mean_loss(t, train, valid);
        fit->epochs = i;
        if (i == 1 || unseen < fit->valid_loss) {
            fit->best_epoch = i;
            fit->train_loss = seen;
            fit->valid_loss = unseen;
            memcpy(t->best, t->p, t->n * sizeof *t->best);
        }
        progress_at(&bar, i);
    }
    progress_end(&bar);
}

/* ---- the result ---------------------------------------------------------------------------- */

/* [rows][cols] to [cols][rows], rounded. */
static const float *turned(float **room, const double *from, uint32_t rows, uint32_t cols)
{
    float *to = *room;
    for (uint32_t i = 0; i < rows; i++)
        for (uint32_t j = 0; j < cols; j++)
            to[(size_t)j * rows + i] = (float)from[(size_t)i * cols + j];
    *room += (size_t)rows * cols;
    return to;
}

static int deliver(const struct trainer *t, struct train_lstm_fit *fit)
{
    const struct train_lstm_shape *s = &t->s;
    struct train_lstm_params p;
    const size_t zeros = s->gates; /* b_hh: all of a bias is in b_ih */
    float *room = fit->weights = calloc(t->n + zeros, sizeof *room);
    if (!room)
        return -1;
    (void)train_lstm_map(s, t->best, &p);
    fit->net = (struct infer_lstm){.steps = s->steps,
                                   .n_step = 1,
                                   .vocab = s->vocab,
                                   .layers = s->layers,
                                   .width = s->width,
                                   .n_out = s->n_out,
                                   .softmax = true};
    for (uint32_t l = 0; l < s->layers; l++) {
        struct infer_lstm_layer *to = &fit->net.layer[l];
        to->w_ih = turned(&room, p.x[l], l ? s->width : s->vocab, s->gates);
        to->w_hh = turned(&room, p.h[l], s->width, s->gates);
        to->b_ih = turned(&room, p.b[l], 1, s->gates);
        to->b_hh = fit->weights + t->n;
    }
    fit->net.w = turned(&room, p.out, s->width, s->n_out);
    fit->net.b = turned(&room, p.b_out, 1, s->n_out);
    return 0;
}

int train_lstm(const struct train_lstm_task *task, size_t train, size_t valid,
               const struct train_lstm_options *o, bool quiet, struct train_lstm_fit *fit,
               struct err *e)
{
    assert(o->batch && o->width && o->layers && o->layers <= TRAIN_LSTM_LAYERS &&
           task->steps <= TRAIN_LSTM_STEPS);
    *fit = (struct train_lstm_fit){0};
    if (!train || !valid)
        return err_set(e, ERR_ERANGE, "%zu rows to train and %zu to validate, want some of each",
                       train, valid);
    struct trainer t = {.task = task, .o = o, .s = train_lstm_shape(task, o)};
    t.n = train_lstm_params(task, o);
    t.p = calloc(5 * t.n, sizeof *t.p);
    t.order = malloc(train * sizeof *t.order);
    bool whole = t.p && t.order && train_lstm_tape(&t.tape, &t.s);
    if (whole) {
        t.grad = t.p + t.n, t.m = t.p + 2 * t.n, t.v = t.p + 3 * t.n, t.best = t.p + 4 * t.n;
        begin(&t, train);
        run(&t, train, valid, quiet, fit);
        whole = !deliver(&t, fit);
    }
    free(t.tape.room);
    free(t.p);
    free(t.order);
    return whole ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
}

void train_lstm_fit_free(struct train_lstm_fit *fit)
{
    free(fit->weights);
    *fit = (struct train_lstm_fit){0};
}
