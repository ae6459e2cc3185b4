/* lstms.c - see lstms.h */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cu_math.h"
#include "tests/gpu-kernels/lstms.h"
#include "tests/gpu-kernels/nets.h"

enum { GUARD = 16, POISON = 0x7fe5a5a5 }; /* a NaN that no kernel makes */
enum { WIDTH = INFER_LSTM_WIDTH, GATES = 4 * INFER_LSTM_WIDTH };

static const float *floats(struct lstm *l, int at, size_t count, float size, uint64_t *s)
{
    float *v = l->own[at] = malloc(count * sizeof *v);
    for (size_t i = 0; i < count; i++)
        v[i] = nets_uniform(s) * size;
    return v;
}

static size_t values(const struct infer_lstm *n, uint32_t layer)
{
    return layer ? n->width : n->vocab ? n->vocab : n->n_step;
}

struct lstm *lstm_make(const struct infer_lstm *shape, uint64_t s)
{
    struct lstm *l = calloc(1, sizeof *l);
    struct infer_lstm *n = &l->net;
    *n = *shape;
    l->of = (struct infer_net){.kind = INFER_LSTM, .lstm = n};
    l->n_in = n->steps * n->n_step;
    const float size = 2.0f / sqrtf((float)n->width);
    for (uint32_t i = 0; i < n->layers; i++) {
        struct infer_lstm_layer *to = &n->layer[i];
        const size_t gates = 4 * n->width, at = 4 * i;
        to->w_ih = floats(l, (int)at, gates * values(n, i), i ? size : 1.0f, &s);
        to->w_hh = floats(l, (int)at + 1, gates * n->width, size, &s);
        to->b_ih = floats(l, (int)at + 2, gates, 0.5f, &s);
        to->b_hh = floats(l, (int)at + 3, gates, 0.5f, &s);
    }
    n->w = floats(l, 8, (size_t)n->n_out * n->width, 3.0f, &s);
    n->b = floats(l, 9, n->n_out, 0.5f, &s);
    return l;
}

struct lstm *lstm_make_any(uint32_t widest, uint64_t seed)
{
    uint64_t s = seed + 500;
    uint32_t v[6];
    for (int i = 0; i < 6; i++)
        v[i] = (uint32_t)(nets_random(&s) >> 8);
    struct infer_lstm n = {.steps = 1 + v[0] % (seed % 7 ? 8 : INFER_LSTM_STEPS),
                           .layers = 1 + v[1] % 2,
                           .width = 1 + v[2] % widest,
                           .n_out = 1 + v[3] % (seed % 3 ? 40 : 700),
                           .softmax = seed % 4 < 2};
    n.vocab = seed % 2 ? 1 + v[4] % 700 : 0;
    n.n_step = n.vocab ? 1 : 1 + v[5] % INFER_LSTM_STEP;
    return lstm_make(&n, seed);
}

void lstm_free(struct lstm *l)
{
    for (size_t i = 0; i < sizeof l->own / sizeof *l->own; i++)
        free(l->own[i]);
    free(l);
}

/* Ids now and then beyond the vocabulary, and between two of them. */
float *lstm_inputs(const struct lstm *l, uint32_t rows, uint64_t seed)
{
    size_t count = (size_t)rows * l->n_in;
    float *x = malloc(count * sizeof *x);
    for (size_t i = 0; i < count; i++) {
        x[i] = nets_uniform(&seed);
        if (l->net.vocab)
            x[i] = (x[i] + 0.95f) * 0.53f * (float)l->net.vocab;
    }
    return x;
}

float *lstm_outputs(const struct lstm *l, uint32_t rows)
{
    size_t count = (size_t)rows * l->net.n_out + GUARD;
    uint32_t *y = malloc(count * sizeof *y);
    for (size_t i = 0; i < count; i++)
        y[i] = POISON;
    return (float *)y;
}

int lstm_overran(const struct lstm *l, uint32_t rows, const float *y)
{
    const uint32_t poison = POISON;
    for (size_t i = 0; i < GUARD; i++)
        if (memcmp(y + (size_t)rows * l->net.n_out + i, &poison, sizeof poison))
            return 1;
    return 0;
}

size_t lstm_differ(const struct lstm *l, uint32_t rows, const float *a, const float *b)
{
    size_t differ = 0;
    for (size_t i = 0; i < (size_t)rows * l->net.n_out; i++)
        differ += memcmp(a + i, b + i, sizeof *a) != 0;
    return differ;
}

static uint32_t id_of(const struct infer_lstm *n, float v)
{
    double d = isnan(v) ? 0 : floor((double)v);
    return d < 0 ? 0 : d > n->vocab - 1 ? n->vocab - 1 : (uint32_t)d;
}

/* ---- in double ------------------------------------------------------------------ */

/* A vector of the step, one-hot where there is a vocabulary. */
static void exact_input(const struct infer_lstm *n, const float *x, double *v)
{
    for (size_t i = 0; i < values(n, 0); i++)
        v[i] = n->vocab ? i == id_of(n, *x) : (double)x[i];
}

static double exact_gate(const struct infer_lstm_layer *l, uint32_t row, const double *v, size_t n,
                         const double *h, uint32_t width)
{
    double z = (double)l->b_ih[row] + (double)l->b_hh[row];
    for (size_t i = 0; i < n; i++)
        z += v[i] * (double)l->w_ih[row * n + i];
    for (uint32_t i = 0; i < width; i++)
        z += h[i] * (double)l->w_hh[(size_t)row * width + i];
    return z;
}

static double logistic(double v)
{
    return 1 / (1 + exp(-v));
}

static void exact_layer(const struct infer_lstm *n, uint32_t layer, const double *v, double *h,
                        double *c)
{
    const struct infer_lstm_layer *l = &n->layer[layer];
    double before[WIDTH];
    memcpy(before, h, sizeof before);
    for (uint32_t j = 0; j < n->width; j++) {
        double z[4];
        for (uint32_t g = 0; g < 4; g++)
            z[g] = exact_gate(l, g * n->width + j, v, values(n, layer), before, n->width);
        c[j] = logistic(z[1]) * c[j] + logistic(z[0]) * tanh(z[2]);
        h[j] = logistic(z[3]) * tanh(c[j]);
    }
}

static void exact_softmax(double *y, uint32_t n)
{
    double most = -INFINITY, sum = 0;
    for (uint32_t o = 0; o < n; o++)
        most = fmax(most, y[o]);
    for (uint32_t o = 0; o < n; o++)
        sum += y[o] = exp(y[o] - most);
    for (uint32_t o = 0; o < n; o++)
        y[o] /= sum;
}

void lstm_exact(const struct lstm *l, const float *x, double *y)
{
    const struct infer_lstm *n = &l->net;
    double v[INFER_LSTM_VOCAB], h[2][WIDTH] = {{0}}, c[2][WIDTH] = {{0}};
    for (uint32_t t = 0; t < n->steps; t++) {
        exact_input(n, x + (size_t)t * n->n_step, v);
        for (uint32_t i = 0; i < n->layers; i++)
            exact_layer(n, i, i ? h[0] : v, h[i], c[i]);
    }
    for (uint32_t o = 0; o < n->n_out; o++) {
        y[o] = (double)n->b[o];
        for (uint32_t j = 0; j < n->width; j++)
            y[o] += h[n->layers - 1][j] * (double)n->w[(size_t)o * n->width + j];
    }
    if (n->softmax)
        exact_softmax(y, n->n_out);
}

/* ---- in the order of lstm.h --------------------------------------------------------- */

/* z plus the segments of n values, padded with zeros to 16. */
static float segments(float z, const float *v, const float *w, size_t n)
{
    for (size_t at = 0; at < (n + 15) / 16 * 16; at += 64) {
        float s = 0;
        for (size_t i = at; i < at + 64 && i < (n + 15) / 16 * 16; i++)
            s = fmaf(i < n ? v[i] : 0, i < n ? w[i] : 0, s);
        z += s;
    }
    return z;
}

static void canonical_layer(const struct infer_lstm *n, uint32_t layer, uint32_t t, const float *x,
                            float h[2][WIDTH], float *c)
{
    const struct infer_lstm_layer *l = &n->layer[layer];
    const size_t k = values(n, layer), width = n->width;
    static float z[GATES];
    for (size_t row = 0; row < 4 * width; row++) {
        z[row] = l->b_ih[row] + l->b_hh[row];
        if (!layer && n->vocab)
            z[row] += l->w_ih[row * k + id_of(n, *x)];
        else
            z[row] = segments(z[row], layer ? h[0] : x, l->w_ih + row * k, k);
        if (t)
            z[row] = segments(z[row], h[layer], l->w_hh + row * width, width);
    }
    for (size_t j = 0; j < width; j++) {
        float in = cu_sigmoid(z[j]) * cu_tanh(z[2 * width + j]);
        c[j] = fmaf(cu_sigmoid(z[width + j]), t ? c[j] : 0, in);
        h[layer][j] = cu_sigmoid(z[3 * width + j]) * cu_tanh(c[j]);
    }
}

static void canonical_softmax(float *y, uint32_t n)
{
    float most = -3.402823466e38f, s[32] = {0};
    for (uint32_t o = 0; o < n; o++)
        if (y[o] > most)
            most = y[o];
    for (uint32_t o = 0; o < n; o++) {
        y[o] -= most;
        y[o] = cu_exp(y[o] > -87.0f ? y[o] : -87.0f);
        s[o % 32] += y[o];
    }
    for (int d = 16; d; d /= 2)
        for (int i = 0; i < d; i++)
            s[i] += s[i + d];
    for (uint32_t o = 0; o < n; o++)
        y[o] /= s[0];
}

void lstm_canonical(const struct lstm *l, uint32_t rows, const float *x, float *y)
{
    const struct infer_lstm *n = &l->net;
    for (uint32_t r = 0; r < rows; r++, y += n->n_out) {
        float h[2][WIDTH], c[2][WIDTH];
        for (uint32_t t = 0; t < n->steps; t++, x += n->n_step)
            for (uint32_t i = 0; i < n->layers; i++)
                canonical_layer(n, i, t, x, h, c[i]);
        for (uint32_t o = 0; o < n->n_out; o++) {
            y[o] = segments(n->b[o], h[n->layers - 1], n->w + (size_t)o * n->width, n->width);
            y[o] = isnan(y[o]) ? NAN : y[o];
        }
        if (n->softmax)
            canonical_softmax(y, n->n_out);
    }
}

/* ---- launches -------------------------------------------------------------------- */

static void *poisoned(size_t size)
{
    size_t words = (size + 3) / 4;
    uint32_t *p = malloc(words * 4);
    for (size_t i = 0; i < words; i++)
        p[i] = POISON;
    return p;
}

static void tell(const struct lstm_machine *on, const struct kind_pack *p, uint32_t rows,
                 const struct kind_places *at, size_t scratch, bool add)
{
    const void *place[KIND_BLOBS + 3] = {at->x, at->y, at->scratch};
    size_t size[KIND_BLOBS + 3] = {rows * p->row_size, (size_t)rows * p->n_out * sizeof(float),
                                   scratch};
    for (uint32_t i = 0; i < p->n_blobs; i++)
        place[3 + i] = p->blob[i].at, size[3 + i] = p->blob[i].size;
    for (uint32_t i = 0; on->add && i < 3 + p->n_blobs; i++)
        if (add)
            on->add(place[i], size[i]);
        else
            on->remove(place[i]);
}

void lstm_launch(const struct lstm *l, uint32_t rows, const float *x, float *y, uint32_t blocks,
                 const struct lstm_machine *on)
{
    struct kind_pack p;
    struct kind_launch launch[KIND_LAUNCHES];
    cr_assert(kind_lstm.pack(&p, &l->of));
    const size_t scratch = p.scratch + rows * p.row_scratch;
    void *staged = malloc(rows * p.row_size), *room = poisoned(scratch);
    struct kind_places at = {.x = staged, .y = y, .scratch = room};
    for (uint32_t i = 0; i < p.n_blobs; i++)
        at.blob[i] = p.blob[i].at;
    kind_lstm.stage(&p, staged, x, rows);
    tell(on, &p, rows, &at, scratch, true);
    const uint32_t n = kind_lstm.plan(&p, &at, rows, blocks, launch);
    for (uint32_t i = 0; i < n; i++)
        on->run(on->ctx, &kind_lstm, &launch[i]);
    tell(on, &p, rows, &at, scratch, false);
    kind_lstm.unpack(&p);
    free(staged), free(room);
}
