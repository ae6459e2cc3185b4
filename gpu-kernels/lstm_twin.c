/* lstm_twin.c - see lstm_twin.h
 *
 * Rows go through the network 48 at a time, and a layer takes all steps before
 * the next one begins.  What its inputs bring is summed for as many steps at
 * once as make 48 rows; its own past is then added step by step.  So a batch
 * of one reads the input's weights once, not once a step, and the weights of
 * one matrix at a time stay in the second cache.                             */
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/lstm_twin.h"
#include "gpu-kernels/pack.h"

enum { GROUP = LSTM_TWIN_PANELS * LSTM_LANES };

struct twin {
    struct lstm_pack pack;
    const struct lstm_twin_ops *ops;
    float *z; /* [groups][LSTM_TWIN_ROWS][GROUP]: sums of some steps' rows */
    float *h; /* [steps][rows][width_pad]: of a layer, laid over those of the one before */
    float *c; /* [groups][rows][LSTM_TWIN_NEURONS] */
    void *x;  /* [steps][rows][step_pad] */
    uint32_t n_in;
};

static const struct lstm_twin_ops *const levels[] = {&lstm_scalar,
#if defined(__x86_64__)
                                                     &lstm_avx2, &lstm_avx512
#endif
};
enum { LEVELS = sizeof levels / sizeof *levels };

void *lstm_twin_make(const struct infer_lstm *net, uint32_t level)
{
    struct twin *t = calloc(1, sizeof *t);
    if (!t || !lstm_pack_make(&t->pack, net)) {
        free(t);
        return NULL;
    }
    const struct lstm_pack *p = &t->pack;
    t->ops = levels[level < LEVELS ? level : LEVELS - 1];
    t->n_in = p->steps * p->n_step;
    t->z = pack_alloc((size_t)LSTM_TWIN_ROWS * p->panels * LSTM_LANES * sizeof *t->z);
    t->h = pack_alloc((size_t)LSTM_TWIN_ROWS * p->steps * p->width_pad * sizeof *t->h);
    t->c = pack_alloc((size_t)LSTM_TWIN_ROWS * p->width_pad * sizeof *t->c);
    t->x = pack_alloc(LSTM_TWIN_ROWS * lstm_pack_row(p));
    if (t->z && t->h && t->c && t->x)
        return t;
    lstm_twin_free(t);
    return NULL;
}

void lstm_twin_free(void *twin)
{
    struct twin *t = twin;
    lstm_pack_free(&t->pack);
    free(t->z);
    free(t->h);
    free(t->c);
    free(t->x);
    free(t);
}

/* ---- a layer ------------------------------------------------------------------ */

/* A layer's weights, and the values of a step before them. */
struct before {
    const float *w, *start, *table;
    size_t panel;   /* floats of one */
    uint32_t n_a;   /* values of the step; the state of the step before is width_pad more */
    const float *a; /* [steps][rows][n_a] */
};

static struct before before(const struct twin *t, uint32_t layer)
{
    const struct lstm_pack *p = &t->pack;
    const uint32_t n_a = layer ? p->width_pad : p->vocab ? 0 : p->step_pad;
    return (struct before){.w = p->blob[LSTM_W0 + layer],
                           .start = p->blob[LSTM_START0 + layer],
                           .table = !layer && p->vocab ? p->blob[LSTM_TABLE] : NULL,
                           .panel = (size_t)(n_a + p->width_pad) * LSTM_LANES,
                           .n_a = n_a,
                           .a = layer ? t->h : t->x};
}

static float *group_of(const struct twin *t, uint32_t panel)
{
    return t->z + (size_t)panel * LSTM_LANES * LSTM_TWIN_ROWS;
}

/* What some columns begin with, in every row. */
static void start(float *z, const float *from, uint32_t columns, uint32_t rows)
{
    for (uint32_t r = 0; r < rows; r++)
        memcpy(z + (size_t)r * columns, from, columns * sizeof *z);
}

static void add_table(float *z, const float *table, size_t all, const uint32_t *id, uint32_t rows)
{
    for (uint32_t r = 0; r < rows; r++, z += GROUP) {
        const float *from = table + id[r] * all;
        for (int i = 0; i < GROUP; i++)
            z[i] += from[i];
    }
}

/* The beginning of all columns: `rows` of them, from row `at` of all steps on. */
static void inputs(const struct twin *t, const struct before *b, uint32_t at, uint32_t rows)
{
    const struct lstm_pack *p = &t->pack;
    for (uint32_t panel = 0; panel < p->panels; panel += LSTM_TWIN_PANELS) { /* always even */
        const size_t column = (size_t)panel * LSTM_LANES;
        float *z = group_of(t, panel);
        start(z, b->start + column, GROUP, rows);
        if (b->table)
            add_table(z, b->table + column, (size_t)p->panels * LSTM_LANES,
                      (const uint32_t *)t->x + at, rows);
        if (b->n_a)
            t->ops->sums(z, LSTM_TWIN_PANELS, b->w + panel * b->panel, b->panel,
                         b->a + (size_t)at * b->n_a, b->n_a, b->n_a, rows);
    }
}

/* The rest of a step, whose columns stand from row z_at of z on, and its states. */
static void recur(const struct twin *t, const struct before *b, uint32_t step, uint32_t z_at,
                  uint32_t rows)
{
    const struct lstm_pack *p = &t->pack;
    const uint32_t width = p->width_pad;
    float *h = t->h + (size_t)step * rows * width;
    for (uint32_t panel = 0; panel < p->panels; panel += LSTM_TWIN_PANELS) {
        const size_t neuron = (size_t)panel * LSTM_NEURONS;
        float *z = group_of(t, panel) + (size_t)z_at * GROUP;
        if (step)
            t->ops->sums(z, LSTM_TWIN_PANELS, b->w + panel * b->panel + b->n_a * LSTM_LANES,
                         b->panel, h - (size_t)rows * width, width, width, rows);
        t->ops->states(z, rows, h + neuron, width, t->c + neuron * rows);
    }
}

static void run_layer(const struct twin *t, uint32_t layer, uint32_t rows)
{
    const struct before b = before(t, layer);
    const uint32_t steps = t->pack.steps, most = LSTM_TWIN_ROWS / rows;
    memset(t->c, 0, (size_t)rows * t->pack.width_pad * sizeof *t->c);
    for (uint32_t step = 0, n; step < steps; step += n) {
        n = steps - step < most ? steps - step : most;
        inputs(t, &b, step * rows, n * rows);
        for (uint32_t i = 0; i < n; i++)
            recur(t, &b, step + i, i * rows, rows);
    }
}

/* ---- all of it ---------------------------------------------------------------- */

static float one_nan(float v)
{
    return v == v ? v : __builtin_nanf("");
}

static void outputs(const struct twin *t, uint32_t rows, float *y)
{
    const struct lstm_pack *p = &t->pack;
    const uint32_t width = p->width_pad;
    const float *h = t->h + (size_t)(p->steps - 1) * rows * width;
    const size_t one = (size_t)width * LSTM_LANES;
    for (uint32_t panel = 0, n; panel < p->out_panels; panel += n) {
        const uint32_t o = panel * LSTM_LANES, left = p->n_out - o;
        n = p->out_panels - panel < LSTM_TWIN_PANELS ? 1 : LSTM_TWIN_PANELS;
        start(t->z, p->blob[LSTM_START_OUT] + o, n * LSTM_LANES, rows);
        t->ops->sums(t->z, n, p->blob[LSTM_W_OUT] + panel * one, one, h, width, width, rows);
        for (uint32_t r = 0; r < rows; r++)
            for (uint32_t i = 0; i < n * LSTM_LANES && i < left; i++)
                y[(size_t)r * p->n_out + o + i] = one_nan(t->z[r * n * LSTM_LANES + i]);
    }
    for (uint32_t r = 0; p->softmax && r < rows; r++)
        t->ops->softmax(y + (size_t)r * p->n_out, p->n_out);
}

static void some(const struct twin *t, uint32_t rows, const float *x, float *y)
{
    const struct lstm_pack *p = &t->pack;
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t step = 0; step < p->steps; step++, x += p->n_step)
            lstm_pack_step(p, (float *)t->x + ((size_t)step * rows + r) * p->step_pad, x);
    for (uint32_t layer = 0; layer < p->layers; layer++)
        run_layer(t, layer, rows);
    outputs(t, rows, y);
}

bool lstm_twin_run(void *twin, uint32_t rows, const float *x, float *y)
{
    const struct twin *t = twin;
    for (uint32_t n; rows; rows -= n) {
        n = rows < LSTM_TWIN_ROWS ? rows : LSTM_TWIN_ROWS;
        some(t, n, x, y);
        x += (size_t)n * t->n_in;
        y += (size_t)n * t->pack.n_out;
    }
    return true;
}
