/* kind_lstm.c - the recurrent networks of lstm.cu, for every backend. */
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/backend.h"
#include "gpu-kernels/kind.h"
#include "gpu-kernels/lstm_pack.h"
#include "gpu-kernels/lstm_twin.h"

enum { STEP, OUT, SOFTMAX, KERNELS };
static const char *const kernels[KERNELS] = {"lstm_step", "lstm_out", "lstm_softmax"};

_Static_assert(INFER_LSTM_STEPS + INFER_LSTM_LAYERS + 1 <= KIND_LAUNCHES, "launches of a batch");
_Static_assert((int)LSTM_BLOBS <= (int)KIND_BLOBS, "arrays of a network");
_Static_assert(sizeof(struct lstm_step_args) <= KIND_ARGS, "arguments of a kernel");

/* ---- what is a valid one ------------------------------------------------------ */

static int check_layers(const struct infer_lstm *l, char *why, size_t n)
{
    for (uint32_t i = 0; i < l->layers; i++)
        if (!l->layer[i].w_ih || !l->layer[i].w_hh || !l->layer[i].b_ih || !l->layer[i].b_hh)
            return infer_fail(why, n, "layer %u of a recurrent network lacks weights", i);
    if (!l->w || !l->b)
        return infer_fail(why, n, "a recurrent network lacks w or b of its outputs");
    return 0;
}

static int check(const struct infer_net *net, char *why, size_t n)
{
    const struct infer_lstm *l = net->lstm;
    const struct {
        const char *name;
        uint32_t is, max;
    } dims[] = {{"steps", l->steps, INFER_LSTM_STEPS},
                {"n_step", l->n_step, l->vocab ? 1 : INFER_LSTM_STEP},
                {"vocab", l->vocab ? l->vocab : 1, INFER_LSTM_VOCAB},
                {"layers", l->layers, INFER_LSTM_LAYERS},
                {"width", l->width, INFER_LSTM_WIDTH},
                {"n_out", l->n_out, INFER_LSTM_OUT}};
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
        if (dims[i].is < 1 || dims[i].is > dims[i].max)
            return infer_fail(why, n, "%s is %u, want 1..%u", dims[i].name, dims[i].is,
                              dims[i].max);
    return check_layers(l, why, n);
}

static void shape(const struct infer_net *net, uint32_t *n_in, uint32_t *n_out)
{
    *n_in = net->lstm->steps * net->lstm->n_step;
    *n_out = net->lstm->n_out;
}

/* Multiplications and additions; a column of the vocabulary is an addition. */
static uint64_t flops(const struct infer_net *net)
{
    const struct infer_lstm *l = net->lstm;
    const uint64_t gates = 4 * (uint64_t)l->width, before = gates * l->width * 2;
    uint64_t sum = l->steps * (l->vocab ? gates : 2 * gates * l->n_step);
    sum += (l->steps - 1) * l->layers * before + l->steps * (l->layers - 1) * before;
    return sum + 2 * (uint64_t)l->width * l->n_out;
}

/* ---- the kernels -------------------------------------------------------------- */

static bool pack(struct kind_pack *k, const struct infer_net *net)
{
    struct lstm_pack *p = malloc(sizeof *p);
    if (!p || !lstm_pack_make(p, net->lstm)) {
        free(p);
        return false;
    }
    *k = (struct kind_pack){.own = p, .n_blobs = LSTM_BLOBS, .row_size = lstm_pack_row(p)};
    shape(net, &k->n_in, &k->n_out);
    k->row_scratch = (3 * p->layers * p->width_pad + (p->softmax ? p->n_out : 0)) * sizeof(float);
    for (uint32_t i = 0; i < LSTM_BLOBS; i++) /* what a network has none of is never read */
        k->blob[i] = p->blob[i] ? (struct kind_blob){p->blob[i], p->size[i]}
                                : (struct kind_blob){p->blob[LSTM_START0], sizeof(float)};
    return true;
}

static void unpack(struct kind_pack *k)
{
    lstm_pack_free(k->own);
    free(k->own);
}

static void stage(const struct kind_pack *k, void *to, const float *x, uint32_t rows)
{
    lstm_pack_stage(k->own, to, x, rows);
}

/* Blocks that share weights as much as they may while they still fill the device: `blocks` is
 * two for each of its processors. */
static uint32_t split(uint32_t panels, uint32_t cells, uint32_t rows, uint32_t blocks,
                      uint32_t *slots, uint32_t *side)
{
    uint32_t items = 0;
    *side = panels % LSTM_SIDE ? 1 : LSTM_SIDE;
    for (*slots = LSTM_WARPS;; *slots /= 2) {
        if (!*slots) {
            *slots = *side = 1;
            return cells * panels * ((rows + LSTM_ROWS - 1) / LSTM_ROWS);
        }
        items = (rows + *slots * LSTM_ROWS - 1) / (*slots * LSTM_ROWS) * (panels / *side) * cells;
        if (items >= blocks / 2)
            return items;
    }
}

static struct kind_launch launch_of(uint32_t kernel, uint32_t items, uint32_t blocks,
                                    const void *args, size_t size)
{
    struct kind_launch l = {
        .kernel = kernel, .blocks = items < blocks ? items : blocks, .threads = LSTM_THREADS};
    memcpy(l.args, args, size);
    return l;
}

static void places(struct lstm_places *to, const struct lstm_pack *p, const struct kind_places *at,
                   uint32_t rows)
{
    float *scratch = at->scratch;
    const size_t one = (size_t)rows * p->width_pad;
    to->x = at->x;
    for (int i = 0; i < LSTM_BLOBS; i++)
        to->blob[i] = at->blob[i];
    for (uint32_t i = 0; i < p->layers; i++, scratch += 3 * one) {
        to->h[i][0] = scratch;
        to->h[i][1] = scratch + one;
        to->c[i] = scratch + 2 * one;
    }
}

/* Launch t: the first layer's step t, the second's step t - 1. */
static struct kind_launch step(const struct lstm_pack *p, const struct lstm_places *at, uint32_t t,
                               uint32_t rows, uint32_t blocks)
{
    struct lstm_step_args a = {.rows = rows, .panels = p->panels, .stride = p->width_pad};
    for (uint32_t layer = p->layers; layer-- > 0;)
        if (t >= layer && t - layer < p->steps) {
            a.cell[layer] = lstm_cell_at(p, at, layer, t - layer);
            a.from = layer;
            a.cells++;
        }
    uint32_t items = split(p->panels, a.cells, rows, blocks, &a.slots, &a.side);
    return launch_of(STEP, items, blocks, &a, sizeof a);
}

static uint32_t plan(const struct kind_pack *k, const struct kind_places *at, uint32_t rows,
                     uint32_t blocks, struct kind_launch launch[KIND_LAUNCHES])
{
    const struct lstm_pack *p = k->own;
    struct lstm_places to;
    uint32_t n = 0;
    places(&to, p, at, rows);
    for (uint32_t t = 0; t < p->steps + p->layers - 1; t++)
        launch[n++] = step(p, &to, t, rows, blocks);
    float *z = (float *)at->scratch + (size_t)3 * p->layers * rows * p->width_pad;
    struct lstm_out_args out = {.m = lstm_out_at(p, &to),
                                .y = p->softmax ? z : at->y,
                                .rows = rows,
                                .panels = p->out_panels,
                                .n_out = p->n_out};
    uint32_t items = split(p->out_panels, 1, rows, blocks, &out.slots, &out.side);
    launch[n++] = launch_of(OUT, items, blocks, &out, sizeof out);
    if (p->softmax) {
        struct lstm_softmax_args last = {z, at->y, rows, p->n_out};
        launch[n++] =
            launch_of(SOFTMAX, (rows + LSTM_WARPS - 1) / LSTM_WARPS, blocks, &last, sizeof last);
    }
    return n;
}

/* ---- the twin ----------------------------------------------------------------- */

static void *twin_make(const struct infer_net *net, uint32_t level)
{
    return lstm_twin_make(net->lstm, level);
}

kind_kernel emu_lstm_step, emu_lstm_out, emu_lstm_softmax; /* lstm.cu, as C */
static kind_kernel *const emu[KERNELS] = {emu_lstm_step, emu_lstm_out, emu_lstm_softmax};

const struct kind kind_lstm = {.name = "lstm",
                               .kernels = kernels,
                               .emu = emu,
                               .n_kernels = KERNELS,
                               .check = check,
                               .shape = shape,
                               .flops = flops,
                               .pack = pack,
                               .unpack = unpack,
                               .stage = stage,
                               .plan = plan,
                               .twin_make = twin_make,
                               .twin_run = lstm_twin_run,
                               .twin_free = lstm_twin_free};
