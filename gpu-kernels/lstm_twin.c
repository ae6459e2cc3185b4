/* lstm_twin.c - see lstm_twin.h
 *
 * Rows go through the network 48 at a time: a group of panels of weights is
 * brought into the caches once for all of them.                              */
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/lstm_twin.h"
#include "gpu-kernels/pack.h"

struct twin {
    struct lstm_pack pack;
    const struct lstm_twin_ops *ops;
    float *state; /* h twice and c, of each layer; [LSTM_TWIN_ROWS][width_pad] each */
    void *x;      /* staged rows */
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
    t->state = pack_alloc((size_t)3 * p->layers * LSTM_TWIN_ROWS * p->width_pad * sizeof *t->state);
    t->x = pack_alloc(LSTM_TWIN_ROWS * lstm_pack_row(p));
    if (t->state && t->x)
        return t;
    lstm_twin_free(t);
    return NULL;
}

void lstm_twin_free(void *twin)
{
    struct twin *t = twin;
    lstm_pack_free(&t->pack);
    free(t->state);
    free(t->x);
    free(t);
}

static void places(struct lstm_places *to, const struct twin *t)
{
    const size_t one = (size_t)LSTM_TWIN_ROWS * t->pack.width_pad;
    to->x = t->x;
    memcpy(to->blob, t->pack.blob, sizeof to->blob);
    for (uint32_t i = 0; i < t->pack.layers; i++) {
        to->h[i][0] = t->state + 3 * i * one;
        to->h[i][1] = to->h[i][0] + one;
        to->c[i] = to->h[i][1] + one;
    }
}

/* What the columns of some panels begin with, in every row. */
static void start(float *z, const struct lstm_matrix *m, uint32_t panel, uint32_t panels,
                  uint32_t rows)
{
    for (uint32_t r = 0; r < rows; r++)
        memcpy(z + (size_t)r * panels * LSTM_LANES, m->start + (size_t)panel * LSTM_LANES,
               panels * LSTM_LANES * sizeof *z);
}

static void add_table(float *z, const struct lstm_cell *cell, uint32_t all, uint32_t panel,
                      uint32_t panels, uint32_t rows)
{
    for (uint32_t r = 0; r < rows; r++, z += panels * LSTM_LANES) {
        const float *from = cell->table + (size_t)cell->id[(size_t)r * cell->id_stride] * all;
        for (uint32_t i = 0; i < panels * LSTM_LANES; i++)
            z[i] += from[panel * LSTM_LANES + i];
    }
}

static void cell(const struct twin *t, const struct lstm_cell *l, uint32_t rows)
{
    const struct lstm_pack *p = &t->pack;
    _Alignas(64) float z[LSTM_TWIN_ROWS * LSTM_TWIN_PANELS * LSTM_LANES];
    for (uint32_t panel = 0; panel < p->panels; panel += LSTM_TWIN_PANELS) { /* always even */
        start(z, &l->m, panel, LSTM_TWIN_PANELS, rows);
        if (l->table)
            add_table(z, l, p->panels * LSTM_LANES, panel, LSTM_TWIN_PANELS, rows);
        t->ops->sums(&l->m, panel, LSTM_TWIN_PANELS, rows, z);
        t->ops->states(z, LSTM_TWIN_PANELS, rows, l->first, l->h + (size_t)panel * LSTM_NEURONS,
                       l->c + (size_t)panel * LSTM_NEURONS, p->width_pad);
    }
}

static float one_nan(float v)
{
    return v == v ? v : __builtin_nanf("");
}

static void outputs(const struct twin *t, const struct lstm_matrix *m, uint32_t rows, float *y)
{
    const struct lstm_pack *p = &t->pack;
    _Alignas(64) float z[LSTM_TWIN_ROWS * LSTM_LANES];
    for (uint32_t panel = 0; panel < p->out_panels; panel++) {
        const uint32_t o = panel * LSTM_LANES, left = p->n_out - o;
        start(z, m, panel, 1, rows);
        t->ops->sums(m, panel, 1, rows, z);
        for (uint32_t r = 0; r < rows; r++)
            for (uint32_t i = 0; i < LSTM_LANES && i < left; i++)
                y[(size_t)r * p->n_out + o + i] = one_nan(z[r * LSTM_LANES + i]);
    }
    for (uint32_t r = 0; p->softmax && r < rows; r++)
        t->ops->softmax(y + (size_t)r * p->n_out, p->n_out);
}

static void some(const struct twin *t, uint32_t rows, const float *x, float *y)
{
    const struct lstm_pack *p = &t->pack;
    struct lstm_places at;
    places(&at, t);
    lstm_pack_stage(p, t->x, x, rows);
    for (uint32_t step = 0; step < p->steps; step++)
        for (uint32_t layer = 0; layer < p->layers; layer++) {
            const struct lstm_cell l = lstm_cell_at(p, &at, layer, step);
            cell(t, &l, rows);
        }
    const struct lstm_matrix out = lstm_out_at(p, &at);
    outputs(t, &out, rows, y);
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
