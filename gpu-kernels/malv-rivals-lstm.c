/* malv-rivals-lstm.c - a recurrent network on OpenBLAS: the products of a layer's
 * inputs for all steps at once, those of its state step by step, gates in between.
 * Gates are ours (cu_math.h), vectorized: the library has none.              */
#if defined(HAVE_openblas)
#include <cblas.h>
#include <stdlib.h>
#include <string.h>

/* Inlined into each clone below, which knows more instructions than the rest of the file. */
#define CU_DEV static inline __attribute__((always_inline, unused))
#include "gpu-kernels/cu_math.h"
#include "gpu-kernels/lstm_net.h"
#include "gpu-kernels/malv-rivals.h"

#if defined(__x86_64__) && !defined(__clang__)
#define VECTORS __attribute__((target_clones("avx512f", "fma", "default"), optimize(3)))
#else
#define VECTORS
#endif

struct recurrent {
    const struct infer_lstm *m;
    uint32_t rows;
    const float *x;
    float *y;
    float *bias[INFER_LSTM_LAYERS]; /* of both kinds, summed */
    float *columns;      /* w_ih^T of the first layer: a row for each of the vocabulary */
    float *gates, *cell; /* [steps][rows][4 * width], [rows][width] */
    float *state[2];     /* [steps][rows][width]: of a layer and of the one before */
};

static void lstm_free(void *self)
{
    struct recurrent *l = self;
    void *own[] = {l->bias[0], l->bias[1], l->columns, l->gates, l->cell, l->state[0], l->state[1]};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        free(own[i]);
    free(l);
}

static float *floats(size_t n)
{
    return calloc(n, sizeof(float));
}

static void prepare(struct recurrent *l)
{
    const struct infer_lstm *m = l->m;
    const uint32_t gates = 4 * m->width;
    for (uint32_t i = 0; i < m->layers; i++)
        for (uint32_t j = 0; j < gates; j++)
            l->bias[i][j] = m->layer[i].b_ih[j] + m->layer[i].b_hh[j];
    for (uint32_t j = 0; j < gates; j++)
        for (uint32_t v = 0; v < m->vocab; v++)
            l->columns[(size_t)v * gates + j] = m->layer[0].w_ih[(size_t)j * m->vocab + v];
}

static void *lstm_make(const struct infer_net *net, uint32_t rows, const float *x, float *y)
{
    const struct infer_lstm *m = net->lstm;
    const size_t all = (size_t)m->steps * rows, gates = 4 * (size_t)m->width;
    struct recurrent *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (struct recurrent){.m = m,
                            .rows = rows,
                            .x = x,
                            .y = y,
                            .bias = {floats(gates), floats(gates)},
                            .columns = floats((m->vocab + 1) * gates),
                            .gates = floats(all * gates),
                            .cell = floats(rows * (size_t)m->width),
                            .state = {floats(all * m->width), floats(all * m->width)}};
    if (!m->vocab || !l->bias[0] || !l->bias[1] || !l->columns || !l->gates || !l->cell ||
        !l->state[0] || !l->state[1]) {
        lstm_free(l);
        return NULL;
    }
    prepare(l);
    return l;
}

/* c += a b^T; b is [n][k] */
static void multiply(float *c, const float *a, const float *b, uint32_t rows, uint32_t n,
                     uint32_t k)
{
    if (rows == 1)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)n, (int)k, 1, b, (int)k, a, 1, 1, c, 1);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)n, (int)k, 1, a,
                    (int)k, b, (int)k, 1, c, (int)n);
}

/* What the inputs of all steps bring: of the first layer a row of its columns. */
static void inputs(const struct recurrent *l, uint32_t layer)
{
    const struct infer_lstm *m = l->m;
    const uint32_t gates = 4 * m->width, all = m->steps * l->rows;
    for (uint32_t i = 0; i < all; i++)
        memcpy(l->gates + (size_t)i * gates, l->bias[layer], gates * sizeof(float));
    if (layer) {
        multiply(l->gates, l->state[(layer - 1) % 2], m->layer[layer].w_ih, all, gates, m->width);
        return;
    }
    for (uint32_t i = 0; i < all; i++) {
        const uint32_t v = (uint32_t)l->x[(size_t)(i % l->rows) * m->steps + i / l->rows];
        cblas_saxpy((int)gates, 1, l->columns + (size_t)v * gates, 1, l->gates + (size_t)i * gates,
                    1);
    }
}

/* Gates i, f, g, o of one row. */
VECTORS static void step_row(const float *restrict gate, float *restrict cell,
                             float *restrict state, uint32_t n)
{
    for (uint32_t j = 0; j < n; j++) {
        const float in = cu_sigmoid(gate[j]), keep = cu_sigmoid(gate[n + j]);
        cell[j] = keep * cell[j] + in * cu_tanh(gate[2 * n + j]);
        state[j] = cu_sigmoid(gate[3 * n + j]) * cu_tanh(cell[j]);
    }
}

static void run_layer(const struct recurrent *l, uint32_t layer)
{
    const struct infer_lstm *m = l->m;
    const uint32_t width = m->width, gates = 4 * width;
    float *state = l->state[layer % 2];
    inputs(l, layer);
    memset(l->cell, 0, (size_t)l->rows * width * sizeof(float));
    for (uint32_t t = 0; t < m->steps; t++) {
        float *gate = l->gates + (size_t)t * l->rows * gates;
        float *now = state + (size_t)t * l->rows * width;
        if (t)
            multiply(gate, now - (size_t)l->rows * width, m->layer[layer].w_hh, l->rows, gates,
                     width);
        for (uint32_t r = 0; r < l->rows; r++)
            step_row(gate + (size_t)r * gates, l->cell + (size_t)r * width, now + (size_t)r * width,
                     width);
    }
}

VECTORS static void softmax(float *y, uint32_t n)
{
    float most = y[0], sum = 0;
    for (uint32_t i = 1; i < n; i++)
        most = y[i] > most ? y[i] : most;
    for (uint32_t i = 0; i < n; i++) {
        const float below = y[i] - most;
        y[i] = cu_exp(below > -CU_EXP_MAX ? below : -CU_EXP_MAX);
    }
    for (uint32_t i = 0; i < n; i++)
        sum += y[i];
    for (uint32_t i = 0; i < n; i++)
        y[i] /= sum;
}

static void lstm_run(void *self)
{
    const struct recurrent *l = self;
    const struct infer_lstm *m = l->m;
    const float *last = l->state[(m->layers - 1) % 2] + (size_t)(m->steps - 1) * l->rows * m->width;
    for (uint32_t i = 0; i < m->layers; i++)
        run_layer(l, i);
    for (uint32_t r = 0; r < l->rows; r++)
        memcpy(l->y + (size_t)r * m->n_out, m->b, m->n_out * sizeof(float));
    multiply(l->y, last, m->w, l->rows, m->n_out, m->width);
    for (uint32_t r = 0; m->softmax && r < l->rows; r++)
        softmax(l->y + (size_t)r * m->n_out, m->n_out);
}

const struct rival rival_blas_lstm = {"openblas", INFER_LSTM, lstm_make, lstm_run, NULL, lstm_free};
#endif
