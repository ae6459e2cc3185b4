/* lstm_net.h - a recurrent network as trained: one or two LSTM layers and a
 * dense layer over what the last of them holds after the last step.
 *
 * Weights lie as PyTorch's nn.LSTM has them: for each of the gates i, f, g, o
 * in turn a row for every neuron.  A step brings `n_step` numbers, or, with a
 * vocabulary, one number: which of `vocab` inputs is 1 (a row of w_ih^T; what
 * is not below vocab counts as the nearest that is, NaN as 0).               */
#ifndef GPU_KERNELS_LSTM_NET_H
#define GPU_KERNELS_LSTM_NET_H

#include <stdbool.h>
#include <stdint.h>

enum {
    INFER_LSTM_LAYERS = 2,
    INFER_LSTM_STEPS = 32,
    INFER_LSTM_STEP = 64, /* numbers of a step */
    INFER_LSTM_VOCAB = 4096,
    INFER_LSTM_WIDTH = 512,
    INFER_LSTM_OUT = 1024
};

struct infer_lstm {
    uint32_t steps, n_step, vocab; /* a row of x is steps * n_step numbers; vocab 0: of any value */
    uint32_t layers, width, n_out; /* width of every layer */
    struct infer_lstm_layer {
        const float *w_ih, *w_hh; /* [4 * width][n_step, vocab or width], [4 * width][width] */
        const float *b_ih, *b_hh; /* [4 * width] */
    } layer[INFER_LSTM_LAYERS];
    const float *w, *b; /* [n_out][width], [n_out] */
    bool softmax;       /* the outputs; else they are sums */
};

#endif
