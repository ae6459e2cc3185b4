/* model_file_lstm.h - a recurrent network in a safetensors file.
 *
 * Tensors are those of PyTorch's nn.LSTM, fp32, gates i, f, g, o: weight_ih_l0
 * [4 width, inputs], weight_hh_l0 [4 width, width], bias_ih_l0 and bias_hh_l0
 * [4 width] (both or neither), and the same of l1; and those of an nn.Linear,
 * weight [outputs, width] and bias, named fc, linear, dense, out or head.  All
 * of the LSTM's may be led by "lstm.".  What tensors do not say stands in the
 * metadata: "kind" "lstm"; "steps" of a row; "input" "values" or "ids" (then
 * inputs are the words of a vocabulary, of which each step has one); "output"
 * "logits" or "softmax".  Of two, the first one is what is meant by silence.
 * The kind itself is model_kind_lstm of model_kind.h.                        */
#ifndef HARNESS_LEARN_MODEL_FILE_LSTM_H
#define HARNESS_LEARN_MODEL_FILE_LSTM_H

#include "gpu-kernels/infer.h"
#include "gpu-kernels/lstm_net.h"
#include "harness/learn/safetensors.h"

int model_lstm_write(const char *path, const struct infer_lstm *net,
                     const struct safetensors_text *meta, size_t n_meta, struct err *e) MUST_CHECK;

#endif
