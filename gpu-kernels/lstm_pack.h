/* lstm_pack.h - a recurrent network's weights in the panels of lstm.h: one
 * layout for every backend.  A pack is made once and never changes; all
 * arrays belong to it, are 64-byte aligned, and their padding is zero.       */
#ifndef GPU_KERNELS_LSTM_PACK_H
#define GPU_KERNELS_LSTM_PACK_H

#include <stddef.h>

#include "gpu-kernels/lstm.h"
#include "gpu-kernels/lstm_net.h"

enum lstm_blob {
    LSTM_W0,
    LSTM_W1,
    LSTM_START0,
    LSTM_START1,
    LSTM_TABLE,
    LSTM_W_OUT,
    LSTM_START_OUT,
    LSTM_BLOBS
};

struct lstm_pack {
    uint32_t steps, n_step, vocab, layers, n_out;
    uint32_t step_pad;           /* numbers of a step, padded; 1 with a vocabulary: the id */
    uint32_t width_pad;          /* of h */
    uint32_t panels, out_panels; /* of a layer, of the outputs */
    bool softmax;
    float *blob[LSTM_BLOBS]; /* NULL: this network has none */
    size_t size[LSTM_BLOBS]; /* bytes */
};

/* false when out of memory; then there is nothing to free. */
bool lstm_pack_make(struct lstm_pack *p, const struct infer_lstm *net);
void lstm_pack_free(struct lstm_pack *p);

/* A row's step as the kernels read it: [step_pad] floats, or an id; x: [n_step]. */
void lstm_pack_step(const struct lstm_pack *p, void *to, const float *x);
/* Rows as the kernels read them: [steps] of these. */
size_t lstm_pack_row(const struct lstm_pack *p); /* bytes */
void lstm_pack_stage(const struct lstm_pack *p, void *to, const float *x, uint32_t rows);

/* What a layer is at a step, for rows whose arrays lie at these places. */
struct lstm_places {
    const void *x;
    const float *blob[LSTM_BLOBS];
    float *h[INFER_LSTM_LAYERS][2], *c[INFER_LSTM_LAYERS]; /* [rows][width_pad]; h by turns */
};
struct lstm_cell lstm_cell_at(const struct lstm_pack *p, const struct lstm_places *at,
                              uint32_t layer, uint32_t step);
struct lstm_matrix lstm_out_at(const struct lstm_pack *p, const struct lstm_places *at);

#endif
