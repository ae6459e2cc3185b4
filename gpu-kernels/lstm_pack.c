/* lstm_pack.c - see lstm_pack.h */
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/lstm_pack.h"
#include "gpu-kernels/pack.h"

static uint32_t round_up(uint32_t v, uint32_t to)
{
    return (v + to - 1) / to * to;
}

/* Gate g of neuron j: its place among the columns. */
static uint32_t column_of(uint32_t g, uint32_t j)
{
    return j / LSTM_NEURONS * LSTM_LANES + g * LSTM_NEURONS + j % LSTM_NEURONS;
}

/* ---- how much of what ------------------------------------------------------- */

/* Values before the first layer, padded: none with a vocabulary. */
static uint32_t first_values(const struct lstm_pack *p)
{
    return p->vocab ? 0 : p->step_pad;
}

static uint32_t layer_k(const struct lstm_pack *p, uint32_t layer)
{
    return (layer ? p->width_pad : first_values(p)) + p->width_pad;
}

static bool allocate(struct lstm_pack *p)
{
    const size_t columns = (size_t)p->panels * LSTM_LANES;
    const size_t outs = (size_t)p->out_panels * LSTM_LANES;
    const size_t floats[LSTM_BLOBS] = {[LSTM_W0] = columns * layer_k(p, 0),
                                       [LSTM_W1] = p->layers > 1 ? columns * layer_k(p, 1) : 0,
                                       [LSTM_START0] = columns,
                                       [LSTM_START1] = p->layers > 1 ? columns : 0,
                                       [LSTM_TABLE] = p->vocab * columns,
                                       [LSTM_W_OUT] = outs * p->width_pad,
                                       [LSTM_START_OUT] = outs};
    for (int i = 0; i < LSTM_BLOBS; i++) {
        p->size[i] = floats[i] * sizeof(float);
        if (floats[i] && !(p->blob[i] = pack_alloc(p->size[i])))
            return false;
    }
    return true;
}

/* ---- panels ----------------------------------------------------------------- */

/* Rows of from, [4 * width][n], become columns; value 0 of them is value `at` of the panel. */
static void gates(float *to, uint32_t k, const float *from, uint32_t width, uint32_t n, uint32_t at)
{
    for (uint32_t row = 0; row < 4 * width; row++) {
        uint32_t column = column_of(row / width, row % width);
        float *panel = to + (size_t)(column / LSTM_LANES) * k * LSTM_LANES + column % LSTM_LANES;
        for (uint32_t i = 0; i < n; i++)
            panel[(size_t)(at + i) * LSTM_LANES] = from[(size_t)row * n + i];
    }
}

static void layer(struct lstm_pack *p, const struct infer_lstm *net, uint32_t i)
{
    const struct infer_lstm_layer *l = &net->layer[i];
    float *w = p->blob[LSTM_W0 + i], *start = p->blob[LSTM_START0 + i];
    const uint32_t k = layer_k(p, i), width = net->width;
    if (i)
        gates(w, k, l->w_ih, width, width, 0);
    else if (!p->vocab)
        gates(w, k, l->w_ih, width, p->n_step, 0);
    gates(w, k, l->w_hh, width, width, k - p->width_pad);
    for (uint32_t row = 0; row < 4 * width; row++)
        start[column_of(row / width, row % width)] = l->b_ih[row] + l->b_hh[row];
}

static void table(struct lstm_pack *p, const struct infer_lstm *net)
{
    const uint32_t columns = p->panels * LSTM_LANES, width = net->width;
    for (uint32_t row = 0; row < 4 * width; row++)
        for (uint32_t id = 0; id < p->vocab; id++)
            p->blob[LSTM_TABLE][(size_t)id * columns + column_of(row / width, row % width)] =
                net->layer[0].w_ih[(size_t)row * p->vocab + id];
}

static void outputs(struct lstm_pack *p, const struct infer_lstm *net)
{
    const size_t panel = (size_t)p->width_pad * LSTM_LANES;
    for (uint32_t o = 0; o < net->n_out; o++) {
        float *to = p->blob[LSTM_W_OUT] + o / LSTM_LANES * panel + o % LSTM_LANES;
        for (uint32_t j = 0; j < net->width; j++)
            to[(size_t)j * LSTM_LANES] = net->w[(size_t)o * net->width + j];
        p->blob[LSTM_START_OUT][o] = net->b[o];
    }
}

bool lstm_pack_make(struct lstm_pack *p, const struct infer_lstm *net)
{
    *p = (struct lstm_pack){.steps = net->steps,
                            .n_step = net->n_step,
                            .vocab = net->vocab,
                            .layers = net->layers,
                            .n_out = net->n_out,
                            .step_pad = net->vocab ? 1 : round_up(net->n_step, LSTM_PAD),
                            .width_pad = round_up(net->width, LSTM_PAD),
                            .out_panels = (net->n_out + LSTM_LANES - 1) / LSTM_LANES,
                            .softmax = net->softmax};
    p->panels = p->width_pad / LSTM_NEURONS;
    if (!allocate(p)) {
        lstm_pack_free(p);
        return false;
    }
    for (uint32_t i = 0; i < p->layers; i++)
        layer(p, net, i);
    if (p->vocab)
        table(p, net);
    outputs(p, net);
    return true;
}

void lstm_pack_free(struct lstm_pack *p)
{
    for (int i = 0; i < LSTM_BLOBS; i++) {
        free(p->blob[i]);
        p->blob[i] = NULL;
    }
}

/* ---- rows ------------------------------------------------------------------- */

size_t lstm_pack_row(const struct lstm_pack *p)
{
    return (size_t)p->steps * p->step_pad * sizeof(float); /* an id is as long */
}

static uint32_t id_of(float v, uint32_t vocab)
{
    return v >= (float)(vocab - 1) ? vocab - 1 : v > 0 ? (uint32_t)v : 0;
}

void lstm_pack_step(const struct lstm_pack *p, void *to, const float *x)
{
    if (p->vocab) {
        *(uint32_t *)to = id_of(*x, p->vocab);
    } else {
        memcpy(to, x, p->n_step * sizeof *x);
        memset((float *)to + p->n_step, 0, (p->step_pad - p->n_step) * sizeof *x);
    }
}

void lstm_pack_stage(const struct lstm_pack *p, void *to, const float *x, uint32_t rows)
{
    for (size_t i = 0; i < (size_t)rows * p->steps; i++)
        lstm_pack_step(p, (float *)to + i * p->step_pad, x + i * p->n_step);
}

/* ---- a layer at a step -------------------------------------------------------- */

struct lstm_cell lstm_cell_at(const struct lstm_pack *p, const struct lstm_places *at,
                              uint32_t layer, uint32_t step)
{
    const uint32_t row = p->steps * p->step_pad;
    struct lstm_cell cell = {.m = {.w = at->blob[LSTM_W0 + layer],
                                   .start = at->blob[LSTM_START0 + layer],
                                   .b = at->h[layer][(step + 1) % 2],
                                   .b_stride = p->width_pad,
                                   .n_b = step ? p->width_pad : 0,
                                   .k = layer_k(p, layer)},
                             .h = at->h[layer][step % 2],
                             .c = at->c[layer],
                             .first = step == 0};
    if (layer) {
        cell.m.a = at->h[layer - 1][step % 2];
        cell.m.a_stride = cell.m.n_a = p->width_pad;
    } else if (p->vocab) {
        cell.table = at->blob[LSTM_TABLE];
        cell.id = (const uint32_t *)at->x + step;
        cell.id_stride = row;
    } else {
        cell.m.a = (const float *)at->x + (size_t)step * p->step_pad;
        cell.m.a_stride = row;
        cell.m.n_a = p->step_pad;
    }
    return cell;
}

struct lstm_matrix lstm_out_at(const struct lstm_pack *p, const struct lstm_places *at)
{
    return (struct lstm_matrix){.w = at->blob[LSTM_W_OUT],
                                .start = at->blob[LSTM_START_OUT],
                                .a = at->h[p->layers - 1][(p->steps - 1) % 2],
                                .a_stride = p->width_pad,
                                .n_a = p->width_pad,
                                .k = p->width_pad};
}
