/* model_train.h - from traces to a weights file with its provenance beside it.
 *
 * Every training trace is split by time: its first 70 % are fitted, the next
 * 15 % decide when to stop, the last 15 % are only scored.  Evaluation traces
 * are scored whole and never trained on.  Two files come out, NAME.safetensors
 * and NAME.json (and NAME_s8.safetensors): the same bytes for the same inputs,
 * with no date in them.                                                     */
#ifndef HARNESS_LEARN_MODEL_TRAIN_H
#define HARNESS_LEARN_MODEL_TRAIN_H

#include "harness/learn/train_mlp.h"

#define MODEL_TRACES      8
#define MODEL_TRAIN_SHARE 0.70
#define MODEL_VALID_SHARE 0.15

struct model_train_want {
    const char *name, *dir;
    const char *machine; /* of a steering network's training runs */
    const char *trace[MODEL_TRACES], *eval[MODEL_TRACES];
    size_t n_trace, n_eval;
    uint64_t requests; /* of each trace, at most */
    struct train_options o;
    bool int8, json, quiet;
};

int model_train(const struct model_train_want *want, struct err *e) MUST_CHECK;

#endif
